package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.interop.Tool.Result;
import org.pabal.itests.node.Node;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// DNS over TLS (RFC 7858) with the resolver at both ends: a node that is asked by TLS, and a node
/// that asks it by TLS and wants to know that it is the one (RFC 8310).
///
/// ```
/// us ── UDP ──► forwarding node ── TLS ──► between, who listens ──► serving node ◄── TLS ── us, kdig
/// ```
@Timeout(120)
class EncryptedResolverTest {

    private static final String NAME = "mx.example.test";
    private static final int HANDSHAKE = 22; // RFC 8446 §5.1
    private static final int PATIENCE_MILLIS = 30_000;

    @TempDir static Path scratch;

    private static Node serving;
    private static Node forwarding;
    private static Between between;
    private static InetSocketAddress tls;
    private static InetSocketAddress clear;

    /// Stands between the two, passes on what streams bring, and notes how they begin and whatever
    /// comes in the clear.
    private static final class Between implements AutoCloseable {

        final ServerSocket door;
        final DatagramSocket datagrams;
        final Queue<Integer> beginnings = new ConcurrentLinkedQueue<>();
        final AtomicInteger packets = new AtomicInteger();
        private final InetSocketAddress target;

        Between(InetSocketAddress target) throws IOException {
            this.target = target;
            InetAddress address = InetAddress.ofLiteral("127.0.55.1");
            int port = Hierarchy.freePort("127.0.55.1");
            door = new ServerSocket(port, 50, address);
            datagrams = new DatagramSocket(port, address);
            Thread.ofVirtual().start(this::letIn);
            Thread.ofVirtual().start(this::count);
        }

        private void letIn() {
            try {
                while (true) {
                    Socket client = door.accept();
                    Thread.ofVirtual().start(() -> carry(client));
                }
            } catch (IOException e) {
                // The test is over.
            }
        }

        private void carry(Socket client) {
            try (client;
                    Socket server = new Socket(target.getAddress(), target.getPort())) {
                InputStream in = client.getInputStream();
                int first = in.read();
                beginnings.add(first);
                if (first < 0) {
                    return;
                }
                server.getOutputStream().write(first);
                Thread back = Thread.ofVirtual().start(() -> pour(server, client));
                pour(client, server);
                back.join();
            } catch (IOException e) {
                // One of the two has gone.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private static void pour(Socket from, Socket to) {
            try {
                from.getInputStream().transferTo(to.getOutputStream());
                to.shutdownOutput();
            } catch (IOException e) {
                // One of the two has gone.
            }
        }

        private void count() {
            try {
                while (true) {
                    datagrams.receive(new DatagramPacket(new byte[4096], 4096));
                    packets.incrementAndGet();
                }
            } catch (IOException e) {
                // The test is over.
            }
        }

        @Override
        public void close() throws IOException {
            door.close();
            datagrams.close();
        }
    }

    @BeforeAll
    static void start() throws Exception {
        serving = Node.init(scratch.resolve("serving"));
        for (String zone : List.of("right.test", "wrong.test")) {
            Files.writeString(
                    serving.directory().resolve("data/zones/" + zone + ".zone"),
                    "$TTL 300\n@ SOA ns h 1 7200 900 1209600 300\n@ NS ns\n"
                            + "ns A 192.0.2.1\nwww A 192.0.2.80\n");
        }
        Files.writeString(scratch.resolve("no-anchors"), "");
        configure(serving);
        String listener = "org.pabal.listener~resolver-tls.cfg";
        serving.set(listener, "address", "127.0.0.1");
        serving.set(listener, "port", "0");
        serving.set(listener, "protocol", "resolver");
        serving.set(listener, "tls", "implicit");
        serving.set(listener, "certificate", "etc/tls/node.crt");
        serving.set(listener, "key", "etc/tls/node.key");
        serving.start();
        tls = serving.address("resolver-tls");

        between = new Between(tls);
        String there = "127.0.55.1@" + between.door.getLocalPort();
        forwarding = Node.init(scratch.resolve("forwarding"));
        configure(forwarding);
        String file = "org.pabal.dns.recursive.cfg";
        forwarding.set(
                file,
                "forward",
                "right.test. %1$s#%2$s, wrong.test. %1$s#other.example.test"
                        .formatted(there, NAME));
        forwarding.set(
                file,
                "tls-certificates",
                serving.directory().resolve("etc/tls/node.crt").toString());
        forwarding.start();
        clear = forwarding.address("resolver");
    }

