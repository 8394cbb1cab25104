package org.pabal.transport;

import org.pabal.protocol.Connection;
import org.pabal.protocol.Peer;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import javax.net.ssl.SSLSession;

/// A client's TCP connection: buffers, TLS when it is on, and the news that the conversation should
/// end.
final class StreamConnection implements Connection {

    private static final byte[] NONE = {};
    private static final int LEAST_OUTPUT = 512;
    private static final int MOST_OUTPUT = 16 * 1024;
    private static final Duration LAST_WORDS = Duration.ofSeconds(5);
    private static final Duration LINGER = Duration.ofSeconds(1);
    private static final BooleanSupplier NEVER = () -> false;

    private final Wire wire;
    private final Optional<Credentials> startTls;
    private final Duration handshakePatience;
    private final InputStream input = new Input();
    private final OutputStream output = new Output();
    private final Octets received = new Octets();
    private Octets plain = received;
    private Optional<TlsLayer> tls = Optional.empty();
    private Peer peer;
    private InetSocketAddress local;
    private byte[] unsent = NONE;
    private int unsentSize;
    private boolean left;
    private volatile boolean draining;
    private volatile Thread thread = Thread.currentThread();

    /// @param startTls with what the protocol may put TLS on
    StreamConnection(
            Wire wire,
            Peer peer,
            InetSocketAddress local,
            Optional<Credentials> startTls,
            Duration handshakePatience) {
        this.wire = wire;
        this.peer = peer;
        this.local = local;
        this.startTls = startTls;
        this.handshakePatience = handshakePatience;
    }

    @Override
    public Peer peer() {
        return peer;
    }

    @Override
    public InetSocketAddress local() {
        return local;
    }

    @Override
    public InputStream input() {
        return input;
    }

    @Override
    public OutputStream output() {
        return output;
    }

    @Override
    public boolean awaitInput() throws IOException {
        wire.anew();
        if (draining) {
            return false;
        }
        return !plain.isEmpty() || fill(Wait.LONG, () -> draining) > 0;
    }

    @Override
    public boolean awaitInput(BooleanSupplier news) throws IOException {
        wire.anew();
        if (draining) {
            return false;
        }
        return !plain.isEmpty() || fill(Wait.WAKEABLE, () -> draining || news.getAsBoolean()) > 0;
    }

    @Override
    public void wake() {
        LockSupport.unpark(thread);
    }

    @Override
    public void patience(Duration limit) {
        wire.patience(limit);
    }

    @Override
    public Optional<SSLSession> tls() {
        return tls.map(TlsLayer::session);
    }

    @Override
    public boolean canStartTls() {
        return startTls.isPresent() && tls.isEmpty();
    }

    @Override
    public void startTls() throws IOException {
        if (!canStartTls()) {
            throw new IllegalStateException("TLS is on already or not offered here");
        }
        if (unsentSize > 0) {
            // What is here before the client has seen our answer is not a handshake: RFC 3207 §4.2.
            do {
                received.clear();
            } while (wire.readNow(received) > 0);
        }
        received.clear();
        received.release();
        flush();
        handshake(startTls.get());
    }

    @Override
    public boolean draining() {
        return draining;
    }

    @Override
    public void leaveToSuccessor() {
        if (!draining) {
            throw new IllegalStateException("no successor is to come");
        }
        left = true;
    }

    /// Whether the last conversation has left the connection to the next one.
    boolean isLeft() {
        return left;
    }

    /// Makes a connection that was left ready for the next conversation.
    void passOn(Duration patience) {
        left = false;
        draining = false;
        patience(patience);
    }

    /// Puts TLS on with what came so far taken for the beginning of the handshake, for a listener
    /// whose TLS is implicit.
    void handshake(Credentials credentials) throws IOException {
        TlsLayer layer = new TlsLayer(credentials.engine(), wire, received);
        wire.within(handshakePatience, layer::handshake);
        plain = new Octets();
        tls = Optional.of(layer);
    }

    /// Reads the header that a proxy sends ahead of all else, and takes over who the client is.
    void readProxyHeader() throws IOException {
        wire.within(
                handshakePatience,
                () -> {
                    if (ProxyHeader.read(input) instanceof ProxyHeader.Proxied proxied) {
                        peer = new Peer(proxied.client(), peer.listener());
                        local = proxied.server();
                    }
                });
    }

    /// Tells the conversation to come to its end, and wakes it when it waits for the client. From
    /// any thread.
    void drain() {
        draining = true;
        wake();
    }

