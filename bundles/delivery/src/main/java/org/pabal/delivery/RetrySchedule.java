package org.pabal.delivery;

import org.pabal.mail.QueueEntry;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Decides when a deferred message is tried again: the waits one after another, as an administrator
/// writes them down.
///
/// RFC 5321 §4.5.4.1 wants 30 minutes between tries as a rule, and 4–5 days before giving up. The
/// first tries come sooner here, as Postfix, Exim and others have them too: a host that greylists
/// takes within minutes what it refused at first, and a full disk is often emptied soon. From the
/// sixth try on the rule is kept.
///
/// @param waits before the second try, the third and so on; the last repeats
/// @param giveUp how long a message is tried, counted from [#since]
record RetrySchedule(List<Duration> waits, Duration giveUp) {

    static final String EXAMPLE = "2m 5m 10m 20m 40m 1h 2h 4h";

    static final RetrySchedule DEFAULT = of(EXAMPLE, Duration.ofDays(5));

    private static final int MAX_WAITS = 100;

    /// A wait grows by up to this part of it, so that what failed together does not come back in
    /// one crowd.
    private static final double SPREAD = 0.05;

    RetrySchedule {
        waits = List.copyOf(waits);
        if (waits.isEmpty() || waits.size() > MAX_WAITS) {
            throw new IllegalArgumentException("retry: expected 1 to " + MAX_WAITS + " waits");
        }
        for (Duration wait : waits) {
            if (wait.compareTo(Duration.ofSeconds(1)) < 0
                    || wait.compareTo(Duration.ofDays(30)) > 0) {
                throw new IllegalArgumentException(
                        "retry: expected waits of 1 s to 30 d, one is " + wait);
            }
        }
    }

    /// Reads `2m 5m 10m`, with or without a space before the unit, parted by spaces or commas.
    ///
    /// @throws IllegalArgumentException when it is anything else
    static RetrySchedule of(String waits, Duration giveUp) {
        Pattern one = Pattern.compile("\\G[\\s,]*(\\d{1,7})\\s*(s|min|m|h|d)(?=[\\s,]|$)");
        List<Duration> read = new ArrayList<>();
        Matcher matcher = one.matcher(waits);
        int end = 0;
        while (matcher.find()) {
            long number = Long.parseLong(matcher.group(1));
            read.add(
                    switch (matcher.group(2)) {
                        case "s" -> Duration.ofSeconds(number);
                        case "m", "min" -> Duration.ofMinutes(number);
                        case "h" -> Duration.ofHours(number);
                        default -> Duration.ofDays(number);
                    });
            end = matcher.end();
        }
        if (!waits.substring(end).isBlank()) {
            throw new IllegalArgumentException("retry: cannot read " + waits.substring(end));
        }
        return new RetrySchedule(read, giveUp);
    }

    /// From when on the time of a message runs: from its acceptance, or from its release when its
    /// sender asked to have it held (RFC 4865 §4).
    static Instant since(QueueEntry entry) {
        return entry.envelope()
                .holdUntil()
                .filter(entry.accepted()::isBefore)
                .orElse(entry.accepted());
    }

    /// The next try, or empty when it is time to bounce.
    ///
    /// @param attempts how often it was tried, this time included
    Optional<Instant> next(Instant since, int attempts, Instant now, RandomGenerator random) {
        Instant end = since.plus(giveUp);
        if (!now.isBefore(end)) {
            return Optional.empty();
        }
        Duration wait = waits.get(Math.clamp(attempts - 1L, 0, waits.size() - 1));
        Duration spread =
                Duration.ofMillis((long) (wait.toMillis() * SPREAD * random.nextDouble()));
        Instant next = now.plus(wait).plus(spread);
        // One try at the very end, rather than a bounce hours after the last.
        return Optional.of(next.isBefore(end) ? next : end);
    }

    Duration first() {
        return waits.getFirst();
    }

    Duration last() {
        return waits.getLast();
    }

    @Override
    public String toString() {
        return waits.stream().map(Words::duration).collect(Collectors.joining(", "));
    }
}
