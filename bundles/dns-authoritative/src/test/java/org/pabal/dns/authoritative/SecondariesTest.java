package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dns.authoritative.ScriptedPrimary.saying;
import static org.pabal.dns.authoritative.ScriptedPrimary.sent;
import static org.pabal.dns.authoritative.ScriptedPrimary.serving;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneObserver;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MemoryZoneFreshness;
import org.pabal.testkit.MemoryZoneStore;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Zones that come from a primary on loopback, and when.
class SecondariesTest {

    private static final Name ORIGIN = Node.name("example.org");
    private static final String KEY = "c2VjcmV0IG9mIHR3byBzZXJ2ZXJz";

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-01T12:00:00Z"));
    private final List<String> news = new ArrayList<>();
    private final MemoryZoneStore store =
            new MemoryZoneStore(
                    new ZoneObserver() {
                        @Override
                        public void published(Zone current) {
                            news.add("published " + current.serial());
                        }

                        @Override
                        public void changed(Zone current, List<ZoneChange> steps) {
                            news.add("changed " + current.serial() + " steps " + steps.size());
                        }

                        @Override
                        public void withdrawn(Name origin) {
                            news.add("withdrawn");
                        }
                    });
    private final MemoryZoneFreshness freshness = new MemoryZoneFreshness();
    private final TsigKey key = new TsigKey(Map.of("name", "transfer.example.org", "secret", KEY));
    private Set<Name> unavailable = Set.of();
    private Secondaries secondaries;
    private ScriptedPrimary primary;

    @BeforeEach
    void begin() throws IOException {
        primary = new ScriptedPrimary(serving(version(1)));
        secondaries = secondaries();
    }

    private Secondaries secondaries() {
        return new Secondaries(
                store,
                freshness,
                new PrimaryTransfers(
                        store, name -> Optional.of(key).filter(k -> k.name().equals(name))),
                clock,
                bound -> 0,
                Runnable::run,
                origins -> unavailable = origins);
    }

    @AfterEach
    void end() throws IOException {
        primary.close();
    }

    // ---- transfers

    @Test
    void zoneComesByAxfr() {
        secondary();
        assertEquals(List.of("AXFR"), primary.asked);
        assertEquals(List.of("published 1"), news);
        assertEquals(
                version(1).all().map(Object::toString).sorted().toList(),
                store.find(ORIGIN).orElseThrow().all().map(Object::toString).sorted().toList());
        assertEquals(Optional.of(clock.instant()), freshness.confirmed(ORIGIN));
    }

    @Test
    void laterVersionsComeByIxfr() {
        secondary();
        primary.script(serving(version(1), version(2), version(3)));
        clock.advance(Duration.ofHours(2));
        secondaries.look();
        assertEquals(List.of("AXFR", "SOA", "IXFR"), primary.asked);
        assertEquals(List.of("published 1", "changed 3 steps 2"), news);
        Zone zone = store.find(ORIGIN).orElseThrow();
        assertTrue(zone.exists(Node.name("host-3.example.org")));
        assertFalse(zone.exists(Node.name("host-2.example.org")));
    }

    @Test
    void ixfrThatAnswersWithTheWholeZoneIsTaken() {
        secondary();
        primary.script(
                query -> {
                    if (query.getQuestion().getType() != Type.IXFR) {
                        return serving(version(2)).answer(query);
                    }
                    List<Record> records = records(version(2));
                    records.add(records.getFirst());
                    return sent(query, records, 4, Optional.empty());
                });
        refresh();
        assertEquals(List.of("AXFR", "SOA", "IXFR"), primary.asked);
        assertEquals(2, serial());
    }

    @Test
    void whereIxfrIsRefusedAxfrIsAskedFor() {
        for (int rcode : new int[] {Rcode.NOTIMP, Rcode.FORMERR, Rcode.REFUSED}) {
            secondary();
            long next = serial() + 1;
            primary.asked.clear();
            primary.script(
                    query ->
                            query.getQuestion().getType() == Type.IXFR
                                    ? saying(query, rcode)
                                    : serving(version(next)).answer(query));
            refresh();
            assertEquals(List.of("SOA", "IXFR", "AXFR"), primary.asked);
            assertEquals(next, serial());
        }
    }

    @Test
    void stepsThatDoNotFitAreNotTaken() {
        secondary();
        primary.script(
                query ->
                        query.getQuestion().getType() == Type.IXFR
                                // removes what nobody has
                                ? serving(
                                                with(version(1), txt("ghost", "boo")),
                                                with(version(2), txt("host-2", "x")))
                                        .answer(query)
                                : serving(version(2)).answer(query));
        refresh();
        assertEquals("published 2", news.getLast());
        assertEquals(List.of("AXFR", "SOA", "IXFR", "AXFR"), primary.asked);
    }

