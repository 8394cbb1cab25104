package org.pabal.dns.recursive;

import org.pabal.settings.Settings;

import java.time.Duration;
import java.util.Map;

/// What the cache is to keep, and for how long.
///
/// @param octets of memory, all in; taken as it fills
/// @param minTtl what holds for less is kept for so long. More than nothing breaks what others
///     rely on when they change their records
/// @param maxTtl what holds for longer is fetched again after so long
/// @param maxNegativeTtl the same for negative answers
/// @param staleLimit for how long something may be served after its TTL when it cannot be fetched
record CacheSettings(
        long octets,
        Duration minTtl,
        Duration maxTtl,
        Duration maxNegativeTtl,
        Duration staleLimit) {

    /// A million records of one address each, and some.
    private static final long OCTETS = 256_000_000;

    private static final long LEAST_OCTETS = 1_000_000;

    /// RFC 8767 §4 recommends 7 days for TTLs at most; Unbound, Knot Resolver and the Recursor have
    /// a day, which bounds how long a mistake of others lives.
    private static final Duration MAX_TTL = Duration.ofDays(1);

    /// RFC 2308 §5: one to three hours are sensible, more than a day is a problem.
    private static final Duration MAX_NEGATIVE_TTL = Duration.ofHours(1);

    /// RFC 8767 §5: between one and three days.
    private static final Duration STALE_LIMIT = Duration.ofDays(1);

    /// TTLs have 31 bits (RFC 2181 §8); nobody means more than a week.
    private static final Duration WEEK = Duration.ofDays(7);

    /// What an empty file says.
    static CacheSettings defaults() {
        return of(Settings.of(Map.of()));
    }

    static CacheSettings of(Settings settings) {
        long octets =
                settings.octets(
                        "cache-size", Math.min(OCTETS, Runtime.getRuntime().maxMemory() / 3));
        if (octets < LEAST_OCTETS) {
            throw settings.bad("cache-size", octets + "", "1 MB or more", "256 MB");
        }
        Duration minTtl = ttl(settings, "cache-min-ttl", Duration.ZERO, Duration.ofHours(1));
        Duration maxTtl = ttl(settings, "cache-max-ttl", MAX_TTL, WEEK);
        if (maxTtl.compareTo(minTtl) < 0 || maxTtl.toSeconds() == 0) {
            throw settings.bad(
                    "cache-max-ttl",
                    maxTtl.toSeconds() + " s",
                    "1 s or more, and no less than cache-min-ttl",
                    "1 d");
        }
        return new CacheSettings(
                octets,
                minTtl,
                maxTtl,
                ttl(settings, "cache-max-negative-ttl", MAX_NEGATIVE_TTL, Duration.ofDays(1)),
                ttl(settings, "serve-stale-limit", STALE_LIMIT, WEEK));
    }

    private static Duration ttl(Settings settings, String key, Duration fallback, Duration most) {
        Duration value = settings.duration(key, fallback);
        if (value.compareTo(most) > 0) {
            throw settings.bad(
                    key, value.toSeconds() + " s", "at most " + most.toSeconds() + " s", "60 s");
        }
        return value;
    }
}
