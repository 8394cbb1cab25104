package org.pabal.dns;

import org.xbill.DNS.RRset;

import java.util.List;

/// What a lookup came to. The difference between the last two decides between a bounce and a retry.
public sealed interface Resolution {

    /// There are records.
    ///
    /// @param records the set that was asked for, preceded by the CNAMEs and DNAMEs that led to it
    /// @param secure DNSSEC proved all of it
    record Found(List<RRset> records, boolean secure) implements Resolution {
        public Found {
            records = List.copyOf(records);
        }
    }

    /// The name exists and has no such record (RFC 2308 §2.2).
    record NoSuchRecord(boolean secure) implements Resolution {}

    /// The name does not exist (RFC 2308 §2.1).
    record NoSuchName(boolean secure) implements Resolution {}

    /// Nobody could be reached, or what came back cannot be trusted.
    record Unavailable(String why) implements Resolution {}
}
