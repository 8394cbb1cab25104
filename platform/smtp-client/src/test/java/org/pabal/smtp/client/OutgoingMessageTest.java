package org.pabal.smtp.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.smtp.client.Forms.BINARY;
import static org.pabal.smtp.client.Forms.EIGHT;
import static org.pabal.smtp.client.Forms.OLD;
import static org.pabal.smtp.client.Forms.UTF8;
import static org.pabal.smtp.client.Forms.dotted;
import static org.pabal.smtp.client.Forms.envelope;
import static org.pabal.smtp.client.Forms.impossible;
import static org.pabal.smtp.client.Forms.naive;
import static org.pabal.smtp.client.Forms.naivelyDotted;
import static org.pabal.smtp.client.Forms.octets;
import static org.pabal.smtp.client.Forms.plain;
import static org.pabal.smtp.client.Forms.ready;
import static org.pabal.smtp.client.Forms.text;
import static org.pabal.smtp.client.Forms.utf8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.mail.Content;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Recipient;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.Random;

class OutgoingMessageTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\r\n",
                ".",
                ".\r\n",
                "..\r\n.\r\n",
                "Subject: header only\r\n",
                "Subject: header only",
                "Subject: x\r\n\r\n",
                "Subject: x\r\n\r\nno end",
                "Subject: x\r\n\r\nbody\r\n",
                "Subject: x\r\n\r\n.\r\n..\r\n...\r\na.\r\n",
                "Subject: x\r\n\r\n.",
                "Subject: x\r\n\r\n.\r\n.\r\n.\r\n.\r\n.\r\n.\r\n.\r\n",
                "\r\n.\r\n",
                "tabs\there\r\n\tand\there\u000b\u000c\r\n"
            })
    void cleanMessageIsPassedOn(String message) throws IOException {
        for (Capabilities they : List.of(OLD, EIGHT)) {
            assertEquals(naive(message), plain(message, they));
            assertEquals(naivelyDotted(message), dotted(message, they));
        }
        if (message.endsWith("\r\n")) {
            assertEquals(message, plain(message, OLD));
        }
    }

    /// Security rows S1 and S2: what another server might take for the end of the message.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\n.\n",
                "\r.\r",
                "\n.\r\n",
                "\r\n.\n",
                "\r.\r\n",
                "\r\n.\r",
                "\0.",
                "\r\n\0.\r\n",
                "\r\n.\0\r\n",
                "\r\0\n.\r\n",
                "\n\r.\r\n",
                "\r\r\n.\r\n",
                "\n\n.\n\n",
                "\r\r.\r\r",
                "\r\n.\r\r\n",
                "\r\n.\n\r\n",
                "\r\n\r.\r\n",
                "\r\n.\r\n",
                "\u0085.\u0085",
                "\r\n.\u0085\r\n"
            })
    void nothingIsSmuggledOut(String end) throws IOException {
        String second = "MAIL FROM:<evil@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n";
        for (String message :
                List.of(
                        "Subject: one\r\n\r\nlook" + end + second,
                        "Subject: one" + end + second,
                        "Subject: one\r\n\r\n" + "x".repeat(70_000) + end + second,
                        "Subject: one\r\n\r\nlook" + end)) {
            for (Capabilities they : List.of(OLD, EIGHT)) {
                String sent = dotted(message, they);
                assertEquals(sent.length() - 5, sent.indexOf("\r\n.\r\n"), sent);
                String left = sent.replace("\r\n", "");
                assertFalse(left.contains("\r") || left.contains("\n"), sent);
                assertFalse(left.contains("\0"), sent);
                plain(message, they);
            }
        }
    }

    @Test
    void linesEndWhereverABlockEnds() throws IOException {
        String message = "a\r\n.b\r\n..\n.c\r.d\r\r\n.\r\n\n.\r\n\u00e9.\r\n.";
        byte[] all = octets(message);
        for (int first = 0; first <= all.length; first++) {
            for (int second = first; second <= all.length; second++) {
                ByteArrayOutputStream dotted = new ByteArrayOutputStream();
                CleanLines lines = new CleanLines(new DotStuffing(dotted));
                OctetScan scan = new OctetScan();
                for (int[] part : new int[][] {{0, first}, {first, second}, {second, all.length}}) {
                    lines.write(all, part[0], part[1] - part[0]);
                    scan.add(all, part[0], part[1]);
                }
                lines.end();
                scan.end();
                DotStuffing.end(dotted);
                assertEquals(naivelyDotted(message), text(dotted.toByteArray()));
                assertEquals(naive(message).length(), scan.cleanSize());
                assertTrue(scan.bare() && scan.dots() && scan.open() && scan.high());
            }
        }
    }

    @Test
    void randomOctetsLeaveAsNaiveCodeSays() throws IOException {
        Random random = new Random(5);
        String few = "\r\n\r\n..ab \t\u00e9";
        for (int i = 0; i < 4_000; i++) {
            StringBuilder some = new StringBuilder();
            int length = random.nextInt(i % 100 == 0 ? 200_000 : 200);
            int often = 1 + random.nextInt(100);
            while (some.length() < length) {
                some.append(
                        random.nextInt(often) == 0
                                ? few.charAt(random.nextInt(few.length()))
                                : 'x');
            }
            String message = some.toString();
            Content content = dribbling(octets(message), random);
            OutgoingMessage sent = ready(content, envelope(), EIGHT);
            assertEquals(naive(message), plain(sent));
            assertEquals(naivelyDotted(message), dotted(sent));
            assertEquals(message.contains("\u00e9") ? "8BITMIME" : "7BIT", sent.body());
        }
    }

    /// A queue file that was cut must not leave as a whole message.
    @Test
    void contentThatEndsEarlyIsTrouble() {
        for (int size : new int[] {1_000, 100_000}) {
            Content cut =
                    new Content() {
                        @Override
                        public long size() {
                            return size;
                        }

                        @Override
                        public InputStream open() {
                            return new ByteArrayInputStream(new byte[size - 1]);
                        }
                    };
            assertThrows(IOException.class, () -> OutgoingMessage.prepare(cut, envelope(), EIGHT));
        }
    }

    @Test
    void bodyIsCalledWhatItIs() throws IOException {
        String seven = "Subject: x\r\n\r\nplain\r\n";
        String eight = "Subject: x\r\n\r\nbl\u00e9\r\n";
        assertEquals("", ready(seven, envelope(), OLD).body());
        assertEquals("7BIT", ready(seven, envelope("BODY=8BITMIME"), EIGHT).body());
        assertEquals("8BITMIME", ready(eight, envelope(), EIGHT).body());
        assertEquals("", ready(eight, envelope(), OLD).body());
        assertEquals("BINARYMIME", ready(seven, envelope("BODY=BINARYMIME"), BINARY).body());
        assertEquals("7BIT", ready(seven, envelope("BODY=BINARYMIME"), EIGHT).body());
    }

    // RFC 3030 §3
    @Test
    void binaryGoesUnchangedToThoseWhoTakeIt() throws IOException {
        String message = "Content-Transfer-Encoding: binary\r\n\r\n\0\r\n.\r\n\n\r.\u00ff";
        OutgoingMessage sent = ready(message, envelope("BODY=BINARYMIME"), BINARY);
        assertEquals(message, plain(sent));
        assertThrows(IOException.class, () -> dotted(sent));
    }

    @Test
    void longLinesPassWhereNothingIsConverted() throws IOException {
        String message = "Subject: x\r\n\r\n" + "long ".repeat(500) + "\r\n";
        assertEquals(message, plain(message, OLD));
    }

    @Test
    void utf8IsSaidOnlyWhereItIsNeeded() throws IOException {
        String ascii = "Subject: x\r\n\r\nplain\r\n";
        String body = "Subject: x\r\n\r\n" + utf8("파발") + "\r\n";
        String header = "Subject: " + utf8("파발") + "\r\n\r\nplain\r\n";
        String part =
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Description: "
                        + utf8("파발")
                        + "\r\n\r\nplain\r\n--b--\r\n";
        Envelope asked = envelope("SMTPUTF8", "BODY=8BITMIME");
        assertFalse(ready(ascii, asked, UTF8).utf8());
        assertFalse(ready(ascii, asked, OLD).utf8());
        assertFalse(ready(body, asked, UTF8).utf8());
        assertFalse(ready(body, asked, EIGHT).utf8());
        assertTrue(ready(header, asked, UTF8).utf8());
        assertTrue(ready(part, asked, UTF8).utf8());
        assertEquals("5.6.9", impossible(header, asked, EIGHT).enhanced());
        assertEquals("5.6.9", impossible(part, asked, EIGHT).enhanced());
        // one that came without SMTPUTF8 passes as it always did
        assertFalse(ready(header, envelope(), UTF8).utf8());
        assertEquals(header, plain(header, EIGHT));
    }

    @Test
    void addressesBeyondAsciiNeedSmtputf8() throws IOException {
        MailAddress korean = new MailAddress("\ud30c\ubc1c", "example.org");
        MailAddress bob = new MailAddress("bob", "example.net");
        String message = "Subject: x\r\n\r\nplain\r\n";
        for (Envelope envelope :
                List.of(
                        new Envelope(Optional.of(korean), List.of(new Recipient(bob))),
                        new Envelope(
                                Optional.empty(),
                                List.of(new Recipient(bob), new Recipient(korean))))) {
            assertTrue(ready(message, envelope, UTF8).utf8());
            assertEquals(
                    "553 5.6.7 an address of the message has characters beyond ASCII, and the"
                            + " receiving server does not support internationalized mail"
                            + " (SMTPUTF8)",
                    impossible(message, envelope, EIGHT).toString());
        }
    }

    /// Content that is read a few octets at a time.
    private static Content dribbling(byte[] octets, Random random) {
        return new Content() {
            @Override
            public long size() {
                return octets.length;
            }

            @Override
            public InputStream open() {
                return new FilterInputStream(new ByteArrayInputStream(octets)) {
                    @Override
                    public int read(byte[] into, int offset, int length) throws IOException {
                        int some = octets.length < 1_000 ? 1 + random.nextInt(9) : 30_000;
                        return super.read(into, offset, Math.min(length, some));
                    }
                };
            }
        };
    }
}
