package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.felix.service.command.Descriptor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class ZoneShellTest {

    private final Node node =
            Node.serving(
                    "example.org.",
                    Node.SOA
                            + """
                            @ 3600 NS ns1
                            ns1 3600 A 192.0.2.1
                            *.wild 3600 CNAME ns1
                            sub 3600 NS ns.sub
                            ns.sub 3600 A 192.0.2.2
                            old 3600 DNAME wild
                            """);
    private final ZoneShell shell = new ZoneShell(node.store, new ZoneEditor(node.store));

    @Test
    void listsAndShows() {
        assertEquals(List.of("example.org. serial 1"), shell.list());
        assertEquals(
                List.of("ns1.example.org. 3600 IN A 192.0.2.1"),
                shell.show("example.org", "ns1.example.org"));
        List<String> all = shell.show("example.org");
        assertTrue(all.getFirst().startsWith("example.org. 3600 IN SOA"));
        assertEquals(7, all.size());
        assertRefuses("zone nope.org.: not served here", () -> shell.show("nope.org"));
        assertRefuses(
                "does not exist in zone", () -> shell.show("example.org", "nope.example.org"));
        assertRefuses("only names below it", () -> shell.show("example.org", "wild.example.org"));
    }

    @Test
    void setsAndUnsets() throws IOException {
        assertEquals(
                "zone example.org. serial 2",
                shell.set("www.example.org", 60, "A", "192.0.2.7", "192.0.2.8"));
        assertEquals(3, node.ask("www.example.org", Type.A).lines().count());
        assertEquals(
                "zone example.org. serial 3", shell.set("www.example.org.", 60, "a", "192.0.2.9"));
        assertEquals(
                "NOERROR aa\nwww.example.org. 60 A 192.0.2.9", node.ask("www.example.org", Type.A));
        shell.set("example.org", 60, "MX", "10", "ns1.example.org");
        shell.set("two.example.org", 60, "MX", "10 ns1.example.org", "20 ns1.example.org");
        assertEquals(2, shell.show("example.org", "two.example.org").size());
        shell.set("example.org", 60, "TXT", "v=spf1 -all", "x".repeat(300));
        assertEquals(
                "NOERROR aa\nexample.org. 60 TXT \"v=spf1 -all\" \"%s\" \"%s\""
                        .formatted("x".repeat(255), "x".repeat(45))
                        .replace("\"x", "x")
                        .replace("x\"", "x"),
                node.ask("example.org", Type.TXT).replace("\"x", "x").replace("x\"", "x"));
        shell.unset("www.example.org", "A");
        assertTrue(node.ask("www.example.org", Type.A).startsWith("NXDOMAIN"));
        shell.unset("two.example.org");
        assertEquals(8, node.store.find(Node.name("example.org")).orElseThrow().serial());
    }

    /// RFC 1982 §3.1
    @Test
    void countsSerialsAroundTheEnd() throws IOException {
        node.store.publish(
                MemoryZone.of("end.test.", "@ 60 SOA ns1 h 4294967295 1 2 3 4\n@ 60 NS ns1\n"));
        assertEquals("zone end.test. serial 0", shell.set("www.end.test", 60, "A", "192.0.2.1"));
    }

    @Test
    void saysWhatIsWrongInOneLine() {
        assertRefuses(
                "in no zone of ours", () -> shell.set("www.example.com", 60, "A", "192.0.2.1"));
        assertRefuses(
                "expected a record type",
                () -> shell.set("www.example.org", 60, "NONSENSE", "192.0.2.1"));
        assertRefuses("192.0.2.x", () -> shell.set("www.example.org", 60, "A", "192.0.2.x"));
        assertRefuses("TTL -1", () -> shell.set("www.example.org", -1, "A", "192.0.2.1"));
        assertRefuses("no data", () -> shell.set("www.example.org", 60, "A"));
        assertRefuses("CNAME", () -> shell.set("ns1.example.org", 60, "CNAME", "www.example.org"));
        assertRefuses("has no TXT", () -> shell.unset("ns1.example.org", "TXT"));
        assertRefuses("has no records", () -> shell.unset("nope.example.org"));
        assertRefuses("apex", () -> shell.unset("example.org"));
        assertRefuses("SOA", () -> shell.unset("example.org", "SOA"));
        assertRefuses("expected a name", () -> shell.show("a..b"));
    }

    @Test
    void loadsAMasterFile(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("example.net");
        Files.writeString(
                file,
                "$TTL 60\n@ SOA ns1 h 7 1 2 3 4\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.2\n");
        assertEquals(
                "zone example.net. serial 7: 4 record sets",
                shell.load("example.net", file.toString()).getFirst());
        assertEquals(
                "NOERROR aa\nwww.example.net. 60 A 192.0.2.2", node.ask("www.example.net", Type.A));
        assertTrue(
                shell.load("example.net", file.toString())
                        .getFirst()
                        .endsWith("secondaries will not notice"));
        Files.writeString(
                file, "$TTL 60\n@ SOA ns1 h 9 1 2 3 4\n@ NS ns1\n@ MX 10 mx\nns1 A 192.0.2.1\n");
        List<String> said = shell.load("example.net", file.toString());
        assertEquals(2, said.size(), said.toString());
        assertTrue(said.get(1).contains("mx.example.net."), said.toString());
        Files.writeString(
                file,
                "$TTL 60\n@ SOA ns1 h 10 1 2 3 4\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.2\n");
        assertEquals(1, shell.load("example.net", file.toString()).size());
        Files.writeString(file, "$TTL 60\n@ SOA ns1 h 8 1 2 3 4\n@ NS ns1\nns1 A 192.0.2.256\n");
        assertRefuses("example.net:4", () -> shell.load("example.net", file.toString()));
        Files.writeString(
                file, "$TTL 60\n@ SOA ns1 h 8 1 2 3 4\n@ NS ns1\nwww.example.org. A 192.0.2.1\n");
        assertRefuses("does not belong to it", () -> shell.load("example.net", file.toString()));
        Files.writeString(file, "$TTL 60\n@ NS ns1\n");
        assertRefuses("SOA", () -> shell.load("example.net", file.toString()));
        assertRefuses(
                "no such file", () -> shell.load("example.net", folder.resolve("nope").toString()));
        assertEquals(
                "NOERROR aa\nwww.example.net. 60 A 192.0.2.2", node.ask("www.example.net", Type.A));
    }

    @Test
    void explains() {
        assertEquals(
                List.of(
                        "x.old.example.org. zone example.org. serial 1",
                        "x.old.example.org. below DNAME old.example.org. to wild.example.org.",
                        "x.wild.example.org. zone example.org. serial 1",
                        "x.wild.example.org. does not exist, wildcard *.wild.example.org. speaks"
                                + " for it",
                        "x.wild.example.org. is an alias (CNAME)",
                        "ns1.example.org. zone example.org. serial 1",
                        "ns1.example.org. exists",
                        "ns1.example.org. has A",
                        "NOERROR, authoritative"),
                shell.explain("x.old.example.org", "A").subList(0, 9));
        assertTrue(
                shell.explain("a.sub.example.org", "A")
                        .contains("sub.example.org. is a cut: the zone is delegated"));
        assertTrue(shell.explain("example.com", "A").contains("REFUSED, not authoritative"));
        assertTrue(
                shell.explain("nope.example.org", "A")
                        .contains(
                                "nope.example.org. does not exist, closest encloser example.org."
                                        + " has no wildcard"));
    }

    @Test
    void explainsTheProofsOfASignedZone() throws Exception {
        shell.set("example.org", 300, "NSEC", "www.example.org. NS SOA NSEC");
        String step = "example.org. proves what is not there: NSEC";
        assertTrue(shell.explain("a.example.org", "A", "dnssec").contains(step));
        assertFalse(shell.explain("a.example.org", "A").contains(step));
        assertThrows(
                IllegalArgumentException.class,
                () -> shell.explain("a.example.org", "A", "secure"));
    }

    /// house.md §8: every command has a description and an example
    @Test
    void describesEachCommandWithAnExample() {
        for (Method method : ZoneShell.class.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers())) {
                String text = method.getAnnotation(Descriptor.class).value();
                assertTrue(text.contains(" Example: zone:" + method.getName()), text);
            }
        }
    }

    private interface Command {
        void run() throws IOException;
    }

    private static void assertRefuses(String why, Command command) {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, command::run);
        assertTrue(refusal.getMessage().contains(why), refusal.getMessage());
        assertFalse(refusal.getMessage().contains("\n"), refusal.getMessage());
    }
}
