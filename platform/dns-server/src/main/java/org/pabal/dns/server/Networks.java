package org.pabal.dns.server;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.List;

/// Networks in CIDR notation, `192.0.2.0/24, 2001:db8::/32`; an address alone is the network of one
/// host. Asking makes no object.
public final class Networks {

    private final byte[][] bases;
    private final int[] prefixes;

    private Networks(byte[][] bases, int[] prefixes) {
        this.bases = bases;
        this.prefixes = prefixes;
    }

    /// @throws IllegalArgumentException when one of them is no network
    public static Networks of(List<String> texts) {
        byte[][] bases = new byte[texts.size()][];
        int[] prefixes = new int[texts.size()];
        for (int i = 0; i < bases.length; i++) {
            String text = texts.get(i);
            int slash = text.indexOf('/');
            bases[i] =
                    InetAddress.ofLiteral(slash < 0 ? text : text.substring(0, slash)).getAddress();
            int bits = bases[i].length * 8;
            prefixes[i] = slash < 0 ? bits : Integer.parseInt(text.substring(slash + 1));
            if (prefixes[i] < 0 || prefixes[i] > bits) {
                throw new IllegalArgumentException("prefix length " + prefixes[i]);
            }
        }
        return new Networks(bases, prefixes);
    }

    /// @param address 4 or 16 octets in network order
    public boolean contain(ByteBuffer address) {
        for (int i = 0; i < bases.length; i++) {
            if (bases[i].length == address.limit() && same(bases[i], address, prefixes[i])) {
                return true;
            }
        }
        return false;
    }

    private static boolean same(byte[] base, ByteBuffer address, int prefix) {
        for (int bit = 0; bit < prefix; bit += 8) {
            int mask = prefix - bit >= 8 ? 0xFF : 0xFF << 8 - (prefix - bit);
            if (((base[bit >> 3] ^ address.get(bit >> 3)) & mask & 0xFF) != 0) {
                return false;
            }
        }
        return true;
    }
}
