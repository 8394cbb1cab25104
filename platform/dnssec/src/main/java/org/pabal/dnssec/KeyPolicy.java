package org.pabal.dnssec;

import java.time.Duration;

/// When the keys of a zone are made and rolled.
///
/// @param algorithm of the first keys; a successor has that of the key before it
/// @param zskLifetime how long a zone-signing key signs; zero for as long as it is there
/// @param kskLifetime the same of a key-signing key
/// @param keyTtl how long others may remember the DNSKEY set
/// @param propagation until every server of the zone has a change
/// @param dsTtl how long others may remember the parent's DS set, with its own propagation
public record KeyPolicy(
        int algorithm,
        Duration zskLifetime,
        Duration kskLifetime,
        Duration keyTtl,
        Duration propagation,
        Duration dsTtl) {

    public static final KeyPolicy USUAL =
            new KeyPolicy(
                    13,
                    Duration.ofDays(90),
                    Duration.ZERO,
                    Duration.ofHours(1),
                    Duration.ofHours(1),
                    Duration.ofHours(25));

    /// How long after a key came into the zone everybody has it: RFC 7583 §3.2.1, Ipub.
    Duration known() {
        return keyTtl.plus(propagation);
    }
}
