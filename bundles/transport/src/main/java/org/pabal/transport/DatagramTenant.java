package org.pabal.transport;

import org.pabal.protocol.DatagramProtocol;

/// One registered datagram protocol at one listener.
final class DatagramTenant {

    private final DatagramProtocol protocol;
    private volatile boolean leaving;

    DatagramTenant(DatagramProtocol protocol) {
        this.protocol = protocol;
    }

    DatagramProtocol protocol() {
        return protocol;
    }

    boolean leaving() {
        return leaving;
    }

    void leave() {
        leaving = true;
    }
}
