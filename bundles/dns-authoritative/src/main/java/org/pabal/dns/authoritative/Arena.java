package org.pabal.dns.authoritative;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Octets that grow while a zone is laid out in them: a million names are one array and not ten
/// million objects.
final class Arena {

    /// Big endian, at any index of a byte array.
    static final VarHandle SHORT =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);

    static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private byte[] octets;
    private int size;

    Arena(int expected) {
        octets = new byte[Math.max(expected, 64)];
    }

    int size() {
        return size;
    }

    /// Makes room and returns where it starts.
    ///
    /// @throws IllegalStateException when an array can hold no more
    int take(int length) {
        int start = size;
        if (length > octets.length - size) {
            long wanted = Math.max((long) size + length, octets.length + (octets.length >> 1));
            if ((long) size + length > Integer.MAX_VALUE - 16) {
                throw new IllegalStateException("more than 2 GB of records");
            }
            octets = Arrays.copyOf(octets, (int) Math.min(wanted, Integer.MAX_VALUE - 16));
        }
        size += length;
        return start;
    }

    /// Gives back what was taken from here on.
    void cut(int start) {
        size = start;
    }

    void append(byte[] source, int from, int to) {
        int start = take(to - from);
        System.arraycopy(source, from, octets, start, to - from);
    }

    void append(Arena other) {
        append(other.octets, 0, other.size);
    }

    void appendShort(int value) {
        int start = take(2); // first, because it may move the array
        SHORT.set(octets, start, (short) value);
    }

    void appendInt(int value) {
        int start = take(4);
        INT.set(octets, start, value);
    }

    void setByte(int at, int value) {
        octets[at] = (byte) value;
    }

    void setShort(int at, int value) {
        SHORT.set(octets, at, (short) value);
    }

    void setInt(int at, int value) {
        INT.set(octets, at, value);
    }

    byte[] trimmed() {
        return Arrays.copyOf(octets, size);
    }
}
