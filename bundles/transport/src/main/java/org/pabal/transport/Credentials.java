package org.pabal.transport;

import org.pabal.transport.ListenerSettings.KeyFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;

/// A listener's certificate and key, read anew when the files have changed, so that a renewed
/// certificate needs no restart.
final class Credentials {

    private static final Logger LOG = LoggerFactory.getLogger(Credentials.class);
    private static final Pattern KEY =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]*)-----END PRIVATE KEY-----");
    private static final int SESSIONS = 2_000;
    private static final long LOOK_EVERY = TimeUnit.SECONDS.toNanos(1);

    /// What tells one version of the two files from the next.
    private record Version(FileTime certificate, long certificateSize, FileTime key, long keySize) {

        static Version of(KeyFiles files) throws IOException {
            return new Version(
                    Files.getLastModifiedTime(files.certificate()),
                    Files.size(files.certificate()),
                    Files.getLastModifiedTime(files.key()),
                    Files.size(files.key()));
        }
    }

    private final KeyFiles files;
    private final long lookEvery;
    private final ReentrantLock looking = new ReentrantLock();
    private volatile SSLContext context;
    private Version version; // guarded by looking
    private volatile long looked;

    /// @throws IOException when the files cannot be used; the message says what was expected
    Credentials(KeyFiles files) throws IOException {
        this(files, LOOK_EVERY);
    }

    /// @param lookEvery how often at most the files are looked at, in nanoseconds
    Credentials(KeyFiles files, long lookEvery) throws IOException {
        this.files = files;
        this.lookEvery = lookEvery;
        version = Version.of(files);
        context = load(files);
        looked = System.nanoTime();
    }

    /// The server side of a new TLS connection.
    SSLEngine engine() {
        lookAgain();
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setEnabledProtocols(new String[] {"TLSv1.3", "TLSv1.2"}); // RFC 8996: nothing older
        return engine;
    }

    /// How many TLS 1.2 sessions are remembered at most; those of TLS 1.3 are kept by the clients
    /// (RFC 8446 §4.6.1).
    int sessionCacheSize() {
        return context.getServerSessionContext().getSessionCacheSize();
    }

    private void lookAgain() {
        if (System.nanoTime() - looked < lookEvery || !looking.tryLock()) {
            return;
        }
        try {
            looked = System.nanoTime();
            Version now = Version.of(files);
            if (!now.equals(version)) {
                version = now;
                context = load(files);
                LOG.info("read the new certificate {}", files.certificate());
            }
        } catch (IOException e) {
            LOG.error("the certificate stays the one before: {}", e.getMessage());
        } finally {
            looking.unlock();
        }
    }

    private static SSLContext load(KeyFiles files) throws IOException {
        try {
            X509Certificate[] chain = chain(files.certificate());
            PrivateKey key = key(files.key(), chain[0].getPublicKey().getAlgorithm());
            if (!belong(chain[0], key)) {
                throw new IOException(files.key() + " is not the key of " + files.certificate());
            }
            SSLContext context = SSLContext.getInstance("TLS");
            // No client certificate is ever asked for, so nobody is trusted and no list of
            // authorities is read.
            context.init(new KeyManager[] {new OneKey(key, chain)}, new TrustManager[0], null);
            context.getServerSessionContext().setSessionCacheSize(SESSIONS);
            context.getServerSessionContext().setSessionTimeout((int) TimeUnit.HOURS.toSeconds(1));
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException(
                    files.certificate()
                            + " and "
                            + files.key()
                            + " cannot be used: "
                            + e.getMessage(),
                    e);
        }
    }

    private static X509Certificate[] chain(Path file) throws IOException {
        try {
            X509Certificate[] chain =
                    CertificateFactory.getInstance("X.509")
                            .generateCertificates(
                                    new ByteArrayInputStream(Files.readAllBytes(file)))
                            .stream()
                            .map(X509Certificate.class::cast)
                            .toArray(X509Certificate[]::new);
            if (chain.length > 0) {
                return chain;
            }
            throw new IOException(
                    file
                            + ": expected certificates in PEM, -----BEGIN CERTIFICATE-----, found"
                            + " none");
        } catch (GeneralSecurityException e) {
            throw new IOException(
                    file
                            + ": expected certificates in PEM, -----BEGIN CERTIFICATE-----: "
                            + e.getMessage(),
                    e);
        }
    }

    private static PrivateKey key(Path file, String algorithm)
            throws IOException, GeneralSecurityException {
        Matcher pem = KEY.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
        if (!pem.find()) {
            throw new IOException(
                    file
                            + ": expected an unencrypted key in PKCS#8, -----BEGIN PRIVATE"
                            + " KEY-----; make one of another form with: openssl pkcs8 -topk8"
                            + " -nocrypt -in old.pem -out key.pem");
        }
        try {
            byte[] der = Base64.getMimeDecoder().decode(pem.group(1));
            return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": the Base64 between its lines is broken", e);
        }
    }

    private static boolean belong(Certificate certificate, PrivateKey key)
            throws GeneralSecurityException {
        byte[] probe = "pabal".getBytes(StandardCharsets.US_ASCII);
        Signature signature =
                Signature.getInstance(
                        switch (key.getAlgorithm()) {
                            case "RSA" -> "SHA256withRSA";
                            case "EC" -> "SHA256withECDSA";
                            default -> key.getAlgorithm();
                        });
        signature.initSign(key);
        signature.update(probe);
        byte[] signed = signature.sign();
        signature.initVerify(certificate.getPublicKey());
        signature.update(probe);
        return signature.verify(signed);
    }
}
