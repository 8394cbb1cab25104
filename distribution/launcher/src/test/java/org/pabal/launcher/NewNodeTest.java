package org.pabal.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

class NewNodeTest {

    private static final NodeSettings SETTINGS =
            new NodeSettings("mail.example.org", "example.org", Optional.of("192.0.2.1"), 1000);

    @TempDir Path directory;

    @Test
    void everythingIsForTheOwnerAlone() throws Exception {
        // Security row S29.
        NodeDirectory node = make();
        try (Stream<Path> files = Files.walk(node.home())) {
            for (Path file : files.toList()) {
                String expected = Files.isDirectory(file) ? "rwx------" : "rw-------";
                assertEquals(
                        expected,
                        PosixFilePermissions.toString(Files.getPosixFilePermissions(file)),
                        file.toString());
            }
        }
    }

    @Test
    void everyListenerHasItsStandardPortPlusOffset() throws Exception {
        NodeDirectory node = make();
        assertEquals(
                Set.of(
                        "smtp",
                        "submission",
                        "submissions",
                        "pop3",
                        "pop3s",
                        "dns",
                        "dns-tls",
                        "resolver"),
                node.listeners());
        assertTrue(
                listener(node, "smtp")
                        .contains(
                                "address = 192.0.2.1\n"
                                        + "port = 1025\n"
                                        + "protocol = smtp\n"
                                        + "tls = starttls\n"));
        assertTrue(
                listener(node, "submissions")
                        .contains("port = 1465\nprotocol = submission\ntls = implicit\n"));
        assertTrue(
                listener(node, "pop3s").contains("port = 1995\nprotocol = pop3\ntls = implicit\n"));
        assertTrue(
                listener(node, "dns")
                        .contains("port = 1053\nprotocol = dns\ntls = none\ntransport = both\n"));
        assertTrue(listener(node, "dns").contains("crowded-patience = 2 s\n"));
        assertTrue(
                listener(node, "dns-tls")
                        .contains(
                                "port = 1853\nprotocol = dns\ntls = implicit\n"
                                        + "certificate = etc/tls/node.crt\n"));
    }

    @Test
    void theResolverIsOnLoopbackBesideTheZonesOrAtTheirPortWhereTheyAreElsewhere()
            throws Exception {
        assertResolver(Optional.of("192.0.2.1"), "address = 127.0.0.1\nport = 1053\n");
        assertResolver(Optional.empty(), "address = 127.0.0.1\nport = 1053\n");
        assertResolver(Optional.of("0.0.0.0"), "address = 127.0.0.1\nport = 1053\n");
        assertResolver(Optional.of("127.0.0.1"), "address = 127.0.0.1\nport = 1054\n");
        assertResolver(Optional.of("127.1.2.3"), "address = 127.1.2.3\nport = 1054\n");
        assertResolver(Optional.of("::1"), "address = ::1\nport = 1054\n");
    }

    private void assertResolver(Optional<String> address, String expected) throws Exception {
        NodeDirectory node =
                NodeDirectory.of(directory.resolve("at " + address.orElse("all")).toString());
        NewNode.make(
                node,
                new NodeSettings("mail.example.org", "example.org", address, 1000),
                List.of());
        String listener = listener(node, "resolver");
        assertTrue(
                listener.contains(expected + "protocol = resolver\ntls = none\ntransport = both\n"),
                listener);
        assertTrue(Files.exists(node.etc().resolve("org.pabal.dns.recursive.cfg")));
    }

    @Test
    void theCertificateNamesHostAndDomainAndFitsItsKey() throws Exception {
        NodeDirectory node = make();
        X509Certificate certificate;
        try (InputStream input = Files.newInputStream(node.tls().resolve("node.crt"))) {
            certificate =
                    (X509Certificate)
                            CertificateFactory.getInstance("X.509").generateCertificate(input);
        }
        assertEquals(
                List.of("mail.example.org", "example.org", "192.0.2.1"),
                certificate.getSubjectAlternativeNames().stream().map(n -> n.get(1)).toList());
        String pem = Files.readString(node.tls().resolve("node.key"));
        byte[] octets = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        PrivateKey key =
                KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(octets));
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(key);
        signature.update(octets);
        byte[] signed = signature.sign();
        signature.initVerify(certificate);
        signature.update(octets);
        assertTrue(signature.verify(signed));
    }

    @Test
    void theZoneHasWhatMailNeeds() throws Exception {
        String zone = Files.readString(make().zones().resolve("example.org.zone"));
        for (String record :
                List.of(
                        "@ NS mail.example.org.",
                        "@ MX 10 mail.example.org.",
                        "@ A 192.0.2.1",
                        "mail.example.org. A 192.0.2.1")) {
            assertTrue(zone.contains("\n" + record + "\n"), record);
        }
    }

    @Test
    void theSettingsAreReadAsTheyWereWritten() throws Exception {
        assertEquals(SETTINGS, NodeSettings.read(make()));
    }

    @Test
    void noNodeIsMadeOverAnother() throws Exception {
        make();
        assertTrue(
                assertThrows(Trouble.class, this::make)
                        .getMessage()
                        .contains("there is a node here already"));
    }

    private NodeDirectory make() throws Trouble {
        NodeDirectory node = NodeDirectory.of(directory.resolve("node").toString());
        NewNode.make(node, SETTINGS, List.of("domain:add example.org"));
        return node;
    }

    private static String listener(NodeDirectory node, String name) throws Exception {
        return Files.readString(node.home().resolve(NodeDirectory.listenerFile(name)));
    }
}
