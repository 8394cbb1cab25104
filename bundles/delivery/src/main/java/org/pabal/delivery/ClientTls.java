package org.pabal.delivery;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/// Makes TLS of a connection and looks who the other side is, as a [TlsRule] wants it.
///
/// The certificate is judged within the handshake, so that the other side gets an alert and not one
/// octet of mail. Where nobody looks at it (RFC 7435) sessions are resumed, which spares both sides
/// most of the work; where somebody does, each connection proves itself anew.
final class ClientTls {

    private static final String[] VERSIONS = {"TLSv1.3", "TLSv1.2"}; // RFC 8996
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final X509ExtendedTrustManager authorities;
    private final Duration patience;
    private final SSLContext anybody;

    /// @param words for the history: `TLSv1.3, dane`, `TLSv1.3, verified`, `TLSv1.3, not verified`
    /// @param complaint what a rule that is only tested found wrong
    record Secured(SSLSocket socket, String words, Optional<TlsFailure> complaint) {}

    /// @param authorities who may give certificates to hosts that must have one, see
    ///     [#authorities(Optional)]
    ClientTls(X509ExtendedTrustManager authorities) {
        this(authorities, PATIENCE);
    }

    /// @param patience how long a handshake may take, however slowly it drips in
    ClientTls(X509ExtendedTrustManager authorities, Duration patience) {
        this.authorities = authorities;
        this.patience = patience;
        this.anybody = context(new CertificateJudge(new TlsRule.Opportunistic(), authorities));
    }

    /// @throws TlsFailure when the handshake failed, or the rule is not met: the connection is of
    ///     no more use
    Secured secure(Socket plain, MailHost host, TlsRule rule) throws IOException {
        CertificateJudge judge = new CertificateJudge(rule, authorities);
        SSLContext context = judge.indifferent() ? anybody : context(judge);
        SSLSocket socket = handshake(context, plain, host, serverName(host, rule), judge);
        String version = socket.getSession().getProtocol();
        return new Secured(socket, version + ", " + judge.words(), judge.complaint());
    }

    /// The authorities that the Java runtime knows, and those of a file.
    ///
    /// @param pemFile certificates of further authorities, as a laboratory has them; or of servers
    ///     that signed their own
    /// @throws IOException when the file cannot be read or holds none
    static X509ExtendedTrustManager authorities(Optional<Path> pemFile) throws IOException {
        try {
            KeyStore builtIn = null; // what TrustManagerFactory takes for "the runtime's"
            X509ExtendedTrustManager known = trustManager(builtIn);
            if (pemFile.isEmpty()) {
                return known;
            }
            KeyStore all = KeyStore.getInstance(KeyStore.getDefaultType());
            all.load(null, null);
            for (Certificate each : certificates(pemFile.get())) {
                all.setCertificateEntry("own-" + all.size(), each);
            }
            for (X509Certificate each : known.getAcceptedIssuers()) {
                all.setCertificateEntry("known-" + all.size(), each);
            }
            return trustManager(all);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("TLS: " + e.getMessage(), e);
        }
    }

    private static List<Certificate> certificates(Path file) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            List<Certificate> certificates =
                    List.copyOf(CertificateFactory.getInstance("X.509").generateCertificates(in));
            if (certificates.isEmpty()) {
                throw new IOException(file + ": there is no PEM certificate in it");
            }
            return certificates;
        } catch (CertificateException e) {
            throw new IOException(file + ": its PEM certificates cannot be read", e);
        }
    }

    private static X509ExtendedTrustManager trustManager(KeyStore anchors)
            throws GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(anchors);
        return Arrays.stream(factory.getTrustManagers())
                .filter(X509ExtendedTrustManager.class::isInstance)
                .map(X509ExtendedTrustManager.class::cast)
                .findFirst()
                .orElseThrow();
    }

    private SSLSocket handshake(
            SSLContext context, Socket plain, MailHost host, String name, CertificateJudge judge)
            throws IOException {
        int timeout = plain.getSoTimeout();
        int limit = (int) Math.min(Integer.MAX_VALUE, patience.toMillis());
        plain.setSoTimeout(timeout == 0 ? limit : Math.min(timeout, limit));
        AtomicBoolean late = new AtomicBoolean();
        CountDownLatch done = new CountDownLatch(1);
        Thread.ofVirtual().name("TLS patience").start(() -> watch(plain, done, late));
        try {
            SSLSocket socket =
                    (SSLSocket)
                            context.getSocketFactory().createSocket(plain, name, host.port(), true);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setProtocols(VERSIONS);
            sni(name).ifPresent(each -> parameters.setServerNames(List.of(each)));
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            socket.setSoTimeout(timeout);
            return socket;
        } catch (IOException | RuntimeException e) {
            plain.close();
            Throwable why =
                    late.get() ? new SocketException("not done in " + Words.duration(patience)) : e;
            throw judge.refusal()
                    .orElseGet(
                            () ->
                                    new TlsFailure(
                                            TlsResult.VALIDATION_FAILURE,
                                            "TLS failed: " + CertificateNames.innermost(why),
                                            e));
        } finally {
            done.countDown();
        }
    }

    /// A time-out is for each read; who sends an octet now and then needs this one.
    private void watch(Socket plain, CountDownLatch done, AtomicBoolean late) {
        try {
            if (!done.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                late.set(true);
                plain.close();
            }
        } catch (IOException e) {
            // it is closed all the same
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Whom we ask for, RFC 7672 §8.1: the name of the TLSA records; else the host's own.
    private static String serverName(MailHost host, TlsRule rule) {
        return switch (rule) {
            case TlsRule.Dane dane when !dane.names().isEmpty() -> dane.names().getFirst();
            case TlsRule.Verified verified -> verified.name();
            case TlsRule.Tested tested -> tested.name();
            default -> host.name();
        };
    }

    /// RFC 6066 §3: addresses are no server names; neither is what is no host name.
    private static Optional<SNIHostName> sni(String name) {
        if (name.startsWith("[") || HostNames.address(name).isPresent()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new SNIHostName(name));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static SSLContext context(X509ExtendedTrustManager judge) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {judge}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("TLS: " + e.getMessage(), e);
        }
    }
}
