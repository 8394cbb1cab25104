package org.pabal.smtp.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.smtp.client.Forms.EIGHT;
import static org.pabal.smtp.client.Forms.OLD;
import static org.pabal.smtp.client.Forms.dotted;
import static org.pabal.smtp.client.Forms.envelope;
import static org.pabal.smtp.client.Forms.impossible;
import static org.pabal.smtp.client.Forms.octets;
import static org.pabal.smtp.client.Forms.plain;
import static org.pabal.smtp.client.Forms.ready;
import static org.pabal.smtp.client.Forms.text;
import static org.pabal.smtp.client.Forms.utf8;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Base64;
import java.util.Random;

class ConversionTest {

    private static final String KOREAN = utf8("말은 역에서 바뀌고 편지는 멈추지 않는다.");

    // RFC 6152 §3, RFC 1428 §3
    @Test
    void textWithoutMimeBecomesMime() throws IOException {
        assertEquals(
                """
                From: alice@example.org\r
                Subject: x\r
                MIME-Version: 1.0\r
                Content-Type: text/plain; charset=unknown-8bit\r
                Content-Transfer-Encoding: quoted-printable\r
                \r
                gr=FC=DFe\r
                =2E dot =3D dot=20\r
                =2D- \r
                """
                        .replace("=2D- ", "=2D-=20"),
                plain(
                        "From: alice@example.org\r\nSubject: x\r\n\r\n"
                                + "gr\u00fc\u00dfe\r\n. dot = dot \r\n-- \r\n",
                        OLD));
    }

    @Test
    void labelIsChangedInItsPlace() throws IOException {
        assertEquals(
                """
                MIME-Version: 1.0\r
                Content-Transfer-Encoding: quoted-printable\r
                Content-Type: TEXT/html (a comment);\r
                 charset="utf-8"\r
                Subject: x\r
                \r
                =EA\r
                """,
                plain(
                        "MIME-Version: 1.0\r\ncontent-transfer-encoding: (so it is)\r\n 8BIT\r\n"
                                + "Content-Type: TEXT/html (a comment);\r\n charset=\"utf-8\"\r\n"
                                + "Content-Transfer-Encoding: 7bit\r\nSubject: x\r\n\r\n\u00ea\r\n",
                        OLD));
    }

    // RFC 2046 §5.1.1 has this message; the second part has got an accent
    @Test
    void onlyThePartThatNeedsItIsTouched() throws IOException {
        String before =
                """
                From: Nathaniel Borenstein <nsb@bellcore.com>\r
                MIME-Version: 1.0\r
                Content-type: multipart/mixed; boundary="simple boundary"\r
                Content-Transfer-Encoding: 8bit\r
                \r
                This is the preamble.  It is to be ignored.\r
                \r
                --simple boundary\r
                \r
                This is implicitly typed plain US-ASCII text.\r
                It does NOT end with a linebreak.\r
                --simple boundary \t\r
                Content-type: text/plain; charset=iso-8859-1\r
                \r
                It DOES end with a linebre\u00e4k.\r
                \r
                --simple boundary\r
                Content-Type: application/octet-stream\r
                Content-Transfer-Encoding: 8bit\r
                \r
                \u00ff\u00fe\r
                --simple boundary--\r
                \r
                This is the epilogue.  It is also to be ignored.\r
                """;
        String after =
                before.replace("Encoding: 8bit\r\n\r\nThis", "Encoding: 7bit\r\n\r\nThis")
                        .replace(
                                "iso-8859-1\r\n",
                                "iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n")
                        .replace("\u00e4", "=E4")
                        .replace("8bit\r\n\r\n\u00ff\u00fe", "base64\r\n\r\n//4=");
        assertEquals(after, plain(before, OLD));
        assertEquals(before, plain(before, EIGHT));
    }

