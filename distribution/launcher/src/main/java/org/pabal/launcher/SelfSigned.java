package org.pabal.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A certificate to begin with, so that TLS works from the first start. Clients will not trust it:
/// an administrator replaces the two files, and the listeners take the new ones without a restart.
final class SelfSigned {

    private static final Base64.Encoder PEM = Base64.getMimeEncoder(64, new byte[] {'\n'});
    private static final String ALIAS = "node";

    private SelfSigned() {}

    /// Writes `node.crt` and `node.key`.
    static void write(Path directory, NodeSettings settings) throws IOException, Trouble {
        Path store = directory.resolve("node.p12");
        byte[] random = new byte[16];
        new java.security.SecureRandom().nextBytes(random);
        String secret = HexFormat.of().formatHex(random);
        try {
            Files.deleteIfExists(store);
            keytool(store, secret, settings);
            KeyStore keys = KeyStore.getInstance(store.toFile(), secret.toCharArray());
            Key key = keys.getKey(ALIAS, secret.toCharArray());
            NodeDirectory.writePrivate(
                    directory.resolve("node.crt"),
                    pem("CERTIFICATE", keys.getCertificate(ALIAS).getEncoded()));
            NodeDirectory.writePrivate(
                    directory.resolve("node.key"), pem("PRIVATE KEY", key.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new Trouble(directory + ": no certificate could be made: " + Lines.reason(e));
        } finally {
            Files.deleteIfExists(store);
        }
    }

    /// The Java runtime makes certificates in its `keytool` only; calling it spares a library of
    /// our own.
    private static void keytool(Path store, String secret, NodeSettings settings)
            throws IOException, Trouble {
        // RFC 5280 upper bound ub-common-name is 64; who checks the name reads subjectAltName (RFC
        // 9525).
        String commonName = settings.host().length() <= 64 ? settings.host() : "pabal";
        StringBuilder names = new StringBuilder("dns:" + java.net.IDN.toASCII(settings.host()));
        if (!settings.domain().equals(settings.host())) {
            names.append(",dns:").append(java.net.IDN.toASCII(settings.domain()));
        }
        settings.address().ifPresent(a -> names.append(",ip:").append(a));
        ProcessBuilder keytool =
                new ProcessBuilder(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "keytool")
                                        .toString(),
                                "-J-XX:TieredStopAtLevel=1",
                                "-J-XX:+UseSerialGC",
                                "-J-Xshare:auto",
                                "-genkeypair",
                                "-alias",
                                ALIAS,
                                "-keyalg",
                                "EC",
                                "-groupname",
                                "secp256r1",
                                "-sigalg",
                                "SHA256withECDSA",
                                "-validity",
                                "3650",
                                "-dname",
                                "CN=" + commonName,
                                "-ext",
                                "SAN=" + names,
                                "-ext",
                                "EKU=serverAuth",
                                "-storetype",
                                "PKCS12",
                                "-keystore",
                                store.toString(),
                                "-storepass:env",
                                "PABAL_KEY"));
        keytool.environment().put("PABAL_KEY", secret);
        Process process = keytool.redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes()).strip();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new Trouble(
                        "keytool made no certificate for " + names + ": " + Lines.single(said));
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new Trouble("interrupted while the certificate was made");
        }
    }

    private static String pem(String what, byte[] octets) {
        return "-----BEGIN "
                + what
                + "-----\n"
                + PEM.encodeToString(octets)
                + "\n-----END "
                + what
                + "-----\n";
    }
}
