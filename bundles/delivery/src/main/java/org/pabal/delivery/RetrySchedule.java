package org.pabal.delivery;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// Decides when a deferred message is tried again.
///
/// RFC 5321 §4.5.4.1 asks for at least 30 minutes between tries and 4–5 days before giving up; the
/// first tries come sooner because greylisting hosts answer within minutes, and because a full disk
/// here is often emptied soon.
///
/// @param first the wait after the first failure; each one after it is twice as long
/// @param longest no wait is longer
/// @param giveUp how long after its acceptance a message is tried
record RetrySchedule(Duration first, Duration longest, Duration giveUp) {

    static final RetrySchedule DEFAULT =
            new RetrySchedule(Duration.ofMinutes(5), Duration.ofHours(4), Duration.ofDays(5));

    /// The next try, or empty when it is time to bounce.
    ///
    /// @param attempts how often it was tried, this time included
    Optional<Instant> next(Instant accepted, int attempts, Instant now) {
        Instant end = accepted.plus(giveUp);
        if (!now.isBefore(end)) {
            return Optional.empty();
        }
        Duration wait = first;
        for (int i = 1; i < attempts && wait.compareTo(longest) < 0; i++) {
            wait = wait.multipliedBy(2);
        }
        Instant next = now.plus(wait.compareTo(longest) < 0 ? wait : longest);
        // One try at the very end, rather than a bounce hours after the last.
        return Optional.of(next.isBefore(end) ? next : end);
    }
}
