package org.pabal.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pabal.directory.Directory;
import org.pabal.mail.Client;
import org.pabal.mail.Content;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailPolicy;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.mail.Verdict;
import org.pabal.testkit.TestConnection;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What becomes of a message, and what the house adds to it.
final class SmtpSessionTest {

    private static final String ONE_MESSAGE =
            """
            S~ 220 .*
            C: EHLO client.example.org
            S* 250 .*
            C: MAIL FROM:<a@example.org>
            C: RCPT TO:<bob@example.test>
            C: DATA
            S~ 250 .*
            S~ 250 .*
            S~ 354 .*
            C: Subject: hello
            C:
            C: ..dot
            C: .
            """;

    private final TestNode node = new TestNode();

    @Test
    void keepsTheOctetsOfAMessageBelowItsTraceField() throws Exception {
        node.play(Role.SMTP, ONE_MESSAGE + "S: 250 2.0.0 accepted as Q1\n");
        assertEquals(
                """
                Received: from client.example.org ([127.0.0.1])\r
                \tby mx.example.test with ESMTP id Q1\r
                \tfor <bob@example.test>;\r
                \tSun, 22 Nov 2026 10:00:00 +0000\r
                Subject: hello\r
                \r
                .dot\r
                """,
                TestNode.text(node.queued().getFirst()));
    }

    @Test
    void namesNoRecipientInTheTraceFieldWhenThereAreMore() throws Exception {
        node.play(
                Role.SMTP,
                ONE_MESSAGE
                                .replace(
                                        "C: RCPT TO:<bob@example.test>\n",
                                        "C: RCPT TO:<bob@example.test>\n"
                                                + "C: RCPT TO:<alice@example.test>\n"
                                                + "S~ 250 .*\n")
                                .replace("S~ 250 .*\nC: DATA", "C: DATA")
                                .replace("S~ 354", "S~ 250 .*\nS~ 354")
                        + "S~ 250 .*\n");
        assertFalse(TestNode.text(node.queued().getFirst()).contains("for <"));
    }

    @Test
    void saysInTheTraceFieldHowTheMessageCame() throws Exception {
        node.play(Role.SMTP, ONE_MESSAGE.replace("EHLO", "HELO") + "S~ 250 .*\n");
        node.play(Role.SMTP, ONE_MESSAGE + "S~ 250 .*\n", new TestConnection().withTls());
        node.play(Role.LMTP, ONE_MESSAGE.replace("EHLO", "LHLO") + "S~ 250 .*\n");
        node.play(
                Role.SMTP,
                ONE_MESSAGE.replace("a@example.org>", "a@example.org> SMTPUTF8") + "S~ 250 .*\n");
        node.play(
                Role.SUBMISSION,
                signedIn(ONE_MESSAGE) + "S~ 250 .*\n",
                new TestConnection().withTls());
        List<String> with = new ArrayList<>();
        for (QueueEntry entry : node.queued()) {
            with.add(TestNode.text(entry).replaceAll("(?s).* with (\\S+) id .*", "$1"));
        }
        assertEquals(List.of("SMTP", "ESMTPS", "LMTP", "UTF8SMTP", "ESMTPSA"), with);
    }

    private static String signedIn(String dialogue) {
        return dialogue.replace(
                "C: MAIL FROM:<a@example.org>",
                "C: AUTH PLAIN AGFsaWNlAHBhYmFs\nS~ 235 .*\nC: MAIL FROM:<alice@example.test>");
    }

    // RFC 6409 §8
    @Test
    void completesTheHeadersOfItsOwnPeople() throws Exception {
        node.play(Role.SUBMISSION, signedIn(ONE_MESSAGE) + "S~ 250 .*\n");
        String text = TestNode.text(node.queued().getFirst());
        assertTrue(
                text.contains(
                        "\r\n"
                                + "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
                                + "Message-ID: <Q1.1795341600@mx.example.test>\r\n"
                                + "Subject:"),
                text);
        node.play(
                Role.SUBMISSION,
                signedIn(ONE_MESSAGE)
                                .replace(
                                        "C: Subject",
                                        "C: Date: today\nC: Message-ID: <x@y>\nC: Subject")
                        + "S~ 250 .*\n");
        assertEquals(
                "Date: today\r\nMessage-ID: <x@y>\r\nSubject: hello\r\n\r\n.dot\r\n",
                TestNode.body(node.queued().get(1), 1));
    }

