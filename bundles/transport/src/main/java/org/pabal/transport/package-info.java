/// Listening sockets, TLS, limits, and the threads of conversations and datagrams.
///
/// For the protocols, which own no socket: a listener outlives the protocol that speaks on it, so
/// that a bundle can be replaced while clients are connected (house rule 1).
///
/// Start at [StreamListener] for TCP and [DatagramListener] for UDP; [ConfiguredListener] makes
/// them from a file in `etc/`.
package org.pabal.transport;
