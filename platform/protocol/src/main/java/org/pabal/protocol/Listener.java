package org.pabal.protocol;

import org.osgi.annotation.versioning.ProviderType;

import java.net.InetSocketAddress;
import java.util.Optional;

/// A configured socket. The transport registers one as an OSGi service for each listener that the
/// settings name, also for one that could not be opened, so that whoever waits for a node to be
/// ready can see what is still missing.
@ProviderType
public interface Listener {

    /// Service property, `String`: the listener's name, e.g. `smtp` for
    /// `org.pabal.listener~smtp.cfg`.
    String NAME = "pabal.listener";

    /// Service property, `String`, absent while all is well: why the listener is not open, in one
    /// line.
    String FAILURE = "pabal.listener.failure";

    /// Service property, `Boolean`: the socket is open and its protocol is there.
    String ACCEPTING = "pabal.listener.accepting";

    /// The name, unique in the node.
    String name();

    /// The name of the protocol that is spoken here.
    String protocol();

    /// Where it listens; with the port that the system chose when the settings say port 0. Empty
    /// when it is not open.
    Optional<InetSocketAddress> address();

    /// Conversations that are going on now.
    int connections();

    /// In the words of an administrator: `accepting`, `waiting for protocol smtp`, or why it
    /// failed.
    String state();
}
