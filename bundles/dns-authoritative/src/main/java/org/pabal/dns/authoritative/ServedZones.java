package org.pabal.dns.authoritative;

import org.pabal.dns.Responder;
import org.pabal.dns.Zone;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// All that is answered from, at one moment: zones and plugged-in responders by their origins.
/// Immutable; a change is a new one that shares with it all but a few places, and a query that
/// found the old one keeps it to its end.
final class ServedZones implements Zones {

    /// Who answers at and below an origin.
    sealed interface Source {}

    /// @param wire empty when the zone is too large to be laid out
    record OfZone(Zone zone, Optional<WireZone> wire) implements Source {}

    record Plugged(Responder responder) implements Source {}

    /// A zone that comes from elsewhere and has expired, or has not come yet: SERVFAIL, and not
    /// what its parent says (RFC 1034 §4.3.5).
    record Unavailable(Name origin) implements Source {}

    /// What is at an origin.
    ///
    /// @param name lower-case wire form
    /// @param wire what [WireLookup] answers from; `null` where the readable path has to answer:
    ///     for a responder, and for a zone that is not available or not laid out
    record Place(
            int hash,
            byte[] name,
            Optional<OfZone> zone,
            Optional<Plugged> responder,
            Optional<Unavailable> unavailable,
            WireZone wire) {

        private Place(
                int hash,
                byte[] name,
                Optional<OfZone> zone,
                Optional<Plugged> responder,
                Optional<Unavailable> unavailable) {
            this(
                    hash,
                    name,
                    zone,
                    responder,
                    unavailable,
                    responder.isPresent() || unavailable.isPresent()
                            ? null
                            : zone.flatMap(OfZone::wire).orElse(null));
        }

        static Place empty(int hash, byte[] name) {
            return new Place(hash, name, Optional.empty(), Optional.empty(), Optional.empty());
        }

        Place with(Optional<OfZone> next) {
            return new Place(hash, name, next, responder, unavailable);
        }

        Place withResponder(Optional<Plugged> next) {
            return new Place(hash, name, zone, next, unavailable);
        }

        Place withUnavailable(Optional<Unavailable> next) {
            return new Place(hash, name, zone, responder, next);
        }

        boolean isEmpty() {
            return zone.isEmpty() && responder.isEmpty() && unavailable.isEmpty();
        }

        /// At the same origin the responder.
        Source source() {
            if (responder.isPresent()) {
                return responder.get();
            }
            return unavailable.isPresent() ? unavailable.get() : zone.orElseThrow();
        }
    }

    private static final int PER_BUCKET = 4;
    private static final Place[] EMPTY = {};

    static final ServedZones NONE = new ServedZones(new Place[][] {EMPTY}, 0);

    /// By the low bits of the hash.
    private final Place[][] buckets;

    private final int size;

    private ServedZones(Place[][] buckets, int size) {
        this.buckets = buckets;
        this.size = size;
    }

    /// What is at an origin in lower-case wire form, or `null`: an object for each question would
    /// be too many.
    Place find(int hash, byte[] name, int from, int to) {
        for (Place place : buckets[hash & buckets.length - 1]) {
            if (place.hash == hash
                    && Arrays.equals(place.name, 0, place.name.length, name, from, to)) {
                return place;
            }
        }
        return null;
    }

    private Optional<Place> find(Name name) {
        byte[] wire = name.toWireCanonical();
        return Optional.ofNullable(find(WireName.hash(wire), wire, 0, wire.length));
    }

    /// The zone with exactly this origin.
    Optional<OfZone> zone(Name origin) {
        return find(origin).flatMap(Place::zone);
    }

    ServedZones with(OfZone zone) {
        return with(List.of(zone));
    }

    ServedZones with(Collection<OfZone> more) {
        ServedZones next = new ServedZones(buckets.clone(), size);
        for (OfZone zone : more) {
            next = next.put(zone.zone().origin(), place -> place.with(Optional.of(zone)));
        }
        return next;
    }

    ServedZones without(Name origin) {
        return changed(origin, place -> place.with(Optional.empty()));
    }

    ServedZones with(Name origin, Responder responder) {
        return changed(origin, place -> place.withResponder(Optional.of(new Plugged(responder))));
    }

    ServedZones without(Name origin, Responder responder) {
        return changed(
                origin,
                place ->
                        place.responder.equals(Optional.of(new Plugged(responder)))
                                ? place.withResponder(Optional.empty())
                                : place);
    }

