package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.pabal.dnssec.Denial;
import org.pabal.dnssec.ZoneKeys;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The chain of trust through zones of our own.
class ChainValidatorTest {

    private static final String SIGNED =
            """
            www      IN A 192.0.2.1
            short 60 IN A 192.0.2.1
            alias    IN CNAME www
            *.wild   IN A 192.0.2.9
            real.wild IN A 192.0.2.8
            moved    IN DNAME signed.test.
            deep.ent.lower IN A 192.0.2.1
            root-key-sentinel-is-ta-12345 IN A 192.0.2.1
            root-key-sentinel-not-ta-12345 IN A 192.0.2.1
            """;

    private final MovableClock clock = new MovableClock(SignedHierarchy.NOW);
    private SignedHierarchy zones = hierarchy(Denial.NSEC);
    private ChainValidator validator = validator(Set.of(), zones.key("."));

    private static SignedHierarchy hierarchy(Denial denial) {
        return new SignedHierarchy()
                .zone("signed.test.", Optional.of(denial), SIGNED)
                .zone("sub.unsigned.test.", Optional.of(denial), "www IN A 192.0.2.1\n")
                .zone("unsigned.test.", Optional.empty(), "www IN A 192.0.2.1\n")
                .zone("strange.test.", Optional.empty(), "www IN A 192.0.2.1\n")
                .zone(
                        "test.",
                        Optional.of(denial),
                        """
                        ns IN A 192.0.2.53
                        signed IN NS ns
                        DS signed.test.
                        unsigned IN NS ns
                        strange IN NS ns
                        strange IN DS 1 253 2 0000000000000000000000000000000000000000000000000000000000000000
                        """)
                .zone(".", Optional.of(denial), "test. IN NS ns.test.\nDS test.\n");
    }

    private ChainValidator validator(Set<Name> negative, Record... anchors) {
        return new ChainValidator(
                new TrustAnchors(List.of(anchors)),
                new ValidationSettings(
                        Optional.empty(),
                        false,
                        Path.of("unused"),
                        negative,
                        true,
                        ValidationSettings.MAX_ITERATIONS),
                clock);
    }

    private static Request request() {
        return Request.of(Request.Wish.NOTHING, Request.Trace.NONE);
    }

    private Finding judged(Finding finding) {
        return validator.judge(finding, zones, request());
    }

    private Finding judged(String name, int type) {
        return judged(zones.ask(name, type));
    }

    private static void assertBogus(int code, Finding finding) {
        assertEquals(Security.BOGUS, finding.security(), finding.toString());
        assertEquals(code, finding.reason().orElseThrow().code(), finding.reason().toString());
    }

    // ---- every kind of finding

    @ParameterizedTest
    @CsvSource({
        "www.signed.test., A, RECORDS, SECURE",
        "www.signed.test., AAAA, NO_RECORD, SECURE",
        "nothing.signed.test., A, NO_NAME, SECURE",
        "alias.signed.test., A, ALIAS, SECURE",
        "www.moved.signed.test., A, ALIAS, SECURE",
        "www.moved.signed.test., CNAME, ALIAS, SECURE",
        "any.wild.signed.test., A, RECORDS, SECURE",
        "lower.signed.test., A, NO_RECORD, SECURE",
        "signed.test., DNSKEY, RECORDS, SECURE",
        "signed.test., DS, RECORDS, SECURE",
        "test., DS, RECORDS, SECURE",
        "., DNSKEY, RECORDS, SECURE",
        "unsigned.test., DS, NO_RECORD, SECURE",
        "unsigned.test., A, NO_RECORD, INSECURE",
        "www.unsigned.test., A, RECORDS, INSECURE",
        "nothing.unsigned.test., A, NO_NAME, INSECURE",
        "www.strange.test., A, RECORDS, INSECURE",
        "www.sub.unsigned.test., A, RECORDS, INSECURE", // signed, below what is not
        "nothing.sub.unsigned.test., A, NO_NAME, INSECURE"
    })
    void findingsAreJudgedByTheChainFromTheRoot(
            String name, String type, Finding.Kind kind, Security expected) {
        for (Denial denial : List.of(Denial.NSEC, Denial.NSEC3)) {
            zones = hierarchy(denial);
            validator = validator(Set.of(), zones.key("."));
            Finding judged = judged(name, Type.value(type));
            assertEquals(kind, judged.kind());
            assertEquals(expected, judged.security(), denial + " " + judged.reason());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "nothing.signed.test., A, INSECURE",
        "unsigned.test., DS, INSECURE",
        "www.unsigned.test., A, INSECURE",
        "www.signed.test., A, SECURE",
        "any.wild.signed.test., A, INSECURE"
    })
    void whatAnOptOutMayHideIsInsecure(String name, String type, Security expected) {
        zones = hierarchy(Denial.NSEC3_OPT_OUT);
        validator = validator(Set.of(), zones.key("."));
        assertEquals(expected, judged(name, Type.value(type)).security());
    }