    @Test
    void keepsParametersInTheEnvelope() throws Exception {
        node.play(
                Role.SMTP,
                ONE_MESSAGE
                                .replace(
                                        "a@example.org>",
                                        "a@example.org> SIZE=30 RET=HDRS ENVID=x BODY=7BIT")
                                .replace("bob@example.test>", "bob@example.test> NOTIFY=NEVER")
                        + "S~ 250 .*\n");
        Envelope envelope = node.queued().getFirst().envelope();
        assertEquals(Map.of("RET", "HDRS", "ENVID", "x", "BODY", "7BIT"), envelope.parameters());
        assertEquals(Map.of("NOTIFY", "NEVER"), envelope.recipients().getFirst().parameters());
    }

    @Test
    void keepsTheTermsOfAMessageInItsEnvelope() throws Exception {
        for (String asked :
                List.of(
                        "HOLDFOR=3600 BY=+0120;rt MT-PRIORITY=9 REQUIRETLS",
                        "HOLDUNTIL=2026-11-22T20:00:00.5+09:00 BY=-5;N MT-PRIORITY=-9",
                        "HOLDUNTIL=2026-11-21T00:00:00Z MT-PRIORITY=0")) {
            node.play(
                    Role.SUBMISSION,
                    signedIn(ONE_MESSAGE)
                                    .replace("alice@example.test>", "alice@example.test> " + asked)
                            + "S~ 250 .*\n",
                    new TestConnection().withTls());
        }
        List<Map<String, String>> kept =
                node.queued().stream().map(entry -> entry.envelope().parameters()).toList();
        assertEquals(
                List.of(
                        Map.of(
                                "HOLDUNTIL", "2026-11-22T11:00:00Z",
                                "BY", "120;RT",
                                "MT-PRIORITY", "9",
                                "REQUIRETLS", ""),
                        Map.of(
                                "HOLDUNTIL", "2026-11-22T11:00:00Z",
                                "BY", "-5;N",
                                "MT-PRIORITY", "-9"),
                        Map.of("HOLDUNTIL", "2026-11-22T10:00:00Z", "MT-PRIORITY", "0")),
                kept);
        Envelope first = node.queued().getFirst().envelope();
        assertEquals(Optional.of(Instant.parse("2026-11-22T11:00:00Z")), first.holdUntil());
        assertEquals(9, first.priority());
        assertTrue(first.requiresTls());
    }

    // RFC 6710 §4.1
    @Test
    void letsStrangersLowerTheirPriorityOnly() throws Exception {
        for (int priority : new int[] {5, -5}) {
            node.play(
                    Role.SMTP,
                    ONE_MESSAGE.replace("a@example.org>", "a@example.org> MT-PRIORITY=" + priority)
                            + "S~ 250 .*\n");
        }
        assertEquals(
                List.of(0, -5),
                node.queued().stream().map(entry -> entry.envelope().priority()).toList());
    }

    @Test
    void holdsNothingWhenThatIsTurnedOff() throws Exception {
        SmtpLimits all = node.limits;
        node.limits =
                new SmtpLimits(
                        all.messageOctets(),
                        all.headerOctets(),
                        all.recipients(),
                        all.messages(),
                        all.failures(),
                        all.commandPatience(),
                        all.dataPatience(),
                        Duration.ZERO);
        node.play(
                Role.SUBMISSION,
                """
                S~ 220 .*
                C: EHLO client.example.org
                S* 250-DSN
                S: 250-DELIVERBY
                S* 250 .*
                C: AUTH PLAIN AGFsaWNlAHBhYmFs
                S~ 235 .*
                C: MAIL FROM:<alice@example.test> HOLDFOR=1
                S: 555 5.5.4 HOLDFOR is no parameter known here
                """);
    }

