package org.pabal.dnssec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One set, its signatures, and the keys of its zone.
class ZoneKeysTest {

    private static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");
    private static final Name ZONE = Name.fromConstantString("example.org.");
    private static final Duration WEEK = Duration.ofDays(7);

    private record Signer(DNSKEYRecord key, KeyPair pair) {

        static Signer of(int algorithm, int flags, KeyPair pair) {
            try {
                return new Signer(
                        new DNSKEYRecord(
                                ZONE, DClass.IN, 3600, flags, 3, algorithm, pair.getPublic()),
                        pair);
            } catch (DNSSEC.DNSSECException e) {
                throw new AssertionError(e);
            }
        }

        RRSIGRecord sign(RRset set, Instant from, Instant until) {
            try {
                return DNSSEC.sign(set, key, pair.getPrivate(), from, until);
            } catch (DNSSEC.DNSSECException e) {
                throw new AssertionError(e);
            }
        }

        RRset signed(RRset set) {
            RRset signed = new RRset(set);
            signed.addRR(sign(set, NOW.minus(WEEK), NOW.plus(WEEK)));
            return signed;
        }
    }

    private static final Signer SIGNER = Signer.of(15, 256, pair("Ed25519"));

    private static KeyPair pair(String algorithm) {
        try {
            KeyPairGenerator generator =
                    KeyPairGenerator.getInstance(
                            algorithm.startsWith("sec") ? "EC" : algorithm.split("-")[0]);
            if (algorithm.startsWith("sec")) {
                generator.initialize(new ECGenParameterSpec(algorithm));
            } else if (algorithm.startsWith("RSA")) {
                generator.initialize(Integer.parseInt(algorithm.split("-")[1]));
            }
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static RRset set(String name) {
        return new RRset(SignedZones.record(name, Type.A, "192.0.2.1"));
    }

    private static ZoneKeys keys(Signer... signers) {
        List<DNSKEYRecord> keys = new ArrayList<>();
        for (Signer each : signers) {
            keys.add(each.key);
        }
        return new ZoneKeys(ZONE, keys);
    }

    private static Fault fault(ZoneKeys.Verdict verdict) {
        return assertInstanceOf(ZoneKeys.Bad.class, verdict).fault();
    }

    // ---- algorithms

    @ParameterizedTest
    @CsvSource({
        "5, RSA-1024",
        "7, RSA-2048",
        "8, RSA-1032", // no power of two
        "8, RSA-4096",
        "10, RSA-2048",
        "13, secp256r1",
        "14, secp384r1",
        "15, Ed25519",
        "16, Ed448"
    })
    void checksSignaturesOfEveryAlgorithmThatIsInUse(int algorithm, String pair) {
        Signer signer = Signer.of(algorithm, 256, pair(pair));
        RRset set = signer.signed(set("www.example.org."));
        assertInstanceOf(
                ZoneKeys.Good.class, keys(signer).verify(set, NOW, Effort.UNBOUNDED), "good");
        RRset other = new RRset(SignedZones.record("www.example.org.", Type.A, "192.0.2.2"));
        set.sigs().forEach(other::addRR);
        assertEquals(Fault.BOGUS, fault(keys(signer).verify(other, NOW, Effort.UNBOUNDED)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"3", "17", "65537", "4294967297"})
    void checksRsaWithOddExponents(String exponent) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(new RSAKeyGenParameterSpec(1280, new BigInteger(exponent)));
        Signer signer = Signer.of(8, 256, generator.generateKeyPair());
        RRset set = signer.signed(set("www.example.org."));
        assertInstanceOf(
                ZoneKeys.Good.class, keys(signer).verify(set, NOW, Effort.UNBOUNDED), exponent);
    }

    @Test
    void verifiesNothingByAnRsaKeyWhoseExponentCostsTooMuch() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        BigInteger costly = BigInteger.TWO.pow(41).add(BigInteger.valueOf(27));
        generator.initialize(new RSAKeyGenParameterSpec(2048, costly));
        Signer signer = Signer.of(8, 256, generator.generateKeyPair());
        RRset set = signer.signed(set("www.example.org."));
        Effort none =
                new Effort() {
                    @Override
                    public boolean signature() {
                        throw new AssertionError("it is verified");
                    }

                    @Override
                    public boolean hash(int rounds) {
                        return true;
                    }
                };
        assertInstanceOf(ZoneKeys.Bad.class, keys(signer).verify(set, NOW, none));
    }

    @Test
    void aKeyOfNonsenseFitsNothing() {
        RRset set = SIGNER.signed(set("www.example.org."));
        for (int algorithm : new int[] {5, 8, 10, 13, 14, 15, 16}) {
            for (byte[] octets : new byte[][] {{}, {0}, {3, 1, 0}, new byte[64], {0, 1, 0, 1}}) {
                DNSKEYRecord key =
                        new DNSKEYRecord(ZONE, DClass.IN, 3600, 256, 3, algorithm, octets);
                RRset forged = new RRset(set("www.example.org."));
                forged.addRR(copy(set.sigs().getFirst(), algorithm, key.getFootprint(), 3));
                assertInstanceOf(
                        ZoneKeys.Bad.class,
                        new ZoneKeys(ZONE, List.of(key)).verify(forged, NOW, Effort.UNBOUNDED));
            }
        }
    }

    private static RRSIGRecord copy(RRSIGRecord from, int algorithm, int tag, int labels) {
        byte[] data = from.rdataToWireCanonical();
        data[2] = (byte) algorithm;
        data[3] = (byte) labels;
        data[16] = (byte) (tag >> 8);
        data[17] = (byte) tag;
        return (RRSIGRecord)
                Record.newRecord(from.getName(), Type.RRSIG, DClass.IN, from.getTTL(), data);
    }

    // ---- time

    @Test
    void anExpiredSignatureAndOneOfTomorrowAreToldApart() {
        ZoneKeys keys = keys(SIGNER);
        RRset set = SIGNER.signed(set("www.example.org."));
        assertEquals(
                Fault.EXPIRED,
                fault(keys.verify(set, NOW.plus(Duration.ofDays(9)), Effort.UNBOUNDED)));
        assertEquals(
                Fault.NOT_YET_VALID,
                fault(keys.verify(set, NOW.minus(Duration.ofDays(9)), Effort.UNBOUNDED)));
    }

    @Test
    void clocksMayDifferByATenthOfTheLifetimeAndAtMostADay() {
        ZoneKeys keys = keys(SIGNER);
        RRset set = SIGNER.signed(set("www.example.org.")); // 14 days
        Instant expired = NOW.plus(WEEK);
        assertInstanceOf(
                ZoneKeys.Good.class,
                keys.verify(set, expired.plus(Duration.ofHours(23)), Effort.UNBOUNDED));
        assertEquals(
                Fault.EXPIRED,
                fault(keys.verify(set, expired.plus(Duration.ofHours(25)), Effort.UNBOUNDED)));
    }

    @Test
    void aSetIsKeptNoLongerThanItsSignatureLasts() {
        ZoneKeys keys = keys(SIGNER);
        RRset set = SIGNER.signed(set("www.example.org."));
        ZoneKeys.Good good =
                (ZoneKeys.Good)
                        keys.verify(
                                set, NOW.plus(WEEK).minus(Duration.ofMinutes(5)), Effort.UNBOUNDED);
        assertEquals(300, good.ttl());
        assertEquals(3600, ((ZoneKeys.Good) keys.verify(set, NOW, Effort.UNBOUNDED)).ttl());
    }

    // ---- labels, security row D11

    @Test
    void aNameThatComesFromAWildcardIsToldWithItsEncloser() {
        RRset wildcard = SIGNER.signed(set("*.example.org."));
        RRset expanded = new RRset(set("a.b.example.org."));
        expanded.addRR(renamed(wildcard.sigs().getFirst(), "a.b.example.org."));
        ZoneKeys.Good good =
                assertInstanceOf(
                        ZoneKeys.Good.class, keys(SIGNER).verify(expanded, NOW, Effort.UNBOUNDED));
        assertEquals(Optional.of(ZONE), good.closestEncloser());
        assertEquals(
                Optional.empty(),
                ((ZoneKeys.Good) keys(SIGNER).verify(wildcard, NOW, Effort.UNBOUNDED))
                        .closestEncloser());
    }

    private static RRSIGRecord renamed(RRSIGRecord signature, String name) {
        return (RRSIGRecord)
                Record.newRecord(
                        Name.fromConstantString(name),
                        Type.RRSIG,
                        DClass.IN,
                        signature.getTTL(),
                        signature.rdataToWireCanonical());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 255})
    void labelsThatFitNoNameOfTheZoneCostNoVerification(int labels) {
        RRset set = SIGNER.signed(set("www.example.org."));
        RRset forged = new RRset(set("www.example.org."));
        forged.addRR(copy(set.sigs().getFirst(), 15, SIGNER.key.getFootprint(), labels));
        CountedEffort effort = CountedEffort.plenty();
        assertEquals(Fault.BOGUS, fault(keys(SIGNER).verify(forged, NOW, effort)));
        assertEquals(0, effort.signatures);
    }

