package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.testkit.MovableClock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

class TlsCountsTest {

    private static final LocalDate DAY = LocalDate.of(2026, 11, 22);
    private static final TlsPolicy STS =
            new TlsPolicy(
                    "sts",
                    "example.org",
                    List.of("version: STSv1", "mode: testing", "mx: *.example.org"),
                    List.of("*.example.org"));

    @TempDir Path directory;

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-22T12:00:00Z"));

    @Test
    void sameFailuresAreOneLine() {
        TlsCounts counts = counts();
        for (int i = 0; i < 3; i++) {
            counts.failed(STS, TlsResult.CERTIFICATE_EXPIRED, "mx.example.org", "192.0.2.1", "x");
        }
        counts.failed(STS, TlsResult.CERTIFICATE_EXPIRED, "mx2.example.org", "192.0.2.2", "x");
        counts.succeeded(STS);
        TlsCounts.Sessions sessions = counts.sessions(DAY, "example.org").get(STS);
        assertEquals(1, sessions.successes());
        assertEquals(4, sessions.failures());
        assertEquals(2, sessions.details().size());
        assertEquals(
                3L,
                sessions.details()
                        .get(
                                new TlsCounts.Failure(
                                        TlsResult.CERTIFICATE_EXPIRED,
                                        "mx.example.org",
                                        "192.0.2.1",
                                        "x")));
        assertEquals(
                List.of(
                        "2026-11-22  example.org  sts  1 as they should be, 4 not:"
                                + " certificate-expired"),
                counts.lines());
    }

    @Test
    void daysEndAtMidnightOfUtc() {
        TlsCounts counts = counts();
        counts.succeeded(STS);
        clock.advance(Duration.ofHours(12));
        counts.succeeded(STS);
        assertEquals(List.of(DAY, DAY.plusDays(1)), counts.days());
        assertEquals(1, counts.sessions(DAY, "example.org").get(STS).successes());
    }

    @Test
    void nothingIsLostBetweenThreads() throws Exception {
        TlsCounts counts = counts();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 100; i++) {
                threads.submit(
                        () -> {
                            for (int n = 0; n < 100; n++) {
                                counts.succeeded(STS);
                                counts.failed(STS, TlsResult.VALIDATION_FAILURE, "", "", "");
                            }
                        });
            }
        }
        TlsCounts.Sessions sessions = counts.sessions(DAY, "example.org").get(STS);
        assertEquals(10_000, sessions.successes());
        assertEquals(10_000, sessions.failures());
    }

    @Test
    void restartKeepsWhatWasSaved() throws IOException {
        TlsCounts before = counts();
        before.succeeded(STS);
        before.succeeded(TlsPolicy.none("example.net"));
        before.failed(STS, TlsResult.TLSA_INVALID, "mx.example.org", "192.0.2.1", "a\tb\nc\ud800");
        before.save();
        TlsCounts after = counts();
        after.succeeded(STS);
        assertEquals(List.of(DAY), after.days());
        assertEquals(List.of("example.net", "example.org"), after.domains(DAY));
        TlsCounts.Sessions sessions = after.sessions(DAY, "example.org").get(STS);
        assertEquals(2, sessions.successes());
        assertEquals(
                Map.of(
                        new TlsCounts.Failure(
                                TlsResult.TLSA_INVALID, "mx.example.org", "192.0.2.1", "a?b?c?"),
                        1L),
                sessions.details());
        after.save();
        assertTrue(
                Files.readString(directory.resolve("2026-11-22"))
                        .contains("policy\tsts\texample.org\t2\nline\tversion: STSv1\n"));
    }

    @Test
    void whatWasReportedIsForgottenAndSoIsWhatIsOld() throws IOException {
        TlsCounts counts = counts();
        counts.succeeded(STS);
        counts.save();
        assertTrue(Files.exists(directory.resolve("2026-11-22")));
        clock.advance(Duration.ofDays(1));
        counts.reported(DAY, "example.org");
        counts.save();
        assertFalse(Files.exists(directory.resolve("2026-11-22")));
        counts.succeeded(STS);
        counts.save();
        clock.advance(Duration.ofDays(4));
        counts.save();
        assertEquals(List.of(), counts.days());
        assertFalse(Files.exists(directory.resolve("2026-11-23")));
    }

    @Test
    void fileThatSomebodySpoiltCostsItsRest() throws IOException {
        Files.writeString(
                directory.resolve("2026-11-22"),
                "policy\tsts\texample.org\t7\npolicy\tsts\texample.net\tmany\n");
        Files.writeString(directory.resolve("2026-11-21"), "what\n");
        Files.writeString(directory.resolve("notes.txt"), "what\n");
        TlsCounts counts = counts();
        assertEquals(List.of(DAY.minusDays(1), DAY), counts.days());
        assertEquals(List.of("example.org"), counts.domains(DAY));
    }

    @Test
    void strangersCannotFillIt() {
        TlsCounts counts = counts();
        for (int i = 0; i < 1_000; i++) {
            counts.failed(
                    STS, TlsResult.VALIDATION_FAILURE, "mx" + i, "192.0.2.1", "x".repeat(10_000));
            counts.succeeded(
                    new TlsPolicy("tlsa", "example.org", List.of("3 1 1 " + i), List.of()));
        }
        Map<TlsPolicy, TlsCounts.Sessions> policies = counts.sessions(DAY, "example.org");
        assertEquals(1_000, policies.get(STS).failures());
        assertTrue(policies.get(STS).details().size() <= 101);
        assertEquals(1_000, policies.get(STS).details().values().stream().mapToLong(n -> n).sum());
        assertTrue(
                policies.get(STS).details().keySet().stream()
                        .allMatch(failure -> failure.detail().length() <= 300));
        assertTrue(policies.size() <= 12);
        assertEquals(
                1_000,
                policies.entrySet().stream()
                        .filter(entry -> entry.getKey().type().equals("tlsa"))
                        .mapToLong(entry -> entry.getValue().successes())
                        .sum());
        for (int i = 0; i < 10_100; i++) {
            counts.succeeded(TlsPolicy.none("d" + i + ".example"));
        }
        assertEquals(10_000, counts.domains(DAY).size());
    }

    private TlsCounts counts() {
        return new TlsCounts(directory, clock);
    }
}