    @Test
    void recordsOutsideTheZoneAreDropped() {
        Name outside = Node.name("www.example.com");
        primary.script(serving(with(version(1), new TXTRecord(outside, DClass.IN, 60, "poison"))));
        secondary();
        assertEquals(1, serial());
        assertFalse(store.find(ORIGIN).orElseThrow().exists(outside));
        primary.script(
                serving(
                        version(1),
                        with(version(2), new TXTRecord(outside, DClass.IN, 60, "poison"))));
        refresh();
        assertEquals("changed 2 steps 1", news.getLast());
        assertFalse(store.find(ORIGIN).orElseThrow().exists(outside));
    }

    @Test
    void serialDoesNotGoBack() {
        primary.script(serving(version(7)));
        secondary();
        primary.script(serving(version(5)));
        refresh();
        assertEquals(7, serial());
        assertTrue(source().contains("serial 5, which is older than ours"), source());
        primary.script( // who hides it behind a silent SOA gains nothing
                query ->
                        query.getQuestion().getType() == Type.SOA
                                ? Stream.of()
                                : serving(version(5)).answer(query));
        refresh();
        assertEquals(7, serial());
    }

    @Test
    void serialGoesBackWhereThatIsAllowed() {
        primary.script(serving(version(7)));
        secondary("allow-serial-rollback", "yes");
        primary.script(serving(version(5)));
        refresh();
        assertEquals(5, serial());
    }

    @Test
    void serialGoesRound() {
        primary.script(serving(version(0xFFFFFFFFL)));
        secondary();
        primary.script(serving(version(3)));
        refresh();
        assertEquals(3, serial()); // RFC 1982
    }

    @Test
    void primaryThatNeverEndsIsCut() {
        Record soa = ZoneChange.soa(version(1));
        primary.script(
                query ->
                        Stream.iterate(0, i -> i + 1)
                                .flatMap(
                                        i ->
                                                sent(
                                                        query,
                                                        i == 0
                                                                ? List.of(soa)
                                                                : List.of(
                                                                        txt("n" + i, "x"),
                                                                        txt("m" + i, "y")),
                                                        2,
                                                        Optional.empty())));
        secondary("max-zone-records", "1000");
        assertTrue(store.find(ORIGIN).isEmpty());
        assertTrue(source().contains("more than 1000 records, see max-zone-records"), source());
    }

    @Test
    void primaryThatSendsNothingAnyMoreIsCut() {
        Record soa = ZoneChange.soa(version(1));
        primary.script(query -> sent(query, List.of(soa), 1, Optional.empty()));
        secondary("max-transfer-time", "200 ms");
        assertTrue(store.find(ORIGIN).isEmpty());
        assertFalse(source().contains("confirmed"), source());
    }

    @Test
    void transferHasToEndWithTheSoaThatItBeganWith() {
        primary.script(
                query -> {
                    List<Record> records = records(version(1));
                    records.add(ZoneChange.soa(version(2)));
                    return sent(query, records, 100, Optional.empty());
                });
        secondary();
        assertTrue(store.find(ORIGIN).isEmpty());
        assertTrue(source().contains("ends with another SOA, serial 2"), source());
    }

    @Test
    void whatCannotBeServedIsNotTaken() {
        primary.script(serving(with(version(1), txt("alias", "beside a CNAME"))));
        secondary();
        assertTrue(store.find(ORIGIN).isEmpty());
        assertTrue(source().contains("alias.example.org. has CNAME and other data"), source());
    }

    // ---- TSIG

    @Test
    void signedTransferIsChecked() {
        primary.script(serving(Optional.of(key.tsig()), version(1)));
        keyed();
        assertEquals(1, serial());
        primary.script(serving(Optional.of(key.tsig()), version(1), version(2)));
        refresh();
        assertEquals("changed 2 steps 1", news.getLast());
    }

    @Test
    void wrongSignatureInTheMiddleIsRefused() {
        primary.script(
                query -> {
                    List<byte[]> messages =
                            new ArrayList<>(
                                    serving(Optional.of(key.tsig()), large())
                                            .answer(query)
                                            .toList());
                    assertTrue(messages.size() > 4);
                    byte[] bent = messages.get(2);
                    bent[bent.length - 20] ^= 1; // in its MAC
                    return messages.stream();
                });
        keyed();
        assertTrue(store.find(ORIGIN).isEmpty());
        assertTrue(source().contains("a bad signature (TSIG), BADSIG"), source());
    }

