package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.delivery.DeliveryReport.Action;
import org.pabal.delivery.DeliveryReport.Notice;
import org.pabal.mail.Content;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.testkit.Fuzz;
import org.pabal.testkit.MemoryContent;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class DeliveryReportTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final MailAddress ALICE = new MailAddress("alice", "example.org");
    private static final Recipient BOB =
            new Recipient(
                    new MailAddress("bob", "example.test"),
                    Map.of("ORCPT", "rfc822;Bob+2Blist@example.test"));
    private static final Recipient CAROL = new Recipient(new MailAddress("carol", "example.net"));
    private static final Status UNKNOWN =
            new Status(550, "5.1.1", "<bob@example.test>: no such mailbox here");
    private static final Status BUSY = new Status(421, "", "mx.example.net: 바쁩니다");
    private static final String MESSAGE =
            "Received: from a by b\nFrom: alice@example.org\nSubject: lunch\n\nAt noon?\n";

    @Test
    void headerIsReturnedToThoseWhoDidNotAsk() throws IOException {
        assertEquals(
                expected("failed-headers.eml"),
                written(Map.of("ENVID", "QQ+2B314159"), List.of(failed(BOB, UNKNOWN)), MESSAGE));
    }

    @Test
    void messageIsReturnedToThoseWhoAsked() throws IOException {
        assertEquals(
                expected("failed-full.eml"),
                written(
                        Map.of("RET", "FULL"),
                        List.of(failed(BOB, UNKNOWN), delayed(CAROL, BUSY)),
                        MESSAGE));
    }

    // RFC 6533 §6, §7
    @Test
    void internationalizedMessageIsReturnedAsGlobal() throws IOException {
        Recipient korean = new Recipient(new MailAddress("파발", "예.example"));
        String report = written(Map.of("SMTPUTF8", ""), List.of(failed(korean, UNKNOWN)), MESSAGE);
        assertTrue(report.contains("Final-Recipient: utf-8; 파발@예.example\r\n"));
        assertTrue(report.contains("Content-Type: message/global-delivery-status\r\n"));
        assertTrue(report.contains("Content-Type: message/global-headers\r\n"));
        assertTrue(report.contains("  <파발@예.example>\r\n"));
    }

    // RFC 3461 §4.3, RFC 3030
    @Test
    void binaryMessageIsNotReturnedWhole() throws IOException {
        String report =
                written(
                        Map.of("RET", "FULL", "BODY", "BINARYMIME"),
                        List.of(failed(BOB, UNKNOWN)),
                        MESSAGE);
        assertFalse(report.contains("At noon?"));
    }

    // RFC 8689 §5, RFC 6710 §4.6
    @Test
    void reportIsAsSafeAndAsUrgentAsTheMessage() throws IOException {
        Map<String, String> mail = Map.of("REQUIRETLS", "", "RET", "FULL", "MT-PRIORITY", "-3");
        Map<String, String> own =
                on(mail, List.of(failed(BOB, UNKNOWN)), MemoryContent.of(MESSAGE))
                        .envelope()
                        .parameters();
        assertEquals("", own.get("REQUIRETLS"));
        assertEquals("-3", own.get("MT-PRIORITY"));
        assertFalse(written(mail, List.of(failed(BOB, UNKNOWN)), MESSAGE).contains("At noon?"));
        assertFalse(
                on(Map.of(), List.of(failed(BOB, UNKNOWN)), MemoryContent.of(MESSAGE))
                        .envelope()
                        .requiresTls());
    }

    // RFC 3461 §5.4, §6.3
    @Test
    void originalRecipientIsToldAtItsFullLength() throws IOException {
        String known = "b".repeat(480) + "@example.test";
        Recipient bobOfOld = new Recipient(BOB.address(), Map.of("ORCPT", "rfc822;" + known));
        assertTrue(
                written(Map.of(), List.of(failed(bobOfOld, UNKNOWN)), MESSAGE)
                        .contains("Original-Recipient: rfc822; " + known + "\r\n"));
    }

    // RFC 2852 §5
    @Test
    void deadlineOfTheSenderIsTold() throws IOException {
        String report = written(Map.of("BY", "120;R"), List.of(failed(BOB, UNKNOWN)), MESSAGE);
        assertTrue(
                report.contains("\r\nDeliver-By-Date: Sun, 22 Nov 2026 12:02:00 +0000\r\n"),
                report);
    }

    // RFC 3461 §4.2, RFC 6533 §3
    @Test
    void addressOfAParameterIsReadAndWritten() {
        assertEquals("a+b=c d", TypedAddress.fromXtext("a+2Bb+3Dc+20d"));
        assertEquals("+", TypedAddress.fromXtext("+"));
        assertEquals("+2", TypedAddress.fromXtext("+2"));
        assertEquals("+zz", TypedAddress.fromXtext("+zz"));
        for (String address :
                List.of("bob@example.test", "a+b=c@example.test", "\"a \\\\b\"@example.test")) {
            TypedAddress plain = TypedAddress.of(MailAddress.parse(address).orElseThrow());
            assertEquals("rfc822", plain.type());
            assertEquals(plain, TypedAddress.ofParameter(plain.parameter()));
            TypedAddress korean = TypedAddress.of(MailAddress.parse(address + ".예").orElseThrow());
            assertEquals("utf-8", korean.type());
            assertTrue(korean.parameter().matches("[!-~&&[^+=]]+"), korean::parameter);
            assertEquals(korean, TypedAddress.ofParameter(korean.parameter()));
        }
        // The other two forms, and what is none.
        assertEquals("파+@예", TypedAddress.ofParameter("UTF-8;파\\x{2B}@예").address());
        assertEquals(
                "\\x{D800}\\x{110000}\\x{}",
                TypedAddress.ofParameter("utf-8;\\x{D800}\\x{110000}\\x{}").address());
    }

    /// Security row S11.
    @Test
    void whatStrangersSayAddsNoLines() throws IOException {
        Recipient evil =
                new Recipient(
                        new MailAddress("bob", "example.test"),
                        Map.of("ORCPT", "rfc822;a+0D+0AX-Evil:+20yes"));
        String report =
                written(
                        Map.of("ENVID", "x+0AX-Evil: yes"),
                        List.of(
                                failed(
                                        evil,
                                        new Status(
                                                550,
                                                "5.0.0",
                                                "no\r\nX-Evil: yes\0" + "x".repeat(2_000)))),
                        MESSAGE);
        assertFalse(report.contains("\nX-Evil"));
        assertFalse(report.contains("\0"));
        assertTrue(report.lines().allMatch(line -> line.length() < 998));
    }

    // RFC 6522 §3, RFC 3464 §2
    @Test
    void isShownAsOne() throws IOException {
        String report =
                written(
                        Map.of("RET", "FULL"),
                        List.of(failed(BOB, UNKNOWN), delayed(CAROL, BUSY)),
                        "Message-ID: <one@example.org>\n" + MESSAGE);
        String header = report.substring(0, report.indexOf("\r\n\r\n"));
        assertTrue(
                header.contains(
                        "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                                + "\tboundary=\"BOUNDARY\""));
        assertTrue(header.contains("\r\nAuto-Submitted: auto-replied\r\n"));
        assertTrue(header.contains("\r\nIn-Reply-To: <one@example.org>\r\n"));
        assertTrue(header.contains("\r\nReferences: <one@example.org>\r\n"));
        String[] parts = report.split("\r\n--BOUNDARY");
        assertEquals(5, parts.length);
        assertEquals("--\r\n", parts[4]);
        List<String> types =
                List.of("text/plain; charset=utf-8", "message/delivery-status", "message/rfc822");
        for (int i = 0; i < 3; i++) {
            String partHeader = parts[i + 1].substring(0, parts[i + 1].indexOf("\r\n\r\n"));
            assertTrue(
                    partHeader.contains("\r\nContent-Type: " + types.get(i) + "\r\n"), partHeader);
        }
        // One group of fields for the message, one for each recipient.
        String fields = parts[2].substring(parts[2].indexOf("\r\n\r\n") + 4);
        assertEquals(3, fields.strip().split("\r\n\r\n").length);
    }

    // RFC 3464 §2.3.5, §2.3.6
    @Test
    void whatAnotherHostSaidHasItsName() throws IOException {
        Notice notice =
                new Notice(
                        BOB,
                        Action.FAILED,
                        new Status(550, "5.1.1", "mx.example.org [192.0.2.25]:25 said: who?"),
                        Optional.of("mx.example.org"),
                        Optional.of(new Status(550, "5.1.1", "who?")),
                        NOON,
                        Optional.empty());
        String report = written(Map.of(), List.of(notice), MESSAGE);
        assertTrue(
                report.contains(
                        "Action: failed\r\n"
                                + "Status: 5.1.1\r\n"
                                + "Remote-MTA: dns; mx.example.org\r\n"
                                + "Diagnostic-Code: smtp; 550 5.1.1 who?\r\n"
                                + "Last-Attempt-Date: Sun, 22 Nov 2026 12:00:00 +0000\r\n"),
                report);
        assertTrue(report.contains("There is no such mailbox."));
    }

    @Test
    void whatIsAsciiGoesToAnyServer() throws IOException {
        for (Map<String, String> mail :
                List.of(Map.<String, String>of(), Map.of("SMTPUTF8", "", "RET", "FULL"))) {
            DeliveryReport report =
                    on(mail, List.of(failed(BOB, UNKNOWN)), MemoryContent.of(MESSAGE));
            assertEquals(Map.of("BODY", "7BIT"), report.envelope().parameters());
        }
    }

    @Test
    void eightBitHeaderIsReturnedAsItIs() throws IOException {
        List<Notice> notices = List.of(failed(BOB, UNKNOWN));
        String message = "Subject: 점심\n\nAt noon?\n";
        DeliveryReport plain = on(Map.of(), notices, MemoryContent.of(message));
        assertEquals(Map.of("BODY", "8BITMIME"), plain.envelope().parameters());
        String report = written(Map.of(), notices, message);
        assertTrue(
                report.contains(
                        "Content-Type: text/rfc822-headers\r\n"
                                + "Content-Transfer-Encoding: 8bit\r\n\r\n"
                                + "Subject: 점심\r\n"));
        assertEquals(
                2,
                report.split("Content-Transfer-Encoding: 7bit", -1).length - 1,
                "the words and the fields");
        DeliveryReport global = on(Map.of("SMTPUTF8", ""), notices, MemoryContent.of(message));
        assertEquals(Map.of("BODY", "8BITMIME", "SMTPUTF8", ""), global.envelope().parameters());
    }

    // RFC 6522 §4
    @Test
    void brokenHeaderIsReturnedQuoted() throws IOException {
        String report =
                written(
                        Map.of("RET", "FULL"),
                        List.of(failed(BOB, UNKNOWN)),
                        new MemoryContent(
                                "Subject: a\rb\nc\0d =e \r\nX: 1\r\n\r\nAt noon?\r\n"
                                        .getBytes(StandardCharsets.UTF_8)));
        assertTrue(
                report.contains(
                        "Content-Type: text/rfc822-headers\r\n"
                                + "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                                + "Subject: a=0Db=0Ac=00d =3De=20\r\nX: 1\r\n"),
                report);
        assertFalse(report.contains("At noon?"));
    }

    @Test
    void whatCannotBeReturnedWholeIsReturnedAsHeader() throws IOException {
        for (String body :
                List.of("x".repeat(999) + "\n", "0123456789\n".repeat(90_000), "nul\0")) {
            String report =
                    written(
                            Map.of("RET", "FULL"),
                            List.of(failed(BOB, UNKNOWN)),
                            "Subject: lunch\n\n" + body);
            assertTrue(report.contains("Subject: lunch\r\n"));
            assertTrue(report.contains("The header of the message follows"));
            assertTrue(report.length() < 3_000);
        }
    }

    @Test
    void longHeaderEndsWithAWholeLine() throws IOException {
        String report =
                written(
                        Map.of(),
                        List.of(failed(BOB, UNKNOWN)),
                        "X: 0123456789\n".repeat(10_000) + "\nAt noon?\n");
        assertTrue(report.endsWith("\r\nX: 0123456789\r\n\r\n--BOUNDARY--\r\n"));
        assertTrue(report.length() < 70_000);
    }

    // RFC 6533 §3
    @Test
    void addressInUtf8HasItsFormInAscii() throws IOException {
        Recipient korean =
                new Recipient(
                        new MailAddress("파발+a", "예.example"),
                        Map.of("ORCPT", "utf-8;\\x{C5ED}\\x{2B}b@예.example"));
        String ascii = written(Map.of(), List.of(failed(korean, UNKNOWN)), MESSAGE);
        assertTrue(
                ascii.contains(
                        "Original-Recipient: utf-8; \\x{C5ED}\\x{2B}b@\\x{C608}.example\r\n"
                                + "Final-Recipient: utf-8;"
                                + " \\x{D30C}\\x{BC1C}\\x{2B}a@\\x{C608}.example\r\n"),
                ascii);
        assertTrue(ascii.contains("Content-Type: message/delivery-status\r\n"));
        String global = written(Map.of("SMTPUTF8", ""), List.of(failed(korean, UNKNOWN)), MESSAGE);
        assertTrue(
                global.contains(
                        "Original-Recipient: utf-8; 역+b@예.example\r\n"
                                + "Final-Recipient: utf-8; 파발+a@예.example\r\n"),
                global);
    }

    // RFC 5322 §2.1.1
    @Test
    void noLineIsTooLong() throws IOException {
        Recipient korean =
                new Recipient(
                        new MailAddress("bob", "example.test"),
                        Map.of("ORCPT", "utf-8;" + "파".repeat(500)));
        for (String mail : List.of("SMTPUTF8", "X")) {
            String report =
                    written(
                            Map.of(mail, "", "ENVID", "파".repeat(500)),
                            List.of(failed(korean, new Status(550, "", "👍".repeat(500)))),
                            MESSAGE);
            for (String line : report.split("\r\n")) {
                assertTrue(line.getBytes(StandardCharsets.UTF_8).length <= 998, line);
            }
        }
    }

    @Test
    void hiddenSignsOfAReplyAreNotShown() {
        assertEquals("a?b?c?", DeliveryReport.readable("a\u202Eb\u2028c\u0085"));
    }

    @Test
    void alienMessageIdIsNotRepeated() throws IOException {
        for (String id : List.of("<a b>", "no brackets", "<" + "x".repeat(300) + ">", "<파@x>")) {
            String report =
                    written(
                            Map.of(),
                            List.of(failed(BOB, UNKNOWN)),
                            "Message-ID: " + id + "\n" + MESSAGE);
            assertFalse(report.contains("In-Reply-To"), id);
        }
    }

    @Test
    void bearsAnyOctets() throws Exception {
        Fuzz.run(
                Path.of("src/test/resources/fuzz/report"),
                input -> {
                    String text = new String(input, StandardCharsets.UTF_8);
                    String plain = DeliveryReport.plain(TypedAddress.fromXtext(text));
                    if (!plain.chars().allMatch(c -> c >= ' ' && c < 127) || plain.length() > 998) {
                        throw new IllegalStateException("not plain: " + plain);
                    }
                    int received = MessageStart.received(input);
                    if (received * "received:".length() > input.length) {
                        throw new IllegalStateException(
                                "counted " + received + " in " + input.length);
                    }
                    // None of these throws or takes long.
                    HeaderFields.of(new MemoryContent(input)).automatic();
                    RemoteReply.in(new Status(550, "", text));
                    RemoteReply.in(text);
                    RemoteReply.host(text);
                    for (String type : List.of("", "utf-8;", "x;")) {
                        for (Map<String, String> mail :
                                List.of(
                                        Map.of("ENVID", text, "RET", "FULL"),
                                        Map.of("ENVID", text, "SMTPUTF8", ""))) {
                            harmless(mail, type + text, text, new MemoryContent(input));
                        }
                    }
                });
    }

    private static void harmless(
            Map<String, String> mail, String orcpt, String said, MemoryContent message)
            throws IOException {
        Recipient recipient = new Recipient(BOB.address(), Map.of("ORCPT", orcpt));
        Notice notice =
                new Notice(
                        recipient,
                        Action.FAILED,
                        new Status(550, "", said),
                        Optional.of(said),
                        Optional.of(new Status(550, "", said)),
                        NOON,
                        Optional.empty());
        byte[] report = octets(mail, List.of(notice), message);
        if (ReturnedContent.natural(report) == ReturnedContent.Encoding.QUOTED_PRINTABLE) {
            throw new IllegalStateException("bare CR or LF, NUL, or a long line");
        }
        String text = new String(report, StandardCharsets.ISO_8859_1);
        if (text.split("\r\n--BOUNDARY", -1).length != 5) {
            throw new IllegalStateException(text);
        }
        boolean sevenBit = !text.contains("Content-Transfer-Encoding: 8bit");
        if (sevenBit && text.chars().anyMatch(c -> c > 127)) {
            throw new IllegalStateException("eight bits are not said: " + text);
        }
    }

    private static Notice failed(Recipient recipient, Status status) {
        return notice(recipient, Action.FAILED, status, Optional.empty());
    }

    private static Notice delayed(Recipient recipient, Status status) {
        return notice(
                recipient, Action.DELAYED, status, Optional.of(NOON.plus(Duration.ofDays(5))));
    }

    private static Notice notice(
            Recipient recipient, Action action, Status status, Optional<Instant> until) {
        return new Notice(
                recipient,
                action,
                status,
                Optional.empty(),
                Optional.empty(),
                NOON.plusSeconds(80),
                until);
    }

    private static String written(Map<String, String> mail, List<Notice> notices, String message)
            throws IOException {
        return written(mail, notices, MemoryContent.of(message));
    }

    private static String written(Map<String, String> mail, List<Notice> notices, Content message)
            throws IOException {
        return new String(octets(mail, notices, message), StandardCharsets.UTF_8);
    }

    private static byte[] octets(Map<String, String> mail, List<Notice> notices, Content message)
            throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        on(mail, notices, message)
                .write(
                        out,
                        new DeliveryReport.Writer("mx.example.test", "example.test"),
                        new QueueId("8A2B"),
                        NOON.plusSeconds(90),
                        "BOUNDARY");
        return out.toByteArray();
    }

    private static DeliveryReport on(
            Map<String, String> mail, List<Notice> notices, Content message) throws IOException {
        Envelope envelope =
                new Envelope(
                        Optional.of(ALICE), mail, notices.stream().map(Notice::recipient).toList());
        return DeliveryReport.on(
                new QueueEntry(
                        new QueueId("7F3K"), envelope, message, NOON, 1, NOON, false, Map.of()),
                notices);
    }

    private static String expected(String file) throws IOException {
        return Files.readString(Path.of("src/test/resources/reports", file)).replace("\n", "\r\n");
    }
}
