package org.pabal.delivery;

import java.time.Duration;
import java.util.List;

/// An MTA-STS policy, RFC 8461 §3.2.
///
/// @param id of the TXT record that led to it
/// @param hosts the `mx` patterns
/// @param lines as they were fetched, for reports
record StsPolicy(String id, Mode mode, List<String> hosts, Duration maxAge, List<String> lines) {

    enum Mode {
        ENFORCE,
        TESTING,
        NONE
    }

    StsPolicy {
        hosts = List.copyOf(hosts);
        lines = List.copyOf(lines);
    }

    /// Whether a host is one that the policy names, §4.1.
    boolean names(String host) {
        throw new UnsupportedOperationException();
    }
}
