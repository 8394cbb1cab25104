package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.delivery.DeliveryReport.Action;
import org.pabal.delivery.DeliveryReport.Notice;
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
        assertTrue(
                report.contains(
                        "Final-Recipient: utf-8; \\x{D30C}\\x{BC1C}@\\x{C608}.example\r\n"));
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

    @Test
    void xtextIsDecoded() {
        assertEquals("a+b=c d", DeliveryReport.fromXtext("a+2Bb+3Dc+20d"));
        assertEquals("+", DeliveryReport.fromXtext("+"));
        assertEquals("+2", DeliveryReport.fromXtext("+2"));
        assertEquals("+zz", DeliveryReport.fromXtext("+zz"));
    }

    @Test
    void bearsAnyOctets() throws Exception {
        Fuzz.run(
                Path.of("src/test/resources/fuzz/report"),
                input -> {
                    String text = new String(input, StandardCharsets.UTF_8);
                    String plain = DeliveryReport.plain(DeliveryReport.fromXtext(text));
                    if (!plain.chars().allMatch(c -> c >= ' ' && c < 127) || plain.length() > 998) {
                        throw new IllegalStateException("not plain: " + plain);
                    }
                    int received = MessageStart.received(input);
                    if (received * "received:".length() > input.length) {
                        throw new IllegalStateException(
                                "counted " + received + " in " + input.length);
                    }
                    Recipient recipient = new Recipient(BOB.address(), Map.of("ORCPT", text));
                    String report =
                            written(
                                    Map.of("ENVID", text),
                                    List.of(failed(recipient, new Status(550, "", text))),
                                    text);
                    if (report.split("\r\n--BOUNDARY", -1).length != 5) {
                        throw new IllegalStateException(report);
                    }
                });
    }

    private static Notice failed(Recipient recipient, Status status) {
        return new Notice(recipient, Action.FAILED, status, Optional.empty());
    }

    private static Notice delayed(Recipient recipient, Status status) {
        return new Notice(
                recipient, Action.DELAYED, status, Optional.of(NOON.plus(Duration.ofDays(5))));
    }

    private static String written(Map<String, String> mail, List<Notice> notices, String message)
            throws IOException {
        Envelope envelope =
                new Envelope(
                        Optional.of(ALICE), mail, notices.stream().map(Notice::recipient).toList());
        QueueEntry entry =
                new QueueEntry(
                        new QueueId("7F3K"),
                        envelope,
                        MemoryContent.of(message),
                        NOON,
                        1,
                        NOON,
                        false,
                        Map.of());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new DeliveryReport(entry, notices)
                .write(
                        out,
                        new DeliveryReport.Writer("mx.example.test", "example.test"),
                        new QueueId("8A2B"),
                        NOON.plusSeconds(90),
                        "BOUNDARY");
        return out.toString(StandardCharsets.UTF_8);
    }

    private static String expected(String file) throws IOException {
        return Files.readString(Path.of("src/test/resources/reports", file)).replace("\n", "\r\n");
    }
}
