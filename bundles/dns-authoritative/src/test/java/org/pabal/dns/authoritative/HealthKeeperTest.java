package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Addresses with a check leave the answer when it fails.
class HealthKeeperTest {

    private static final String ORG =
            Node.SOA
                    + """
                    @ 3600 NS ns1
                    ns1 3600 A 192.0.2.53
                    www 3600 TXT "beside"
                    """;

    private static final String CHECK =
            "www.example.org 192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1 2001:db8::2 tcp 443";

    private static final String ALL = "192.0.2.1 192.0.2.2 192.0.2.3";

    private static final Duration TEN = Duration.ofSeconds(10);

    private final Keeping keeping = new Keeping(Node.serving("example.org.", ORG));

    @AfterEach
    void stop() {
        keeping.close();
    }

    private String addresses() {
        return keeping.addresses("www.example.org", Type.A);
    }

    private Keeping rounds(int count) {
        for (int i = 0; i < count; i++) {
            keeping.after(TEN);
        }
        return keeping;
    }

    @Test
    void theSetOfTheSettingIsInTheZoneAtOnce() {
        keeping.set("check", CHECK).tend();
        assertEquals(ALL, addresses());
        assertEquals(
                "2001:db8:0:0:0:0:0:1 2001:db8:0:0:0:0:0:2",
                keeping.addresses("www.example.org", Type.AAAA));
        assertEquals(60, keeping.ttl("www.example.org", Type.A));
        assertEquals(
                "NOERROR aa\nwww.example.org. 3600 TXT beside",
                keeping.ask("www.example.org", Type.TXT));
    }

    @Test
    void threeFailuresTakeAnAddressOutAndTwoSuccessesBringItBack() {
        keeping.set("check", CHECK).tend();
        keeping.down.add("192.0.2.2");
        rounds(2);
        assertEquals(ALL, addresses());
        rounds(1);
        assertEquals("192.0.2.1 192.0.2.3", addresses());
        assertTrue(!keeping.ask("www.example.org", Type.A).contains("192.0.2.2"));
        assertTrue(keeping.ask("www.example.org", Type.AAAA).contains("2001:db8:0:0:0:0:0:1"));
        keeping.down.clear();
        rounds(1);
        assertEquals("192.0.2.1 192.0.2.3", addresses());
        rounds(1);
        assertEquals(ALL, addresses());
    }

    @Test
    void oneSuccessBetweenFailuresStartsTheCountAgain() {
        keeping.set("check", CHECK).tend();
        for (int i = 0; i < 5; i++) {
            keeping.down.add("192.0.2.2");
            rounds(2);
            keeping.down.clear();
            rounds(1);
        }
        assertEquals(ALL, addresses());
        assertEquals(3, keeping.serial("example.org"), "one step for each type, and no more");
    }

    @Test
    void whenAllAreDownAllAreAnswered() {
        keeping.set("check", CHECK).tend();
        keeping.down.addAll(List.of("192.0.2.1", "192.0.2.2"));
        rounds(3);
        assertEquals("192.0.2.3", addresses());
        keeping.down.add("192.0.2.3");
        rounds(3);
        assertEquals(ALL, addresses());
        keeping.down.remove("192.0.2.1");
        rounds(2);
        assertEquals("192.0.2.1", addresses());
    }

    /// A restart must not answer with a machine that is known to be down; a new one shows itself
    /// first.
    @Test
    void startsWithWhatTheZoneHas() {
        keeping.set("check", CHECK).tend();
        keeping.down.add("192.0.2.2");
        rounds(3);
        try (Keeping restarted = new Keeping(keeping.node)) {
            restarted.down.add("192.0.2.2");
            restarted.set("check", CHECK).tend();
            assertEquals("192.0.2.1 192.0.2.3", addresses());
            restarted.down.clear();
            restarted.after(TEN).after(TEN);
            assertEquals(ALL, addresses());
        }
    }

    @Test
    void setsBackWhatOthersChange() {
        keeping.set("check", CHECK).tend();
        keeping.down.add("192.0.2.2");
        rounds(3);
        keeping.node.store.publish(
                MemoryZone.of("example.org.", ORG.replace("hostmaster 1", "hostmaster 100")));
        keeping.kept.published(Node.name("example.org"));
        keeping.after(Duration.ofSeconds(1));
        assertEquals("192.0.2.1 192.0.2.3", addresses());
    }

    @Test
    void checksAsOftenAsTheSettingSays() {
        keeping.set("check", CHECK + " every 1 m").tend();
        for (int i = 0; i < 120; i++) {
            keeping.kept.published(Node.name("example.org")); // has nothing to do with it
            keeping.after(Duration.ofSeconds(1));
        }
        assertEquals(3, keeping.checks.get("192.0.2.1"));
    }

