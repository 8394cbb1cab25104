package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

class RetryScheduleTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final RandomGenerator NO_SPREAD = () -> 0;

    @ParameterizedTest
    @CsvSource({
        "1, 2",
        "2, 5",
        "3, 10",
        "4, 20",
        "5, 40",
        "6, 60",
        "7, 120",
        "8, 240",
        "9, 240",
        "2000000, 240"
    })
    void waitsAsItIsWrittenAndTheLastRepeats(int attempts, long minutes) {
        assertEquals(
                Optional.of(NOON.plus(Duration.ofMinutes(minutes))),
                RetrySchedule.DEFAULT.next(NOON, attempts, NOON, NO_SPREAD));
    }

    @Test
    void triesOnceMoreAtTheVeryEndAndThenGivesUp() {
        Instant end = NOON.plus(Duration.ofDays(5));
        assertEquals(Optional.of(end), next(9, end.minusSeconds(60)));
        assertEquals(Optional.empty(), next(9, end));
        assertEquals(Optional.empty(), next(1, end.plusSeconds(1)));
    }

    @Test
    void spreadsWhatFailedTogetherByAFewPercent() {
        Instant next =
                RetrySchedule.DEFAULT
                        .next(NOON, 6, NOON, () -> 0x8000_0000_0000_0000L)
                        .orElseThrow();
        assertEquals(NOON.plus(Duration.ofSeconds(3_690)), next);
    }

    @ParameterizedTest
    @ValueSource(strings = {"2m 5m 1h", "2 m, 5 min,1 h", " 120s  300 s 3600s "})
    void readsWhatAPersonWrites(String text) {
        assertEquals(
                List.of(Duration.ofMinutes(2), Duration.ofMinutes(5), Duration.ofHours(1)),
                RetrySchedule.of(text, Duration.ofDays(5)).waits());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "soon",
                "5",
                "5m 0s",
                "2m,x",
                "2m5m",
                "99999999m",
                "-2m",
                "2m 3w",
                "31d"
            })
    void refusesNonsense(String text) {
        assertThrows(
                IllegalArgumentException.class, () -> RetrySchedule.of(text, Duration.ofDays(5)));
        assertThrows(
                IllegalArgumentException.class,
                () -> RetrySchedule.of("1m ".repeat(101), Duration.ofDays(5)));
    }

    private static Optional<Instant> next(int attempts, Instant now) {
        return RetrySchedule.DEFAULT.next(NOON, attempts, now, NO_SPREAD);
    }
}
