package org.pabal.dnssec;

import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The keys of one zone that are trusted, and the checking of its sets with them (RFC 4035 §5.3).
///
/// One good signature is enough (RFC 6840 §5.11). Keys that share a tag and signatures without end
/// are what CVE-2023-50387 makes a resolver busy with: at most [#SAME_TAG] keys are tried for a
/// signature and [#CHECKS] signatures are verified for a set.
public final class ZoneKeys {

    /// Keys of one tag and algorithm that are tried.
    public static final int SAME_TAG = 4;

    /// Verifications for one set.
    public static final int CHECKS = 16;

    /// Signatures of one set that are looked at.
    static final int SIGNATURES = 64;

    /// BIND has 35 bits.
    private static final int MOST_EXPONENT_OCTETS = 5;

    private static final int ZONE_KEY = 0x100; // RFC 4034 §2.1.1
    private static final int REVOKED = 0x80; // RFC 5011 §2.1

    /// Clocks differ, by a tenth of what a signature lasts and within these bounds.
    private static final Duration LEAST_SKEW = Duration.ofHours(1);

    private static final Duration MOST_SKEW = Duration.ofDays(1);

    /// What came of checking a set.
    public sealed interface Verdict permits Good, Bad {}

    /// The set is what the zone says.
    ///
    /// @param signature that proves it
    /// @param closestEncloser when it comes from a wildcard: the name above the `*`; that there is
    ///     nothing closer has yet to be proved (RFC 4035 §5.3.4)
    /// @param ttl seconds for which it may be kept at most (RFC 4035 §5.3.3)
    public record Good(RRSIGRecord signature, Optional<Name> closestEncloser, long ttl)
            implements Verdict {}

    /// It is not, or nobody can tell.
    ///
    /// @param why one short line
    /// @param exhausted there was more to be tried than may be
    public record Bad(Fault fault, String why, boolean exhausted) implements Verdict {}

    private record Tag(int tag, int algorithm) {}

    private final Name zone;
    private final Map<Tag, List<DNSKEYRecord>> keys = new HashMap<>();
    private final boolean anyWithoutZoneBit;

    /// @param keys those that cannot sign for a zone are left out: other protocols, without the
    ///     zone key bit, revoked, of algorithms that we do not know
    public ZoneKeys(Name zone, Collection<DNSKEYRecord> keys) {
        this(
                zone,
                keys.stream().filter(ZoneKeys::signs).toList(),
                keys.stream().anyMatch(key -> (key.getFlags() & ZONE_KEY) == 0));
    }

    private ZoneKeys(Name zone, List<DNSKEYRecord> keys, boolean anyWithoutZoneBit) {
        this.zone = zone;
        this.anyWithoutZoneBit = anyWithoutZoneBit;
        for (DNSKEYRecord key : keys) {
            List<DNSKEYRecord> same =
                    this.keys.computeIfAbsent(
                            new Tag(key.getFootprint(), key.getAlgorithm()),
                            tag -> new ArrayList<>(1));
            if (key.getName().equals(zone) && same.size() < SAME_TAG) {
                same.add(key);
            }
        }
    }

    /// A revoked key, which may still say that it is revoked and nothing else (RFC 5011 §2.1).
    static ZoneKeys revoking(DNSKEYRecord key) {
        return new ZoneKeys(key.getName(), List.of(key), false);
    }

    /// Whether a key may sign sets of its zone.
    static boolean signs(DNSKEYRecord key) {
        return key.getProtocol() == DNSKEYRecord.Protocol.DNSSEC
                && (key.getFlags() & ZONE_KEY) != 0
                && (key.getFlags() & REVOKED) == 0
                && Algorithms.canVerify(key.getAlgorithm())
                && affordable(key);
    }

    /// What a signature costs to verify grows with the exponent of an RSA key (RFC 3110 §2), which
    /// whoever makes the key may choose. In use are 3 and 65,537.
    private static boolean affordable(DNSKEYRecord key) {
        if (key.getAlgorithm() >= DNSSEC.Algorithm.ECDSAP256SHA256) {
            return true;
        }
        byte[] octets = key.getKey();
        return octets.length > 1 && octets[0] > 0 && octets[0] <= MOST_EXPONENT_OCTETS;
    }

    static boolean revoked(DNSKEYRecord key) {
        return (key.getFlags() & REVOKED) != 0;
    }

    public Name zone() {
        return zone;
    }

    public boolean isEmpty() {
        return keys.isEmpty();
    }

    /// What the keys take, for who remembers many zones.
    public long octets() {
        return keys.values().stream()
                .flatMap(List::stream)
                .mapToLong(key -> key.getKey().length)
                .sum();
    }

    /// Whether the set of keys has some that lack the zone key bit.
    boolean anyWithoutZoneBit() {
        return anyWithoutZoneBit;
    }

