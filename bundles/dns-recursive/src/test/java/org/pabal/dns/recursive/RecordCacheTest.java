package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.settings.Settings;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the contract of [Cache] says, and the limits of TTLs.
class RecordCacheTest {

    private static final Question WWW = Kept.question("www.example.org.", Type.A);

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-23T12:00:00Z"));
    private RecordCache cache = cache(Map.of());

    private RecordCache cache(Map<String, String> settings) {
        return new RecordCache(CacheSettings.of(Settings.of(settings)), clock);
    }

    private void pass(long seconds) {
        clock.advance(Duration.ofSeconds(seconds));
    }

    private Optional<Finding.Kind> kind(String name, int type) {
        return cache.find(Kept.question(name, type)).map(Finding::kind);
    }

    private Optional<Long> ttl(Finding finding) {
        cache = cache(Map.of());
        cache.keep(finding);
        return cache.find(finding.question()).map(Finding::ttl);
    }

    @Test
    void findsWhatWasKeptAndCountsDown() {
        Finding finding = Kept.address("www.example.org.", 300, "192.0.2.1");
        cache.keep(finding);
        assertEquals(Optional.of(finding), cache.find(WWW));
        pass(100);
        Finding later = cache.find(WWW).orElseThrow();
        assertEquals(200, later.ttl());
        assertEquals(200, later.set().getTTL());
        pass(199);
        assertEquals(1, cache.find(WWW).orElseThrow().ttl());
        pass(1);
        assertEquals(Optional.empty(), cache.find(WWW));
    }

    @Test
    void upperAndLowerCaseAreTheSame() {
        cache.keep(Kept.address("WWW.Example.org.", 300, "192.0.2.1"));
        assertTrue(cache.find(Kept.question("wWw.eXAMPLE.ORG.", Type.A)).isPresent());
    }

    @Test
    void oneTypeSaysNothingOfAnother() {
        cache.keep(Kept.address("www.example.org.", 300, "192.0.2.1"));
        assertEquals(Optional.empty(), kind("www.example.org.", Type.AAAA));
        assertEquals(Optional.empty(), kind("example.org.", Type.A));
    }

    @Test
    void theRootHasEntriesToo() {
        cache.keep(Kept.records(Security.SECURE, ". 300 NS a.root-servers.net."));
        assertEquals(Optional.of(Finding.Kind.RECORDS), kind(".", Type.NS));
        cache.keep(Kept.delegation(".", 300, "a.root-servers.net."));
        assertEquals(Name.root, cache.delegation(Kept.name("example.org.")).orElseThrow().zone());
    }

    @Test
    void anAliasStandsForAllTypesThatAreNotBesideIt() {
        cache.keep(
                Kept.alias(
                        Kept.question("a.example.org.", Type.A),
                        "a.example.org. 60 CNAME b.example.org."));
        assertEquals(Optional.of(Finding.Kind.ALIAS), kind("a.example.org.", Type.A));
        assertEquals(Optional.of(Finding.Kind.ALIAS), kind("a.example.org.", Type.MX));
        assertEquals(Optional.of(Finding.Kind.RECORDS), kind("a.example.org.", Type.CNAME));
        assertEquals(Optional.empty(), kind("a.example.org.", Type.NSEC));
        assertEquals(
                Kept.name("b.example.org."),
                cache.find(Kept.question("a.example.org.", Type.TXT)).orElseThrow().target());
    }

    @Test
    void aCnameThatSomebodyAskedForIsAnAliasToOthers() {
        cache.keep(Kept.records(Security.INSECURE, "a.example.org. 60 CNAME b.example.org."));
        assertEquals(Optional.of(Finding.Kind.ALIAS), kind("a.example.org.", Type.A));
    }

    @Test
    void thatThereIsNoCnameSaysNothingOfOtherTypes() {
        cache.keep(
                Kept.nothing(
                        Finding.Kind.NO_RECORD,
                        Security.INSECURE,
                        Kept.question("a.example.org.", Type.CNAME),
                        60));
        assertEquals(Optional.of(Finding.Kind.NO_RECORD), kind("a.example.org.", Type.CNAME));
        assertEquals(Optional.empty(), kind("a.example.org.", Type.A));
    }

