package org.pabal.dns.recursive;

import org.xbill.DNS.DClass;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Records that answer for their names whatever the rest of the world says, and zones that end
/// here. Immutable.
///
/// A name that has some record here and not the one that was asked for has no such record. What has
/// no name here is looked up elsewhere, unless it is at or below one of the zones: then it does not
/// exist. A wildcard speaks for names below its parent as in a zone (RFC 4592).
///
/// DS and DNSKEY of a name that is in no zone of ours are looked up elsewhere: an address that
/// somebody writes down for `example.org` must not hide the keys with which the names below it are
/// validated.
final class LocalNames {

    static final LocalNames NONE = new LocalNames(List.of(), Set.of());

    /// What RFC 6303 §3 has in the SOA, and its negative TTL.
    private static final long EMPTY_ZONE_TTL = 10_800;

    private static final Name NOBODY = Name.fromConstantString("nobody.invalid.");

    /// What is known here of a question.
    ///
    /// @param labels of the name, the wildcard's parent, or the zone that says so: the more, the
    ///     closer it is to the question
    record Match(int labels, Finding finding) {}

    private final Map<Name, Map<Integer, RRset>> sets = new HashMap<>();

    /// Names that have records, or something below them that has.
    private final Set<Name> existing = new HashSet<>();

    private final Set<Name> zones;

    /// @param records of class IN, of whatever names
    /// @param zones that end here; they get an SOA and NS if none is among the records
    LocalNames(Collection<? extends Record> records, Set<Name> zones) {
        this.zones = Set.copyOf(zones);
        records.forEach(this::add);
        for (Name zone : zones) {
            if (records(zone, Type.SOA).isEmpty()) {
                add(
                        new SOARecord(
                                zone,
                                DClass.IN,
                                EMPTY_ZONE_TTL,
                                zone,
                                NOBODY,
                                1,
                                3600,
                                1200,
                                604_800,
                                EMPTY_ZONE_TTL));
            }
            if (records(zone, Type.NS).isEmpty()) {
                add(new NSRecord(zone, DClass.IN, EMPTY_ZONE_TTL, zone));
            }
        }
    }

    private void add(Record record) {
        sets.computeIfAbsent(record.getName(), name -> new TreeMap<>())
                .computeIfAbsent(record.getType(), type -> new RRset())
                .addRR(record);
        for (Name name = record.getName();
                name.labels() > 1 && existing.add(name);
                name = new Name(name, 1)) {}
    }

    /// The names that have records.
    Stream<Name> names() {
        return sets.keySet().stream();
    }

    /// Whether a name has the same records in both.
    boolean agrees(LocalNames other, Name name) {
        return sets.getOrDefault(name, Map.of()).equals(other.sets.getOrDefault(name, Map.of()));
    }

    Optional<Match> find(Question question) {
        Name name = question.name();
        Optional<Name> zone = zone(question);
        Map<Integer, RRset> exact = sets.get(name);
        if (exact != null) {
            return found(question, exact, zone).map(each -> new Match(name.labels(), each));
        }
        if (existing.contains(name)) {
            return zone.map(each -> new Match(each.labels(), noRecord(question, zone)));
        }
        Name encloser = encloser(name);
        if (!encloser.equals(name) && encloser.labels() >= zone.map(Name::labels).orElse(0)) {
            Map<Integer, RRset> wildcard = sets.get(name.wild(name.labels() - encloser.labels()));
            if (wildcard != null) {
                return found(question, wildcard, zone)
                        .map(each -> new Match(encloser.labels(), each));
            }
        }
        return zone.map(
                each -> new Match(each.labels(), negative(question, Finding.Kind.NO_NAME, zone)));
    }

    /// The nearest of our zones. RFC 4035 §3.1.4.1: the DS of a zone is its parent's.
    private Optional<Name> zone(Question question) {
        Name name = question.name();
        boolean above = question.type() == Type.DS && name.labels() > 1;
        for (int label = above ? 1 : 0; label < name.labels(); label++) {
            Name each = label == 0 ? name : new Name(name, label);
            if (zones.contains(each)) {
                return Optional.of(each);
            }
        }
        return Optional.empty();
    }

    /// RFC 4592 §3.3.1: the nearest ancestor that exists.
    private Name encloser(Name name) {
        Name each = name;
        while (each.labels() > 1 && !existing.contains(each)) {
            each = new Name(each, 1);
        }
        return each;
    }

    private Optional<Finding> found(
            Question question, Map<Integer, RRset> records, Optional<Name> zone) {
        int type = question.type();
        // RFC 8482 §4.1: any one set is an answer to ANY.
        RRset set = type == Type.ANY ? records.values().iterator().next() : records.get(type);
        if (set != null) {
            return Optional.of(positive(question, Finding.Kind.RECORDS, set, zone));
        }
        if (type == Type.DS || type == Type.DNSKEY) {
            return zone.map(each -> noRecord(question, zone));
        }
        RRset alias = records.get(Type.CNAME);
        return Optional.of(
                alias != null
                        ? positive(question, Finding.Kind.ALIAS, alias, zone)
                        : noRecord(question, zone));
    }

    private static Finding positive(
            Question question, Finding.Kind kind, RRset set, Optional<Name> zone) {
        RRset owned = set;
        if (!set.getName().equals(question.name())) {
            owned = new RRset();
            for (Record record : set.rrs(false)) {
                owned.addRR(
                        Record.newRecord(
                                question.name(),
                                record.getType(),
                                record.getDClass(),
                                record.getTTL(),
                                record.rdataToWireCanonical()));
            }
        }
        return new Finding(
                question,
                kind,
                List.of(owned),
                List.of(),
                zone.orElse(question.name()),
                Security.INSECURE,
                Optional.empty(),
                set.getTTL(),
                false);
    }

    private Finding noRecord(Question question, Optional<Name> zone) {
        return negative(question, Finding.Kind.NO_RECORD, zone);
    }

    private Finding negative(Question question, Finding.Kind kind, Optional<Name> zone) {
        Optional<RRset> soa = zone.flatMap(each -> records(each, Type.SOA));
        return new Finding(
                question,
                kind,
                List.of(),
                soa.stream().toList(),
                zone.orElse(question.name()),
                Security.INSECURE,
                Optional.empty(),
                soa.map(RRset::getTTL).orElse(0L),
                false);
    }

    private Optional<RRset> records(Name name, int type) {
        return Optional.ofNullable(sets.getOrDefault(name, Map.of()).get(type));
    }
}
