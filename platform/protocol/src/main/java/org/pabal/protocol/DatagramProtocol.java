package org.pabal.protocol;

import org.osgi.annotation.versioning.ConsumerType;

/// Speaks on the datagrams that a listener received.
///
/// Registered under [StreamProtocol#NAME] like a stream protocol; one name may have both. While it
/// is being replaced, datagrams stay in the socket's receive buffer and are read when the successor
/// is there.
@ConsumerType
public interface DatagramProtocol {

    /// Takes one datagram. Called on the receiving thread, by several workers at once: never wait
    /// for another machine, a disk or a lock held over either. An answer that needs that goes by
    /// [Datagram#detach()].
    void received(Datagram datagram);
}
