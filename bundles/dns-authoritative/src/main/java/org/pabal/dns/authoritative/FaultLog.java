package org.pabal.dns.authoritative;

import org.pabal.protocol.Peer;
import org.slf4j.Logger;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Says that queries failed in us, at most once a minute: whoever finds a query that does must not
/// fill the disk with it.
final class FaultLog {

    private static final long PAUSE = TimeUnit.MINUTES.toNanos(1);

    private final Logger log;
    private final AtomicLong silentUntil = new AtomicLong(System.nanoTime());
    private final AtomicLong silenced = new AtomicLong();

    FaultLog(Logger log) {
        this.log = log;
    }

    void note(Peer from, Exception fault) {
        long now = System.nanoTime();
        long until = silentUntil.get();
        if (now - until < 0 || !silentUntil.compareAndSet(until, now + PAUSE)) {
            silenced.incrementAndGet();
            return;
        }
        log.error(
                "dns: a query from {} could not be answered, got SERVFAIL ({} others since the last"
                        + " such line): {}; please report it",
                from.address().getAddress().getHostAddress(),
                silenced.getAndSet(0),
                fault,
                fault);
    }
}