    @Test
    void unknownAlgorithmsAreToldOf() {
        assertEquals(1, judged("www.strange.test.", Type.A).reason().orElseThrow().code());
    }

    @Test
    void signaturesAskedForThemselvesAreInsecure() {
        Finding finding = zones.ask("www.signed.test.", Type.A);
        Finding asked =
                new Finding(
                        new Question(finding.question().name(), Type.RRSIG),
                        finding.kind(),
                        finding.records(),
                        List.of(),
                        Name.root,
                        Security.UNCHECKED,
                        Optional.empty(),
                        60,
                        false);
        assertEquals(Security.INSECURE, judged(asked).security());
    }

    @Test
    void failuresAndWhatIsJudgedStayAsTheyAre() {
        Finding failure =
                Finding.failure(
                        new Question(SignedHierarchy.name("www.signed.test."), Type.A),
                        Name.root,
                        5,
                        new Reason(22, "nobody"));
        assertEquals(failure, judged(failure));
        Finding insecure =
                zones.ask("www.signed.test.", Type.A).judged(Security.INSECURE, Optional.empty());
        assertEquals(insecure, judged(insecure));
        assertEquals(0, zones.fetched.size());
    }

    // ---- forgeries

    @Test
    void recordsWithoutSignatureInASignedZoneAreBogus() {
        Finding finding = zones.ask("www.signed.test.", Type.A);
        assertBogus(
                10,
                judged(
                        SignedHierarchy.with(
                                finding,
                                List.of(SignedHierarchy.unsigned(finding.set())),
                                List.of())));
    }

    @Test
    void otherRecordsWithTheSameSignatureAreBogus() throws UnknownHostException {
        Finding finding = zones.ask("www.signed.test.", Type.A);
        RRset forged =
                new RRset(
                        new ARecord(
                                finding.question().name(),
                                DClass.IN,
                                3600,
                                InetAddress.getByAddress(new byte[] {(byte) 203, 0, 113, 6})));
        finding.set().sigs().forEach(forged::addRR);
        Finding judged = judged(SignedHierarchy.with(finding, List.of(forged), List.of()));
        assertBogus(6, judged);
        assertTrue(judged.ttl() <= 60);
        assertTrue(
                judged.reason().orElseThrow().text().startsWith("www.signed.test. A: "),
                judged.reason().toString());
    }

    @Test
    void expiredSignaturesAreToldFromThoseOfTomorrow() {
        Finding finding = zones.ask("www.signed.test.", Type.A);
        clock.advance(Duration.ofDays(30));
        assertBogus(7, judged(finding));
        clock.advance(Duration.ofDays(-60));
        validator = validator(Set.of(), zones.key("."));
        assertBogus(8, judged(finding));
    }

