package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;

/// What came of asking a primary whether it has a newer version.
sealed interface Refresh {

    /// Ours is the current one.
    record Current() implements Refresh {}

    /// The primary's is older than ours, which stays.
    record Older(long serial) implements Refresh {}

    /// A newer version is served.
    ///
    /// @param how by what it came, for the log
    record Newer(Zone zone, String how) implements Refresh {}
}
