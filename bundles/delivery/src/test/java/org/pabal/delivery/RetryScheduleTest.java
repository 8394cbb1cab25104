package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

class RetryScheduleTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    @ParameterizedTest
    @CsvSource({
        "1, 5",
        "2, 10",
        "3, 20",
        "4, 40",
        "5, 80",
        "6, 160",
        "7, 240",
        "8, 240",
        "2000000, 240"
    })
    void waitsTwiceAsLongEachTimeUpToTheLongest(int attempts, long minutes) {
        assertEquals(
                Optional.of(NOON.plus(Duration.ofMinutes(minutes))),
                RetrySchedule.DEFAULT.next(NOON, attempts, NOON));
    }

    @Test
    void triesOnceMoreAtTheVeryEndAndThenGivesUp() {
        Instant end = NOON.plus(Duration.ofDays(5));
        assertEquals(Optional.of(end), RetrySchedule.DEFAULT.next(NOON, 9, end.minusSeconds(60)));
        assertEquals(Optional.empty(), RetrySchedule.DEFAULT.next(NOON, 9, end));
        assertEquals(Optional.empty(), RetrySchedule.DEFAULT.next(NOON, 1, end.plusSeconds(1)));
    }
}
