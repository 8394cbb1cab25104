package org.pabal.smtp.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Optional;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// SCRAM, RFC 5802 and RFC 7677, without channel binding.
final class ScramClient implements SignIn {

    // RFC 7677 §4: below that a stranger who plays the server learns too much of the password
    private static final int FEWEST_ITERATIONS = 4_096;
    private static final int MOST_ITERATIONS = 1_000_000;
    private static final int MAX_MESSAGE_OCTETS = 2_048;

    private static final String NO_BINDING = "n,,";

    private enum Next {
        FIRST,
        FINAL,
        NOTHING
    }

    private final String hash;
    private final Login login;
    private final String nonce;
    private Next next = Next.FIRST;
    private byte[] expected = {};
    private boolean satisfied;

    /// @param hash `SHA-256` or `SHA-1`
    /// @param nonce new and beyond guessing
    ScramClient(String hash, Login login, String nonce) {
        this.hash = hash;
        this.login = login;
        this.nonce = nonce;
    }

    @Override
    public String mechanism() {
        return "SCRAM-" + hash;
    }

    @Override
    public Optional<byte[]> first() {
        return Optional.of((NO_BINDING + firstBare()).getBytes(UTF_8));
    }

    private String firstBare() {
        String name = login.name().replace("=", "=3D").replace(",", "=2C");
        return "n=" + name + ",r=" + nonce;
    }

    @Override
    public byte[] answer(byte[] challenge) throws IOException {
        if (challenge.length > MAX_MESSAGE_OCTETS) {
            throw broken("a message of " + challenge.length + " octets");
        }
        String said = new String(challenge, UTF_8);
        switch (next) {
            case FIRST -> {
                // some ask for the initial response again
                if (said.isEmpty()) {
                    return first().orElseThrow();
                }
                next = Next.FINAL;
                return proof(said).getBytes(UTF_8);
            }
            case FINAL -> {
                next = Next.NOTHING;
                check(said);
                return new byte[0];
            }
            default -> throw broken("one message too many");
        }
    }

    /// client-final-message.
    private String proof(String serverFirst) throws IOException {
        String[] parts = serverFirst.split(",");
        if (parts.length < 3
                || !parts[0].startsWith("r=" + nonce)
                || parts[0].length() == nonce.length() + 2
                || !parts[1].startsWith("s=")
                || !parts[2].matches("i=[1-9][0-9]{0,8}")) {
            throw broken("its first message is not as RFC 5802 §7 has it");
        }
        int iterations = Integer.parseInt(parts[2].substring(2));
        if (iterations < FEWEST_ITERATIONS || iterations > MOST_ITERATIONS) {
            throw broken(iterations + " iterations");
        }
        byte[] salt = decoded(parts[1].substring(2));
        byte[] salted = salted(SignIn.prepared(login.password()).getBytes(UTF_8), salt, iterations);
        byte[] clientKey = hmac(salted, "Client Key");
        String withoutProof =
                "c="
                        + Base64.getEncoder().encodeToString(NO_BINDING.getBytes(UTF_8))
                        + ","
                        + parts[0];
        String about = firstBare() + "," + serverFirst + "," + withoutProof;
        byte[] signature = hmac(digest(clientKey), about);
        for (int i = 0; i < clientKey.length; i++) {
            clientKey[i] ^= signature[i];
        }
        expected = hmac(hmac(salted, "Server Key"), about);
        return withoutProof + ",p=" + Base64.getEncoder().encodeToString(clientKey);
    }

    /// RFC 5802 §3: a server that does not know our keys cannot sign.
    private void check(String serverFinal) throws IOException {
        String signature = serverFinal.split(",", 2)[0];
        if (!signature.startsWith("v=")
                || !MessageDigest.isEqual(expected, decoded(signature.substring(2)))) {
            throw broken("it does not know the account's keys");
        }
        satisfied = true;
    }

    @Override
    public boolean satisfied() {
        return satisfied;
    }

    private IOException broken(String why) {
        return new IOException(mechanism() + ": the server is not to be trusted: " + why);
    }

    private byte[] decoded(String base64) throws IOException {
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw new IOException(mechanism() + ": the server sent what is not base64", e);
        }
    }

    /// Hi(), RFC 5802 §2.2.
    private byte[] salted(byte[] password, byte[] salt, int iterations) {
        Mac mac = mac(password.length == 0 ? new byte[1] : password);
        mac.update(salt);
        byte[] u = mac.doFinal(new byte[] {0, 0, 0, 1});
        byte[] result = u.clone();
        for (int i = 1; i < iterations; i++) {
            u = mac.doFinal(u);
            for (int j = 0; j < u.length; j++) {
                result[j] ^= u[j];
            }
        }
        return result;
    }

    private byte[] hmac(byte[] key, String text) {
        return mac(key).doFinal(text.getBytes(UTF_8));
    }

    private byte[] digest(byte[] octets) {
        try {
            return MessageDigest.getInstance(hash).digest(octets);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no " + hash, e);
        }
    }

    private Mac mac(byte[] key) {
        try {
            String algorithm = "Hmac" + hash.replace("-", "");
            Mac mac = Mac.getInstance(algorithm);
            mac.init(new SecretKeySpec(key, algorithm));
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no HMAC over " + hash, e);
        }
    }
}
