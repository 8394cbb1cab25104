package org.pabal.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What every [ZoneStore] does.
public interface ZoneStoreContract {

    Name ORIGIN = Name.fromConstantString("example.test.");
    String SOA = "@ 3600 IN SOA ns1 hostmaster 1 7200 900 1209600 300\n";
    String RECORDS =
            SOA
                    + """
                    @ 3600 IN NS ns1
                    @ 3600 IN MX 10 mx
                    ns1 3600 IN A 192.0.2.1
                    mx 3600 IN A 192.0.2.25
                    mx 3600 IN A 192.0.2.26
                    mx 3600 IN AAAA 2001:db8::25
                    a.b.c 3600 IN TXT "three \\"quoted\\"; words" "and\\000\\255octets"
                    * 60 IN TXT "wild"
                    www 3600 IN CNAME mx
                    odd\\.dot 3600 IN A 192.0.2.7
                    ent 3600 IN TYPE65534 \\# 3 010203
                    """;

    /// A store with nothing in it, that tells this observer. Called once at the beginning of each
    /// test.
    ZoneStore store(ZoneObserver observer) throws Exception;

    /// Closes the store as a restart does, and opens it again over the same data. Empty when it
    /// keeps nothing over a restart; the tests about that are then skipped.
    default Optional<ZoneStore> reopened() throws Exception {
        return Optional.empty();
    }

    @Test
    default void publishedZoneIsFoundByItsOriginOnly() throws Exception {
        ZoneStore store = store(new Seen());
        assertTrue(store.find(ORIGIN).isEmpty());
        store.publish(zone(1));
        assertEquals(1, store.find(ORIGIN).orElseThrow().serial());
        assertTrue(store.find(Name.fromString("EXAMPLE.test.")).isPresent());
        assertTrue(store.find(Name.fromString("www.example.test.")).isEmpty());
        assertTrue(store.find(Name.fromString("test.")).isEmpty());
    }

    @Test
    default void publishedZoneHasEveryRecord() throws Exception {
        ZoneStore store = store(new Seen());
        store.publish(zone(1));
        assertSame(zone(1), store.find(ORIGIN).orElseThrow());
    }

    @Test
    default void nextVersionReplacesTheOneBeforeAndLeavesItWhole() throws Exception {
        ZoneStore store = store(new Seen());
        store.publish(zone(1));
        Zone before = store.find(ORIGIN).orElseThrow();
        store.publish(
                MemoryZone.of(
                        "example.test.",
                        SOA.replace(" 1 7200", " 2 7200") + "@ IN NS ns1\nns1 IN A 192.0.2.9\n"));
        assertEquals(2, store.find(ORIGIN).orElseThrow().serial());
        assertTrue(store.find(ORIGIN).orElseThrow().records(name("mx"), Type.A).isEmpty());
        assertSame(zone(1), before);
    }

    @Test
    default void zonesAreSortedByOrigin() throws Exception {
        ZoneStore store = store(new Seen());
        store.publish(zone("b.test."));
        store.publish(zone("a.test."));
        store.publish(zone("2.0.192.in-addr.arpa."));
        assertEquals(
                List.of("2.0.192.in-addr.arpa.", "a.test.", "b.test."),
                store.zones().map(z -> z.origin().toString()).toList());
    }

    @Test
    default void observersHearOfEveryVersionInOrder() throws Exception {
        Seen seen = new Seen();
        ZoneStore store = store(seen);
        store.publish(zone(1));
        store.publish(zone(2));
        store.publish(zone("a.test."));
        store.withdraw(ORIGIN);
        assertEquals(
                List.of("example.test. 1", "example.test. 2", "a.test. 1", "example.test. gone"),
                seen.events);
    }

    @Test
    default void withdrawnZoneIsGone() throws Exception {
        ZoneStore store = store(new Seen());
        store.publish(zone(1));
        store.withdraw(ORIGIN);
        assertTrue(store.find(ORIGIN).isEmpty());
        assertEquals(0, store.zones().count());
        assertThrows(NoSuchFileException.class, () -> store.withdraw(ORIGIN));
        store.publish(zone(3));
        assertEquals(3, store.find(ORIGIN).orElseThrow().serial());
    }

