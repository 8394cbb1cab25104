package org.pabal.testkit;

import org.pabal.dns.Zone;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A zone made of a list of records or of the text of a master file.
public final class MemoryZone implements Zone {

    private record Key(Name name, int type) {}

    private final Name origin;
    private final Map<Key, RRset> sets = new LinkedHashMap<>();
    private final Set<Name> names = new HashSet<>();

    /// @param records with or without an SOA: a store has to refuse what cannot be served
    public MemoryZone(Name origin, Collection<? extends Record> records) {
        this.origin = origin;
        for (Record record : records) {
            int type = record instanceof RRSIGRecord s ? s.getTypeCovered() : record.getType();
            sets.computeIfAbsent(new Key(record.getName(), type), k -> new RRset()).addRR(record);
            Name name = record.getName();
            while (name.subdomain(origin) && names.add(name) && !name.equals(origin)) {
                name = new Name(name, 1);
            }
        }
    }

    /// Reads a master file, RFC 1035 §5.
    ///
    /// @param origin with or without the dot at its end
    public static MemoryZone of(String origin, String masterFile) {
        try {
            Name name = Name.fromString(origin, Name.root);
            byte[] octets = masterFile.getBytes(StandardCharsets.UTF_8);
            List<Record> records = new ArrayList<>();
            try (Master master = new Master(new ByteArrayInputStream(octets), name, 3600)) {
                for (Record record = master.nextRecord();
                        record != null;
                        record = master.nextRecord()) {
                    records.add(record);
                }
            }
            return new MemoryZone(name, records);
        } catch (IOException e) {
            throw new IllegalArgumentException("zone " + origin + ": " + e.getMessage(), e);
        }
    }

    @Override
    public Name origin() {
        return origin;
    }

    @Override
    public long serial() {
        return records(origin, Type.SOA)
                .map(set -> ((SOARecord) set.first()).getSerial())
                .orElseThrow(() -> new IllegalStateException("zone " + origin + ": has no SOA"));
    }

    @Override
    public Optional<RRset> records(Name name, int type) {
        return Optional.ofNullable(sets.get(new Key(name, type)));
    }

    @Override
    public boolean exists(Name name) {
        return names.contains(name);
    }

    @Override
    public Stream<RRset> all() {
        return Stream.concat(
                records(origin, Type.SOA).stream(),
                sets.values().stream().filter(set -> set.getType() != Type.SOA));
    }
}
