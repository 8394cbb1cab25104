package org.pabal.testkit;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Stream;

/// Zones in memory.
public final class MemoryZoneStore implements ZoneStore {

    private final ConcurrentSkipListMap<Name, Zone> zones = new ConcurrentSkipListMap<>();
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
        zones.put(next.origin(), next);
        observers.forEach(observer -> observer.published(next));
    }

    @Override
    public synchronized void withdraw(Name origin) throws NoSuchFileException {
        if (zones.remove(origin) == null) {
            throw new NoSuchFileException(origin.toString());
        }
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
