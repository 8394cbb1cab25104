package org.pabal.dns.recursive;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

import javax.net.ssl.SSLSocket;

/// Asks servers by TCP or TLS, and keeps streams for some seconds for the next question, as RFC
/// 7766 §6.2.1 wants.
final class StreamPool implements AutoCloseable {

    private static final int MAX_IDLE = 256;
    private static final int MAX_IDLE_EACH = 8;

    /// Most servers close a stream after ten seconds or so; better we do.
    static final Duration IDLE = Duration.ofSeconds(8);

    private static final Duration CONNECT = Duration.ofSeconds(2);

    /// Of messages on one stream that do not fit.
    private static final int MAX_STRANGE = 10;

    private final OpenSockets sockets;
    private final StrictTls tls;
    private final Duration idle;

    private record Key(InetSocketAddress address, Optional<String> tls) {}

    private record Idle(Key key, ServerStream stream, long since) {}

    /// The longest idle first; guarded by this object.
    private final List<Idle> waiting = new ArrayList<>();

    /// Closes what is idle for too long, as long as there is any; guarded by this object.
    private Optional<Thread> sweeper = Optional.empty();

    /// @param idle how long a stream is kept
    StreamPool(OpenSockets sockets, StrictTls tls, Duration idle) {
        this.sockets = sockets;
        this.tls = tls;
        this.idle = idle;
    }

    /// Sends a query and waits for the answer to it.
    ///
    /// @param patience for all of it
    /// @throws SocketTimeoutException when nothing came that fits
    AnswerOctets exchange(Server server, QueryOctets query, Duration patience, Quota quota)
            throws IOException {
        long deadline = System.nanoTime() + Math.min(patience.toNanos(), quota.left().toNanos());
        Key key = new Key(server.address(), server.tls());
        Optional<ServerStream> kept = take(key);
        if (kept.isPresent()) {
            ServerStream stream = kept.get();
            try {
                return exchange(key, stream, query, deadline, quota);
            } catch (SocketTimeoutException | QuotaSpent e) {
                throw e;
            } catch (IOException e) {
                if (stream.heard()) {
                    throw e;
                }
                // RFC 7766 §6.2.4: it was closed while nobody spoke; asked again by a new one
            }
        }
        return exchange(key, open(key, deadline), query, deadline, quota);
    }

    private AnswerOctets exchange(
            Key key, ServerStream stream, QueryOctets query, long deadline, Quota quota)
            throws IOException {
        boolean whole = false;
        try {
            QuotaSpent.fetch(quota);
            stream.send(query.octets(), deadline);
            String fault = "";
            for (int strange = 0; strange <= MAX_STRANGE; strange++) {
                Optional<byte[]> octets = stream.read();
                if (octets.isEmpty()) {
                    throw new IOException("the server closed the stream without an answer");
                }
                AnswerOctets answer = AnswerOctets.readStream(query, octets.get());
                if (answer.fit() != AnswerOctets.Fit.STRANGE) {
                    whole = true;
                    return answer;
                }
                fault = answer.fault();
            }
            throw new IOException("nothing that is an answer, the last: " + fault);
        } catch (SocketTimeoutException e) {
            throw quota.over()
                    ? new QuotaSpent(quota)
                    : new SocketTimeoutException("timed out waiting for the answer");
        } finally {
            if (whole) {
                keep(key, stream);
            } else {
                release(stream);
            }
        }
    }

    private void release(ServerStream stream) {
        sockets.release(stream.socket());
        sockets.release(stream.transport());
    }

    private ServerStream open(Key key, long deadline) throws IOException {
        DeadlineSocket socket = new DeadlineSocket(deadline);
        sockets.add(socket);
        try {
            try {
                socket.connect(key.address, (int) Math.min(CONNECT.toMillis(), socket.left()));
                socket.setTcpNoDelay(true);
            } catch (SocketTimeoutException e) {
                throw new SocketTimeoutException("timed out connecting");
            }
            if (key.tls.isEmpty()) {
                return new ServerStream(socket, socket);
            }
            SSLSocket encrypted = tls.encrypted(socket, key.tls.get());
            sockets.add(encrypted);
            return new ServerStream(socket, encrypted);
        } catch (IOException | RuntimeException e) {
            sockets.release(socket);
            throw e;
        }
    }

    private synchronized Optional<ServerStream> take(Key key) {
        for (int i = waiting.size() - 1; i >= 0; i--) {
            if (waiting.get(i).key.equals(key)) {
                return Optional.of(waiting.remove(i).stream);
            }
        }
        return Optional.empty();
    }

    private synchronized void keep(Key key, ServerStream stream) {
        long same = waiting.stream().filter(each -> each.key.equals(key)).count();
        if (sockets.closed() || same >= MAX_IDLE_EACH || waiting.size() >= MAX_IDLE) {
            release(stream);
            return;
        }
        waiting.add(new Idle(key, stream, System.nanoTime()));
        if (sweeper.isEmpty()) {
            sweeper = Optional.of(Thread.ofVirtual().name("idle streams").start(this::sweep));
        }
    }

    private void sweep() {
        try {
            while (true) {
                Thread.sleep(idle.dividedBy(4));
                synchronized (this) {
                    for (Iterator<Idle> each = waiting.iterator(); each.hasNext(); ) {
                        Idle one = each.next();
                        if (System.nanoTime() - one.since > idle.toNanos()) {
                            each.remove();
                            release(one.stream);
                        }
                    }
                    if (waiting.isEmpty()) {
                        sweeper = Optional.empty();
                        return;
                    }
                }
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    synchronized int idleStreams() {
        return waiting.size();
    }

    @Override
    public void close() {
        Optional<Thread> last;
        synchronized (this) {
            last = sweeper;
            waiting.forEach(each -> release(each.stream));
            waiting.clear();
        }
        last.ifPresent(Thread::interrupt);
        try {
            if (last.isPresent()) {
                last.get().join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
