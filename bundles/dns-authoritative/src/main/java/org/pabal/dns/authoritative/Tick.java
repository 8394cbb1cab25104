package org.pabal.dns.authoritative;

import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.locks.LockSupport;

/// The time, looked up twenty times a second instead of with every query: asking for it costs as
/// much as finding a name.
final class Tick implements AutoCloseable {

    private static final Duration PERIOD = Duration.ofMillis(50);

    private final InstantSource clock;
    private volatile long millis;
    private volatile boolean closed;
    private final Thread thread = Thread.ofVirtual().name("dns tick").unstarted(this::run);

    /// Stands still until it is started or told to look.
    Tick(InstantSource clock) {
        this.clock = clock;
        look();
    }

    void start() {
        thread.start();
    }

    /// Milliseconds since 1970.
    long millis() {
        return millis;
    }

    /// Seconds since 1970 as cookies write them, RFC 9018 §4.3.
    int seconds() {
        return (int) (millis / 1000);
    }

    void look() {
        millis = clock.millis();
    }

    private void run() {
        while (!closed) {
            look();
            LockSupport.parkNanos(PERIOD.toNanos());
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
