package org.pabal.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

/// What is seen of a header, and who a From field names.
final class HeaderTest {

    private static HeaderScan.Findings findings(String message, int portion) {
        HeaderScan scan = new HeaderScan(1_000);
        byte[] octets = message.getBytes(UTF_8);
        for (int at = 0; at < octets.length; at += portion) {
            scan.add(octets, at, Math.min(portion, octets.length - at));
        }
        assertFalse(scan.tooLong());
        return scan.findings();
    }

    @Test
    void findsFieldsHoweverTheyAreWritten() {
        String message =
                "Received: a\r\n"
                        + " b\r\n"
                        + "received\t: c\r\n"
                        + "Received-SPF: pass\r\n"
                        + "DATE: x\r\n"
                        + "Dated: y\r\n"
                        + "Message-Id : z\r\n"
                        + "From: a\r\n"
                        + "\tb\r\n"
                        + "from :c\r\n"
                        + "Fromage: no\r\n"
                        + " From: continued\r\n\r\n"
                        + "Received: body\r\n"
                        + "From: body\r\n";
        for (int portion : new int[] {1, 2, 3, 7, 1_000}) {
            HeaderScan.Findings found = findings(message, portion);
            assertEquals(2, found.received());
            assertTrue(found.dated());
            assertTrue(found.identified());
            assertEquals(List.of(" a\tb", "c"), found.from());
            assertFalse(found.broken());
        }
    }

    @Test
    void findsNothingInAnEmptyHeader() {
        for (String message : List.of("", "\r\n", "\r\nFrom: body\r\n\r\n", "\r\n\r\nDate: body")) {
            for (int portion : new int[] {1, 2, 1_000}) {
                HeaderScan.Findings found = findings(message, portion);
                assertEquals(
                        new HeaderScan.Findings(0, false, false, List.of(), List.of(), false),
                        found);
            }
        }
    }

    @Test
    void seesStrayLineEnds() {
        assertTrue(findings("Subject: a\nFrom: b\r\n\r\n", 100).broken());
        assertTrue(findings("Subject: a\rFrom: b\r\n\r\n", 100).broken());
        assertTrue(findings("Subject: a\0\r\n\r\n", 100).broken());
        assertTrue(findings("Subject: a\r", 100).broken());
        assertFalse(findings("Subject: a\r\n\r\nbody\n", 100).broken());
    }

    @Test
    void saysWhenAHeaderIsTooLong() {
        HeaderScan scan = new HeaderScan(1_000);
        byte[] line = ("X: " + "y".repeat(95) + "\r\n").getBytes(UTF_8);
        for (int i = 0; i < 10; i++) {
            scan.add(line, 0, 100);
        }
        assertFalse(scan.tooLong());
        scan.add(line, 0, 100);
        assertTrue(scan.tooLong());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "alice@example.test | alice@example.test",
                "Alice <alice@example.test> | alice@example.test",
                "\"Alice, (the) <first>\" <alice@example.test> | alice@example.test",
                "Alice (a comment (nested \\) one)) <alice@example.test> | alice@example.test",
                "alice (c) @ (c) example . test | alice@example.test",
                "a@example.test, B <b@example.test>,, c@example.test | a@example.test"
                        + " b@example.test c@example.test",
                "Friends: a@example.test, b@example.test;, c@example.test | a@example.test"
                        + " b@example.test c@example.test",
                "Undisclosed:; | ''",
                "<@x.example,@y.example:alice@example.test> | alice@example.test",
                "\"a b\"@example.test | \"a b\"@example.test",
                "alice@[192.0.2.1] | alice@[192.0.2.1]",
                "=?utf-8?q?Alice?= <alice@example.test> | alice@example.test",
                "Ålice <ålice@example.test> | ålice@example.test",
                "Alice | not understood",
                "Alice <alice@example.test | not understood",
                "Alice <alice@example.test> <bob@example.test> | not understood",
                "alice@example.test bob@example.test | not understood",
                "\"alice@example.test | not understood",
                "(alice@example.test | not understood",
                "<> | not understood",
                "alice@example.test\\ | not understood",
            })
    void readsTheAddressesOfAFromField(String value, String addresses) {
        assertEquals(
                addresses,
                FromField.addresses(value)
                        .map(list -> String.join(" ", list.stream().map(Object::toString).toList()))
                        .orElse("not understood"));
    }

    @Test
    void endsOnCommentsWithoutBottom() {
        assertTrue(
                FromField.addresses("(".repeat(100_000) + ")".repeat(100_000) + "a@example.test")
                        .isEmpty());
        assertTrue(FromField.addresses("\\".repeat(100_000)).isEmpty());
        assertTrue(FromField.addresses("a" + " ".repeat(200_000) + "b").isEmpty());
        assertTrue(FromField.addresses("a@example.test,".repeat(101)).isEmpty());
    }
}
