package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.interop.Tool.Result;
import org.pabal.itests.node.Node;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// DNS over TLS (RFC 7858) and what EDNS adds, with the clients that people have.
class EncryptedNamesTest {

    @TempDir static Path scratch;

    private static Node node;
    private static InetSocketAddress dns;
    private static InetSocketAddress tls;

    @BeforeAll
    static void startNode() throws Exception {
        node = Node.init(scratch.resolve("node"));
        node.set("org.pabal.dns.authoritative.cfg", "nsid", "relay-1");
        node.start();
        dns = node.address("dns");
        tls = node.address("dns-tls");
    }

    @AfterAll
    static void stopNode() throws Exception {
        node.close();
    }

    @Test
    void kdigAsksOverTls() throws Exception {
        Tool.need("kdig");
        Result mx = kdig(tls, "+tls", "example.test", "MX");
        assertTrue(mx.output().contains("TLS session (TLS1.3)"), mx.output());
        assertTrue(mx.output().contains("status: NOERROR"), mx.output());
        assertTrue(mx.output().contains("10 mx.example.test."), mx.output());
        // kdig pads what it sends over TLS, and RFC 8467 has blocks of 468 octets for answers
        Matcher size = Pattern.compile("Received (\\d+) B").matcher(mx.output());
        assertTrue(size.find(), mx.output());
        assertEquals(468, Integer.parseInt(size.group(1)));
        Result counted = new Result(0, node.shell("zone:statistics"));
        assertTrue(counted.output().matches("(?s).*answered over tls [1-9].*"), counted.output());
    }

    @Test
    void kdigPipelinesOverTls() throws Exception {
        Tool.need("kdig");
        List<String> many = new ArrayList<>(List.of("+tls", "+keepopen"));
        for (int i = 0; i < 20; i++) {
            many.addAll(List.of("example.test", i % 2 == 0 ? "SOA" : "NS"));
        }
        Result all = kdig(tls, many.toArray(String[]::new));
        assertEquals(
                20, Pattern.compile("status: NOERROR").matcher(all.output()).results().count());
    }

    @Test
    void digGetsACookieAndOurName() throws Exception {
        Tool.need("dig");
        Result answer = dig("+nsid", "+cookie", "example.test", "SOA");
        assertTrue(answer.output().contains("(good)"), answer.output());
        assertTrue(answer.output().contains("(\"relay-1\")"), answer.output());
        Result elsewhere = dig("example.org", "SOA");
        assertTrue(elsewhere.output().contains("EDE: 20 (Not Authoritative)"), elsewhere.output());
        Result keepalive = dig("+tcp", "+keepalive", "example.test", "SOA");
        assertTrue(
                keepalive.output().matches("(?s).*TCP.KEEPALIVE: 10.0 secs.*"), keepalive.output());
    }

    /// Security row D18, over sockets: octet by octet, half-closed, and gone in the middle.
    @Test
    void oddStreamsHarmNobody() throws Exception {
        byte[] query =
                HexFormat.of()
                        .parseHex(
                                "4321010000010000000000000765"
                                        + "78616d706c650474657374000006"
                                        + "0001");
        for (int i = 0; i < 20; i++) {
            try (Socket gone = new Socket(dns.getAddress(), dns.getPort())) {
                gone.getOutputStream().write(new byte[] {0, 29, 1});
            }
            try (Socket gone = new Socket(tls.getAddress(), tls.getPort())) {
                gone.getOutputStream().write(new byte[] {22, 3, 1});
                gone.shutdownOutput();
            }
        }
        try (Socket slow = new Socket(dns.getAddress(), dns.getPort())) {
            slow.setTcpNoDelay(true);
            slow.getOutputStream().write(0);
            slow.getOutputStream().write(query.length);
            for (byte octet : query) {
                slow.getOutputStream().write(octet);
            }
            slow.shutdownOutput();
            assertAnswer(slow);
            assertEquals(-1, slow.getInputStream().read());
        }
        try (Socket honest = new Socket(dns.getAddress(), dns.getPort())) {
            DataOutputStream out = new DataOutputStream(honest.getOutputStream());
            out.writeShort(query.length);
            out.write(query);
            assertAnswer(honest);
        }
        assertFalse(node.output().contains("ERROR"), node.output());
    }

    private static void assertAnswer(Socket socket) throws IOException {
        socket.setSoTimeout(30_000);
        DataInputStream in = new DataInputStream(socket.getInputStream());
        byte[] answer = new byte[in.readUnsignedShort()];
        in.readFully(answer);
        assertEquals(0x43, answer[0]);
        assertEquals(0, answer[3] & 0xF, "NOERROR");
        assertEquals(1, answer[7]);
    }

    private static Result kdig(InetSocketAddress server, String... arguments) throws Exception {
        return ask("kdig", server, arguments);
    }

    private static Result dig(String... arguments) throws Exception {
        return ask("dig", dns, arguments);
    }

    private static Result ask(String program, InetSocketAddress server, String... arguments)
            throws Exception {
        List<String> command =
                new ArrayList<>(List.of(program, "@127.0.0.1", "-p", "" + server.getPort()));
        command.addAll(List.of(arguments));
        return Tool.run(scratch, Map.of(), command);
    }
}