    @Test
    void aWildcardDoesNotStandForANameThatExists() {
        Finding wild = zones.ask("other.wild.signed.test.", Type.A);
        Finding forged =
                new Finding(
                        new Question(SignedHierarchy.name("real.wild.signed.test."), Type.A),
                        wild.kind(),
                        List.of(
                                SignedHierarchy.renamed(
                                        wild.set(),
                                        SignedHierarchy.name("real.wild.signed.test."))),
                        wild.proof(),
                        Name.root,
                        Security.UNCHECKED,
                        Optional.empty(),
                        60,
                        false);
        assertBogus(12, judged(forged));
    }

    @Test
    void aWildcardNeedsTheProofThatThereIsNothingCloser() {
        Finding wild = zones.ask("other.wild.signed.test.", Type.A);
        assertBogus(12, judged(SignedHierarchy.with(wild, wild.records(), List.of())));
    }

    /// RFC 4035 §3.2.3: AD is said of the authority section too.
    @Test
    void whatNobodyHasCheckedIsNotCalledSecure() {
        Finding www = zones.ask("www.signed.test.", Type.A);
        List<RRset> forged =
                zones.ask("nothing.signed.test.", Type.A).proof().stream()
                        .map(SignedHierarchy::unsigned)
                        .toList();
        Finding judged = judged(SignedHierarchy.with(www, www.records(), forged));
        assertEquals(Security.SECURE, judged.security());
        assertEquals(List.of(), judged.proof());
        Finding wild = zones.ask("other.wild.signed.test.", Type.A);
        List<RRset> both = new ArrayList<>(wild.proof());
        RRset junk = SignedHierarchy.unsigned(zones.ask("nothing.test.", Type.A).proof().getLast());
        both.add(junk);
        judged = judged(SignedHierarchy.with(wild, wild.records(), both));
        assertEquals(Security.SECURE, judged.security());
        assertFalse(judged.proof().contains(junk));
    }

    /// A wildcard of the parent's, told as what is at a delegation, hides no zone.
    @Test
    void aWildcardAliasDoesNotStandForADelegation() {
        zones =
                new SignedHierarchy()
                        .zone("real.test.", Optional.of(Denial.NSEC), "www IN A 192.0.2.1\n")
                        .zone(
                                "test.",
                                Optional.of(Denial.NSEC),
                                "ns IN A 192.0.2.53\n* IN CNAME ns\nreal IN NS ns\nDS real.test.\n")
                        .zone(".", Optional.of(Denial.NSEC), "test. IN NS ns.test.\nDS test.\n");
        validator = validator(Set.of(), zones.key("."));
        Name real = SignedHierarchy.name("real.test.");
        RRset wild = zones.ask("*.test.", Type.CNAME).set();
        Question ds = new Question(real, Type.DS);
        zones.between =
                (finding, before) ->
                        finding.question().equals(ds) && before == 0
                                ? new Finding(
                                        ds,
                                        Finding.Kind.ALIAS,
                                        List.of(SignedHierarchy.renamed(wild, real)),
                                        List.of(),
                                        Name.root,
                                        Security.UNCHECKED,
                                        Optional.empty(),
                                        3600,
                                        false)
                                : finding;
        assertEquals(Security.SECURE, judged("www.real.test.", Type.A).security());
    }

    @Test
    void aDenialWithoutProofIsBogus() {
        Finding finding = zones.ask("nothing.signed.test.", Type.A);
        assertBogus(
                12,
                judged(
                        SignedHierarchy.with(
                                finding, List.of(), List.of(finding.proof().getFirst()))));
        assertBogus(12, judged(SignedHierarchy.with(finding, List.of(), List.of())));
    }

    @Test
    void aDenialOfANameThatExistsIsBogus() {
        Finding denial = zones.ask("nothing.signed.test.", Type.A);
        assertBogus(
                12,
                judged(
                        new Finding(
                                new Question(SignedHierarchy.name("www.signed.test."), Type.A),
                                Finding.Kind.NO_NAME,
                                List.of(),
                                denial.proof(),
                                Name.root,
                                Security.UNCHECKED,
                                Optional.empty(),
                                60,
                                false)));
    }

