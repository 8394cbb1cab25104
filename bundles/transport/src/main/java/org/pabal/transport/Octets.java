package org.pabal.transport;

import java.nio.ByteBuffer;

/// Octets that wait to be read, in an array that exists only while there are some.
///
/// The array starts small and doubles each time it was found full, so a conversation of short
/// commands costs little and a long message is read in large pieces; an idle connection holds
/// nothing.
final class Octets {

    private static final byte[] NONE = {};
    private static final int LEAST = 1024;
    private static final int MOST = 32 * 1024;

    private byte[] array = NONE;
    private int start;
    private int end;
    private int wanted = LEAST;

    boolean isEmpty() {
        return start == end;
    }

    int size() {
        return end - start;
    }

    int next() {
        return array[start++] & 0xff;
    }

    int take(byte[] target, int offset, int length) {
        int taken = Math.min(length, size());
        System.arraycopy(array, start, target, offset, taken);
        start += taken;
        return taken;
    }

    int skip(long octets) {
        int skipped = Math.clamp(octets, 0, size());
        start += skipped;
        return skipped;
    }

    void clear() {
        start = end = 0;
    }

    /// Gives the array back when nothing is in it.
    void release() {
        if (isEmpty()) {
            array = NONE;
            clear();
            wanted = LEAST;
        }
    }

    /// Where more can be read into: from [#end] to the end of the array, at least one octet.
    byte[] space() {
        if (isEmpty()) {
            clear();
            if (array.length < wanted) {
                array = new byte[wanted];
            }
        } else if (end == array.length) {
            makeRoom(size() + 1);
        }
        return array;
    }

    /// Room for that many octets from the first unread one on.
    void makeRoom(int octets) {
        if (array.length - start < octets) {
            byte[] to =
                    array.length >= octets ? array : new byte[Math.max(octets, 2 * array.length)];
            System.arraycopy(array, start, to, 0, size());
            array = to;
            end -= start;
            start = 0;
        }
    }

    int end() {
        return end;
    }

    /// Takes note of octets that were written at [#end()].
    void added(int octets) {
        end += octets;
        if (end == array.length && wanted < MOST) {
            wanted = Math.min(MOST, 2 * Math.max(wanted, LEAST));
        }
    }

    /// What can be read, as a buffer over the same array; tell [#skip] how much of it was used.
    ByteBuffer unread() {
        return ByteBuffer.wrap(array, start, size());
    }

    /// The free room behind it, as a buffer over the same array; tell [#added] how much of it was
    /// filled.
    ByteBuffer room() {
        return ByteBuffer.wrap(array, end, array.length - end);
    }
}
