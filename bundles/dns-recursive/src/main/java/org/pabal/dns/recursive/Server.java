package org.pabal.dns.recursive;

import org.xbill.DNS.Name;

import java.net.InetSocketAddress;
import java.util.Optional;

/// A name server, at one of its addresses.
///
/// @param name as its NS record says; the root when an administrator gave an address alone
/// @param tls the name that its certificate has to have, when it is asked by TLS (RFC 7858, RFC
///     8310 §8.1)
record Server(Name name, InetSocketAddress address, Optional<String> tls) {

    Server(Name name, InetSocketAddress address) {
        this(name, address, Optional.empty());
    }

    /// As steps and log lines name it: `ns1.example.org. 192.0.2.53`, with `@PORT` where that is
    /// not 53.
    @Override
    public String toString() {
        int port = address.getPort();
        return (name.equals(Name.root) ? "" : name + " ")
                + address.getAddress().getHostAddress()
                + (port == 53 ? "" : "@" + port);
    }
}
