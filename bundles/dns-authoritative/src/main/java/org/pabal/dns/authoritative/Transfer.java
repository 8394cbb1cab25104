package org.pabal.dns.authoritative;

import org.pabal.dns.ZoneChange;
import org.xbill.DNS.Record;

import java.util.List;

/// What a zone transfer brought.
sealed interface Transfer {

    /// Nothing that is newer than what was asked for (RFC 1995 §2).
    record Current(long serial) implements Transfer {}

    /// The steps from our version to the primary's, oldest first.
    record Steps(List<ZoneChange> steps) implements Transfer {}

    /// The whole zone, its SOA once.
    ///
    /// @param dropped records that did not belong to it (security row D23)
    record Whole(List<Record> records, long dropped) implements Transfer {}
}
