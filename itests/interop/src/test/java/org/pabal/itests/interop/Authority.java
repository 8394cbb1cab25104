package org.pabal.itests.interop;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/// An authority of a test's own that gives certificates to hosts, by `openssl`.
final class Authority {

    private static final String PASSWORD = "pabal";

    private final Path folder;

    Authority(Path folder) throws Exception {
        this.folder = Files.createDirectories(folder);
        request("authority", List.of("-subj", "/CN=Authority of a laboratory"));
    }

    /// Its own certificate, as `trusted-certificates` wants it.
    Path certificate() {
        return folder.resolve("authority.pem");
    }

    /// A certificate for these hosts, and its key.
    Issued issue(String name, String... hosts) throws Exception {
        request(
                name,
                List.of(
                        "-CA",
                        "authority.pem",
                        "-CAkey",
                        "authority.key",
                        "-subj",
                        "/CN=" + name,
                        "-addext",
                        "subjectAltName="
                                + Arrays.stream(hosts)
                                        .map(host -> "DNS:" + host)
                                        .collect(Collectors.joining(","))));
        openssl(
                List.of(
                        "pkcs12",
                        "-export",
                        "-inkey",
                        name + ".key",
                        "-in",
                        name + ".pem",
                        "-certfile",
                        "authority.pem",
                        "-passout",
                        "pass:" + PASSWORD,
                        "-out",
                        name + ".p12"));
        Files.writeString(
                folder.resolve(name + ".chain"),
                Files.readString(folder.resolve(name + ".key"))
                        + Files.readString(folder.resolve(name + ".pem")));
        return new Issued(folder, name);
    }

    private void request(String name, List<String> more) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:prime256v1",
                                "-nodes",
                                "-days",
                                "9",
                                "-keyout",
                                name + ".key",
                                "-out",
                                name + ".pem"));
        command.addAll(more);
        openssl(command);
    }

    private void openssl(List<String> arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("openssl"));
        command.addAll(arguments);
        Tool.Result result = Tool.run(folder, Map.of(), command);
        if (result.exit() != 0) {
            throw new IOException(String.join(" ", command) + ": " + result.output());
        }
    }

    /// A host's certificate.
    record Issued(Path folder, String name) {

        /// The key and the certificate in one file, as Postfix wants them.
        Path chain() {
            return folder.resolve(name + ".chain");
        }

        /// The data of a TLSA record that fits: whatever authority says, it is this key.
        String tlsa() throws IOException, GeneralSecurityException {
            try (InputStream in = Files.newInputStream(folder.resolve(name + ".pem"))) {
                byte[] key =
                        CertificateFactory.getInstance("X.509")
                                .generateCertificate(in)
                                .getPublicKey()
                                .getEncoded();
                return "3 1 1 "
                        + HexFormat.of()
                                .formatHex(MessageDigest.getInstance("SHA-256").digest(key));
            }
        }

        /// For a server in Java.
        SSLContext context() throws IOException, GeneralSecurityException {
            KeyStore store =
                    KeyStore.getInstance(
                            folder.resolve(name + ".p12").toFile(), PASSWORD.toCharArray());
            KeyManagerFactory keys =
                    KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, PASSWORD.toCharArray());
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), null, null);
            return context;
        }
    }
}
