package org.pabal.dns.recursive;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// An IPv6 prefix behind which a translator reaches IPv4 (RFC 6052).
///
/// @param base 16 octets, of which the first are the prefix and the others zero
/// @param bits 32, 40, 48, 56, 64 or 96
record Nat64Prefix(byte[] base, int bits) {

    /// RFC 6052 §2.1
    static final Nat64Prefix WELL_KNOWN = parse("64:ff9b::/96");

    /// Bits 64 to 71 are zero whatever the prefix, RFC 6052 §2.2.
    private static final int RESERVED = 8;

    Nat64Prefix {
        base = base.clone();
    }

    /// `64:ff9b::/96`
    ///
    /// @throws IllegalArgumentException when it is no such prefix
    static Nat64Prefix parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0 || !text.substring(slash + 1).matches("\\d{1,3}")) {
            throw new IllegalArgumentException("no prefix length");
        }
        byte[] base = InetAddress.ofLiteral(text.substring(0, slash)).getAddress();
        int bits = Integer.parseInt(text.substring(slash + 1));
        // RFC 6052 §2.2
        if (base.length != 16 || !List.of(32, 40, 48, 56, 64, 96).contains(bits)) {
            throw new IllegalArgumentException("a length of 32, 40, 48, 56, 64 or 96 bits");
        }
        for (int i = bits / 8; i < 16; i++) {
            if (base[i] != 0) {
                throw new IllegalArgumentException("bits after the prefix");
            }
        }
        if (base[RESERVED] != 0) {
            throw new IllegalArgumentException("bits 64 to 71 have to be zero");
        }
        return new Nat64Prefix(base, bits);
    }

    /// RFC 6052 §2.3
    ///
    /// @param four octets
    byte[] embed(byte[] four) {
        byte[] six = base.clone();
        int at = bits / 8;
        for (byte octet : four) {
            at = at == RESERVED ? at + 1 : at;
            six[at++] = octet;
        }
        return six;
    }

    /// The IPv4 address in an IPv6 address; empty when that has another prefix.
    ///
    /// @param six sixteen octets
    Optional<byte[]> extract(byte[] six) {
        if (six.length != 16 || !Arrays.equals(base, 0, bits / 8, six, 0, bits / 8)) {
            return Optional.empty();
        }
        byte[] four = new byte[4];
        int at = bits / 8;
        for (int i = 0; i < 4; i++) {
            at = at == RESERVED ? at + 1 : at;
            four[i] = six[at++];
        }
        return Optional.of(four);
    }

    /// RFC 6052 §3.1: the well-known prefix is not for addresses that are not global.
    boolean mayEmbed(byte[] four) {
        return !equals(WELL_KNOWN) || !PrivateAddresses.contain(four);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Nat64Prefix(byte[] otherBase, int otherBits)
                && bits == otherBits
                && Arrays.equals(base, otherBase);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(base) * 31 + bits;
    }
}
