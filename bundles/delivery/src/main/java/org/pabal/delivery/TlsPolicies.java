package org.pabal.delivery;

import org.pabal.dns.Resolver;

/// Decides what a connection has to be, from what the other domain published: DANE (RFC 7672) where
/// there are TLSA records that DNSSEC proves, else MTA-STS (RFC 8461), else opportunistic TLS. DANE
/// that fails is never mended by MTA-STS (RFC 8461 §2).
final class TlsPolicies {

    TlsPolicies(Resolver resolver, StsPolicies sts) {}

    /// For a host that MX records named.
    ///
    /// @param domain the recipients'
    /// @param requireTls whether the message says REQUIRETLS, RFC 8689 §4.2.1
    TlsChoice choose(String domain, MailHosts.Found hosts, MailHost host, boolean requireTls) {
        throw new UnsupportedOperationException();
    }

    /// For a host that the administrator named.
    TlsChoice choose(NextHop.Server server, MailHost host, boolean requireTls) {
        throw new UnsupportedOperationException();
    }
}
