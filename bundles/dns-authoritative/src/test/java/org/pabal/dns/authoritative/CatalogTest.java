package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.dns.Zone;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MemoryZoneStore;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Catalog zones, RFC 9432: what they list, and what comes of it.
class CatalogTest {

    private static final Name CATZ = Node.name("catz.example.org");
    private static final Name OTHER = Node.name("other.example.org");
    private static final Name A = Node.name("a.example");
    private static final Name B = Node.name("b.example");

    private final Set<Name> ours = new HashSet<>();
    private final CatalogMembers members = new CatalogMembers(ours::contains);

    @Test
    void listsItsMembers() {
        Catalog catalog =
                Catalog.of(
                        catz(
                                CATZ,
                                1,
                                "u1.zones PTR a.example.\n"
                                        + "u2.zones PTR b.example.\n"
                                        + "coo.u2.zones PTR other.example.org.\n"
                                        + "group.u2.zones TXT \"east\"\n"
                                        + "foo.ext TXT \"nobody knows\"\n"),
                        10);
        assertEquals(Set.of(A, B), catalog.members().keySet());
        assertEquals(OTHER, catalog.members().get(B).goesTo().orElseThrow());
        assertTrue(catalog.members().get(A).goesTo().isEmpty());
    }

    @Test
    void brokenCatalogChangesNothing() {
        read(CATZ, 1, "u1.zones PTR a.example.\n");
        for (String broken :
                List.of(
                        "version TXT \"1\"\n",
                        "",
                        "version TXT \"2\"\nversion TXT \"3\"\n",
                        "version TXT \"2\"\nu1.zones PTR a.example.\nu1.zones PTR b.example.\n",
                        "version TXT \"2\"\nu1.zones PTR b.example.\nu2.zones PTR b.example.\n")) {
            Zone zone = MemoryZone.of(CATZ.toString(), soa(2) + broken);
            assertThrows(IllegalArgumentException.class, () -> Catalog.of(zone, 10));
            assertEquals(Set.of(), members.read(zone, 10));
            assertEquals(Map.of(A, CATZ), members.all());
        }
    }

    @Test
    void moreMembersThanTheLimitAreBroken() {
        Zone zone = catz(CATZ, 1, "u1.zones PTR a.example.\nu2.zones PTR b.example.\n");
        assertEquals(2, Catalog.of(zone, 2).members().size());
        assertThrows(IllegalArgumentException.class, () -> Catalog.of(zone, 1));
    }

    @Test
    void membersComeAndGo() {
        assertEquals(Set.of(), read(CATZ, 1, "u1.zones PTR a.example.\n"));
        assertEquals(Map.of(A, CATZ), members.all());
        assertEquals(Set.of(A), read(CATZ, 2, "u2.zones PTR b.example.\n"));
        assertEquals(Map.of(B, CATZ), members.all());
    }

    @Test
    void otherLabelIsAnotherZoneOfTheSameName() {
        read(CATZ, 1, "u1.zones PTR a.example.\n");
        assertEquals(Set.of(A), read(CATZ, 2, "u2.zones PTR a.example.\n"));
        assertEquals(Map.of(A, CATZ), members.all());
        assertEquals(Set.of(), read(CATZ, 3, "u2.zones PTR a.example.\n"));
    }

    @Test
    void zoneThatIsOursStaysOurs() {
        ours.add(A);
        assertEquals(Set.of(), read(CATZ, 1, "u1.zones PTR a.example.\n"));
        assertEquals(Map.of(), members.all());
        assertEquals(Set.of(), read(CATZ, 2, ""));
    }

    @Test
    void zoneOfAnotherCatalogStaysThere() {
        read(CATZ, 1, "u1.zones PTR a.example.\n");
        assertEquals(Set.of(), read(OTHER, 1, "u1.zones PTR a.example.\n"));
        assertEquals(Map.of(A, CATZ), members.all());
        // and changes when it is free, as a new zone
        assertEquals(Set.of(A), read(CATZ, 2, ""));
        assertEquals(Map.of(A, OTHER), members.all());
    }

    @Test
    void zoneChangesItsCatalogWhereTheOldOneSaysSo() {
        read(CATZ, 1, "u1.zones PTR a.example.\ncoo.u1.zones PTR other.example.org.\n");
        assertEquals(Set.of(), read(OTHER, 1, "u1.zones PTR a.example.\n")); // and keeps its state
        assertEquals(Map.of(A, OTHER), members.all());
        assertEquals(Set.of(), read(CATZ, 2, ""));
        assertEquals(Map.of(A, OTHER), members.all());
    }

