package org.pabal.delivery;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DateTimeException;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/// Counts by day of UTC, domain and policy how TLS went, until it was reported (RFC 8460 §4).
///
/// A success costs a look-up or three and an addition, for it is counted at every message. What is
/// counted is written to disk by [#save()], a file a day, so that a restart loses what came since.
final class TlsCounts implements TlsLedger {

    private static final Logger log = LoggerFactory.getLogger(TlsCounts.class);

    private static final int MAX_DOMAINS = 10_000;
    private static final int MAX_POLICIES = 10;

    /// Different ones of a policy, and of a whole day.
    private static final int MAX_FAILURES = 100;

    private static final int MAX_FAILURES_OF_DAY = 100_000;
    private static final int MAX_DAYS = 4;

    /// Of what others said; and of a policy as it stands in a report.
    private static final int MAX_TEXT = 300;

    private static final int MAX_LINES = 100;

    private static final String NEXT = ".new";

    /// What failed, RFC 8460 §4.3. Empty is what nobody knows, or what was left out because there
    /// were too many.
    record Failure(TlsResult result, String host, String address, String detail) {

        Failure lumped() {
            return new Failure(result, "", "", "");
        }
    }

    /// The sessions under one policy.
    static final class Sessions {
        private final LongAdder successes = new LongAdder();
        private final LongAdder failures = new LongAdder();
        private final ConcurrentMap<Failure, LongAdder> details = new ConcurrentHashMap<>();

        long successes() {
            return successes.sum();
        }

        long failures() {
            return failures.sum();
        }

        /// How often each of them.
        Map<Failure, Long> details() {
            Map<Failure, Long> sums = new ConcurrentHashMap<>();
            details.forEach((failure, times) -> sums.put(failure, times.sum()));
            return sums;
        }

        private void failed(Failure failure, long times, AtomicInteger ofDay) {
            failures.add(times);
            boolean known = details.containsKey(failure);
            boolean room = details.size() < MAX_FAILURES && ofDay.get() < MAX_FAILURES_OF_DAY;
            details.computeIfAbsent(
                            known || room ? failure : failure.lumped(),
                            f -> {
                                ofDay.incrementAndGet();
                                return new LongAdder();
                            })
                    .add(times);
        }
    }

    /// One day's: domain, policy, sessions.
    private static final class Day {
        private final ConcurrentMap<String, ConcurrentMap<TlsPolicy, Sessions>> domains =
                new ConcurrentHashMap<>();
        private final AtomicInteger failures = new AtomicInteger();
        private final AtomicBoolean changed = new AtomicBoolean();
        private final AtomicBoolean full = new AtomicBoolean();
    }

    private final Path directory;
    private final InstantSource clock;
    private final ConcurrentMap<LocalDate, Day> days = new ConcurrentHashMap<>();
    private boolean read;

    /// @param directory made when there is something to put into it
    TlsCounts(Path directory, InstantSource clock) {
        this.directory = directory;
        this.clock = clock;
    }

    @Override
    public void succeeded(TlsPolicy policy) {
        Day day = today();
        sessions(day, policy)
                .ifPresent(
                        sessions -> {
                            sessions.successes.increment();
                            changed(day);
                        });
    }

    @Override
    public void failed(
            TlsPolicy policy, TlsResult result, String host, String address, String detail) {
        Day day = today();
        sessions(day, policy)
                .ifPresent(
                        sessions -> {
                            sessions.failed(
                                    new Failure(result, clean(host), clean(address), clean(detail)),
                                    1,
                                    day.failures);
                            changed(day);
                        });
    }

    /// The days that something was counted on and not yet reported, oldest first.
    synchronized List<LocalDate> days() {
        readOnce();
        return days.keySet().stream().sorted().toList();
    }

    /// The domains of a day, in order.
    List<String> domains(LocalDate day) {
        Day counted = days.get(day);
        return counted == null ? List.of() : counted.domains.keySet().stream().sorted().toList();
    }

