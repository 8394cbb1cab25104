package org.pabal.dns.authoritative;

import org.pabal.dns.server.Query;
import org.pabal.protocol.Peer;
import org.xbill.DNS.Name;

import java.util.Optional;

/// A request that takes the readable path.
///
/// @param query what it says, as far as every answer needs it
/// @param octets all of it, for those who read more of it
/// @param stream it came by TCP, and its answer may be 65,535 octets long
/// @param encrypted it came by TLS
/// @param key the name of the key that signed it (TSIG or SIG(0)), when the signature is good
record Request(
        Query query,
        byte[] octets,
        Peer from,
        boolean stream,
        boolean encrypted,
        Optional<Name> key) {}
