package org.pabal.dns.authoritative;

/// Hashes of names in wire form and lower case, made from the root towards the first label, so that
/// one pass over a name gives the hashes of all names above it.
final class WireName {

    private WireName() {}

    /// The next step of the hash of a name that grows by one octet to the left.
    static int step(int hash, byte octet) {
        return hash * 0x01000193 + octet;
    }

    /// The finished hash; never asked to go on.
    static int finish(int hash) {
        int h = hash ^ hash >>> 15;
        h *= 0x2c1b3c6d;
        h ^= h >>> 12;
        h *= 0x297a2d39;
        return h ^ h >>> 15;
    }

    static int hash(byte[] name) {
        int hash = 0;
        for (int i = name.length - 1; i >= 0; i--) {
            hash = step(hash, name[i]);
        }
        return finish(hash);
    }
}
