package org.pabal.dnssec;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The sets of a version in the making that differ from the version before.
final class ZoneDraft {

    /// Records of one name and type, with their signatures.
    record Signed(List<Record> records, List<RRSIGRecord> signatures) {

        static final Signed NOTHING = new Signed(List.of(), List.of());

        static Signed of(Zone zone, SetName name) {
            return zone.records(name.name(), name.type()).map(Signed::of).orElse(NOTHING);
        }

        static Signed of(RRset set) {
            return new Signed(set.rrs(false), set.sigs());
        }

        Signed unsigned() {
            return new Signed(records, List.of());
        }

        /// Whether the records are the same, whatever the signatures are.
        boolean sameRecords(Signed other) {
            return records.size() == other.records.size()
                    && records.stream().allMatch(record -> has(other.records, record));
        }

        static boolean has(Collection<? extends Record> records, Record wanted) {
            return records.stream().anyMatch(record -> ZoneChange.same(record, wanted));
        }
    }

    private final Zone base;
    private final SOARecord soa;
    private final Map<SetName, Signed> after = new LinkedHashMap<>();

    /// @param soa what the next version has
    ZoneDraft(Zone base, SOARecord soa) {
        this.base = base;
        this.soa = soa;
        put(new SetName(base.origin(), Type.SOA), new Signed(List.of(soa), List.of()));
    }

    Signed get(SetName name) {
        Signed set = after.get(name);
        return set != null ? set : Signed.of(base, name);
    }

    void put(SetName name, Signed set) {
        after.put(name, set);
    }

    /// Puts records, and drops signatures.
    void put(SetName name, List<Record> records) {
        put(name, new Signed(List.copyOf(records), List.of()));
    }

    /// Takes a set into the draft as it is, without its signatures.
    void touch(SetName name) {
        put(name, get(name).unsigned());
    }

    Set<SetName> touched() {
        return Set.copyOf(after.keySet());
    }

    /// Whether a set is different in the version before, apart from signatures.
    Optional<Signed> unchanged(SetName name) {
        Signed before = Signed.of(base, name);
        return before.sameRecords(get(name)) ? Optional.of(before) : Optional.empty();
    }

    /// The step from the version before.
    ZoneChange change() {
        List<Record> removed = new ArrayList<>();
        List<Record> added = new ArrayList<>();
        after.forEach(
                (name, next) -> {
                    Signed before = Signed.of(base, name);
                    if (name.type() != Type.SOA) {
                        missing(before.records(), next.records(), removed);
                        missing(next.records(), before.records(), added);
                    }
                    missing(before.signatures(), next.signatures(), removed);
                    missing(next.signatures(), before.signatures(), added);
                });
        return new ZoneChange(ZoneChange.soa(base), soa, removed, added);
    }

    /// Adds what is here and not there to what was found.
    static void missing(
            List<? extends Record> here, List<? extends Record> there, List<Record> found) {
        here.stream().filter(record -> !Signed.has(there, record)).forEach(found::add);
    }
}
