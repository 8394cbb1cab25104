package org.pabal.directory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.directory.SaslExchange.Reason;
import org.pabal.directory.SaslExchange.Step;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;

import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

class SaslOverTlsTest {

    private final SmallDirectory directory = new SmallDirectory();
    private final Sasl sasl =
            new Sasl(
                    directory,
                    new SignInLimits(
                            InstantSource.fixed(Instant.parse("2026-11-22T12:00:00Z")),
                            new byte[16]));
    private final InetAddress from = InetAddress.getLoopbackAddress();

    private record Ends(SSLSession server, SSLSession client) {}

    SaslOverTlsTest() {
        directory.passwords.put("user", "pencil");
    }

    @ParameterizedTest
    @CsvSource({
        "TLSv1.3, tls-exporter, rsa", "TLSv1.2, tls-exporter, rsa",
        "TLSv1.3, tls-server-end-point, rsa", "TLSv1.3, tls-server-end-point, pss",
        "TLSv1.3, tls-server-end-point, ec", "TLSv1.3, tls-exporter, ed"
    })
    void bindsToTheChannel(String version, String binding, String certificate) throws Exception {
        Ends ends = connect(version, certificate);
        assertEquals(
                List.of(
                        "SCRAM-SHA-256-PLUS",
                        "SCRAM-SHA-1-PLUS",
                        "SCRAM-SHA-256",
                        "SCRAM-SHA-1",
                        "PLAIN",
                        "LOGIN"),
                sasl.mechanisms(Optional.of(ends.server())));
        for (String hash : ScramKeys.HASHES) {
            Step step =
                    client(hash, binding, ends.client())
                            .play(begin("SCRAM-" + hash + "-PLUS", ends));
            assertEquals(
                    "user@example.org",
                    assertInstanceOf(Step.Success.class, step).account().toString());
        }
    }

    @ParameterizedTest
    @CsvSource({"tls-exporter", "tls-server-end-point"})
    void refusesWhoeverIsBoundToAnotherChannel(String binding) throws Exception {
        // S20: somebody in the middle has one connection with the client and another with us
        Ends ours = connect("TLSv1.3", "rsa");
        Ends theirs = connect("TLSv1.3", "ec");
        Step step =
                client("SHA-256", binding, theirs.client()).play(begin("SCRAM-SHA-256-PLUS", ours));
        assertEquals(Reason.REJECTED, assertInstanceOf(Step.Failure.class, step).why());
    }

    @Test
    void noticesThatTheBoundMechanismsWereStruckOut() throws Exception {
        // S20: downgrade. RFC 5802 §6: the client could bind and was not told that we can
        Ends ends = connect("TLSv1.3", "rsa");
        Step step =
                new ScramClient("SHA-256", "y,,", "user", "pencil")
                        .play(begin("SCRAM-SHA-256", ends));
        assertEquals(Reason.MALFORMED, assertInstanceOf(Step.Failure.class, step).why());
        step =
                new ScramClient("SHA-256", "y,,", "user", "pencil")
                        .play(sasl.begin("SCRAM-SHA-256", from, Optional.empty()).orElseThrow());
        assertInstanceOf(Step.Success.class, step);
        step =
                new ScramClient("SHA-256", "n,,", "user", "pencil")
                        .play(begin("SCRAM-SHA-256", ends));
        assertInstanceOf(Step.Success.class, step);
    }

    @ParameterizedTest
    @CsvSource({
        "SCRAM-SHA-256-PLUS, 'n,,'",
        "SCRAM-SHA-256-PLUS, 'y,,'",
        "SCRAM-SHA-256-PLUS, 'p=tls-unique,,'",
        "SCRAM-SHA-256, 'p=tls-exporter,,'"
    })
    void refusesABindingThatDoesNotGoWithTheMechanism(String mechanism, String header)
            throws Exception {
        Step step =
                new ScramClient("SHA-256", header, "user", "pencil")
                        .play(begin(mechanism, connect("TLSv1.3", "rsa")));
        assertEquals(Reason.MALFORMED, assertInstanceOf(Step.Failure.class, step).why());
    }

    @Test
    void hasNoEndPointBindingForACertificateWithoutAHash() throws Exception {
        assertEquals(
                Set.of("tls-exporter"),
                ChannelBindings.of(Optional.of(connect("TLSv1.3", "ed").server())).keySet());
        assertTrue(
                ChannelBindings.of(Optional.of(connect("TLSv1.3", "ec").server()))
                                .get("tls-server-end-point")
                                .length
                        == 48);
        assertFalse(ChannelBindings.of(Optional.empty()).containsKey("tls-exporter"));
    }

    private SaslExchange begin(String mechanism, Ends ends) {
        return sasl.begin(mechanism, from, Optional.of(ends.server())).orElseThrow();
    }

    private static ScramClient client(String hash, String binding, SSLSession session)
            throws Exception {
        ScramClient client = new ScramClient(hash, "p=" + binding + ",,", "user", "pencil");
        ByteArrayOutputStream channel = new ByteArrayOutputStream();
        channel.writeBytes(("p=" + binding + ",,").getBytes(UTF_8));
        if (binding.equals("tls-exporter")) {
            channel.writeBytes(
                    ((ExtendedSSLSession) session)
                            .exportKeyingMaterialData("EXPORTER-Channel-Binding", null, 32));
        } else {
            X509Certificate certificate = (X509Certificate) session.getPeerCertificates()[0];
            String hashOfCertificate =
                    certificate.getSigAlgName().startsWith("SHA384") ? "SHA-384" : "SHA-256";
            if (certificate.getSigAlgName().equals("RSASSA-PSS")) {
                hashOfCertificate =
                        "SHA-384".regionMatches(0, pssHash(certificate), 0, 7)
                                ? "SHA-384"
                                : "SHA-256";
            }
            channel.writeBytes(ScramKeys.digest(hashOfCertificate, certificate.getEncoded()));
        }
        client.channel = channel.toByteArray();
        return client;
    }

    private static String pssHash(X509Certificate certificate) throws Exception {
        var parameters = java.security.AlgorithmParameters.getInstance("RSASSA-PSS");
        parameters.init(certificate.getSigAlgParams());
        return parameters
                .getParameterSpec(java.security.spec.PSSParameterSpec.class)
                .getDigestAlgorithm();
    }

    private static Ends connect(String version, String certificate) throws Exception {
        SSLContext context = context(certificate);
        try (SSLServerSocket listener =
                        (SSLServerSocket)
                                context.getServerSocketFactory()
                                        .createServerSocket(
                                                0, 1, InetAddress.getLoopbackAddress());
                SSLSocket client =
                        (SSLSocket)
                                context.getSocketFactory()
                                        .createSocket(
                                                listener.getInetAddress(),
                                                listener.getLocalPort())) {
            client.setEnabledProtocols(new String[] {version});
            Thread handshake =
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try {
                                            client.startHandshake();
                                            client.getInputStream().read();
                                        } catch (IOException e) {
                                            throw new java.io.UncheckedIOException(e);
                                        }
                                    });
            try (SSLSocket server = (SSLSocket) listener.accept()) {
                server.startHandshake();
                server.getOutputStream().write(1);
                handshake.join();
                return new Ends(server.getSession(), client.getSession());
            }
        }
    }

    private static SSLContext context(String name) throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream file = SaslOverTlsTest.class.getResourceAsStream("/" + name + ".p12")) {
            keys.load(file, "example".toCharArray());
        }
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(keys, "example".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(factory.getKeyManagers(), new TrustManager[] {new TrustsAll()}, null);
        return context;
    }

    private static final class TrustsAll implements X509TrustManager {

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
