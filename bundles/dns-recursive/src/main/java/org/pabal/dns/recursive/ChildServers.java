package org.pabal.dns.recursive;

import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;

import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What zones say themselves of who serves them, for the case that nobody whom the parent names
/// answers any more. Names only, and only a hint: where a zone is says its parent (security row
/// D5). For many threads.
final class ChildServers {

    private static final int MAX_ZONES = 10_000;

    private record Known(List<Name> servers, Instant until) {}

    private final InstantSource clock;
    private final Map<Name, Known> zones =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Name, Known> eldest) {
                    return size() > MAX_ZONES;
                }
            };

    ChildServers(InstantSource clock) {
        this.clock = clock;
    }

    void keep(RRset ns) {
        List<Name> servers =
                RootHints.names(ns).stream().limit(ReplyReading.MAX_NAME_SERVERS).toList();
        Known known = new Known(servers, clock.instant().plusSeconds(ns.getTTL()));
        synchronized (zones) {
            zones.put(ns.getName(), known);
        }
    }

    List<Name> of(Name zone) {
        synchronized (zones) {
            Known known = zones.get(zone);
            if (known == null || known.until().isBefore(clock.instant())) {
                return List.of();
            }
            return known.servers();
        }
    }
}
