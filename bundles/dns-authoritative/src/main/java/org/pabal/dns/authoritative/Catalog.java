package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.xbill.DNS.DClass;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A list of zones that is itself a zone, RFC 9432.
///
/// @param members the zones that it lists
record Catalog(Name origin, Map<Name, Member> members) {

    /// @param label the unique label under which it stands: another one is another zone of that
    ///     name
    /// @param goesTo the catalog to which it is about to change (§4.4.1, `coo`)
    record Member(Name label, Optional<Name> goesTo) {}

    private static final Name ZONES = Name.fromConstantString("zones");
    private static final Name VERSION = Name.fromConstantString("version");
    private static final Name COO = Name.fromConstantString("coo");
    private static final Name INVALID = Name.fromConstantString("invalid.");

    /// §4.1: names and times of a catalog mean nothing to anybody.
    private static final int TTL = 0;

    Catalog {
        members = Map.copyOf(members);
    }

    /// Reads one.
    ///
    /// @param maxMembers more is broken
    /// @throws IllegalArgumentException when it is broken (§5.1) and nothing may come of it; one
    ///     line for an administrator
    static Catalog of(Zone zone, int maxMembers) {
        Name origin = zone.origin();
        List<Record> version =
                zone.records(below(VERSION, origin), Type.TXT)
                        .map(set -> set.rrs(false))
                        .orElse(List.of());
        if (version.size() != 1
                || !((TXTRecord) version.getFirst()).getStrings().equals(List.of("2"))) {
            throw broken(
                    origin,
                    "expected version TXT \"2\" and no other, found "
                            + version.stream().map(Record::rdataToString).toList());
        }
        Name zones = below(ZONES, origin);
        Map<Name, Member> members = new HashMap<>();
        try (Stream<RRset> all = zone.all()) {
            all.filter(set -> set.getType() == Type.PTR)
                    .filter(set -> set.getName().labels() == zones.labels() + 1)
                    .filter(set -> set.getName().subdomain(zones))
                    .forEach(
                            set -> {
                                Name label = set.getName();
                                if (set.size() != 1) {
                                    throw broken(origin, label + " has more than one PTR");
                                }
                                Name member = ((PTRRecord) set.first()).getTarget();
                                Member one =
                                        new Member(label.relativize(zones), goesTo(zone, label));
                                if (members.put(member, one) != null) {
                                    throw broken(origin, member + " is listed twice");
                                }
                                if (members.size() > maxMembers) {
                                    throw broken(
                                            origin,
                                            "more than "
                                                    + maxMembers
                                                    + " zones, see max-catalog-members");
                                }
                            });
        }
        return new Catalog(origin, members);
    }

    /// §4.4.1; more than one makes the property void.
    private static Optional<Name> goesTo(Zone zone, Name label) {
        return zone.records(below(COO, label), Type.PTR)
                .filter(set -> set.size() == 1)
                .map(set -> ((PTRRecord) set.first()).getTarget());
    }

    /// The records of one that lists nothing yet, §4.1 and §4.2.1.
    static List<Record> empty(Name origin) {
        return List.of(
                new SOARecord(
                        origin, DClass.IN, TTL, INVALID, INVALID, 1, 3600, 600, 2147483646L, 0),
                new NSRecord(origin, DClass.IN, TTL, INVALID),
                new TXTRecord(below(VERSION, origin), DClass.IN, TTL, "2"));
    }

    /// The record that lists a zone. Its label is a hash, always the same for a zone.
    static PTRRecord entry(Name origin, Name member) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(member.toWireCanonical());
            Name label = Name.fromConstantString(HexFormat.of().formatHex(hash, 0, 16));
            return new PTRRecord(entryName(origin, label), DClass.IN, TTL, member);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }

    /// Where an entry stands.
    static Name entryName(Name origin, Name label) {
        return below(label, below(ZONES, origin));
    }

    private static Name below(Name name, Name parent) {
        try {
            return Name.concatenate(name, parent);
        } catch (NameTooLongException e) {
            throw broken(parent, "its name is too long for a catalog");
        }
    }

    private static IllegalArgumentException broken(Name origin, String what) {
        return new IllegalArgumentException("catalog " + origin + ": " + what);
    }
}