    @Test
    default void zoneThatCannotBeServedIsRefusedAndTheOneBeforeStays() throws Exception {
        Seen seen = new Seen();
        ZoneStore store = store(seen);
        store.publish(zone(1));
        for (String bad :
                List.of(
                        "@ IN NS ns1\n",
                        SOA + "@ IN NS ns1\nwww IN CNAME mx\nwww IN A 192.0.2.1\n",
                        SOA + "@ IN NS ns1\nwww.example.org. IN A 192.0.2.1\n")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> store.publish(MemoryZone.of("example.test.", bad)),
                    bad);
        }
        assertEquals(1, store.find(ORIGIN).orElseThrow().serial());
        assertEquals(List.of("example.test. 1"), seen.events);
    }

    @Test
    default void changesLeadToTheNextVersion() throws Exception {
        Seen seen = new Seen();
        ZoneStore store = store(seen);
        store.publish(zone(1));
        Zone before = store.find(ORIGIN).orElseThrow();
        ZoneChange first = step(1, 2, List.of(), List.of(address("new", 1)));
        ZoneChange second =
                step(
                        2,
                        3,
                        List.of(address("new", 1)),
                        List.of(address("new", 2), address("deep.er", 3)));
        Zone after = store.change(List.of(first, second)).orElseThrow();
        assertEquals(3, after.serial());
        assertEquals(3, store.find(ORIGIN).orElseThrow().serial());
        assertEquals(
                List.of(address("new", 2)),
                after.records(name("new"), Type.A).orElseThrow().rrs(false));
        assertTrue(after.exists(name("er")));
        assertSame(zone(1), before);
        assertEquals(Optional.of(List.of(first, second)), store.changes(ORIGIN, 1));
        assertEquals(Optional.of(List.of(second)), store.changes(ORIGIN, 2));
        assertEquals(Optional.of(List.of()), store.changes(ORIGIN, 3));
        assertEquals(Optional.empty(), store.changes(ORIGIN, 4));
        assertEquals(List.of("example.test. 1", "example.test. 3"), seen.events);

        Zone without =
                store.change(
                                List.of(
                                        step(
                                                3,
                                                4,
                                                List.of(address("deep.er", 3), address("mx", 25)),
                                                List.of())))
                        .orElseThrow();
        assertFalse(without.exists(name("deep.er")));
        assertFalse(without.exists(name("er")), "nothing is below it any more");
        assertEquals(1, without.records(name("mx"), Type.A).orElseThrow().size());
        assertTrue(after.exists(name("er")), "the version before stays whole");
    }

    @Test
    default void changeOfAnotherVersionChangesNothing() throws Exception {
        Seen seen = new Seen();
        ZoneStore store = store(seen);
        ZoneChange change = step(1, 2, List.of(), List.of(address("new", 1)));
        assertEquals(Optional.empty(), store.change(List.of(change)), "no such zone");
        store.publish(zone(7));
        assertEquals(Optional.empty(), store.change(List.of(change)));
        assertSame(zone(7), store.find(ORIGIN).orElseThrow());
        assertThrows(
                IllegalArgumentException.class,
                () ->
                        store.change(
                                List.of(
                                        step(7, 8, List.of(), List.of(address("a", 1))),
                                        step(8, 9, List.of(), List.of(address("www", 1))))),
                "CNAME and other data");
        assertSame(zone(7), store.find(ORIGIN).orElseThrow());
        assertEquals(List.of("example.test. 7"), seen.events);
    }

    @Test
    default void publishedVersionsAreStepsToo() throws Exception {
        ZoneStore store = store(new Seen());
        store.publish(zone(1));
        store.publish(zone(2));
        List<ZoneChange> steps = store.changes(ORIGIN, 1).orElseThrow();
        assertEquals(List.of(step(1, 2, List.of(), List.of())), steps);
        store.publish(zone(1));
        assertEquals(Optional.empty(), store.changes(ORIGIN, 2), "the serial went back");
    }

    @Test
    default void changesSurviveARestart() throws Exception {
        ZoneStore store = store(new Seen());
        store.publish(zone(1));
        ZoneChange change = step(1, 2, List.of(address("mx", 25)), List.of(address("new", 1)));
        store.change(List.of(change));

        Optional<ZoneStore> reopened = reopened();
        assumeTrue(reopened.isPresent(), "keeps nothing over a restart");
        Zone zone = reopened.get().find(ORIGIN).orElseThrow();
        assertEquals(2, zone.serial());
        assertTrue(zone.exists(name("new")));
        assertEquals(1, zone.records(name("mx"), Type.A).orElseThrow().size());
        assertEquals(Optional.of(List.of(change)), reopened.get().changes(ORIGIN, 1));
    }

    @Test
    default void changesGoOnAfterARestart() throws Exception {
        ZoneStore store = store(new Seen());
        store.publish(zone(1));
        ZoneChange first = step(1, 2, List.of(), List.of(address("a", 1)));
        ZoneChange second = step(2, 3, List.of(address("a", 1)), List.of(address("a", 2)));
        store.change(List.of(first));

        Optional<ZoneStore> reopened = reopened();
        assumeTrue(reopened.isPresent(), "keeps nothing over a restart");
        assertEquals(3, reopened.get().change(List.of(second)).orElseThrow().serial());
        assertEquals(Optional.of(List.of(first, second)), reopened.get().changes(ORIGIN, 1));
        Zone zone = reopened().orElseThrow().find(ORIGIN).orElseThrow();
        assertEquals(3, zone.serial());
        assertEquals(
                List.of(address("a", 2)), zone.records(name("a"), Type.A).orElseThrow().rrs(false));
    }

    @Test
    default void changesOfSeveralZonesStayApart() throws Exception {
        ZoneStore store = store(new Seen());
        Name other = Name.fromString("other.test.");
        store.publish(zone(1));
        store.publish(zone("other.test."));
        ZoneChange one = step(1, 2, List.of(), List.of(address("a", 1)));
        Zone before = store.find(other).orElseThrow();
        ZoneChange two =
                ZoneChange.between(
                        before,
                        MemoryZone.of(
                                "other.test.",
                                RECORDS.replace(" 1 7200", " 2 7200") + "b 60 IN A 192.0.2.2\n"));
        store.change(List.of(one));
        store.change(List.of(two));
        assertEquals(Optional.of(List.of(one)), store.changes(ORIGIN, 1));
        assertEquals(Optional.of(List.of(two)), store.changes(other, 1));
        assertFalse(store.find(ORIGIN).orElseThrow().exists(name("b")));
        assertFalse(store.find(other).orElseThrow().exists(Name.fromString("a.other.test.")));
        assertEquals(Optional.empty(), store.changes(Name.fromString("test."), 1));
    }

    @Test
    default void observersAreToldTheStepsOfAChange() throws Exception {
        List<List<ZoneChange>> told = new ArrayList<>();
        List<Long> serials = new ArrayList<>();
        ZoneStore store =
                store(
                        new ZoneObserver() {
                            @Override
                            public void published(Zone current) {
                                told.add(List.of());
                            }

                            @Override
                            public void changed(Zone current, List<ZoneChange> steps) {
                                told.add(steps);
                                serials.add(current.serial());
                            }

                            @Override
                            public void withdrawn(Name origin) {}
                        });
        store.publish(zone(1));
        List<ZoneChange> steps =
                List.of(
                        step(1, 2, List.of(), List.of(address("a", 1))),
                        step(2, 3, List.of(), List.of(address("b", 1))));
        store.change(steps);
        store.publish(zone(4));
        assertEquals(List.of(List.of(), steps, List.of()), told);
        assertEquals(List.of(3L), serials);
    }

    @Test
    default void serialsGoOnFromTheirEnd() throws Exception {
        // RFC 1982 §3.1: what follows 4294967295 is 0
        ZoneStore store = store(new Seen());
        store.publish(zone(4294967295L));
        ZoneChange change = step(4294967295L, 0, List.of(), List.of(address("a", 1)));
        assertEquals(0, store.change(List.of(change)).orElseThrow().serial());
        store.publish(zone(1));
        List<ZoneChange> steps = store.changes(ORIGIN, 4294967295L).orElseThrow();
        assertEquals(2, steps.size());
        assertEquals(change, steps.getFirst());
        assertEquals(List.of(address("a", 1)), steps.getLast().removed());
    }

    private static ZoneChange step(long from, long to, List<Record> removed, List<Record> added) {
        return new ZoneChange(ZoneChange.soa(zone(from)), ZoneChange.soa(zone(to)), removed, added);
    }

    private static Record address(String name, int last) throws Exception {
        return Record.fromString(name(name), Type.A, DClass.IN, 3600, "192.0.2." + last, Name.root);
    }

    @Test
    default void zonesSurviveARestart() throws Exception {
        ZoneStore store = store(new Seen());
        store.publish(zone(1));
        store.publish(zone(4_000_000_000L));
        store.publish(zone("a.test."));
        store.publish(zone("b.test."));
        store.withdraw(Name.fromString("b.test."));

        Optional<ZoneStore> reopened = reopened();
        assumeTrue(reopened.isPresent(), "keeps nothing over a restart");
        assertEquals(
                List.of("a.test.", "example.test."),
                reopened.get().zones().map(z -> z.origin().toString()).toList());
        assertSame(zone(4_000_000_000L), reopened.get().find(ORIGIN).orElseThrow());
    }

    /// Keeps what it hears.
    final class Seen implements ZoneObserver {
        final List<String> events = new ArrayList<>();

        Seen() {}

        @Override
        public void published(Zone current) {
            events.add(current.origin() + " " + current.serial());
        }

        @Override
        public void withdrawn(Name origin) {
            events.add(origin + " gone");
        }
    }

    private static MemoryZone zone(long serial) {
        return MemoryZone.of("example.test.", RECORDS.replace(" 1 7200", " " + serial + " 7200"));
    }

    private static MemoryZone zone(String origin) {
        return MemoryZone.of(origin, RECORDS);
    }

    private static Name name(String below) throws Exception {
        return Name.fromString(below, ORIGIN);
    }

    private static void assertSame(Zone expected, Zone actual) throws Exception {
        assertEquals(expected.origin(), actual.origin());
        assertEquals(expected.serial(), actual.serial());
        assertEquals(records(expected), records(actual));
        assertEquals(Type.SOA, actual.all().findFirst().orElseThrow().getType());
        for (RRset set : expected.all().toList()) {
            assertEquals(
                    Set.copyOf(set.rrs()),
                    Set.copyOf(actual.records(set.getName(), set.getType()).orElseThrow().rrs()));
        }
        assertTrue(actual.records(name("mx"), Type.TXT).isEmpty());
        assertTrue(actual.records(name("nothing"), Type.TXT).isEmpty(), "no wildcard is followed");
        assertTrue(actual.records(name("www"), Type.A).isEmpty(), "no alias is followed");
        assertTrue(actual.exists(ORIGIN));
        assertTrue(actual.exists(name("mx")));
        assertTrue(actual.exists(name("b.c")), "an empty non-terminal");
        assertTrue(actual.exists(name("c")), "an empty non-terminal");
        assertFalse(actual.exists(name("nothing")));
        assertFalse(actual.exists(name("x.b.c")));
        assertFalse(actual.exists(Name.fromString("test.")));
    }

    /// With their TTLs, which `equals` of a record passes over.
    private static Set<String> records(Zone zone) {
        Set<String> texts = new HashSet<>();
        zone.all().flatMap(set -> set.rrs().stream()).map(Record::toString).forEach(texts::add);
        return texts;
    }
}
