package org.pabal.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.mail.Envelope;
import org.pabal.smtp.DataReader.End;
import org.pabal.smtp.ScriptedConnection.Portions;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What is a message and what comes after it, however the network cuts it up.
final class DataReaderTest {

    private static String escaped(String text) {
        return text.replace("\r", "\\r").replace("\n", "\\n").replace("\0", "\\0");
    }

    private static String plain(String text) {
        return text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "'.\\r\\n', COMPLETE, ''",
                "'a\\r\\n.\\r\\n', COMPLETE, 'a\\r\\n'",
                "'a\\r\\n..\\r\\n.\\r\\n', COMPLETE, 'a\\r\\n.\\r\\n'",
                "'a\\r\\n.b\\r\\n.\\r\\n', COMPLETE, 'a\\r\\nb\\r\\n'",
                "'...\\r\\n.\\r\\n', COMPLETE, '..\\r\\n'",
                "'\\r\\n\\r\\n.\\r\\n', COMPLETE, '\\r\\n\\r\\n'",
                "'a.\\r\\n.\\r\\n', COMPLETE, 'a.\\r\\n'",
                "'12345678901234567890\\t12345678.\\r"
                        + "\\n"
                        + ".\\r"
                        + "\\n"
                        + "', COMPLETE, '12345678901234567890\\t12345678.\\r"
                        + "\\n"
                        + "'",
                "'a\\r\\n.\\r\\nQUIT\\r\\n', COMPLETE, 'a\\r\\n'",
                "'a\\r\\n', GONE, -",
                "'a\\r\\n.', GONE, -",
                "'a\\r\\n.\\r', GONE, -",
                "'a\\n.\\r\\n', MALFORMED, -",
                "'a\\r.\\r\\n', MALFORMED, -",
                "'a\\r\\n.\\n', MALFORMED, -",
                "'a\\r\\n.\\r.\\r\\n', MALFORMED, -",
                "'a\\r\\n.\\0\\r\\n', MALFORMED, -",
                "'\\0\\r\\n.\\r\\n', MALFORMED, -",
                "'a\\r\\r\\n.\\r\\n', MALFORMED, -",
            })
    void readsAMessage(String sent, End end, String message) throws IOException {
        for (Portions portions : Portions.values()) {
            TestNode node = new TestNode();
            SmtpInput in =
                    new SmtpInput(
                            new ScriptedConnection(plain(sent).getBytes(ISO_8859_1), portions));
            IncomingMessage incoming = incoming(node);
            assertEquals(end, new DataReader(in).read(incoming));
            if (end == End.COMPLETE) {
                try (InputStream content = incoming.draft().content().open()) {
                    assertEquals(message, escaped(new String(content.readAllBytes(), ISO_8859_1)));
                }
            }
        }
    }

    private static IncomingMessage incoming(TestNode node) throws IOException {
        Envelope envelope = new Envelope(Optional.empty(), List.of());
        return new IncomingMessage(envelope, node.queue.draft(envelope), node.limits);
    }

    @Test
    void leavesWhatFollowsForTheNextCommand() throws IOException {
        SmtpInput in =
                new SmtpInput(
                        new ScriptedConnection(
                                "a\r\n.\r\nQUIT\r\n".getBytes(ISO_8859_1), Portions.ALL));
        in.beginMessage(Duration.ofMinutes(3));
        new DataReader(in).read(incoming(new TestNode()));
        in.endMessage();
        assertEquals("QUIT", new String(text(in), ISO_8859_1));
    }

    private static byte[] text(SmtpInput in) throws IOException {
        return ((org.pabal.protocol.LineReader.Line.Text) in.line(512).orElseThrow()).octets();
    }

    // S8: an octet now and then buys no time; a stretch of the message does
    @Test
    void renewsItsPatienceForEachStretchOnly() throws IOException {
        byte[] sent = ("x".repeat(100_000) + "\r\n.\r\n").getBytes(ISO_8859_1);
        ScriptedConnection connection = new ScriptedConnection(sent, Portions.OCTETS);
        SmtpInput in = new SmtpInput(connection);
        in.beginMessage(Duration.ofMinutes(3));
        assertEquals(End.COMPLETE, new DataReader(in).read(incoming(new TestNode())));
        assertEquals(1 + 100_005 / SmtpLimits.DATA_STRETCH, connection.patiences.size());
    }

    @Test
    void findsEveryLineEndAtEveryPlace() {
        for (int length = 0; length < 40; length++) {
            for (int at = 0; at <= length; at++) {
                byte[] octets = new byte[length + 1];
                java.util.Arrays.fill(octets, (byte) 9);
                octets[at] = new byte[] {'\r', '\n', 0}[at % 3];
                for (int from = 0; from <= at; from++) {
                    assertEquals(at, LineEnds.next(octets, from, length + 1));
                }
            }
        }
        assertEquals(4, LineEnds.next(new byte[] {-1, 14, 127, -128}, 0, 4));
    }
}