    @Test
    void aNameThatDoesNotExistHasNoType() {
        cache.keep(
                Kept.nothing(
                        Finding.Kind.NO_NAME,
                        Security.INSECURE,
                        Kept.question("no.example.org.", Type.A),
                        60));
        Finding found = cache.find(Kept.question("no.example.org.", Type.MX)).orElseThrow();
        assertEquals(Finding.Kind.NO_NAME, found.kind());
        assertEquals(Kept.question("no.example.org.", Type.MX), found.question());
        assertEquals(1, found.proof().size());
        assertEquals(60, found.proof().getFirst().getTTL());
    }

    /// RFC 8020 §2, when it is proved.
    @Test
    void belowANameThatProvablyDoesNotExistIsNothing() {
        cache.keep(
                Kept.nothing(
                        Finding.Kind.NO_NAME,
                        Security.SECURE,
                        Kept.question("no.example.org.", Type.A),
                        60));
        cache.keep(
                Kept.nothing(
                        Finding.Kind.NO_NAME,
                        Security.INSECURE,
                        Kept.question("no.example.com.", Type.A),
                        60));
        assertEquals(Optional.of(Finding.Kind.NO_NAME), kind("a.b.no.example.org.", Type.A));
        assertEquals(Optional.empty(), kind("ano.example.org.", Type.A));
        Question below = Kept.question("a.b.no.example.org.", Type.A);
        assertTrue(cache.find(below, Kept.name("no.example.org.")).isPresent());
        assertTrue(cache.find(below, Kept.name("b.no.example.org.")).isEmpty(), "another's zone");
        assertEquals(Optional.empty(), kind("a.no.example.com.", Type.A));
        pass(60);
        assertEquals(Optional.empty(), kind("a.b.no.example.org.", Type.A));
    }

    @Test
    void theLatestSaysWhetherANameExists() {
        Finding none =
                Kept.nothing(
                        Finding.Kind.NO_NAME,
                        Security.INSECURE,
                        Kept.question("www.example.org.", Type.A),
                        60);
        cache.keep(none);
        cache.keep(Kept.address("www.example.org.", 300, "192.0.2.1"));
        assertEquals(Optional.of(Finding.Kind.RECORDS), kind("www.example.org.", Type.A));
        assertEquals(Optional.empty(), kind("www.example.org.", Type.AAAA));
        cache.keep(none);
        assertEquals(Optional.of(Finding.Kind.NO_NAME), kind("www.example.org.", Type.A));
        cache.keep(
                Kept.alias(
                        Kept.question("www.example.org.", Type.A),
                        "www.example.org. 60 CNAME b.example.org."));
        assertEquals(Optional.of(Finding.Kind.ALIAS), kind("www.example.org.", Type.AAAA));
        cache.keep(Kept.address("www.example.org.", 300, "192.0.2.1"));
        assertEquals(Optional.of(Finding.Kind.RECORDS), kind("www.example.org.", Type.A));
        assertEquals(Optional.empty(), kind("www.example.org.", Type.AAAA));
    }

    @Test
    void whatIsWeakerReplacesNothingThatIsNotOver() {
        String old = "www.example.org. 300 A 192.0.2.1";
        String other = "www.example.org. 900 A 192.0.2.2";
        List<Security> order = List.of(Security.UNCHECKED, Security.INSECURE, Security.SECURE);
        for (Security stronger : order) {
            for (Security weaker : order) {
                cache = cache(Map.of());
                cache.keep(Kept.records(stronger, old));
                cache.keep(Kept.records(weaker, other));
                assertEquals(
                        weaker.compareTo(stronger) < 0 ? "192.0.2.1" : "192.0.2.2",
                        cache.find(WWW).orElseThrow().set().first().rdataToString());
                pass(300);
                cache.keep(Kept.records(weaker, other));
                assertEquals(
                        "192.0.2.2", cache.find(WWW).orElseThrow().set().first().rdataToString());
            }
        }
    }

