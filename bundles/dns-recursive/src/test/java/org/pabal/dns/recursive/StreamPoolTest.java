package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pabal.dns.DnsFraming;
import org.pabal.settings.Settings;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/// Questions by TCP (RFC 7766) and TLS (RFC 7858), to a server whose certificate is of
/// `dns.example.org` and signed by itself.
class StreamPoolTest {

    private static final Question QUESTION = UpstreamAnswers.question("www.example.org");
    private static final String HOST = "dns.example.org";

    /// What the server does with a query.
    private interface Script {
        void answer(byte[] query, int stream, OutputStream out) throws IOException;
    }

    private final List<byte[]> queries = new CopyOnWriteArrayList<>();
    private final List<String> handshakes = new CopyOnWriteArrayList<>();
    private final List<Socket> accepted = new CopyOnWriteArrayList<>();
    private final OpenSockets sockets = new OpenSockets();
    private Optional<ServerSocket> listener = Optional.empty();
    private StreamPool pool = pool(StreamPool.IDLE);

    private StreamPool pool(Duration idle) {
        return new StreamPool(sockets, new StrictTls(trusted().tlsCertificates()), idle);
    }

    private static UpstreamSettings trusted() {
        return UpstreamSettings.of(
                Settings.of(Map.of("tls-certificates", "tls/resolver.pem")),
                Path.of("src/test/resources").toAbsolutePath());
    }

    @BeforeEach
    void fresh() {
        queries.clear();
    }

    @AfterEach
    void close() throws IOException {
        sockets.close();
        pool.close();
        if (listener.isPresent()) {
            listener.get().close();
        }
        for (Socket socket : accepted) {
            socket.close();
        }
    }

    private Server tcp(Script script) throws IOException {
        return listen(new ServerSocket(0, 9, InetAddress.getLoopbackAddress()), script, false);
    }

