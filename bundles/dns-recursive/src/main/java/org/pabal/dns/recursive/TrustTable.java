package org.pabal.dns.recursive;

import org.xbill.DNS.Name;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Remembers what is known of zones, so that a chain of trust is walked once and not for every
/// answer. What was used longest ago goes first when it is full. For many threads at once.
final class TrustTable {

    private final Map<Name, ZoneTrust> zones;
    private int version;

    TrustTable(int most) {
        zones =
                new LinkedHashMap<>(64, 0.75f, true) {
                    private static final long serialVersionUID = 1;

                    @Override
                    protected boolean removeEldestEntry(Map.Entry<Name, ZoneTrust> eldest) {
                        return size() > most;
                    }
                };
    }

    synchronized Optional<ZoneTrust> find(Name zone, Instant now) {
        ZoneTrust trust = zones.get(zone);
        if (trust != null && !trust.until().isAfter(now)) {
            zones.remove(zone);
            return Optional.empty();
        }
        return Optional.ofNullable(trust);
    }

    synchronized void keep(Name zone, ZoneTrust trust, Instant now) {
        if (trust.until().isAfter(now)) {
            zones.put(zone, trust);
        }
    }

    /// Forgets everything that followed from other trust anchors.
    synchronized void follow(int anchors) {
        if (version != anchors) {
            version = anchors;
            zones.clear();
        }
    }

    synchronized int size() {
        return zones.size();
    }
}