    @Test
    void changedMessageBetweenSignedOnesIsRefused() {
        primary.script(
                query -> {
                    List<byte[]> messages =
                            new ArrayList<>(
                                    serving(Optional.of(key.tsig()), large())
                                            .answer(query)
                                            .toList());
                    // a message that nobody signed comes between
                    messages.add(
                            2,
                            sent(query, List.of(txt("evil", "x")), 1, Optional.empty())
                                    .findFirst()
                                    .orElseThrow());
                    return messages.stream();
                });
        keyed();
        assertTrue(store.find(ORIGIN).isEmpty());
        assertTrue(source().contains("a bad signature (TSIG)"), source());
    }

    @Test
    void lastMessageHasToBeSigned() {
        primary.script(
                query -> {
                    List<Record> records = records(version(1));
                    List<byte[]> messages =
                            new ArrayList<>(
                                    sent(query, records, 100, Optional.of(key.tsig())).toList());
                    messages.addAll(
                            sent(query, List.of(records.getFirst()), 1, Optional.empty()).toList());
                    return messages.stream();
                });
        keyed();
        assertTrue(store.find(ORIGIN).isEmpty());
        assertTrue(source().contains("no signature (TSIG)"), source());
    }

    @Test
    void unsignedTransferIsRefusedWhereAKeyIsSet() {
        keyed();
        assertTrue(store.find(ORIGIN).isEmpty());
        assertTrue(source().contains("no signature (TSIG)"), source());
    }

    @Test
    void otherKeyIsRefused() {
        TSIG other = new TSIG(TSIG.HMAC_SHA256, key.name(), "another secret".getBytes());
        primary.script(serving(Optional.of(other), version(1)));
        keyed();
        assertTrue(store.find(ORIGIN).isEmpty());
    }

    @Test
    void keyThatIsNotThereIsSaid() {
        configure(Map.of("primaries", primary.text() + " key nobody.example.org"));
        assertTrue(source().contains("key nobody.example.org. is not known here"), source());
        assertEquals(List.of(), primary.asked);
    }

    // ---- when

    @Test
    void asksAgainAtRefreshAndAfterAFailureAtRetry() throws IOException {
        secondary(); // refresh 7200, retry 900, expire 1209600
        clock.advance(Duration.ofSeconds(7199));
        secondaries.look();
        assertEquals(List.of("AXFR"), primary.asked);
        clock.advance(Duration.ofSeconds(1));
        secondaries.look();
        assertEquals(List.of("AXFR", "SOA"), primary.asked);
        primary.script(query -> saying(query, Rcode.SERVFAIL));
        clock.advance(Duration.ofSeconds(7200));
        secondaries.look();
        assertEquals(3, primary.asked.size());
        clock.advance(Duration.ofSeconds(899));
        secondaries.look();
        assertEquals(3, primary.asked.size());
        clock.advance(Duration.ofSeconds(1));
        secondaries.look();
        assertEquals(4, primary.asked.size());
    }

    @Test
    void timersOfTheZoneHaveLimits() {
        primary.script(serving(zone("1 1 1 1209600 300", "")));
        secondary("min-refresh", "5 m");
        clock.advance(Duration.ofSeconds(299));
        secondaries.look();
        assertEquals(List.of("AXFR"), primary.asked);
        primary.script(serving(zone("2 4000000 4000000 1209600 300", "")));
        clock.advance(Duration.ofSeconds(1));
        secondaries.look();
        assertEquals(2, serial());
        clock.advance(Duration.ofDays(1));
        secondaries.look();
        assertEquals(List.of("AXFR", "SOA", "IXFR", "SOA"), primary.asked);
    }

    @Test
    void expiresWhenNobodyConfirmsItAndComesBack() throws IOException {
        secondary();
        assertEquals(Set.of(), unavailable);
        primary.script(query -> saying(query, Rcode.SERVFAIL));
        clock.advance(Duration.ofSeconds(1_209_599));
        secondaries.look();
        assertEquals(Set.of(), unavailable);
        clock.advance(Duration.ofSeconds(1));
        secondaries.look();
        assertEquals(Set.of(ORIGIN), unavailable);
        assertTrue(source().contains(", expired; "), source());
        primary.script(serving(version(1)));
        assertEquals(
                "zone example.org.: is current, says " + primary.text(),
                secondaries.refresh(ORIGIN));
        assertEquals(Set.of(), unavailable);
    }

