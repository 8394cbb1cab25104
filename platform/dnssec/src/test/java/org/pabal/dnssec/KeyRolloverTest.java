package org.pabal.dnssec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dnssec.SignedZones.EXAMPLE;
import static org.pabal.dnssec.SignedZones.NOW;

import org.junit.jupiter.api.Test;
import org.pabal.dns.ZoneKey;
import org.pabal.dnssec.KeyRollover.Plan;
import org.xbill.DNS.CDSRecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Walks a zone's keys through months, hour by hour, beside a world that remembers everything as
/// long as it may, and a parent that does what CDS asks for, slowly.
class KeyRolloverTest {

    private static final Duration STEP = Duration.ofHours(1);
    private static final Duration LONGEST_TTL = Duration.ofHours(30);
    private static final Duration DS_TTL = Duration.ofHours(24);
    private static final Duration PARENT_IS_SLOW = Duration.ofHours(50);

    private KeyPolicy policy =
            new KeyPolicy(
                    13,
                    Duration.ofDays(20),
                    Duration.ofDays(60),
                    Duration.ofHours(4),
                    Duration.ofHours(2),
                    DS_TTL.plusHours(1));
    private KeyRollover rollover = new KeyRollover(EXAMPLE, policy);

    private Instant now = NOW;
    private List<ZoneKey> keys = List.of();
    private boolean leaving;
    private boolean unsigned;

    /// What was served at some time, by the moment until which somebody may remember it.
    private record Remembered<T>(T what, Instant until) {}

    private final Deque<Remembered<Set<Integer>>> keySets = new ArrayDeque<>();
    private final Deque<Remembered<Set<Integer>>> signersOfZone = new ArrayDeque<>();
    private final Deque<Remembered<Set<Integer>>> dsSets = new ArrayDeque<>();

    /// The tags of which a set in the zone has a signature: the zone is signed anew over some
    /// hours.
    private final List<Integer> signedBy = new ArrayList<>();

    private List<DSRecord> parent = List.of();
    private Optional<Instant> parentActs = Optional.empty();
    private List<DSRecord> wanted = List.of();

    @Test
    void atEveryMomentWhoeverRemembersAnythingCanValidate() {
        Set<Integer> zsks = new HashSet<>();
        Set<Integer> ksks = new HashSet<>();
        for (int hour = 0; hour < 24 * 200; hour++) {
            step();
            keys.forEach(key -> (key.signsKeys() ? ksks : zsks).add(key.tag()));
            assertFalse(unsigned);
            assertTrue(keys.size() <= 4, keys.toString());
        }
        assertTrue(zsks.size() >= 9, zsks.size() + " ZSKs in 200 days");
        assertTrue(ksks.size() >= 3, ksks.size() + " KSKs in 200 days");
    }

    @Test
    void aNodeThatSleptForAYearHurriesNothing() {
        walk(24 * 10);
        now = now.plus(Duration.ofDays(365));
        walk(24 * 60);
        assertEquals(2, keys.stream().filter(key -> key.removal().isEmpty()).count());
    }

    @Test
    void aKeySigningKeyWaitsForTheParentAsLongAsItTakes() {
        policy =
                new KeyPolicy(
                        13,
                        Duration.ZERO,
                        Duration.ZERO,
                        policy.keyTtl(),
                        policy.propagation(),
                        policy.dsTtl());
        rollover = new KeyRollover(EXAMPLE, policy);
        walk(24 * 10);
        ZoneKey first = keys.stream().filter(ZoneKey::signsKeys).findFirst().orElseThrow();
        assertTrue(first.seen().isPresent());
        List<ZoneKey> more = new ArrayList<>(keys);
        more.add(rollover.make(keys, true, now));
        keys = more;
        List<DSRecord> kept = parent;
        for (int hour = 0; hour < 24 * 100; hour++) {
            parent = kept; // it does not move
            step();
        }
        assertEquals(3, keys.size());
        walk(24 * 10);
        assertEquals(2, keys.size());
        assertTrue(keys.stream().noneMatch(key -> key.is(first)));
    }

