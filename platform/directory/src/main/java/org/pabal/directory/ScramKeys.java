package org.pabal.directory;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// What a server keeps to check a SCRAM proof, RFC 5802 §3: it gives away neither the password nor
/// a way to sign in.
///
/// @param salt at least 16 octets
/// @param iterations at least 4,096
/// @param storedKey as long as the hash
/// @param serverKey as long as the hash
public record ScramKeys(byte[] salt, int iterations, byte[] storedKey, byte[] serverKey) {

    /// The hashes that [Sasl] offers, strongest first.
    public static final List<String> HASHES = List.of("SHA-256", "SHA-1");

    /// How often a store hashes a new password. RFC 7677 §4 asks for at least 4,096; every sign-in
    /// costs the client as much.
    public static final int ITERATIONS = 10_000;

    /// Makes the keys for a password, RFC 5802 §3. Costs `iterations` hashes.
    ///
    /// @param password prepared by [Precis#password]
    /// @param hash one of [#HASHES]
    /// @param salt 16 random octets
    public static ScramKeys of(char[] password, String hash, byte[] salt, int iterations) {
        if (!HASHES.contains(hash) || iterations < 1) {
            throw new IllegalArgumentException(
                    "SCRAM keys: hash " + hash + ", iterations " + iterations + ": no such thing");
        }
        ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(password));
        byte[] octets = new byte[encoded.remaining()];
        encoded.get(octets);
        Arrays.fill(encoded.array(), (byte) 0);
        byte[] salted = salted(octets, hash, salt, iterations);
        Arrays.fill(octets, (byte) 0);
        byte[] clientKey = hmac(hash, salted, "Client Key".getBytes(StandardCharsets.US_ASCII));
        byte[] serverKey = hmac(hash, salted, "Server Key".getBytes(StandardCharsets.US_ASCII));
        Arrays.fill(salted, (byte) 0);
        return new ScramKeys(salt.clone(), iterations, digest(hash, clientKey), serverKey);
    }

    @Override
    public String toString() {
        return "ScramKeys[iterations=" + iterations + "]";
    }

    /// Hi(), RFC 5802 §2.2.
    static byte[] salted(byte[] password, String hash, byte[] salt, int iterations) {
        Mac mac = mac(hash, password.length == 0 ? new byte[1] : password);
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

    static byte[] hmac(String hash, byte[] key, byte[] text) {
        return mac(hash, key).doFinal(text);
    }

    static byte[] digest(String hash, byte[] octets) {
        try {
            return MessageDigest.getInstance(hash).digest(octets);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no " + hash, e);
        }
    }

    private static Mac mac(String hash, byte[] key) {
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