    private Server tls(Script script) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream file = getClass().getResourceAsStream("/tls/resolver.p12")) {
            keys.load(file, "example".toCharArray());
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
        managers.init(keys, "example".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        SSLServerSocket socket =
                (SSLServerSocket)
                        context.getServerSocketFactory()
                                .createServerSocket(0, 9, InetAddress.getLoopbackAddress());
        return listen(socket, script, true);
    }

    private Server listen(ServerSocket socket, Script script, boolean encrypted) {
        listener = Optional.of(socket);
        Thread.ofVirtual().start(() -> serve(socket, script));
        return new Server(
                Name.root,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), socket.getLocalPort()),
                encrypted ? Optional.of(HOST) : Optional.empty());
    }

    private void serve(ServerSocket socket, Script script) {
        try {
            while (true) {
                Socket client = socket.accept();
                accepted.add(client);
                int number = accepted.size();
                Thread.ofVirtual().start(() -> converse(client, number, script));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void converse(Socket client, int number, Script script) {
        try (client) {
            Optional<byte[]> query = DnsFraming.read(client.getInputStream());
            if (client instanceof SSLSocket secure) {
                handshakes.add(secure.getSession().getProtocol());
            }
            while (query.isPresent()) {
                queries.add(query.get());
                script.answer(query.get(), number, client.getOutputStream());
                query = DnsFraming.read(client.getInputStream());
            }
        } catch (IOException e) {
            // the other side has gone
        }
    }

    private static void good(byte[] query, OutputStream out) throws IOException {
        DnsFraming.write(out, UpstreamAnswers.address(query).toWire());
    }

    private AnswerOctets ask(Server server) throws IOException {
        return ask(server, Duration.ofSeconds(5));
    }

    private AnswerOctets ask(Server server, Duration patience) throws IOException {
        return pool.exchange(server, query(), patience, new Quota());
    }

    private static QueryOctets query() {
        return QueryOctets.of(
                QUESTION,
                new QueryOctets.Manner(
                        0x1234, false, new byte[0], Dialect.EDNS, 1232, new byte[0], false));
    }

    @Test
    void streamIsUsedAgain() throws IOException {
        Server server = tcp((query, stream, out) -> good(query, out));
        ask(server);
        ask(server);
        assertEquals(2, queries.size());
        assertEquals(1, accepted.size());
        assertEquals(1, pool.idleStreams());
    }

    @Test
    void streamThatTheServerClosedMeanwhileIsReplaced() throws IOException {
        Server server =
                tcp(
                        (query, stream, out) -> {
                            good(query, out);
                            if (stream == 1) {
                                accepted.getFirst().close();
                            }
                        });
        ask(server);
        ask(server);
        assertEquals(2, accepted.size());
    }

    @Test
    void idleStreamIsClosed() throws Exception {
        pool = pool(Duration.ofMillis(20));
        Server server = tcp((query, stream, out) -> good(query, out));
        ask(server);
        Socket other = accepted.getFirst();
        assertEquals(-1, other.getInputStream().read()); // waits until we have closed it
        assertEquals(0, sockets.size());
    }

    @Test
    void anotherMessageIsPassedOver() throws IOException {
        Server server =
                tcp(
                        (query, stream, out) -> {
                            byte[] other = UpstreamAnswers.address(query).toWire();
                            other[0]++;
                            DnsFraming.write(out, other);
                            good(query, out);
                        });
        assertEquals(1, ask(server).message().orElseThrow().getSection(Section.ANSWER).size());
    }

    @Test
    void largestAnswerIsRead() throws IOException {
        Server server =
                tcp(
                        (query, stream, out) -> {
                            Message answer = UpstreamAnswers.to(query);
                            answer.getHeader().setFlag(Flags.AA);
                            for (int i = 0; i < 250; i++) {
                                answer.addRecord(
                                        new TXTRecord(
                                                QUESTION.name(), DClass.IN, i, "x".repeat(247)),
                                        Section.ANSWER);
                            }
                            DnsFraming.write(out, answer.toWire(0xFFFF));
                        });
        assertEquals(250, ask(server).message().orElseThrow().getSection(Section.ANSWER).size());
    }

    /// Security row D18.
    @Test
    void serverThatSendsOctetByOctetMeetsTheDeadline() throws IOException {
        Server server =
                tcp(
                        (query, stream, out) -> {
                            byte[] answer = UpstreamAnswers.address(query).toWire();
                            out.write(0);
                            out.write(answer.length);
                            for (byte octet : answer) {
                                out.write(octet);
                                out.flush();
                                trickle();
                            }
                        });
        long began = System.nanoTime();
        assertThrows(SocketTimeoutException.class, () -> ask(server, Duration.ofMillis(200)));
        assertTrue(System.nanoTime() - began < 2_000_000_000L);
        assertEquals(0, sockets.size());
    }

    /// A slow line, not a wait for something.
    private static void trickle() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void silentServerIsSaidToBeSo() throws IOException {
        Server server = tcp((query, stream, out) -> {});
        IOException silence =
                assertThrows(
                        SocketTimeoutException.class, () -> ask(server, Duration.ofMillis(50)));
        assertEquals("timed out waiting for the answer", silence.getMessage());
    }

    @Test
    void tlsIsForWhoProvesHisName() throws Exception {
        Server server = tls((query, stream, out) -> good(query, out));
        ask(server);
        ask(server);
        assertEquals(List.of("TLSv1.3"), handshakes);
    }

    @Test
    void serverOfAnotherNameIsRefused() throws Exception {
        Server server = tls((query, stream, out) -> good(query, out));
        Server other = new Server(Name.root, server.address(), Optional.of("other.example.org"));
        SSLException refused = assertThrows(SSLException.class, () -> ask(other));
        assertTrue(
                refused.getMessage()
                        .startsWith(
                                "TLS: its certificate does not prove that it is other.example.org"),
                refused.getMessage());
        assertTrue(queries.isEmpty());
        assertEquals(0, sockets.size());
    }

    @Test
    void certificateThatNobodyVouchesForIsRefused() throws Exception {
        Server server = tls((query, stream, out) -> good(query, out));
        pool = new StreamPool(sockets, new StrictTls(List.of()), StreamPool.IDLE);
        SSLException refused = assertThrows(SSLException.class, () -> ask(server));
        assertTrue(refused.getMessage().contains("does not prove"), refused.getMessage());
        assertTrue(queries.isEmpty());
    }

    /// RFC 8310 §5: the strict profile.
    @Test
    void serverForTlsIsNeverAskedInClearText() throws Exception {
        ServerSocket socket = new ServerSocket(0, 9, InetAddress.getLoopbackAddress());
        listener = Optional.of(socket);
        Thread.ofVirtual()
                .start(
                        () -> {
                            try {
                                while (true) {
                                    try (Socket client = socket.accept()) {
                                        byte[] first = new byte[4096];
                                        int octets = client.getInputStream().read(first);
                                        queries.add(Arrays.copyOf(first, octets));
                                    }
                                }
                            } catch (IOException e) {
                                // closed
                            }
                        });
        Server strict =
                new Server(
                        Name.root,
                        (InetSocketAddress) socket.getLocalSocketAddress(),
                        Optional.of(HOST));
        try (NetworkUpstream upstream = new NetworkUpstream(trusted(), UpstreamAnswers.CLOCK)) {
            assertThrows(
                    IOException.class,
                    () ->
                            upstream.ask(
                                    strict,
                                    UpstreamAnswers.ZONE,
                                    QUESTION,
                                    true,
                                    UpstreamAnswers.request()));
        }
        assertFalse(queries.isEmpty());
        for (byte[] octets : queries) {
            assertEquals(0x16, octets[0]); // a TLS handshake
            String text = new String(octets, StandardCharsets.ISO_8859_1);
            assertFalse(text.contains("www\7example"), text);
        }
    }

    /// RFC 8467 §4.1
    @Test
    void queriesByTlsArePadded() throws Exception {
        Server server = tls((query, stream, out) -> good(query, out));
        try (NetworkUpstream upstream = new NetworkUpstream(trusted(), UpstreamAnswers.CLOCK)) {
            Reply reply =
                    upstream.ask(
                            server,
                            UpstreamAnswers.ZONE,
                            QUESTION,
                            true,
                            UpstreamAnswers.request());
            assertEquals(Reply.Transport.TLS, reply.transport());
        }
        assertEquals(128, queries.getFirst().length);
        Message query = UpstreamAnswers.message(queries.getFirst());
        assertEquals(1, query.getOPT().getOptions(EDNSOption.Code.PADDING).size());
        assertTrue(query.getHeader().getFlag(Flags.RD));
    }
}
