package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pabal.dns.Resolution;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.CannedResolver;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Names that have the addresses of other names by setting `alias`.
class AliasKeeperTest {

    private static final String ORG =
            Node.SOA
                    + """
                    @ 3600 NS ns1
                    ns1 3600 A 192.0.2.53
                    here 120 A 192.0.2.1
                    here 120 AAAA 2001:db8::1
                    way 60 CNAME here
                    out 60 CNAME edge.cdn.test.
                    loop 60 CNAME example.org.
                    """;

    private static final String CDN =
            """
            www.cdn.test. 600 IN CNAME edge.cdn.test.
            edge.cdn.test. 40 IN A 198.51.100.1
            edge.cdn.test. 40 IN A 198.51.100.2
            edge.cdn.test. 50 IN AAAA 2001:db8:5::1
            """;

    private static final Duration DAY = Duration.ofDays(1);

    private final Keeping keeping = new Keeping(Node.serving("example.org.", ORG));

    @AfterEach
    void stop() {
        keeping.close();
    }

    @Test
    void answersWithAddressesFromElsewhereAtTheApex() {
        keeping.resolver(new CannedResolver(CDN)).set("alias", "example.org www.cdn.test").tend();
        assertEquals("198.51.100.1 198.51.100.2", keeping.addresses("example.org", Type.A));
        assertEquals(
                "NOERROR aa\nexample.org. 50 AAAA 2001:db8:5:0:0:0:0:1",
                keeping.ask("example.org", Type.AAAA));
        assertEquals(40, keeping.ttl("example.org", Type.A));
        assertEquals(
                List.of("example.org. alias of www.cdn.test.: 2 A, 1 AAAA"),
                keeping.shell.aliases());
    }

    /// They are records like all others, so a secondary gets them by its next incremental transfer.
    @Test
    void everyChangeIsAStepOfTheZone() throws Exception {
        keeping.resolver(new CannedResolver(CDN)).set("alias", "example.org www.cdn.test").tend();
        assertEquals(3, keeping.serial("example.org"));
        List<Record> added = new ArrayList<>();
        keeping.node
                .store
                .changes(Node.name("example.org"), 1)
                .orElseThrow()
                .forEach(step -> added.addAll(step.added()));
        assertEquals(3, added.size());
        keeping.after(Duration.ofSeconds(41)).after(Duration.ofSeconds(41));
        assertEquals(3, keeping.serial("example.org"), "no edit when nothing is new");
    }

    @Test
    void answersWithAddressesOfOurOwnZones() {
        keeping.set("alias", "example.org here.example.org, two.example.org way.example.org")
                .tend();
        assertEquals("192.0.2.1", keeping.addresses("example.org", Type.A));
        assertEquals("192.0.2.1", keeping.addresses("two.example.org", Type.A));
        assertEquals(120, keeping.ttl("example.org", Type.A));
        assertEquals(60, keeping.ttl("two.example.org", Type.A), "the smallest on the way");
        assertEquals(List.of(), keeping.asked);
    }

    /// One alias may lead to another; and from our zones out of them.
    @Test
    void followsAliasesOfAliases() {
        keeping.resolver(new CannedResolver(CDN))
                .set("alias", "example.org two.example.org, two.example.org out.example.org")
                .tend();
        assertEquals("198.51.100.1 198.51.100.2", keeping.addresses("example.org", Type.A));
        assertEquals("198.51.100.1 198.51.100.2", keeping.addresses("two.example.org", Type.A));
        assertEquals(40, keeping.ttl("example.org", Type.A));
    }

    @Test
    void followsItsTargetWhenThatChanges() {
        keeping.set("alias", "example.org here.example.org").tend();
        keeping.node.store.publish(
                MemoryZone.of(
                        "example.org.",
                        ORG.replace("hostmaster 1", "hostmaster 9")
                                .replace("192.0.2.1\n", "192.0.2.7\n")));
        keeping.kept.published(Node.name("example.org"));
        keeping.after(Duration.ofSeconds(1));
        assertEquals("192.0.2.7", keeping.addresses("example.org", Type.A));
        keeping.resolver(new CannedResolver(CDN)).set("alias", "example.org www.cdn.test").tend();
        assertEquals("198.51.100.1 198.51.100.2", keeping.addresses("example.org", Type.A));
        keeping.resolver(
                        new CannedResolver(
                                "edge.cdn.test. 30 IN A 198.51.100.9\n"
                                        + "www.cdn.test. 30 IN CNAME edge.cdn.test.\n"))
                .after(Duration.ofSeconds(61));
        assertEquals("198.51.100.9", keeping.addresses("example.org", Type.A));
        assertEquals("", keeping.addresses("example.org", Type.AAAA));
        assertEquals("NOERROR aa\n? example.org. 300 SOA", keeping.ask("example.org", Type.AAAA));
    }

