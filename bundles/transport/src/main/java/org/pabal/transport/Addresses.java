package org.pabal.transport;

import java.net.Inet6Address;
import java.net.InetSocketAddress;

/// How addresses are written for people.
final class Addresses {

    private Addresses() {}

    /// `192.0.2.1:25` or `[2001:db8::1]:25`.
    static String text(InetSocketAddress address) {
        String host = address.getAddress().getHostAddress();
        return (address.getAddress() instanceof Inet6Address ? "[" + host + "]" : host)
                + ":"
                + address.getPort();
    }
}