    @Test
    void expiryGoesOnOverARestart() {
        secondary();
        primary.script(query -> saying(query, Rcode.SERVFAIL));
        clock.advance(Duration.ofDays(13));
        secondaries = secondaries();
        secondary();
        assertEquals(Set.of(), unavailable);
        clock.advance(Duration.ofDays(1));
        secondaries = secondaries();
        secondary();
        assertEquals(Set.of(ORIGIN), unavailable);
    }

    @Test
    void servesWhatItHasAtAStartAndAsksSoon() {
        secondary();
        Secondaries again =
                new Secondaries(
                        store,
                        freshness,
                        new PrimaryTransfers(store, name -> Optional.empty()),
                        clock,
                        bound -> bound - 1,
                        Runnable::run,
                        origins -> unavailable = origins);
        again.configure(Map.of(ORIGIN, sources(Map.of("primaries", primary.text()))));
        again.look();
        assertEquals(List.of("AXFR"), primary.asked);
        assertEquals(Set.of(), unavailable);
        clock.advance(Duration.ofSeconds(30));
        again.look();
        assertEquals(List.of("AXFR", "SOA"), primary.asked);
    }

    @Test
    void zoneThatNeverCameIsNotServedAndAskedForMoreAndMoreSeldom() {
        primary.script(query -> saying(query, Rcode.REFUSED));
        secondary();
        assertEquals(Set.of(ORIGIN), unavailable);
        assertTrue(source().contains("AXFR refused with REFUSED"), source());
        for (int seconds : new int[] {60, 120, 240}) {
            int before = primary.asked.size();
            clock.advance(Duration.ofSeconds(seconds - 1));
            secondaries.look();
            assertEquals(before, primary.asked.size());
            clock.advance(Duration.ofSeconds(1));
            secondaries.look();
            assertEquals(before + 1, primary.asked.size());
        }
    }

    @Test
    void nextPrimaryIsAskedWhereOneDoesNotHelp() throws IOException {
        try (ScriptedPrimary second = new ScriptedPrimary(serving(version(4)))) {
            primary.script(query -> saying(query, Rcode.SERVFAIL));
            configure(Map.of("primaries", primary.text() + ", " + second.text()));
            assertEquals(4, serial());
            primary.script(serving(version(3))); // one that lags behind
            second.script(serving(version(4), version(5)));
            refresh();
            assertEquals(5, serial());
        }
    }

    @Test
    void primaryThatIsGoneIsLeftAloneForAMinute() throws IOException {
        String gone = primary.text();
        primary.close();
        Map<Name, ZoneSources> zones = new HashMap<>();
        for (int i = 0; i < 1000; i++) {
            zones.put(Node.name("z" + i + ".example.net"), sources(Map.of("primaries", gone)));
        }
        try (ScriptedPrimary other = new ScriptedPrimary(serving(version(1)))) {
            zones.put(ORIGIN, sources(Map.of("primaries", other.text())));
            secondaries.configure(zones);
            secondaries.look();
            assertEquals(1, serial());
            assertEquals(
                    999,
                    secondaries.origins().stream()
                            .filter(
                                    zone ->
                                            secondaries
                                                    .source(zone)
                                                    .orElseThrow()
                                                    .contains("could not be reached a moment ago"))
                            .count());
        }
    }

    @Test
    void zoneThatIsNoSecondaryAnyMoreIsLeftAlone() {
        secondary();
        secondaries.configure(Map.of());
        clock.advance(Duration.ofDays(20));
        secondaries.look();
        assertEquals(List.of("AXFR"), primary.asked);
        assertEquals(Optional.empty(), secondaries.source(ORIGIN));
        assertEquals(Set.of(), unavailable);
        assertEquals(1, serial());
    }

    @Test
    void zoneThatIsResetGoesAndComesAgain() {
        secondary();
        secondaries.reset(ORIGIN);
        secondary();
        assertEquals(List.of("published 1", "withdrawn", "published 1"), news);
        secondaries.reset(ORIGIN);
        secondaries.configure(Map.of());
        secondaries.look();
        assertEquals("withdrawn", news.getLast());
        assertEquals(List.of(), secondaries.origins());
        assertEquals(Optional.empty(), freshness.confirmed(ORIGIN));
    }

    // ---- NOTIFY

    @Test
    void notifyMakesItAskAtOnce() {
        secondary();
        clock.advance(Duration.ofMinutes(1));
        primary.script(serving(version(1), version(2)));
        notified(Optional.of(2L));
        assertEquals(2, serial());
    }

