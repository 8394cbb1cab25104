package org.pabal.dnssec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dnssec.SignedZones.EXAMPLE;
import static org.pabal.dnssec.SignedZones.NOW;
import static org.pabal.dnssec.SignedZones.assertSigned;
import static org.pabal.dnssec.SignedZones.keys;
import static org.pabal.dnssec.SignedZones.record;
import static org.pabal.dnssec.SignedZones.signed;
import static org.pabal.dnssec.SignedZones.signing;
import static org.pabal.dnssec.SignedZones.unsigned;
import static org.pabal.dnssec.SignedZones.zone;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.xbill.DNS.NSEC3Record;
import org.xbill.DNS.NSECRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

class ZoneSigningTest {

    /// What RFC 4035 appendix A and RFC 5155 appendix A have in common, unsigned.
    private static final String COMMON =
            """
            @ 3600 IN SOA ns1 bugs.x.w 1081539377 3600 300 3600000 3600
            @ 3600 IN NS ns1
            @ 3600 IN NS ns2
            @ 3600 IN MX 1 xx
            a 3600 IN NS ns1.a
            a 3600 IN NS ns2.a
            a 3600 IN DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B
            ns1.a 3600 IN A 192.0.2.5
            ns2.a 3600 IN A 192.0.2.6
            ai 3600 IN A 192.0.2.9
            ai 3600 IN HINFO "KLH-10" "ITS"
            ai 3600 IN AAAA 2001:db8::f00:baa9
            ns1 3600 IN A 192.0.2.1
            ns2 3600 IN A 192.0.2.2
            *.w 3600 IN MX 1 ai
            x.w 3600 IN MX 1 xx
            x.y.w 3600 IN MX 1 xx
            xx 3600 IN A 192.0.2.10
            xx 3600 IN HINFO "KLH-10" "TOPS-20"
            xx 3600 IN AAAA 2001:db8::f00:baaa
            """;

    private static final String RFC_4035 =
            COMMON
                    + """
                    b 3600 IN NS ns1.b
                    b 3600 IN NS ns2.b
                    ns1.b 3600 IN A 192.0.2.7
                    ns2.b 3600 IN A 192.0.2.8
                    """;

    private static final String RFC_5155 =
            COMMON
                    + """
                    2t7b4g4vsa5smi47k61mv5bv1a22bojr 3600 IN A 192.0.2.127
                    c 3600 IN NS ns1.c
                    c 3600 IN NS ns2.c
                    ns1.c 3600 IN A 192.0.2.7
                    ns2.c 3600 IN A 192.0.2.8
                    """;

    @Test
    void chainOfRfc4035AppendixA() {
        SigningKeys keys = keys(EXAMPLE, 13);
        Zone zone = signed(zone("example.", RFC_4035), signing(keys, Denial.NSEC, NOW));
        assertSigned(zone, keys, NOW);
        assertEquals(
                """
                *.w.example. x.w.example. MX NSEC RRSIG
                a.example. ai.example. DS NS NSEC RRSIG
                ai.example. b.example. A AAAA HINFO NSEC RRSIG
                b.example. ns1.example. NS NSEC RRSIG
                example. a.example. DNSKEY MX NS NSEC RRSIG SOA
                ns1.example. ns2.example. A NSEC RRSIG
                ns2.example. *.w.example. A NSEC RRSIG
                x.w.example. x.y.w.example. MX NSEC RRSIG
                x.y.w.example. xx.example. MX NSEC RRSIG
                xx.example. example. A AAAA HINFO NSEC RRSIG
                """,
                zone.all()
                        .filter(set -> set.getType() == Type.NSEC)
                        .map(set -> (NSECRecord) set.first())
                        .map(nsec -> nsec.getName() + " " + nsec.getNext() + types(nsec.getTypes()))
                        .sorted()
                        .collect(Collectors.joining("\n", "", "\n")));
    }