    @Test
    void aWeakerNoDoesNotHideAStrongerYes() {
        cache.keep(Kept.records(Security.SECURE, "www.example.org. 300 A 192.0.2.1"));
        cache.keep(Kept.nothing(Finding.Kind.NO_NAME, Security.INSECURE, WWW, 60));
        assertEquals(Optional.of(Finding.Kind.RECORDS), kind("www.example.org.", Type.A));
        assertEquals(Optional.empty(), kind("www.example.org.", Type.AAAA));
        cache.keep(
                Kept.nothing(
                        Finding.Kind.NO_NAME,
                        Security.SECURE,
                        Kept.question("no.example.org.", Type.A),
                        60));
        cache.keep(Kept.address("no.example.org.", 300, "192.0.2.1"));
        assertEquals(Optional.of(Finding.Kind.NO_NAME), kind("no.example.org.", Type.A));
    }

    @Test
    void aFailureReplacesNothing() {
        cache.keep(Kept.address("www.example.org.", 60, "192.0.2.1"));
        cache.keep(Kept.failure(WWW, 300));
        assertEquals(Optional.of(Finding.Kind.RECORDS), kind("www.example.org.", Type.A));
        pass(60);
        assertEquals(Optional.empty(), cache.find(WWW), "it was not kept");
        cache.keep(Kept.failure(WWW, 300));
        Finding failure = cache.find(WWW).orElseThrow();
        assertEquals(Kept.failure(WWW, 300), failure);
        assertEquals(Optional.empty(), kind("www.example.org.", Type.AAAA));
        // What was known is there still, for when there is nothing better.
        Finding stale = cache.stale(WWW).orElseThrow();
        assertEquals(Finding.Kind.RECORDS, stale.kind());
        cache.keep(Kept.address("www.example.org.", 1, "192.0.2.1"));
        pass(1);
        assertEquals(Optional.empty(), cache.find(WWW), "it works again");
    }

    @Test
    void whatIsBogusPushesNothingOutAndIsNotJudgedTwice() {
        cache.keep(Kept.records(Security.SECURE, "www.example.org. 60 A 192.0.2.1"));
        cache.keep(Kept.records(Security.BOGUS, "www.example.org. 300 A 192.0.2.66"));
        assertEquals(Security.SECURE, cache.find(WWW).orElseThrow().security());
        pass(60);
        cache.keep(Kept.records(Security.BOGUS, "www.example.org. 300 A 192.0.2.66"));
        Finding bogus = cache.find(WWW).orElseThrow();
        assertEquals(Security.BOGUS, bogus.security());
        assertEquals("192.0.2.66", bogus.set().first().rdataToString());
        assertEquals("bogus for a test", bogus.reason().orElseThrow().text());
        cache.keep(Kept.records(Security.UNCHECKED, "www.example.org. 300 A 192.0.2.66"));
        assertEquals(Security.BOGUS, cache.find(WWW).orElseThrow().security());
        cache.keep(Kept.records(Security.SECURE, "www.example.org. 300 A 192.0.2.2"));
        assertEquals(Security.SECURE, cache.find(WWW).orElseThrow().security());
    }

    @Test
    void whatIsOverIsStaleForADayAndKeepsItsVerdict() {
        cache.keep(Kept.records(Security.SECURE, "www.example.org. 60 A 192.0.2.1"));
        assertEquals(60, cache.stale(WWW).orElseThrow().ttl());
        assertFalse(cache.stale(WWW).orElseThrow().stale());
        pass(60);
        Finding stale = cache.stale(WWW).orElseThrow();
        assertTrue(stale.stale());
        assertEquals(30, stale.ttl());
        assertEquals(30, stale.set().getTTL());
        assertEquals(Security.SECURE, stale.security());
        pass(86_400);
        assertTrue(cache.stale(WWW).isPresent());
        pass(1);
        assertEquals(Optional.empty(), cache.stale(WWW));
    }

    @Test
    void whatIsStaleIsNotKeptAndFailuresAreNeverStale() {
        cache.keep(Kept.address("www.example.org.", 60, "192.0.2.1"));
        pass(61);
        cache.keep(cache.stale(WWW).orElseThrow());
        assertEquals(Optional.empty(), cache.find(WWW));
        Question dead = Kept.question("dead.example.org.", Type.A);
        cache.keep(Kept.failure(dead, 30));
        assertEquals(Optional.empty(), cache.stale(dead));
        cache.keep(Kept.records(Security.BOGUS, "evil.example.org. 60 A 192.0.2.1"));
        assertEquals(Optional.empty(), cache.stale(Kept.question("evil.example.org.", Type.A)));
    }

