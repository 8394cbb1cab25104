package org.pabal.dns.authoritative;

import org.pabal.dns.NameHash;

/// Hashes of names in wire form and lower case, as [NameHash] makes them.
final class WireName {

    private WireName() {}

    static int hash(byte[] name) {
        return NameHash.of(name, 0, name.length);
    }
}