    @Test
    void aSetOfTheProofThatIsForgedSpoilsIt() {
        Finding finding = zones.ask("nothing.signed.test.", Type.A);
        List<RRset> proof = new ArrayList<>(finding.proof());
        proof.set(0, SignedHierarchy.unsigned(proof.getFirst()));
        assertBogus(10, judged(SignedHierarchy.with(finding, List.of(), proof)));
    }

    @Test
    void aNameThatIsDeniedButHasOtherTypesIsFoundToExist() {
        Finding noRecord = zones.ask("www.signed.test.", Type.AAAA);
        Finding judged =
                judged(
                        new Finding(
                                noRecord.question(),
                                Finding.Kind.NO_NAME,
                                List.of(),
                                noRecord.proof(),
                                Name.root,
                                Security.UNCHECKED,
                                Optional.empty(),
                                60,
                                false));
        assertEquals(Finding.Kind.NO_RECORD, judged.kind());
        assertEquals(Security.SECURE, judged.security());
    }

    /// From the cache it comes as what was asked for, and not as an alias.
    @Test
    void theCnameThatFollowsFromADnameIsAsGoodAsThat() {
        Finding alias = zones.ask("www.moved.signed.test.", Type.CNAME);
        Finding records =
                new Finding(
                        alias.question(),
                        Finding.Kind.RECORDS,
                        alias.records(),
                        List.of(),
                        alias.zone(),
                        Security.UNCHECKED,
                        Optional.empty(),
                        alias.ttl(),
                        false);
        assertEquals(Security.SECURE, judged(records).security());
    }

    @Test
    void anAliasThatDoesNotFollowFromItsDnameIsBogus() {
        Finding finding = zones.ask("www.moved.signed.test.", Type.A);
        Finding elsewhere = zones.ask("other.moved.signed.test.", Type.A);
        assertBogus(
                6,
                judged(
                        SignedHierarchy.with(
                                finding,
                                List.of(finding.records().getFirst(), elsewhere.set()),
                                List.of())));
    }

    @Test
    void aSignerThatIsNoZoneSignsNothing() {
        Finding finding = zones.ask("www.signed.test.", Type.A);
        RRset forged = SignedHierarchy.unsigned(finding.set());
        RRSIGRecord signature = finding.set().sigs().getFirst();
        forged.addRR(
                new RRSIGRecord(
                        signature.getName(),
                        DClass.IN,
                        3600,
                        Type.A,
                        signature.getAlgorithm(),
                        3600,
                        signature.getExpire(),
                        signature.getTimeSigned(),
                        signature.getFootprint(),
                        signature.getName(),
                        signature.getSignature()));
        assertBogus(9, judged(SignedHierarchy.with(finding, List.of(forged), List.of())));
    }

    @Test
    void whatIsAboveTheAnchorSignsNothingBelowIt() {
        validator = validator(Set.of(), zones.key("signed.test."));
        assertEquals(Security.SECURE, judged("www.signed.test.", Type.A).security());
        Finding finding = zones.ask("www.signed.test.", Type.A);
        RRset forged = SignedHierarchy.unsigned(finding.set());
        RRSIGRecord signature = finding.set().sigs().getFirst();
        forged.addRR(
                new RRSIGRecord(
                        signature.getName(),
                        DClass.IN,
                        3600,
                        Type.A,
                        signature.getAlgorithm(),
                        3600,
                        signature.getExpire(),
                        signature.getTimeSigned(),
                        signature.getFootprint(),
                        SignedHierarchy.name("test."),
                        signature.getSignature()));
        assertBogus(10, judged(SignedHierarchy.with(finding, List.of(forged), List.of())));
    }

    // ---- a chain that is broken

