package org.pabal.dns;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A zone that can be served: checked once, and never changed.
///
/// Every name that exists is a key, empty non-terminals too, and has its few record sets in an
/// array: a lookup is one step, and a zone of a million names is loaded in one pass.
public final class PackedZone implements Zone {

    /// More would not fit into a message (RFC 1035 §4.2.2), however small the records are.
    private static final int MAX_SET_SIZE = 4_096;

    private static final int MAX_SET_OCTETS = 65_000;
    private static final RRset[] NONE = {};

    private final Name origin;
    private final Map<Name, RRset[]> names = new HashMap<>();
    private RRset soa;
    private int size;

    /// @throws IllegalArgumentException when these records are no zone that can be served; one line
    ///     for an administrator
    public PackedZone(Name origin, Collection<? extends Record> records) {
        this.origin = origin;
        names.put(origin, NONE);
        records.forEach(this::add);
        soa =
                records(origin, Type.SOA)
                        .filter(set -> set.size() == 1)
                        .orElseThrow(() -> bad("expected exactly one SOA"));
        if (records(origin, Type.NS).isEmpty()) {
            throw bad("expected an NS record of the zone itself, for example @ NS ns1"); // RFC 1034
            // §4.2.1
        }
        names.forEach(this::check);
    }

    @Override
    public Name origin() {
        return origin;
    }

    @Override
    public long serial() {
        return ((SOARecord) soa.first()).getSerial();
    }

    @Override
    public Optional<RRset> records(Name name, int type) {
        for (RRset set : names.getOrDefault(name, NONE)) {
            if (set.getType() == type) {
                return Optional.of(set);
            }
        }
        return Optional.empty();
    }

    @Override
    public Stream<RRset> at(Name name) {
        return Arrays.stream(names.getOrDefault(name, NONE));
    }

    @Override
    public boolean exists(Name name) {
        return names.containsKey(name);
    }

    @Override
    public Stream<RRset> all() {
        return Stream.concat(
                Stream.of(soa),
                names.values().stream()
                        .flatMap(Arrays::stream)
                        .filter(set -> set.getType() != Type.SOA));
    }

    /// How many records there are, signatures included.
    public int size() {
        return size;
    }

    /// This zone in packed form.
    public static PackedZone of(Zone zone) {
        return zone instanceof PackedZone packed
                ? packed
                : new PackedZone(zone.origin(), records(zone));
    }

    @Override
    public PackedZone with(ZoneChange change) {
        Map<Record, Record> records = new LinkedHashMap<>();
        records(this).forEach(record -> records.put(record, record));
        records.remove(change.from());
        change.removed().forEach(records::remove);
        records.put(change.to(), change.to());
        change.added().forEach(record -> records.put(record, record));
        return new PackedZone(origin, records.values());
    }

    private static List<Record> records(Zone zone) {
        List<Record> records = new ArrayList<>();
        try (Stream<RRset> all = zone.all()) {
            all.forEach(
                    set -> {
                        records.addAll(set.rrs(false));
                        records.addAll(set.sigs());
                    });
        }
        return records;
    }

    private void add(Record record) {
        Name name = record.getName();
        if (!name.subdomain(origin)) {
            throw bad(name + " does not belong to it");
        }
        if (record.getDClass() != DClass.IN) {
            throw bad(
                    name
                            + " "
                            + Type.string(record.getType())
                            + ": class "
                            + DClass.string(record.getDClass())
                            + ", expected IN");
        }
        // RFC 6895 §3.1: 128 to 255 are for questions, OPT and NULL for messages
        int type = record.getRRsetType();
        if (type == 0 || type >= 128 && type < 256 || type == Type.OPT || type == Type.NULL) {
            throw bad(name + " " + Type.string(type) + ": no type for a zone");
        }
        if (type == Type.SOA && !name.equals(origin)) {
            throw bad(name + " has an SOA: expected one at " + origin + " only");
        }
        RRset[] sets = names.get(name);
        if (sets == null) {
            addAbove(name);
            sets = NONE;
        }
        for (RRset set : sets) {
            if (set.getType() == type) {
                if (set.size() + set.sigSize() >= MAX_SET_SIZE) {
                    throw bad(
                            name
                                    + " "
                                    + Type.string(type)
                                    + ": more than "
                                    + MAX_SET_SIZE
                                    + " records");
                }
                int before = set.size() + set.sigSize();
                set.addRR(record); // RFC 2181 §5.2: the set gets the smallest TTL; a record that is
                // there already stays one
                size += set.size() + set.sigSize() - before;
                return;
            }
        }
        RRset[] more = Arrays.copyOf(sets, sets.length + 1);
        more[sets.length] = new RRset(record);
        size++;
        names.put(name, more);
    }

    /// The names between a new one and those that are there: RFC 4592 §2.2.2, empty non-terminals
    /// exist.
    private void addAbove(Name name) {
        Name above = name;
        do {
            above = new Name(above, 1);
        } while (names.putIfAbsent(above, NONE) == null);
    }

    private void check(Name name, RRset[] sets) {
        for (RRset set : sets) {
            int type = set.getType();
            if (set.size() == 0) {
                throw bad(
                        name + " has a signature of " + Type.string(type) + " and no such record");
            }
            if ((type == Type.CNAME || type == Type.DNAME) && set.size() > 1) {
                throw bad(
                        name
                                + " has more than one "
                                + Type.string(type)); // RFC 2181 §10.1, RFC 6672 §2.4
            }
            if (type == Type.CNAME
                    && sets.length > 1
                    && Arrays.stream(sets).anyMatch(PackedZone::notBesideCname)) {
                throw bad(name + " has CNAME and other data"); // RFC 1034 §3.6.2
            }
            if (set.size() > 16
                    && set.rrs(false).stream()
                                    .mapToInt(r -> 12 + r.rdataToWireCanonical().length)
                                    .sum()
                            > MAX_SET_OCTETS) {
                throw bad(
                        name
                                + " "
                                + Type.string(type)
                                + ": its records do not fit into one message");
            }
        }
    }

    /// RFC 4034 §2.5, §4: DNSSEC's own records may stand beside a CNAME.
    private static boolean notBesideCname(RRset set) {
        return set.getType() != Type.CNAME && set.getType() != Type.NSEC;
    }

    private IllegalArgumentException bad(String what) {
        return new IllegalArgumentException("zone " + origin + ": " + what);
    }
}
