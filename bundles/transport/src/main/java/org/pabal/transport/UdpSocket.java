package org.pabal.transport;

import org.pabal.protocol.Datagram;

import java.io.IOException;
import java.net.InetSocketAddress;

/// A socket that receives datagrams in batches and sends their answers in one go. Used by one
/// worker, but for closing and for the answers of detached datagrams.
sealed interface UdpSocket permits BatchUdpSocket, ChannelUdpSocket {

    /// The longest datagram that is taken; longer ones are dropped, as half a question has no
    /// answer.
    int PAYLOAD_LIMIT = 4096;

    /// Set to `channel` to do without system calls of our own, as on systems other than Linux.
    String CHOICE = "pabal.transport.udp";

    /// Binds so that the workers of one listener can share the address.
    static UdpSocket open(String listener, InetSocketAddress address, int receiveBuffer)
            throws IOException {
        return BatchUdpSocket.supported()
                ? new BatchUdpSocket(listener, address, receiveBuffer)
                : new ChannelUdpSocket(listener, address, receiveBuffer);
    }

    InetSocketAddress address();

    /// Waits for datagrams and receives those that are there.
    ///
    /// @return how many, or -1 when the socket is closed
    int receive() throws IOException;

    /// One of the datagrams that the last [#receive()] brought.
    Datagram datagram(int index);

    /// Whether that datagram was longer than [#PAYLOAD_LIMIT], so that its end is missing.
    boolean cut(int index);

    /// Sends the answers of the batch.
    void send() throws IOException;

    /// Ends a [#receive()] that waits, from any thread; the socket is then good only for
    /// [#close()].
    void stop() throws IOException;

    /// Closes the socket; answers of detached datagrams go nowhere from now on. The worker must
    /// have ended.
    void close() throws IOException;
}
