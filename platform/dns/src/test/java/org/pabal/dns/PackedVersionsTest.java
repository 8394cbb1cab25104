package org.pabal.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Versions that are made one of the other are the zones that they would be if they were read anew.
class PackedVersionsTest {

    private static final Name ORIGIN = Name.fromConstantString("Example.org.");
    private static final String[] LABELS = {
        "a", "B", "*", "\\000", "\\001", "a\\000", "zz", "\\255", "c-long-label"
    };

    @Test
    void randomChangesComeToTheSameAsAFreshZone() {
        long seed = Long.getLong("pabal.agreement.seed", 20261123);
        Random random = new Random(seed);
        for (int round = 0; round < 30; round++) {
            PackedZone zone = new PackedZone(ORIGIN, apex(1));
            List<PackedZone> versions = new ArrayList<>();
            List<String> texts = new ArrayList<>();
            for (int step = 0; step < 60; step++) {
                if (random.nextInt(3) == 0) {
                    zone.names().count(); // from now on there is an order to be kept
                    zone.matchingOrCovering(ORIGIN, Type.NSEC);
                }
                Optional<PackedZone> next = changed(zone, random);
                if (next.isPresent()) {
                    zone = next.get();
                    same(fresh(zone), zone, random);
                    versions.add(zone);
                    texts.add(text(zone));
                }
                if (random.nextInt(10) == 0 && !versions.isEmpty()) {
                    zone = versions.get(random.nextInt(versions.size())); // a fork
                }
            }
            for (int i = 0; i < versions.size(); i++) {
                assertEquals(texts.get(i), text(versions.get(i)), "an old version has changed");
            }
        }
    }

    @Test
    void foldsAndCompactsOverManyChanges() {
        PackedZone zone = new PackedZone(ORIGIN, apex(1));
        zone.names().count();
        Random random = new Random(5);
        for (int step = 0; step < 6_000; step++) {
            SOARecord from = ZoneChange.soa(zone);
            SOARecord to = soa(from.getSerial() + 1);
            Record record =
                    record("n" + random.nextInt(3_000) + ".sub", 60, "A", "192.0.2." + step % 9);
            boolean there =
                    zone.records(record.getName(), Type.A)
                            .filter(set -> set.rrs().contains(record))
                            .isPresent();
            zone =
                    zone.with(
                            new ZoneChange(
                                    from,
                                    to,
                                    there ? List.of(record) : List.of(),
                                    there ? List.of() : List.of(record)));
        }
        assertTrue(zone.nameCount() > 2_000, "so many that the table was folded");
        same(fresh(zone), zone, random);
    }

    @Test
    void aChangeThatIsRefusedLeavesNothing() {
        PackedZone zone = new PackedZone(ORIGIN, apex(1));
        String before = text(zone);
        Record alias = record("x.y", 60, "CNAME", "a.example.org.");
        Record other = record("x.y", 60, "A", "192.0.2.1");
        SOARecord soa = ZoneChange.soa(zone);
        ZoneChange bad = new ZoneChange(soa, soa(2), List.of(), List.of(alias, other));
        String said =
                assertThrows(IllegalArgumentException.class, () -> zone.with(bad)).getMessage();
        assertEquals("zone Example.org.: x.y.Example.org. has CNAME and other data", said);
        assertEquals(before, text(zone));
        PackedZone next = zone.with(new ZoneChange(soa, soa(2), List.of(), List.of(alias)));
        assertTrue(next.exists(name("y")));
        assertFalse(zone.exists(name("y")));
        assertThrows(
                IllegalArgumentException.class,
                () -> next.with(new ZoneChange(soa(7), soa(8), List.of(), List.of())),
                "a step that starts elsewhere");
    }

    @Test
    void refusesAChangeThatTakesTheLastNameServer() {
        PackedZone zone = new PackedZone(ORIGIN, apex(1));
        Record ns = zone.records(ORIGIN, Type.NS).orElseThrow().first();
        ZoneChange step = new ZoneChange(ZoneChange.soa(zone), soa(2), List.of(ns), List.of());
        assertTrue(
                assertThrows(IllegalArgumentException.class, () -> zone.with(step))
                        .getMessage()
                        .contains("expected an NS record of the zone itself"));
    }

    @Test
    void refusesMoreAtOneNameThanCanBeKept() {
        PackedZone zone = new PackedZone(ORIGIN, apex(1));
        List<Record> many = new ArrayList<>();
        for (int type = 0; type < 75; type++) {
            many.add(Record.newRecord(name("a"), 65_300 + type, DClass.IN, 60, new byte[60_000]));
        }
        String why = "zone Example.org.: more than " + NameTable.MAX_NODE + " octets at one name";
        ZoneChange step = new ZoneChange(ZoneChange.soa(zone), soa(2), List.of(), many);
        assertEquals(
                why,
                assertThrows(IllegalArgumentException.class, () -> zone.with(step)).getMessage());
        many.addAll(apex(1));
        assertEquals(
                why,
                assertThrows(IllegalArgumentException.class, () -> new PackedZone(ORIGIN, many))
                        .getMessage());
    }

    @Test
    void makesTheSameStepOnce() {
        PackedZone zone = new PackedZone(ORIGIN, apex(1));
        ZoneChange step = new ZoneChange(ZoneChange.soa(zone), soa(2), List.of(), List.of());
        assertSame(zone.with(step), zone.with(step));
    }