    // ---- who signed

    @Test
    void aSetOfAnotherZoneIsNotThisZonesToSign() {
        RRset set = SIGNER.signed(set("www.example.net."));
        assertEquals(Fault.NO_SIGNATURE, fault(keys(SIGNER).verify(set, NOW, Effort.UNBOUNDED)));
    }

    @Test
    void keysWithoutZoneBitOrRevokedOrOfAnotherProtocolSignNothing() {
        for (int flags : new int[] {0, 1, 256 | 128, 257 | 128}) {
            Signer signer = Signer.of(15, flags, pair("Ed25519"));
            RRset set = signer.signed(set("www.example.org."));
            Fault fault = fault(keys(signer).verify(set, NOW, Effort.UNBOUNDED));
            assertEquals((flags & 256) == 0 ? Fault.NO_ZONE_KEY : Fault.NO_KEY, fault);
        }
    }

    @Test
    void oneGoodSignatureIsEnough() {
        RRset set = new RRset(set("www.example.org."));
        RRSIGRecord good = SIGNER.signed(set).sigs().getFirst();
        set.addRR(copy(good, 253, 1, 3)); // of an algorithm that nobody knows
        set.addRR(copy(good, 15, SIGNER.key.getFootprint() ^ 1, 3)); // by a key that is not there
        set.addRR(good);
        assertInstanceOf(ZoneKeys.Good.class, keys(SIGNER).verify(set, NOW, Effort.UNBOUNDED));
    }

