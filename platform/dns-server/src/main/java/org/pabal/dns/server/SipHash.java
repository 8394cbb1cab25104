package org.pabal.dns.server;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// SipHash-2-4 (Aumasson and Bernstein, 2012): the keyed hash of server cookies. Java has none.
public final class SipHash {

    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private SipHash() {}

    /// The hash of some octets; as octets it is little endian.
    ///
    /// @param k0 the first eight octets of the key, little endian
    /// @param k1 the other eight
    public static long hash(long k0, long k1, byte[] octets, int from, int length) {
        long v0 = k0 ^ 0x736f6d6570736575L;
        long v1 = k1 ^ 0x646f72616e646f6dL;
        long v2 = k0 ^ 0x6c7967656e657261L;
        long v3 = k1 ^ 0x7465646279746573L;
        int whole = from + (length & ~7);
        // One round more than there are whole words for what is left and the length; then four.
        int rounds = 2 * (length / 8 + 1) + 4;
        long word = 0;
        for (int round = 0, at = from; round < rounds; round++) {
            boolean absorbing = round < rounds - 4;
            if (absorbing && (round & 1) == 0) {
                word = at < whole ? (long) LONG.get(octets, at) : tail(octets, whole, from, length);
                v3 ^= word;
                at += 8;
            } else if (round == rounds - 4) {
                v2 ^= 0xFF;
            }
            v0 += v1;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v3;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 += v3;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 += v1;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v2 = Long.rotateLeft(v2, 32);
            if (absorbing && (round & 1) == 1) {
                v0 ^= word;
            }
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static long tail(byte[] octets, int whole, int from, int length) {
        long word = (long) length << 56;
        for (int i = from + length - 1; i >= whole; i--) {
            word |= (octets[i] & 0xFFL) << 8 * (i - whole);
        }
        return word;
    }
}
