package org.pabal.storage.file;

import org.pabal.dns.ZoneKey;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.Master;
import org.xbill.DNS.Record;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.EdECPrivateKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPrivateKeySpec;
import java.security.spec.EdECPrivateKeySpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.RSAPrivateCrtKeySpec;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// A key as two texts that BIND, ldns, Knot and others read and write too: the DNSKEY record, and
/// `Private-key-format: v1.3` with the numbers of the private half and the times of the key.
final class ZoneKeyText {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMddHHmmss").withZone(ZoneOffset.UTC);
    private static final int DEFAULT_TTL = 3600;
    private static final int ECDSA_OCTETS = 32; // RFC 6605 §6

    private ZoneKeyText() {}

    /// The `.key` file.
    static String publicText(ZoneKey key) {
        return "; This is a "
                + (key.signsKeys() ? "key" : "zone")
                + "-signing key, keyid "
                + key.tag()
                + ", for "
                + key.origin()
                + "\n"
                + key.origin()
                + " "
                + key.dnskey().getTTL()
                + " IN DNSKEY "
                + key.dnskey().rdataToString()
                + "\n";
    }

    /// The `.private` file.
    static String privateText(ZoneKey key) {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("Private-key-format", "v1.3");
        lines.put(
                "Algorithm",
                key.algorithm() + " (" + DNSSEC.Algorithm.string(key.algorithm()) + ")");
        switch (key.secret()) {
            case RSAPrivateCrtKey rsa -> {
                lines.put("Modulus", number(rsa.getModulus()));
                lines.put("PublicExponent", number(rsa.getPublicExponent()));
                lines.put("PrivateExponent", number(rsa.getPrivateExponent()));
                lines.put("Prime1", number(rsa.getPrimeP()));
                lines.put("Prime2", number(rsa.getPrimeQ()));
                lines.put("Exponent1", number(rsa.getPrimeExponentP()));
                lines.put("Exponent2", number(rsa.getPrimeExponentQ()));
                lines.put("Coefficient", number(rsa.getCrtCoefficient()));
            }
            case ECPrivateKey ec -> {
                byte[] octets = new byte[ECDSA_OCTETS];
                byte[] number = unsigned(ec.getS());
                System.arraycopy(number, 0, octets, octets.length - number.length, number.length);
                lines.put("PrivateKey", Base64.getEncoder().encodeToString(octets));
            }
            case EdECPrivateKey ed ->
                    lines.put(
                            "PrivateKey",
                            Base64.getEncoder().encodeToString(ed.getBytes().orElseThrow()));
            default -> throw new IllegalArgumentException(key + ": cannot be written");
        }
        lines.put("Created", TIME.format(key.created()));
        time(lines, "Publish", key.published());
        time(lines, "Activate", key.active());
        time(lines, "Inactive", key.inactive());
        time(lines, "Delete", key.removal());
        time(lines, "DSPublish", key.seen());
        StringBuilder text = new StringBuilder();
        lines.forEach((name, value) -> text.append(name).append(": ").append(value).append('\n'));
        return text.toString();
    }

    /// @param file to tell of when something is wrong
    /// @throws IOException when this is no key of algorithm 8, 13 or 15; one line
    static ZoneKey read(String publicText, String privateText, String file) throws IOException {
        DNSKEYRecord dnskey = dnskey(publicText, file);
        Map<String, String> lines = new LinkedHashMap<>();
        privateText
                .lines()
                .map(line -> line.split(":", 2))
                .filter(parts -> parts.length == 2)
                .forEach(parts -> lines.put(parts[0].strip(), parts[1].strip()));
        try {
            PrivateKey secret = secret(dnskey.getAlgorithm(), lines);
            return new ZoneKey(
                    dnskey,
                    secret,
                    time(lines, "Created").orElse(Instant.EPOCH),
                    time(lines, "Publish"),
                    time(lines, "Activate"),
                    time(lines, "Inactive"),
                    time(lines, "DSPublish"),
                    time(lines, "Delete"));
        } catch (GeneralSecurityException | IllegalArgumentException | DateTimeException e) {
            // Its message may have parts of the key in it.
            throw new IOException(
                    file
                            + ": no private key that we can read: expected Private-key-format:"
                            + " v1.3 of algorithm 8, 13 or 15, as dnssec-keygen writes it");
        }
    }

    private static DNSKEYRecord dnskey(String text, String file) throws IOException {
        byte[] octets = text.getBytes(StandardCharsets.ISO_8859_1);
        try (Master master = new Master(new ByteArrayInputStream(octets), null, DEFAULT_TTL)) {
            master.disableIncludes(true);
            Record record = master.nextRecord();
            if (record instanceof DNSKEYRecord dnskey) {
                return dnskey;
            }
        } catch (IOException | RuntimeException e) {
            // told below
        }
        throw new IOException(
                file + ": expected a DNSKEY record, for example example.org. IN DNSKEY 257 3 13 …");
    }

    private static PrivateKey secret(int algorithm, Map<String, String> lines)
            throws GeneralSecurityException {
        if (!required(lines, "Algorithm").split(" ")[0].equals("" + algorithm)) {
            throw new IllegalArgumentException("the halves are of different algorithms");
        }
        return switch (algorithm) {
            case DNSSEC.Algorithm.RSASHA256 ->
                    KeyFactory.getInstance("RSA")
                            .generatePrivate(
                                    new RSAPrivateCrtKeySpec(
                                            number(lines, "Modulus"),
                                            number(lines, "PublicExponent"),
                                            number(lines, "PrivateExponent"),
                                            number(lines, "Prime1"),
                                            number(lines, "Prime2"),
                                            number(lines, "Exponent1"),
                                            number(lines, "Exponent2"),
                                            number(lines, "Coefficient")));
            case DNSSEC.Algorithm.ECDSAP256SHA256 -> {
                AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
                curve.init(new ECGenParameterSpec("secp256r1"));
                yield KeyFactory.getInstance("EC")
                        .generatePrivate(
                                new ECPrivateKeySpec(
                                        number(lines, "PrivateKey"),
                                        curve.getParameterSpec(ECParameterSpec.class)));
            }
            case DNSSEC.Algorithm.ED25519 ->
                    KeyFactory.getInstance("Ed25519")
                            .generatePrivate(
                                    new EdECPrivateKeySpec(
                                            NamedParameterSpec.ED25519,
                                            Base64.getDecoder()
                                                    .decode(required(lines, "PrivateKey"))));
            default -> throw new IllegalArgumentException("algorithm " + algorithm);
        };
    }

    private static String required(Map<String, String> lines, String name) {
        return Optional.ofNullable(lines.get(name))
                .orElseThrow(() -> new IllegalArgumentException(name + " is missing"));
    }

    private static BigInteger number(Map<String, String> lines, String name) {
        return new BigInteger(1, Base64.getDecoder().decode(required(lines, name)));
    }

    private static String number(BigInteger number) {
        return Base64.getEncoder().encodeToString(unsigned(number));
    }

    private static byte[] unsigned(BigInteger number) {
        byte[] octets = number.toByteArray();
        return octets.length > 1 && octets[0] == 0
                ? java.util.Arrays.copyOfRange(octets, 1, octets.length)
                : octets;
    }

    private static void time(Map<String, String> lines, String name, Optional<Instant> time) {
        time.ifPresent(at -> lines.put(name, TIME.format(at)));
    }

    private static Optional<Instant> time(Map<String, String> lines, String name) {
        return Optional.ofNullable(lines.get(name))
                .map(text -> LocalDateTime.parse(text, TIME).toInstant(ZoneOffset.UTC));
    }
}
