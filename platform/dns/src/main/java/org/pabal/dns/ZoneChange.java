package org.pabal.dns;

import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/// One step from a version of a zone to the next: a difference sequence of RFC 1995 §4.
///
/// A record whose TTL changes is removed with the old one and added with the new one. Signatures
/// are records like others.
///
/// @param from the SOA before
/// @param to the SOA after; its serial may not be the same
/// @param removed records that are in the version before, without its SOA
/// @param added records that come in, without the SOA
public record ZoneChange(SOARecord from, SOARecord to, List<Record> removed, List<Record> added) {

    public ZoneChange {
        if (!from.getName().equals(to.getName()) || from.getSerial() == to.getSerial()) {
            throw new IllegalArgumentException(
                    "zone "
                            + from.getName()
                            + ": a change has to lead from one serial to another, and not from "
                            + from.getSerial()
                            + " to "
                            + to.getName()
                            + " "
                            + to.getSerial());
        }
        removed = List.copyOf(removed);
        added = List.copyOf(added);
    }

    public Name origin() {
        return to.getName();
    }

    /// The SOA of a zone.
    public static SOARecord soa(Zone zone) {
        return zone.records(zone.origin(), Type.SOA)
                .map(set -> (SOARecord) set.first())
                .orElseThrow(
                        () -> new IllegalArgumentException("zone " + zone.origin() + ": no SOA"));
    }

    /// What leads from one version to another, in time that grows with the zone.
    public static ZoneChange between(Zone before, Zone after) {
        List<Record> removed = new ArrayList<>();
        List<Record> added = new ArrayList<>();
        missing(before, after, removed);
        missing(after, before, added);
        return new ZoneChange(soa(before), soa(after), removed, added);
    }

    private static void missing(Zone here, Zone there, List<Record> found) {
        try (Stream<RRset> all = here.all()) {
            all.forEach(
                    set -> {
                        Optional<RRset> other = there.records(set.getName(), set.getType());
                        List<Record> others = other.map(ZoneChange::records).orElse(List.of());
                        for (Record record : records(set)) {
                            if (record.getType() != Type.SOA
                                    && others.stream().noneMatch(o -> same(o, record))) {
                                found.add(record);
                            }
                        }
                    });
        }
    }

    /// The records of a set, and behind them their signatures.
    public static List<Record> records(RRset set) {
        List<Record> records = new ArrayList<>(set.rrs(false));
        records.addAll(set.sigs());
        return records;
    }

    /// Whether a zone has a record, whatever its TTL.
    public static boolean has(Zone zone, Record record) {
        return zone.records(record.getName(), record.getRRsetType()).stream()
                .flatMap(set -> records(set).stream())
                .anyMatch(record::equals);
    }

    /// Records that are equal and have the same TTL, which `equals` of a record passes over.
    public static boolean same(Record one, Record other) {
        return one.getTTL() == other.getTTL() && Objects.equals(one, other);
    }
}