    @Test
    void changeWithAnotherLabelIsAReset() {
        read(CATZ, 1, "u1.zones PTR a.example.\n");
        read(OTHER, 1, "x1.zones PTR a.example.\n");
        assertEquals(
                Set.of(A),
                read(CATZ, 2, "u1.zones PTR a.example.\ncoo.u1.zones PTR other.example.org.\n"));
        assertEquals(Map.of(A, OTHER), members.all());
    }

    @Test
    void zonesOfACatalogThatIsNoneAnyMoreStay() {
        read(CATZ, 1, "u1.zones PTR a.example.\n");
        members.keepOnly(Set.of());
        assertEquals(Map.of(), members.all());
    }

    @Test
    void producerListsZonesWithTheirOwnLabels() throws IOException {
        MemoryZoneStore store = new MemoryZoneStore();
        CatalogProducer producer = new CatalogProducer(store, new ZoneEditor(store));
        List<ZoneSources.Pattern> all = List.of(new ZoneSources.Pattern(Name.root, true));
        store.publish(MemoryZone.of("a.example", Node.SOA + "@ NS ns1\n"));
        producer.bringUpToDate(CATZ, all);
        Catalog first = Catalog.of(store.find(CATZ).orElseThrow(), 10);
        assertEquals(Set.of(A), first.members().keySet());
        long serial = store.find(CATZ).orElseThrow().serial();
        producer.bringUpToDate(CATZ, all);
        assertEquals(serial, store.find(CATZ).orElseThrow().serial());
        store.publish(MemoryZone.of("b.example", Node.SOA + "@ NS ns1\n"));
        producer.bringUpToDate(CATZ, all);
        Catalog second = Catalog.of(store.find(CATZ).orElseThrow(), 10);
        assertEquals(Set.of(A, B), second.members().keySet());
        assertEquals(first.members().get(A), second.members().get(A));
        store.withdraw(A);
        producer.bringUpToDate(CATZ, all);
        assertEquals(Set.of(B), Catalog.of(store.find(CATZ).orElseThrow(), 10).members().keySet());
        store.publish(MemoryZone.of("a.example", Node.SOA + "@ NS ns1\n"));
        producer.bringUpToDate(CATZ, List.of(new ZoneSources.Pattern(A, false)));
        Catalog last = Catalog.of(store.find(CATZ).orElseThrow(), 10);
        assertEquals(first.members(), last.members());
    }

    @Test
    void producerKeepsWhatAnAdministratorWrote() throws IOException {
        MemoryZoneStore store = new MemoryZoneStore();
        store.publish(MemoryZone.of("a.example", Node.SOA + "@ NS ns1\n"));
        store.publish(catz(CATZ, 7, "mine.zones PTR a.example.\ngroup.mine.zones TXT east\n"));
        new CatalogProducer(store, new ZoneEditor(store))
                .bringUpToDate(CATZ, List.of(new ZoneSources.Pattern(A, false)));
        assertEquals(7, store.find(CATZ).orElseThrow().serial());
    }

    @Test
    void settingsSayWhatIsWrong() {
        assertEquals(
                "settings.cfg: catalog = consumer: expected primaries, from which it comes, beside"
                        + " it, for example catalog = none",
                assertThrows(
                                BadSetting.class,
                                () ->
                                        new ZoneSettings(
                                                Map.of(
                                                        "zones", "catz.example.org",
                                                        "catalog", "consumer")))
                        .getMessage());
        assertEquals(
                "settings.cfg: primaries = ns1.example.org: expected ADDRESS[@PORT] [key NAME] [tls"
                        + " HOST], for example primaries = 192.0.2.53@53 key transfer.example.org",
                assertThrows(
                                BadSetting.class,
                                () ->
                                        new ZoneSettings(
                                                Map.of(
                                                        "zones", "example.org",
                                                        "primaries", "ns1.example.org")))
                        .getMessage());
    }

    private Set<Name> read(Name origin, long serial, String entries) {
        return members.read(catz(origin, serial, entries), 10);
    }

    private static Zone catz(Name origin, long serial, String entries) {
        return MemoryZone.of(origin.toString(), soa(serial) + "version TXT \"2\"\n" + entries);
    }

    private static String soa(long serial) {
        return "@ 0 SOA invalid. invalid. " + serial + " 3600 600 2147483646 0\n@ 0 NS invalid.\n";
    }
}
