package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.xbill.DNS.Name;

import java.util.Optional;
import java.util.stream.IntStream;

/// The zones among which [ZoneLookup] finds its answer.
interface Zones {

    /// The zone nearest to a name, RFC 1034 §4.3.2 step 2. For type DS the nearest above it, when
    /// we have that: the DS of a child lives at its parent (RFC 4035 §3.1.4.1).
    Optional<Zone> nearest(Name name, int type);

    /// Whether a set is one that we keep and cannot vouch for at this moment: SERVFAIL is the
    /// answer.
    default boolean withholds(Zone zone, Name name, int type) {
        return false;
    }

    /// The types of the record sets that a name has, in ascending order.
    default IntStream types(Zone zone, Name name) {
        return IntStream.range(1, 1024).filter(type -> zone.records(name, type).isPresent());
    }
}
