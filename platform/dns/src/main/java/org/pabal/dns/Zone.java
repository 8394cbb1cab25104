package org.pabal.dns;

import org.osgi.annotation.versioning.ConsumerType;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;

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
}