    @Test
    void keepsARecipientOnceThatWasNamedTwice() throws Exception {
        node.play(
                Role.LMTP,
                """
                S~ 220 .*
                C: LHLO x
                S* 250 .*
                C: MAIL FROM:<>
                C: RCPT TO:<bob@example.test>
                C: RCPT TO:<bob@EXAMPLE.test>
                C: DATA
                S~ 250 .*
                S~ 250 .*
                S~ 250 .*
                S~ 354 .*
                C: .
                S: 250 2.1.5 <bob@example.test> accepted as Q1
                S: 250 2.1.5 <bob@example.test> accepted as Q1
                C: NOOP
                S~ 250 .*
                """);
        assertEquals(1, node.queued().getFirst().envelope().recipients().size());
    }

    @Test
    void refusesForNowWhenThereIsNoRoomAndGoesOn() throws Exception {
        node.memory.full(true);
        String atData =
                """
                S~ 220 .*
                C: EHLO client.example.org
                S* 250 .*
                C: MAIL FROM:<a@example.org>
                C: RCPT TO:<bob@example.test>
                C: DATA
                S~ 250 .*
                S~ 250 .*
                S~ 452 4\\.3\\.1 .*
                C! MAIL FROM:<a@example.org>\\r\\nRCPT TO:<bob@example.test>\\r\\nBDAT 5\\r\\nhelloBDAT 1 LAST\\r\\nx
                S~ 250 .*
                S~ 250 .*
                S~ 452 4\\.3\\.1 .*
                S~ 503 5\\.5\\.1 .*
                C: NOOP
                S~ 250 .*
                """;
        node.play(Role.SMTP, atData);
        assertEquals(List.of(), node.queued());
    }

