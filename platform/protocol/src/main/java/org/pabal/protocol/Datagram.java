package org.pabal.protocol;

import org.osgi.annotation.versioning.ProviderType;

import java.nio.ByteBuffer;

/// One datagram and the room for its answer, valid only during [DatagramProtocol#received].
///
/// All buffers are views of memory that the listener uses again for the next batch: asking for them
/// creates nothing. Each call of [#payload()], [#address()] and [#answer()] returns the same
/// buffer, rewound by the transport once per datagram.
@ProviderType
public interface Datagram {

    /// The room for an answer, in octets.
    int ANSWER_LIMIT = 4096;

    /// The sender and the listener. Creates objects: on the fast path use [#address()] and
    /// [#port()].
    Peer peer();

    /// The sender's address, 4 or 16 octets in network order.
    ByteBuffer address();

    /// The sender's port.
    int port();

    /// What was received, from position to limit, big endian.
    ByteBuffer payload();

    /// Where the answer is written: an empty buffer of [#ANSWER_LIMIT] octets, big endian. It is
    /// the outgoing batch itself.
    ByteBuffer answer();

    /// Sends what was written to [#answer()], up to its position, back to the sender; at most once,
    /// with the batch that the datagram came in. A datagram for which this is not called is not
    /// answered.
    void send();

    /// A copy that outlives [DatagramProtocol#received], to be answered later from any thread: its
    /// `send()` goes out at once. Does nothing once the listener is closed.
    Datagram detach();
}