    private void spoil(String name, int type, int times) {
        zones.between =
                (finding, before) ->
                        finding.question().equals(new Question(SignedHierarchy.name(name), type))
                                        && before < times
                                ? SignedHierarchy.with(
                                        finding,
                                        finding.records().stream()
                                                .map(SignedHierarchy::unsigned)
                                                .toList(),
                                        List.of())
                                : finding;
    }

    @Test
    void aDelegationThatLosesItsProofIsBogusAndNotUnsigned() {
        spoil("signed.test.", Type.DS, Integer.MAX_VALUE);
        assertBogus(10, judged("www.signed.test.", Type.A));
        zones = hierarchy(Denial.NSEC);
        validator = validator(Set.of(), zones.key("."));
        spoil("unsigned.test.", Type.DS, Integer.MAX_VALUE);
        assertBogus(12, judged("www.unsigned.test.", Type.A));
    }

    @Test
    void keysWithoutSignatureAreBogus() {
        spoil("signed.test.", Type.DNSKEY, Integer.MAX_VALUE);
        assertBogus(10, judged("www.signed.test.", Type.A));
    }

    @Test
    void keysThatTheParentDoesNotTellOfAreBogus() {
        SignedHierarchy other = hierarchy(Denial.NSEC);
        zones.between =
                (finding, before) ->
                        finding.question()
                                        .equals(
                                                new Question(
                                                        SignedHierarchy.name("signed.test."),
                                                        Type.DNSKEY))
                                ? other.ask("signed.test.", Type.DNSKEY)
                                : finding;
        assertBogus(9, judged("www.signed.test.", Type.A));
    }

    @ParameterizedTest
    @CsvSource({"DS", "DNSKEY"})
    void aBadSetOfTheChainIsFetchedAgainFromSomebodyElse(String type) {
        spoil("signed.test.", Type.value(type), 2);
        assertEquals(Security.SECURE, judged("www.signed.test.", Type.A).security());
    }

    @Test
    void aBogusZoneIsLookedAtAgainAfterAMinute() {
        spoil("signed.test.", Type.DNSKEY, 3);
        assertBogus(10, judged("www.signed.test.", Type.A));
        assertBogus(10, judged("www.signed.test.", Type.A));
        clock.advance(Duration.ofSeconds(61));
        assertEquals(Security.SECURE, judged("www.signed.test.", Type.A).security());
    }

    @Test
    void serversThatDoNotAnswerAreNotHeldAgainstTheirZone() {
        zones.between =
                (finding, before) ->
                        finding.question().type() == Type.DNSKEY && before == 0
                                ? Finding.failure(
                                        finding.question(),
                                        Name.root,
                                        5,
                                        new Reason(22, "timed out"))
                                : finding;
        assertBogus(9, judged("www.signed.test.", Type.A)); // the root's keys
        assertBogus(9, judged("www.signed.test.", Type.A)); // those of test.
        assertBogus(9, judged("www.signed.test.", Type.A)); // and of signed.test.
        assertEquals(Security.SECURE, judged("www.signed.test.", Type.A).security());
    }

    // ---- memory

    @Test
    void aChainIsWalkedOnceForManyNames() {
        judged("www.signed.test.", Type.A);
        int first = zones.fetched.size();
        assertEquals(5, first, zones.fetched.toString()); // 3 × DNSKEY, 2 × DS
        judged("alias.signed.test.", Type.A);
        judged("nothing.signed.test.", Type.A);
        assertEquals(first, zones.fetched.size());
        clock.advance(Duration.ofHours(2));
        judged("www.signed.test.", Type.A);
        assertEquals(2 * first, zones.fetched.size());
    }

    @Test
    void forgetsWhatIsKnownOfZonesAtAndBelowAName() throws TextParseException {
        Instant now = Instant.parse("2026-11-01T12:00:00Z");
        TrustTable table = new TrustTable(100);
        for (String zone : List.of("org.", "example.org.", "a.example.org.", "example.com.")) {
            table.keep(
                    Name.fromString(zone),
                    new ZoneTrust.Insecure(Optional.empty(), now.plusSeconds(60)),
                    now);
        }
        table.forget(Name.fromString("example.org."));
        assertEquals(2, table.size());
        assertTrue(table.find(Name.fromString("org."), now).isPresent());
        assertTrue(table.find(Name.fromString("a.example.org."), now).isEmpty());
    }

