package org.pabal.dns;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Names of one [NameTable] in the canonical order of RFC 4034 §6.1. Immutable; the next version
/// shares with it what stays the same.
///
/// The places of their nodes stand in short runs, so that a name comes or goes by copying one run.
/// A node may be that of an earlier version: the names in nodes stay readable.
final class CanonicalOrder {

    private static final int RUN = 512;

    private final int[][] runs;

    private CanonicalOrder(int[][] runs) {
        this.runs = runs;
    }

    /// Sorts names by the places of their nodes.
    static CanonicalOrder of(NameTable table, int[] places) {
        int[] starts = new int[places.length + 1];
        byte[] keys = new byte[places.length * 16 + 1024];
        byte[] key = new byte[KEY];
        for (int i = 0; i < places.length; i++) {
            int length = key(table, places[i], key);
            if (starts[i] + length > keys.length) {
                keys = Arrays.copyOf(keys, Math.max(keys.length / 2 * 3, starts[i] + length));
            }
            System.arraycopy(key, 0, keys, starts[i], length);
            starts[i + 1] = starts[i] + length;
        }
        int[] sorted = new int[places.length];
        Arrays.setAll(sorted, i -> i);
        sort(sorted, sorted.clone(), 0, sorted.length, keys, starts);
        List<int[]> runs = new ArrayList<>();
        for (int from = 0; from < sorted.length; from += RUN / 2) {
            int[] run = Arrays.copyOfRange(sorted, from, Math.min(from + RUN / 2, sorted.length));
            Arrays.setAll(run, i -> places[run[i]]);
            runs.add(run);
        }
        return new CanonicalOrder(runs.toArray(int[][]::new));
    }

    /// Merges; a zone file is often in order already, which costs one look a name.
    private static void sort(int[] to, int[] from, int start, int end, byte[] keys, int[] starts) {
        if (end - start < 2) {
            return;
        }
        int middle = start + end >>> 1;
        sort(from, to, start, middle, keys, starts);
        sort(from, to, middle, end, keys, starts);
        if (compare(from[middle - 1], from[middle], keys, starts) <= 0) {
            System.arraycopy(from, start, to, start, end - start);
            return;
        }
        int left = start;
        int right = middle;
        for (int i = start; i < end; i++) {
            to[i] =
                    right == end
                                    || left < middle
                                            && compare(from[left], from[right], keys, starts) <= 0
                            ? from[left++]
                            : from[right++];
        }
    }

    private static int compare(int one, int other, byte[] keys, int[] starts) {
        return Arrays.compareUnsigned(
                keys, starts[one], starts[one + 1], keys, starts[other], starts[other + 1]);
    }

    /// The next version.
    ///
    /// @param added the places of names that are new
    /// @param removed keys of names that are gone
    CanonicalOrder with(NameTable table, List<Integer> added, List<byte[]> removed) {
        if (added.isEmpty() && removed.isEmpty()) {
            return this;
        }
        int[][] next = runs.clone();
        byte[] key = new byte[KEY];
        for (byte[] gone : removed) {
            int run = run(next, table, gone, gone.length);
            int at = run < 0 ? -1 : indexIn(next[run], table, gone, gone.length);
            if (at >= 0 && compare(table, next[run][at], gone, gone.length) == 0) {
                int[] shorter = new int[next[run].length - 1];
                System.arraycopy(next[run], 0, shorter, 0, at);
                System.arraycopy(next[run], at + 1, shorter, at, shorter.length - at);
                if (shorter.length > 0) {
                    next[run] = shorter;
                } else {
                    int[][] fewer = new int[next.length - 1][];
                    System.arraycopy(next, 0, fewer, 0, run);
                    System.arraycopy(next, run + 1, fewer, run, fewer.length - run);
                    next = fewer;
                }
            }
        }
        for (int place : added) {
            int length = key(table, place, key);
            if (next.length == 0) {
                next = new int[][] {{place}};
                continue;
            }
            int run = Math.max(0, run(next, table, key, length));
            int at = 1 + indexIn(next[run], table, key, length);
            int[] longer = Arrays.copyOf(next[run], next[run].length + 1);
            System.arraycopy(next[run], at, longer, at + 1, next[run].length - at);
            longer[at] = place;
            next[run] = longer;
            if (longer.length > RUN) {
                int[][] more = new int[next.length + 1][];
                System.arraycopy(next, 0, more, 0, run);
                System.arraycopy(next, run + 1, more, run + 2, next.length - run - 1);
                more[run] = Arrays.copyOf(longer, RUN / 2);
                more[run + 1] = Arrays.copyOfRange(longer, RUN / 2, longer.length);
                next = more;
            }
        }
        return new CanonicalOrder(next);
    }