    /// Checks a set.
    public Verdict verify(RRset set, Instant now, Effort effort) {
        if (set.sigs().isEmpty()) {
            return bad(Fault.NO_SIGNATURE, set, "has no signature");
        }
        Bad worst = bad(Fault.NO_SIGNATURE, set, "has no signature of " + zone);
        int checks = 0;
        for (RRSIGRecord signature : set.sigs().stream().limit(SIGNATURES).toList()) {
            Optional<Bad> unfit = unfit(set, signature, now);
            if (unfit.isPresent()) {
                worst = worse(worst, unfit.get());
                continue;
            }
            List<DNSKEYRecord> candidates =
                    keys.getOrDefault(
                            new Tag(signature.getFootprint(), signature.getAlgorithm()), List.of());
            if (candidates.isEmpty()) {
                worst =
                        worse(
                                worst,
                                bad(
                                        anyWithoutZoneBit ? Fault.NO_ZONE_KEY : Fault.NO_KEY,
                                        set,
                                        zone + " has no key " + signature.getFootprint()));
            }
            for (DNSKEYRecord key : candidates) {
                if (checks == CHECKS || !effort.signature()) {
                    return new Bad(Fault.BOGUS, about(set, "too many signatures to check"), true);
                }
                checks++;
                if (fits(set, signature, key)) {
                    return new Good(signature, encloser(set, signature), ttl(set, signature, now));
                }
                worst =
                        worse(
                                worst,
                                bad(
                                        Fault.BOGUS,
                                        set,
                                        "the signature by key "
                                                + signature.getFootprint()
                                                + " of "
                                                + zone
                                                + " does not fit"));
            }
        }
        return worst;
    }

    /// Why a signature is not worth the work, if so.
    private Optional<Bad> unfit(RRset set, RRSIGRecord signature, Instant now) {
        // RFC 4035 §5.3.1
        if (signature.getTypeCovered() != set.getType()
                || !signature.getName().equals(set.getName())) {
            return Optional.of(bad(Fault.BOGUS, set, "a signature of another set"));
        }
        if (!signature.getSigner().equals(zone) || !set.getName().subdomain(zone)) {
            return Optional.of(bad(Fault.NO_SIGNATURE, set, "is not signed by " + zone));
        }
        if (!Algorithms.canVerify(signature.getAlgorithm())) {
            return Optional.of(
                    bad(
                            Fault.UNSUPPORTED_ALGORITHM,
                            set,
                            "is signed by algorithm " + signature.getAlgorithm()));
        }
        // A wildcard of the zone itself at the least, security row D11
        if (signature.getLabels() > labels(set.getName())
                || signature.getLabels() < zone.labels() - 1) {
            return Optional.of(
                    bad(
                            Fault.BOGUS,
                            set,
                            "a signature of a name of " + signature.getLabels() + " labels"));
        }
        Instant from = signature.getTimeSigned();
        Instant until = signature.getExpire();
        if (until.isBefore(from)) {
            return Optional.of(bad(Fault.BOGUS, set, "a signature that expired before it began"));
        }
        Duration skew = Duration.between(from, until).dividedBy(10);
        skew = skew.compareTo(LEAST_SKEW) < 0 ? LEAST_SKEW : skew;
        skew = skew.compareTo(MOST_SKEW) > 0 ? MOST_SKEW : skew;
        if (now.isAfter(until.plus(skew))) {
            return Optional.of(bad(Fault.EXPIRED, set, "its signature expired on " + until));
        }
        if (now.isBefore(from.minus(skew))) {
            return Optional.of(
                    bad(Fault.NOT_YET_VALID, set, "its signature is not valid before " + from));
        }
        return Optional.empty();
    }

    private static boolean fits(RRset set, RRSIGRecord signature, DNSKEYRecord key) {
        try {
            // the time has been looked at, with more patience than dnsjava has
            DNSSEC.verify(set, signature, key, signature.getTimeSigned());
            return true;
        } catch (DNSSEC.DNSSECException e) {
            return false;
        } catch (RuntimeException e) {
            // keys and signatures are any octets that somebody likes, and parsers trip over some
            return false;
        }
    }

    private static long ttl(RRset set, RRSIGRecord signature, Instant now) {
        long left = Math.max(0, Duration.between(now, signature.getExpire()).toSeconds());
        return Math.min(
                Math.min(set.getTTL(), signature.getTTL()), Math.min(signature.getOrigTTL(), left));
    }

    /// RFC 4035 §5.3.4
    private static Optional<Name> encloser(RRset set, RRSIGRecord signature) {
        return labels(set.getName()) > signature.getLabels()
                ? Optional.of(
                        new Name(set.getName(), set.getName().labels() - 1 - signature.getLabels()))
                : Optional.empty();
    }

    /// As RRSIG counts, RFC 4034 §3.1.3: without the root and a leading `*`.
    private static int labels(Name name) {
        return name.labels() - 1 - (name.isWild() ? 1 : 0);
    }

    private static Bad bad(Fault fault, RRset set, String why) {
        return new Bad(fault, about(set, why), false);
    }

    private static String about(RRset set, String why) {
        return set.getName() + " " + Type.string(set.getType()) + ": " + why;
    }

    /// The one that tells a person more: a signature that could be checked before one that could
    /// not.
    private static Bad worse(Bad one, Bad other) {
        return rank(other.fault) > rank(one.fault) ? other : one;
    }

    private static int rank(Fault fault) {
        return switch (fault) {
            case BOGUS -> 5;
            case EXPIRED, NOT_YET_VALID -> 4;
            case NO_ZONE_KEY, NO_KEY -> 3;
            case UNSUPPORTED_ALGORITHM -> 2;
            default -> 1;
        };
    }
}
