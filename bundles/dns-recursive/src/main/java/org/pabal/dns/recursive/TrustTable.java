package org.pabal.dns.recursive;

import org.xbill.DNS.Name;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Optional;

/// Remembers what is known of zones, so that a chain of trust is walked once and not for every
/// answer. What was used longest ago goes first when it is full. For many threads at once.
final class TrustTable {

    /// Keys are as long and as many as their zone likes.
    static final long MOST_KEY_OCTETS = 16_000_000;

    private final int most;
    private final LinkedHashMap<Name, ZoneTrust> zones = new LinkedHashMap<>(64, 0.75f, true);
    private long keyOctets;
    private int version;

    TrustTable(int most) {
        this.most = most;
    }

    synchronized Optional<ZoneTrust> find(Name zone, Instant now) {
        ZoneTrust trust = zones.get(zone);
        if (trust != null && !trust.until().isAfter(now)) {
            keyOctets -= octets(zones.remove(zone));
            return Optional.empty();
        }
        return Optional.ofNullable(trust);
    }

    synchronized void keep(Name zone, ZoneTrust trust, Instant now) {
        if (trust.until().isAfter(now)) {
            ZoneTrust old = zones.put(zone, trust);
            keyOctets += octets(trust) - (old == null ? 0 : octets(old));
            while (zones.size() > most || keyOctets > MOST_KEY_OCTETS) {
                keyOctets -= octets(zones.pollFirstEntry().getValue());
            }
        }
    }

    private static long octets(ZoneTrust trust) {
        return trust instanceof ZoneTrust.Secure secure ? secure.keys().octets() : 0;
    }

    /// Forgets the zones at and below a name.
    synchronized void forget(Name name) {
        zones.entrySet()
                .removeIf(
                        each -> {
                            boolean below = each.getKey().subdomain(name);
                            keyOctets -= below ? octets(each.getValue()) : 0;
                            return below;
                        });
    }

    /// Forgets everything that followed from other trust anchors.
    synchronized void follow(int anchors) {
        if (version != anchors) {
            version = anchors;
            zones.clear();
            keyOctets = 0;
        }
    }

    synchronized int size() {
        return zones.size();
    }
}
