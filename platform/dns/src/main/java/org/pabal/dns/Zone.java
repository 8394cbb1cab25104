package org.pabal.dns;

import org.osgi.annotation.versioning.ConsumerType;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// One immutable version of the records that we are the authority for. A change is a new zone;
/// whoever holds the old one keeps seeing it whole.
@ConsumerType
public interface Zone {

    /// The zone's apex, absolute.
    Name origin();

    /// The serial of its SOA, 0 to 2^32-1, compared by RFC 1982.
    long serial();

    /// The records of exactly this name and type, with their signatures if there are any; no
    /// wildcard, no CNAME is followed.
    Optional<RRset> records(Name name, int type);

    /// Whether the name exists: it has records, or a name below it has (an empty non-terminal, RFC
    /// 4592 §2.2.2).
    boolean exists(Name name);

    /// All record sets, glue included, the SOA first and the others in no special order.
    Stream<RRset> all();

    /// The record sets of exactly this name.
    default Stream<RRset> at(Name name) {
        return all().filter(set -> set.getName().equals(name));
    }

    /// The set of a type whose owner is this name or else the nearest before it in canonical order
    /// (RFC 4034 §6.1), and when there is none before it the last of all: the NSEC or NSEC3 record
    /// that matches or covers a name. Empty when the zone has none.
    ///
    /// @param name for NSEC3 the hashed name, below the origin
    /// @param type NSEC or NSEC3
    default Optional<RRset> matchingOrCovering(Name name, int type) {
        List<RRset> sets =
                all().filter(set -> set.getType() == type)
                        .sorted(Comparator.comparing(RRset::getName))
                        .toList();
        return sets.stream()
                .filter(set -> set.getName().compareTo(name) <= 0)
                .reduce((one, next) -> next)
                .or(() -> sets.isEmpty() ? Optional.empty() : Optional.of(sets.getLast()));
    }

    /// The version that comes after this one. Costs about as much as the change is long when the
    /// zone is a [PackedZone], and a copy of the zone otherwise.
    ///
    /// @throws IllegalArgumentException when what comes out cannot be served; one line for an
    ///     administrator
    default Zone with(ZoneChange change) {
        return PackedZone.of(this).with(change);
    }
}
