package org.pabal.dns.authoritative;

import org.pabal.dns.Responder;
import org.pabal.dns.Zone;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// All that is answered from, at one moment: zones and plugged-in responders by their origins.
/// Immutable; a change is a new one, and a query that found the old one keeps it to its end.
final class ServedZones implements Zones {

    /// Who answers at and below an origin.
    sealed interface Source {}

    /// @param wire empty when the zone is too large to be laid out
    record OfZone(Zone zone, Optional<WireZone> wire) implements Source {}

    record Plugged(Responder responder) implements Source {}

    /// A zone that comes from elsewhere and has expired, or has not come yet: SERVFAIL, and not
    /// what its parent says (RFC 1034 §4.3.5).
    record Unavailable(Name origin) implements Source {}

    static final ServedZones NONE = new ServedZones(Map.of(), Map.of(), Set.of());

    private final Map<Name, OfZone> zones;
    private final Map<Name, Plugged> responders;
    private final Set<Name> unavailable;

    /// The same for [WireLookup]: an open hash table by lower-case wire form. A responder and a
    /// zone that only the readable path can answer stand there without a [WireZone].
    private final byte[][] origins;

    private final WireZone[] wires;

    private ServedZones(
            Map<Name, OfZone> zones, Map<Name, Plugged> responders, Set<Name> unavailable) {
        this.zones = zones;
        this.responders = responders;
        this.unavailable = unavailable;
        int origins = zones.size() + responders.size() + unavailable.size();
        int slots = Integer.highestOneBit(Math.max(2, origins)) << 2;
        this.origins = new byte[slots][];
        wires = new WireZone[slots];
        zones.forEach(
                (origin, zone) -> {
                    int slot = slot(origin);
                    zone.wire().ifPresent(wire -> wires[slot] = wire);
                });
        unavailable.forEach(origin -> wires[slot(origin)] = null);
        responders.keySet().forEach(origin -> wires[slot(origin)] = null);
    }

    private int slot(Name origin) {
        byte[] wire = origin.toWireCanonical();
        int slot = WireName.hash(wire) & origins.length - 1;
        while (origins[slot] != null && !Arrays.equals(origins[slot], wire)) {
            slot = slot + 1 & origins.length - 1;
        }
        origins[slot] = wire;
        return slot;
    }

    /// The slot of an origin in lower-case wire form, or -1.
    int find(int hash, byte[] name, int from, int to) {
        int mask = origins.length - 1;
        for (int slot = hash & mask; ; slot = slot + 1 & mask) {
            byte[] origin = origins[slot];
            if (origin == null) {
                return -1;
            }
            if (origin.length == to - from
                    && Arrays.equals(origin, 0, origin.length, name, from, to)) {
                return slot;
            }
        }
    }

    /// The images of the zone in a slot; `null` where the readable path has to answer.
    WireZone wire(int slot) {
        return wires[slot];
    }

    ServedZones with(Map<Name, OfZone> more) {
        Map<Name, OfZone> next = new HashMap<>(zones);
        next.putAll(more);
        return new ServedZones(next, responders, unavailable);
    }

    ServedZones without(Name origin) {
        Map<Name, OfZone> next = new HashMap<>(zones);
        next.remove(origin);
        return new ServedZones(next, responders, unavailable);
    }

    ServedZones with(Name origin, Responder responder) {
        Map<Name, Plugged> next = new HashMap<>(responders);
        next.put(origin, new Plugged(responder));
        return new ServedZones(zones, next, unavailable);
    }

    ServedZones without(Name origin, Responder responder) {
        Map<Name, Plugged> next = new HashMap<>(responders);
        next.remove(origin, new Plugged(responder));
        return new ServedZones(zones, next, unavailable);
    }

    /// The same zones, of which just these are not to be served.
    ServedZones withUnavailable(Set<Name> origins) {
        return new ServedZones(zones, responders, Set.copyOf(origins));
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
            Name origin = label == 0 ? name : new Name(name, label);
            Source source = responders.get(origin);
            if (source == null) {
                source = unavailable.contains(origin) ? new Unavailable(origin) : zones.get(origin);
            }
            if (source != null) {
                return Optional.of(source);
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

    @Override
    public IntStream types(Zone zone, Name name) {
        return Optional.ofNullable(zones.get(zone.origin()))
                .filter(of -> of.zone() == zone)
                .flatMap(OfZone::wire)
                .map(wire -> wire.types(name))
                .orElseGet(() -> Zones.super.types(zone, name));
    }
}
