package org.pabal.testkit;

import org.pabal.dns.ZoneKey;
import org.pabal.dns.ZoneKeyStore;
import org.xbill.DNS.Name;

import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Keys of zones in memory.
public final class MemoryZoneKeyStore implements ZoneKeyStore {

    private final List<ZoneKey> keys = new ArrayList<>(); // guarded by this

    /// A store with nothing in it.
    public MemoryZoneKeyStore() {}

    @Override
    public synchronized List<ZoneKey> keys(Name origin) {
        return keys.stream()
                .filter(key -> key.origin().equals(origin))
                .sorted(Comparator.comparing(ZoneKey::created))
                .toList();
    }

    @Override
    public synchronized void keep(ZoneKey key) {
        keys.removeIf(key::is);
        keys.add(key);
    }

    @Override
    public synchronized void remove(ZoneKey key) throws NoSuchFileException {
        if (!keys.removeIf(key::is)) {
            throw new NoSuchFileException(key.toString());
        }
    }
}
