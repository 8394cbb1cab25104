package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.felix.service.command.Descriptor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pabal.dns.DnsFraming;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

class RegistrarShellTest {

    private final Node node =
            Node.serving(
                    "example.org.",
                    Node.SOA
                            + """
                            @ 3600 NS ns1
                            ns1 3600 A 192.0.2.1
                            cut 600 NS ns.cut
                            ns.cut 600 A 192.0.2.9
                            """);
    private final RegistrarShell shell = shell(node);

    private static RegistrarShell shell(Node node) {
        return new RegistrarShell(
                node.store,
                node.server.editor(),
                node.server::administration,
                node.clock,
                new Random(1));
    }

    @AfterEach
    void stop() {
        node.close();
    }

    @Test
    void entersServersOneByOneWithTheirGlue() throws IOException {
        assertEquals(
                "zone example.org. serial 2: sub.example.org. NS ns1.sub.example.org., its"
                        + " addresses 192.0.2.7 2001:db8:0:0:0:0:0:7",
                shell.delegate(
                        "sub.example.org", "ns1.sub.example.org", "192.0.2.7", "2001:db8::7"));
        assertEquals(
                """
                NOERROR
                ? sub.example.org. 86400 NS ns1.sub.example.org.
                + ns1.sub.example.org. 86400 A 192.0.2.7
                + ns1.sub.example.org. 86400 AAAA 2001:db8:0:0:0:0:0:7\
                """,
                node.ask("www.sub.example.org", Type.A));
        shell.delegate("sub.example.org", "ns.example.net");
        shell.delegate("sub.example.org", "ns1.sub.example.org", "192.0.2.8");
        assertEquals(
                """
                NOERROR
                ? sub.example.org. 86400 NS ns.example.net.
                ? sub.example.org. 86400 NS ns1.sub.example.org.
                + ns1.sub.example.org. 86400 A 192.0.2.8\
                """,
                node.ask("www.sub.example.org", Type.A));
        assertEquals(
                "zone example.org. serial 4: sub.example.org. NS ns1.sub.example.org., its"
                        + " addresses 192.0.2.8",
                shell.delegate("sub.example.org", "ns1.sub.example.org", "192.0.2.8"),
                "again, and nothing changes");
    }

    @Test
    void leavesTheAddressesOfOthersAlone() throws IOException {
        shell.delegate("sub.example.org", "ns1.example.org", "192.0.2.2");
        assertEquals(3, node.ask("ns1.example.org", Type.A).lines().count(), "beside 192.0.2.1");
        assertEquals(
                "zone example.org. serial 3: sub.example.org. NS ns.example.net.; its addresses"
                        + " belong into its own zone and were not written",
                shell.delegate("sub.example.org", "ns.example.net", "192.0.2.2"));
        shell.delegate("cut.example.org", "ns.example.net");
        assertTrue(
                node.ask("x.cut.example.org", Type.A)
                        .contains("? cut.example.org. 600 NS ns.example.net."));
    }

    @Test
    void saysWhatIsWrongInOneLine() {
        assertRefuses("no zone of ours", "sub.example.com", "ns.example.net");
        assertRefuses("has delegated cut", "sub.cut.example.org", "ns.example.net");
        assertRefuses("without an address", "sub.example.org", "ns.sub.example.org");
        assertRefuses("expected an address", "sub.example.org", "ns.example.net", "ns.example.net");
        assertRefuses("expected a name", "a..b", "ns.example.net");
        assertRefuses("has no parent", ".", "ns.example.net");
        assertRefuses("expected ADDRESS", "sub.example.org", "ns.example.net", "via");
        assertRefuses(
                "key none.example.org: not known",
                "sub.example.org",
                "ns.example.net",
                "via",
                "127.0.0.1@53",
                "key",
                "none.example.org");
        assertRefuses(
                "not sent by TLS",
                "sub.example.org",
                "ns.example.net",
                "via",
                "127.0.0.1",
                "tls",
                "ns.example.net");
    }

