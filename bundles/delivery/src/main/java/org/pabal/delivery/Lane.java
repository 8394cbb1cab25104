package org.pabal.delivery;

import org.pabal.mail.Status;

import java.io.InterruptedIOException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/// The way to one next hop: who may go now, the connections that are open, and whether anybody got
/// through.
///
/// It begins with two connections at once and gets more with each one that is answered, so that
/// hosts that are dead take little of what there is for all.
final class Lane {

    private static final int FIRST_TURNS = 2;
    private static final int MORE_TURNS = 2;
    private static final int MAX_IDLE = 20;

    private final Lanes.Limits limits;
    private final BiConsumer<String, Runnable> threads;
    private final Semaphore turns;

    /// All below is guarded by this lane.
    private final Deque<OpenConnection> idle = new ArrayDeque<>();

    private int granted;
    private int users;
    private Optional<Instant> failedAt = Optional.empty();
    private Optional<Status> failure = Optional.empty();
    private long nextNanos = System.nanoTime();

    /// @param threads runs what has a name in a thread of its own
    Lane(Lanes.Limits limits, BiConsumer<String, Runnable> threads) {
        this.limits = limits;
        this.threads = threads;
        this.granted = Math.min(FIRST_TURNS, limits.connections());
        this.turns = new Semaphore(granted, true);
    }

    Semaphore turns() {
        return turns;
    }

    synchronized Lane entered() {
        users++;
        return this;
    }

    synchronized void left() {
        users--;
    }

    synchronized boolean unused() {
        return users == 0 && idle.isEmpty();
    }

    /// Somebody was reached.
    synchronized void works() {
        failedAt = Optional.empty();
        int more = Math.min(MORE_TURNS, limits.connections() - granted);
        if (more > 0) {
            granted += more;
            turns.release(more);
        }
    }

    /// Nobody can be reached just now.
    synchronized void fails(Status why, Instant now) {
        failedAt = Optional.of(now);
        failure = Optional.of(why);
    }

    /// Why a message need not be tried: it was due already when somebody else found out that nobody
    /// can be reached. One that comes later finds out for itself.
    ///
    /// @param due since when the message could have gone
    synchronized Optional<Status> closed(Instant due) {
        return failedAt.filter(due::isBefore).flatMap(at -> failure);
    }

    /// A connection that is open and waits for a message.
    ///
    /// @param verified whether only one will do over which a REQUIRETLS message may go
    Optional<OpenConnection> idle(boolean verified) {
        while (true) {
            OpenConnection connection;
            synchronized (this) {
                connection =
                        idle.stream()
                                .filter(each -> !verified || each.verified())
                                .findFirst()
                                .orElse(null);
                if (connection == null) {
                    return Optional.empty();
                }
                idle.remove(connection);
            }
            if (connection.goesOn()) {
                return Optional.of(connection);
            }
            connection.conversation().close();
        }
    }

    void giveBack(OpenConnection connection, boolean usable) {
        if (usable && connection.goesOn()) {
            connection.rests(System.nanoTime());
            synchronized (this) {
                if (idle.size() < MAX_IDLE) {
                    idle.push(connection);
                    return;
                }
            }
        }
        goodbye(connection);
    }

    private void goodbye(OpenConnection connection) {
        threads.accept(
                "delivery: goodbye to " + connection.where(), connection.conversation()::quit);
    }

    synchronized boolean hasIdle() {
        return !idle.isEmpty();
    }

    void closeOld() {
        close(System.nanoTime() - limits.idle().toNanos());
    }

    void closeIdle() {
        close(System.nanoTime());
    }

    private void close(long idleSince) {
        List<OpenConnection> old = new ArrayList<>();
        synchronized (this) {
            idle.removeIf(
                    connection -> {
                        boolean over = connection.idleSince() - idleSince <= 0;
                        if (over) {
                            old.add(connection);
                        }
                        return over;
                    });
        }
        old.forEach(this::goodbye);
    }

    /// Waits until one more message may go, where there is a rate.
    void awaitRate() throws InterruptedIOException {
        if (limits.rate() == 0) {
            return;
        }
        long wait;
        synchronized (this) {
            long now = System.nanoTime();
            nextNanos = Math.max(nextNanos, now);
            wait = nextNanos - now;
            nextNanos += TimeUnit.MINUTES.toNanos(1) / limits.rate();
        }
        try {
            TimeUnit.NANOSECONDS.sleep(wait);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("told to stop");
        }
    }
}
