package org.pabal.protocol;

import java.net.InetSocketAddress;

/// Who talks to us.
///
/// @param address the client's address and port
/// @param listener the name of the listener that it came by, e.g. `smtp`
public record Peer(InetSocketAddress address, String listener) {

    /// Whether the client is on this machine, where a password in the clear can be overheard by
    /// nobody else.
    public boolean loopback() {
        return address.getAddress().isLoopbackAddress();
    }
}