    @Test
    void messageInsideIsWalkedInto() throws IOException {
        String before =
                "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
                        + "Content-Transfer-Encoding: 8bit\r\n\r\n"
                        + "Subject: inside\r\n\r\n\u00e9\r\n";
        assertEquals(
                """
                MIME-Version: 1.0\r
                Content-Type: message/rfc822\r
                Content-Transfer-Encoding: 7bit\r
                \r
                Subject: inside\r
                MIME-Version: 1.0\r
                Content-Type: text/plain; charset=unknown-8bit\r
                Content-Transfer-Encoding: quoted-printable\r
                \r
                =E9\r
                """,
                plain(before, OLD));
    }

    @Test
    void partsOfADigestAreMessages() throws IOException {
        String after =
                plain(
                        "MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n"
                                + "--b\r\n\r\nSubject: inside\r\nContent-Type: text/plain\r\n\r\n"
                                + "\u00e9\r\n--b--\r\n",
                        OLD);
        assertTrue(
                after.contains(
                        "--b\r\n\r\nSubject: inside\r\nContent-Type: text/plain\r\n"
                                + "MIME-Version: 1.0\r\n"
                                + "Content-Transfer-Encoding: quoted-printable\r\n\r\n=E9\r\n"),
                after);
    }

    @Test
    void innerBoundaryMayBeginAsTheOuterOne() throws IOException {
        String before =
                """
                Content-Type: multipart/mixed; boundary=a\r
                MIME-Version: 1.0\r
                \r
                --a\r
                Content-Type: multipart/alternative; boundary=ab\r
                \r
                --ab\r
                Content-Type: text/plain\r
                \r
                \u00e9 --a\r
                --abc\r
                --ab\r
                \r
                ascii\r
                --ab--\r
                --a\r
                \r
                ascii\r
                --a--\r
                """;
        assertEquals(
                before.replace(
                                "text/plain\r\n",
                                "text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n")
                        .replace("\u00e9", "=E9")
                        .replace("--abc", "=2D-abc"),
                plain(before, OLD));
    }

    @Test
    void outerDelimiterEndsWhatIsOpenInside() throws IOException {
        String before =
                """
                Content-Type: multipart/mixed; boundary=out\r
                MIME-Version: 1.0\r
                \r
                --out\r
                Content-Type: multipart/mixed; boundary=in\r
                \r
                --in\r
                Content-Type: message/rfc822\r
                \r
                Subject: no close\r
                --out\r
                \r
                \u00e9\r
                """;
        assertTrue(plain(before, OLD).endsWith("printable\r\n\r\n=E9\r\n"), plain(before, OLD));
    }

    @Test
    void sameBoundaryTwiceIsTheInnerOne() throws IOException {
        String before =
                """
                Content-Type: multipart/mixed; boundary=b\r
                MIME-Version: 1.0\r
                \r
                --b\r
                Content-Type: multipart/mixed; boundary=b\r
                \r
                --b\r
                \r
                \u00e9\r
                --b--\r
                --b\r
                \r
                \u00e9\r
                --b--\r
                end\r
                """;
        String after = plain(before, OLD);
        assertEquals(2, after.split("=E9", -1).length - 1, after);
        assertTrue(after.endsWith("--b--\r\nend\r\n"));
    }

    @Test
    void whatNobodyReadsIsStarred() throws IOException {
        String before =
                "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
                        + "pr\u00e9\0amble\r\n--b\r\n\r\nx\r\n--b--\r\n\u00e9pilogue\r\n";
        assertEquals(before.replaceAll("[\u00e9\0]", "*"), plain(before, OLD));
        assertEquals(before.replaceAll("[\0]", "*"), plain(before, EIGHT));
    }

    /// Text that goes on after a soft line break is not to become a part that nobody has sent.
    @Test
    void encodingMakesNoDelimiter() throws IOException {
        for (int before = 60; before < 80; before++) {
            for (String accent : new String[] {"\u00e9", ""}) {
                String text = "x".repeat(before) + accent + "--b\r\nevil: yes\r\n\u00e9";
                String after =
                        plain(
                                "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b"
                                        + "\r\n\r\n--b\r\n\r\n"
                                        + text
                                        + "\r\n--b--\r\n",
                                OLD);
                assertEquals(2, after.lines().filter(line -> line.startsWith("--")).count(), after);
            }
        }
    }

