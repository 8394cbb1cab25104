package org.pabal.dns.recursive;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// What is remembered of a server, at one of its addresses.
///
/// @param pace how fast it is, and whether it lives
/// @param manners what it understands
record Remembered(Pace pace, Manners manners) {

    static final Remembered NOTHING = new Remembered(Pace.UNKNOWN, Manners.BEST);

    /// So often silent in a row, while others were heard, makes a server dead.
    static final int DEAD_AFTER = 4;

    /// How long a server has peace after that; doubled each time it is silent again.
    private static final Duration REST = Duration.ofSeconds(5);

    private static final Duration MOST_REST = Duration.ofMinutes(2);

    /// After so long everything may be different; the same in Unbound.
    static final Duration MEMORY = Duration.ofMinutes(15);

    /// How fast a server is, and whether it lives.
    ///
    /// @param roundTrip how long it takes
    /// @param failures how often in a row it was silent
    /// @param failedAt when that was counted last, by [System#nanoTime()]
    /// @param touched when it was heard or silent last
    /// @param deadUntil it was silent so often that nobody asks it before
    record Pace(
            RoundTrip roundTrip, int failures, long failedAt, Instant touched, Instant deadUntil) {

        static final Pace UNKNOWN = new Pace(RoundTrip.UNKNOWN, 0, 0, Instant.MIN, Instant.MIN);

        /// With an answer of it.
        Pace heard(Optional<Duration> sample, Instant now) {
            RoundTrip next = sample.map(roundTrip::with).orElse(roundTrip);
            return new Pace(next, 0, failedAt, now, Instant.MIN);
        }

        /// Without an answer that it should have given. Questions that were out together count
        /// once.
        ///
        /// @param began when it was asked, by [System#nanoTime()]
        /// @param othersHeard else it may be our own line that is dead
        Pace silent(long began, boolean othersHeard, Instant now) {
            if (failures > 0 && began - failedAt < 0) {
                return this;
            }
            int more = failures + 1;
            Instant rest = othersHeard && more >= DEAD_AFTER ? now.plus(rest(more)) : deadUntil;
            return new Pace(roundTrip, more, System.nanoTime(), now, rest);
        }

        private static Duration rest(int failures) {
            Duration rest = REST.multipliedBy(1L << Math.min(failures - DEAD_AFTER, 6));
            return rest.compareTo(MOST_REST) < 0 ? rest : MOST_REST;
        }

        /// Nobody else shall try it for some seconds: somebody does.
        Pace probed(Instant now) {
            return new Pace(roundTrip, failures, failedAt, touched, now.plus(REST));
        }

        boolean dead(Instant now) {
            return now.isBefore(deadUntil);
        }

        /// It was given up and may be tried again.
        boolean toBeProbed(Instant now) {
            return !deadUntil.equals(Instant.MIN) && !dead(now);
        }

        /// It was neither heard nor missed for so long that it may be anything.
        boolean forgotten(Instant now) {
            return touched.equals(Instant.MIN) || touched.plus(MEMORY).isBefore(now);
        }

        private String line(Instant now) {
            String took =
                    roundTrip.known()
                            ? roundTrip.smoothed().toMillis()
                                    + " ms ±"
                                    + Duration.ofNanos(roundTrip.variationNanos()).toMillis()
                            : "never measured";
            String silent = failures == 0 ? "" : ", silent " + failures + " times in a row";
            return took
                    + silent
                    + (dead(now)
                            ? ", left alone for "
                                    + Duration.between(now, deadUntil).toSeconds()
                                    + " s"
                            : "");
        }
    }

    /// What a server understands.
    ///
    /// @param dialect how much of EDNS it puts up with
    /// @param foldsCase it does not send a name back in the case in which it was asked
    /// @param until when these two are to be found out anew
    /// @param edns it has answered with EDNS: one that does speaks it, whatever it says once
    /// @param cookie that it gave us
    record Manners(
            Dialect dialect,
            boolean foldsCase,
            Instant until,
            boolean edns,
            Optional<UpstreamCookies.Cookie> cookie) {

        static final Manners BEST =
                new Manners(Dialect.OPTIONS, false, Instant.MIN, false, Optional.empty());

        Manners speaking(Dialect found, Instant now) {
            // without EDNS there is no DNSSEC: its signed zones would be bogus for all that time
            Dialect usual = found == Dialect.PLAIN && edns ? Dialect.EDNS : found;
            return new Manners(usual, foldsCase(now), now.plus(MEMORY), edns, cookie);
        }

        Manners answeringEdns() {
            return new Manners(dialect, foldsCase, until, true, cookie);
        }

        Manners foldingCase(Instant now) {
            return new Manners(dialect(now), true, now.plus(MEMORY), edns, cookie);
        }

        Manners with(Optional<UpstreamCookies.Cookie> given) {
            return new Manners(dialect, foldsCase, until, edns, given);
        }

        Dialect dialect(Instant now) {
            return now.isBefore(until) ? dialect : Dialect.OPTIONS;
        }

        boolean foldsCase(Instant now) {
            return now.isBefore(until) && foldsCase;
        }

        private String line(Instant now) {
            String edns =
                    switch (dialect(now)) {
                        case OPTIONS -> cookie.isPresent() ? ", cookie" : "";
                        case EDNS -> ", EDNS without options";
                        case PLAIN -> ", no EDNS";
                    };
            return edns + (foldsCase(now) ? ", folds case" : "");
        }
    }

    Remembered with(Pace next) {
        return new Remembered(next, manners);
    }

    Remembered with(Manners next) {
        return new Remembered(pace, next);
    }

    /// One line for a person, e.g. `192.0.2.53 12 ms ±3, EDNS without options`.
    String line(InetSocketAddress address, Instant now) {
        String port = address.getPort() == 53 ? "" : "@" + address.getPort();
        return address.getAddress().getHostAddress()
                + port
                + " "
                + pace.line(now)
                + manners.line(now);
    }
}
