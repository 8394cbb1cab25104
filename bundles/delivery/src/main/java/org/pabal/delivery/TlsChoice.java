package org.pabal.delivery;

import org.pabal.mail.Status;

/// Whether a host may be used at all, and how.
sealed interface TlsChoice {

    /// @param policy where the rule comes from, for reports
    record Use(TlsRule rule, TlsPolicy policy) implements TlsChoice {}

    /// Not this host: the domain's MTA-STS policy does not name it, its TLSA records cannot be had,
    /// or are bogus (RFC 7672 §2.1.2).
    record Avoid(Status why, TlsResult result, TlsPolicy policy) implements TlsChoice {}
}