    @Test
    void healthShowsEveryAddress() {
        keeping.set("check", CHECK).tend();
        keeping.down.add("192.0.2.2");
        rounds(3);
        List<String> lines = keeping.shell.health("example.org");
        assertEquals(5, lines.size());
        assertEquals(
                "www.example.org. 192.0.2.1 up since 2026-11-01T12:00:00Z (tcp 443 every 10 s)",
                lines.get(0));
        assertEquals(
                "www.example.org. 192.0.2.2 down since 2026-11-01T12:00:30Z (tcp 443 every 10 s)",
                lines.get(1));
        assertEquals(lines, keeping.shell.health());
        assertThrows(IllegalArgumentException.class, () -> keeping.shell.health("ns1.example.org"));
        assertThrows(IllegalArgumentException.class, () -> keeping.shell.aliases());
    }

    @Test
    void theShellRefusesToSetWhatIsKept() throws Exception {
        keeping.set("check", "www.example.org 192.0.2.1 tcp 443").tend();
        ZoneShell shell =
                new ZoneShell(
                        keeping.node.store,
                        new ZoneEditor(keeping.node.store),
                        Optional.of(keeping.kept));
        String why =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> shell.set("www.example.org", 60, "A", "192.0.2.9"))
                        .getMessage();
        assertTrue(why.contains("check = www.example.org. 192.0.2.1 tcp 443 every 10 s"), why);
        assertThrows(IllegalArgumentException.class, () -> shell.unset("www.example.org"));
        shell.set("www.example.org", 60, "AAAA", "2001:db8::9"); // of which the setting has none
    }

    /// Security row D26 for checks too: what comes from elsewhere is not ours to edit
    @Test
    void zonesThatComeFromElsewhereAreNotCheckedNorEdited() {
        keeping.transferred.add(Node.name("example.org"));
        keeping.set("check", CHECK).tend();
        rounds(10);
        assertEquals(Map.of(), keeping.checks);
        assertEquals(1, keeping.serial("example.org"));
    }

    /// Security row D27: only the set's own addresses, and of this network only on demand
    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "127.8.8.8",
                "::1",
                "10.1.2.3",
                "172.16.0.1",
                "192.168.1.1",
                "169.254.169.254",
                "100.64.0.1",
                "fe80::1",
                "fd00::1",
                "fec0::1",
                "::ffff:127.0.0.1",
                "64:ff9b::7f00:1",
                "2002:7f00:1::1",
            })
    void privateAddressesAreRefusedUnlessTheAdministratorSaysSo(String address) {
        String check = "www.example.org 192.0.2.1 " + address + " tcp 80";
        BadSetting bad = assertThrows(BadSetting.class, () -> Keeping.settings("check", check));
        assertTrue(bad.getMessage().contains("not " + address), bad.getMessage());
        keeping.set("check", check, "check-private", "yes").tend();
        assertEquals(2, keeping.checks.size());
    }

    /// Security row D27
    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "ff02::1", "255.255.255.255"})
    void addressesOfNobodyAreAlwaysRefused(String address) {
        assertThrows(
                BadSetting.class,
                () ->
                        Keeping.settings(
                                "check",
                                "www.example.org " + address + " tcp 80",
                                "check-private",
                                "yes"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "www.example.org",
                "www.example.org tcp 80",
                "www.example.org 192.0.2.1",
                "www.example.org 192.0.2.1 tcp",
                "www.example.org 192.0.2.1 tcp 0",
                "www.example.org 192.0.2.1 tcp 65536",
                "www.example.org 192.0.2.1 udp 53",
                "www.example.org 192.0.2.1 http 80",
                "www.example.org 192.0.2.1 http 80 health",
                "www.example.org 192.0.2.1 http 80 http://192.0.2.9/",
                "www.example.org 192.0.2.1 http 80 /ä",
                "www.example.org 192.0.2.1 tcp 80 every",
                "www.example.org 192.0.2.1 tcp 80 every 0 s",
                "www.example.org 192.0.2.1 tcp 80 every 2 h",
                "www.example.org 192.0.2.1 tcp 80 hourly",
                "www.example.org 192.0.2.256 tcp 80",
                "*.example.org 192.0.2.1 tcp 80",
                "a.example.org 192.0.2.1 tcp 80, a.example.org 192.0.2.2 tcp 80",
            })
    void saysWhatIsWrong(String check) {
        BadSetting bad = assertThrows(BadSetting.class, () -> Keeping.settings("check", check));
        assertTrue(bad.getMessage().contains(HealthCheck.EXAMPLE), bad.getMessage());
    }

    @Test
    void understandsWhatItIsToDo() {
        HealthCheck http = HealthCheck.parse(List.of("http", "8080", "/up?x=1", "every", "30s"));
        assertEquals("http 8080 /up?x=1 every 30 s", http.toString());
        assertEquals(
                Duration.ofMinutes(2),
                HealthCheck.parse(List.of("tcp", "25", "every", "2", "m")).every());
        assertEquals(TEN, HealthCheck.parse(List.of("tcp", "25")).every());
    }
}
