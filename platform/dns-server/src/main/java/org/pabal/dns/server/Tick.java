package org.pabal.dns.server;

import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.locks.LockSupport;

/// The time, looked up twenty times a second instead of with every query: asking for it costs as
/// much as finding a name. Stands still until somebody lends it a thread, or tells it to look.
public final class Tick implements Runnable {

    private static final Duration PERIOD = Duration.ofMillis(50);

    private final InstantSource clock;
    private volatile long millis;
    private volatile boolean ended;

    public Tick(InstantSource clock) {
        this.clock = clock;
        look();
    }

    /// Milliseconds since 1970.
    public long millis() {
        return millis;
    }

    /// Seconds since 1970 as cookies write them, RFC 9018 §4.3.
    public int seconds() {
        return (int) (millis / 1000);
    }

    public void look() {
        millis = clock.millis();
    }

    /// Looks again and again, until [#end()].
    @Override
    public void run() {
        while (!ended) {
            look();
            LockSupport.parkNanos(PERIOD.toNanos());
        }
    }

    public void end() {
        ended = true;
    }

    /// The same, and waits for a thread that runs it.
    public void end(Thread lent) {
        end();
        LockSupport.unpark(lent);
        try {
            lent.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
