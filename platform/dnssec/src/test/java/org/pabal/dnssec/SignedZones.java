package org.pabal.dnssec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneKey;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/// What the tests of signing have in common.
final class SignedZones {

    static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");
    static final Name EXAMPLE = Name.fromConstantString("example.");

    private SignedZones() {}

    static SigningKeys keys(Name origin, int algorithm) {
        ZoneKey ksk =
                KeyMaking.make(origin, List.of(), true, algorithm, Duration.ofHours(1), NOW)
                        .published(NOW)
                        .active(NOW);
        ZoneKey zsk =
                KeyMaking.make(origin, List.of(ksk), false, algorithm, Duration.ofHours(1), NOW)
                        .published(NOW)
                        .active(NOW);
        return new SigningKeys(List.of(ksk, zsk), List.of(ksk), List.of(zsk), List.of(), false);
    }

    static ZoneSigning signing(SigningKeys keys, Denial denial, Instant now) {
        return new ZoneSigning(keys, SigningPolicy.USUAL.with(denial), SignatureMaker.HERE, now);
    }

    static PackedZone zone(String origin, String file) {
        return PackedZone.of(MemoryZone.of(origin, file));
    }

    static Zone signed(Zone zone, ZoneSigning signing) {
        return zone.with(signing.whole(zone, Optional.empty()).orElseThrow());
    }

    /// Everything in a zone but its signatures, a line a record.
    static TreeSet<String> unsigned(Zone zone) {
        TreeSet<String> lines = new TreeSet<>();
        zone.all()
                .forEach(
                        set ->
                                set.rrs(false)
                                        .forEach(
                                                record ->
                                                        lines.add(
                                                                record.toString().toLowerCase())));
        return lines;
    }

    /// Every set that the zone is the authority for has a signature by a key of the zone that
    /// dnsjava finds good at a moment, and no other has any.
    static void assertSigned(Zone zone, SigningKeys keys, Instant now) {
        List<RRset> sets = zone.all().toList();
        for (RRset set : sets) {
            if (!DenialChain.signed(zone, set.getName(), set.getType())) {
                assertTrue(set.sigs().isEmpty(), set.toString());
                continue;
            }
            assertFalse(set.sigs().isEmpty(), set.toString());
            for (RRSIGRecord signature : set.sigs()) {
                ZoneKey key =
                        keys.published().stream()
                                .filter(each -> each.tag() == signature.getFootprint())
                                .findFirst()
                                .orElseThrow();
                boolean aboutKeys =
                        List.of(Type.DNSKEY, Type.CDS, Type.CDNSKEY).contains(set.getType());
                assertEquals(aboutKeys, key.signsKeys(), set.toString());
                try {
                    DNSSEC.verify(set, signature, key.dnskey(), now);
                } catch (DNSSEC.DNSSECException e) {
                    throw new AssertionError(set.toString(), e);
                }
            }
        }
    }

    static Record record(String name, int type, String data) {
        try {
            return Record.fromString(Name.fromConstantString(name), type, 1, 3600, data, Name.root);
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }
}
