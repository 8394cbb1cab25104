package org.pabal.dnssec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.pabal.dns.Zone;
import org.pabal.dnssec.DenialProof.Cut;
import org.pabal.dnssec.DenialProof.Verdict;
import org.xbill.DNS.DClass;
import org.xbill.DNS.NSEC3Record;
import org.xbill.DNS.NSECRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;
import org.xbill.DNS.utils.base32;

import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// What NSEC and NSEC3 prove, and what they do not.
class DenialProofTest {

    private static final Name EXAMPLE = Name.fromConstantString("example.");
    private static final int MOST = 150;

    private static final String ZONE =
            """
            @        3600 IN SOA ns hostmaster 1 7200 900 604800 300
            @        IN NS ns
            ns       IN A 192.0.2.1
            alias    IN CNAME ns
            a.b.c    IN A 192.0.2.2
            *.wild   IN TXT wild
            real.wild IN A 192.0.2.3
            *.ent.w2 IN A 192.0.2.4
            unsigned IN NS ns.elsewhere.test.
            secure   IN NS ns.elsewhere.test.
            secure   IN DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
            gone     IN DNAME elsewhere.test.
            """;

    private static final Zone NSEC = signed(Denial.NSEC);
    private static final Zone NSEC3 = signed(Denial.NSEC3);
    private static final Zone OPT_OUT = signed(Denial.NSEC3_OPT_OUT);

    private static Zone signed(Denial denial) {
        return SignedZones.signed(
                SignedZones.zone("example.", ZONE),
                SignedZones.signing(SignedZones.keys(EXAMPLE, 15), denial, SignedZones.NOW));
    }

    private static Name name(String text) {
        return Name.fromConstantString(text + (text.endsWith(".") ? "" : ".example."));
    }

    private static List<RRset> chain(Zone zone) {
        return zone.all()
                .filter(set -> set.getType() == Type.NSEC || set.getType() == Type.NSEC3)
                .toList();
    }

    private static DenialProof all(Zone zone) {
        return new DenialProof(EXAMPLE, chain(zone), MOST, Effort.UNBOUNDED);
    }

    /// All of a zone's chain at hand: what holds is proved, and nothing else.
    @ParameterizedTest
    @CsvSource({
        "nothing, PROVED",
        "x.nothing, PROVED",
        "zzz, PROVED",
        "ns, NOT_PROVED",
        "c, NOT_PROVED", // an empty non-terminal exists
        "b.c, NOT_PROVED",
        "x.c, PROVED",
        "other.wild, NOT_PROVED", // the wildcard would answer
        "x.real.wild, PROVED", // but not here
        "x.unsigned, UNSIGNED",
        "x.secure, NOT_PROVED", // that is for the child to say
        "x.gone, NOT_PROVED" // so is that for the target of the DNAME
    })
    void namesThatDoNotExistAreDenied(String name, Verdict expected) {
        assertEquals(expected, all(NSEC).noName(name(name)), "NSEC");
        assertEquals(expected, all(NSEC3).noName(name(name)), "NSEC3");
    }

    @ParameterizedTest
    @CsvSource({
        "ns, AAAA, PROVED",
        "ns, A, NOT_PROVED",
        "alias, A, NOT_PROVED", // there is a CNAME
        "c, A, PROVED",
        "b.c, A, PROVED",
        "other.wild, A, PROVED",
        "other.wild, TXT, NOT_PROVED",
        "real.wild, TXT, PROVED",
        "x.ent.w2, A, NOT_PROVED",
        "x.ent.w2, TXT, PROVED",
        "example., MX, PROVED",
        "example., DS, NOT_PROVED", // the apex is not the parent
        "unsigned, DS, PROVED",
        "unsigned, A, UNSIGNED",
        "secure, DS, NOT_PROVED",
        "secure, A, NOT_PROVED"
    })
    void typesThatAreNotThereAreDenied(String name, String type, Verdict expected) {
        Name asked = name(name);
        assertEquals(expected, all(NSEC).noRecord(asked, Type.value(type)), "NSEC");
        assertEquals(expected, all(NSEC3).noRecord(asked, Type.value(type)), "NSEC3");
    }

