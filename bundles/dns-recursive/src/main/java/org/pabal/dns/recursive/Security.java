package org.pabal.dns.recursive;

/// What DNSSEC says of something, RFC 4035 §4.3. Ordered from the weakest to the strongest.
enum Security {
    /// It should be provable and is not: nobody gets it, but who asked with CD.
    BOGUS,

    /// Nobody has looked yet: it was fetched for somebody who checks himself (CD).
    UNCHECKED,

    /// Provably unsigned, or there is no trust anchor above it.
    INSECURE,

    /// Proved from a trust anchor down.
    SECURE;

    /// What holds of two things together.
    Security and(Security other) {
        return compareTo(other) < 0 ? this : other;
    }
}
