package org.pabal.dnssec;

import org.pabal.dns.ZoneKey;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.Name;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;

/// Makes keys.
public final class KeyMaking {

    private static final int ZONE_KEY = 256; // RFC 4034 §2.1.1
    private static final int KEY_SIGNING_KEY = 257;
    private static final int RSA_BITS = 2048; // RFC 8624 §3.1, RFC 6781 §3.4.2

    private KeyMaking() {}

    /// A key for a zone.
    ///
    /// @param others whose tags the new one may not have, so that a tag names one key
    /// @param algorithm 8, 13 or 15
    public static ZoneKey make(
            Name origin,
            Collection<ZoneKey> others,
            boolean signsKeys,
            int algorithm,
            Duration ttl,
            Instant now) {
        while (true) {
            ZoneKey key = make(origin, signsKeys, algorithm, ttl, now);
            if (others.stream().noneMatch(other -> other.tag() == key.tag())) {
                return key;
            }
        }
    }

    private static ZoneKey make(
            Name origin, boolean signsKeys, int algorithm, Duration ttl, Instant now) {
        try {
            KeyPair pair = pair(algorithm);
            return new ZoneKey(
                    new DNSKEYRecord(
                            origin,
                            DClass.IN,
                            ttl.toSeconds(),
                            signsKeys ? KEY_SIGNING_KEY : ZONE_KEY,
                            DNSKEYRecord.Protocol.DNSSEC,
                            algorithm,
                            pair.getPublic()),
                    pair.getPrivate(),
                    now);
        } catch (GeneralSecurityException | DNSSEC.DNSSECException e) {
            throw new IllegalStateException(
                    "zone " + origin + ": no key of algorithm " + algorithm + " can be made", e);
        }
    }

    private static KeyPair pair(int algorithm) throws GeneralSecurityException {
        KeyPairGenerator generator;
        switch (algorithm) {
            case DNSSEC.Algorithm.RSASHA256 -> {
                generator = KeyPairGenerator.getInstance("RSA");
                generator.initialize(RSA_BITS);
            }
            case DNSSEC.Algorithm.ECDSAP256SHA256 -> {
                generator = KeyPairGenerator.getInstance("EC");
                generator.initialize(new ECGenParameterSpec("secp256r1"));
            }
            case DNSSEC.Algorithm.ED25519 -> generator = KeyPairGenerator.getInstance("Ed25519");
            default ->
                    throw new IllegalArgumentException(
                            "algorithm " + algorithm + ": expected 8, 13 or 15");
        }
        return generator.generateKeyPair();
    }
}
