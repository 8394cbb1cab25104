package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.X509ExtendedTrustManager;

@Timeout(60)
class ClientTlsTest {

    private static final Minted ROOT = Minted.of("Laboratory").authority().mint();
    private static final Minted OTHER_ROOT = Minted.of("Stranger").authority().mint();

    private final Minted good = Minted.of("x").named("mx.example.org").by(ROOT).mint();
    private final Minted worthless = Minted.of("a.example").expired().mint();
    private final TlsRule verified = new TlsRule.Verified("mx.example.org", "mta-sts");

    @TempDir Path folder;
    private X509ExtendedTrustManager authorities;
    private ClientTls tls;

    @BeforeEach
    void trusts() throws IOException {
        Path file = folder.resolve("authorities.pem");
        Files.writeString(file, "A laboratory's\n" + ROOT.pem());
        authorities = ClientTls.authorities(Optional.of(file));
        tls = new ClientTls(authorities);
    }

    private static MailHost host(String name) {
        return new MailHost(name, 25, List.of(InetAddress.getLoopbackAddress()), false, List.of());
    }

    /// Makes TLS, and one octet each way.
    private ClientTls.Secured speak(TlsServer server, TlsRule rule) throws IOException {
        return speak(server, host("mx.example.org"), rule);
    }

    private ClientTls.Secured speak(TlsServer server, MailHost host, TlsRule rule)
            throws IOException {
        try (Socket plain = server.connect()) {
            ClientTls.Secured secured = tls.secure(plain, host, rule);
            assertEquals(30_000, plain.getSoTimeout());
            secured.socket().getOutputStream().write('a');
            assertEquals('b', secured.socket().getInputStream().read());
            return secured;
        }
    }

    private void assertRefused(TlsResult why, TlsServer server, TlsRule rule)
            throws IOException, InterruptedException {
        try (Socket plain = server.connect()) {
            TlsFailure failure =
                    assertThrows(
                            TlsFailure.class,
                            () -> tls.secure(plain, host("mx.example.org"), rule));
            assertEquals(why, failure.result(), failure::getMessage);
            assertTrue(plain.isClosed());
        }
        String heard = server.asked.poll(30, TimeUnit.SECONDS);
        assertTrue(heard.startsWith("failed: "), heard);
    }