    /// The same zones, of which just these are not to be served.
    ServedZones withUnavailable(Set<Name> origins) {
        Set<Name> changed = new HashSet<>(origins);
        for (Place[] bucket : buckets) {
            for (Place place : bucket) {
                place.unavailable().ifPresent(each -> changed.add(each.origin()));
            }
        }
        ServedZones next = new ServedZones(buckets.clone(), size);
        for (Name origin : changed) {
            next =
                    next.put(
                            origin,
                            place ->
                                    place.withUnavailable(
                                            Optional.of(new Unavailable(origin))
                                                    .filter(each -> origins.contains(origin))));
        }
        return next;
    }

    private ServedZones changed(Name origin, UnaryOperator<Place> change) {
        return new ServedZones(buckets.clone(), size).put(origin, change);
    }

    /// Puts it into our own buckets, which nobody else has seen yet, or into more of them.
    private ServedZones put(Name origin, UnaryOperator<Place> change) {
        byte[] wire = origin.toWireCanonical();
        int hash = WireName.hash(wire);
        Place before = find(hash, wire, 0, wire.length);
        Place after = change.apply(before != null ? before : Place.empty(hash, wire));
        int at = hash & buckets.length - 1;
        buckets[at] =
                Stream.concat(
                                Arrays.stream(buckets[at]).filter(place -> place != before),
                                Stream.of(after).filter(place -> !place.isEmpty()))
                        .toArray(Place[]::new);
        int count = size + (after.isEmpty() ? 0 : 1) - (before == null ? 0 : 1);
        return new ServedZones(
                count > buckets.length * PER_BUCKET ? spread(buckets) : buckets, count);
    }

    private static Place[][] spread(Place[][] buckets) {
        Place[][] wider = new Place[buckets.length * 4][];
        Arrays.fill(wider, EMPTY);
        for (Place[] bucket : buckets) {
            for (Place place : bucket) {
                int at = place.hash & wider.length - 1;
                wider[at] = Arrays.copyOf(wider[at], wider[at].length + 1);
                wider[at][wider[at].length - 1] = place;
            }
        }
        return wider;
    }

    /// Whether something with exactly this origin is ours to answer, if only with SERVFAIL.
    boolean serves(Name origin) {
        return find(origin).isPresent();
    }

    /// Who answers for a name; the nearest, and at the same origin the responder.
    Optional<Source> source(Name name, int type) {
        Optional<Source> parent = Optional.empty();
        if (type == Type.DS && name.labels() > 1) {
            // RFC 4035 §3.1.4.1: the DS of an apex is at the parent, if that is ours too.
            parent = nearestAt(new Name(name, 1));
        }
        return parent.isPresent() ? parent : nearestAt(name);
    }

    private Optional<Source> nearestAt(Name name) {
        for (int label = 0; label < name.labels(); label++) {
            Optional<Place> place = find(label == 0 ? name : new Name(name, label));
            if (place.isPresent()) {
                return Optional.of(place.get().source());
            }
        }
        return Optional.empty();
    }

    @Override
    public Optional<Zone> nearest(Name name, int type) {
        return source(name, type)
                .flatMap(
                        source ->
                                source instanceof OfZone of
                                        ? Optional.of(of.zone())
                                        : Optional.empty());
    }

    /// How the zones are answered that have a wire form, others as [AnswerPolicy#PLAIN].
    AnswerPolicy policy(Name origin) {
        return zone(origin).flatMap(OfZone::wire).map(WireZone::policy).orElse(AnswerPolicy.PLAIN);
    }

    /// Gives zones another policy.
    void policies(Predicate<Name> which, Function<Zone, AnswerPolicy> policy) {
        for (Place[] bucket : buckets) {
            for (Place place : bucket) {
                place.zone()
                        .filter(of -> which.test(of.zone().origin()))
                        .ifPresent(
                                of ->
                                        of.wire()
                                                .ifPresent(
                                                        wire ->
                                                                wire.policy(
                                                                        policy.apply(of.zone()))));
            }
        }
    }

    /// Which of the addresses of a name comes first.
    AddressOrder order(Name name) {
        return nearest(name, Type.A)
                .map(zone -> policy(zone.origin()).order())
                .orElse(AddressOrder.CYCLIC);
    }

    @Override
    public boolean withholds(Zone zone, Name name, int type) {
        return policy(zone.origin()).withholds(name, type);
    }

    @Override
    public IntStream types(Zone zone, Name name) {
        return zone.at(name).mapToInt(RRset::getType).sorted();
    }
}
