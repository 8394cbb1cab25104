package org.pabal.dnssec;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import org.junit.jupiter.api.Test;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.List;

/// What a zone shows, held against what is told of it.
class KeyTrustTest {

    private static final Name ZONE = SignedZones.EXAMPLE;

    /// Digests cost something too, and a parent may tell of as many as fit into a message.
    @Test
    void onlySoManyDigestsAreCompared() {
        SigningKeys keys = SignedZones.keys(ZONE, 15);
        RRset shown =
                SignedZones.signed(
                                SignedZones.zone(
                                        "example.",
                                        "@ 3600 IN SOA ns.example. h.example. 1 7200 900 604800"
                                                + " 300\n"
                                                + "@ 3600 IN NS ns.example.\n"),
                                SignedZones.signing(keys, Denial.NSEC, SignedZones.NOW))
                        .records(ZONE, Type.DNSKEY)
                        .orElseThrow();
        DNSKEYRecord key = keys.signKeys().getFirst().dnskey();
        Record right = new DSRecord(ZONE, DClass.IN, 3600, 2, key);
        List<Record> told = new ArrayList<>();
        for (int i = 0; i < ZoneKeys.CHECKS - 1; i++) {
            told.add(wrong(key, i));
        }
        told.add(right);
        assertInstanceOf(
                KeyTrust.Trusted.class,
                KeyTrust.of(shown, told, SignedZones.NOW, Effort.UNBOUNDED));
        for (int i = 0; i < 5; i++) {
            told.addFirst(wrong(key, 100 + i));
        }
        assertInstanceOf(
                KeyTrust.Untrusted.class,
                KeyTrust.of(shown, told, SignedZones.NOW, Effort.UNBOUNDED));
    }

    private static Record wrong(DNSKEYRecord key, int number) {
        byte[] digest = new byte[32];
        digest[0] = (byte) number;
        return new DSRecord(
                ZONE, DClass.IN, 3600, key.getFootprint(), key.getAlgorithm(), 2, digest);
    }
}
