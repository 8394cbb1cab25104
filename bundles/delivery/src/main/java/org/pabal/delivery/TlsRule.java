package org.pabal.delivery;

import org.xbill.DNS.TLSARecord;

import java.util.List;

/// What a connection to a host has to be before mail goes over it.
sealed interface TlsRule {

    /// TLS where it is offered, whoever the other side is; otherwise in the clear (RFC 7435).
    record Opportunistic() implements TlsRule {}

    /// TLS or nothing, whoever the other side is: it has TLSA records, none of which can be used
    /// (RFC 7672 §2.2).
    record Encrypted() implements TlsRule {}

    /// TLS with a certificate that one of these records fits, RFC 7672 §3.
    ///
    /// @param names the certificate's, where a record of usage 2 wants one (§3.2.2)
    record Dane(List<TLSARecord> records, List<String> names) implements TlsRule {
        public Dane {
            records = List.copyOf(records);
            names = List.copyOf(names);
        }
    }

    /// TLS with a certificate that a known authority gave to this name.
    ///
    /// @param why who wants it: `mta-sts`, `requiretls`, `smart host`
    record Verified(String name, String why) implements TlsRule {}

    /// The same, but a certificate that is not so is only reported: MTA-STS in testing mode (RFC
    /// 8461 §5).
    ///
    /// @param named whether the policy names the host; if not, that is reported too
    record Tested(String name, boolean named) implements TlsRule {}

    /// Whether mail rather waits than goes in the clear.
    default boolean mandatory() {
        return this instanceof Encrypted || this instanceof Dane || this instanceof Verified;
    }
}
