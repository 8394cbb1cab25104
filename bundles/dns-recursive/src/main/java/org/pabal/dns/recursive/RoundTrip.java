package org.pabal.dns.recursive;

import java.time.Duration;

/// How long a server takes, smoothed as TCP does (RFC 6298 §2).
///
/// @param smoothedNanos zero when it was never measured
/// @param variationNanos how much it differs
record RoundTrip(long smoothedNanos, long variationNanos) {

    static final RoundTrip UNKNOWN = new RoundTrip(0, 0);

    /// For a server of which nothing is known; what Unbound guesses too.
    static final Duration GUESS = Duration.ofMillis(376);

    /// No server is waited for less: a machine may pause for longer than a near server takes.
    static final Duration LEAST = Duration.ofMillis(200);

    /// Nor longer than this, at a time: there are other servers.
    static final Duration MOST = Duration.ofSeconds(2);

    boolean known() {
        return smoothedNanos > 0;
    }

    /// With one more measurement.
    RoundTrip with(Duration sample) {
        long nanos = Math.clamp(sample.toNanos(), 1, MOST.toNanos() * 4);
        if (!known()) {
            return new RoundTrip(nanos, nanos / 2);
        }
        return new RoundTrip(
                Math.max(1, smoothedNanos - smoothedNanos / 8 + nanos / 8),
                variationNanos - variationNanos / 4 + Math.abs(smoothedNanos - nanos) / 4);
    }

    /// How long an answer is waited for.
    ///
    /// @param failures how often in a row it did not come: each doubles the time
    Duration patience(int failures) {
        long first =
                known()
                        ? Math.max(LEAST.toNanos(), smoothedNanos + 4 * variationNanos)
                        : GUESS.toNanos();
        return Duration.ofNanos(Math.min(first << Math.min(failures, 4), MOST.toNanos()));
    }

    Duration smoothed() {
        return Duration.ofNanos(smoothedNanos);
    }
}