    @Test
    void aZoneSigningKeyIsRolledByHand() {
        policy =
                new KeyPolicy(
                        13,
                        Duration.ZERO,
                        Duration.ZERO,
                        policy.keyTtl(),
                        policy.propagation(),
                        policy.dsTtl());
        rollover = new KeyRollover(EXAMPLE, policy);
        walk(24 * 30);
        int before = zsk().tag();
        List<ZoneKey> more = new ArrayList<>(keys);
        more.add(rollover.make(keys, false, now));
        keys = more;
        walk(24 * 10);
        assertEquals(2, keys.size());
        assertFalse(zsk().tag() == before);
    }

    @Test
    void signingEndsWhenTheParentHasNoDsAndNobodyRemembersOne() {
        walk(24 * 10);
        assertEquals(1, parent.size());
        leaving = true;
        step();
        SigningKeys roles = rollover.roles(keys, LONGEST_TTL, true, now);
        assertEquals(
                List.of("0 0 0 00"),
                roles.records(EXAMPLE, Type.CDS).stream().map(Record::rdataToString).toList());
        assertEquals(
                List.of("0 3 0 AA=="),
                roles.records(EXAMPLE, Type.CDNSKEY).stream().map(Record::rdataToString).toList());
        for (int hour = 0; hour < 24 * 10 && !unsigned; hour++) {
            step();
        }
        assertTrue(unsigned);
        assertTrue(
                dsSets.stream()
                        .allMatch(each -> each.what().isEmpty() || each.until().isBefore(now)));
    }

    @Test
    void aZoneWhoseSigningEndsAndIsWantedAgainKeepsItsKeys() {
        walk(24 * 10);
        List<ZoneKey> before = keys;
        leaving = true;
        walk(60);
        leaving = false;
        walk(24 * 10);
        assertEquals(before.stream().map(ZoneKey::tag).toList().getFirst(), keys.getFirst().tag());
        assertEquals(1, parent.size());
    }

    @Test
    void withoutAWordFromTheParentNothingEnds() {
        walk(24 * 2);
        leaving = true;
        for (int i = 0; i < 1000; i++) {
            now = now.plus(STEP);
            Plan plan = rollover.plan(keys, Optional.<List<DSRecord>>empty(), true, now);
            assertFalse(plan.unsign());
            keys = plan.keys();
        }
    }

    @Test
    void aDsWithAnotherDigestIsNoneOfTheKey() {
        walk(1);
        ZoneKey ksk = keys.stream().filter(ZoneKey::signsKeys).findFirst().orElseThrow();
        DSRecord good = ds(ksk);
        assertTrue(KeyRollover.names(good, ksk));
        assertFalse(
                KeyRollover.names(
                        new DSRecord(
                                EXAMPLE,
                                DClass.IN,
                                60,
                                ksk.tag(),
                                13,
                                DNSSEC.Digest.SHA256,
                                new byte[32]),
                        ksk));
    }

    @Test
    void theNextMomentIsWhenSomethingHappens() {
        walk(3);
        for (int i = 0; i < 30; i++) {
            Plan plan = plan();
            Instant next = rollover.next(plan.keys(), LONGEST_TTL, false, now).orElseThrow();
            assertTrue(next.isAfter(now));
            assertEquals(
                    plan.keys(),
                    rollover.plan(plan.keys(), Optional.of(parent), false, next.minusSeconds(1))
                            .keys(),
                    "nothing happens before the next moment");
            now = next.minus(STEP);
            step();
        }
    }

    private ZoneKey zsk() {
        return keys.stream().filter(key -> !key.signsKeys()).findFirst().orElseThrow();
    }

    private void walk(int hours) {
        for (int i = 0; i < hours; i++) {
            step();
        }
    }

    private Plan plan() {
        return rollover.plan(keys, Optional.of(parent), leaving, now);
    }