    @Test
    void quotedPrintableIsDecodedToWhatItWas() throws IOException {
        Random random = new Random(1);
        for (int i = 0; i < 2_000; i++) {
            byte[] body = new byte[random.nextInt(400)];
            String some = "\u00e9\u0000 \t\r\n\n\r.-=_Fx\u007f";
            for (int k = 0; k < body.length; k++) {
                body[k] = (byte) some.charAt(random.nextInt(some.length()));
            }
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            QuotedPrintable quoted = new QuotedPrintable(out);
            int from = 0;
            for (int k = 0; k + 1 < body.length; k++) {
                if (body[k] == '\r' && body[k + 1] == '\n') {
                    quoted.write(body, from, k);
                    quoted.lineEnd();
                    from = k + 2;
                }
            }
            quoted.write(body, from, body.length);
            quoted.end();
            String encoded = text(out.toByteArray());
            assertEquals(text(body), decoded(encoded));
            for (String line : encoded.split("\r\n", -1)) {
                assertTrue(line.matches("([!-<>-~ \t]|=[0-9A-F]{2})*=?"), line);
                assertTrue(line.length() <= 76 && !line.matches(".*[ \t]|[-.].*"), line);
            }
        }
    }

    @Test
    void binaryBodyBecomesBase64() throws IOException {
        Random random = new Random(2);
        for (int size : new int[] {1, 2, 3, 56, 57, 58, 114, 5_000, 200_000}) {
            byte[] body = new byte[size];
            random.nextBytes(body);
            body[0] = size == 1 ? (byte) 0x80 : 0;
            String before =
                    "MIME-Version: 1.0\r\nContent-Type: image/png\r\n"
                            + "Content-Transfer-Encoding: binary\r\n\r\n"
                            + text(body);
            for (Capabilities they : new Capabilities[] {OLD, EIGHT}) {
                OutgoingMessage sent = ready(before, envelope("BODY=BINARYMIME"), they);
                String after = plain(sent);
                if (size > 1 || they == OLD) {
                    assertTrue(after.contains("Content-Transfer-Encoding: base64\r\n"), after);
                    String encoded = after.substring(after.indexOf("\r\n\r\n") + 4);
                    assertArrayEquals(body, Base64.getMimeDecoder().decode(encoded));
                    assertTrue(encoded.lines().allMatch(line -> line.length() <= 76));
                    assertTrue(encoded.endsWith("\r\n") && !encoded.endsWith("\r\n\r\n"));
                }
                assertEquals(they == OLD ? "" : size > 1 ? "7BIT" : "8BITMIME", sent.body());
            }
        }
    }

    // RFC 3030 §3
    @Test
    void binaryMessageIsMadeLines() throws IOException {
        String before =
                """
                MIME-Version: 1.0\r
                Content-Type: multipart/mixed; boundary=b\r
                Content-Transfer-Encoding: binary\r
                \r
                pre\0am\nble\r
                --b\r
                Content-Type: text/plain; charset=utf-8\r
                Content-Transfer-Encoding: binary\r
                \r
                \u00c3\u00a9\r
                --b\r
                Content-Type: text/plain\r
                Content-Transfer-Encoding: binary\r
                \r
                one\ntwo\r
                --b\r
                Content-Type: application/zip\r
                Content-Transfer-Encoding: binary\r
                \r
                \0\n--b\n\r
                --b--\r
                """;
        assertEquals(
                """
                MIME-Version: 1.0\r
                Content-Type: multipart/mixed; boundary=b\r
                Content-Transfer-Encoding: 8bit\r
                \r
                pre*am*ble\r
                --b\r
                Content-Type: text/plain; charset=utf-8\r
                Content-Transfer-Encoding: 8bit\r
                \r
                \u00c3\u00a9\r
                --b\r
                Content-Type: text/plain\r
                Content-Transfer-Encoding: quoted-printable\r
                \r
                one=0Atwo\r
                --b\r
                Content-Type: application/zip\r
                Content-Transfer-Encoding: base64\r
                \r
                AAotLWIK\r
                --b--\r
                """,
                plain(ready(before, envelope("BODY=BINARYMIME"), EIGHT)));
    }

