package org.pabal.dnssec;

import org.pabal.dns.Zone;
import org.xbill.DNS.NSEC3Record;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.util.Optional;

/// How a zone proves that something does not exist.
public enum Denial {
    /// RFC 4034 §4: the next name, in the open.
    NSEC,
    /// RFC 5155: the next hash, with no iteration and no salt (RFC 9276 §3.1).
    NSEC3,
    /// The same, passing over delegations that are not signed (RFC 5155 §6).
    NSEC3_OPT_OUT;

    static final int OPT_OUT_FLAG = 1;

    boolean hashed() {
        return this != NSEC;
    }

    int flags() {
        return this == NSEC3_OPT_OUT ? OPT_OUT_FLAG : 0;
    }

    /// What a zone has, or empty when it has none or one that we would not make.
    public static Optional<Denial> of(Zone zone) {
        if (zone.records(zone.origin(), Type.NSEC).isPresent()) {
            return Optional.of(NSEC);
        }
        return zone.records(DenialChain.hashed(zone.origin(), zone.origin()), Type.NSEC3)
                .map(RRset::first)
                .map(NSEC3Record.class::cast)
                .map(apex -> (apex.getFlags() & OPT_OUT_FLAG) == 0 ? NSEC3 : NSEC3_OPT_OUT);
    }
}
