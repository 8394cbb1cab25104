package org.pabal.smtp.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pabal.testkit.ScriptedMailServer;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

@Timeout(120)
class StartTlsTest {

    private static final SSLContext TLS = context();

    private static SSLContext context() {
        try (InputStream file = StartTlsTest.class.getResourceAsStream("/mx.p12")) {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(file, "example".toCharArray());
            KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
            factory.init(keys, "example".toCharArray());
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(factory.getKeyManagers(), new TrustManager[] {new TrustsAll()}, null);
            return context;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static SSLSocket layered(Socket socket) throws IOException {
        SSLSocket tls =
                (SSLSocket) TLS.getSocketFactory().createSocket(socket, "mx.example.net", 25, true);
        tls.setUseClientMode(true);
        tls.startHandshake();
        return tls;
    }

    private static Socket connected(ScriptedMailServer server) throws IOException {
        return new Socket(server.address().getAddress(), server.port());
    }

    private static SmtpConversation over(Socket socket) throws IOException {
        return new SmtpConversation(socket, "client.example.org", false, Post.PATIENCE);
    }

    @Test
    void goesOnOverTls() throws Exception {
        try (var server =
                new ScriptedMailServer()
                        .startTls(TLS)
                        .keywords("PIPELINING", "CHUNKING", "AUTH PLAIN")
                        .reply("AUTH", "235 2.7.0 welcome")) {
            Socket far =
                    new Socket(server.address().getAddress(), server.port()) {
                        @Override
                        public InetAddress getInetAddress() {
                            return InetAddress.ofLiteral("192.0.2.25");
                        }
                    };
            try (var conversation = over(far)) {
                conversation.begin();
                assertTrue(conversation.capabilities().startTls());
                assertEquals(220, conversation.startTls().code());
                assertFalse(conversation.reusable());
                assertTrue(conversation.secured(layered(far)).ok());
                assertFalse(conversation.capabilities().startTls());
                assertTrue(conversation.signIn(new Login("a", "b")).ok());
                var large = new Post.Letter(("x".repeat(62) + "\n").repeat(10_000));
                for (Post.Letter letter : List.of(Post.LETTER, large)) {
                    conversation.send(
                            Post.from(""), Post.to("b@example.net"), letter, "", Post.WHERE);
                    assertTrue(conversation.reusable());
                }
                conversation.quit();

                assertArrayEquals(large.octets(), server.mails().getLast().octets());
                assertTrue(server.mails().getFirst().tls());
                assertEquals("QUIT", server.commands().getLast());
            }
        }
    }

    @Test
    void whatWasSaidBeforeIsForgotten() throws Exception {
        // RFC 3207 §4.2
        try (var server =
                        new ScriptedMailServer()
                                .startTls(TLS)
                                .reply("EHLO", "250-mx\n250-DSN\n250 STARTTLS", "250 mx");
                Socket socket = connected(server);
                var conversation = over(socket)) {
            conversation.begin();
            assertTrue(conversation.capabilities().reports());
            conversation.startTls();
            conversation.secured(layered(socket));
            assertEquals(Capabilities.NONE, conversation.capabilities());
        }
    }

    @Test
    void whatIsSaidInTheClearAfterTheReplyEndsTheConversation() throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .reply("STARTTLS", "220 2.0.0 go\n250-mx\n250 AUTH PLAIN");
                var conversation = over(connected(server))) {
            conversation.begin();
            IOException e = assertThrows(IOException.class, conversation::startTls);
            assertTrue(e.getMessage().contains("in the clear"), e.getMessage());
            assertFalse(conversation.reusable());
        }
    }

    @Test
    void whoRefusesTlsMayBeSpokenWithInTheClear() throws Exception {
        try (var server = new ScriptedMailServer().reply("STARTTLS", "454 4.7.0 no TLS now");
                var conversation = over(connected(server))) {
            conversation.begin();
            assertEquals(454, conversation.startTls().code());
            assertTrue(conversation.reusable());
            assertEquals(
                    "delivered",
                    Post.told(Post.send(conversation, "b@example.net"), "b@example.net"));
        }
    }

    @Test
    void whoSaysGoodbyeInsteadIsLeft() throws Exception {
        try (var server = new ScriptedMailServer().reply("STARTTLS", "421 4.3.2 bye");
                var conversation = over(connected(server))) {
            conversation.begin();
            assertEquals(421, conversation.startTls().code());
            assertFalse(conversation.reusable());
        }
    }

    @Test
    void speaksOverASocketThatIsTlsFromTheBeginning() throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .tlsAtOnce(TLS)
                                .keywords("AUTH PLAIN")
                                .reply("AUTH", "235 2.7.0 welcome");
                var conversation = over(layered(connected(server)))) {
            assertTrue(conversation.begin().ok());
            assertTrue(conversation.signIn(new Login("a", "b")).ok());
            assertEquals(
                    "delivered",
                    Post.told(Post.send(conversation, "b@example.net"), "b@example.net"));
            conversation.quit();
            assertEquals(Optional.of(true), server.mails().stream().map(m -> m.tls()).findFirst());
        }
    }

    // S8
    @Test
    void whoDripsARecordIsNotWaitedForBeyondThePatience() throws Exception {
        var patience =
                new ClientPatience(
                        Duration.ofMillis(700),
                        Duration.ofMillis(700),
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(30));
        CountDownLatch over = new CountDownLatch(1);
        try (var listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket plain = new Socket(listening.getInetAddress(), listening.getLocalPort());
                Socket accepted = listening.accept()) {
            Thread server =
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try {
                                            drip(accepted, over);
                                        } catch (IOException | InterruptedException e) {
                                            // the client has gone
                                        }
                                    });
            var conversation =
                    new SmtpConversation(layered(plain), "client.example.org", false, patience);
            IOException late = assertThrows(SocketTimeoutException.class, conversation::begin);
            assertTrue(late.getMessage().contains("no answer to our call"), late::getMessage);
            assertFalse(conversation.reusable());
            over.countDown();
            server.join();
        }
    }

    /// Begins a record of 16 KB and sends an octet of it now and then.
    private static void drip(Socket accepted, CountDownLatch over)
            throws IOException, InterruptedException {
        SSLSocket tls = (SSLSocket) TLS.getSocketFactory().createSocket(accepted, null, 25, false);
        tls.setUseClientMode(false);
        tls.startHandshake();
        accepted.getOutputStream().write(new byte[] {0x17, 3, 3, 0x40, 0});
        while (!over.await(50, TimeUnit.MILLISECONDS)) {
            accepted.getOutputStream().write(0);
        }
    }

    @Test
    void whoClosesTlsMeanwhileIsNotReusable() throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .startTls(TLS)
                                .reply(".", "250 2.0.0 queued\n" + ScriptedMailServer.HANG_UP);
                Socket socket = connected(server);
                var conversation = over(socket)) {
            conversation.begin();
            conversation.startTls();
            conversation.secured(layered(socket));
            Post.send(conversation, "b@example.net");
            while (conversation.reusable()) {
                Thread.onSpinWait();
            }
            assertThrows(IOException.class, () -> Post.send(conversation, "b@example.net"));
        }
    }

    private static final class TrustsAll extends X509ExtendedTrustManager {

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
