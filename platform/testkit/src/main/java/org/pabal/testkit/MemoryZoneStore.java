package org.pabal.testkit;

import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Stream;

/// Zones in memory.
public final class MemoryZoneStore implements ZoneStore {

    private final ConcurrentSkipListMap<Name, Zone> zones = new ConcurrentSkipListMap<>();
    private final Map<Name, List<ZoneChange>> history = new HashMap<>(); // guarded by this
    private final List<ZoneObserver> observers;

    public MemoryZoneStore(ZoneObserver... observers) {
        this.observers = List.of(observers);
    }

    @Override
    public Optional<Zone> find(Name origin) {
        return Optional.ofNullable(zones.get(origin));
    }

    @Override
    public Stream<Zone> zones() {
        return zones.values().stream();
    }

    @Override
    public synchronized void publish(Zone next) {
        check(next);
        Zone before = zones.put(next.origin(), next);
        // what does not follow is no step that a secondary could take
        if (before != null && Serial.follows(next.serial(), before.serial())) {
            history.get(next.origin()).add(ZoneChange.between(before, next));
        } else {
            history.put(next.origin(), new ArrayList<>());
        }
        observers.forEach(observer -> observer.published(next));
    }

    @Override
    public synchronized Optional<Zone> change(List<ZoneChange> steps) {
        Zone zone = zones.get(steps.getFirst().origin());
        if (zone == null || zone.serial() != steps.getFirst().from().getSerial()) {
            return Optional.empty();
        }
        for (ZoneChange step : steps) {
            zone = zone.with(step);
        }
        Zone next = zone;
        zones.put(next.origin(), next);
        history.get(next.origin()).addAll(steps);
        observers.forEach(observer -> observer.changed(next, steps));
        return Optional.of(next);
    }

    @Override
    public synchronized Optional<List<ZoneChange>> changes(Name origin, long since) {
        Zone zone = zones.get(origin);
        if (zone == null || zone.serial() == since) {
            return Optional.ofNullable(zone).map(current -> List.of());
        }
        List<ZoneChange> steps = history.get(origin);
        for (int i = 0; i < steps.size(); i++) {
            if (steps.get(i).from().getSerial() == since) {
                return Optional.of(List.copyOf(steps.subList(i, steps.size())));
            }
        }
        return Optional.empty();
    }

    @Override
    public synchronized void withdraw(Name origin) throws NoSuchFileException {
        if (zones.remove(origin) == null) {
            throw new NoSuchFileException(origin.toString());
        }
        history.remove(origin);
        observers.forEach(observer -> observer.withdrawn(origin));
    }

    private static void check(Zone zone) {
        if (zone.records(zone.origin(), Type.SOA).isEmpty()) {
            throw new IllegalArgumentException("zone " + zone.origin() + ": has no SOA");
        }
        List<RRset> sets = zone.all().toList();
        for (RRset set : sets) {
            if (!set.getName().subdomain(zone.origin())) {
                throw new IllegalArgumentException(
                        "zone " + zone.origin() + ": " + set.getName() + " does not belong to it");
            }
            // RFC 1034 §3.6.2, RFC 2181 §10.1
            if (set.getType() != Type.CNAME
                    && set.getType() != Type.NSEC
                    && zone.records(set.getName(), Type.CNAME).isPresent()) {
                throw new IllegalArgumentException(
                        "zone "
                                + zone.origin()
                                + ": "
                                + set.getName()
                                + " has CNAME and other data");
            }
        }
    }
}
