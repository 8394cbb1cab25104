package org.pabal.dns;

/// Hashes of names in wire form and lower case, made from the root towards the first label, so that
/// one pass over a name gives the hashes of all names above it.
public final class NameHash {

    private NameHash() {}

    /// The next step of the hash of a name that grows by one octet to the left.
    public static int step(int hash, byte octet) {
        return hash * 0x01000193 + octet;
    }

    /// The finished hash; never asked to go on.
    public static int finish(int hash) {
        int h = hash ^ hash >>> 15;
        h *= 0x2c1b3c6d;
        h ^= h >>> 12;
        h *= 0x297a2d39;
        return h ^ h >>> 15;
    }

    /// The unfinished hash of a name from one octet up to another, that goes on from what is to its
    /// right.
    public static int steps(int hash, byte[] name, int from, int to) {
        int steps = hash;
        for (int i = to - 1; i >= from; i--) {
            steps = step(steps, name[i]);
        }
        return steps;
    }

    /// The hash of a whole name, its root included.
    public static int of(byte[] name, int from, int to) {
        return finish(steps(0, name, from, to));
    }
}
