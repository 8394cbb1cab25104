package org.pabal.dns.recursive;

/// How much of EDNS (RFC 6891) a server puts up with. Where one does not, the next is tried, as RFC
/// 6891 §7 has it; RFC 8906 tells what servers get wrong.
enum Dialect {
    /// EDNS with options: a cookie, and by TLS padding.
    OPTIONS,
    /// EDNS without options.
    EDNS,
    /// RFC 1035 and no more: no DNSSEC either, so a signed zone of such a server is bogus.
    PLAIN;

    Dialect plainer() {
        return this == OPTIONS ? EDNS : PLAIN;
    }
}
