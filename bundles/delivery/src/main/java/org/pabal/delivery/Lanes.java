package org.pabal.delivery;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// The ways out, one [Lane] for each next hop that mail is under way to, and what all of them may
/// take together.
///
/// Nobody waits here for another next hop: a host that is dead or slow holds up its own lane only.
final class Lanes implements AutoCloseable {

    /// @param connections of one lane at once
    /// @param allConnections of all lanes at once, with a message on them
    /// @param messages on one connection
    /// @param rate messages a minute to one next hop; 0 for as many as go
    /// @param idle how long a connection is kept open for the next message
    record Limits(int connections, int allConnections, int messages, int rate, Duration idle) {

        static final Limits DEFAULT = new Limits(20, 1_000, 100, 0, Duration.ofSeconds(2));
    }

    /// What is done when it is one's turn.
    @FunctionalInterface
    interface Turn {
        void take(Lane lane) throws IOException;
    }

    /// What those who are slow to say goodbye may take when all is closed.
    private static final Duration GOODBYES = Duration.ofSeconds(5);

    private final Limits limits;
    private final Semaphore all;
    private final ConcurrentHashMap<String, Lane> lanes = new ConcurrentHashMap<>();
    private final AtomicBoolean sweeping = new AtomicBoolean();
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile boolean closed;

    Lanes(Limits limits) {
        this.limits = limits;
        this.all = new Semaphore(limits.allConnections(), true);
    }

    /// Waits for a turn in the lane of a next hop, and takes it.
    void with(NextHop hop, Turn turn) throws IOException {
        Lane lane =
                lanes.compute(
                        hop.name(),
                        (name, there) ->
                                (there == null ? new Lane(limits, this::start) : there).entered());
        try {
            lane.turns().acquire();
            try {
                all.acquire();
                try {
                    turn.take(lane);
                } finally {
                    all.release();
                }
            } finally {
                lane.turns().release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("told to stop");
        } finally {
            lane.left();
            if (closed) {
                lane.closeIdle();
            }
            dropWhenUnused(hop.name());
            if (lane.hasIdle() && sweeping.compareAndSet(false, true)) {
                start("delivery: idle connections", this::sweep);
            }
        }
    }

    /// Runs something in a thread that [#close()] waits for.
    private void start(String name, Runnable task) {
        Thread thread =
                Thread.ofVirtual()
                        .name(name)
                        .unstarted(
                                () -> {
                                    try {
                                        task.run();
                                    } finally {
                                        threads.remove(Thread.currentThread());
                                    }
                                });
        threads.add(thread);
        thread.start();
    }

    private void dropWhenUnused(String name) {
        lanes.computeIfPresent(name, (n, lane) -> lane.unused() ? null : lane);
    }

    /// Closes connections that lay idle for long enough; runs while there are any.
    private void sweep() {
        try {
            while (!closed) {
                long pause = Math.clamp(limits.idle().toMillis() / 2, 100, 5_000);
                if (closing.await(pause, TimeUnit.MILLISECONDS)) {
                    return;
                }
                lanes.forEach(
                        (name, lane) -> {
                            lane.closeOld();
                            dropWhenUnused(name);
                        });
                if (lanes.values().stream().noneMatch(Lane::hasIdle)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            sweeping.set(false);
        }
    }

    /// How many next hops there is mail under way to, or a connection open.
    int size() {
        return lanes.size();
    }

    /// Says goodbye on all idle connections, and waits for the others' word, but not for long;
    /// those in use end with their message.
    @Override
    public void close() {
        closed = true;
        closing.countDown();
        lanes.values().forEach(Lane::closeIdle);
        long end = System.nanoTime() + GOODBYES.toNanos();
        try {
            for (Thread thread : threads) {
                thread.join(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