    @Test
    void aSetWithoutSignatureIsNotGood() {
        assertEquals(
                Fault.NO_SIGNATURE,
                fault(keys(SIGNER).verify(set("www.example.org."), NOW, Effort.UNBOUNDED)));
    }

    // ---- KeyTrap, security row D8

    /// 500 keys with one tag, and 500 signatures that none of them made.
    private static List<DNSKEYRecord> colliding(int many) {
        List<DNSKEYRecord> keys = new ArrayList<>();
        for (int i = 0; keys.size() < many; i++) {
            byte[] octets = new byte[32];
            // the tag is a sum of 16-bit words: what one gains another loses
            octets[0] = (byte) (i >> 8);
            octets[1] = (byte) i;
            octets[2] = (byte) (0x7F - (i >> 8));
            octets[3] = (byte) (0xFF - (i & 0xFF));
            keys.add(new DNSKEYRecord(ZONE, DClass.IN, 3600, 257, 3, 15, octets));
        }
        return keys;
    }

    private static RRset trapped(RRset set, int tag, int many) {
        RRset trapped = new RRset(set);
        RRSIGRecord signature = SIGNER.signed(set).sigs().getFirst();
        for (int i = 0; i < many; i++) {
            byte[] data =
                    copy(signature, 15, tag, set.getName().labels() - 1).rdataToWireCanonical();
            data[data.length - 1] ^= (byte) i;
            data[data.length - 2] ^= (byte) (i >> 8);
            trapped.addRR(
                    (RRSIGRecord)
                            Record.newRecord(set.getName(), Type.RRSIG, DClass.IN, 3600, data));
        }
        return trapped;
    }

    @Test
    void fiveHundredCollidingKeysAndFiveHundredSignaturesCostSixteenVerifications() {
        List<DNSKEYRecord> keys = colliding(500);
        int tag = keys.getFirst().getFootprint();
        assertEquals(500, keys.stream().filter(key -> key.getFootprint() == tag).count());
        RRset set = trapped(set("www.example.org."), tag, 500);
        assertEquals(500, set.sigs().size());
        CountedEffort effort = CountedEffort.plenty();
        ZoneKeys.Verdict verdict = new ZoneKeys(ZONE, keys).verify(set, NOW, effort);
        assertTrue(assertInstanceOf(ZoneKeys.Bad.class, verdict).exhausted());
        assertEquals(16, effort.signatures);
    }

