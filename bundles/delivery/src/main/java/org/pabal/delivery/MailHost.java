package org.pabal.delivery;

import java.net.InetAddress;
import java.util.List;

/// A host that takes mail.
///
/// @param name as MX or the administrator has it, in lower case, without the last dot; an address
///     in brackets where there is no name
/// @param addresses in the order in which to try them (RFC 6724), at least one, none that we must
///     not connect to
/// @param secure whether DNSSEC proved everything from the domain to these addresses
/// @param tlsaNames where its TLSA records may be, RFC 7672 §2.2.3: the name its CNAMEs lead to
///     first; without `_25._tcp.`; empty unless secure
record MailHost(
        String name,
        int port,
        List<InetAddress> addresses,
        boolean secure,
        List<String> tlsaNames) {

    MailHost {
        addresses = List.copyOf(addresses);
        tlsaNames = List.copyOf(tlsaNames);
    }
}
