package org.pabal.protocol;

import org.osgi.annotation.versioning.ConsumerType;

import java.io.IOException;

/// Speaks on the connections that a listener accepted.
///
/// A protocol owns no socket, so it can be replaced while clients are connected: the transport
/// keeps accepting, lets new connections wait until the successor is there, and gives the running
/// conversations time to finish their command and say goodbye (see [Connection#draining()]) or to
/// leave their clients to the successor (see [Connection#leaveToSuccessor()]). When
/// the grace of their listener is over it closes them, and only after the last one has returned
/// does the unregistration of the service return.
@ConsumerType
public interface StreamProtocol {

    /// Service property, required, `String`: the protocol's name as listeners write it, e.g.
    /// `smtp`.
    String NAME = "pabal.protocol";

    /// Service property, `String`: what the transport says in the protocol's place before it closes
    /// a connection that the protocol cannot take (too many connections, no successor within the
    /// listener's patience). `{}` stands for a plain sentence; CR LF is added. Example: `421 4.3.2
    /// {}`. Without it such a connection is closed in silence.
    String GOODBYE = "pabal.goodbye";

    /// Holds one conversation from greeting to goodbye and returns when it is over; the transport
    /// then closes the connection. Runs on a virtual thread of its own, so it may block.
    ///
    /// @throws IOException when the connection broke or the client's time was up; the transport
    ///     notes it and closes
    void converse(Connection connection) throws IOException;
}