    @Test
    void notifyOfWhatWeHaveAsksNobody() {
        secondary();
        clock.advance(Duration.ofMinutes(1));
        notified(Optional.of(1L));
        assertEquals(List.of("AXFR"), primary.asked);
    }

    @Test
    void floodOfNotifiesIsOneRequestASecond() {
        secondary();
        clock.advance(Duration.ofMinutes(1));
        for (int i = 0; i < 1000; i++) {
            notified(Optional.empty());
        }
        assertEquals(List.of("AXFR", "SOA"), primary.asked);
        clock.advance(Duration.ofSeconds(1));
        secondaries.look();
        assertEquals(List.of("AXFR", "SOA", "SOA"), primary.asked);
    }

    // ---- the shell

    @Test
    void editorRefusesAZoneOfAnotherServer() {
        secondary();
        ZoneEditor editor = new ZoneEditor(store);
        editor.transferred(secondaries);
        ZoneShell shell = new ZoneShell(store, editor);
        String refusal =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> shell.set("www.example.org", 300, "A", "192.0.2.1"))
                        .getMessage();
        assertEquals(
                "zone example.org.: is edited where it comes from, and not here (from "
                        + primary.text()
                        + ", confirmed 2026-11-01T12:00:00Z)",
                refusal);
        assertEquals(
                List.of(
                        "example.org. serial 1, from "
                                + primary.text()
                                + ", confirmed 2026-11-01T12:00:00Z"),
                shell.list());
    }

    @Test
    void shellRefreshesAndListsWhatHasNotCome() throws IOException {
        primary.script(query -> saying(query, Rcode.REFUSED));
        secondary();
        ZoneEditor editor = new ZoneEditor(store);
        editor.transferred(secondaries);
        ZoneShell shell = new ZoneShell(store, editor);
        String trouble = primary.text() + ": AXFR refused with REFUSED";
        assertEquals(
                List.of(
                        "example.org. no serial, from "
                                + primary.text()
                                + ", not transferred yet; "
                                + trouble),
                shell.list());
        assertEquals(
                trouble,
                assertThrows(IOException.class, () -> shell.refresh("example.org")).getMessage());
        primary.script(serving(version(1)));
        assertEquals(
                "zone example.org. serial 1 from " + primary.text(), shell.refresh("example.org"));
        assertThrows(IllegalArgumentException.class, () -> shell.refresh("example.net"));
    }

    // ---- parts

    private void secondary(String... more) {
        Map<String, Object> settings = new HashMap<>(Map.of("primaries", primary.text()));
        for (int i = 0; i < more.length; i += 2) {
            settings.put(more[i], more[i + 1]);
        }
        configure(settings);
    }

    private void keyed() {
        configure(Map.of("primaries", primary.text() + " key transfer.example.org"));
    }

    private void configure(Map<String, Object> settings) {
        secondaries.configure(Map.of(ORIGIN, sources(settings)));
        secondaries.look();
    }

    private static ZoneSources sources(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("zones", "example.org");
        return new ZoneSettings(all).sources();
    }

    private void refresh() {
        clock.advance(Duration.ofHours(2));
        secondaries.look();
    }

    private void notified(Optional<Long> serial) {
        secondaries.notified(ORIGIN, new InetSocketAddress("127.0.0.1", 53), serial);
    }

    private long serial() {
        return store.find(ORIGIN).orElseThrow().serial();
    }

    private String source() {
        return secondaries.source(ORIGIN).orElseThrow();
    }

    private static Zone version(long serial) {
        return zone(serial + " 7200 900 1209600 300", "host-" + serial + " TXT version\n");
    }

    private static Zone zone(String timers, String more) {
        return MemoryZone.of(
                "example.org",
                "@ 3600 SOA ns1 hostmaster "
                        + timers
                        + "\n@ NS ns1\nns1 A 192.0.2.53\nalias CNAME ns1\n"
                        + more);
    }

    private static Zone large() {
        StringBuilder more = new StringBuilder();
        for (int i = 0; i < 50; i++) {
            more.append("n").append(i).append(" TXT text\n");
        }
        return zone("1 7200 900 1209600 300", more.toString());
    }

    private static Record txt(String label, String text) {
        return new TXTRecord(Node.name(label + ".example.org"), DClass.IN, 60, text);
    }

    private static Zone with(Zone zone, Record record) {
        List<Record> records = records(zone);
        records.add(record);
        return new MemoryZone(ORIGIN, records);
    }

    private static List<Record> records(Zone zone) {
        List<Record> records = new ArrayList<>();
        zone.all().forEach(set -> records.addAll(set.rrs(false)));
        return records;
    }
}
