package org.pabal.transport;

import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// A TCP connection's octets, and the patience with which they are awaited.
///
/// A wait has three parts. First the thread lets others run and looks again, which costs next to
/// nothing and under load is mostly enough. Then for some moments it blocks in the socket, for a
/// client that answers soon. After that it stands at the [Doorkeeper], where it can be woken and
/// holds no buffer.
final class Wire {

    private static final int SOON_MILLIS = 100;
    private static final int LOOKS = 4;
    private static final int PIECE = 16 * 1024;
    private static final BooleanSupplier NEVER = () -> false;

    private final SocketChannel channel;
    private final Doorkeeper doorkeeper;
    private final Supplier<Duration> idleLimit;
    private final InputStream blocking;
    private long patience;
    private long left;
    private boolean ended;

    /// @param idleLimit an upper bound of the patience with a client that owes us nothing, asked
    ///     each time
    Wire(
            SocketChannel channel,
            Doorkeeper doorkeeper,
            Duration patience,
            Supplier<Duration> idleLimit)
            throws IOException {
        this.channel = channel;
        this.doorkeeper = doorkeeper;
        this.idleLimit = idleLimit;
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        blocking = channel.socket().getInputStream();
        channel.configureBlocking(false);
        patience(patience);
    }

    /// The time that the reads from here on may wait in sum.
    void patience(Duration limit) {
        patience = saturated(limit);
        left = patience;
    }

    /// Starts the patience anew, for the wait between two commands.
    void anew() {
        left = Math.min(patience, saturated(idleLimit.get()));
    }

    /// Runs an exchange that has a patience of its own, e.g. a handshake.
    void within(Duration limit, Exchange exchange) throws IOException {
        long patienceBefore = patience;
        long leftBefore = left;
        patience(limit);
        exchange.run();
        patience = patienceBefore;
        left = leftBefore;
    }

    /// What [#within] runs.
    interface Exchange {
        void run() throws IOException;
    }

    /// Reads what is there. 0 when there is nothing, -1 when the client has ended.
    int readNow(Octets target) throws IOException {
        byte[] space = target.space();
        int n = channel.read(ByteBuffer.wrap(space, target.end(), space.length - target.end()));
        return noted(n, target);
    }

    /// Reads, letting others run when need be. 0 when nothing came, -1 when the client has ended.
    int look(Octets target) throws IOException {
        for (int look = 0; look < LOOKS; look++) {
            Thread.yield();
            int n = readNow(target);
            if (n != 0) {
                return n;
            }
        }
        return 0;
    }

    /// Reads, waiting a moment when need be. 0 when nothing came, -1 when the client has ended.
    int readSoon(Octets target) throws IOException {
        int seen = look(target);
        if (seen != 0) {
            return seen;
        }
        byte[] space = target.space();
        long begin = System.nanoTime();
        if (left <= 0) {
            throw overdue();
        }
        channel.socket()
                .setSoTimeout(Math.clamp(TimeUnit.NANOSECONDS.toMillis(left), 1, SOON_MILLIS));
        channel.configureBlocking(true);
        try {
            return noted(blocking.read(space, target.end(), space.length - target.end()), target);
        } catch (SocketTimeoutException e) {
            return 0;
        } finally {
            if (channel.isOpen()) {
                channel.configureBlocking(false);
            }
            left -= System.nanoTime() - begin;
        }
    }

    /// Waits until there is something to read or `enough` says so.
    ///
    /// @throws SocketTimeoutException when the patience was over first
    void awaitReadable(BooleanSupplier enough) throws IOException {
        long begin = System.nanoTime();
        if (left <= 0) {
            throw overdue();
        }
        doorkeeper.await(channel, SelectionKey.OP_READ, left, enough);
        left -= System.nanoTime() - begin;
    }

    /// Writes all of it. Each piece of it may take the client the whole patience, and no longer.
    void write(ByteBuffer octets) throws IOException {
        int limit = octets.limit();
        while (octets.position() < limit) {
            octets.limit(Math.min(limit, octets.position() + PIECE));
            long deadline = System.nanoTime() + patience;
            while (octets.hasRemaining()) {
                if (channel.write(octets) == 0) {
                    long allowed = deadline - System.nanoTime();
                    if (allowed <= 0) {
                        throw overdue();
                    }
                    doorkeeper.await(channel, SelectionKey.OP_WRITE, allowed, NEVER);
                }
            }
        }
    }

    /// Closes so that the client gets what we wrote last: while octets that we have not read are
    /// under way, a plain close would reset the connection and may destroy it (RFC 1122 §4.2.2.13).
    /// So we end our side first, and read on for a moment until the client ends its side.
    void closeGently(Duration limit) throws IOException {
        if (!channel.isOpen()) {
            return;
        }
        try (channel) {
            if (ended) {
                return;
            }
            channel.shutdownOutput();
            patience(limit);
            Octets rest = new Octets();
            long most = 1_000_000;
            for (int n = readSoon(rest); n >= 0 && most > 0; n = readSoon(rest)) {
                most -= n;
                rest.clear();
            }
        } catch (SocketTimeoutException e) {
            ended = true;
        }
    }

    /// Closes at once, from any thread.
    void abort() throws IOException {
        channel.close();
    }

    boolean isOpen() {
        return channel.isOpen();
    }

    private int noted(int n, Octets target) {
        if (n > 0) {
            target.added(n);
        } else if (n < 0) {
            ended = true;
        }
        return n;
    }

    private static SocketTimeoutException overdue() {
        return new SocketTimeoutException("the client took too long");
    }

    private static long saturated(Duration limit) {
        return limit.compareTo(Duration.ofDays(10_000)) > 0 ? Roster.FOREVER : limit.toNanos();
    }
}