    /// What was counted for a domain on a day.
    Map<TlsPolicy, Sessions> sessions(LocalDate day, String domain) {
        Day counted = days.get(day);
        return counted == null ? Map.of() : counted.domains.getOrDefault(domain, noSessions());
    }

    /// Forgets what was reported, or what nobody wants to hear.
    void reported(LocalDate day, String domain) {
        Day counted = days.get(day);
        if (counted != null && counted.domains.remove(domain) != null) {
            changed(counted);
        }
    }

    /// Writes what has changed since the last time; called each minute or so, and at the end.
    synchronized void save() {
        readOnce();
        LocalDate oldest = date().minusDays(MAX_DAYS - 1L);
        for (LocalDate date : List.copyOf(days.keySet())) {
            Day day = days.get(date);
            try {
                if (date.isBefore(oldest) || day.domains.isEmpty() && date.isBefore(date())) {
                    days.remove(date);
                    Files.deleteIfExists(file(date));
                } else if (day.changed.getAndSet(false)) {
                    write(date, day);
                }
            } catch (IOException e) {
                day.changed.set(true);
                log.error("{}: what TLS came to cannot be kept: {}", file(date), e.toString());
            }
        }
    }

    /// For an administrator: each day and domain in a line.
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (LocalDate day : days()) {
            for (String domain : domains(day)) {
                sessions(day, domain)
                        .forEach((policy, sessions) -> lines.add(line(day, policy, sessions)));
            }
        }
        return lines;
    }

    private static String line(LocalDate day, TlsPolicy policy, Sessions sessions) {
        StringBuilder line = new StringBuilder();
        line.append(day).append("  ").append(policy.domain()).append("  ").append(policy.type());
        line.append("  ").append(sessions.successes()).append(" as they should be");
        if (sessions.failures() > 0) {
            line.append(", ").append(sessions.failures()).append(" not: ");
            line.append(
                    String.join(
                            ", ",
                            sessions.details.keySet().stream()
                                    .map(failure -> failure.result.word())
                                    .sorted()
                                    .distinct()
                                    .toList()));
        }
        return line.toString();
    }

    private LocalDate date() {
        return LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
    }

    private Day today() {
        return days.computeIfAbsent(date(), date -> new Day());
    }

    private static void changed(Day day) {
        // most often it is so already, and a read is cheaper than a write that others see
        if (!day.changed.get()) {
            day.changed.set(true);
        }
    }

    /// Where to count; nowhere when there are too many domains.
    private static Optional<Sessions> sessions(Day day, TlsPolicy policy) {
        ConcurrentMap<TlsPolicy, Sessions> domain = day.domains.get(policy.domain());
        if (domain == null) {
            if (day.domains.size() >= MAX_DOMAINS) {
                if (!day.full.getAndSet(true)) {
                    log.warn(
                            "TLS with more than {} domains today; what is of others is not"
                                    + " counted",
                            MAX_DOMAINS);
                }
                return Optional.empty();
            }
            domain = day.domains.computeIfAbsent(policy.domain(), d -> new ConcurrentHashMap<>());
        }
        Sessions known = domain.get(policy);
        if (known != null) {
            return Optional.of(known);
        }
        TlsPolicy kept =
                domain.size() < MAX_POLICIES
                        ? policy
                        : new TlsPolicy(policy.type(), policy.domain(), List.of(), List.of());
        return Optional.of(domain.computeIfAbsent(kept, p -> new Sessions()));
    }

    private static ConcurrentMap<TlsPolicy, Sessions> noSessions() {
        return new ConcurrentHashMap<>();
    }

    /// On one line, and of characters that can be written.
    private static String clean(String text) {
        String few = text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT);
        return few.replaceAll("[\\p{Cntrl}\\p{Cs}\u2028\u2029]", "?");
    }

    private Path file(LocalDate day) {
        return directory.resolve(day.toString());
    }

    /// Words parted by tabs: `policy` with type, domain and successes, below it `line` and `host`
    /// of the policy, and `failure` with how often, what, host, address and detail.
    private void write(LocalDate date, Day day) throws IOException {
        List<String> lines = new ArrayList<>();
        day.domains.forEach(
                (domain, policies) ->
                        policies.forEach(
                                (policy, sessions) -> {
                                    lines.add(
                                            String.join(
                                                    "\t",
                                                    "policy",
                                                    policy.type(),
                                                    clean(domain),
                                                    Long.toString(sessions.successes())));
                                    policy.lines().stream()
                                            .limit(MAX_LINES)
                                            .forEach(line -> lines.add("line\t" + clean(line)));
                                    policy.hosts().stream()
                                            .limit(MAX_LINES)
                                            .forEach(host -> lines.add("host\t" + clean(host)));
                                    sessions.details.forEach(
                                            (failure, times) ->
                                                    lines.add(
                                                            String.join(
                                                                    "\t",
                                                                    "failure",
                                                                    times.toString(),
                                                                    failure.result.name(),
                                                                    failure.host,
                                                                    failure.address,
                                                                    failure.detail)));
                                }));
        Files.createDirectories(directory);
        Path next = directory.resolve(date + NEXT);
        Files.write(next, lines);
        Files.move(
                next,
                file(date),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    private void readOnce() {
        if (read) {
            return;
        }
        read = true;
        if (!Files.isDirectory(directory)) {
            return;
        }
        List<Path> files;
        try (Stream<Path> found = Files.list(directory)) {
            files = found.filter(file -> isDay(file.getFileName().toString())).sorted().toList();
        } catch (IOException e) {
            log.error("{}: cannot be read: {}", directory, e.toString());
            return;
        }
        for (Path file : files.subList(Math.max(0, files.size() - MAX_DAYS), files.size())) {
            Day day =
                    days.computeIfAbsent(
                            LocalDate.parse(file.getFileName().toString()), date -> new Day());
            try (BufferedReader in = Files.newBufferedReader(file)) {
                readDay(in, day);
            } catch (IOException | IllegalArgumentException e) {
                log.error("{}: cannot be read on, the rest is lost: {}", file, e.toString());
            }
        }
    }

    private static boolean isDay(String name) {
        try {
            return LocalDate.parse(name).toString().equals(name);
        } catch (DateTimeException e) {
            return false;
        }
    }

    private static void readDay(BufferedReader in, Day day) throws IOException {
        String[] policy = {};
        List<String> lines = new ArrayList<>();
        List<String> hosts = new ArrayList<>();
        List<String[]> failures = new ArrayList<>();
        for (String line = in.readLine(); ; line = in.readLine()) {
            String[] words = line == null ? new String[] {"policy"} : line.split("\t", -1);
            switch (words[0] + words.length) {
                case "line2" -> lines.add(words[1]);
                case "host2" -> hosts.add(words[1]);
                case "failure6" -> failures.add(words);
                case "policy4", "policy1" -> {
                    if (policy.length == 4) {
                        add(day, policy, lines, hosts, failures);
                    }
                    lines.clear();
                    hosts.clear();
                    failures.clear();
                    policy = words;
                }
                default -> throw new IOException("a line that nobody here wrote");
            }
            if (line == null) {
                return;
            }
        }
    }

    private static void add(
            Day day,
            String[] policy,
            List<String> lines,
            List<String> hosts,
            List<String[]> failures) {
        long successes = Long.parseLong(policy[3]);
        sessions(day, new TlsPolicy(policy[1], policy[2], lines, hosts))
                .ifPresent(
                        sessions -> {
                            sessions.successes.add(successes);
                            for (String[] f : failures) {
                                sessions.failed(
                                        new Failure(TlsResult.valueOf(f[2]), f[3], f[4], f[5]),
                                        Long.parseLong(f[1]),
                                        day.failures);
                            }
                        });
    }
}
