package org.pabal.dns.recursive;

import org.pabal.dns.DnsFraming;
import org.pabal.protocol.Connection;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/// One client's stream. RFC 7766 §6.2.1.1: it may send queries without waiting, and none of them
/// waits for another one: answers go out as they come. So many may be on their way; then we read no
/// more until one has come, and the client feels it (security row D18).
///
/// A connection belongs to one thread, so this one reads and writes in turn while other threads
/// look up. They put their answers into a queue and wake it:
///
/// ```
/// client ── query ──► this thread ── question ──► whoever looks up
///    ▲                 │      ▲                        │
///    └──── answer ─────┘      └── done, wake() ◄───────┘
/// ```
///
/// When the bundle is replaced, what is on its way is answered, and the client stays connected: its
/// next query is read by the successor.
final class ClientStream {

    /// After so many queries a stream that never has to wait lets others have its processor:
    /// virtual threads are not taken off it.
    private static final int TURN = 1000;

    /// In place of an answer: there is to be none, and the stream ends.
    static final byte[] NO_ANSWER = {};

    /// Answers queries.
    interface Answering {

        /// @param done told the answer, or [#NO_ANSWER], once: now or by another thread
        void take(byte[] query, Consumer<byte[]> done);
    }

    private final Connection connection;
    private final Duration idle;
    private final int most;
    private final int mostInFlight;
    private final BlockingQueue<byte[]> done = new LinkedBlockingQueue<>();
    private int queries;
    private int inFlight;
    private boolean over;

    /// @param most queries, after which the stream is closed
    /// @param mostInFlight of them at one time
    ClientStream(Connection connection, Duration idle, int most, int mostInFlight) {
        this.connection = connection;
        this.idle = idle;
        this.most = most;
        this.mostInFlight = mostInFlight;
    }

    void converse(Answering answering) throws IOException {
        connection.patience(idle);
        while (!over && queries < most && !connection.draining()) {
            if (inFlight == mostInFlight) {
                write(awaitDone());
            } else if (awaitQuery()) {
                takeWhatIsThere(answering);
            }
            writeWhatIsDone();
        }
        while (inFlight > 0) {
            write(awaitDone());
        }
        if (!over && queries < most) {
            connection.leaveToSuccessor();
        }
    }

    /// Waits for the next query, or for an answer to one before.
    private boolean awaitQuery() throws IOException {
        if (inFlight == 0) {
            boolean there = connection.awaitInput();
            over = !there && !connection.draining();
            return there;
        }
        try {
            boolean there = connection.awaitInput(() -> !done.isEmpty());
            over = !there && done.isEmpty() && !connection.draining();
            return there;
        } catch (SocketTimeoutException e) {
            return false; // RFC 7766 §6.2.3: who waits for us is not idle
        }
    }

    private void takeWhatIsThere(Answering answering) throws IOException {
        do {
            takeNext(answering);
        } while (!over
                && queries < most
                && inFlight < mostInFlight
                && connection.input().available() > 0);
    }

    private void takeNext(Answering answering) throws IOException {
        Optional<byte[]> query = DnsFraming.read(connection.input());
        if (query.isEmpty()) {
            over = true;
            return;
        }
        if (++queries % TURN == 0) {
            LockSupport.parkNanos(1);
        }
        inFlight++;
        answering.take(query.get(), this::done);
    }

    /// By whatever thread.
    private void done(byte[] answer) {
        done.add(answer);
        connection.wake();
    }

    private void writeWhatIsDone() throws IOException {
        for (byte[] next = done.poll(); next != null; next = done.poll()) {
            write(next);
        }
    }

    private void write(byte[] answer) throws IOException {
        inFlight--;
        if (answer.length > 0) {
            DnsFraming.write(connection.output(), answer);
        } else {
            over = true;
        }
    }

    private byte[] awaitDone() throws IOException {
        if (done.isEmpty()) {
            connection.output().flush();
        }
        try {
            return done.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
