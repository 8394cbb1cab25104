package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.testkit.CannedResolver;
import org.pabal.testkit.Fuzz;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;

class HttpsClientTest {

    private static final String NAMES =
            """
            mta-sts.example.org. 300 IN A 127.0.0.1
            """;
    private static final String HOST = "mta-sts.example.org";
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

    @Test
    void pageIsFetchedFromTheAddressThatTheResolverKnows() throws Exception {
        try (var server = new TestWebServer("good", TestWebServer.plain("hello"))) {
            WebClient.Answer answer = client().get(server.uri(HOST, "/a/b.txt?c=d"));
            assertEquals(200, answer.status());
            assertEquals("text/plain", answer.type());
            assertEquals("hello", new String(answer.body(), StandardCharsets.UTF_8));
            String request = server.requests.getFirst();
            assertTrue(request.startsWith("GET /a/b.txt?c=d HTTP/1.1\n"), request);
            assertTrue(request.contains("\nHost: " + HOST + ":" + server.port() + "\n"), request);
        }
    }

    @Test
    void bodyIsPosted() throws Exception {
        try (var server =
                new TestWebServer(
                        "good",
                        TestWebServer.text(
                                "HTTP/1.1 201 Created\r\nContent-Length: 99999\r\n\r\nthanks"))) {
            byte[] body = "report".getBytes(StandardCharsets.UTF_8);
            var answer = client().post(server.uri(HOST, ""), "application/tlsrpt+gzip", body);
            assertEquals(201, answer.status());
            String request = server.requests.getFirst();
            assertTrue(request.startsWith("POST / HTTP/1.1\n"), request);
            assertTrue(request.contains("\nContent-Type: application/tlsrpt+gzip\n"), request);
            assertTrue(request.endsWith("\n\nreport"), request);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                OK + "\r\nhello",
                OK + "Content-Length: 5\r\n\r\nhello, and more",
                OK + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
                "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + "\r\nhello",
            })
    void bodyIsReadHoweverItIsFramed(String answer) throws Exception {
        assertEquals("hello", new String(read(answer).body(), StandardCharsets.US_ASCII));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "220 mail.example.org ESMTP\r\n",
                OK,
                OK + "Content-Length: 6\r\n\r\nhello",
                OK + "Content-Length: 5, 5\r\n\r\nhello",
                OK + "Content-Length: -5\r\n\r\nhello",
                OK + "Content-Length: 65537\r\n\r\nhello",
                OK + "Transfer-Encoding: gzip\r\n\r\nhello",
                OK + "Transfer-Encoding: chunked\r\n\r\nfffffffff\r\nhello",
                OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
                OK + "no colon\r\n\r\nhello",
            })
    void whatIsNotHttpIsTrouble(String answer) {
        assertThrows(IOException.class, () -> read(answer));
    }

    @Test
    void answersHaveLimits() throws Exception {
        String most = "x".repeat(65_536);
        assertEquals(65_536, read(OK + "\r\n" + most).body().length);
        assertThrows(IOException.class, () -> read(OK + "\r\n" + most + "x"));
        assertThrows(IOException.class, () -> read(OK + "X: " + most + "\r\n\r\nhello"));
        assertThrows(IOException.class, () -> read(OK + "X: y\r\n".repeat(101) + "\r\nhello"));
        assertThrows(
                IOException.class,
                () -> read("HTTP/1.1 102 Processing\r\n\r\n".repeat(10) + OK + "\r\nhello"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"expired", "other", "common"})
    void certificateThatDoesNotProveTheNameIsRefused(String certificate) throws Exception {
        try (var server = new TestWebServer(certificate, TestWebServer.plain("hello"))) {
            assertThrows(SSLException.class, () -> client().get(server.uri(HOST, "/")));
        }
    }

    @Test
    void certificateOfAnAuthorityThatNobodyKnowsIsRefused() throws Exception {
        try (var server = new TestWebServer("good", TestWebServer.plain("hello"))) {
            var client =
                    new HttpsClient(
                            new CannedResolver(NAMES),
                            address -> true,
                            SSLContext.getDefault(),
                            Duration.ofSeconds(60));
            assertThrows(SSLException.class, () -> client.get(server.uri(HOST, "/")));
        }
    }

    /// Security row S24.
    @Test
    void addressThatMustNotBeConnectedToIsNot() throws Exception {
        try (var server = new TestWebServer("good", TestWebServer.plain("hello"))) {
            HttpsClient client = client(a -> !a.isLoopbackAddress(), Duration.ofSeconds(60));
            IOException trouble =
                    assertThrows(IOException.class, () -> client.get(server.uri(HOST, "/")));
            assertTrue(trouble.getMessage().contains("must not"), trouble.getMessage());
            assertEquals(0, server.requests.size());
        }
    }

    @Test
    void redirectionIsAnAnswerLikeOthers() throws Exception {
        var answer = read("HTTP/1.1 301 Moved\r\nLocation: https://example.org/\r\n\r\nhello");
        assertEquals(301, answer.status());
        assertEquals(0, answer.body().length);
    }

    /// A server that sends an octet now and then, and one that says nothing at all.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void timeEnds(boolean drips) throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        TestWebServer.Page slow =
                (request, out) -> {
                    try {
                        while (!over.await(20, TimeUnit.MILLISECONDS)) {
                            if (drips) {
                                out.write('H');
                                out.flush();
                            }
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                };
        try (var server = new TestWebServer("good", slow)) {
            HttpsClient client = client(address -> true, Duration.ofMillis(700));
            assertThrows(SocketTimeoutException.class, () -> client.get(server.uri(HOST, "/")));
        } finally {
            over.countDown();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://mta-sts.example.org/",
                "https://127.0.0.1.example.net/",
                "https://[::1]/",
                "https://me@mta-sts.example.org/",
                "https:/nowhere",
                "mailto:a@example.org",
            })
    void otherAddressesAreRefused(String uri) {
        assertThrows(IOException.class, () -> client().get(URI.create(uri)));
    }

    @Test
    void anyOctetsAreRefusedOrRead() throws Exception {
        Fuzz.run(
                Path.of("src/test/resources/fuzz/web-answer"),
                input -> {
                    try {
                        var answer = HttpsClient.answer(new ByteArrayInputStream(input), true);
                        assertTrue(answer.status() >= 200 && answer.status() < 600);
                        assertTrue(answer.body().length <= 65_536);
                    } catch (IOException e) {
                        assertTrue(e.getMessage().length() < 100, e.getMessage());
                    }
                });
    }

    private static WebClient.Answer read(String answer) throws IOException {
        return HttpsClient.answer(
                new ByteArrayInputStream(answer.getBytes(StandardCharsets.ISO_8859_1)), true);
    }

    private static HttpsClient client() throws IOException, GeneralSecurityException {
        return client(address -> true, Duration.ofSeconds(60));
    }

    private static HttpsClient client(Predicate<InetAddress> allowed, Duration patience)
            throws IOException, GeneralSecurityException {
        return new HttpsClient(
                new CannedResolver(NAMES), allowed, TestWebServer.authorities(), patience);
    }
}
