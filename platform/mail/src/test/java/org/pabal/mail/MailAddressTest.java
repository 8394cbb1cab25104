package org.pabal.mail;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Optional;

class MailAddressTest {

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\0',
            textBlock =
                    """
                    bob@example.org, bob, example.org
                    Bob.Smith+list@Example.ORG, Bob.Smith+list, example.org
                    "b b"@example.org, b b, example.org
                    "a\\"b"@example.org, a"b, example.org
                    user%x@example.org, user%x, example.org
                    postmaster@[192.0.2.1], postmaster, [192.0.2.1]
                    postmaster@[IPv6:2001:db8::1], postmaster, [ipv6:2001:db8::1]
                    파발@example.org, 파발, example.org
                    bob@예.example, bob, 예.example
                    """)
    void readsWhatTheGrammarAllows(String text, String local, String domain) {
        assertEquals(Optional.of(new MailAddress(local, domain)), MailAddress.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "bob",
                "@example.org",
                "bob@",
                "bob@@example.org",
                "a@b@example.org",
                "@us:a@b.example",
                ".bob@example.org",
                "bob.@example.org",
                "bo..b@example.org",
                "bob@example..org",
                "bob@-example.org",
                "bob@.example.org",
                "bob@example.org.",
                "b b@example.org",
                "\"bob@example.org",
                "\"\"@example.org",
                "\"a\nb\"@example.org",
                "bob@[192.0.2.300]",
                "bob@[192.0.2.1",
                "bob@exam ple.org",
                "bob@example.org\r\nRCPT",
                "<bob@example.org>"
            })
    void refusesWhatItDoesNot(String text) {
        assertEquals(Optional.empty(), MailAddress.parse(text));
    }

    @Test
    void keepsToTheLimitsOfTheRfc() {
        assertTrue(MailAddress.parse("x".repeat(64) + "@example.org").isPresent());
        assertTrue(MailAddress.parse("x".repeat(65) + "@example.org").isEmpty());
        assertTrue(MailAddress.parse("x@" + "a.".repeat(127) + "a").isPresent());
        assertTrue(MailAddress.parse("x@" + "a.".repeat(128) + "a").isEmpty());
        assertTrue(MailAddress.parse("x@" + "a".repeat(64) + ".example").isEmpty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bob@example.org",
                "\"b b\"@example.org",
                "\"a\\\\b\"@example.org",
                "\"a\\\"b\"@example.org",
                "\"a.@b\"@example.org"
            })
    void writesWhatItReads(String text) {
        assertEquals(text, MailAddress.parse(text).orElseThrow().toString());
    }
}