    /// The name itself or the nearest before it, or when there is none the last of all; 0 when
    /// there are no names.
    int atOrBefore(NameTable table, byte[] key) {
        if (runs.length == 0) {
            return 0;
        }
        int run = run(runs, table, key, key.length);
        if (run < 0) {
            return last();
        }
        return runs[run][indexIn(runs[run], table, key, key.length)];
    }

    /// The last of all, or 0.
    int last() {
        return runs.length == 0 ? 0 : runs[runs.length - 1][runs[runs.length - 1].length - 1];
    }

    IntStream places() {
        return Arrays.stream(runs).flatMapToInt(Arrays::stream);
    }

    /// The places of all names from one on.
    IntStream from(NameTable table, byte[] key) {
        int run = Math.max(0, run(runs, table, key, key.length));
        return Arrays.stream(runs)
                .skip(run)
                .flatMapToInt(Arrays::stream)
                .dropWhile(place -> compare(table, place, key, key.length) < 0);
    }

    /// The last run that begins at or before a name, or -1.
    private static int run(int[][] runs, NameTable table, byte[] key, int length) {
        int low = 0;
        int high = runs.length - 1;
        while (low <= high) {
            int middle = low + high >>> 1;
            if (compare(table, runs[middle][0], key, length) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    /// Where in a run the name itself is or the nearest before it, or -1.
    private static int indexIn(int[] run, NameTable table, byte[] key, int length) {
        int low = 0;
        int high = run.length - 1;
        while (low <= high) {
            int middle = low + high >>> 1;
            if (compare(table, run[middle], key, length) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    private static int compare(NameTable table, int place, byte[] key, int length) {
        byte[] there = new byte[KEY];
        return Arrays.compareUnsigned(there, 0, key(table, place, there), key, 0, length);
    }

    /// Room for the longest key.
    static final int KEY = 512;

    private static int key(NameTable table, int place, byte[] key) {
        ByteBuffer segment = table.segment(place);
        int at = NameTable.at(place);
        byte[] name = new byte[segment.get(at) & 0xFF];
        segment.get(at + NameTable.NAME, name);
        return key(name, name.length, key);
    }

    static byte[] key(byte[] name, int length) {
        byte[] key = new byte[KEY];
        return Arrays.copyOf(key, key(name, length, key));
    }

    /// Octets that sort as RFC 4034 §6.1 says: labels from the right, each followed by 0. The
    /// octets 0 and 1 of a label become two, so that the end of a label comes before all of them.
    private static int key(byte[] name, int length, byte[] key) {
        int[] labels = new int[128];
        int count = 0;
        for (int at = 0; at < length; at += 1 + (name[at] & 0xFF)) {
            labels[count++] = at;
        }
        int end = 0;
        while (count > 0) {
            int at = labels[--count];
            for (int i = at + 1; i <= at + (name[at] & 0xFF); i++) {
                if (name[i] == 0 || name[i] == 1) {
                    key[end++] = 1;
                    key[end++] = (byte) (name[i] + 1);
                } else {
                    key[end++] = name[i];
                }
            }
            key[end++] = 0;
        }
        return end;
    }
}
