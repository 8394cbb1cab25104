package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

class RouteSettingsTest {

    @TempDir Path home;

    private RouteSettings of(Map<String, String> values) {
        Settings settings = Settings.of(values);
        RouteSettings read = RouteSettings.of(settings, home);
        settings.noOthers();
        return read;
    }

    private String refused(Map<String, String> values) {
        return assertThrows(BadSetting.class, () -> of(values)).getMessage();
    }

    @Test
    void sayNothingByDefault() {
        assertEquals(
                new RouteSettings(Map.of(), List.of(), Set.of(), List.of(), Set.of()),
                of(Map.of()));
    }

    @Test
    void readZonesWithTheirServers() {
        Map<Name, Route> elsewhere =
                of(Map.of(
                                "forward",
                                "example.org 192.0.2.1 192.0.2.2@5353, . 2001:db8::1",
                                "stub",
                                "corp.example.org. 192.0.2.3"))
                        .elsewhere();
        assertEquals(3, elsewhere.size());
        Route.Forward forward = (Route.Forward) elsewhere.get(name("example.org"));
        assertEquals("[192.0.2.1, 192.0.2.2@5353]", forward.servers().toString());
        assertEquals(name("example.org"), forward.zone());
        assertTrue(elsewhere.get(Name.root) instanceof Route.Forward);
        assertTrue(elsewhere.get(name("CORP.example.org")) instanceof Route.Stub);
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1, 192.0.2.1, 53, ''",
        "192.0.2.1@1, 192.0.2.1, 1, ''",
        "192.0.2.1@65535, 192.0.2.1, 65535, ''",
        "192.0.2.1#dns.example.net, 192.0.2.1, 853, dns.example.net",
        "192.0.2.1@443#dns.example.net, 192.0.2.1, 443, dns.example.net",
        "2001:db8::1, 2001:db8:0:0:0:0:0:1, 53, ''",
        "2001:db8::1@5353#a, 2001:db8:0:0:0:0:0:1, 5353, a"
    })
    void readServers(String text, String address, int port, String tls) {
        Server server = RouteSettings.server(text);
        assertEquals(address, server.address().getAddress().getHostAddress());
        assertEquals(port, server.address().getPort());
        assertEquals(tls, server.tls().orElse(""));
        assertEquals(Name.root, server.name());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "example.org",
                "example.org ns1.example.org",
                "example.org 192.0.2.1@",
                "example.org 192.0.2.1@0",
                "example.org 192.0.2.1@65536",
                "example.org 192.0.2.1@domain",
                "example.org 192.0.2.1#",
                "example.org 192.0.2.1#a b",
                "example.org 192.0.2.1#-a",
                "example.org 192.0.2.256",
                "example.org @53",
                "example..org 192.0.2.1",
                "192.0.2.1"
            })
    void refuseWhatIsNoZoneWithServers(String text) {
        for (String key : List.of("forward", "stub")) {
            String message = refused(Map.of(key, text));
            assertTrue(
                    message.startsWith(
                            "settings.cfg: " + key + " = " + text + ": expected ZONE ADDRESS"),
                    message);
            assertTrue(message.contains("for example " + key + " = . 192.0.2.53@853#"), message);
        }
    }

    @Test
    void refuseAZoneThatIsNamedTwice() {
        assertTrue(
                refused(Map.of("forward", "example.org 192.0.2.1, EXAMPLE.org 192.0.2.2"))
                        .contains("expected each zone once"));
        assertTrue(
                refused(Map.of("forward", "a.example 192.0.2.1", "stub", "a.example 192.0.2.1"))
                        .startsWith("settings.cfg: stub = a.example 192.0.2.1: expected each"));
    }

    @Test
    void resolveFilesAgainstTheNodesDirectory() throws IOException {
        Files.createDirectory(home.resolve("etc"));
        Files.writeString(home.resolve("etc/local.zone"), "router.example.org. 60 A 192.0.2.1\n");
        RouteSettings read = of(Map.of("local-data", "etc/local.zone", "hosts", "/etc/hosts"));
        assertEquals(List.of(home.resolve("etc/local.zone")), read.localData());
        assertEquals(List.of(Path.of("/etc/hosts")), read.hosts());
    }

    @Test
    void refuseFilesThatCannotBeRead() {
        String message = refused(Map.of("hosts", "no-such-file"));
        assertTrue(
                message.startsWith("settings.cfg: hosts = no-such-file: expected files"), message);
        assertTrue(message.contains("no-such-file: cannot be read"), message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "router A",
                "router 60 A 192.0.2.256",
                "router 60 CH TXT hello",
                "$INCLUDE /etc/passwd",
                "router 60 WHAT 1"
            })
    void refuseLocalDataThatIsNoMasterFile(String line) throws IOException {
        Files.writeString(home.resolve("local.zone"), line + "\n");
        String message = refused(Map.of("local-data", "local.zone"));
        assertTrue(message.startsWith("settings.cfg: local-data = local.zone: expected"), message);
        assertTrue(message.contains(home.resolve("local.zone") + ": "), message);
    }

    @ParameterizedTest
    @CsvSource({"local-zones, a..example", "not-special, 10..in-addr.arpa"})
    void refuseWhatIsNoName(String key, String text) {
        assertTrue(refused(Map.of(key, text)).contains(key + " = " + text + ": expected names"));
    }

    static Name name(String text) {
        return Name.fromConstantString(text.endsWith(".") ? text : text + ".");
    }
}