    @ParameterizedTest
    @CsvSource({
        "ns, NONE",
        "c, NONE",
        "alias, NONE",
        "unsigned, UNSIGNED",
        "secure, NOT_PROVED",
        "nothing, NOT_PROVED",
        "example., NOT_PROVED"
    })
    void cutsAreToldFromOtherNames(String name, Cut expected) {
        assertEquals(expected, all(NSEC).cut(name(name)), "NSEC");
        assertEquals(expected, all(NSEC3).cut(name(name)), "NSEC3");
    }

    @Test
    void aWildcardStandsForANameOnlyWhenThereIsNothingCloser() {
        for (Zone zone : List.of(NSEC, NSEC3)) {
            Name wild = name("wild");
            assertEquals(Verdict.PROVED, all(zone).noCloser(name("other.wild"), wild));
            assertEquals(Verdict.PROVED, all(zone).noCloser(name("x.y.wild"), wild));
            assertEquals(Verdict.NOT_PROVED, all(zone).noCloser(name("x.real.wild"), wild));
            assertEquals(Verdict.NOT_PROVED, all(zone).noCloser(name("real.wild"), wild));
        }
    }

    // ---- opt-out

    @Test
    void aGapThatOptsOutMayHideAnUnsignedDelegation() {
        DenialProof proof = all(OPT_OUT);
        assertEquals(Verdict.OPT_OUT, proof.noName(name("nothing")));
        assertEquals(Cut.UNSIGNED, proof.cut(name("unsigned")));
        assertEquals(Cut.UNSIGNED, proof.cut(name("nothing")));
        assertEquals(Verdict.OPT_OUT, proof.noRecord(name("unsigned"), Type.DS));
        assertEquals(Verdict.OPT_OUT, proof.noCloser(name("other.wild"), name("wild")));
        assertEquals(Verdict.PROVED, proof.noRecord(name("ns"), Type.AAAA));
    }

    // ---- parts of proofs

    @Test
    void withoutTheProofThatThereIsNoWildcardANameIsNotDenied() {
        List<RRset> gap =
                chain(NSEC).stream()
                        .filter(
                                set ->
                                        ((NSECRecord) set.first())
                                                        .getName()
                                                        .compareTo(name("nothing"))
                                                < 0)
                        .reduce((one, other) -> other)
                        .stream()
                        .toList();
        assertEquals(1, gap.size());
        DenialProof proof = new DenialProof(EXAMPLE, gap, MOST, Effort.UNBOUNDED);
        assertEquals(Verdict.NOT_PROVED, proof.noName(name("nothing")));
    }

    @ParameterizedTest
    @EnumSource(
            value = Denial.class,
            names = {"NSEC", "NSEC3"})
    void lessThanTheWholeChainNeverProvesMore(Denial denial) {
        Zone zone = denial == Denial.NSEC ? NSEC : NSEC3;
        List<RRset> chain = chain(zone);
        Random random = new Random(20261123);
        List<String> names =
                List.of("ns", "c", "other.wild", "real.wild", "secure", "x.secure", "x.gone");
        for (int round = 0; round < 500; round++) {
            List<RRset> some = chain.stream().filter(set -> random.nextBoolean()).toList();
            for (String name : names) {
                DenialProof proof = new DenialProof(EXAMPLE, some, MOST, Effort.UNBOUNDED);
                assertEquals(Verdict.NOT_PROVED, proof.noName(name(name)), name + " " + some);
                assertTrue(proof.cut(name("secure")) == Cut.NOT_PROVED, some.toString());
            }
        }
    }

    @Test
    void recordsOfAnotherZoneProveNothing() {
        DenialProof proof =
                new DenialProof(
                        Name.fromConstantString("other."), chain(NSEC), MOST, Effort.UNBOUNDED);
        assertTrue(proof.isEmpty());
        assertEquals(Verdict.NOT_PROVED, proof.noName(name("nothing")));
    }

