package org.pabal.delivery;

import java.util.List;

/// A policy that a domain published, as TLS-RPT reports quote it, RFC 8460 §4.2.
///
/// @param type `tlsa`, `sts` or `no-policy-found`
/// @param lines the policy itself: TLSA records, or the lines of an MTA-STS policy
/// @param hosts the `mx` patterns of an MTA-STS policy
record TlsPolicy(String type, String domain, List<String> lines, List<String> hosts) {

    TlsPolicy {
        lines = List.copyOf(lines);
        hosts = List.copyOf(hosts);
    }

    static TlsPolicy none(String domain) {
        return new TlsPolicy("no-policy-found", domain, List.of(), List.of());
    }
}
