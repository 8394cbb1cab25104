package org.pabal.pop3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Random;

/// Row S32: what RETR sends.
class ReplyWriterTest {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ReplyWriter reply = new ReplyWriter(out);

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    a CRLF                    | a CRLF . CRLF
                    a                         | a CRLF . CRLF
                    a CR                      | a CR CRLF . CRLF
                    a LF                      | a LF CRLF . CRLF
                    a CRLF CRLF               | a CRLF CRLF . CRLF
                    .                         | . . CRLF . CRLF
                    . CRLF                    | . . CRLF . CRLF
                    .. CRLF . CRLF a. CRLF    | ... CRLF .. CRLF a. CRLF . CRLF
                    a LF . CRLF b CRLF        | a LF .. CRLF b CRLF . CRLF
                    a CR . CRLF               | a CR . CRLF . CRLF
                    CRLF                      | CRLF . CRLF
                    """)
    void stuffsDotsAndEndsWithALoneOne(String message, String sent) throws IOException {
        reply.message(new ByteArrayInputStream(octets(message)));
        assertEquals(new String(octets(sent), ISO_8859_1), out.toString(ISO_8859_1));
    }

    @Test
    void sendsAnEmptyMessageAsNothingButTheEnd() throws IOException {
        reply.message(InputStream.nullInputStream());
        assertEquals(".\r\n", out.toString(ISO_8859_1));
    }

    /// Whatever pieces the store reads in: a dot at the edge of a block is not overlooked.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 8_191, 8_192, 8_193, 100_000})
    void unstuffsToTheSameOctetsInWhateverPieces(int piece) throws IOException {
        Random random = new Random(piece);
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        while (message.size() < 40_000) {
            message.writeBytes(
                    new String[] {"\r\n", ".", "a", "\r\n.", ".\r\n", "x".repeat(50)}
                            [random.nextInt(6)].getBytes(ISO_8859_1));
        }
        message.writeBytes("\r\n".getBytes(ISO_8859_1));
        reply.message(inPieces(message.toByteArray(), piece));
        String sent = out.toString(ISO_8859_1);
        assertEquals(
                sent.length() - 3, (sent.startsWith(".\r\n") ? 0 : sent.indexOf("\r\n.\r\n") + 2));
        String unstuffed =
                ("\r\n" + sent.substring(0, sent.length() - 3))
                        .replace("\r\n.", "\r\n")
                        .substring(2);
        assertArrayEquals(message.toByteArray(), unstuffed.getBytes(ISO_8859_1));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 9, 10, 99, 100, 101, 1_000_000, Integer.MAX_VALUE, Long.MAX_VALUE})
    void writesNumbers(long number) throws IOException {
        reply.number(number).flushLines();
        assertEquals(Long.toString(number), out.toString(ISO_8859_1));
    }

    private static byte[] octets(String words) {
        return words.replace("CRLF", "\r\n")
                .replace("CR", "\r")
                .replace("LF", "\n")
                .replace(" ", "")
                .getBytes(ISO_8859_1);
    }

    private static InputStream inPieces(byte[] octets, int piece) {
        return new ByteArrayInputStream(octets) {
            @Override
            public synchronized int read(byte[] into, int offset, int length) {
                return super.read(into, offset, Math.min(piece, length));
            }
        };
    }
}