    // ---- what hashing costs, security row D8

    private static RRset link(Name name, int iterations, int flags, int algorithm) {
        try {
            NSEC3Record parameters =
                    new NSEC3Record(
                            EXAMPLE,
                            DClass.IN,
                            300,
                            1,
                            0,
                            iterations,
                            new byte[0],
                            new byte[20],
                            new int[0]);
            byte[] hash = parameters.hashName(name);
            String label = new base32(base32.Alphabet.BASE32HEX, false, true).toString(hash);
            return new RRset(
                    new NSEC3Record(
                            Name.fromConstantString(label + ".example."),
                            DClass.IN,
                            300,
                            algorithm,
                            flags,
                            iterations,
                            new byte[0],
                            hash, // it points to itself: everything else is in the gap
                            new int[] {Type.SOA, Type.NS}));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void oneLinkOfAZoneWithOneNameDeniesAllOthers() {
        DenialProof proof =
                new DenialProof(EXAMPLE, List.of(link(EXAMPLE, 0, 0, 1)), MOST, Effort.UNBOUNDED);
        assertEquals(Verdict.PROVED, proof.noName(name("nothing")));
        assertEquals(Verdict.NOT_PROVED, proof.noName(EXAMPLE));
    }

    @Test
    void moreThan150IterationsAreInsecureAndCostNothing() {
        CountedEffort effort = CountedEffort.plenty();
        DenialProof proof =
                new DenialProof(EXAMPLE, List.of(link(EXAMPLE, 151, 0, 1)), MOST, effort);
        assertEquals(Verdict.ITERATIONS, proof.noName(name("nothing")));
        assertEquals(Verdict.ITERATIONS, proof.noRecord(name("nothing"), Type.A));
        assertEquals(Cut.ITERATIONS, proof.cut(name("nothing")));
        assertEquals(0, effort.rounds);
    }

    @Test
    void aNameOfManyLabelsCostsNoMoreThanTheBudget() {
        Name deep = name("a.".repeat(120) + "x");
        CountedEffort effort = new CountedEffort(0, 5_000);
        DenialProof proof =
                new DenialProof(EXAMPLE, List.of(link(EXAMPLE, 150, 0, 1)), MOST, effort);
        assertEquals(Verdict.EXHAUSTED, proof.noName(deep));
        assertEquals(Cut.EXHAUSTED, proof.cut(deep));
        assertTrue(effort.rounds <= 5_000, "" + effort.rounds);
    }

    @Test
    void aNameIsHashedOnceHoweverOftenItIsLookedAt() {
        CountedEffort effort = CountedEffort.plenty();
        DenialProof proof = new DenialProof(EXAMPLE, chain(NSEC3), MOST, effort);
        proof.noName(name("nothing"));
        int once = effort.rounds;
        assertEquals(3, once); // the name, its encloser, the wildcard
        proof.noName(name("nothing"));
        proof.noRecord(name("nothing"), Type.A);
        assertEquals(once, effort.rounds);
    }

    @Test
    void recordsOfTwoSetsOfParametersAreEachTrueByThemselves() {
        List<RRset> sets = new ArrayList<>(chain(NSEC3));
        sets.addFirst(link(name("elsewhere"), 3, 0, 1));
        DenialProof proof = new DenialProof(EXAMPLE, sets, MOST, Effort.UNBOUNDED);
        assertEquals(Verdict.PROVED, proof.noName(name("nothing")));
        assertEquals(Verdict.NOT_PROVED, proof.noName(name("ns")));
    }

    @Test
    void unknownFlagsAndHashesAreNotLookedAt() {
        for (RRset set : List.of(link(EXAMPLE, 0, 2, 1), link(EXAMPLE, 0, 0, 2))) {
            assertTrue(new DenialProof(EXAMPLE, List.of(set), MOST, Effort.UNBOUNDED).isEmpty());
        }
    }
}
