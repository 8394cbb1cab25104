package org.pabal.testkit;

import org.pabal.dns.ZoneFreshness;
import org.xbill.DNS.Name;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Remembers in memory when zones were confirmed.
public final class MemoryZoneFreshness implements ZoneFreshness {

    private final Map<Name, Instant> confirmed = new ConcurrentHashMap<>();

    public MemoryZoneFreshness() {}

    @Override
    public Optional<Instant> confirmed(Name origin) {
        return Optional.ofNullable(confirmed.get(origin));
    }

    @Override
    public void confirm(Name origin, Instant when) {
        confirmed.put(origin, when);
    }

    @Override
    public void forget(Name origin) {
        confirmed.remove(origin);
    }
}
