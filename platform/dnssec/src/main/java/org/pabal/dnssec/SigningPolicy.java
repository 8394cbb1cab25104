package org.pabal.dnssec;

import org.pabal.dns.Zone;
import org.xbill.DNS.Name;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/// How a zone is signed.
///
/// @param denial how it proves that something does not exist
/// @param lifetime how long a signature lasts
/// @param refresh a signature that lasts no longer than this is replaced
/// @param digest whether it has a digest of itself, ZONEMD
public record SigningPolicy(Denial denial, Duration lifetime, Duration refresh, boolean digest) {

    /// Clocks of validators may be slow (RFC 6781 §4.4.2).
    private static final Duration INCEPTION_BACK = Duration.ofHours(1);

    private static final int SPREAD_STEPS = 4096;

    public static final SigningPolicy USUAL =
            new SigningPolicy(Denial.NSEC, Duration.ofDays(14), Duration.ofDays(7), false);

    /// The policy that leaves a zone as it stands.
    public static SigningPolicy asItStands(Zone zone) {
        return new SigningPolicy(
                Denial.of(zone).orElse(USUAL.denial),
                USUAL.lifetime,
                USUAL.refresh,
                Zonemd.of(zone).isPresent());
    }

    SigningPolicy with(Denial other) {
        return new SigningPolicy(other, lifetime, refresh, digest);
    }

    Instant inception(Instant now) {
        return now.truncatedTo(ChronoUnit.SECONDS).minus(INCEPTION_BACK);
    }

    /// When a signature that is made now expires. Those of a zone are spread over a quarter of the
    /// time between two refreshes, by their names, so that they are not all refreshed at once.
    Instant expiration(Instant now, Name name, int type) {
        int step = Math.floorMod((name.hashCode() * 31 + type) * 0x9E3779B1 >>> 8, SPREAD_STEPS);
        Duration range = lifetime.minus(refresh).dividedBy(4);
        return now.plus(lifetime)
                .minus(range.multipliedBy(step).dividedBy(SPREAD_STEPS))
                .truncatedTo(ChronoUnit.SECONDS);
    }
}