    @Test
    void labelsOfAWildcardsSignatureLeaveOutItsAsterisk() {
        Zone zone =
                signed(zone("example.", RFC_4035), signing(keys(EXAMPLE, 13), Denial.NSEC, NOW));
        RRSIGRecord signature =
                zone.records(Name.fromConstantString("*.w.example."), Type.MX)
                        .orElseThrow()
                        .sigs()
                        .getFirst();
        assertEquals(2, signature.getLabels()); // RFC 4034 §3.1.3
    }

    @Test
    void bitmapsOfRfc5155AppendixA() {
        SigningKeys keys = keys(EXAMPLE, 13);
        Zone zone = signed(zone("example.", RFC_5155), signing(keys, Denial.NSEC3_OPT_OUT, NOW));
        assertSigned(zone, keys, NOW);
        assertHashed(
                zone,
                1,
                """
                *.w.example. MX RRSIG
                2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. A RRSIG
                a.example. DS NS RRSIG
                ai.example. A AAAA HINFO RRSIG
                example. DNSKEY MX NS NSEC3PARAM RRSIG SOA
                ns1.example. A RRSIG
                ns2.example. A RRSIG
                w.example.
                x.w.example. MX RRSIG
                x.y.w.example. MX RRSIG
                xx.example. A AAAA HINFO RRSIG
                y.w.example.
                """);
    }

    @Test
    void withoutOptOutADelegationWithoutDsIsInTheChain() {
        Zone zone =
                signed(zone("example.", RFC_5155), signing(keys(EXAMPLE, 13), Denial.NSEC3, NOW));
        NSEC3Record cut =
                (NSEC3Record)
                        zone.records(
                                        DenialChain.hashed(
                                                Name.fromConstantString("c.example."), EXAMPLE),
                                        Type.NSEC3)
                                .orElseThrow()
                                .first();
        assertEquals(" NS", types(cut.getTypes()));
        assertEquals(0, cut.getFlags());
    }

    /// RFC 5155 appendix A has other parameters, and so another order; that of ours is checked
    /// here.
    private static void assertHashed(Zone zone, int flags, String expected) {
        Map<Name, Name> names = new TreeMap<>();
        zone.all()
                .filter(set -> set.getType() != Type.NSEC3)
                .map(RRset::getName)
                .forEach(
                        name -> {
                            names.put(DenialChain.hashed(name, EXAMPLE), name);
                            DenialChain.above(name, EXAMPLE)
                                    .forEach(
                                            above ->
                                                    names.put(
                                                            DenialChain.hashed(above, EXAMPLE),
                                                            above));
                        });
        List<NSEC3Record> links =
                zone.all()
                        .filter(set -> set.getType() == Type.NSEC3)
                        .map(set -> (NSEC3Record) set.first())
                        .sorted()
                        .toList();
        assertEquals(
                expected,
                links.stream()
                        .map(link -> names.get(link.getName()) + types(link.getTypes()))
                        .sorted()
                        .collect(Collectors.joining("\n", "", "\n")));
        for (int i = 0; i < links.size(); i++) {
            NSEC3Record link = links.get(i);
            assertEquals(0, link.getIterations()); // RFC 9276 §3.1
            assertEquals(flags, link.getFlags());
            Name next = links.get((i + 1) % links.size()).getName();
            assertEquals(
                    next.getLabelString(0),
                    new org.xbill.DNS.utils.base32(
                                    org.xbill.DNS.utils.base32.Alphabet.BASE32HEX, false, true)
                            .toString(link.getNext()));
        }
    }

