package org.pabal.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.transport.ListenerSettings.KeyFiles;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.cert.X509Certificate;
import java.util.Optional;

@Timeout(60)
class CredentialsTest {

    @TempDir private Path folder;

    private long modified = 1_700_000_000_000L;

    private KeyFiles put(String kind) throws IOException {
        KeyFiles files = new KeyFiles(folder.resolve("certificate.pem"), folder.resolve("key.pem"));
        for (Path file : new Path[] {files.certificate(), files.key()}) {
            Path fresh = folder.resolve("fresh");
            Files.copy(
                    Given.TLS.resolve(kind).resolve(file.getFileName()),
                    fresh,
                    StandardCopyOption.REPLACE_EXISTING);
            Files.setLastModifiedTime(fresh, FileTime.fromMillis(modified += 1_000));
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        }
        return files;
    }

    private static String subject(InetSocketAddress server) throws IOException {
        try (Client client = new Client(server)) {
            X509Certificate shown =
                    (X509Certificate) client.secure().getSession().getPeerCertificates()[0];
            assertEquals("hello", client.line());
            return shown.getSubjectX500Principal().getName();
        }
    }

    // S31: reload while running; a broken file keeps the one before
    @Test
    void showsTheNewCertificateOnceTheFilesHaveChanged() throws IOException {
        KeyFiles files = put("ec");
        ListenerSettings settings =
                Given.settings(
                        "tls",
                        "implicit",
                        "certificate",
                        files.certificate().toString(),
                        "key",
                        files.key().toString());
        try (StreamListener listener =
                new StreamListener(settings, Optional.of(new Credentials(files, 0)))) {
            StreamTenant tenant = listener.add(1, new LineEcho(), Optional.empty());
            assertEquals("CN=ec.example.org", subject(listener.address()));
            put("rsa");
            assertEquals("CN=rsa.example.org", subject(listener.address()));
            Files.writeString(
                    files.certificate(),
                    "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n");
            assertEquals("CN=rsa.example.org", subject(listener.address()));
            Files.delete(files.key());
            assertEquals("CN=rsa.example.org", subject(listener.address()));
            put("ed25519");
            assertEquals("CN=ed25519.example.org", subject(listener.address()));
            listener.remove(tenant);
        }
    }

    // S31: session cache bounded
    @Test
    void remembersABoundedNumberOfSessions() throws IOException {
        assertTrue(new Credentials(put("ec")).sessionCacheSize() <= 2_000);
    }

    @Test
    void refusesAKeyOfAnotherCertificate() throws IOException {
        put("ec");
        Files.copy(
                Given.TLS.resolve("rsa/certificate.pem"),
                folder.resolve("certificate.pem"),
                StandardCopyOption.REPLACE_EXISTING);
        KeyFiles mixed = new KeyFiles(folder.resolve("certificate.pem"), folder.resolve("key.pem"));
        assertThrows(IOException.class, () -> new Credentials(mixed));
    }

    @Test
    void saysHowToConvertAnOldFormOfKey() throws IOException {
        KeyFiles files = put("ec");
        Files.writeString(
                files.key(),
                "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----\n");
        IOException refused = assertThrows(IOException.class, () -> new Credentials(files));
        assertTrue(refused.getMessage().contains("openssl pkcs8 -topk8"), refused.getMessage());
    }

    @Test
    void saysWhatIsMissing() throws IOException {
        KeyFiles files = put("ec");
        Files.delete(files.certificate());
        assertThrows(NoSuchFileException.class, () -> new Credentials(files));
    }
}
