package org.pabal.directory;

import java.time.Duration;

/// Counts by key, each halving in a fixed time, in a table that never grows (security row D30 tells
/// why).
///
/// A key has eight places where it can stand; a newcomer takes the place with the smallest count.
/// Whoever floods the table with new keys therefore displaces other newcomers, and not those who
/// have failed often. Not for more than one thread.
final class DecayingCounts {

    private static final int WAYS = 8;

    private final long[] keys;
    private final float[] counts;
    private final int[] seconds;
    private final double halfLife;

    /// @param places a power of two
    DecayingCounts(int places, Duration halfLife) {
        this.keys = new long[places];
        this.counts = new float[places];
        this.seconds = new int[places];
        this.halfLife = halfLife.toSeconds();
    }

    /// The count of a key; 0 when the key is not there.
    ///
    /// @param now in seconds
    double count(long key, long now) {
        int at = find(key);
        return at < 0 ? 0 : decayed(at, now);
    }

    /// Adds to a key's count.
    ///
    /// @return the new count
    double add(long key, double amount, long now) {
        int at = find(key);
        double before = at < 0 ? 0 : decayed(at, now);
        if (at < 0) {
            at = smallest(key, now);
            keys[at] = key;
        }
        counts[at] = (float) (before + amount);
        seconds[at] = (int) now;
        return counts[at];
    }

    void clear(long key) {
        int at = find(key);
        if (at >= 0) {
            counts[at] = 0;
        }
    }

    int places() {
        return keys.length;
    }

    private int first(long key) {
        return (int) (key & (keys.length - 1)) & -WAYS;
    }

    private int find(long key) {
        int first = first(key);
        for (int i = first; i < first + WAYS; i++) {
            if (keys[i] == key && counts[i] > 0) {
                return i;
            }
        }
        return -1;
    }

    private int smallest(long key, long now) {
        int first = first(key);
        int smallest = first;
        for (int i = first + 1; i < first + WAYS; i++) {
            if (decayed(i, now) < decayed(smallest, now)) {
                smallest = i;
            }
        }
        return smallest;
    }

    /// A clock that was set back ages nothing.
    private double decayed(int at, long now) {
        int age = Math.max(0, (int) now - seconds[at]);
        return counts[at] == 0 ? 0 : counts[at] * Math.pow(2, -age / halfLife);
    }
}
