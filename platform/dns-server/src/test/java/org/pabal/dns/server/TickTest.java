package org.pabal.dns.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

class TickTest {

    private final AtomicLong now = new AtomicLong(1_790_000_000);

    private Tick tick() {
        return new Tick(() -> Instant.ofEpochSecond(now.get()));
    }

    @Test
    @Timeout(30)
    void followsTheClockUntilItIsEnded() {
        Tick tick = tick();
        assertEquals(1_790_000_000, tick.seconds());
        Thread lent = Thread.ofVirtual().start(tick);
        now.addAndGet(5);
        while (tick.seconds() != 1_790_000_005) {
            Thread.onSpinWait();
        }
        tick.end(lent);
        now.addAndGet(5);
        assertEquals(1_790_000_005_000L, tick.millis(), "its thread has ended");
    }

    /// RFC 9018 §4.3: 32 bits, which are full in 2106
    @Test
    void secondsAreThoseOfCookies() {
        now.set((1L << 32) + 7);
        assertEquals(7, tick().seconds());
    }
}
