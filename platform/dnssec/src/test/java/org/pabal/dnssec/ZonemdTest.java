package org.pabal.dnssec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dnssec.SignedZones.EXAMPLE;
import static org.pabal.dnssec.SignedZones.NOW;
import static org.pabal.dnssec.SignedZones.keys;
import static org.pabal.dnssec.SignedZones.zone;

import org.junit.jupiter.api.Test;
import org.pabal.dns.Zone;
import org.pabal.dnssec.Zonemd.Verdict;

import java.time.Duration;
import java.util.Optional;
import java.util.stream.Collectors;

/// With the examples of RFC 8976 appendix A, in which ZONEMD is written as RFC 3597 §5 says.
class ZonemdTest {

    private static final String APEX =
            """
            @ 86400 IN SOA ns1 admin 2018031900 1800 900 604800 86400
            @ 86400 IN NS ns1
            @ 86400 IN NS ns2
            """;
    private static final String SERIAL = "7848b91c";

    private static final String SIMPLE =
            APEX
                    + zonemd(
                            "0101",
                            "c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3"
                                    + "a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c")
                    + """
                    ns1 3600 IN A 203.0.113.63
                    ns2 3600 IN AAAA 2001:db8::63
                    """;

    private static final String COMPLEX =
            APEX
                    + zonemd(
                            "0101",
                            "a3b69bad980a3504e1cffcb0fd6397f93848071c93151f55"
                                    + "2ae2f6b1711d4bd2d8b39808226d7b9db71e34b72077f8fe")
                    + """
                    ns1 3600 IN A 203.0.113.63
                    NS2 3600 IN AAAA 2001:db8::63
                    occluded.sub 7200 IN TXT "I'm occluded but must be digested"
                    sub 7200 IN NS ns1
                    duplicate 300 IN TXT "I must be digested just once"
                    duplicate 300 IN TXT "I must be digested just once"
                    UPPERCASE 3600 IN TXT "canonicalize uppercase owner names"
                    * 777 IN PTR dont-forget-about-wildcards
                    mail 3600 IN MX 20 MAIL1
                    mail 3600 IN MX 10 Mail2.Example.
                    sortme 3600 IN AAAA 2001:db8::5:61
                    sortme 3600 IN AAAA 2001:db8::3:62
                    sortme 3600 IN AAAA 2001:db8::4:63
                    sortme 3600 IN AAAA 2001:db8::1:65
                    sortme 3600 IN AAAA 2001:db8::2:64
                    """
                    + "non-apex 900 IN TYPE63 \\# 54 "
                    + SERIAL
                    + "0101616c6c6f776564206275742069676e6f7265642e20616c6c"
                    + "6f776564206275742069676e6f7265642e20616c6c6f7765\n";

    private static final String SEVERAL =
            APEX
                    + zonemd(
                            "0101",
                            "62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637"
                                    + "493daaf401c92c279dd10f0edb1c56f8080211f8480ee306")
                    + zonemd(
                            "0102",
                            "08cfa1115c7b948c4163a901270395ea226a930cd2cbcf2f"
                                    + "a9a5e6eb85f37c8a4e114d884e66f176eab121cb02db7d65"
                                    + "2e0cc4827e7a3204f166b47e5613fd27")
                    + zonemd("01f0", "e2d523f654b9422a96c5a8f44607bbee")
                    + zonemd(
                            "f101",
                            "e1846540e33a9e4189792d18d5d131f605fc283eaaaaaaaa"
                                    + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
                    + """
                    ns1 3600 IN A 203.0.113.63
                    ns2 86400 IN TXT "This example has multiple digests"
                    NS2 3600 IN AAAA 2001:db8::63
                    """;

    private static String zonemd(String kind, String digest) {
        return "@ 86400 IN TYPE63 \\# "
                + (6 + digest.length() / 2)
                + " "
                + SERIAL
                + kind
                + digest
                + "\n";
    }

    @Test
    void simpleZoneOfTheAppendix() {
        assertEquals(Verdict.GOOD, Zonemd.verify(zone("example.", SIMPLE)));
    }

    @Test
    void complexZoneOfTheAppendix() {
        assertEquals(Verdict.GOOD, Zonemd.verify(zone("example.", COMPLEX)));
    }

    @Test
    void eitherOfTwoDigestsIsGoodByItself() {
        assertEquals(Verdict.GOOD, Zonemd.verify(zone("example.", SEVERAL)));
        String sha512Only =
                SEVERAL.lines()
                        .filter(line -> !line.contains(SERIAL + "0101"))
                        .collect(Collectors.joining("\n", "", "\n"));
        assertEquals(Verdict.GOOD, Zonemd.verify(zone("example.", sha512Only)));
        assertEquals(
                Verdict.WRONG, Zonemd.verify(zone("example.", sha512Only + "a 60 IN TXT b\n")));
    }

    @Test
    void aRecordMoreOrAnotherTtlIsNoticed() {
        assertEquals(
                Verdict.WRONG,
                Zonemd.verify(zone("example.", SIMPLE + "www 60 IN A 203.0.113.64\n")));
        assertEquals(
                Verdict.WRONG,
                Zonemd.verify(zone("example.", SIMPLE.replace("ns2 3600", "ns2 3601"))));
    }

    @Test
    void aDigestOfAnotherSerialOrAnUnknownKindSaysNothing() {
        assertEquals(
                Verdict.UNUSABLE,
                Zonemd.verify(zone("example.", SIMPLE.replace(SERIAL, "7848b91d"))));
        assertEquals(
                Verdict.UNUSABLE,
                Zonemd.verify(zone("example.", SIMPLE.replace(SERIAL + "01", SERIAL + "f1"))));
        assertEquals(Verdict.ABSENT, Zonemd.verify(zone("example.", APEX)));
    }

    @Test
    void theDigestThatWeMakeIsThatOfTheAppendix() {
        assertEquals(
                zone("example.", SIMPLE).records(EXAMPLE, Zonemd.TYPE).orElseThrow().first(),
                Zonemd.make(zone("example.", SIMPLE)));
    }

    @Test
    void aSignedZoneHasASignedDigest() {
        SigningKeys keys = keys(EXAMPLE, 13);
        ZoneSigning signing =
                new ZoneSigning(
                        keys,
                        new SigningPolicy(
                                Denial.NSEC3, Duration.ofDays(14), Duration.ofDays(7), true),
                        SignatureMaker.HERE,
                        NOW);
        Zone zone = SignedZones.signed(zone("example.", COMPLEX), signing);
        assertEquals(Verdict.GOOD, Zonemd.verify(zone));
        assertEquals(1, Zonemd.of(zone).orElseThrow().sigSize());
        SignedZones.assertSigned(zone, keys, NOW);
        assertEquals(Optional.empty(), signing.whole(zone, Optional.of(zone)));
        assertTrue(SigningPolicy.asItStands(zone).digest());
    }
}