    @Test
    void ofSeveralThatAreOverTheLatestIsStale() {
        cache.keep(Kept.records(Security.INSECURE, "www.example.org. 60 CNAME b.example.org."));
        pass(61);
        cache.keep(Kept.nothing(Finding.Kind.NO_NAME, Security.INSECURE, WWW, 60));
        pass(61);
        assertEquals(Finding.Kind.NO_NAME, cache.stale(WWW).orElseThrow().kind());
    }

    /// RFC 2308 §5, RFC 8767 §4, RFC 9520 §3.2.
    @Test
    void ttlsHaveLimits() {
        assertEquals(
                Optional.of(86_400L), ttl(Kept.address("a.example.org.", 200_000, "192.0.2.1")));
        assertEquals(Optional.of(1L), ttl(Kept.address("a.example.org.", 1, "192.0.2.1")));
        assertEquals(Optional.empty(), ttl(Kept.address("a.example.org.", 0, "192.0.2.1")));
        assertEquals(Optional.of(5L), ttl(Kept.failure(WWW, 1)));
        assertEquals(Optional.of(300L), ttl(Kept.failure(WWW, 3000)));
        assertEquals(Optional.empty(), ttl(Kept.failure(WWW, 0)));
        assertEquals(
                Optional.of(300L),
                ttl(Kept.records(Security.BOGUS, "a.example.org. 3600 A 192.0.2.1")));
        for (Finding.Kind kind : List.of(Finding.Kind.NO_NAME, Finding.Kind.NO_RECORD)) {
            assertEquals(Optional.of(3600L), ttl(Kept.nothing(kind, Security.SECURE, WWW, 86_400)));
        }
        cache = cache(Map.of("cache-min-ttl", "60 s", "cache-max-ttl", "2 m"));
        cache.keep(Kept.address("a.example.org.", 1, "192.0.2.1"));
        cache.keep(Kept.address("b.example.org.", 300, "192.0.2.1"));
        assertEquals(60, cache.find(Kept.question("a.example.org.", Type.A)).orElseThrow().ttl());
        assertEquals(
                120,
                cache.find(Kept.question("b.example.org.", Type.A)).orElseThrow().set().getTTL());
    }

    @Test
    void nothingLivesLongerThanItsShortestRecord() {
        Finding finding = Kept.address("www.example.org.", 60, "192.0.2.1");
        cache.keep(
                new Finding(
                        WWW,
                        Finding.Kind.RECORDS,
                        finding.records(),
                        List.of(),
                        Kept.ORG,
                        Security.INSECURE,
                        Optional.empty(),
                        3600,
                        false));
        assertEquals(60, cache.find(WWW).orElseThrow().ttl());
    }

    @Test
    void theNearestDelegationIsAtOrAboveTheName() {
        cache.keep(Kept.delegation("org.", 900, "a.example.net."));
        cache.keep(Kept.delegation("example.org.", 60, "ns.example.org."));
        assertEquals(Optional.of("example.org."), zone("www.example.org."));
        assertEquals(Optional.of("example.org."), zone("example.org."));
        assertEquals(Optional.of("org."), zone("xample.org."));
        assertEquals(Optional.of("org."), zone("org."));
        assertEquals(Optional.empty(), zone("."));
        pass(60);
        assertEquals(Optional.of("org."), zone("www.example.org."));
    }

    private Optional<String> zone(String name) {
        return cache.delegation(Kept.name(name)).map(d -> d.zone().toString());
    }