    @Test
    void setsBackWhatOthersChange() throws Exception {
        keeping.set("alias", "example.org here.example.org").tend();
        ZoneShell shell = new ZoneShell(keeping.node.store, new ZoneEditor(keeping.node.store));
        shell.set("example.org", 60, "A", "192.0.2.66");
        assertEquals("192.0.2.66", keeping.addresses("example.org", Type.A));
        keeping.kept.published(Node.name("example.org"));
        keeping.after(Duration.ofSeconds(1));
        assertEquals("192.0.2.1", keeping.addresses("example.org", Type.A));
    }

    @Test
    void theShellRefusesAndExplains() {
        keeping.set("alias", "example.org here.example.org").tend();
        ZoneShell shell =
                new ZoneShell(
                        keeping.node.store,
                        new ZoneEditor(keeping.node.store),
                        Optional.of(keeping.kept));
        for (String type : List.of("A", "AAAA")) {
            String why =
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> shell.unset("example.org", type))
                            .getMessage();
            assertTrue(why.contains("alias = example.org. here.example.org."), why);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> shell.set("example.org", 60, type, "192.0.2.66"));
        }
        assertTrue(
                shell.explain("example.org", "A")
                        .contains(
                                "example.org. is kept by alias = example.org. here.example.org."));
        assertTrue(shell.explain("example.org", "NS").stream().noneMatch(l -> l.contains("kept")));
    }

    @Test
    void explainSaysWhenNothingIsKnown() {
        keeping.set("alias", "new.example.org www.cdn.test");
        ZoneShell shell =
                new ZoneShell(
                        keeping.node.store,
                        new ZoneEditor(keeping.node.store),
                        Optional.of(keeping.kept));
        assertEquals(
                List.of(
                        "new.example.org. zone example.org. serial 1",
                        "new.example.org. is kept here, and what it has is not known now",
                        "new.example.org. is kept by alias = new.example.org. www.cdn.test.",
                        "SERVFAIL, not authoritative"),
                shell.explain("new.example.org", "A"));
    }

    @Test
    void ttlIsTheSmallerOfTheTargetsAndTheSetting() {
        keeping.set("alias", "example.org here.example.org", "alias-ttl", "30 s").tend();
        assertEquals(30, keeping.ttl("example.org", Type.A));
        keeping.set("alias", "example.org here.example.org", "alias-ttl", "1 h").tend();
        assertEquals(120, keeping.ttl("example.org", Type.A));
    }

    /// RFC 2308 §7.1: what we do not know is no "has no address"
    @Test
    void nothingKnownIsServfailAndNotNodata() {
        keeping.set("alias", "example.org www.cdn.test, new.example.org www.cdn.test");
        for (String name : List.of("example.org", "new.example.org")) {
            assertEquals("SERVFAIL", keeping.ask(name, Type.A));
            assertEquals("SERVFAIL", keeping.ask(name, Type.AAAA));
        }
        assertTrue(keeping.ask("example.org", Type.MX).startsWith("NOERROR aa"));
        assertTrue(keeping.ask("nope.example.org", Type.A).startsWith("NXDOMAIN aa"));
        assertTrue(keeping.ask("here.example.org", Type.A).startsWith("NOERROR aa"));
        keeping.tend();
        assertEquals("SERVFAIL", keeping.ask("example.org", Type.A), "there is no resolver");
        assertEquals(
                "example.org. alias of www.cdn.test.: SERVFAIL, cannot be looked up:"
                        + " www.cdn.test.: no resolver is running here",
                keeping.shell.aliases().getFirst());
        keeping.resolver(new CannedResolver(CDN)).after(Duration.ofSeconds(1));
        assertTrue(keeping.ask("example.org", Type.A).startsWith("NOERROR aa\nexample.org. 40 A"));
        assertTrue(keeping.ask("new.example.org", Type.AAAA).startsWith("NOERROR aa\nnew."));
    }

    @Test
    void lastKnownAddressesAreAnsweredUntilTtlAndGraceHaveEnded() {
        keeping.resolver(new CannedResolver(CDN)).set("alias", "example.org www.cdn.test").tend();
        String known = keeping.ask("example.org", Type.AAAA);
        keeping.resolver(Keeping.broken("timed out"));
        keeping.after(Duration.ofSeconds(61));
        assertEquals(known, keeping.ask("example.org", Type.AAAA));
        assertTrue(keeping.shell.aliases().getFirst().contains("last known addresses"));
        keeping.after(DAY.minusSeconds(61));
        assertEquals(known, keeping.ask("example.org", Type.AAAA));
        keeping.after(Duration.ofSeconds(51));
        assertEquals("SERVFAIL", keeping.ask("example.org", Type.AAAA));
        assertEquals("SERVFAIL", keeping.ask("example.org", Type.A));
        assertEquals(
                "198.51.100.1 198.51.100.2",
                keeping.addresses("example.org", Type.A),
                "secondaries keep what was known");
        keeping.resolver(new CannedResolver(CDN)).after(Duration.ofSeconds(31));
        assertEquals(known, keeping.ask("example.org", Type.AAAA));
    }

    /// What the zone has from before is believed for as long as what was looked up just now.
    @Test
    void aRestartWithoutAResolverKeepsAnswering() {
        keeping.resolver(new CannedResolver(CDN)).set("alias", "example.org www.cdn.test").tend();
        try (Keeping restarted = new Keeping(keeping.node)) {
            restarted.set("alias", "example.org www.cdn.test").tend();
            assertTrue(restarted.ask("example.org", Type.A).startsWith("NOERROR aa"));
            restarted.after(DAY.plusMinutes(6));
            assertEquals("SERVFAIL", restarted.ask("example.org", Type.A));
        }
    }

    @Test
    void whatDoesNotExistIsNodataAndNotServfail() {
        keeping.resolver(new CannedResolver(CDN)).set("alias", "example.org gone.cdn.test").tend();
        assertEquals("NOERROR aa\n? example.org. 300 SOA", keeping.ask("example.org", Type.A));
    }

    /// Security row D24
    @Test
    void loopsEnd() {
        keeping.resolver(
                        new CannedResolver(
                                "www.cdn.test. 60 IN CNAME a.example.org.\n"
                                        + "a.example.org. 60 IN A 198.51.100.66\n"))
                .set(
                        "alias",
                        "example.org example.org, a.example.org b.example.org, b.example.org"
                                + " a.example.org, c.example.org loop2.example.org, "
                                + "d.example.org www.cdn.test")
                .tend();
        for (String name : List.of("", "a.", "b.")) {
            assertEquals("", keeping.addresses(name + "example.org", Type.A));
            assertEquals("SERVFAIL", keeping.ask(name + "example.org", Type.A));
        }
        assertTrue(
                keeping.shell.aliases().getFirst().contains("leads back to itself"),
                keeping.shell.aliases()::toString);
        assertEquals("", keeping.addresses("d.example.org", Type.A), "an alias of ours, in a loop");
        keeping.set("alias", "example.org loop.example.org").tend();
        assertEquals("", keeping.addresses("example.org", Type.A), "by a CNAME");
    }

    @Test
    void aLongChainEnds() {
        keeping.set(
                        "alias",
                        IntStream.range(0, 40)
                                        .mapToObj(
                                                i ->
                                                        "c%d.example.org c%d.example.org"
                                                                .formatted(i, i + 1))
                                        .collect(Collectors.joining(", "))
                                + ", c40.example.org here.example.org")
                .tend();
        assertEquals("", keeping.addresses("c0.example.org", Type.A));
        assertEquals("192.0.2.1", keeping.addresses("c30.example.org", Type.A));
    }

    /// Security row D26: not even a record that other servers take for an alias
    @Test
    void recordsOfAZoneAreNoAliases() {
        keeping.node.store.publish(
                MemoryZone.of(
                        "example.net.",
                        Node.SOA + "@ 60 NS ns1\n@ 60 TYPE65401 \\# 6 046576696c00\n"));
        keeping.resolver(new CannedResolver("evil. 60 IN A 198.51.100.66\n")).set().tend();
        keeping.after(DAY);
        assertEquals(List.of(), keeping.asked);
        assertEquals("NOERROR aa\n? example.net. 300 SOA", keeping.ask("example.net", Type.A));
    }

    /// Security row D26
    @Test
    void zonesThatComeFromElsewhereHaveNoAliases() {
        keeping.transferred.add(Node.name("example.org"));
        keeping.resolver(new CannedResolver(CDN)).set("alias", "example.org www.cdn.test").tend();
        keeping.after(DAY);
        assertEquals(List.of(), keeping.asked);
        assertEquals(1, keeping.serial("example.org"));
        assertEquals("NOERROR aa\n? example.org. 300 SOA", keeping.ask("example.org", Type.A));
        assertEquals(
                List.of(
                        "alias = example.org. www.cdn.test.: zone example.org. comes from its"
                                + " primaries"),
                keeping.shell.aliases());
        assertThrows(
                BadSetting.class,
                () ->
                        Keeping.settings(
                                "alias", "example.org www.cdn.test", "primaries", "192.0.2.5"));
    }

    @Test
    void onlyTheFileThatCountsForAZoneHasASay() {
        keeping.resolver(new CannedResolver(CDN))
                .administer(
                        Keeping.settings("alias", "example.org www.cdn.test"),
                        Keeping.settings("zones", "example.org"));
        keeping.after(DAY);
        assertEquals(List.of(), keeping.asked);
        assertTrue(keeping.shell.aliases().getFirst().contains("another file counts"));
    }

    /// Security row D26: neither a short TTL nor a zone that changes all the time makes us ask more
    @Test
    void asksNobodySoonerThanAfterTenSeconds() {
        keeping.resolver(new CannedResolver("fast.cdn.test. 0 IN A 198.51.100.1\n"))
                .set("alias", "example.org fast.cdn.test")
                .tend();
        for (int i = 0; i < 90; i++) {
            keeping.kept.published(Node.name("example.org"));
            keeping.after(Duration.ofSeconds(1));
        }
        assertEquals(10, keeping.asked.stream().filter(q -> q.equals("fast.cdn.test. A")).count());
    }

    /// Security row D26
    @Test
    void looksUpNoMoreThanSixteenAtOnce() {
        keeping.holding = true;
        keeping.resolver(new CannedResolver(CDN))
                .set(
                        "alias",
                        IntStream.range(0, 100)
                                .mapToObj(i -> "h%d.example.org www.cdn.test".formatted(i))
                                .collect(Collectors.joining(",")))
                .tend();
        assertEquals(16, keeping.held.size());
        keeping.held.remove().run();
        keeping.tend();
        assertEquals(16, keeping.held.size());
        keeping.holding = false;
        while (!keeping.held.isEmpty()) {
            keeping.held.remove().run();
            keeping.tend();
        }
        for (int i = 0; i < 100; i++) {
            assertEquals(
                    "2001:db8:5:0:0:0:0:1", keeping.addresses("h" + i + ".example.org", Type.AAAA));
        }
        assertEquals(2, keeping.asked.size(), "the same target is asked for once");
    }

    /// RFC 4035 §2.2: a signature is of one set of records, and goes with it
    @Test
    void aSignatureOfTheFormerSetGoes() {
        Name org = Node.name("example.org");
        Instant now = keeping.node.clock.instant();
        List<Record> records = new ArrayList<>();
        MemoryZone.of("example.org.", ORG.replace("@ 3600 NS", "@ 60 A 192.0.2.9\n@ 3600 NS"))
                .all()
                .forEach(set -> records.addAll(set.rrs(false)));
        records.add(
                new RRSIGRecord(
                        org,
                        DClass.IN,
                        60,
                        Type.A,
                        13,
                        60,
                        now.plus(DAY),
                        now,
                        1,
                        org,
                        new byte[64]));
        keeping.node.store.publish(new MemoryZone(org, records));
        keeping.set("alias", "example.org here.example.org").tend();
        assertEquals("192.0.2.1", keeping.addresses("example.org", Type.A));
        assertEquals(
                List.of(),
                keeping.node
                        .store
                        .find(org)
                        .orElseThrow()
                        .records(org, Type.A)
                        .orElseThrow()
                        .sigs());
    }

    /// RFC 1034 §3.6.2
    @Test
    void anAliasDoesNotStandBesideACname() {
        String before = keeping.ask("way.example.org", Type.A);
        keeping.set("alias", "way.example.org ns1.example.org").tend();
        assertEquals(before, keeping.ask("way.example.org", Type.A));
        assertEquals(
                List.of(
                        "alias = way.example.org. ns1.example.org.: zone example.org. has a CNAME"
                                + " there"),
                keeping.shell.aliases());
    }

    @Test
    void saysWhatIsWrong() {
        for (String alias :
                List.of(
                        "example.org",
                        "example.org a b",
                        "*.example.org www.cdn.test",
                        "a..b www.cdn.test",
                        "example.org a.test, example.org b.test")) {
            BadSetting bad =
                    assertThrows(BadSetting.class, () -> Keeping.settings("alias", alias), alias);
            assertTrue(bad.getMessage().contains("example.org "), bad.getMessage());
        }
        String many =
                IntStream.rangeClosed(0, KeptSet.MAX_ALIASES)
                        .mapToObj(i -> "h%d.example.org www.cdn.test".formatted(i))
                        .collect(Collectors.joining(","));
        assertThrows(BadSetting.class, () -> Keeping.settings("alias", many));
        assertThrows(BadSetting.class, () -> Keeping.settings("alias-ttl", "2 h"));
    }

    /// No resolver says such a thing on purpose, and none can make us fail.
    @Test
    void strangeAnswersOfAResolverAreNoAddresses() {
        keeping.resolver((name, type) -> new Resolution.Found(List.of(), false))
                .set("alias", "example.org www.cdn.test")
                .tend();
        assertEquals("", keeping.addresses("example.org", Type.A));
    }
}
