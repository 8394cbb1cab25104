package org.pabal.pop3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.ByteArrayInputStream;
import java.io.IOException;

/// Row S32: TOP 0, TOP with more lines than there are.
class MessageTopTest {

    private static final String MESSAGE = "A: b\r\n c\r\nD: e\r\n\r\none\r\n\r\nthree\r\n";

    @ParameterizedTest
    @CsvSource({"0, 18", "1, 23", "2, 25", "3, 32", "4, 32", "2147483647, 32"})
    void endsAfterSoManyLinesOfTheBody(int lines, int length) throws IOException {
        assertEquals(MESSAGE.substring(0, length), top(MESSAGE, lines));
    }

    @Test
    void sendsAMessageWithoutBodyWhole() throws IOException {
        assertEquals("A: b\r\nC: d", top("A: b\r\nC: d", 0));
        assertEquals("\r\n", top("\r\nbody\r\n", 0));
        assertEquals("", top("", 5));
    }

    @Test
    void readsTheSameOctetByOctet() throws IOException {
        MessageTop top = new MessageTop(new ByteArrayInputStream(MESSAGE.getBytes(ISO_8859_1)), 1);
        StringBuilder read = new StringBuilder();
        for (int octet = top.read(); octet >= 0; octet = top.read()) {
            read.append((char) octet);
        }
        assertEquals(MESSAGE.substring(0, 23), read.toString());
    }

    private static String top(String message, int lines) throws IOException {
        try (MessageTop top =
                new MessageTop(new ByteArrayInputStream(message.getBytes(ISO_8859_1)), lines)) {
            return new String(top.readAllBytes(), ISO_8859_1);
        }
    }
}