    @Test
    void whatIsKnownOfZonesHasALimit() {
        TrustTable table = new TrustTable(100);
        for (int i = 0; i < 1_000; i++) {
            table.keep(
                    SignedHierarchy.name("n" + i + "."),
                    new ZoneTrust.Inside(clock.instant().plusSeconds(60)),
                    clock.instant());
        }
        assertEquals(100, table.size());
        TrustTable many = new TrustTable(20_000);
        for (int i = 0; i < 1_000; i++) {
            Name zone = SignedHierarchy.name("n" + i + ".");
            byte[] key = new byte[60_000];
            key[0] = 1; // RFC 3110 §2: an exponent of one octet
            key[1] = 3;
            key[2] = (byte) i;
            DNSKEYRecord large = new DNSKEYRecord(zone, DClass.IN, 60, 256, 3, 8, key);
            many.keep(
                    zone,
                    new ZoneTrust.Secure(
                            new ZoneKeys(zone, List.of(large)), clock.instant().plusSeconds(60)),
                    clock.instant());
        }
        assertTrue(many.size() * 60_000L <= TrustTable.MOST_KEY_OCTETS, many.size() + "");
        assertTrue(many.size() > 100, many.size() + "");
    }

    @Test
    void aFindingIsKeptNoLongerThanItsSignature() {
        assertEquals(3600, judged("www.signed.test.", Type.A).ttl());
        assertEquals(60, judged("short.signed.test.", Type.A).ttl());
        Finding finding = zones.ask("www.signed.test.", Type.A);
        Duration left =
                Duration.between(clock.instant(), finding.set().sigs().getFirst().getExpire());
        clock.advance(left.minusSeconds(100));
        Finding judged = judged(finding);
        assertEquals(100, judged.ttl());
        assertEquals(100, judged.set().getTTL());
    }

    @Test
    void recordsAreKeptNoLongerThanTheirOriginalTtl() {
        Finding finding = zones.ask("short.signed.test.", Type.A);
        RRset longer = new RRset();
        finding.set()
                .rrs(false)
                .forEach(
                        each ->
                                longer.addRR(
                                        Record.newRecord(
                                                each.getName(),
                                                each.getType(),
                                                DClass.IN,
                                                86_400,
                                                each.rdataToWireCanonical())));
        finding.set().sigs().forEach(longer::addRR);
        Finding judged = judged(SignedHierarchy.with(finding, List.of(longer), List.of()));
        assertEquals(Security.SECURE, judged.security());
        assertEquals(60, judged.set().getTTL());
    }

    // ---- anchors

    @Test
    void withoutAnchorsNothingIsValidated() {
        validator = validator(Set.of());
        assertFalse(validator.cares(SignedHierarchy.name("www.signed.test.")));
        Finding finding = zones.ask("www.signed.test.", Type.A);
        assertEquals(
                Security.INSECURE,
                judged(
                                SignedHierarchy.with(
                                        finding,
                                        List.of(SignedHierarchy.unsigned(finding.set())),
                                        List.of()))
                        .security());
        assertEquals(0, zones.fetched.size());
    }

    @Test
    void belowANegativeAnchorNothingIsValidatedButItsDelegationIs() {
        validator = validator(Set.of(SignedHierarchy.name("signed.test.")), zones.key("."));
        assertFalse(validator.cares(SignedHierarchy.name("www.signed.test.")));
        assertTrue(validator.cares(SignedHierarchy.name("test.")));
        assertEquals(Security.INSECURE, judged("www.signed.test.", Type.A).security());
        assertEquals(Security.SECURE, judged("signed.test.", Type.DS).security());
    }

