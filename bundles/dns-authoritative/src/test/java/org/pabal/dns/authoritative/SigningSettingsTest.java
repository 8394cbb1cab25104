package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.dns.PackedZone;
import org.pabal.dnssec.Denial;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.Name;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class SigningSettingsTest {

    private static final String DIGEST =
            "@ 86400 SOA ns1 admin 2018031900 1800 900 604800 86400\n"
                + "@ 86400 NS ns1\n"
                + "@ 86400 NS ns2\n"
                + "@ 86400 ZONEMD 2018031900 1 1"
                + " c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c\n"
                + "ns1 3600 A 203.0.113.63\n"
                + "ns2 3600 AAAA 2001:db8::63\n";

    private static SigningSettings of(String... keysAndValues) {
        Map<String, Object> properties = new java.util.HashMap<>(Map.of("zones", "*"));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            properties.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return new ZoneSettings(properties).signing();
    }

    @Test
    void nothingIsSignedUnlessThatIsSet() {
        assertEquals(Optional.empty(), of().sign());
        assertEquals(Optional.empty(), ZoneSettings.NONE.signing().sign());
        assertEquals(Optional.of(true), of("sign", "yes").sign());
        assertEquals(Optional.of(false), of("sign", "no").sign());
    }

    @Test
    void aFileForAllZonesCountsForAZoneThatNoOtherNames() {
        ZoneSettings all = new ZoneSettings(Map.of("zones", "*", "sign", "yes"));
        ZoneSettings one = new ZoneSettings(Map.of("zones", "*.example.org"));
        Administration administration = new Administration(List.of(all, one), List.of());
        Name below = Name.fromConstantString("a.example.org.");
        assertEquals(Optional.empty(), administration.of(below).signing().sign());
        assertEquals(
                Optional.of(true),
                administration.of(Name.fromConstantString("example.net.")).signing().sign());
    }

    @Test
    void readsWhatIsSet() {
        SigningSettings set =
                of(
                        "algorithm", "ED25519",
                        "denial", "nsec3",
                        "opt-out", "yes",
                        "zsk-lifetime", "30 d",
                        "ksk-lifetime", "365 d",
                        "signature-lifetime", "10 d",
                        "zonemd", "generate");
        assertEquals(15, set.keys().algorithm());
        assertEquals(Denial.NSEC3_OPT_OUT, set.policy().denial());
        assertEquals(Duration.ofDays(30), set.keys().zskLifetime());
        assertEquals(Duration.ofDays(365), set.keys().kskLifetime());
        assertEquals(Duration.ofDays(5), set.policy().refresh());
        assertTrue(set.policy().digest());
        assertFalse(set.verify());
    }

    @ParameterizedTest
    @CsvSource({
        "algorithm, rsasha1",
        "denial, nsec5",
        "signature-lifetime, 1 h",
        "zsk-lifetime, 1 h",
        "zonemd, yes"
    })
    void refusesWhatCannotBe(String key, String value) {
        BadSetting bad = assertThrows(BadSetting.class, () -> of(key, value));
        assertTrue(bad.getMessage().contains(key + " = "), bad.getMessage());
    }

    @Test
    void aTransferredZoneHasToAgreeWithItsDigestWhenThatIsSet() {
        PackedZone good = PackedZone.of(MemoryZone.of("example.", DIGEST));
        PackedZone wrong = PackedZone.of(MemoryZone.of("example.", DIGEST + "a 60 A 192.0.2.1\n"));
        assertEquals(Optional.empty(), of("zonemd", "verify").wrong(good));
        assertEquals(
                "zone example.: serial 2018031900 does not agree with its digest (ZONEMD)",
                of("zonemd", "verify").wrong(wrong).orElseThrow());
        assertEquals(Optional.empty(), of().wrong(wrong));
    }
}
