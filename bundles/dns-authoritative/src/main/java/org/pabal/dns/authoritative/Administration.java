package org.pabal.dns.authoritative;

import org.xbill.DNS.Name;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the administrator set, at one moment: for zones, and the keys of other servers. Immutable.
record Administration(List<ZoneSettings> zones, List<TsigKey> keys) {

    static final Administration NONE = new Administration(List.of(), List.of());

    Administration {
        zones = List.copyOf(zones);
        keys = List.copyOf(keys);
    }

    /// The settings that name a zone most closely.
    ZoneSettings of(Name origin) {
        return zones.stream()
                .filter(each -> each.closeness(origin) > 0)
                .max(Comparator.comparingInt(each -> each.closeness(origin)))
                .orElse(ZoneSettings.NONE);
    }

    /// The zones that come from other servers, as the files name them one by one: a pattern alone
    /// makes no zone.
    Map<Name, ZoneSources> secondaries() {
        Map<Name, ZoneSources> found = new HashMap<>();
        for (ZoneSettings each : zones) {
            for (Name origin : each.named()) {
                ZoneSources sources = of(origin).sources();
                if (!sources.primaries().isEmpty()) {
                    found.put(origin, sources);
                }
            }
        }
        return found;
    }

    /// @param name in any case
    Optional<TsigKey> key(Name name) {
        return keys.stream().filter(key -> key.name().equals(name)).findFirst();
    }
}