    /// Breaks the connection, which ends every read and write on it. From any thread.
    void abort() throws IOException {
        wire.abort();
        wake();
    }

    /// Stops a conversation that pays no heed to a broken connection either. From any thread.
    void interrupt() {
        thread.interrupt();
    }

    boolean isOwn() {
        return thread == Thread.currentThread();
    }

    /// Sends what is left and closes.
    void finish() throws IOException {
        if (!wire.isOpen()) {
            return;
        }
        try {
            wire.patience(LAST_WORDS);
            flush();
            if (tls.isPresent()) {
                tls.get().closeOutput();
            }
            wire.closeGently(LINGER);
        } finally {
            wire.abort();
        }
    }

    /// How a read waits.
    private enum Wait {
        /// At first in the socket, where nobody can wake it and which is quicker.
        LONG,

        /// So that it can be woken at any time.
        WAKEABLE
    }

    /// Reads more into `plain`.
    ///
    /// @param enough ends a wait early
    /// @return how much; 0 when `enough` ended the wait; -1 at the end of what the client sends
    private int fill(Wait wait, BooleanSupplier enough) throws IOException {
        int n = tls.isPresent() ? decode() : 0;
        if (n == 0 && unsentSize > 0) {
            n = decoded(wire.readNow(received));
            if (n == 0) {
                flush();
            }
        }
        while (n == 0) {
            n = decoded(wait == Wait.LONG ? wire.readSoon(received) : wire.look(received));
            if (n == 0) {
                release();
                wire.awaitReadable(enough);
                if (enough.getAsBoolean()) {
                    return 0;
                }
                n = decoded(wire.readNow(received));
            }
        }
        return n;
    }

    /// What a read from the wire means for the protocol.
    private int decoded(int fromWire) throws IOException {
        return fromWire > 0 && tls.isPresent() ? decode() : fromWire;
    }

    private int decode() throws IOException {
        return tls.orElseThrow().decode(plain);
    }

    private void release() {
        received.release();
        plain.release();
        unsent = NONE;
        tls.ifPresent(TlsLayer::release);
    }

    private void flush() throws IOException {
        if (unsentSize > 0) {
            int size = unsentSize;
            unsentSize = 0;
            send(ByteBuffer.wrap(unsent, 0, size));
        }
    }

    private void send(ByteBuffer octets) throws IOException {
        if (tls.isPresent()) {
            tls.get().write(octets);
        } else {
            wire.write(octets);
        }
    }

    private final class Input extends InputStream {

        @Override
        public int read() throws IOException {
            return plain.isEmpty() && fill(Wait.LONG, NEVER) < 0 ? -1 : plain.next();
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, target.length);
            if (length == 0) {
                return 0;
            }
            return plain.isEmpty() && fill(Wait.LONG, NEVER) < 0
                    ? -1
                    : plain.take(target, offset, length);
        }

        @Override
        public long skip(long octets) throws IOException {
            return octets <= 0 || plain.isEmpty() && fill(Wait.LONG, NEVER) < 0
                    ? 0
                    : plain.skip(octets);
        }

        /// What can be read without waiting; may be less than what the client has sent, but not 0
        /// when it has sent something.
        @Override
        public int available() throws IOException {
            if (plain.isEmpty() && (tls.isEmpty() || decode() == 0)) {
                decoded(wire.readNow(received));
            }
            return plain.size();
        }
    }

    private final class Output extends OutputStream {

        @Override
        public void write(int octet) throws IOException {
            makeRoom(1);
            unsent[unsentSize++] = (byte) octet;
        }

        @Override
        public void write(byte[] octets, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, octets.length);
            if (length >= MOST_OUTPUT) {
                StreamConnection.this.flush();
                send(ByteBuffer.wrap(octets, offset, length));
            } else {
                makeRoom(length);
                System.arraycopy(octets, offset, unsent, unsentSize, length);
                unsentSize += length;
            }
        }

        @Override
        public void flush() throws IOException {
            StreamConnection.this.flush();
        }

        private void makeRoom(int octets) throws IOException {
            if (unsentSize + octets > MOST_OUTPUT) {
                StreamConnection.this.flush();
            }
            if (unsentSize + octets > unsent.length) {
                int size = Math.max(LEAST_OUTPUT, Math.max(2 * unsent.length, unsentSize + octets));
                unsent = Arrays.copyOf(unsent, Math.min(size, MOST_OUTPUT));
            }
        }
    }
}