    private static String types(int[] types) {
        return Arrays.stream(types)
                .mapToObj(Type::string)
                .sorted()
                .map(type -> " " + type)
                .collect(Collectors.joining());
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 13, 15})
    void everyAlgorithmSigns(int algorithm) {
        SigningKeys keys = keys(EXAMPLE, algorithm);
        assertSigned(
                signed(zone("example.", RFC_4035), signing(keys, Denial.NSEC, NOW)), keys, NOW);
    }

    @Test
    void aSignedZoneIsLeftAloneWhenItIsSignedAgain() {
        ZoneSigning signing = signing(keys(EXAMPLE, 13), Denial.NSEC3, NOW);
        Zone zone = signed(zone("example.", RFC_4035), signing);
        assertEquals(Optional.empty(), signing.whole(zone, Optional.of(zone)));
    }

    @Test
    void whatIsTakenOverFromATrustedVersionIsNotSignedAgain() {
        SigningKeys keys = keys(EXAMPLE, 13);
        ZoneSigning signing = signing(keys, Denial.NSEC, NOW);
        Zone before = signed(zone("example.", RFC_4035), signing);
        // Somebody edits the file: another address, and all signatures left as they were.
        Zone byHand =
                before.with(
                        new ZoneChange(
                                ZoneChange.soa(before),
                                soa(before, 1),
                                List.of(record("ns1.example.", Type.A, "192.0.2.1")),
                                List.of(record("ns1.example.", Type.A, "192.0.2.99"))));
        ZoneChange change = signing.whole(byHand, Optional.of(before)).orElseThrow();
        assertEquals(
                List.of("A", "SOA"),
                change.added().stream().map(r -> Type.string(r.getRRsetType())).sorted().toList());
        assertEquals(byHand.serial() + 1, change.to().getSerial());
        assertSigned(byHand.with(change), keys, NOW);
    }

    @Test
    void aVersionWithASmallerSerialIsFollowedByOneThatFollowsBoth() {
        ZoneSigning signing = signing(keys(EXAMPLE, 13), Denial.NSEC, NOW);
        Zone before = signed(zone("example.", RFC_4035), signing);
        Zone older = zone("example.", RFC_4035.replace("1081539377", "7"));
        ZoneChange change = signing.whole(older, Optional.of(before)).orElseThrow();
        assertEquals(before.serial() + 1, change.to().getSerial());
    }

    @Test
    void knowsAVersionThatItDidNotMake() {
        ZoneSigning signing = signing(keys(EXAMPLE, 13), Denial.NSEC, NOW);
        Zone zone = signed(zone("example.", RFC_4035), signing);
        assertTrue(signing.madeHere(zone));
        Zone byHand =
                zone.with(new ZoneChange(ZoneChange.soa(zone), soa(zone, 1), List.of(), List.of()));
        assertEquals(false, signing.madeHere(byHand));
    }

    @Test
    void anEditSignsWhatItTouchesAndItsNeighbourOnly() {
        SigningKeys keys = keys(EXAMPLE, 13);
        ZoneSigning signing = signing(keys, Denial.NSEC, NOW);
        Zone zone = signed(zone("example.", RFC_4035), signing);
        ZoneChange change =
                signing.completed(
                        zone,
                        new ZoneChange(
                                ZoneChange.soa(zone),
                                soa(zone, 1),
                                List.of(),
                                List.of(record("ns10.example.", Type.A, "192.0.2.10"))));
        assertEquals(
                List.of(
                        "example. SOA",
                        "ns1.example. NSEC",
                        "ns10.example. A",
                        "ns10.example. NSEC"),
                change.added().stream()
                        .filter(record -> record.getType() == Type.RRSIG)
                        .map(r -> r.getName() + " " + Type.string(r.getRRsetType()))
                        .sorted()
                        .toList());
        assertSigned(zone.with(change), keys, NOW);
    }

    @Test
    void whatAnEditSaysAboutSignaturesIsPassedOver() {
        SigningKeys keys = keys(EXAMPLE, 13);
        ZoneSigning signing = signing(keys, Denial.NSEC, NOW);
        Zone zone = signed(zone("example.", RFC_4035), signing);
        List<Record> keysOfZone = zone.records(EXAMPLE, Type.DNSKEY).orElseThrow().rrs(false);
        Zone next =
                zone.with(
                        signing.completed(
                                zone,
                                new ZoneChange(
                                        ZoneChange.soa(zone),
                                        soa(zone, 1),
                                        keysOfZone,
                                        List.of())));
        assertEquals(without(unsigned(zone)), without(unsigned(next)));
        assertSigned(next, keys, NOW);
    }

    @ParameterizedTest
    @EnumSource(Denial.class)
    void editsOneByOneComeToTheSameAsSigningAll(Denial denial) {
        for (int seed = 1; seed <= 3; seed++) {
            Random random = new Random(seed);
            SigningKeys keys = keys(EXAMPLE, 13);
            ZoneSigning signing =
                    new ZoneSigning(
                            keys,
                            new SigningPolicy(
                                    denial, Duration.ofDays(14), Duration.ofDays(7), seed == 1),
                            SignatureMaker.HERE,
                            NOW);
            Zone plain = zone("example.", RFC_5155);
            Zone zone = signed(plain, signing);
            for (int i = 0; i < 40; i++) {
                ZoneChange edit = randomEdit(plain, random);
                Zone after;
                try {
                    after = plain.with(edit);
                } catch (IllegalArgumentException e) {
                    continue;
                }
                ZoneChange edited =
                        new ZoneChange(
                                ZoneChange.soa(zone), soa(zone, 1), edit.removed(), edit.added());
                zone = zone.with(signing.completed(zone, edited));
                plain = after;
                Zone whole =
                        zone("example.", RFC_5155)
                                .with(ZoneChange.between(zone("example.", RFC_5155), plain));
                String which = denial + " seed " + seed + " edit " + i + ": " + edit;
                assertEquals(
                        without(unsigned(signed(whole, signing))), without(unsigned(zone)), which);
                if (i % 20 == 19) {
                    assertSigned(zone, keys, NOW);
                    assertEquals(Optional.empty(), signing.whole(zone, Optional.of(zone)), which);
                    assertEquals(
                            seed == 1 ? Zonemd.Verdict.GOOD : Zonemd.Verdict.ABSENT,
                            Zonemd.verify(zone));
                }
            }
        }
    }

    /// Up to four records that come or go: among few names, so that cuts, DNAME, wildcards and
    /// empty non-terminals meet.
    private static ZoneChange randomEdit(Zone zone, Random random) {
        String[] labels = {"a", "b", "*", "w", "x"};
        List<Record> removed = new ArrayList<>();
        List<Record> added = new ArrayList<>();
        for (int i = random.nextInt(4); i >= 0; i--) {
            StringBuilder name = new StringBuilder();
            for (int depth = random.nextInt(4); depth >= 0; depth--) {
                name.append(labels[random.nextInt(labels.length)]).append('.');
            }
            Name owner = Name.fromConstantString(name + "example.");
            if (random.nextBoolean()) {
                List<RRset> sets = zone.at(owner).toList();
                if (!sets.isEmpty()) {
                    removed.addAll(sets.get(random.nextInt(sets.size())).rrs(false));
                }
            } else {
                added.add(
                        switch (random.nextInt(6)) {
                            case 0 -> record(owner + "", Type.NS, "ns.example.net.");
                            case 1 -> record(owner + "", Type.DNAME, "example.net.");
                            case 2 -> record(owner + "", Type.TXT, "text");
                            case 3 -> record(owner + "", Type.DS, "1 13 2 " + "00".repeat(32));
                            default -> record(owner + "", Type.A, "192.0.2." + random.nextInt(9));
                        });
            }
        }
        removed.removeAll(added);
        added.removeIf(
                record ->
                        zone.records(record.getName(), record.getType())
                                .filter(set -> set.rrs(false).contains(record))
                                .isPresent());
        List<Record> once = added.stream().distinct().toList();
        return new ZoneChange(
                ZoneChange.soa(zone), soa(zone, 1), removed.stream().distinct().toList(), once);
    }

    @Test
    void signaturesAreRefreshedBeforeTheyExpireAndNotAllAtOnce() {
        SigningKeys keys = keys(EXAMPLE, 13);
        StringBuilder file = new StringBuilder(RFC_4035);
        for (int i = 0; i < 60; i++) {
            file.append("h").append(i).append(" 3600 IN A 192.0.2.1\n");
        }
        Zone zone = signed(zone("example.", file.toString()), signing(keys, Denial.NSEC, NOW));
        ZoneSigning.Due nothing = signing(keys, Denial.NSEC, NOW).due(zone);
        assertEquals(List.of(), nothing.sets());
        Instant now = nothing.next().orElseThrow();
        int times = 0;
        for (Instant end = now.plus(Duration.ofDays(20)); now.isBefore(end); times++) {
            ZoneSigning signing = signing(keys, Denial.NSEC, now);
            ZoneSigning.Due due = signing.due(zone);
            assertTrue(due.sets().size() < 40, due.sets().size() + " at once");
            for (int from = 0; from < due.sets().size(); from += 10) {
                zone =
                        zone.with(
                                signing.refreshed(
                                        zone,
                                        due.sets()
                                                .subList(
                                                        from,
                                                        Math.min(due.sets().size(), from + 10))));
            }
            assertSigned(zone, keys, now);
            Instant wait = signing.due(zone).next().orElseThrow();
            assertTrue(wait.isAfter(now));
            // Every signature lasts at least as long as the policy says, until then.
            assertSigned(zone, keys, wait.plus(Duration.ofDays(6)));
            now = wait;
        }
        assertTrue(times > 10, "spread over time: " + times);
    }

    @Test
    void aNewKeyTakesOverInStepsAndBothCanBeValidated() {
        SigningKeys before = keys(EXAMPLE, 13);
        Zone zone = signed(zone("example.", RFC_4035), signing(before, Denial.NSEC, NOW));
        SigningKeys other = keys(EXAMPLE, 13);
        List<org.pabal.dns.ZoneKey> published = new ArrayList<>(before.published());
        published.addAll(other.signZone());
        SigningKeys after =
                new SigningKeys(published, before.signKeys(), other.signZone(), List.of(), false);
        ZoneSigning signing = signing(after, Denial.NSEC, NOW.plusSeconds(60));
        List<SetName> due = signing.due(zone).sets();
        assertTrue(due.size() > 20);
        zone = zone.with(signing.refreshed(zone, due.subList(0, 5)));
        assertSigned(zone, after, NOW.plusSeconds(60));
        assertNotEquals(List.of(), signing.due(zone).sets());
        zone = zone.with(signing.refreshed(zone, signing.due(zone).sets()));
        assertEquals(List.of(), signing.due(zone).sets());
        assertEquals(
                new TreeSet<>(
                        List.of(
                                other.signZone().getFirst().tag(),
                                before.signKeys().getFirst().tag())),
                new TreeSet<>(signing.due(zone).tags()));
    }

    @Test
    void theChainChangesItsKindInOneStep() {
        SigningKeys keys = keys(EXAMPLE, 13);
        Zone zone = signed(zone("example.", RFC_4035), signing(keys, Denial.NSEC, NOW));
        for (Denial denial : List.of(Denial.NSEC3, Denial.NSEC3_OPT_OUT, Denial.NSEC)) {
            ZoneSigning signing = signing(keys, denial, NOW);
            zone = zone.with(signing.whole(zone, Optional.of(zone)).orElseThrow());
            assertEquals(Optional.of(denial), Denial.of(zone));
            assertEquals(
                    without(unsigned(signed(zone("example.", RFC_4035), signing))),
                    without(unsigned(zone)));
            assertSigned(zone, keys, NOW);
        }
    }

    @Test
    void nothingThatComesOfSigningStaysWhenItEnds() {
        Zone plain = zone("example.", RFC_4035);
        Zone zone = signed(plain, signing(keys(EXAMPLE, 13), Denial.NSEC3, NOW));
        Zone after = zone.with(ZoneSigning.unsigned(zone));
        assertEquals(without(unsigned(plain)), without(unsigned(after)));
        assertEquals(0, after.all().mapToInt(RRset::sigSize).sum());
    }

    private static TreeSet<String> without(TreeSet<String> lines) {
        lines.removeIf(line -> line.contains("\tsoa\t") || line.contains("\tzonemd\t"));
        return lines;
    }

    private static SOARecord soa(Zone zone, int more) {
        SOARecord soa = ZoneChange.soa(zone);
        return new SOARecord(
                soa.getName(),
                1,
                soa.getTTL(),
                soa.getHost(),
                soa.getAdmin(),
                soa.getSerial() + more,
                soa.getRefresh(),
                soa.getRetry(),
                soa.getExpire(),
                soa.getMinimum());
    }
}
