package org.pabal.delivery;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/// A certificate made for a test, with its key. Java makes none but with `keytool`, which takes a
/// second for each: so the octets of RFC 5280 §4.1 are put together here.
record Minted(X509Certificate certificate, KeyPair keys) {

    static Recipe of(String commonName) {
        return new Recipe(commonName);
    }

    byte[] octets() {
        try {
            return certificate.getEncoded();
        } catch (CertificateEncodingException e) {
            throw new AssertionError(e);
        }
    }

    byte[] key() {
        return keys.getPublic().getEncoded();
    }

    String pem() {
        return "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder().encodeToString(octets())
                + "\n-----END CERTIFICATE-----\n";
    }

    static final class Recipe {

        private static final byte[] ECDSA_WITH_SHA256 =
                der(0x30, oid(0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02));
        private static final DateTimeFormatter TIME =
                DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);
        private static int serial = 1;

        private final String commonName;
        private final List<byte[]> names = new ArrayList<>();
        private final List<byte[]> extensions = new ArrayList<>();
        private Instant from = Instant.now().minus(Duration.ofDays(2));
        private Instant until = Instant.now().plus(Duration.ofDays(2));
        private Optional<Minted> issuer = Optional.empty();

        private Recipe(String commonName) {
            this.commonName = commonName;
        }

        /// Host names, or addresses in brackets.
        Recipe named(String... hosts) {
            for (String host : hosts) {
                names.add(
                        host.startsWith("[")
                                ? der(
                                        0x87,
                                        InetAddress.ofLiteral(host.substring(1, host.length() - 1))
                                                .getAddress())
                                : der(0x82, host.getBytes(StandardCharsets.US_ASCII)));
            }
            return this;
        }

        Recipe authority() {
            extensions.add(extension(0x13, true, der(0x30, der(0x01, new byte[] {-1}))));
            return this;
        }

        /// @param purpose 1 for servers, 2 for clients
        Recipe onlyFor(int purpose) {
            byte[] usage = oid(0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, purpose);
            extensions.add(extension(0x25, true, der(0x30, usage)));
            return this;
        }

        Recipe expired() {
            until = Instant.now().minus(Duration.ofDays(1));
            return this;
        }

        Recipe notYetValid() {
            from = Instant.now().plus(Duration.ofDays(1));
            return this;
        }

        Recipe by(Minted authority) {
            issuer = Optional.of(authority);
            return this;
        }

        Minted mint() {
            try {
                KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
                generator.initialize(new ECGenParameterSpec("secp256r1"));
                KeyPair keys = generator.generateKeyPair();
                byte[] body = body(keys);
                Signature signature = Signature.getInstance("SHA256withECDSA");
                signature.initSign(issuer.map(Minted::keys).orElse(keys).getPrivate());
                signature.update(body);
                byte[] signed = join(new byte[1], signature.sign());
                byte[] whole = der(0x30, body, ECDSA_WITH_SHA256, der(0x03, signed));
                return new Minted(
                        (X509Certificate)
                                CertificateFactory.getInstance("X.509")
                                        .generateCertificate(new ByteArrayInputStream(whole)),
                        keys);
            } catch (GeneralSecurityException e) {
                throw new AssertionError(e);
            }
        }

        private byte[] body(KeyPair keys) {
            byte[] subject = name(commonName);
            List<byte[]> all = new ArrayList<>(extensions);
            if (!names.isEmpty()) {
                all.add(extension(0x11, false, der(0x30, names.toArray(byte[][]::new))));
            }
            return der(
                    0x30,
                    der(0xA0, der(0x02, new byte[] {2})),
                    der(0x02, new byte[] {(byte) (serial++ & 0x7F)}),
                    ECDSA_WITH_SHA256,
                    issuer.map(each -> each.certificate().getSubjectX500Principal().getEncoded())
                            .orElse(subject),
                    der(0x30, time(from), time(until)),
                    subject,
                    keys.getPublic().getEncoded(),
                    all.isEmpty() ? new byte[0] : der(0xA3, der(0x30, all.toArray(byte[][]::new))));
        }

        private static byte[] name(String commonName) {
            byte[] text = der(0x0C, commonName.getBytes(StandardCharsets.UTF_8));
            return der(0x30, der(0x31, der(0x30, oid(0x55, 0x04, 0x03), text)));
        }

        private static byte[] time(Instant instant) {
            return der(0x18, TIME.format(instant).getBytes(StandardCharsets.US_ASCII));
        }

        private static byte[] extension(int number, boolean critical, byte[] value) {
            return der(
                    0x30,
                    oid(0x55, 0x1D, number),
                    critical ? der(0x01, new byte[] {-1}) : new byte[0],
                    der(0x04, value));
        }

        private static byte[] oid(int... octets) {
            byte[] all = new byte[octets.length];
            for (int i = 0; i < all.length; i++) {
                all[i] = (byte) octets[i];
            }
            return der(0x06, all);
        }

        private static byte[] der(int tag, byte[]... parts) {
            byte[] content = join(parts);
            int size = content.length;
            byte[] head =
                    size < 0x80
                            ? new byte[] {(byte) tag, (byte) size}
                            : size < 0x100
                                    ? new byte[] {(byte) tag, (byte) 0x81, (byte) size}
                                    : new byte[] {
                                        (byte) tag, (byte) 0x82, (byte) (size >> 8), (byte) size
                                    };
            return join(head, content);
        }

        private static byte[] join(byte[]... parts) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (byte[] part : parts) {
                all.writeBytes(part);
            }
            return all.toByteArray();
        }
    }
}
