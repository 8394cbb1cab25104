package org.pabal.protocol;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.pabal.protocol.LineReader.Line;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

class LineReaderTest {

    @Test
    void endsLinesAtCrLfOnly() throws IOException {
        LineReader lines = reader("NOOP\r\nQUIT\r\n", 512);
        assertText("NOOP", lines.read());
        assertText("QUIT", lines.read());
        assertEquals(Optional.empty(), lines.read());
    }

    @Test
    void reportsLoneCrLoneLfAndNul() throws IOException {
        for (String bad :
                new String[] {"NO\rOP\r\n", "NO\nOP\r\n", "NO\0OP\r\n", "NOOP\n", "NOOP\r\r\n"}) {
            assertInstanceOf(Line.Malformed.class, reader(bad, 512).read().orElseThrow(), bad);
        }
    }

    @Test
    void readsOnBehindALineThatIsTooLong() throws IOException {
        LineReader lines = reader("x".repeat(100) + "\r\nQUIT\r\n", 32);
        assertInstanceOf(Line.TooLong.class, lines.read().orElseThrow());
        assertText("QUIT", lines.read());
    }

    @Test
    void allowsALineOfExactlyTheLimit() throws IOException {
        assertText("x".repeat(30), reader("x".repeat(30) + "\r\n", 32).read());
        assertInstanceOf(
                Line.TooLong.class, reader("x".repeat(31) + "\r\n", 32).read().orElseThrow());
    }

    @Test
    void givesUpOnALineWithoutAnEnd() {
        assertThrows(IOException.class, () -> reader("x".repeat(10_000), 32).read());
    }

    @Test
    void forgetsALineThatTheClientDidNotFinish() throws IOException {
        assertEquals(Optional.empty(), reader("DELE 1", 512).read());
        assertEquals(Optional.empty(), reader("DELE 1\r", 512).read());
    }

    private static LineReader reader(String input, int limit) {
        return new LineReader(
                new ByteArrayInputStream(input.getBytes(StandardCharsets.ISO_8859_1)), limit);
    }

    private static void assertText(String expected, Optional<Line> actual) {
        Line.Text text = assertInstanceOf(Line.Text.class, actual.orElseThrow());
        assertArrayEquals(expected.getBytes(StandardCharsets.ISO_8859_1), text.octets());
    }
}
