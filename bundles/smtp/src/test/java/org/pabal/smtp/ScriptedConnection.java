package org.pabal.smtp;

import org.pabal.protocol.Connection;
import org.pabal.protocol.Peer;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

import javax.net.ssl.SSLSession;

/// A client who says the same whatever it hears, in portions, on the thread of the conversation.
final class ScriptedConnection implements Connection {

    /// How much of the script one read brings.
    enum Portions {
        OCTETS,
        LINES,
        ALL
    }

    final ByteArrayOutputStream said = new ByteArrayOutputStream();
    final List<Duration> patiences = new ArrayList<>();
    private final byte[] script;
    private final Portions portions;
    private boolean greeted;
    private int at;

    ScriptedConnection(byte[] script, Portions portions) {
        this.script = script;
        this.portions = portions;
    }

    @Override
    public Peer peer() {
        return new Peer(new InetSocketAddress("127.0.0.1", 40_000), "smtp");
    }

    @Override
    public InetSocketAddress local() {
        return new InetSocketAddress("127.0.0.1", 25);
    }

    @Override
    public InputStream input() {
        return new InputStream() {
            @Override
            public int read() {
                return at < script.length ? script[at++] & 0xFF : -1;
            }

            @Override
            public int read(byte[] target, int offset, int length) {
                if (at == script.length) {
                    return -1;
                }
                int start = at;
                do {
                    target[offset + at - start] = script[at++];
                } while (at < script.length && at - start < length && !endOfPortion());
                return at - start;
            }
        };
    }

    private boolean endOfPortion() {
        return switch (portions) {
            case OCTETS -> true;
            case LINES -> script[at - 1] == '\n';
            case ALL -> false;
        };
    }

    @Override
    public OutputStream output() {
        return said;
    }

    /// Nothing comes before the greeting.
    @Override
    public boolean awaitInput() {
        boolean first = !greeted;
        greeted = true;
        return !first && at < script.length;
    }

    @Override
    public void patience(Duration limit) {
        patiences.add(limit);
    }

    @Override
    public Optional<SSLSession> tls() {
        return Optional.empty();
    }

    @Override
    public boolean canStartTls() {
        return false;
    }

    @Override
    public void startTls() {
        throw new IllegalStateException("no TLS here");
    }

    @Override
    public boolean draining() {
        return false;
    }

    @Override
    public boolean awaitInput(BooleanSupplier news) {
        return awaitInput();
    }

    @Override
    public void wake() {}

    @Override
    public void leaveToSuccessor() {
        throw new IllegalStateException("no successor is to come");
    }
}
