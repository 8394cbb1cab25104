package org.pabal.dns.authoritative;

import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/// Finds the addresses that an alias leads to: in our zones, and through the house's [Resolver]
/// where we have no authority.
///
/// Follows one link at a time, so that a chain that comes back to an alias of ours is noticed: the
/// addresses that it has now came from it, and would keep themselves alive.
final class AliasTargets {

    /// What an alias leads to.
    sealed interface Target {

        /// @param addresses the octets of each
        /// @param ttl in seconds, the smallest on the way
        record Found(List<byte[]> addresses, long ttl) implements Target {
            public Found {
                addresses = List.copyOf(addresses);
            }
        }

        /// The name does not exist, or has no address of this type.
        record None() implements Target {}

        record Unknown(String why) implements Target {}
    }

    /// Somebody else's server is not asked sooner again, however short its TTLs are.
    static final Duration SOONEST = Duration.ofSeconds(10);

    static final Duration LATEST = Duration.ofHours(1);

    /// When nothing could be had.
    static final Duration AGAIN = Duration.ofSeconds(30);

    /// RFC 2308 §5: we do not see the SOA of a negative answer.
    private static final Duration NEGATIVE = Duration.ofMinutes(1);

    private static final int MAX_ADDRESSES = 64;
    private static final int MAX_REMEMBERED = 4 * KeptSet.MAX_ALIASES;

    private record Question(Name name, int type) {}

    private record Remembered(Resolution resolution, Instant until) {}

    private final Supplier<? extends Zones> zones;
    private final Supplier<Optional<Resolver>> resolver;
    private final InstantSource clock;

    /// Guarded by itself. What was asked elsewhere lately.
    private final Map<Question, Remembered> remembered = new HashMap<>();

    AliasTargets(
            Supplier<? extends Zones> zones,
            Supplier<Optional<Resolver>> resolver,
            InstantSource clock) {
        this.zones = zones;
        this.resolver = resolver;
        this.clock = clock;
    }

    /// Waits for other machines.
    ///
    /// @param type A or AAAA
    /// @param aliases those of ours, by their owners
    Target find(KeptSet.Alias alias, int type, Function<Name, Optional<KeptSet.Alias>> aliases) {
        Set<Name> seen = new HashSet<>(Set.of(alias.owner()));
        Name name = alias.target();
        long ttl = Long.MAX_VALUE;
        while (true) {
            if (!seen.add(name)) {
                return new Target.Unknown(name + " leads back to itself");
            }
            if (seen.size() > ZoneLookup.MAX_LINKS + 1) {
                return new Target.Unknown("more than " + ZoneLookup.MAX_LINKS + " links");
            }
            Optional<KeptSet.Alias> next = aliases.apply(name);
            if (next.isPresent()) {
                ttl = Math.min(ttl, next.get().ttl().toSeconds());
                name = next.get().target();
                continue;
            }
            List<RRset> sets;
            Optional<Answer> ours = ours(name, type);
            if (ours.isPresent()) {
                if (ours.get().rcode() != Rcode.NOERROR && ours.get().rcode() != Rcode.NXDOMAIN) {
                    return new Target.Unknown(name + ": " + Rcode.string(ours.get().rcode()));
                }
                sets = ours.get().answer();
            } else {
                switch (elsewhere(name, type)) {
                    case Resolution.Found found -> sets = found.records();
                    case Resolution.NoSuchName no -> sets = List.of();
                    case Resolution.NoSuchRecord no -> sets = List.of();
                    case Resolution.Unavailable trouble -> {
                        return new Target.Unknown(name + ": " + trouble.why());
                    }
                }
            }
            // What is found elsewhere has the links in front of it; ours is taken link by link.
            Optional<Name> link = Optional.empty();
            for (RRset set : sets) {
                ttl = Math.min(ttl, set.getTTL());
                if (set.getType() == type) {
                    if (!set.getName().equals(name) && isKnown(set.getName(), seen, aliases)) {
                        link = Optional.of(set.getName());
                        break;
                    }
                    return new Target.Found(addresses(set), ttl);
                }
                if (set.getType() == Type.CNAME) {
                    link = Optional.of(((CNAMERecord) set.first()).getTarget());
                    if (ours.isPresent() || isKnown(link.get(), seen, aliases)) {
                        break;
                    }
                }
            }
            if (link.isEmpty()) {
                return new Target.None();
            }
            name = link.get();
        }
    }

    private static boolean isKnown(
            Name name, Set<Name> seen, Function<Name, Optional<KeptSet.Alias>> aliases) {
        return seen.contains(name) || aliases.apply(name).isPresent();
    }

    /// What our zones say; empty when they have no authority.
    private Optional<Answer> ours(Name name, int type) {
        Zones now = zones.get();
        return now.nearest(name, type)
                .map(zone -> ZoneLookup.find(now, name, type, false))
                .filter(Answer::authoritative);
    }

    private static List<byte[]> addresses(RRset set) {
        return set.rrs(false).stream()
                .limit(MAX_ADDRESSES)
                .map(Record::rdataToWireCanonical)
                .toList();
    }

    private Resolution elsewhere(Name name, int type) {
        Question question = new Question(name, type);
        Instant now = clock.instant();
        synchronized (remembered) {
            Remembered last = remembered.get(question);
            if (last != null && now.isBefore(last.until())) {
                return last.resolution();
            }
            remembered.values().removeIf(each -> !now.isBefore(each.until()));
            if (remembered.size() >= MAX_REMEMBERED) {
                return new Resolution.Unavailable("too many different targets");
            }
        }
        Optional<Resolver> present = resolver.get();
        if (present.isEmpty()) {
            return new Resolution.Unavailable("no resolver is running here");
        }
        Resolution resolution = present.get().resolve(name, type);
        synchronized (remembered) {
            remembered.put(
                    question, new Remembered(resolution, clock.instant().plus(pause(resolution))));
        }
        return resolution;
    }

    private static Duration pause(Resolution resolution) {
        return switch (resolution) {
            case Resolution.Found found ->
                    bounded(found.records().stream().mapToLong(RRset::getTTL).min().orElse(0));
            case Resolution.Unavailable trouble -> AGAIN;
            default -> NEGATIVE;
        };
    }

    /// How soon a lookup is made again.
    static Duration pause(Target target) {
        return switch (target) {
            case Target.Found found -> bounded(found.ttl());
            case Target.None none -> NEGATIVE;
            case Target.Unknown unknown -> AGAIN;
        };
    }

    private static Duration bounded(long ttl) {
        return Duration.ofSeconds(Math.clamp(ttl, SOONEST.toSeconds(), LATEST.toSeconds()));
    }
}