    /// Row D5: ghosts of domains. What is asked for again and again lives no longer.
    @Test
    void aDelegationIsNotExtended() {
        cache.keep(Kept.delegation("example.org.", 100, "ns.example.org.", "ns.example.net."));
        for (int i = 0; i < 9; i++) {
            pass(10);
            cache.keep(Kept.delegation("example.org.", 100, "NS.example.net.", "ns.example.org."));
        }
        assertEquals(10, cache.delegation(Kept.ORG).orElseThrow().ttl());
        pass(10);
        assertEquals(Optional.empty(), cache.delegation(Kept.ORG));
        cache = cache(Map.of("cache-min-ttl", "1 h"));
        cache.keep(Kept.delegation("example.org.", 1, "ns.example.org."));
        pass(1);
        assertEquals(Optional.empty(), cache.delegation(Kept.ORG), "whatever the least TTL is");
    }

    @Test
    void aDelegationToOthersReplacesTheOldOne() {
        cache.keep(Kept.delegation("example.org.", 100, "ns.example.org."));
        cache.keep(Kept.delegation("example.org.", 50, "ns.example.net."));
        Delegation now = cache.delegation(Kept.ORG).orElseThrow();
        assertEquals(50, now.ttl());
        assertEquals("ns.example.net.", now.ns().first().rdataToString());
    }

    @Test
    void delegationsAreNoAnswers() {
        cache.keep(Kept.delegation("example.org.", 100, "ns.example.org."));
        assertEquals(Optional.empty(), kind("example.org.", Type.NS));
        assertEquals(Optional.empty(), kind("ns.example.org.", Type.A));
    }

    @Test
    void forgetsAtAndBelowAName() {
        cache.keep(Kept.address("example.org.", 300, "192.0.2.1"));
        cache.keep(Kept.address("www.Example.org.", 300, "192.0.2.1"));
        cache.keep(Kept.address("anexample.org.", 300, "192.0.2.1"));
        cache.keep(Kept.address("org.", 300, "192.0.2.1"));
        cache.keep(Kept.failure(Kept.question("dead.example.org.", Type.A), 30));
        cache.keep(Kept.delegation("example.org.", 100, "ns.example.org."));
        assertEquals(3, cache.flush(Kept.name("EXAMPLE.org.")));
        assertEquals(Optional.empty(), kind("www.example.org.", Type.A));
        assertEquals(Optional.empty(), cache.delegation(Kept.ORG));
        assertTrue(kind("anexample.org.", Type.A).isPresent());
        assertEquals(2, cache.flush(Name.root));
        assertEquals(0, cache.counts().entries());
        cache.keep(Kept.address("www.example.org.", 300, "192.0.2.1"));
        assertTrue(cache.find(WWW).isPresent());
    }

    @Test
    void theFastPathFindsWhatTheContractFinds() {
        cache.keep(Kept.address("www.example.org.", 60, "192.0.2.1"));
        byte[] name = Kept.name("www.example.org.").toWire();
        long hash = cache.hash(name, 0, name.length);
        Entry entry = cache.entry(name, 0, name.length, Type.A, hash, cache.now());
        assertEquals("192.0.2.1", entry.finding(cache.now()).set().first().rdataToString());
        assertEquals(1, entry.asked());
        assertSame(RecordCache.NONE, cache.entry(name, 0, name.length, Type.MX, hash, cache.now()));
        byte[] inside = new byte[name.length + 7];
        System.arraycopy(name, 0, inside, 5, name.length);
        assertEquals(hash, cache.hash(inside, 5, 5 + name.length));
        pass(60);
        assertSame(entry, cache.entry(name, 0, name.length, Type.A, hash, cache.now()));
        assertFalse(entry.live(cache.now()), "the caller looks");
    }

    @Test
    void counts() {
        cache.find(WWW);
        cache.keep(Kept.address("www.example.org.", 60, "192.0.2.1"));
        cache.find(WWW);
        cache.find(WWW);
        RecordCache.Counts counts = cache.counts();
        assertEquals(1, counts.entries());
        assertEquals(2, counts.hits());
        assertEquals(1, counts.misses());
        assertEquals(0, counts.evictions());
        assertTrue(counts.octets() > 100 && counts.octets() < counts.limit());
    }

    @Test
    void aClockThatIsSetBackMakesNothingLiveLonger() {
        cache.keep(Kept.address("www.example.org.", 60, "192.0.2.1"));
        pass(-3600);
        assertEquals(60, cache.find(WWW).orElseThrow().ttl());
    }
}
