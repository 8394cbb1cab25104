package org.pabal.smtp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Finds the octets that may end a line, or pretend to: CR, LF and NUL (security row S1). Eight
/// octets at a time, since every octet of every message passes here.
final class LineEnds {

    private static final VarHandle EIGHT =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long FOURTEENS = 0x0E0E0E0E0E0E0E0EL;
    private static final long HIGH_BITS = 0x8080808080808080L;

    private LineEnds() {}

    /// Where the first CR, LF or NUL stands, or `limit`.
    static int next(byte[] octets, int from, int limit) {
        int i = from;
        while (i <= limit - 8) {
            long eight = (long) EIGHT.get(octets, i);
            if (((eight - FOURTEENS) & ~eight & HIGH_BITS) != 0) {
                // one of the eight is below 14; or it stands behind one that is
                for (int end = i + 8; i < end; i++) {
                    if (breaks(octets[i])) {
                        return i;
                    }
                }
            } else {
                i += 8;
            }
        }
        while (i < limit && !breaks(octets[i])) {
            i++;
        }
        return i;
    }

    private static boolean breaks(byte octet) {
        return octet == '\r' || octet == '\n' || octet == 0;
    }
}