    @Test
    void keepsNamesAsTheyWereWritten() {
        PackedZone zone = new PackedZone(ORIGIN, apex(1));
        Record record = record("MiXed.Sub", 60, "MX", "5 Mail.Example.ORG.");
        PackedZone next =
                zone.with(new ZoneChange(ZoneChange.soa(zone), soa(2), List.of(), List.of(record)));
        assertEquals(
                record.toString(),
                next.records(name("mixed.sub"), Type.MX).orElseThrow().first().toString());
        assertEquals(
                List.of("Example.org.", "Sub.Example.org.", "MiXed.Sub.Example.org."),
                next.names().map(Name::toString).toList());
    }

    private static Optional<PackedZone> changed(PackedZone zone, Random random) {
        List<Record> there = records(zone);
        List<Record> removed = new ArrayList<>();
        List<Record> added = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
            Record victim = there.get(random.nextInt(there.size()));
            if (victim.getType() != Type.SOA && !removed.contains(victim)) {
                removed.add(victim);
            }
        }
        for (int i = random.nextInt(5); i > 0; i--) {
            String name = randomName(random);
            int ttl = 60 * (1 + random.nextInt(2));
            added.add(
                    switch (random.nextInt(7)) {
                        case 0 -> record(name, ttl, "NS", "ns." + ORIGIN);
                        case 1 -> record(name, ttl, "NSEC", "a.example.org. A");
                        case 2 -> record(name, ttl, "TXT", "x" + random.nextInt(4));
                        case 3 -> record(name, ttl, "MX", "1 A.example.org.");
                        case 4 -> record(name, ttl, "CNAME", "a.example.org.");
                        default -> record(name, ttl, "A", "192.0.2." + random.nextInt(4));
                    });
        }
        SOARecord from = ZoneChange.soa(zone);
        ZoneChange step = new ZoneChange(from, soa(from.getSerial() + 1), removed, added);
        List<Record> next = new ArrayList<>(there);
        next.removeAll(removed);
        next.remove(from);
        next.add(step.to());
        next.addAll(added);
        PackedZone made;
        try {
            made = zone.with(step);
        } catch (IllegalArgumentException e) {
            String why =
                    assertThrows(IllegalArgumentException.class, () -> new PackedZone(ORIGIN, next))
                            .getMessage();
            assertEquals(why.replaceFirst(".* has", ""), e.getMessage().replaceFirst(".* has", ""));
            return Optional.empty();
        }
        return Optional.of(made);
    }

    /// The same records, read anew.
    private static PackedZone fresh(PackedZone zone) {
        return new PackedZone(ORIGIN, records(zone));
    }

    private static void same(PackedZone fresh, PackedZone zone, Random random) {
        assertEquals(text(fresh), text(zone));
        assertEquals(fresh.size(), zone.size());
        assertEquals(fresh.signed(), zone.signed());
        assertEquals(fresh.nameCount(), zone.nameCount());
        List<Name> names = fresh.names().toList();
        assertEquals(names, zone.names().toList());
        assertEquals(names.stream().sorted().toList(), names);
        for (int i = 0; i < 20; i++) {
            Name name = name(randomName(random));
            assertEquals(fresh.exists(name), zone.exists(name));
            assertEquals(
                    names.stream().filter(each -> each.subdomain(name)).toList(),
                    zone.names(name).toList());
            assertEquals(
                    new Plain(fresh).matchingOrCovering(name, Type.NSEC).map(RRset::getName),
                    zone.matchingOrCovering(name, Type.NSEC).map(RRset::getName));
        }
    }

    /// The zone without what it does better.
    private record Plain(Zone zone) implements Zone {
        @Override
        public Name origin() {
            return zone.origin();
        }

        @Override
        public long serial() {
            return zone.serial();
        }

        @Override
        public Optional<RRset> records(Name name, int type) {
            return zone.records(name, type);
        }

        @Override
        public boolean exists(Name name) {
            return zone.exists(name);
        }

        @Override
        public Stream<RRset> all() {
            return zone.all();
        }
    }

    private static String text(PackedZone zone) {
        return records(zone).stream()
                .map(Record::toString)
                .sorted(Comparator.naturalOrder())
                .collect(Collectors.joining("\n"))
                .toLowerCase(java.util.Locale.ROOT);
    }

    private static List<Record> records(PackedZone zone) {
        return zone.all().flatMap(set -> set.rrs(false).stream()).collect(Collectors.toList());
    }

    private static List<Record> apex(long serial) {
        return List.of(soa(serial), record("@", 60, "NS", "ns.example.org."));
    }

    private static SOARecord soa(long serial) {
        return (SOARecord) record("@", 60, "SOA", "ns.example.org. h. " + serial + " 1 1 1 1");
    }

    private static String randomName(Random random) {
        StringBuilder name = new StringBuilder("@");
        for (int labels = random.nextInt(4); labels > 0; labels--) {
            String label = LABELS[random.nextInt(LABELS.length)];
            name =
                    name.length() == 1 && name.charAt(0) == '@'
                            ? new StringBuilder(label)
                            : name.append('.').append(label);
        }
        return name.toString();
    }

    private static Name name(String below) {
        try {
            return below.equals("@") ? ORIGIN : Name.fromString(below, ORIGIN);
        } catch (TextParseException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Record record(String name, int ttl, String type, String data) {
        try {
            return Record.fromString(name(name), Type.value(type), DClass.IN, ttl, data, ORIGIN);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
