package org.pabal.itests.clock;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

@Timeout(30)
class FileClockTest {

    @TempDir Path scratch;

    @Test
    void hasTheTimeThatTheFileSaysAndAnotherWhenItSaysSo() throws Exception {
        Path file = Files.writeString(scratch.resolve("offset"), "86400\n");
        InstantSource clock = new FileClock(file);
        assertTrue(isAbout(clock, Duration.ofDays(1)));
        Files.writeString(file, "-3600");
        while (!isAbout(clock, Duration.ofHours(-1))) {
            Thread.onSpinWait(); // it looks every 50 ms
        }
        Files.writeString(file, "");
        Files.delete(file);
        assertTrue(isAbout(clock, Duration.ofHours(-1)));
    }

    @Test
    void hasTheMachinesTimeWhereThereIsNoFile() {
        assertTrue(isAbout(new FileClock(scratch.resolve("none")), Duration.ZERO));
    }

    private static boolean isAbout(InstantSource clock, Duration offset) {
        Duration off = Duration.between(Instant.now().plus(offset), clock.instant());
        return off.abs().compareTo(Duration.ofSeconds(10)) < 0;
    }
}