    @Test
    void takesAnybodyWhenNobodyIsAskedFor() throws Exception {
        try (TlsServer server = new TlsServer(worthless)) {
            for (TlsRule rule : List.of(new TlsRule.Opportunistic(), new TlsRule.Encrypted())) {
                ClientTls.Secured secured = speak(server, rule);
                assertEquals("TLSv1.3, not verified", secured.words());
                assertEquals(Optional.empty(), secured.complaint());
                assertEquals("mx.example.org", server.asked.take());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"[192.0.2.25]", "[2001:db8:0:0:0:0:0:1]", "a_b.example.org"})
    void asksForNoNameThatIsNone(String name) throws Exception {
        try (TlsServer server = new TlsServer(worthless)) {
            speak(server, host(name), new TlsRule.Opportunistic());
            assertEquals("", server.asked.take());
        }
    }

    @Test
    void holdsHostsToTheirTlsaRecords() throws Exception {
        var names = List.of("tlsa.example.org", "mx.example.org");
        try (TlsServer server = new TlsServer(worthless)) {
            var fits = new TlsRule.Dane(List.of(DaneTest.record(3, 1, 1, worthless)), names);
            assertEquals("TLSv1.3, dane", speak(server, fits).words());
            assertEquals("tlsa.example.org", server.asked.take());
            var other = new TlsRule.Dane(List.of(DaneTest.record(3, 1, 1, good)), names);
            assertRefused(TlsResult.VALIDATION_FAILURE, server, other);
        }
        try (TlsServer server = new TlsServer(good, ROOT)) {
            var fits = new TlsRule.Dane(List.of(DaneTest.record(2, 0, 1, ROOT)), names);
            assertEquals("TLSv1.3, dane", speak(server, fits).words());
            server.asked.take();
            var misnamed = new TlsRule.Dane(fits.records(), List.of("other.example.org"));
            assertRefused(TlsResult.CERTIFICATE_HOST_MISMATCH, server, misnamed);
        }
    }

    @Test
    void holdsHostsToTheAuthoritiesItKnows() throws Exception {
        try (TlsServer server = new TlsServer(good)) {
            assertEquals("TLSv1.3, verified", speak(server, verified).words());
            assertEquals("mx.example.org", server.asked.take());
            // the next one proves itself anew
            server.show(worthless);
            assertRefused(TlsResult.CERTIFICATE_NOT_TRUSTED, server, verified);
            server.show(Minted.of("x").named("*.example.org").by(ROOT).mint());
            assertEquals("TLSv1.3, verified", speak(server, verified).words());
            server.asked.take();
            server.show(Minted.of("x").named("mx.example.org").by(OTHER_ROOT).mint(), OTHER_ROOT);
            assertRefused(TlsResult.CERTIFICATE_NOT_TRUSTED, server, verified);
            server.show(Minted.of("x").named("mx.example.org").expired().by(ROOT).mint());
            assertRefused(TlsResult.CERTIFICATE_EXPIRED, server, verified);
            server.show(Minted.of("x").named("mx.example.org").notYetValid().by(ROOT).mint());
            assertRefused(TlsResult.CERTIFICATE_EXPIRED, server, verified);
            server.show(Minted.of("x").named("a.example").by(ROOT).mint());
            assertRefused(TlsResult.CERTIFICATE_HOST_MISMATCH, server, verified);
            server.show(Minted.of("mx.example.org").by(ROOT).mint());
            assertRefused(TlsResult.CERTIFICATE_HOST_MISMATCH, server, verified);
        }
    }

    @Test
    void knowsHostsByAddressWhereTheyHaveNoName() throws Exception {
        Minted addressed = Minted.of("x").named("[192.0.2.25]", "[2001:db8::1]").by(ROOT).mint();
        try (TlsServer server = new TlsServer(addressed)) {
            for (String name : List.of("[192.0.2.25]", "[2001:db8:0:0:0:0:0:1]")) {
                speak(server, host(name), new TlsRule.Verified(name, "smart host"));
                assertEquals("", server.asked.take());
            }
            assertRefused(
                    TlsResult.CERTIFICATE_HOST_MISMATCH,
                    server,
                    new TlsRule.Verified("[192.0.2.26]", "smart host"));
        }
    }

    @Test
    void onlyTellsWhatIsWrongWhileAPolicyIsTested() throws Exception {
        TlsRule tested = new TlsRule.Tested("mx.example.org", true);
        try (TlsServer server = new TlsServer(good)) {
            ClientTls.Secured secured = speak(server, tested);
            assertEquals("TLSv1.3, verified", secured.words());
            assertEquals(Optional.empty(), secured.complaint());
            secured = speak(server, new TlsRule.Tested("mx.example.org", false));
            assertEquals("TLSv1.3, not verified", secured.words());
            assertEquals(TlsResult.VALIDATION_FAILURE, secured.complaint().orElseThrow().result());
            server.show(worthless);
            secured = speak(server, tested);
            assertEquals("TLSv1.3, not verified", secured.words());
            assertEquals(
                    TlsResult.CERTIFICATE_NOT_TRUSTED, secured.complaint().orElseThrow().result());
        }
    }

    @Test
    void resumesOnlyWhereNobodyLooks() throws Exception {
        try (TlsServer server = new TlsServer(good)) {
            assertEquals(
                    begun(server, new TlsRule.Opportunistic()),
                    begun(server, new TlsRule.Encrypted()));
            assertNotEquals(begun(server, verified), begun(server, verified));
        }
    }

    /// A session that is resumed began when it was new.
    private long begun(TlsServer server, TlsRule rule) throws IOException {
        return speak(server, rule).socket().getSession().getCreationTime();
    }

    @Test
    void saysSoWhenTheOtherSideSpeaksNoTls() throws Exception {
        for (String text : List.of("454 4.7.0 not just now\r\n", "")) {
            try (ServerSocket listening = listening();
                    Socket plain = connect(listening);
                    Socket accepted = listening.accept()) {
                accepted.getOutputStream().write(text.getBytes());
                accepted.shutdownOutput();
                TlsFailure failure =
                        assertThrows(
                                TlsFailure.class,
                                () -> tls.secure(plain, host("mx.example.org"), verified));
                assertEquals(TlsResult.VALIDATION_FAILURE, failure.result());
                assertTrue(failure.getMessage().startsWith("TLS failed: "), failure::getMessage);
                assertTrue(plain.isClosed());
            }
        }
    }

    @Test
    void hasNoPatienceWithSilence() throws Exception {
        tls = new ClientTls(authorities, Duration.ofMillis(200));
        try (ServerSocket listening = listening();
                Socket plain = connect(listening)) {
            assertThrows(
                    TlsFailure.class, () -> tls.secure(plain, host("mx.example.org"), verified));
            assertTrue(plain.isClosed());
        }
    }

    @Test
    void hasNoPatienceWithAnOctetNowAndThen() throws Exception {
        tls = new ClientTls(authorities, Duration.ofMillis(1_500));
        CountDownLatch over = new CountDownLatch(1);
        try (ServerSocket listening = listening();
                Socket plain = connect(listening);
                Socket accepted = listening.accept()) {
            accepted.getOutputStream().write(new byte[] {0x16, 3, 3, 0x40, 0});
            Thread dripping =
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try {
                                            while (!over.await(50, TimeUnit.MILLISECONDS)) {
                                                accepted.getOutputStream().write(0);
                                            }
                                        } catch (IOException | InterruptedException e) {
                                            // the client has gone
                                        }
                                    });
            TlsFailure failure =
                    assertThrows(
                            TlsFailure.class,
                            () -> tls.secure(plain, host("mx.example.org"), verified));
            assertTrue(failure.getMessage().contains("not done in 1 s"), failure::getMessage);
            over.countDown();
            dripping.join();
        }
    }

    @Test
    void knowsTheAuthoritiesOfTheRuntimeAndOfAFile() throws Exception {
        X509ExtendedTrustManager known = ClientTls.authorities(Optional.empty());
        assertTrue(known.getAcceptedIssuers().length > 50);
        assertEquals(
                known.getAcceptedIssuers().length + 1, authorities.getAcceptedIssuers().length);
        Path none = folder.resolve("none.pem");
        Files.writeString(none, "");
        Path broken = folder.resolve("broken.pem");
        Files.writeString(broken, ROOT.pem().replace("M", "N"));
        for (Path file : List.of(none, broken, folder.resolve("missing.pem"))) {
            IOException trouble =
                    assertThrows(IOException.class, () -> ClientTls.authorities(Optional.of(file)));
            assertTrue(
                    trouble.getMessage().contains(file.getFileName().toString()),
                    trouble::getMessage);
        }
    }

    private static ServerSocket listening() throws IOException {
        return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }

    private static Socket connect(ServerSocket listening) throws IOException {
        return new Socket(listening.getInetAddress(), listening.getLocalPort());
    }
}
