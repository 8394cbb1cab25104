package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;

import java.net.InetAddress;
import java.util.Map;

class Nat64PrefixTest {

    private static final byte[] FOUR = octets("192.0.2.33");

    private static byte[] octets(String address) {
        return InetAddress.ofLiteral(address).getAddress();
    }

    /// RFC 6052 §2.4
    @ParameterizedTest
    @CsvSource({
        "2001:db8::/32, 2001:db8:c000:221::",
        "2001:db8:100::/40, 2001:db8:1c0:2:21::",
        "2001:db8:122::/48, 2001:db8:122:c000:2:2100::",
        "2001:db8:122:300::/56, 2001:db8:122:3c0:0:221::",
        "2001:db8:122:344::/64, 2001:db8:122:344:c0:2:2100::",
        "2001:db8:122:344::/96, 2001:db8:122:344::c000:221",
        "64:ff9b::/96, 64:ff9b::c000:221"
    })
    void embedsAsTheTableOfTheRfc(String text, String expected) {
        Nat64Prefix prefix = Nat64Prefix.parse(text);
        assertArrayEquals(octets(expected), prefix.embed(FOUR));
        assertArrayEquals(FOUR, prefix.extract(octets(expected)).orElseThrow());
    }

    @Test
    void extractsNothingFromOtherAddresses() {
        Nat64Prefix prefix = Nat64Prefix.parse("2001:db8:122:300::/56");
        assertTrue(prefix.extract(octets("2001:db8:122:400::")).isEmpty());
        assertTrue(prefix.extract(FOUR).isEmpty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "64:ff9b::",
                "64:ff9b::/95",
                "64:ff9b::/0",
                "64:ff9b::/128",
                "64:ff9b::/-32",
                "64:ff9b::1/96",
                "2001:db8:1::/32",
                "2001:db8:0:0:100::/96",
                "192.0.2.0/24",
                "192.0.2.0/32",
                "64:ff9b::/96/96",
                "translator.example.org/96"
            })
    void refusesWhatIsNoPrefixOfATranslator(String text) {
        assertThrows(IllegalArgumentException.class, () -> Nat64Prefix.parse(text));
        String message =
                assertThrows(
                                BadSetting.class,
                                () -> Dns64Settings.of(Settings.of(Map.of("dns64", text))))
                        .getMessage();
        assertTrue(message.startsWith("settings.cfg: dns64 = " + text + ": expected"), message);
        assertTrue(message.endsWith("for example dns64 = 64:ff9b::/96"), message);
    }

    @Test
    void isOffByDefault() {
        assertEquals(Dns64Settings.OFF, Dns64Settings.of(Settings.of(Map.of())));
    }

    /// RFC 6052 §3.1
    @Test
    void theWellKnownPrefixIsForGlobalAddresses() {
        assertTrue(Nat64Prefix.WELL_KNOWN.mayEmbed(octets("203.0.113.1")));
        assertFalse(Nat64Prefix.WELL_KNOWN.mayEmbed(octets("10.0.0.1")));
        assertTrue(Nat64Prefix.parse("2001:db8::/96").mayEmbed(octets("10.0.0.1")));
        assertEquals(Nat64Prefix.WELL_KNOWN, Nat64Prefix.parse("64:FF9B:0::/96"));
    }
}