    /// An hour of the keeper's work, and of everybody else's.
    private void step() {
        now = now.plus(STEP);
        Plan plan = plan();
        keys = plan.keys();
        unsigned = plan.unsign();
        if (unsigned) {
            return;
        }
        SigningKeys roles = rollover.roles(keys, LONGEST_TTL, leaving, now);
        int signer = roles.signZone().getFirst().tag();
        // The zone has four sets; one of them is signed anew in an hour.
        while (signedBy.size() < 4) {
            signedBy.add(signer);
        }
        for (int i = 0; i < 4; i++) {
            if (signedBy.get(i) != signer) {
                signedBy.set(i, signer);
                break;
            }
        }
        keys = KeyRollover.published(keys, now);
        keys = rollover.replaced(keys, Set.copyOf(signedBy), LONGEST_TTL, now);
        remember(roles);
        parentActs(roles);
        validate(roles);
    }

    private void remember(SigningKeys roles) {
        Duration late = policy.propagation(); // a server may be behind
        Set<Integer> tags = new HashSet<>();
        roles.published().forEach(key -> tags.add(key.tag()));
        keySets.add(new Remembered<>(tags, now.plus(late).plus(policy.keyTtl())));
        signersOfZone.add(new Remembered<>(Set.copyOf(signedBy), now.plus(late).plus(LONGEST_TTL)));
        Set<Integer> delegated = new HashSet<>();
        parent.forEach(ds -> delegated.add(ds.getFootprint()));
        dsSets.add(new Remembered<>(delegated, now.plus(DS_TTL)));
        keySets.removeIf(each -> each.until().isBefore(now));
        signersOfZone.removeIf(each -> each.until().isBefore(now));
        dsSets.removeIf(each -> each.until().isBefore(now));
    }

    private void parentActs(SigningKeys roles) {
        List<DSRecord> asked =
                roles.records(EXAMPLE, Type.CDS).stream()
                        .map(CDSRecord.class::cast)
                        .filter(cds -> cds.getAlgorithm() != 0)
                        .map(KeyRolloverTest::dsOf)
                        .toList();
        boolean says = !roles.records(EXAMPLE, Type.CDS).isEmpty();
        if (says && !asked.equals(wanted)) {
            wanted = asked;
            parentActs = Optional.of(now.plus(PARENT_IS_SLOW));
        }
        if (parentActs.isPresent() && now.isAfter(parentActs.get())) {
            parent = wanted;
        }
    }

    private static DSRecord dsOf(CDSRecord cds) {
        return new DSRecord(
                EXAMPLE,
                DClass.IN,
                60,
                cds.getFootprint(),
                cds.getAlgorithm(),
                cds.getDigestID(),
                cds.getDigest());
    }

    private static DSRecord ds(ZoneKey key) {
        return new DSRecord(EXAMPLE, DClass.IN, 60, DNSSEC.Digest.SHA256, key.dnskey());
    }

    /// Any DS set with any DNSKEY set, and any DNSKEY set with any signature, that somebody may
    /// remember now.
    private void validate(SigningKeys roles) {
        Set<Integer> keySigners = new HashSet<>();
        roles.signKeys().forEach(key -> keySigners.add(key.tag()));
        for (Remembered<Set<Integer>> keySet : keySets) {
            for (Remembered<Set<Integer>> dsSet : dsSets) {
                // A set of keys is signed by every KSK that is in it.
                assertTrue(
                        dsSet.what().isEmpty()
                                || dsSet.what().stream().anyMatch(keySet.what()::contains),
                        now + ": DS " + dsSet + " but keys " + keySet);
            }
            for (Remembered<Set<Integer>> signers : signersOfZone) {
                assertTrue(
                        keySet.what().containsAll(signers.what()),
                        now + ": signed by " + signers + " but keys " + keySet);
            }
        }
        assertFalse(keySigners.isEmpty());
    }
}
