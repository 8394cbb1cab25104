package org.pabal.smtp.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.testkit.Fuzz;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

@Timeout(120)
class ReplyReaderTest {

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private static ReplyReader reader(String octets) {
        return new ReplyReader(new ByteArrayInputStream(octets.getBytes(UTF_8)), millis -> {});
    }

    private static Reply read(String octets) throws IOException {
        return reader(octets).read(MINUTE, "MAIL");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "250 ok                     | 250 |       | ok",
                "250                        | 250 |       | ''",
                "'250 '                     | 250 |       | ''",
                "250 2.1.0 Sender OK        | 250 | 2.1.0 | Sender OK",
                "550 5.1.1                  | 550 | 5.1.1 | ''",
                "550 5.7.123 no             | 550 | 5.7.123 | no",
                "550 5.7.1234 no            | 550 |       | 5.7.1234 no",
                "550 2.1.1 odd              | 550 |       | 2.1.1 odd",
                "450 5.1.1 odd              | 450 |       | 5.1.1 odd",
                "550 5.1 odd                | 550 |       | 5.1 odd",
                "550 5.1.x odd              | 550 |       | 5.1.x odd",
                "550 5.1.1odd               | 550 |       | 5.1.1odd",
                "354 3.0.0 odd              | 354 |       | 3.0.0 odd",
                "550  5.1.1 two blanks      | 550 |       | 5.1.1 two blanks",
                "250 grüß dich              | 250 |       | grüß dich"
            })
    void readsAReply(String line, int code, String enhanced, String text) throws IOException {
        Reply reply = read(line + "\r\n");

        assertEquals(code, reply.code());
        assertEquals(enhanced == null ? "" : enhanced, reply.enhanced());
        assertEquals(text, reply.text());
    }

    @Test
    void readsManyLinesAndTakesTheEnhancedCodeOfTheLast() throws IOException {
        ReplyReader reader = reader("550-5.7.1 no\r\n550-\r\n550 5.7.2 never\r\n250 next\r\n");

        assertEquals(
                new Reply(550, "5.7.2", List.of("no", "", "never")), reader.read(MINUTE, "RCPT"));
        assertTrue(reader.pending());
        assertEquals(new Reply(250, "", List.of("next")), reader.read(MINUTE, "RCPT"));
        assertFalse(reader.pending());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "hello",
                "25",
                "25 0 ok",
                "2500 ok",
                "199 ok",
                "600 ok",
                "250_ok",
                "250ok",
                "-50 ok",
                "220-one\r\n250 two",
                "220-one\r\ntwo"
            })
    void whatIsNoReplyIsSaidSo(String line) {
        assertThrows(IOException.class, () -> read(line + "\r\n"));
    }

    @Test
    void whatWasSaidInsteadIsQuotedAndCut() {
        IOException e =
                assertThrows(
                        IOException.class, () -> read("\033[31mSSH-2.0 " + "x".repeat(500) + "\n"));
        assertEquals(
                "said what is no reply: \"?[31mSSH-2.0 " + "x".repeat(107) + "…\"", e.getMessage());
    }

    @Test
    void nothingThatCannotBeSeenIsLeftOfATextAndNoLineEnd() throws IOException {
        Reply reply = read("550 a\tb\rc\0d\033e\u202Ef\u2028g\u0085h\r\n");

        assertEquals("a b?c?d?e?f?g?h", reply.text());
    }

    @Test
    void aLineMayEndWithLfAlone() throws IOException {
        assertEquals(new Reply(250, "", List.of("one", "two")), read("250-one\n250 two\n"));
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4_090, 4_091, 4_092, 4_093, 4_094, 5_000, 60_000})
    void aLongLineIsCutAndTheNextReplyIsFound(int length) throws IOException {
        ReplyReader reader = reader("550 " + "x".repeat(length) + "\r\n250 ok\r\n");

        String text = reader.read(MINUTE, "RCPT").lines().getFirst();
        assertTrue(text.replace("?", "").length() >= Math.min(length, 4_092) - 1, text);
        assertTrue(text.length() <= ReplyReader.MAX_LINE_OCTETS);
        assertEquals("ok", reader.read(MINUTE, "RCPT").text());
    }

    @Test
    void aReplyHasLimits() {
        assertThrows(IOException.class, () -> read("250 " + "x".repeat(100_000) + "\r\n"));
        assertThrows(IOException.class, () -> read("250-x\r\n".repeat(501) + "250 x\r\n"));
        assertThrows(
                IOException.class,
                () -> read(("250-" + "x".repeat(500) + "\r\n").repeat(200) + "250 x\r\n"));
    }

    @Test
    void theTextOfAnOutcomeHasALimit() throws IOException {
        Reply reply = read(("550-" + "x".repeat(500) + "\r\n").repeat(50) + "550 x\r\n");

        assertEquals(51, reply.lines().size());
        assertEquals(2_001, reply.text().length());
    }

    @Test
    void afterAThousandRepliesItIsStillInStep() throws IOException {
        ReplyReader reader = reader("250-2.1.5 first\r\n250 2.1.5 recipient ok\r\n".repeat(1_000));
        for (int i = 0; i < 1_000; i++) {
            assertEquals(
                    new Reply(250, "2.1.5", List.of("first", "recipient ok")),
                    reader.read(MINUTE, "RCPT"));
        }
    }

    /// Whatever comes, in whatever pieces: replies within the limits, or an exception.
    @Test
    void noOctetsOfAServerDoHarm() throws Exception {
        Duration time = Duration.ofSeconds(Long.getLong("pabal.fuzz.seconds", 1));
        Fuzz.run(
                Path.of("src/test/resources/fuzz/replies"),
                time,
                input -> {
                    List<Object> whole = all(new ByteArrayInputStream(input));
                    assertEquals(whole, all(inPieces(input)));
                });
    }

    private static List<Object> all(InputStream in) {
        List<Object> replies = new ArrayList<>();
        ReplyReader reader = new ReplyReader(in, millis -> {});
        try {
            while (replies.size() < 200) {
                Reply reply = reader.read(MINUTE, "RCPT");
                check(reply);
                if (reply.lines().size() > 1) {
                    Capabilities.of(reply).size();
                }
                replies.add(reply);
            }
        } catch (IOException e) {
            assertTrue(e.getMessage().length() < 500, e.getMessage());
            assertTrue(e.getMessage().chars().noneMatch(Character::isISOControl), e.getMessage());
        }
        return replies;
    }

    private static void check(Reply reply) {
        assertTrue(reply.code() >= 200 && reply.code() <= 599);
        assertTrue(reply.lines().size() <= ReplyReader.MAX_LINES);
        assertTrue(
                reply.enhanced().isEmpty()
                        || reply.enhanced().charAt(0) - '0' == reply.code() / 100);
        for (String line : reply.lines()) {
            assertTrue(line.length() <= ReplyReader.MAX_LINE_OCTETS);
            assertTrue(line.chars().noneMatch(Character::isISOControl));
        }
        reply.outcome("mx.example.net", false);
    }

    private static InputStream inPieces(byte[] octets) {
        return new FilterInputStream(new ByteArrayInputStream(octets)) {
            private int piece;

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
                piece = piece % 7 + 1;
                return super.read(into, offset, Math.min(length, piece));
            }
        };
    }
}