    @Test
    void bodyThatLiesAboutItsEncodingIsMended() throws IOException {
        String head = "MIME-Version: 1.0\r\nContent-Transfer-Encoding: ";
        assertEquals(
                head + "quoted-printable\r\n\r\na=3D=E9=\r\n=E9\r\n",
                plain(head + "quoted-printable\r\n\r\na=3D\u00e9=\r\n\u00e9\r\n", OLD));
        assertEquals(
                head + "base64\r\n\r\nQU*JD\r\n",
                plain(head + "base64\r\n\r\nQU\u00e9JD\r\n", OLD));
        assertEquals(
                "5.6.3",
                impossible(head + "x-uuencode\r\n\r\n\u00e9\r\n", envelope(), OLD).enhanced());
    }

    // RFC 1847 §2.1, RFC 2046 §5.2.2
    @Test
    void whatMustNotBeChangedIsGivenBack() throws IOException {
        String signed =
                "MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n"
                        + "\r\n\u00e9\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n"
                        + "x\r\n--b--\r\n";
        assertEquals(
                "554 5.6.3 the receiving server does not take the message as it is (it has no"
                        + " 8BITMIME), and to convert a signed or encrypted message would break it",
                impossible(signed, envelope(), OLD).toString());
        assertEquals(signed, plain(signed, EIGHT));
        String beside =
                "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
                        + signed.replace('\u00e9', 'e')
                        + "--o\r\n\r\n\u00e9\r\n--o--\r\n";
        assertTrue(plain(beside, OLD).contains(signed.replace('\u00e9', 'e')));
        for (String type : new String[] {"message/partial", "multipart/mixed"}) {
            String text = "MIME-Version: 1.0\r\nContent-Type: " + type + "\r\n\r\n\u00e9\r\n";
            assertEquals("5.6.3", impossible(text, envelope(), OLD).enhanced());
        }
    }

    // RFC 2047
    @Test
    void headerIsEncodedInWords() throws IOException {
        assertEquals(
                "Subject: Re: =?utf-8?Q?Gr=C3=B6=C3=9Fe_=C3=BCber?= all\r\n"
                    + "From: =?unknown-8bit?Q?J=FCrgen?= <j@example.org>\r\n"
                    + "Content-Disposition: attachment; filename=\"=?unknown-8bit?Q?=E9?=.p\"\r\n"
                    + "\r\n"
                    + "x\r\n",
                plain(
                                "Subject: Re: "
                                        + utf8("Gr\u00f6\u00dfe\r\n \u00fcber")
                                        + " all\r\n"
                                        + "From: J\u00fcrgen <j@example.org>\r\n"
                                        + "Content-Disposition: attachment;"
                                        + " filename=\"\u00e9.p\"\r\n"
                                        + "\r\n"
                                        + "x\r\n",
                                OLD)
                        .replace("=E9=2Ep?=", "=E9?=.p"));
        String longer = plain("Subject: " + KOREAN.repeat(5) + "\r\n\r\nx\r\n", OLD);
        assertTrue(longer.lines().allMatch(line -> line.length() < 90), longer);
        StringBuilder octets = new StringBuilder();
        for (String word : longer.substring(9, longer.indexOf("\r\n\r\n")).split("\r\n ")) {
            assertTrue(word.startsWith("=?utf-8?Q?") && word.endsWith("?="), word);
            octets.append(decoded(word.substring(10, word.length() - 2).replace('_', ' ')));
        }
        assertEquals(KOREAN.repeat(5), octets.toString());
    }

