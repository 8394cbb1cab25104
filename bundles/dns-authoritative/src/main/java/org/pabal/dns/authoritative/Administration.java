package org.pabal.dns.authoritative;

import org.xbill.DNS.Name;

import java.util.Comparator;
import java.util.List;
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

    /// @param name in any case
    Optional<TsigKey> key(Name name) {
        return keys.stream().filter(key -> key.name().equals(name)).findFirst();
    }
}