    private void assertRefuses(String why, String child, String server, String... more) {
        IllegalArgumentException refusal =
                assertThrows(
                        IllegalArgumentException.class, () -> shell.delegate(child, server, more));
        assertTrue(refusal.getMessage().contains(why), refusal.getMessage());
        assertFalse(refusal.getMessage().contains("\n"), refusal.getMessage());
    }

    /// A second node has the parent, and takes the update with a key only.
    @Test
    void updatesARemoteParent() throws Exception {
        List<String> made = shell.key("registrar.example.org");
        TsigKey key = new TsigKey(settings(made));
        assertEquals(32, Base64.getDecoder().decode((String) settings(made).get("secret")).length);
        node.server.bindTsigKey(key);
        node.server.bindZoneSettings(
                new ZoneSettings(
                        Map.of("zones", "example.org", "update", "registrar.example.org")));
        Node registrar = Node.serving();
        registrar.server.bindTsigKey(key);
        Thread serving;
        try (ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            serving = Thread.ofVirtual().start(() -> answer(socket));
            String via = "127.0.0.1@" + socket.getLocalPort();
            RegistrarShell other = shell(registrar);
            assertEquals(
                    "zone example.org. at 127.0.0.1: sub.example.org. NS ns.sub.example.org., its"
                            + " addresses 192.0.2.7",
                    other.delegate(
                            "sub.example.org",
                            "ns.sub.example.org",
                            "192.0.2.7",
                            "via",
                            via,
                            "key",
                            "registrar.example.org"));
            assertTrue(
                    node.ask("x.sub.example.org", Type.A)
                            .contains("+ ns.sub.example.org. 86400 A 192.0.2.7"));
            String without =
                    assertThrows(
                                    IOException.class,
                                    () ->
                                            other.delegate(
                                                    "more.example.org",
                                                    "ns.example.net",
                                                    "via",
                                                    via))
                            .getMessage();
            assertTrue(without.contains("REFUSED") && without.contains("key"), without);
            String foreign =
                    assertThrows(
                                    IOException.class,
                                    () ->
                                            other.delegate(
                                                    "x.example.net", "ns.example.net", "via", via))
                            .getMessage();
            assertTrue(foreign.contains("has no zone above x.example.net."), foreign);
            node.server.unbindTsigKey(key);
            String unknown =
                    assertThrows(
                                    IOException.class,
                                    () ->
                                            other.delegate(
                                                    "more.example.org",
                                                    "ns.example.net",
                                                    "via",
                                                    via,
                                                    "key",
                                                    "registrar.example.org"))
                            .getMessage();
            assertTrue(unknown.contains("BADKEY"), unknown);
        }
        serving.join();
        registrar.close();
    }

    private static Map<String, Object> settings(List<String> lines) {
        Map<String, Object> settings = new HashMap<>();
        lines.stream()
                .filter(line -> !line.startsWith("#"))
                .forEach(line -> settings.put(line.split(" = ")[0], line.split(" = ")[1]));
        return settings;
    }

    private void answer(ServerSocket server) {
        while (!server.isClosed()) {
            try (Socket client = server.accept()) {
                byte[] request = DnsFraming.read(client.getInputStream()).orElseThrow();
                TestDatagram datagram = new TestDatagram(request);
                node.server.received(datagram);
                Optional<byte[]> answer = datagram.sent(Duration.ofSeconds(30));
                DnsFraming.write(client.getOutputStream(), answer.orElseThrow());
            } catch (IOException e) {
                // closed by the test
            }
        }
    }

    /// house.md §8: every command has a description and an example
    @Test
    void describesEachCommandWithAnExample() {
        for (Method method : RegistrarShell.class.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers())) {
                String text = method.getAnnotation(Descriptor.class).value();
                assertTrue(text.contains(" Example: zone:" + method.getName()), text);
            }
        }
    }
}
