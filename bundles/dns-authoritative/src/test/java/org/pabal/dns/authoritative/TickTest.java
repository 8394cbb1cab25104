package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pabal.testkit.MovableClock;

import java.time.Duration;
import java.time.Instant;

class TickTest {

    private final MovableClock clock = new MovableClock(Instant.ofEpochSecond(1_790_000_000));

    @Test
    @Timeout(30)
    void followsTheClockUntilItIsClosed() {
        Tick tick = new Tick(clock);
        assertEquals(1_790_000_000, tick.seconds());
        tick.start();
        clock.advance(Duration.ofSeconds(5));
        while (tick.seconds() != 1_790_000_005) {
            Thread.onSpinWait();
        }
        tick.close();
        clock.advance(Duration.ofSeconds(5));
        assertEquals(1_790_000_005_000L, tick.millis(), "its thread has ended");
    }

    /// RFC 9018 §4.3: 32 bits, which are full in 2106
    @Test
    void secondsAreThoseOfCookies() {
        clock.advance(Duration.ofSeconds((1L << 32) - 1_790_000_000 + 7));
        assertEquals(7, new Tick(clock).seconds());
    }
}