    /// The header may keep its UTF-8 where SMTPUTF8 is said; the body may not.
    @Test
    void serverWithSmtputf8AloneGetsSevenBitsInTheBody() throws IOException {
        String before = "MIME-Version: 1.0\r\nSubject: " + KOREAN + "\r\n\r\n\u00e9\r\n";
        OutgoingMessage sent = ready(before, envelope("SMTPUTF8"), Forms.they("SMTPUTF8"));
        assertTrue(sent.utf8());
        assertTrue(plain(sent).contains("Subject: " + KOREAN + "\r\n"));
        assertTrue(plain(sent).endsWith("\r\n\r\n=E9\r\n"));
    }

    @Test
    void nulIsEncodedOrBlanked() throws IOException {
        assertEquals(
                "Subject: a b\r\nMIME-Version: 1.0\r\n"
                        + "Content-Type: text/plain; charset=unknown-8bit\r\n"
                        + "Content-Transfer-Encoding: quoted-printable\r\n\r\na=00b\r\n",
                plain("Subject: a\0b\r\n\r\na\0b\r\n", EIGHT));
    }

    @Test
    void longLinesAreBrokenWhereTextIsConverted() throws IOException {
        String after = plain("Subject: x\r\n\r\n\u00e9" + "long ".repeat(50_000) + "\r\n", OLD);
        assertTrue(after.lines().allMatch(line -> line.length() <= 76));
        assertEquals(
                "\u00e9" + "long ".repeat(50_000) + "\r\n",
                decoded(after.substring(after.indexOf("\r\n\r\n") + 4)));
    }

    @Test
    void largeResultIsTheSameEachTime() throws IOException {
        String line = "x".repeat(60) + "\u00e9\r\n.";
        OutgoingMessage sent = ready("Subject: x\r\n\r\n" + line.repeat(30_000), envelope(), OLD);
        assertTrue(sent.size() > 1 << 20);
        String once = plain(sent);
        assertEquals(once, plain(sent));
        assertEquals(once + ".\r\n", dotted(sent));
        assertEquals(
                line.repeat(30_000),
                decoded(once.substring(once.indexOf("\r\n\r\n") + 4, once.length() - 2)));
    }

    /// Security row S9.
    @Test
    void structureWithoutEndIsGivenBack() throws IOException {
        StringBuilder deep = new StringBuilder("MIME-Version: 1.0\r\n");
        for (int i = 0; i < 60; i++) {
            deep.append(
                    "Content-Type: multipart/mixed; boundary=b" + i + "\r\n\r\n--b" + i + "\r\n");
        }
        String inside = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
        String wide =
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                        + "--b\r\n\r\nx\r\n".repeat(10_001);
        String header = "X: " + "x".repeat(300_000) + "\r\n";
        for (String message : new String[] {deep.toString(), inside, wide, header}) {
            assertEquals(
                    "5.6.3",
                    impossible(message + "\r\n\r\n\u00e9\r\n", envelope(), OLD).enhanced());
            assertFalse(plain(message + "\r\n\r\nx\r\n", OLD).isEmpty());
        }
    }

    /// Written against RFC 2045 §6.7, knowing nothing of the encoder.
    static String decoded(String quoted) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < quoted.length(); i++) {
            char c = quoted.charAt(i);
            if (c != '=') {
                text.append(c);
            } else if (i + 1 == quoted.length()) {
                break;
            } else if (quoted.charAt(i + 1) == '\r') {
                i += 2;
            } else {
                text.append((char) Integer.parseInt(quoted.substring(i + 1, i + 3), 16));
                i += 2;
            }
        }
        return text.toString();
    }

    @Test
    void decoderKnowsTheExampleOfTheStandard() {
        assertEquals(
                "Now's the time for all folk to come to the aid of their country.",
                decoded(
                        "Now's the time =\r\nfor all folk to come=\r\n"
                                + " to the aid of their country."));
        assertArrayEquals(octets("="), octets(decoded("=3D")));
    }
}
