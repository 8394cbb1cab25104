package org.pabal.dns.server;

import org.pabal.protocol.Peer;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;

/// Says that queries failed in us, at most once a minute: whoever finds a query that does must not
/// fill the disk with it.
public final class FaultLog {

    private static final long PAUSE = TimeUnit.MINUTES.toNanos(1);

    private final BiConsumer<String, Throwable> log;
    private final AtomicLong silentUntil = new AtomicLong(System.nanoTime());
    private final AtomicLong silenced = new AtomicLong();

    /// @param log an error and its cause
    public FaultLog(BiConsumer<String, Throwable> log) {
        this.log = log;
    }

    public void note(Peer from, Exception fault) {
        long now = System.nanoTime();
        long until = silentUntil.get();
        if (now - until < 0 || !silentUntil.compareAndSet(until, now + PAUSE)) {
            silenced.incrementAndGet();
            return;
        }
        log.accept(
                "dns: a query from %s could not be answered, got SERVFAIL (%d others since the last such line): %s; please report it"
                        .formatted(
                                from.address().getAddress().getHostAddress(),
                                silenced.getAndSet(0),
                                fault),
                fault);
    }
}
