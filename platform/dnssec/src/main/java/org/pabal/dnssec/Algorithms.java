package org.pabal.dnssec;

import org.xbill.DNS.DNSSEC;

import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;

/// Which algorithms of signatures and digests we can check, RFC 9904 and RFC 9905.
///
/// SHA-1 is among them: zones may not be signed with it any more (RFC 9905 §2), but those that are
/// can still be checked, and would otherwise pass for unsigned.
public final class Algorithms {

    private static final boolean ED448 = here("Ed448");

    private Algorithms() {}

    /// Whether signatures of an algorithm can be checked.
    public static boolean canVerify(int algorithm) {
        return switch (algorithm) {
            case DNSSEC.Algorithm.RSASHA1,
                    DNSSEC.Algorithm.RSA_NSEC3_SHA1,
                    DNSSEC.Algorithm.RSASHA256,
                    DNSSEC.Algorithm.RSASHA512,
                    DNSSEC.Algorithm.ECDSAP256SHA256,
                    DNSSEC.Algorithm.ECDSAP384SHA384,
                    DNSSEC.Algorithm.ED25519 ->
                    true;
            case DNSSEC.Algorithm.ED448 -> ED448;
            default -> false;
        };
    }

    /// Whether the digest of a DS record can be compared.
    public static boolean canDigest(int digest) {
        return digest == DNSSEC.Digest.SHA1
                || digest == DNSSEC.Digest.SHA256
                || digest == DNSSEC.Digest.SHA384;
    }

    private static boolean here(String algorithm) {
        try {
            KeyFactory.getInstance(algorithm);
            return true;
        } catch (NoSuchAlgorithmException e) {
            return false;
        }
    }
}
