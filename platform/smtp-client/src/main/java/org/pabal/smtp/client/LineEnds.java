package org.pabal.smtp.client;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Finds where lines end, eight octets at a time, since every octet of every message passes here.
final class LineEnds {

    static final VarHandle EIGHT =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    static final long HIGH_BITS = 0x8080808080808080L;

    private static final long FOURTEENS = 0x0E0E0E0E0E0E0E0EL;
    private static final long ONES = 0x0101010101010101L;
    private static final long FEEDS = 0x0A0A0A0A0A0A0A0AL;

    private LineEnds() {}

    /// Marks the first of eight octets that is below 14, which CR, LF and NUL are. What it marks
    /// behind the first may be wrong.
    static long low(long eight) {
        return (eight - FOURTEENS) & ~eight & HIGH_BITS;
    }

    /// Where the first CR or LF stands, or `limit`.
    static int next(byte[] octets, int from, int limit) {
        int i = from;
        while (i <= limit - 8) {
            long low = low((long) EIGHT.get(octets, i));
            if (low == 0) {
                i += 8;
                continue;
            }
            i += Long.numberOfTrailingZeros(low) >>> 3;
            if (octets[i] == '\r' || octets[i] == '\n') {
                return i;
            }
            i++;
        }
        while (i < limit && octets[i] != '\r' && octets[i] != '\n') {
            i++;
        }
        return i;
    }

    /// Where the first LF stands, or `limit`.
    static int feed(byte[] octets, int from, int limit) {
        int i = from;
        for (; i <= limit - 8; i += 8) {
            long others = (long) EIGHT.get(octets, i) ^ FEEDS;
            long feeds = (others - ONES) & ~others & HIGH_BITS;
            if (feeds != 0) {
                return i + (Long.numberOfTrailingZeros(feeds) >>> 3);
            }
        }
        while (i < limit && octets[i] != '\n') {
            i++;
        }
        return i;
    }
}
