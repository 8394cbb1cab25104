package org.pabal.dns.recursive;

import org.pabal.dns.DnsFraming;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.Optional;

/// A stream to a server, by TCP or TLS: one query at a time, RFC 7766.
final class ServerStream {

    private final DeadlineSocket transport;
    private final Socket socket;
    private final InputStream input;

    /// @param transport connected
    /// @param socket the same, or what encrypts it
    ServerStream(DeadlineSocket transport, Socket socket) throws IOException {
        this.transport = transport;
        this.socket = socket;
        this.input = new BufferedInputStream(socket.getInputStream());
    }

    /// What is to be closed; then the transport.
    Socket socket() {
        return socket;
    }

    Socket transport() {
        return transport;
    }

    /// Sends a query.
    ///
    /// @param deadline for the answer, by [System#nanoTime()]
    void send(byte[] query, long deadline) throws IOException {
        transport.deadline(deadline);
        DnsFraming.write(socket.getOutputStream(), query);
    }

    /// The next message; empty when the server has closed the stream.
    Optional<byte[]> read() throws IOException {
        return DnsFraming.read(input);
    }

    /// Whether anything came since the last query was sent.
    boolean heard() {
        return transport.heard();
    }
}