    /// A queue that has no room when the moment comes.
    @ParameterizedTest
    @EnumSource(Role.class)
    void refusesForNowWhenTheRoomEndsInTheMessage(Role role) throws Exception {
        node.queue =
                (org.pabal.mail.MailQueue)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {org.pabal.mail.MailQueue.class},
                                (proxy, method, arguments) -> {
                                    Object draft = method.invoke(node.memory, arguments);
                                    node.memory.full(true);
                                    return draft;
                                });
        String dialogue = role == Role.SUBMISSION ? signedIn(ONE_MESSAGE) : ONE_MESSAGE;
        node.play(
                role,
                dialogue.replace("EHLO", role == Role.LMTP ? "LHLO" : "EHLO")
                        + "S~ 452 4\\.3\\.1 .*\nC: NOOP\nS~ 250 .*\n");
        assertEquals(List.of(), node.queued());
    }

    @Test
    void refusesForNowWhenTheDirectoryCannotSay() throws Exception {
        node.directory =
                (Directory)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {Directory.class},
                                (proxy, method, arguments) -> {
                                    throw new IOException("accounts: cannot be read");
                                });
        node.play(
                Role.SMTP,
                """
                S~ 220 .*
                C: EHLO client.example.org
                S* 250 .*
                C: MAIL FROM:<a@example.org>
                S~ 250 .*
                C: RCPT TO:<bob@example.test>
                S: 451 4.3.0 cannot say now, try again later
                C: RSET
                S~ 250 .*
                C: AUTH PLAIN AGFsaWNlAHBhYmFs
                S~ 454 4\\.7\\.0 .*
                """);
    }

    /// Refuses at one moment, or accepts with a field that says so.
    private record Moody(String moment, Verdict verdict) implements MailPolicy {
        private Verdict at(String now) {
            return now.equals(moment)
                    ? verdict
                    : new Verdict.Accept(
                            List.of("X-" + now + ": " + verdict.getClass().getSimpleName()));
        }

        @Override
        public Verdict connected(Client client) {
            return at("Connected");
        }

        @Override
        public Verdict sender(Client client, Envelope soFar) {
            assertEquals("a@example.org", soFar.sender().orElseThrow().toString());
            assertEquals("client.example.org", client.helo());
            return at("Sender");
        }

        @Override
        public Verdict recipient(Client client, Envelope soFar, Recipient recipient) {
            assertEquals(List.of(), soFar.recipients());
            assertEquals("bob@example.test", recipient.address().toString());
            return at("Recipient");
        }

        @Override
        public Verdict message(Client client, Envelope envelope, Content content) {
            assertEquals("Subject: hello\r\n\r\n.dot\r\n".length(), content.size());
            return at("Message");
        }
    }

    private static final Verdict REFUSE = new Verdict.Refuse(new Status(550, "5.7.1", "not today"));

    @Test
    void asksPoliciesAtFourMoments() throws Exception {
        node.policies.add(new Moody("", Verdict.ACCEPT));
        node.play(Role.SMTP, ONE_MESSAGE + "S~ 250 .*\n");
        assertEquals(
                """
                X-Connected: Accept\r
                X-Sender: Accept\r
                X-Recipient: Accept\r
                X-Message: Accept\r
                Subject: hello\r
                \r
                .dot\r
                """,
                TestNode.body(node.queued().getFirst(), 1));
    }

    @Test
    void refusesWhatAPolicyRefuses() throws Exception {
        String refused = "550 5.7.1 not today";
        node.policies.add(new Moody("Message", REFUSE));
        node.play(Role.SMTP, ONE_MESSAGE + "S: " + refused + "\n");
        node.policies.set(0, new Moody("Recipient", REFUSE));
        String beforeRecipient = ONE_MESSAGE.substring(0, ONE_MESSAGE.indexOf("C: DATA"));
        node.play(Role.SMTP, beforeRecipient + "S~ 250 .*\nS: " + refused + "\n");
        node.policies.set(0, new Moody("Sender", REFUSE));
        node.play(Role.SMTP, beforeRecipient + "S: " + refused + "\nS~ 503 .*\n");
        node.policies.set(0, new Moody("Connected", REFUSE));
        node.play(Role.SMTP, "S: 554 5.7.1 not today\n-- close\n");
        node.policies.set(
                0, new Moody("Connected", new Verdict.Refuse(new Status(450, "4.7.1", "later"))));
        node.play(Role.SMTP, "S: 421 4.7.1 later\n-- close\n");
        node.policies.set(
                0, new Moody("Sender", new Verdict.Refuse(new Status(421, "4.7.1", "later"))));
        node.play(Role.SMTP, beforeRecipient + "S: 421 4.7.1 later\n-- close\n");
        assertEquals(List.of(), node.queued());
    }

    @Test
    void askTheFirstPolicyFirstAndNoneAfterARefusal() throws Exception {
        List<String> asked = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int number = i;
            node.policies.add(
                    new MailPolicy() {
                        @Override
                        public Verdict sender(Client client, Envelope soFar) {
                            asked.add("" + number);
                            return number == 1 ? REFUSE : Verdict.ACCEPT;
                        }
                    });
        }
        node.play(
                Role.SMTP,
                ONE_MESSAGE.substring(0, ONE_MESSAGE.indexOf("C: RCPT")) + "S~ 550 5\\.7\\.1 .*\n");
        assertEquals(List.of("0", "1"), asked);
    }

    @Test
    void makesMailWaitWhileAPolicyIsInTrouble() throws Exception {
        node.policies.add(
                new MailPolicy() {
                    @Override
                    public Verdict sender(Client client, Envelope soFar) {
                        throw new NoClassDefFoundError(
                                "a class of a bundle that was just replaced");
                    }
                });
        node.play(
                Role.SMTP,
                ONE_MESSAGE.substring(0, ONE_MESSAGE.indexOf("C: RCPT")) + "S~ 451 4\\.3\\.0 .*\n");
    }

    @Test
    void takesABigMessageAsItIs() throws Exception {
        ByteArrayOutputStream big = new ByteArrayOutputStream();
        big.write("Subject: big\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        for (int i = 0; i < 5_000; i++) {
            big.write(
                    ("line " + i + " " + "z".repeat(i % 97) + "\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
        }
        // RFC 5321 §4.5.3.1.6 and more
        big.write("y".repeat(100_000).getBytes(StandardCharsets.US_ASCII));
        big.write("\r\n".getBytes(StandardCharsets.US_ASCII));
        String script =
                "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
                        + big
                        + ".\r\n"
                        + "MAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\nBDAT "
                        + big.size()
                        + " LAST\r\n"
                        + big
                        + "QUIT\r\n";
        ScriptedConnection connection =
                new ScriptedConnection(
                        script.getBytes(StandardCharsets.US_ASCII),
                        ScriptedConnection.Portions.LINES);
        node.as(Role.SMTP).converse(connection);
        assertEquals(big.toString(), TestNode.body(node.queued().get(0), 1));
        assertEquals(big.toString(), TestNode.body(node.queued().get(1), 1));
    }
}
