package org.pabal.transport;

import java.io.IOException;
import java.nio.ByteBuffer;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;

/// TLS between a connection's streams and its [Wire].
///
/// An engine rather than a socket, because the wait for the client's next octets has to stay ours:
/// it ends when the conversation drains, and the goodbye still goes out encrypted.
final class TlsLayer {

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SSLEngine engine;
    private final Wire wire;
    private final Octets received;
    private ByteBuffer outgoing = NOTHING;

    /// @param received what has come from the wire and is not decrypted yet
    TlsLayer(SSLEngine engine, Wire wire, Octets received) {
        this.engine = engine;
        this.wire = wire;
        this.received = received;
    }

    SSLSession session() {
        return engine.getSession();
    }

    void handshake() throws IOException {
        engine.beginHandshake();
        try {
            while (true) {
                switch (engine.getHandshakeStatus()) {
                    case NEED_WRAP -> wrap(NOTHING);
                    case NEED_TASK -> runTasks();
                    case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> unwrapOrRead();
                    case FINISHED, NOT_HANDSHAKING -> {
                        return;
                    }
                }
            }
        } catch (SSLException e) {
            sendAlert();
            throw e;
        }
    }

    private void unwrapOrRead() throws IOException {
        SSLEngineResult result = unwrap(NOTHING);
        switch (result.getStatus()) {
            case BUFFER_UNDERFLOW -> {
                received.makeRoom(received.size() + 1);
                int n = wire.readSoon(received);
                if (n == 0) {
                    wire.awaitReadable(() -> false);
                } else if (n < 0) {
                    throw new SSLException("the client left during the handshake");
                }
            }
            case CLOSED -> throw new SSLException("the client ended the handshake");
            case BUFFER_OVERFLOW -> throw new SSLException("data during the handshake");
            case OK -> {}
        }
    }

    /// Decrypts what has come.
    ///
    /// @return octets added to the target; 0 when more has to be read first; -1 when the client has
    ///     ended
    int decode(Octets target) throws IOException {
        if (engine.isInboundDone()) {
            return -1;
        }
        while (!received.isEmpty()) {
            target.space();
            ByteBuffer room = target.room();
            int before = room.position();
            SSLEngineResult result = unwrap(room);
            int decrypted = room.position() - before;
            target.added(decrypted);
            switch (result.getStatus()) {
                case BUFFER_UNDERFLOW -> {
                    return 0;
                }
                case BUFFER_OVERFLOW ->
                        target.makeRoom(target.size() + session().getApplicationBufferSize());
                case CLOSED -> {
                    return -1;
                }
                case OK -> answerHandshake();
            }
            if (decrypted > 0) {
                return decrypted;
            }
        }
        return 0;
    }

    /// TLS 1.3 has messages after the handshake that want an answer (RFC 8446 §4.6.3).
    private void answerHandshake() throws IOException {
        HandshakeStatus status = engine.getHandshakeStatus();
        if (status == HandshakeStatus.NOT_HANDSHAKING) {
            return;
        }
        if (!session().getProtocol().equals("TLSv1.3")) {
            throw new SSLException("the client asked to renegotiate, which TLS 1.3 has abolished");
        }
        while (status == HandshakeStatus.NEED_TASK || status == HandshakeStatus.NEED_WRAP) {
            if (status == HandshakeStatus.NEED_TASK) {
                runTasks();
            } else {
                wrap(NOTHING);
            }
            status = engine.getHandshakeStatus();
        }
    }

    void write(ByteBuffer plain) throws IOException {
        do {
            wrap(plain);
        } while (plain.hasRemaining());
    }

    /// Tells the client that nothing more comes (RFC 8446 §6.1).
    void closeOutput() throws IOException {
        engine.closeOutbound();
        sendAlert();
    }

    /// Gives buffers back while the connection is idle.
    void release() {
        outgoing = NOTHING;
        received.release();
    }

    private void sendAlert() throws IOException {
        while (!engine.isOutboundDone()
                && engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP
                && wrap(NOTHING)) {}
    }

    private SSLEngineResult unwrap(ByteBuffer target) throws IOException {
        ByteBuffer encrypted = received.unread();
        SSLEngineResult result = engine.unwrap(encrypted, target);
        received.skip(result.bytesConsumed());
        return result;
    }

    private boolean wrap(ByteBuffer plain) throws IOException {
        if (outgoing.capacity() == 0) {
            outgoing = ByteBuffer.allocate(session().getPacketBufferSize());
        }
        outgoing.clear();
        SSLEngineResult result = engine.wrap(plain, outgoing);
        while (result.getStatus() == SSLEngineResult.Status.BUFFER_OVERFLOW) {
            outgoing = ByteBuffer.allocate(2 * outgoing.capacity());
            result = engine.wrap(plain, outgoing);
        }
        wire.write(outgoing.flip());
        if (result.getStatus() == SSLEngineResult.Status.CLOSED && plain.hasRemaining()) {
            throw new SSLException("the TLS connection is closed");
        }
        return result.bytesProduced() > 0;
    }

    private void runTasks() {
        for (Runnable task = engine.getDelegatedTask();
                task != null;
                task = engine.getDelegatedTask()) {
            task.run();
        }
    }
}
