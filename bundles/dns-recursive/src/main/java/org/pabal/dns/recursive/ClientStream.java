package org.pabal.dns.recursive;

import org.pabal.dns.DnsFraming;
import org.pabal.protocol.Connection;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/// One client's stream. RFC 7766 §6.2.1.1: it may send queries without waiting, and none of them
/// waits for another one: answers go out as they come. So many may be on their way; then we read no
/// more until one has come, and the client feels it (security row D18).
///
/// A connection belongs to one thread, so this one reads and writes in turn while other threads
/// look up: while answers are on their way it looks every few milliseconds whether there is another
/// query, and while there are none it waits for the client.
final class ClientStream {

    /// DNS has no word for goodbye: a stream that has to end still answers what is on its way to
    /// us, and RFC 7766 §6.2.4 has clients ask again when a stream ends before an answer.
    private static final Duration LAST_QUERIES = Duration.ofMillis(300);

    /// How long a query may stand unread because others are being looked up.
    private static final Duration LOOK = Duration.ofMillis(20);

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
        while (!over && (inFlight > 0 || queries < most && connection.awaitInput())) {
            if (inFlight == 0) {
                takeNext(answering);
            }
            takeWhatIsThere(answering);
            writeWhatIsDone();
        }
        if (connection.draining() && !over) {
            takeTheLast(answering);
        }
        while (inFlight > 0) {
            writeWhatIsDone();
        }
    }

    private void takeWhatIsThere(Answering answering) throws IOException {
        while (!over
                && queries < most
                && inFlight < mostInFlight
                && connection.input().available() > 0) {
            takeNext(answering);
        }
    }

    private void takeTheLast(Answering answering) throws IOException {
        connection.patience(LAST_QUERIES);
        try {
            while (!over && queries < most && inFlight < mostInFlight) {
                takeNext(answering);
            }
        } catch (SocketTimeoutException e) {
            // Nothing more was on its way.
        }
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
        answering.take(query.get(), done::add);
    }

    /// Waits a moment for the first one.
    private void writeWhatIsDone() throws IOException {
        if (inFlight == 0) {
            return;
        }
        Optional<byte[]> next = next(LOOK);
        while (next.isPresent()) {
            inFlight--;
            if (next.get().length > 0) {
                DnsFraming.write(connection.output(), next.get());
            } else {
                over = true;
            }
            next = next(Duration.ZERO);
        }
        if (inFlight > 0) {
            connection.output().flush();
        }
    }

    private Optional<byte[]> next(Duration patience) throws IOException {
        try {
            return Optional.ofNullable(done.poll(patience.toNanos(), TimeUnit.NANOSECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
