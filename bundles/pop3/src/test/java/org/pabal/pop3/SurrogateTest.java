package org.pabal.pop3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.io.IOException;

class SurrogateTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "A",
                "A: b\r\n",
                "A: b\r\n\r\n",
                "A: b\r\n\r\n\u00fc\r\n",
                "\r\n\u00fc",
                "\r\n",
                "Subject: =?UTF-8?B?w7w=?=\r\n\r\nx\r\n"
            })
    void leavesAsciiHeadersAlone(String message) throws IOException {
        assertEquals(message, surrogate(message));
    }

    @Test
    void leavesHeadersOfUnknownEncodingAlone() throws IOException {
        byte[] latin = "Subject: gr\u00fc\u00dfe\r\n\r\nx\r\n".getBytes(ISO_8859_1);
        assertEquals(new String(latin, ISO_8859_1), read(latin, ISO_8859_1));
    }

    @Test
    void encodesWordsAndHidesAddressesThatNobodyCouldAnswer() throws IOException {
        assertEquals(
                """
                From: =?UTF-8?B?SsO2cmcgPGrDtnJnQGV4YW1wbGUub3JnPg==?=
                 <invalid@internationalized-address.invalid>
                To: "a, b" <a@example.org>,
                 =?UTF-8?B?Wm/Dqw==?=
                 <zoe@example.org>,
                 =?UTF-8?B?asO2cmdAZXhhbXBsZS5vcmc=?=
                 <invalid@internationalized-address.invalid>
                Subject: =?UTF-8?B?Z3LDvMOfZQ==?=
                Date: today

                b\u00f6dy
                """
                        .replace("\n", "\r\n"),
                surrogate(
                        """
                        From: "J\u00f6rg" <j\u00f6rg@example.org>
                        To: "a, b" <a@example.org>, Zo\u00eb
                         <zoe@example.org>, j\u00f6rg@example.org
                        Subject: gr\u00fc\u00dfe
                        X-Mood: \u263a
                         \u263a
                        Date: today

                        b\u00f6dy
                        """
                                .replace("\n", "\r\n")));
    }

    @Test
    void foldsLongTexts() throws IOException {
        String header = surrogate("Subject: " + "\ud83d\udc0e gaul ".repeat(100) + "\r\n\r\n");
        assertTrue(header.lines().allMatch(line -> line.length() <= 78), header);
    }

    @Test
    void looksAtTheWholeOfALongHeader() throws IOException {
        String head = "A: b\r\n".repeat(20_000) + "Subject: \u00fc\r\n\r\n";
        String sent = surrogate(head + "b\u00f6dy".repeat(10_000));
        assertTrue(sent.contains("Subject: =?UTF-8?B?w7w=?=\r\n\r\nb\u00f6dy"));
        assertEquals(head.length() + "=?UTF-8?B?w7w=?=".length() - 1 + 40_000, sent.length());
    }

    /// Row S12: what stands in a header cannot end a line of ours.
    @Test
    void letsNothingOutOfAnAddress() throws IOException {
        String sent =
                surrogate(
                        "From: \"\u00fc\\\"\\\\\" <x\r\r\n"
                                + " y@example.org>\r\n"
                                + "To: \u00fc<\r\n"
                                + "Cc: \u00fc>(\"\r\n\r\n");
        assertFalse(sent.replace("\r\n", "").replace("\r", "").contains("\n"));
        assertTrue(sent.endsWith("\r\n\r\n"));
    }

    private static String surrogate(String message) throws IOException {
        return read(message.getBytes(UTF_8), UTF_8);
    }

    private static String read(byte[] message, java.nio.charset.Charset charset)
            throws IOException {
        return new String(Surrogate.of(new ByteArrayInputStream(message)).readAllBytes(), charset);
    }
}