    @Test
    void anAnchorBelowANegativeOneCounts() {
        validator =
                validator(
                        Set.of(SignedHierarchy.name("test.")),
                        zones.key("."),
                        zones.key("signed.test."));
        assertEquals(Security.SECURE, judged("www.signed.test.", Type.A).security());
    }

    @Test
    void theDelegationOfTheHighestAnchorIsInsecure() {
        validator = validator(Set.of(), zones.key("signed.test."));
        assertEquals(Security.INSECURE, judged("signed.test.", Type.DS).security());
    }

    @Test
    void otherAnchorsMakeEverythingBeLookedAtAgain() {
        TrustAnchors anchors = new TrustAnchors(List.of(zones.key(".")));
        validator =
                new ChainValidator(
                        anchors,
                        new ValidationSettings(
                                Optional.empty(), false, Path.of("unused"), Set.of(), true, 150),
                        clock);
        assertEquals(Security.SECURE, judged("www.signed.test.", Type.A).security());
        anchors.replace(Name.root, List.of(hierarchy(Denial.NSEC).key(".")));
        assertBogus(9, judged("www.signed.test.", Type.A));
    }

    // ---- what it may cost, security row D8

    @Test
    void aZoneFullOfCollidingKeysCostsNoMoreThanItMay() {
        List<DNSKEYRecord> keys = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            byte[] octets = new byte[32];
            octets[0] = (byte) (i >> 8);
            octets[1] = (byte) i;
            octets[2] = (byte) (0x7F - (i >> 8));
            octets[3] = (byte) (0xFF - (i & 0xFF));
            keys.add(
                    new DNSKEYRecord(
                            SignedHierarchy.name("signed.test."),
                            DClass.IN,
                            3600,
                            257,
                            3,
                            15,
                            octets));
        }
        zones.between =
                (finding, before) -> {
                    if (!finding.question().name().equals(SignedHierarchy.name("signed.test."))
                            || finding.question().type() != Type.DNSKEY) {
                        return finding;
                    }
                    RRset trap = new RRset(finding.set().rrs(false));
                    keys.forEach(trap::addRR);
                    RRSIGRecord signature = finding.set().sigs().getFirst();
                    for (int i = 0; i < 500; i++) {
                        byte[] data = signature.rdataToWireCanonical();
                        data[data.length - 1] ^= (byte) (i + 1);
                        data[data.length - 2] ^= (byte) (i >> 8);
                        trap.addRR(
                                (RRSIGRecord)
                                        Record.newRecord(
                                                signature.getName(),
                                                Type.RRSIG,
                                                DClass.IN,
                                                3600,
                                                data));
                    }
                    return SignedHierarchy.with(finding, List.of(trap), List.of());
                };
        Request request = request();
        Finding judged = validator.judge(zones.ask("www.signed.test.", Type.A), zones, request);
        assertEquals(Security.BOGUS, judged.security());
        int left = 0;
        while (request.quota().signature()) {
            left++;
        }
        // root keys, DS and keys of test., DS of signed.test., and 16 for its keys
        assertTrue(Quota.SIGNATURES - left <= 5 + 16, left + " left");
    }

    @Test
    void aRequestThatHasSpentItsQuotaLearnsNothingAndSpoilsNothing() {
        Request spent = request();
        while (spent.quota().signature()) {
            continue;
        }
        Finding finding = zones.ask("www.signed.test.", Type.A);
        assertEquals(Security.BOGUS, validator.judge(finding, zones, spent).security());
        assertEquals(Security.SECURE, judged(finding).security());
    }

    // ---- what follows from memory, RFC 8198

    @Test
    void namesAndTypesAreDeniedFromMemory() {
        assertTrue(
                validator
                        .denied(new Question(SignedHierarchy.name("a.signed.test."), 1))
                        .isEmpty());
        judged("nothing.signed.test.", Type.A);
        Finding denied =
                validator
                        .denied(new Question(SignedHierarchy.name("never.signed.test."), Type.A))
                        .orElseThrow();
        assertEquals(Finding.Kind.NO_NAME, denied.kind());
        assertEquals(Security.SECURE, denied.security());
        assertTrue(denied.ttl() > 0 && denied.ttl() <= 300);
        assertEquals(
                Security.SECURE,
                judged(SignedHierarchy.with(denied, List.of(), denied.proof())).security(),
                "a client can check it");
        assertEquals(
                Finding.Kind.NO_RECORD,
                validator
                        .denied(new Question(SignedHierarchy.name("www.signed.test."), Type.MX))
                        .orElseThrow()
                        .kind());
    }

    @ParameterizedTest
    @CsvSource({
        "www.signed.test., A",
        "alias.signed.test., MX",
        "www.moved.signed.test., A",
        "any.wild.signed.test., A",
        "www.unsigned.test., A",
        "signed.test., DS",
        "other.example., A"
    })
    void whatMayExistIsNotDeniedFromMemory(String name, String type) {
        judged("nothing.signed.test.", Type.A);
        judged("nothing.test.", Type.A);
        judged("x.signed.test.", Type.TXT);
        assertEquals(
                Optional.empty(),
                validator.denied(new Question(SignedHierarchy.name(name), Type.value(type))));
    }

    /// What is not checked may be long, and is kept beside what is.
    @Test
    void proofsFullOfOtherSignaturesAreNotKept() {
        Finding nothing = zones.ask("nothing.signed.test.", Type.A);
        List<RRset> stuffed = new ArrayList<>();
        for (RRset set : nothing.proof()) {
            RRset more = new RRset(set);
            for (int i = 0; i < 30; i++) {
                RRSIGRecord real = set.sigs().getFirst();
                more.addRR(
                        new RRSIGRecord(
                                real.getName(),
                                DClass.IN,
                                real.getTTL(),
                                real.getTypeCovered(),
                                real.getAlgorithm(),
                                real.getOrigTTL(),
                                real.getExpire(),
                                real.getTimeSigned(),
                                i,
                                real.getSigner(),
                                new byte[200]));
            }
            stuffed.add(more);
        }
        Finding judged = judged(SignedHierarchy.with(nothing, List.of(), stuffed));
        assertEquals(Security.SECURE, judged.security(), judged.reason().toString());
        assertTrue(
                validator
                        .denied(new Question(SignedHierarchy.name("never.signed.test."), Type.A))
                        .isEmpty());
    }

    @Test
    void aProofIsForgottenWhenItsTimeIsOver() {
        judged("nothing.signed.test.", Type.A);
        Question question = new Question(SignedHierarchy.name("never.signed.test."), Type.A);
        clock.advance(Duration.ofSeconds(200));
        assertEquals(100, validator.denied(question).orElseThrow().ttl());
        clock.advance(Duration.ofSeconds(101));
        assertEquals(Optional.empty(), validator.denied(question));
    }

    @ParameterizedTest
    @EnumSource(
            value = Denial.class,
            names = {"NSEC3", "NSEC3_OPT_OUT"})
    void hashesDenyNothingFromMemory(Denial denial) {
        zones = hierarchy(denial);
        validator = validator(Set.of(), zones.key("."));
        judged("nothing.signed.test.", Type.A);
        assertEquals(
                Optional.empty(),
                validator.denied(new Question(SignedHierarchy.name("never.signed.test."), Type.A)));
    }

    // ---- RFC 8509

    @Test
    void theSentinelTellsWhichKeysOfTheRootAreBelieved() {
        Finding is = judged("root-key-sentinel-is-ta-12345.signed.test.", Type.A);
        Finding not = judged("root-key-sentinel-not-ta-12345.signed.test.", Type.A);
        assertEquals(Security.BOGUS, is.security());
        assertEquals(Security.SECURE, not.security());
        assertEquals(
                Security.SECURE,
                judged("root-key-sentinel-is-ta-12345.signed.test.", Type.TXT).security());
    }
}
