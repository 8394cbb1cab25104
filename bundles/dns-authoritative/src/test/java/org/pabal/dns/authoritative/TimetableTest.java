package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pabal.testkit.MovableClock;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

@Timeout(60)
class TimetableTest {

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-01T12:00:00Z"));
    private final List<String> done = new ArrayList<>();

    private Timetable<String> table(Timetable.Task<String> task) {
        return new Timetable<>("test", clock, Runnable::run, 10, task);
    }

    private void after(Timetable<String> table, int seconds) {
        clock.advance(Duration.ofSeconds(seconds));
        table.tend();
    }

    @Test
    void doesEachThingAtItsOwnTime() {
        Timetable<String> table =
                table(
                        what -> {
                            done.add(what);
                            return Duration.ofSeconds(what.length());
                        });
        table.tasks(Set.of("aaa"));
        table.tend();
        after(table, 2);
        assertEquals(List.of("aaa"), done);
        table.tasks(Set.of("aaa", "bbbbb"));
        table.tend();
        assertEquals(List.of("aaa", "bbbbb"), done, "what is new is due at once");
        after(table, 1);
        assertEquals(List.of("aaa", "bbbbb", "aaa"), done);
        table.tasks(Set.of("bbbbb"));
        after(table, 4);
        assertEquals(List.of("aaa", "bbbbb", "aaa", "bbbbb"), done);
    }

    @Test
    void hurriesButNotMoreThanOnceASecond() {
        Timetable<String> table =
                table(
                        what -> {
                            done.add(what);
                            return Duration.ofHours(1);
                        });
        table.tasks(Set.of("a"));
        table.tend();
        for (int i = 0; i < 100; i++) {
            table.hurry(what -> true);
            table.tend();
        }
        assertEquals(1, done.size());
        after(table, 1);
        assertEquals(2, done.size());
    }

    /// A task that fails comes again and takes nothing with it.
    @Test
    void survivesATaskThatFails() {
        Timetable<String> table =
                table(
                        what -> {
                            done.add(what);
                            throw new IllegalStateException("on purpose");
                        });
        table.tasks(Set.of("a"));
        table.tend();
        after(table, 30);
        assertEquals(List.of("a", "a"), done);
    }

    @Test
    void closingWaitsForWhatIsUnderWay() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Timetable<String> table =
                    new Timetable<>(
                            "test",
                            clock,
                            threads,
                            10,
                            what -> {
                                begun.countDown();
                                try {
                                    go.await();
                                } catch (InterruptedException e) {
                                    return Duration.ZERO;
                                }
                                done.add(what);
                                return Duration.ZERO;
                            });
            table.tasks(Set.of("a"));
            table.start();
            begun.await();
            Thread closing = Thread.startVirtualThread(table::close);
            assertFalse(closing.join(Duration.ofMillis(20)));
            go.countDown();
            assertTrue(closing.join(Duration.ofSeconds(30)));
            assertEquals(List.of("a"), done);
            table.tend();
            assertEquals(List.of("a"), done, "nothing starts any more");
        }
    }
}
