package org.pabal.dns.authoritative;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/// Lets a line that strangers can cause into the log at most once a minute.
final class SeldomLog {

    private static final long PAUSE = TimeUnit.MINUTES.toNanos(1);

    private final AtomicLong silentUntil = new AtomicLong(System.nanoTime());
    private final AtomicLong silenced = new AtomicLong();

    /// @param line is told how many were left out since the last
    void write(LongConsumer line) {
        long now = System.nanoTime();
        long until = silentUntil.get();
        if (now - until < 0 || !silentUntil.compareAndSet(until, now + PAUSE)) {
            silenced.incrementAndGet();
        } else {
            line.accept(silenced.getAndSet(0));
        }
    }
}