    private static void configure(Node node) throws IOException {
        String file = "org.pabal.dns.recursive.cfg";
        node.set(file, "trust-anchors", scratch.resolve("no-anchors").toString());
        node.set(file, "private-upstreams", "yes");
    }

    @AfterAll
    static void stop() throws Exception {
        between.close();
        forwarding.close();
        serving.close();
    }

    @Test
    void kdigAsksTheResolverOverTls() throws Exception {
        Tool.need("kdig");
        Result answer =
                Tool.run(
                        scratch,
                        Map.of(),
                        List.of(
                                "kdig",
                                "@127.0.0.1",
                                "-p",
                                "" + tls.getPort(),
                                "+tls",
                                "+tls-ca=" + serving.directory().resolve("etc/tls/node.crt"),
                                "+tls-hostname=" + NAME,
                                "+keepopen",
                                "www.right.test",
                                "A",
                                "www.wrong.test",
                                "A"));
        assertTrue(answer.output().contains("TLS session (TLS1.3)"), answer.output());
        assertTrue(answer.output().contains("192.0.2.80"), answer.output());
        assertEquals(2, answer.output().split("status: NOERROR", -1).length - 1, answer.output());
        // kdig pads what it sends over TLS, and RFC 8467 has blocks of 468 octets for answers
        assertTrue(answer.output().contains("Received 468 B"), answer.output());
    }

    @Test
    void javaAsksTheResolverOverTlsManyThingsAtOnce() throws Exception {
        SSLContext context = trusting(serving.directory().resolve("etc/tls/node.crt"));
        try (SSLSocket socket =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(
                                        new Socket(tls.getAddress(), tls.getPort()),
                                        NAME,
                                        tls.getPort(),
                                        true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.startHandshake();
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            DataInputStream in = new DataInputStream(socket.getInputStream());
            for (int id = 0; id < 50; id++) {
                Message query = query((id % 2 == 0 ? "www" : "none") + ".right.test");
                query.getHeader().setID(id);
                byte[] octets = query.toWire();
                out.writeShort(octets.length);
                out.write(octets);
            }
            boolean[] answered = new boolean[50];
            for (int i = 0; i < 50; i++) {
                byte[] octets = new byte[in.readUnsignedShort()];
                in.readFully(octets);
                Message answer = new Message(octets);
                int id = answer.getHeader().getID();
                assertFalse(answered[id], "answered twice");
                answered[id] = true;
                assertEquals(id % 2 == 0 ? Rcode.NOERROR : Rcode.NXDOMAIN, answer.getRcode());
            }
        }
    }

    @Test
    void whoHasTheRightNameIsAskedOverTlsAndOverNothingElse() throws Exception {
        Message answer = ask("www.right.test");
        assertEquals(Rcode.NOERROR, answer.getRcode(), answer::toString);
        Record record = answer.getSection(Section.ANSWER).getFirst();
        assertEquals("192.0.2.80", ((ARecord) record).getAddress().getHostAddress());
        assertEquals(Rcode.NXDOMAIN, ask("none.right.test").getRcode());
        assertOnlyTls();
    }

    /// RFC 8310 §5, strict privacy: then there is no answer, rather than one in the clear.
    @Test
    void whoHasAnotherNameIsNotAskedAndNotInTheClearEither() throws Exception {
        Message answer = ask("www.wrong.test");
        assertEquals(Rcode.SERVFAIL, answer.getRcode(), answer::toString);
        assertTrue(answer.getSection(Section.ANSWER).isEmpty(), answer::toString);
        String trace = forwarding.shell("resolver:trace", "other.wrong.test", "A");
        assertTrue(
                trace.contains("its certificate does not prove that it is other.example.test"),
                trace);
        assertOnlyTls();
    }

    private static void assertOnlyTls() {
        assertFalse(between.beginnings.isEmpty(), "nobody came");
        for (int first : between.beginnings) {
            assertEquals(HANDSHAKE, first, "in the clear");
        }
        assertEquals(0, between.packets.get(), "by UDP");
    }

    private static Message ask(String name) throws IOException {
        SimpleResolver client = new SimpleResolver(clear);
        client.setTimeout(Duration.ofMillis(PATIENCE_MILLIS));
        return client.send(query(name));
    }

    private static Message query(String name) throws IOException {
        return Message.newQuery(Record.newRecord(Name.fromString(name + "."), Type.A, DClass.IN));
    }

    private static SSLContext trusting(Path certificate) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream in = Files.newInputStream(certificate)) {
            store.setCertificateEntry(
                    "node", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory managers =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }
}
