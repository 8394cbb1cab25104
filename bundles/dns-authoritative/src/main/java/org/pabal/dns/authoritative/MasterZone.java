package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A zone version that the shell made: read from a master file, or the one before with a change.
final class MasterZone implements Zone {

    private final Name origin;
    private final SOARecord soa;
    private final Map<Name, TreeMap<Integer, RRset>> nodes = new TreeMap<>();
    private final Set<Name> names = new HashSet<>();

    /// @throws IllegalArgumentException when the records are no zone
    MasterZone(Name origin, Collection<? extends Record> records) {
        this.origin = origin;
        for (Record record : records) {
            if (!record.getName().subdomain(origin)) {
                throw new IllegalArgumentException(
                        "zone "
                                + origin
                                + ": "
                                + record.getName()
                                + " "
                                + Type.string(record.getType())
                                + " lies outside of it");
            }
            if (record.getDClass() != DClass.IN) {
                throw new IllegalArgumentException(
                        "zone " + origin + ": " + record.getName() + " is not of class IN");
            }
            int type =
                    record instanceof RRSIGRecord signature
                            ? signature.getTypeCovered()
                            : record.getType();
            nodes.computeIfAbsent(record.getName(), name -> new TreeMap<>())
                    .computeIfAbsent(type, each -> new RRset())
                    .addRR(record);
            for (Name name = record.getName(); names.add(name) && !name.equals(origin); ) {
                name = new Name(name, 1);
            }
        }
        RRset apex =
                records(origin, Type.SOA)
                        .filter(set -> set.size() == 1)
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                "zone "
                                                        + origin
                                                        + ": expected exactly one SOA record at "
                                                        + origin));
        this.soa = (SOARecord) apex.first();
    }

    /// Reads a master file, RFC 1035 §5.
    ///
    /// @throws IllegalArgumentException with the place of the fault in one line
    static MasterZone read(Name origin, Path file) throws IOException {
        List<Record> records = new ArrayList<>();
        try (Master master = new Master(file.toString(), origin)) {
            for (Record record = master.nextRecord();
                    record != null;
                    record = master.nextRecord()) {
                records.add(record);
            }
        } catch (TextParseException e) {
            throw new IllegalArgumentException("zone " + origin + ": " + e.getMessage(), e);
        }
        return new MasterZone(origin, records);
    }

    @Override
    public Name origin() {
        return origin;
    }

    @Override
    public long serial() {
        return soa.getSerial();
    }

    @Override
    public Optional<RRset> records(Name name, int type) {
        return Optional.ofNullable(nodes.getOrDefault(name, new TreeMap<>()).get(type));
    }

    @Override
    public boolean exists(Name name) {
        return names.contains(name);
    }

    @Override
    public Stream<RRset> all() {
        return Stream.concat(
                records(origin, Type.SOA).stream(),
                nodes.values().stream()
                        .flatMap(types -> types.values().stream())
                        .filter(set -> set.getType() != Type.SOA));
    }
}
