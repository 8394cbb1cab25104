package org.pabal.dns.authoritative;

import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A zone version in the making: what is done here is seen here at once, and becomes one step from
/// the version that it began with.
final class ZoneEdit {

    private record Key(Name name, int type) {}

    private final Zone before;

    /// The records, with signatures, of the sets that were touched.
    private final Map<Key, List<Record>> touched = new LinkedHashMap<>();

    private SOARecord soa;

    ZoneEdit(Zone before) {
        this.before = before;
        this.soa = ZoneChange.soa(before);
    }

    Name origin() {
        return before.origin();
    }

    /// The SOA as it is now.
    SOARecord soa() {
        return soa;
    }

    /// Takes another SOA, whose serial becomes that of the next version if it follows the present
    /// one.
    void soa(SOARecord next) {
        soa = next;
    }

    /// The records of a name and type as they are now, with their signatures, without the SOA.
    List<Record> records(Name name, int type) {
        List<Record> records = touched.get(new Key(name, type));
        return records != null ? List.copyOf(records) : original(name, type);
    }

    /// The types that a name has now, without SOA.
    List<Integer> types(Name name) {
        try (Stream<RRset> sets = before.at(name)) {
            return Stream.concat(
                            sets.map(RRset::getType),
                            touched.keySet().stream()
                                    .filter(key -> key.name().equals(name))
                                    .map(Key::type))
                    .distinct()
                    .filter(type -> type != Type.SOA && !records(name, type).isEmpty())
                    .toList();
        }
    }

    void remove(Record record) {
        touch(record.getName(), record.getRRsetType()).remove(record);
    }

    /// Takes away all records of a name and type, with their signatures.
    void remove(Name name, int type) {
        touch(name, type).clear();
    }

    /// Adds a record; one that is there already gets its TTL, and so does all of its set (RFC 2181
    /// §5.2).
    void add(Record record) {
        List<Record> records = touch(record.getName(), record.getRRsetType());
        records.remove(record);
        records.replaceAll(
                each ->
                        each.getType() == record.getType() && each.getTTL() != record.getTTL()
                                ? withTtl(each, record.getTTL())
                                : each);
        records.add(record);
    }

    /// The step to the next version, or empty when nothing has changed.
    Optional<ZoneChange> change() {
        List<Record> removed = new ArrayList<>();
        List<Record> added = new ArrayList<>();
        touched.forEach(
                (key, after) -> {
                    List<Record> original = original(key.name(), key.type());
                    original.stream().filter(r -> missing(after, r)).forEach(removed::add);
                    after.stream().filter(r -> missing(original, r)).forEach(added::add);
                });
        SOARecord from = ZoneChange.soa(before);
        if (removed.isEmpty() && added.isEmpty() && ZoneChange.same(from, soa)) {
            return Optional.empty();
        }
        boolean follows = Serial.follows(soa.getSerial(), from.getSerial());
        long serial = follows ? soa.getSerial() : Serial.after(from.getSerial());
        return Optional.of(new ZoneChange(from, Serial.in(soa, serial), removed, added));
    }

    private List<Record> touch(Name name, int type) {
        if (type == Type.SOA) {
            throw new IllegalArgumentException(name + " SOA: is never removed nor added to");
        }
        return touched.computeIfAbsent(
                new Key(name, type), key -> new ArrayList<>(original(name, type)));
    }

    private List<Record> original(Name name, int type) {
        return before.records(name, type).map(ZoneChange::records).orElse(List.of());
    }

    private static boolean missing(List<Record> records, Record wanted) {
        return records.stream().noneMatch(record -> ZoneChange.same(record, wanted));
    }

    private static Record withTtl(Record record, long ttl) {
        return Record.newRecord(
                record.getName(),
                record.getType(),
                record.getDClass(),
                ttl,
                record.rdataToWireCanonical());
    }
}
