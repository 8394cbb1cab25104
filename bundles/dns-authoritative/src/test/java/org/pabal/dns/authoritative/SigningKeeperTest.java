package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.dns.PackedZone;
import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneKey;
import org.pabal.dns.ZoneObserver;
import org.pabal.dnssec.Denial;
import org.pabal.dnssec.SignatureMaker;
import org.pabal.dnssec.Zonemd;
import org.pabal.settings.Settings;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MemoryZoneKeyStore;
import org.pabal.testkit.MemoryZoneStore;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class SigningKeeperTest {

    private static final Name ORIGIN = Name.fromConstantString("example.org.");
    private static final String FILE =
            """
            @ 3600 SOA ns1 h 1 7200 900 1209600 300
            @ 3600 NS ns1
            ns1 3600 A 192.0.2.53
            www 3600 A 192.0.2.80
            *.wild 300 TXT "anything"
            sub 3600 NS ns1.sub
            ns1.sub 3600 A 192.0.2.54
            """;

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-23T12:00:00Z"));
    private final MemoryZoneKeyStore keys = new MemoryZoneKeyStore();
    private final Map<String, Object> set = new HashMap<>(Map.of("sign", "yes"));

    /// Versions that were published and could not be served.
    private final List<Zone> heldBack = new ArrayList<>();

    private Optional<Zone> served = Optional.empty();
    private SignatureMaker maker = SignatureMaker.HERE;
    private ZoneSigner signer;
    private ZoneEditor editor;
    private SigningKeeper keeper;

    private final MemoryZoneStore store =
            new MemoryZoneStore(
                    new ZoneObserver() {
                        @Override
                        public void published(Zone current) {
                            if (!current.origin().equals(ORIGIN)) {
                                return;
                            }
                            if (signer.servable(current, editor.makes(ORIGIN))) {
                                served = Optional.of(current);
                            } else {
                                heldBack.add(current);
                            }
                        }

                        @Override
                        public void withdrawn(Name origin) {}
                    });

    SigningKeeperTest() {
        start();
        store.publish(PackedZone.of(MemoryZone.of("example.org", FILE)));
    }

    /// A node that starts, over what is in its stores.
    private void start() {
        signer =
                new ZoneSigner(
                        keys,
                        origin ->
                                SigningSettings.of(
                                        Settings.of(origin.equals(ORIGIN) ? set : Map.of())),
                        maker,
                        clock);
        editor = new ZoneEditor(store, signer);
        keeper =
                new SigningKeeper(
                        store, keys, editor, signer, new DsAtParent(store, Optional::empty), clock);
        served = store.find(ORIGIN).filter(zone -> signer.servable(zone, false));
    }

    /// Lets time go by, and the keeper do its work at each moment that it asks for.
    private void walk(Duration time) throws IOException {
        Instant end = clock.instant().plus(time);
        Optional<Instant> next = keeper.maintain(ORIGIN, Optional.empty());
        while (next.isPresent() && next.get().isBefore(end)) {
            if (next.get().isAfter(clock.instant())) {
                clock.advance(Duration.between(clock.instant(), next.get()));
            }
            next = keeper.maintain(ORIGIN, Optional.empty());
        }
        clock.advance(Duration.between(clock.instant(), end));
        keeper.maintain(ORIGIN, Optional.empty());
    }

    private Zone zone() {
        return served.orElseThrow();
    }

    private Zone edit(String name, int type, String data) throws IOException {
        return editor.edit(
                ORIGIN,
                current -> {
                    ZoneEdit edit = new ZoneEdit(current);
                    edit.add(
                            Record.fromString(
                                    Name.fromString(name, ORIGIN),
                                    type,
                                    DClass.IN,
                                    300,
                                    data,
                                    ORIGIN));
                    return edit.change();
                });
    }

    private void assertSigned(Zone zone) throws DNSSEC.DNSSECException {
        Instant now = clock.instant();
        List<Record> zoneKeys = zone.records(ORIGIN, Type.DNSKEY).orElseThrow().rrs(false);
        for (RRset each : zone.all().toList()) {
            Name name = each.getName();
            boolean delegated = name.subdomain(Name.fromConstantString("sub.example.org."));
            if (delegated && each.getType() != Type.NSEC && each.getType() != Type.NSEC3) {
                assertEquals(0, each.sigSize(), each.toString());
                continue;
            }
            assertTrue(each.sigSize() > 0, each.toString());
            for (RRSIGRecord signature : each.sigs()) {
                DNSKEYRecord key =
                        zoneKeys.stream()
                                .map(DNSKEYRecord.class::cast)
                                .filter(k -> k.getFootprint() == signature.getFootprint())
                                .findFirst()
                                .orElseThrow();
                DNSSEC.verify(each, signature, key, now);
            }
        }
    }

    @Test
    void aZoneIsSignedWhenThatIsSet() throws Exception {
        assertEquals(Optional.empty(), Denial.of(zone()));
        walk(Duration.ZERO);
        assertSigned(zone());
        assertEquals(2, keys.keys(ORIGIN).size());
        assertTrue(zone().serial() > 1);
        assertTrue(keys.keys(ORIGIN).stream().allMatch(key -> key.published().isPresent()));
    }

    @Test
    void aZoneForWhichNothingIsSetIsLeftAlone() throws Exception {
        set.clear();
        walk(Duration.ofDays(1));
        assertEquals(1, zone().serial());
        assertEquals(List.of(), keys.keys(ORIGIN));
    }

    @Test
    void editsOfASignedZoneAreSignedInTheSameStep() throws Exception {
        walk(Duration.ZERO);
        long before = zone().serial();
        Zone after = edit("new", Type.A, "192.0.2.99");
        assertEquals(before + 1, after.serial());
        assertEquals(after.serial(), zone().serial());
        assertSigned(zone());
        assertEquals(1, store.changes(ORIGIN, before).orElseThrow().size());
    }

    @Test
    void aVersionByHandIsServedOnlyWhenItIsSigned() throws Exception {
        walk(Duration.ZERO);
        Zone before = zone();
        store.publish(
                PackedZone.of(
                        MemoryZone.of(
                                "example.org",
                                FILE.replace("h 1 ", "h 9 ") + "by-hand A 192.0.2.7\n")));
        assertEquals(1, heldBack.size());
        assertSame(before, zone(), "the version before goes on");
        walk(Duration.ZERO);
        assertEquals(10, zone().serial());
        assertTrue(zone().exists(Name.fromConstantString("by-hand.example.org.")));
        assertSigned(zone());
        // What is the same has the signatures that it had.
        Name www = Name.fromConstantString("www.example.org.");
        assertEquals(
                before.records(www, Type.A).orElseThrow().sigs(),
                zone().records(www, Type.A).orElseThrow().sigs());
    }

    @Test
    void aHalfSignedVersionByHandIsHeldBackWithTheSerialThatItHad() throws Exception {
        walk(Duration.ZERO);
        Zone before = zone();
        Zone byHand =
                new PackedZone(
                        ORIGIN,
                        records(before).stream()
                                .map(
                                        record ->
                                                record.getName().toString().startsWith("www")
                                                                && record.getType() == Type.A
                                                        ? other(record)
                                                        : record)
                                .toList());
        assertEquals(before.serial(), byHand.serial());
        store.publish(byHand);
        assertSame(before, zone());
        Zone after = edit("and", Type.A, "192.0.2.8");
        assertEquals(after.serial(), zone().serial());
        assertEquals(before.serial() + 2, after.serial());
        assertSigned(zone());
    }

    @Test
    void aNodeThatStartsServesWhatItSignedBeforeAtOnceAndSignsNothing() throws Exception {
        walk(Duration.ZERO);
        Zone before = zone();
        start();
        assertSame(before, zone());
        keeper.maintain(ORIGIN, Optional.empty());
        assertSame(before, zone());
    }

    @Test
    void aFileThatWasEditedWhileTheNodeWasDownIsSignedBeforeItIsServed() throws Exception {
        walk(Duration.ZERO);
        Zone before = zone();
        store.publish(
                before.with(
                        new ZoneChange(
                                ZoneChange.soa(before),
                                Serial.in(ZoneChange.soa(before), 50),
                                List.of(),
                                List.of())));
        start();
        assertEquals(Optional.empty(), served);
        walk(Duration.ZERO);
        assertEquals(51, zone().serial());
        assertSigned(zone());
    }

    @Test
    void aZoneStaysAsItStandsWhileNothingIsSetAboutIt() throws Exception {
        set.put("denial", "nsec3");
        walk(Duration.ZERO);
        set.clear();
        Zone before = zone();
        start();
        keeper.maintain(ORIGIN, Optional.empty());
        assertSame(before, zone());
        assertSigned(edit("new", Type.A, "192.0.2.99"));
        assertEquals(Optional.of(Denial.NSEC3), Denial.of(zone()));
    }

    @Test
    void theChainAndTheDigestFollowTheSettings() throws Exception {
        walk(Duration.ZERO);
        set.put("denial", "nsec3");
        set.put("zonemd", "generate");
        walk(Duration.ZERO);
        assertEquals(Optional.of(Denial.NSEC3), Denial.of(zone()));
        assertEquals(Zonemd.Verdict.GOOD, Zonemd.verify(zone()));
        assertSigned(zone());
        edit("new", Type.A, "192.0.2.99");
        assertEquals(Zonemd.Verdict.GOOD, Zonemd.verify(zone()));
        set.put("zonemd", "none");
        set.put("denial", "nsec");
        walk(Duration.ZERO);
        assertEquals(Zonemd.Verdict.ABSENT, Zonemd.verify(zone()));
        assertEquals(Optional.of(Denial.NSEC), Denial.of(zone()));
        assertSigned(zone());
    }

    @Test
    void everySignatureIsGoodOnEveryDayOfAYearAndKeysAreRolled() throws Exception {
        walk(Duration.ZERO);
        List<ZoneKey> first = keys.keys(ORIGIN);
        for (int day = 0; day < 365; day += 5) {
            walk(Duration.ofDays(5));
            assertSigned(zone());
            assertTrue(keys.keys(ORIGIN).size() <= 3, keys.keys(ORIGIN).toString());
        }
        assertTrue(keys.keys(ORIGIN).stream().noneMatch(key -> key.is(zsk(first))));
        assertTrue(keys.keys(ORIGIN).contains(keys.keys(ORIGIN).getFirst()));
    }

    @Test
    void aKeySigningKeyIsRolledWhenTheParentWasSeenToHaveItsDs() throws Exception {
        SigningShell shell = new SigningShell(keeper);
        walk(Duration.ofDays(3));
        assertTrue(shell.keys("example.org").getFirst().contains(" ready; next the parent"));
        shell.ds("example.org", "seen");
        ZoneKey first = keys.keys(ORIGIN).stream().filter(ZoneKey::signsKeys).findFirst().get();
        assertTrue(first.seen().isPresent());
        shell.roll("example.org", "ksk");
        assertThrows(IllegalArgumentException.class, () -> shell.roll("example.org", "ksk"));
        walk(Duration.ofDays(30));
        assertEquals(3, keys.keys(ORIGIN).size());
        assertEquals(2, zone().records(ORIGIN, Type.DNSKEY).orElseThrow().sigSize());
        assertFalse(shell.ds("example.org").getFirst().contains(" " + first.tag() + " "));
        shell.ds("example.org", "seen");
        walk(Duration.ofDays(3));
        assertEquals(2, keys.keys(ORIGIN).size());
        assertFalse(keys.keys(ORIGIN).stream().anyMatch(key -> key.is(first)));
        assertSigned(zone());
    }

    @Test
    void theDsOfTheShellIsThatOfCds() throws Exception {
        walk(Duration.ofDays(3));
        String ds = new SigningShell(keeper).ds("example.org").getFirst();
        assertEquals(
                zone().records(ORIGIN, Type.CDS).orElseThrow().first().rdataToString(),
                ds.replaceFirst("example.org. 3600 IN DS ", ""));
    }

    @Test
    void aParentOfOursGetsTheDsByItself() throws Exception {
        store.publish(
                PackedZone.of(
                        MemoryZone.of(
                                "org",
                                "@ 60 SOA ns1 h 1 7200 900 1209600 300\n@ 60 NS ns1\n"
                                        + "example 60 NS ns1.example\n")));
        set.put("ds-in-parent", "yes");
        walk(Duration.ofDays(3));
        Zone org = store.find(Name.fromConstantString("org.")).orElseThrow();
        DSRecord ds = (DSRecord) org.records(ORIGIN, Type.DS).orElseThrow().first();
        ZoneKey ksk = keys.keys(ORIGIN).stream().filter(ZoneKey::signsKeys).findFirst().get();
        assertEquals(ksk.tag(), ds.getFootprint());
        assertTrue(ksk.seen().isPresent());

        set.put("sign", "no");
        walk(Duration.ofHours(2));
        org = store.find(Name.fromConstantString("org.")).orElseThrow();
        assertEquals(Optional.empty(), org.records(ORIGIN, Type.DS));
        assertSigned(zone());
        walk(Duration.ofDays(2));
        assertEquals(List.of(), keys.keys(ORIGIN));
        assertEquals(0, zone().all().mapToInt(RRset::sigSize).sum());
        assertEquals(Optional.empty(), zone().records(ORIGIN, Type.DNSKEY));
    }

    @Test
    void signingDoesNotEndBeforeAnAdministratorSaysThatTheParentHasNoDs() throws Exception {
        walk(Duration.ofDays(3));
        keeper.seen(ORIGIN, false);
        set.put("sign", "no");
        walk(Duration.ofDays(60));
        assertSigned(zone());
        assertEquals(
                "0 0 0 00", zone().records(ORIGIN, Type.CDS).orElseThrow().first().rdataToString());
        keeper.seen(ORIGIN, true);
        walk(Duration.ofDays(3));
        assertEquals(List.of(), keys.keys(ORIGIN));
        assertEquals(0, zone().all().mapToInt(RRset::sigSize).sum());
    }

    @Test
    void aLargeZoneIsSignedOnAllProcessorsAndRefreshedInSteps() throws Exception {
        StringBuilder file = new StringBuilder(FILE);
        for (int i = 0; i < 2_000; i++) {
            file.append("h").append(i).append(" 300 A 192.0.2.1\n");
        }
        store.publish(PackedZone.of(MemoryZone.of("example.org", file.toString())));
        try (ParallelSigning parallel = new ParallelSigning()) {
            maker = parallel;
            start();
            walk(Duration.ZERO);
            assertSigned(zone());
            long before = zone().serial();
            ZoneKey zsk = keeper.roll(ORIGIN, false);
            walk(Duration.ofHours(3));
            Zone after = zone();
            int newer = 0;
            for (RRset each : after.all().toList()) {
                for (RRSIGRecord signature : each.sigs()) {
                    newer += signature.getFootprint() == zsk.tag() ? 1 : 0;
                }
            }
            assertTrue(newer > 4_000, newer + " signatures by the new key");
            assertTrue(after.serial() - before > 4, "in steps");
        }
    }

    private static ZoneKey zsk(List<ZoneKey> keys) {
        return keys.stream().filter(key -> !key.signsKeys()).findFirst().orElseThrow();
    }

    private static Record other(Record record) {
        return Record.newRecord(
                record.getName(),
                Type.A,
                DClass.IN,
                record.getTTL(),
                new byte[] {(byte) 192, 0, 2, 81});
    }

    private static List<Record> records(Zone zone) {
        List<Record> records = new ArrayList<>();
        zone.all()
                .forEach(
                        each -> {
                            records.addAll(each.rrs(false));
                            records.addAll(each.sigs());
                        });
        return records;
    }
}
