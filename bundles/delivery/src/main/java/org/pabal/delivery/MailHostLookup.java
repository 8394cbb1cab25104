package org.pabal.delivery;

import org.pabal.dns.Resolver;

import java.net.InetAddress;
import java.util.Set;
import java.util.function.Predicate;

/// Finds the hosts that take mail for a next hop: MX by preference, addresses by RFC 6724 (RFC 5321
/// §5.1), and none to which mail must not go (security row S24).
final class MailHostLookup {

    /// @param ownNames what this node calls itself: at these a message would come back to us
    /// @param allowed which addresses may be connected to
    MailHostLookup(Resolver resolver, Set<String> ownNames, Predicate<InetAddress> allowed) {}

    MailHosts find(NextHop hop) {
        throw new UnsupportedOperationException();
    }
}
