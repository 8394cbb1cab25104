package org.pabal.dns.policy;

import org.xbill.DNS.Name;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;

/// A network that triggers a rule; those of IPv4 are where IPv6 has them (RFC 4291 §2.5.5.2).
///
/// @param high its first 64 bits
/// @param low the others
/// @param length how many of them count
record TriggerNetwork(long high, long low, int length) {

    private static final int V4 = 96;
    private static final long V4_MARK = 0xFFFF_0000_0000L;

    /// So many bits of an address.
    static TriggerNetwork of(InetAddress address, int length) {
        ByteBuffer octets = ByteBuffer.wrap(address.getAddress());
        return octets.remaining() == 4
                ? of(0, V4_MARK | octets.getInt() & 0xFFFF_FFFFL, length)
                : of(octets.getLong(), octets.getLong(), length);
    }

    private static TriggerNetwork of(long high, long low, int length) {
        return new TriggerNetwork(
                length >= 64 ? high : length == 0 ? 0 : high & -1L << 64 - length,
                length <= 64 ? 0 : low & -1L << 128 - length,
                length);
    }

    /// What a name says that is written as policy zones have it: the length, and then the address
    /// backwards, e.g. `24.0.2.0.192` or `48.zz.1.db8.2001` (draft-vixie-dnsop-dns-rpz, IP
    /// address encoding).
    ///
    /// @param labels how many labels of the name are the network
    static Optional<TriggerNetwork> parse(Name name, int labels) {
        if (labels < 3 || labels > 9) {
            return Optional.empty();
        }
        String[] words = new String[labels];
        int zeros = -1;
        for (int i = 0; i < labels; i++) {
            words[i] = name.getLabelString(i);
            if (words[i].equalsIgnoreCase("zz")) {
                if (zeros >= 0 || i == 0) {
                    return Optional.empty();
                }
                zeros = i;
            }
        }
        int length = number(words[0], 10, 128);
        if (length < 1) {
            return Optional.empty();
        }
        return labels == 5 && zeros < 0 ? four(words, length) : six(words, zeros, length);
    }

    private static Optional<TriggerNetwork> four(String[] words, int length) {
        long bits = V4_MARK;
        for (int i = 1; i <= 4; i++) {
            int octet = number(words[i], 10, 255);
            if (octet < 0) {
                return Optional.empty();
            }
            bits |= (long) octet << 8 * (i - 1);
        }
        return length > 32 ? Optional.empty() : exactly(0, bits, V4 + length);
    }

    private static Optional<TriggerNetwork> six(String[] words, int zeros, int length) {
        if (zeros < 0 && words.length != 9) {
            return Optional.empty();
        }
        int[] groups = new int[8];
        int group = 7; // the last one is written first
        for (int i = 1; i < words.length; i++) {
            if (i == zeros) {
                group -= 8 - (words.length - 2);
                continue;
            }
            int value = number(words[i], 16, 0xFFFF);
            if (value < 0 || group < 0) {
                return Optional.empty();
            }
            groups[group--] = value;
        }
        long high = 0;
        long low = 0;
        for (int i = 0; i < 4; i++) {
            high = high << 16 | groups[i];
            low = low << 16 | groups[i + 4];
        }
        return exactly(high, low, length);
    }

    /// draft-vixie-dnsop-dns-rpz: bits behind the length have to be zero.
    private static Optional<TriggerNetwork> exactly(long high, long low, int length) {
        return Optional.of(of(high, low, length))
                .filter(network -> network.high() == high && network.low() == low);
    }

    private static int number(String text, int radix, int most) {
        if (text.isEmpty() || text.length() > 4) {
            return -1;
        }
        try {
            int value = Integer.parseInt(text, radix);
            return text.charAt(0) == '-' || text.charAt(0) == '+' || value > most ? -1 : value;
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