    @Test
    void oneSignatureIsTriedWithFourKeysOfItsTagAtMost() {
        List<DNSKEYRecord> keys = colliding(500);
        RRset set = trapped(set("www.example.org."), keys.getFirst().getFootprint(), 1);
        CountedEffort effort = CountedEffort.plenty();
        new ZoneKeys(ZONE, keys).verify(set, NOW, effort);
        assertEquals(4, effort.signatures);
    }

    @Test
    void manyCollidingKeysWithManyDelegationSignersAreNoMoreWork() {
        List<DNSKEYRecord> keys = colliding(500);
        List<DSRecord> told =
                keys.stream().map(key -> new DSRecord(ZONE, DClass.IN, 3600, 2, key)).toList();
        RRset shown = new RRset();
        keys.forEach(shown::addRR);
        RRset trapped = trapped(shown, keys.getFirst().getFootprint(), 500);
        CountedEffort effort = CountedEffort.plenty();
        KeyTrust.Untrusted untrusted =
                assertInstanceOf(KeyTrust.Untrusted.class, KeyTrust.of(trapped, told, NOW, effort));
        assertTrue(untrusted.exhausted());
        assertEquals(16, effort.signatures);
    }

    @Test
    void withoutBudgetNothingIsVerified() {
        RRset set = SIGNER.signed(set("www.example.org."));
        CountedEffort effort = new CountedEffort(0, 0);
        assertTrue(
                assertInstanceOf(ZoneKeys.Bad.class, keys(SIGNER).verify(set, NOW, effort))
                        .exhausted());
    }

    // ---- what the parent tells

    private static KeyTrust trust(RRset shown, Record... told) {
        return KeyTrust.of(shown, List.of(told), NOW, Effort.UNBOUNDED);
    }

    private static DSRecord ds(int digest, DNSKEYRecord key) {
        return new DSRecord(ZONE, DClass.IN, 3600, digest, key);
    }

    private static DSRecord ds(int algorithm, int digest, byte[] octets, DNSKEYRecord key) {
        return new DSRecord(ZONE, DClass.IN, 3600, key.getFootprint(), algorithm, digest, octets);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void keysThatADigestTellsOfAreTrusted(int digest) {
        RRset shown = SIGNER.signed(new RRset(SIGNER.key));
        assertInstanceOf(KeyTrust.Trusted.class, trust(shown, ds(digest, SIGNER.key)));
        assertInstanceOf(KeyTrust.Trusted.class, trust(shown, SIGNER.key));
    }

    @Test
    void aWeakDigestIsNoReasonWhenThereIsAStrongOne() {
        RRset shown = SIGNER.signed(new RRset(SIGNER.key));
        KeyTrust trust = trust(shown, ds(1, SIGNER.key), ds(15, 2, new byte[32], SIGNER.key));
        assertEquals(Fault.NO_KEY, assertInstanceOf(KeyTrust.Untrusted.class, trust).fault());
    }

    @Test
    void unknownAlgorithmsAndDigestsAloneAreAsIfUnsigned() {
        RRset shown = SIGNER.signed(new RRset(SIGNER.key));
        assertEquals(
                Fault.UNSUPPORTED_ALGORITHM,
                assertInstanceOf(
                                KeyTrust.Unsupported.class,
                                trust(shown, ds(253, 2, new byte[32], SIGNER.key)))
                        .fault());
        assertEquals(
                Fault.UNSUPPORTED_DIGEST,
                assertInstanceOf(
                                KeyTrust.Unsupported.class,
                                trust(shown, ds(15, 200, new byte[32], SIGNER.key)))
                        .fault());
    }

    @Test
    void anUnknownAlgorithmBesideAKnownOneIsNoWayOut() {
        Signer other = Signer.of(15, 257, pair("Ed25519"));
        RRset shown = other.signed(new RRset(other.key));
        assertInstanceOf(
                KeyTrust.Untrusted.class,
                trust(shown, ds(253, 2, new byte[32], other.key), ds(2, SIGNER.key)));
    }

    @Test
    void keysThatTheToldKeyDidNotSignAreNotTrusted() {
        Signer other = Signer.of(15, 256, pair("Ed25519"));
        RRset shown = new RRset(SIGNER.key);
        shown.addRR(other.key);
        RRset signed = other.signed(shown);
        assertInstanceOf(KeyTrust.Untrusted.class, trust(signed, ds(2, SIGNER.key)));
    }
}
