package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// Health checks against servers on this machine.
class ProberTest {

    private static final Duration EVERY = Duration.ofSeconds(10);

    private final Prober prober = new Prober(Duration.ofSeconds(5));
    private final List<ServerSocket> servers = new ArrayList<>();
    private final BlockingQueue<String> requests = new LinkedBlockingQueue<>();

    @AfterEach
    void stop() throws IOException {
        prober.close();
        for (ServerSocket server : servers) {
            server.close();
        }
    }

    private ServerSocket listening() throws IOException {
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        servers.add(server);
        return server;
    }

    /// A server that reads one request and then says something; and goes on saying nothing when
    /// `silent`.
    private int saying(String reply, boolean silent) throws IOException {
        ServerSocket server = listening();
        Thread.startVirtualThread(
                () -> {
                    List<Socket> kept = new ArrayList<>();
                    try {
                        while (true) {
                            Socket socket = server.accept();
                            kept.add(socket);
                            StringBuilder request = new StringBuilder();
                            while (request.indexOf("\r\n\r\n") < 0) {
                                request.append((char) socket.getInputStream().read());
                            }
                            requests.add(request.toString());
                            socket.getOutputStream()
                                    .write(reply.getBytes(StandardCharsets.US_ASCII));
                            if (!silent) {
                                socket.close();
                            }
                        }
                    } catch (IOException e) {
                        kept.forEach(ProberTest::close);
                    }
                });
        return server.getLocalPort();
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean answers(Prober with, int port, String... path) {
        return with.answers(
                InetAddress.getLoopbackAddress(),
                new HealthCheck(port, List.of(path).stream().findFirst(), EVERY),
                Node.name("www.example.org"));
    }

    @Test
    void tcpIsUpWhenTheConnectionIsAccepted() throws IOException {
        ServerSocket server = listening();
        assertTrue(answers(prober, server.getLocalPort()));
        server.close();
        assertFalse(answers(prober, server.getLocalPort()));
    }

    @Test
    void httpAsksForTheNameThatIsServed() throws Exception {
        assertTrue(answers(prober, saying("HTTP/1.1 200 OK\r\n\r\nfine", false), "/health?full=1"));
        assertEquals(
                "GET /health?full=1 HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: pabal\r\n"
                        + "Connection: close\r\n\r\n",
                requests.poll(5, TimeUnit.SECONDS));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 204 No Content",
                "HTTP/1.1 404 Not Found",
                "HTTP/1.1 503 Busy",
                "HTTP/1.1 2000",
                "SSH-2.0-OpenSSH_9.2",
                "HTTP/1.1 20",
                "",
            })
    void anythingButStatus200IsDown(String line) throws IOException {
        assertFalse(answers(prober, saying(line + "\r\n\r\n", false), "/"));
    }

    /// Security row D27
    @Test
    void followsNoRedirect() throws IOException {
        ServerSocket secret = listening();
        CompletableFuture<Socket> visit = new CompletableFuture<>();
        Thread.startVirtualThread(
                () -> {
                    try {
                        visit.complete(secret.accept());
                    } catch (IOException e) {
                        visit.completeExceptionally(e);
                    }
                });
        String elsewhere =
                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\n\r\n"
                        .formatted(secret.getLocalPort());
        assertFalse(answers(prober, saying(elsewhere, false), "/"));
        secret.close();
        visit.handle((socket, nobody) -> socket == null)
                .thenAccept(none -> assertTrue(none))
                .join();
    }

    /// Whoever accepts and then says nothing is down, and does not hold us.
    @Test
    void silenceIsDown() throws IOException {
        try (Prober impatient = new Prober(Duration.ofMillis(100))) {
            assertFalse(answers(impatient, saying("HTTP/1.1", true), "/"));
        }
    }

    /// A bundle that stops does not wait for the patience of its checks.
    @Test
    void closingEndsAChecksUnderWay() throws Exception {
        Prober endless = new Prober(Duration.ofHours(1));
        int port = saying("HTTP/1.1", true);
        CompletableFuture<Boolean> check = new CompletableFuture<>();
        Thread.startVirtualThread(() -> check.complete(answers(endless, port, "/")));
        assertTrue(Optional.ofNullable(requests.poll(30, TimeUnit.SECONDS)).isPresent());
        endless.close();
        assertFalse(check.get(30, TimeUnit.SECONDS));
        assertFalse(answers(endless, port, "/"), "nothing starts any more");
    }
}
