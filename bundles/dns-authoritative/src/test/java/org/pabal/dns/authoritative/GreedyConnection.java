package org.pabal.dns.authoritative;

import org.pabal.dns.DnsFraming;
import org.pabal.protocol.Connection;
import org.pabal.protocol.Peer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

import javax.net.ssl.SSLSession;

/// A client that has always sent its next query already and has always read the last answer, so
/// that its conversation never has to wait.
final class GreedyConnection implements Connection {

    private static final int WARM = 1000;

    private final byte[] query;
    private final AtomicBoolean enough;
    private final CountDownLatch busy;
    private int at;
    private int queries;

    /// @param enough ends it
    /// @param busy counted down when it got a thousand answers
    GreedyConnection(byte[] query, AtomicBoolean enough, CountDownLatch busy) throws IOException {
        ByteArrayOutputStream framed = new ByteArrayOutputStream();
        DnsFraming.write(framed, query);
        this.query = framed.toByteArray();
        this.enough = enough;
        this.busy = busy;
    }

    @Override
    public InputStream input() {
        return new InputStream() {
            @Override
            public int read() {
                int octet = query[at] & 0xFF;
                at = (at + 1) % query.length;
                return octet;
            }
        };
    }

    @Override
    public OutputStream output() {
        return OutputStream.nullOutputStream();
    }

    @Override
    public boolean awaitInput() {
        if (++queries == WARM) {
            busy.countDown();
        }
        return !enough.get();
    }

    @Override
    public Peer peer() {
        return new Peer(local(), "test");
    }

    @Override
    public InetSocketAddress local() {
        return new InetSocketAddress("127.0.0.1", 53);
    }

    @Override
    public void patience(Duration limit) {}

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
