package org.pabal.testkit;

import org.pabal.protocol.Connection;
import org.pabal.protocol.Peer;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

import javax.net.ssl.SSLSession;

/// A connection without a socket: a test plays the client, a protocol under test has the other end.
///
/// Its patience is that of a socket and counts real time; a test that does not want to wait calls
/// [#expire()]. TLS is only said, not spoken: [#startTls()] drops early plaintext and [#tls()] is
/// there from then on.
public final class TestConnection implements Connection, AutoCloseable {

    /// What a conversation has unless it asks for less: long enough for a slow machine, short
    /// enough to see a test hang.
    static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Pipe fromClient = new Pipe();
    private final Pipe toClient = new Pipe();
    private final OutputStream output = new BufferedOutputStream(toClient.output(), 8192);
    private final InputStream input = fromClient.input(output::flush);
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition tlsChanged = lock.newCondition();
    private volatile Peer peer = new Peer(new InetSocketAddress("127.0.0.1", 40_000), "test");
    private volatile Optional<SSLSession> tls = Optional.empty();
    private volatile boolean startTlsAllowed;
    private volatile boolean draining;
    private volatile boolean left;
    private volatile boolean clientGone;
    private volatile Duration patience = PATIENCE;

    /// From 127.0.0.1 by a listener named `test`, in the clear, without STARTTLS.
    public TestConnection() {}

    /// Says who the client is.
    public TestConnection from(Peer peer) {
        this.peer = peer;
        return this;
    }

    /// Lets the protocol offer STARTTLS.
    public TestConnection allowStartTls() {
        startTlsAllowed = true;
        return this;
    }

    /// Begins with TLS on.
    public TestConnection withTls() {
        tls = Optional.of(new TestTlsSession());
        return this;
    }

    /// What the client sends.
    public OutputStream toServer() {
        return fromClient.output();
    }

    /// What the client hears; a read that waits for more than half a minute fails.
    public InputStream fromServer() {
        return toClient.input(() -> toClient.patience(PATIENCE.toNanos()));
    }

    /// The client goes away: the protocol reads the end and can write no more.
    @Override
    public void close() {
        clientGone = true;
        fromClient.close();
        toClient.close();
    }

    /// The conversation is over: what the transport does when `converse` has returned.
    public void finish() throws IOException {
        if (!clientGone) {
            output.flush();
        }
        fromClient.close();
        toClient.close();
    }

    /// The protocol is being replaced.
    public void drain() {
        draining = true;
        fromClient.wake();
    }

    /// Whether the protocol has left the connection to its successor.
    public boolean isLeft() {
        return left;
    }

    /// The successor is there: the next conversation may begin.
    public void passOn() {
        left = false;
        draining = false;
    }

    /// The client's time is up: what waits for it, now or next, sees a time-out.
    public void expire() {
        fromClient.expire();
    }

    /// Whether nobody has seen yet that the client's time is up.
    public boolean isExpiring() {
        return fromClient.isExpiring();
    }

    /// Waits for TLS; false when it did not come within half a minute.
    public boolean awaitTls() throws InterruptedException {
        long nanos = PATIENCE.toNanos();
        lock.lock();
        try {
            while (tls.isEmpty() && nanos > 0) {
                nanos = tlsChanged.awaitNanos(nanos);
            }
            return tls.isPresent();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Peer peer() {
        return peer;
    }

    @Override
    public InetSocketAddress local() {
        return new InetSocketAddress("127.0.0.1", 25);
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
        output.flush();
        fromClient.patience(patience.toNanos());
        return fromClient.await(() -> draining);
    }

    @Override
    public boolean awaitInput(BooleanSupplier news) throws IOException {
        output.flush();
        fromClient.patience(patience.toNanos());
        return fromClient.await(() -> draining || news.getAsBoolean());
    }

    @Override
    public void wake() {
        fromClient.wake();
    }

    @Override
    public void patience(Duration limit) {
        patience = limit;
        fromClient.patience(limit.toNanos());
    }

    @Override
    public Optional<SSLSession> tls() {
        return tls;
    }

    @Override
    public boolean canStartTls() {
        return startTlsAllowed && tls.isEmpty();
    }

    @Override
    public void startTls() throws IOException {
        if (!canStartTls()) {
            throw new IllegalStateException("no STARTTLS on this connection");
        }
        // RFC 3207 §4.2: before the reply goes out, so that what the client answers to it is not
        // thrown away as well
        fromClient.discard();
        output.flush();
        lock.lock();
        try {
            tls = Optional.of(new TestTlsSession());
            tlsChanged.signalAll();
        } finally {
            lock.unlock();
        }
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
}
