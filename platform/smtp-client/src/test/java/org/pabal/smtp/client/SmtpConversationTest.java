package org.pabal.smtp.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.smtp.client.Post.LETTER;
import static org.pabal.smtp.client.Post.WHERE;
import static org.pabal.smtp.client.Post.begun;
import static org.pabal.smtp.client.Post.from;
import static org.pabal.smtp.client.Post.send;
import static org.pabal.smtp.client.Post.to;
import static org.pabal.smtp.client.Post.told;
import static org.pabal.smtp.client.Post.with;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.Recipient;
import org.pabal.testkit.ScriptedMailServer;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

@Timeout(120)
class SmtpConversationTest {

    // --- greeting and EHLO ---

    // S3
    @Test
    void whoAcceptsAMessageBeforeItIsSentIsNotBelieved() throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .keywords("PIPELINING")
                                .reply("DATA", "354 go ahead\n250 2.0.0 queued");
                var conversation =
                        new SmtpConversation(
                                new Socket(server.address().getAddress(), server.port()),
                                "client.example.org",
                                false,
                                Post.PATIENCE)) {
            conversation.begin();
            IOException e =
                    assertThrows(IOException.class, () -> Post.send(conversation, "b@example.net"));
            assertTrue(e.getMessage().contains("unasked"), e::getMessage);
            assertFalse(conversation.mayHaveTaken());
        }
    }

    @Test
    void readsAGreetingOfManyLinesAndTheKeywords() throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .reply("", "220-mx.example.net\n220-no spam\n220 ready")
                                .keywords("SIZE 1000", "8bitmime", "AUTH PLAIN", "AUTH=LOGIN");
                var conversation = with(server)) {
            Reply reply = conversation.begin();

            assertTrue(reply.ok());
            assertEquals(1000, conversation.capabilities().size().orElseThrow());
            assertTrue(conversation.capabilities().eightBit());
            assertTrue(conversation.capabilities().mechanisms().contains("PLAIN"));
            assertTrue(conversation.capabilities().mechanisms().contains("LOGIN"));
            assertFalse(conversation.capabilities().pipelining());
            assertTrue(conversation.reusable());
            assertEquals(List.of("EHLO client.example.org"), server.commands());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"554 5.3.2 no mail here", "421 4.3.2 later", "451 4.7.1 too many"})
    void aGreetingThatRefusesIsTheAnswer(String greeting) throws Exception {
        try (var server = new ScriptedMailServer().reply("", greeting);
                var conversation = with(server)) {
            Reply reply = conversation.begin();

            assertEquals(greeting, reply.status().toString());
            assertFalse(conversation.reusable());
            assertThrows(IOException.class, () -> send(conversation, "b@example.net"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 501, 502, 504})
    void saysHeloToWhomEhloIsUnknown(int code) throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .reply("EHLO", code + " what")
                                .reply("HELO", "250-mx.example.net\n250 PIPELINING");
                var conversation = with(server)) {
            assertTrue(conversation.begin().ok());
            assertEquals(Capabilities.NONE, conversation.capabilities());
            assertEquals("delivered", told(send(conversation, "b@example.net"), "b@example.net"));
        }
    }

    @Test
    void doesNotSayHeloToWhomWeAreNotWelcome() throws Exception {
        try (var server = new ScriptedMailServer().reply("EHLO", "550 5.7.1 not you");
                var conversation = with(server)) {
            assertEquals(550, conversation.begin().code());
            assertEquals(List.of("EHLO client.example.org"), server.commands());
        }
    }

    @Test
    void whoSpeaksOnAfterTheGreetingIsOutOfStep() throws Exception {
        try (var server = new ScriptedMailServer().reply("", "220 hello\n250 and more");
                var conversation = with(server)) {
            assertThrows(IOException.class, conversation::begin);
        }
    }

    @Test
    void whoClosesInsteadOfGreetingIsTold() throws Exception {
        try (var server = new ScriptedMailServer().reply("", ScriptedMailServer.HANG_UP);
                var conversation = with(server)) {
            EOFException e = assertThrows(EOFException.class, conversation::begin);
            assertEquals("closed the connection instead of answering our call", e.getMessage());
        }
    }

    @Test
    void nameCannotCarryACommand() throws Exception {
        try (var server = new ScriptedMailServer()) {
            try (var socket = new Socket(server.address().getAddress(), server.port())) {
                assertThrows(
                        IllegalArgumentException.class,
                        () -> new SmtpConversation(socket, "a\r\nRSET", false, Post.PATIENCE));
            }
        }
    }

    // --- one message ---

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                    | MAIL RCPT RCPT DATA",
                "PIPELINING            | MAIL RCPT RCPT DATA",
                "CHUNKING              | MAIL RCPT RCPT BDAT",
                "PIPELINING,CHUNKING   | MAIL RCPT RCPT BDAT"
            })
    void handsOverAMessage(String keywords, String commands) throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .keywords(
                                        keywords.isBlank()
                                                ? new String[0]
                                                : keywords.strip().split(","));
                var conversation = begun(server)) {
            for (int i = 0; i < 3; i++) {
                Map<MailAddress, Outcome> outcomes =
                        send(conversation, "b@example.net", "c@example.net");
                assertEquals(
                        new Outcome.Delivered(WHERE + " 250 2.0.0 queued"),
                        outcomes.get(Post.address("b@example.net")));
                assertEquals("delivered", told(outcomes, "c@example.net"));
                assertTrue(conversation.reusable());
            }
            conversation.quit();

            ScriptedMailServer.Mail mail = server.awaitMails(3).getLast();
            assertArrayEquals(LETTER.octets(), mail.octets());
            assertEquals("<a@example.org>", mail.from());
            assertEquals(List.of("<b@example.net>", "<c@example.net>"), mail.to());
            assertEquals(keywords.contains("CHUNKING"), mail.chunked());
            String once = commands + " ";
            assertEquals("EHLO " + once.repeat(3) + "QUIT", verbs(server));
        }
    }

    private static String verbs(ScriptedMailServer server) {
        return String.join(
                " ", server.commands().stream().map(line -> line.split(" ")[0]).toList());
    }

    @Test
    void withPipeliningAllCommandsGoInOneFlight() throws Exception {
        // says nothing before DATA: who waits for the answer to MAIL would wait for ever
        try (var server =
                        new ScriptedMailServer()
                                .keywords("PIPELINING")
                                .reply("MAIL", ScriptedMailServer.SILENCE)
                                .reply("RCPT", ScriptedMailServer.SILENCE)
                                .reply("DATA", "250 ok\n250 ok\n503 5.5.1 nobody is here");
                var conversation = begun(server)) {
            assertEquals(
                    "failed 503 5.5.1", told(send(conversation, "b@example.net"), "b@example.net"));
        }
    }

    @Test
    void withChunkingAShortMessageGoesInTheSameFlight() throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .keywords("PIPELINING", "CHUNKING")
                                .reply("MAIL", ScriptedMailServer.SILENCE)
                                .reply("RCPT", ScriptedMailServer.SILENCE)
                                .reply("BDAT", "250 ok\n250 ok\n250 2.6.0 taken");
                var conversation = begun(server)) {
            assertEquals("delivered", told(send(conversation, "b@example.net"), "b@example.net"));
        }
    }

    @Test
    void withoutPipeliningEachReplyIsAwaited() throws Exception {
        try (var server = new ScriptedMailServer();
                var conversation = begun(server)) {
            send(conversation, "b@example.net", "c@example.net");

            assertEquals(List.of(), server.sessions().getFirst().pipelined());
        }
    }

    @Test
    void parametersGoOnlyToWhomTheyMeanSomething() throws Exception {
        Map<String, String> all =
                Map.of(
                        "BODY", "8BITMIME",
                        "SMTPUTF8", "",
                        "RET", "HDRS",
                        "ENVID", "QQ314159",
                        "MT-PRIORITY", "-3",
                        "REQUIRETLS", "");
        Recipient recipient =
                new Recipient(
                        Post.address("b@example.net"),
                        Map.of("NOTIFY", "SUCCESS,DELAY", "ORCPT", "rfc822;b+2Bc@example.com"));
        var letter = new Post.Letter("8 bit: é\r\n".getBytes("UTF-8"), "8BITMIME", true);
        try (var server =
                new ScriptedMailServer()
                        .keywords(
                                "SIZE",
                                "8BITMIME",
                                "SMTPUTF8",
                                "DSN",
                                "DELIVERBY",
                                "MT-PRIORITY",
                                "REQUIRETLS")) {
            try (var conversation = begun(server)) {
                Map<MailAddress, Outcome> outcomes =
                        conversation.send(
                                from("a@example.org", all),
                                List.of(recipient),
                                letter,
                                "120;R",
                                WHERE);
                assertEquals(
                        new Outcome.Delivered(WHERE + " 250 2.0.0 queued", true),
                        outcomes.get(recipient.address()));
            }
            server.keywords();
            try (var conversation = begun(server)) {
                conversation.send(
                        from("", all), List.of(recipient), new Post.Letter("hi\n"), "120;R", WHERE);
            }
            assertEquals(
                    List.of(
                            "EHLO client.example.org",
                            "MAIL FROM:<a@example.org> SIZE=11 BODY=8BITMIME SMTPUTF8 RET=HDRS"
                                    + " ENVID=QQ314159 BY=120;R MT-PRIORITY=-3 REQUIRETLS",
                            "RCPT TO:<b@example.net> NOTIFY=SUCCESS,DELAY"
                                    + " ORCPT=rfc822;b+2Bc@example.com",
                            "DATA",
                            "EHLO client.example.org",
                            "MAIL FROM:<>",
                            "RCPT TO:<b@example.net>",
                            "DATA"),
                    server.commands());
        }
    }

    @Test
    void nothingInAnEnvelopeGetsOutOfItsPlace() throws Exception {
        Map<String, String> bad = Map.of("RET", "FULL\r\nRSET", "ENVID", "a b", "BY", "x");
        var smuggler = new MailAddress("a\r\nRSET", "example.org");
        var parametric = new MailAddress("b", "example.net> NOTIFY=NEVER");
        Recipient odd =
                new Recipient(
                        new MailAddress("b \"> SIZE=1", "example.net"),
                        Map.of("NOTIFY", "NEVER\r\nDATA", "ORCPT", "utf-8;ü@example.net"));
        try (var server = new ScriptedMailServer().keywords("DSN", "DELIVERBY");
                var conversation = begun(server)) {
            assertEquals(
                    "5.1.7",
                    failure(
                            conversation.send(
                                    Post.entry(new Envelope(Optional.of(smuggler), List.of())),
                                    to("b@example.net"),
                                    LETTER,
                                    "",
                                    WHERE)));
            assertEquals(
                    "5.1.3",
                    failure(
                            conversation.send(
                                    from(""),
                                    List.of(new Recipient(parametric)),
                                    LETTER,
                                    "",
                                    WHERE)));
            assertEquals(
                    "5.6.7",
                    failure(
                            conversation.send(
                                    from(""),
                                    List.of(new Recipient(new MailAddress("ü", "example.net"))),
                                    LETTER,
                                    "",
                                    WHERE)));
            conversation.send(from("a@example.org", bad), List.of(odd), LETTER, "1\r\nRSET", WHERE);

            assertEquals(
                    List.of(
                            "EHLO client.example.org",
                            "MAIL FROM:<a@example.org>",
                            "RCPT TO:<\"b \\\"> SIZE=1\"@example.net>"
                                    + " ORCPT=utf-8;\\x{FC}@example.net",
                            "DATA"),
                    server.commands());
        }
    }

    private static String failure(Map<MailAddress, Outcome> outcomes) {
        return ((Outcome.Failed) outcomes.values().iterator().next()).why().enhanced();
    }

    @Test
    void aMessageTheyAreTooSmallForIsNotSent() throws Exception {
        try (var server = new ScriptedMailServer().keywords("SIZE 20");
                var conversation = begun(server)) {
            Map<MailAddress, Outcome> outcomes = send(conversation, "b@example.net");

            assertEquals("failed 552 5.3.4", told(outcomes, "b@example.net"));
            assertTrue(conversation.reusable());
            assertEquals("EHLO", verbs(server));
        }
    }

    @Test
    void dataOfAMessageThatIsNotAsLongAsItSaidIsNeverEnded() throws Exception {
        for (int said : new int[] {LETTER.octets().length - 1, LETTER.octets().length + 1}) {
            OutgoingMessage liar =
                    new OutgoingMessage() {
                        @Override
                        public String body() {
                            return "";
                        }

                        @Override
                        public boolean utf8() {
                            return false;
                        }

                        @Override
                        public long size() {
                            return said;
                        }

                        @Override
                        public void writeDotted(OutputStream out) throws IOException {
                            LETTER.writeDotted(out);
                        }

                        @Override
                        public void writePlain(OutputStream out) throws IOException {
                            LETTER.writePlain(out);
                        }
                    };
            for (String[] keywords : new String[][] {{"CHUNKING"}, {"CHUNKING", "PIPELINING"}}) {
                try (var server = new ScriptedMailServer().keywords(keywords);
                        var conversation = begun(server)) {
                    assertThrows(
                            IOException.class,
                            () ->
                                    conversation.send(
                                            from(""), to("b@example.net"), liar, "", WHERE));
                    assertFalse(conversation.reusable());
                    assertEquals(List.of(), server.mails());
                }
            }
        }
    }

    // --- refusals ---

    @ParameterizedTest
    @ValueSource(strings = {"", "PIPELINING", "CHUNKING", "PIPELINING,CHUNKING"})
    void eachRecipientHasItsOwnOutcome(String keywords) throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .keywords(keywords.split(","))
                                .reply("RCPT TO:<no@", "550 5.1.1 no such mailbox")
                                .reply("RCPT TO:<later@", "450-4.2.1 come\n450 4.2.1 again");
                var conversation = begun(server)) {
            Map<MailAddress, Outcome> outcomes =
                    send(conversation, "no@example.net", "yes@example.net", "later@example.net");

            assertEquals("failed 550 5.1.1", told(outcomes, "no@example.net"));
            assertEquals("delivered", told(outcomes, "yes@example.net"));
            assertEquals("deferred 450 4.2.1", told(outcomes, "later@example.net"));
            Outcome.Failed no = (Outcome.Failed) outcomes.get(Post.address("no@example.net"));
            assertEquals(WHERE + " said: no such mailbox", no.why().text());
            assertEquals(List.of("<yes@example.net>"), server.mails().getFirst().to());
            assertTrue(conversation.reusable());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'',                    MAIL RCPT RSET MAIL RCPT DATA",
        "PIPELINING,            MAIL RCPT DATA RSET MAIL RCPT DATA",
        "CHUNKING,              MAIL RCPT RSET MAIL RCPT BDAT",
        "PIPELINING CHUNKING,   MAIL RCPT BDAT RSET MAIL RCPT BDAT"
    })
    void goesOnAfterAllRecipientsWereRefused(String keywords, String verbs) throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .keywords(keywords.split(" "))
                                .reply("RCPT TO:<no@", "550 5.1.1 no such mailbox");
                var conversation = begun(server)) {
            assertEquals(
                    "failed 550 5.1.1",
                    told(send(conversation, "no@example.net"), "no@example.net"));
            assertTrue(conversation.reusable());
            assertEquals("delivered", told(send(conversation, "b@example.net"), "b@example.net"));
            assertEquals("EHLO " + verbs, verbs(server));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "PIPELINING", "CHUNKING", "PIPELINING,CHUNKING"})
    void aSenderWhoIsRefusedIsRefusedForAll(String keywords) throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .keywords(keywords.split(","))
                                .reply("MAIL", "550 5.7.1 not from you", "250 2.1.0 ok");
                var conversation = begun(server)) {
            Map<MailAddress, Outcome> outcomes =
                    send(conversation, "b@example.net", "c@example.net");

            assertEquals("failed 550 5.7.1", told(outcomes, "b@example.net"));
            assertEquals("failed 550 5.7.1", told(outcomes, "c@example.net"));
            assertTrue(conversation.reusable());
            assertEquals("delivered", told(send(conversation, "b@example.net"), "b@example.net"));
        }
    }

    @Test
    void whoSays354ToAMessageForNobodyGetsALoneDot() throws Exception {
        // RFC 2920 §3.1
        try (var server =
                        new ScriptedMailServer()
                                .keywords("PIPELINING")
                                .reply("RCPT TO:<no@", "550 5.1.1 no such mailbox")
                                .reply("DATA", "354 go on", "354 go on")
                                .reply(".", "554 5.5.1 no recipients", "250 2.0.0 queued");
                var conversation = begun(server)) {
            assertEquals(
                    "failed 550 5.1.1",
                    told(send(conversation, "no@example.net"), "no@example.net"));
            assertEquals("delivered", told(send(conversation, "b@example.net"), "b@example.net"));
            assertArrayEquals(LETTER.octets(), server.mails().getFirst().octets());
            assertEquals(1, server.mails().size());
        }
    }

    @ParameterizedTest
    @CsvSource({"''", "PIPELINING", "CHUNKING", "PIPELINING CHUNKING"})
    void whatIsSaidOfTheEndIsForAllWhoWereAccepted(String keywords) throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .keywords(keywords.split(" "))
                                .reply("RCPT TO:<no@", "550 5.1.1 no such mailbox")
                                .reply(".", "554 5.6.0 we do not like it", "250 2.0.0 queued");
                var conversation = begun(server)) {
            Map<MailAddress, Outcome> outcomes =
                    send(conversation, "b@example.net", "no@example.net", "c@example.net");

            assertEquals("failed 554 5.6.0", told(outcomes, "b@example.net"));
            assertEquals("failed 550 5.1.1", told(outcomes, "no@example.net"));
            assertEquals("failed 554 5.6.0", told(outcomes, "c@example.net"));
            assertTrue(conversation.reusable());
            assertEquals("delivered", told(send(conversation, "b@example.net"), "b@example.net"));
        }
    }

    @Test
    void a2xxToDataIsNoDelivery() throws Exception {
        try (var server = new ScriptedMailServer().reply("DATA", "250 2.0.0 thanks");
                var conversation = begun(server)) {
            assertThrows(IOException.class, () -> send(conversation, "b@example.net"));
        }
    }

    @Test
    void a3xxToARecipientIsNoRefusalForEver() throws Exception {
        try (var server = new ScriptedMailServer().reply("RCPT", "354 tell me more");
                var conversation = begun(server)) {
            assertEquals(
                    "deferred 451", told(send(conversation, "b@example.net"), "b@example.net"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"MAIL", "RCPT TO:<c@", "DATA", "."})
    void a421DefersWhatIsNotAnsweredYet(String command) throws Exception {
        for (String[] keywords : new String[][] {{}, {"PIPELINING"}}) {
            try (var server =
                            new ScriptedMailServer()
                                    .keywords(keywords)
                                    .reply("RCPT TO:<no@", "550 5.1.1 no such mailbox")
                                    .reply(
                                            command,
                                            "421 4.3.2 going down\n" + ScriptedMailServer.HANG_UP);
                    var conversation = begun(server)) {
                Map<MailAddress, Outcome> outcomes =
                        send(conversation, "no@example.net", "c@example.net", "d@example.net");

                String no = command.equals("MAIL") ? "deferred 421 4.3.2" : "failed 550 5.1.1";
                assertEquals(no, told(outcomes, "no@example.net"));
                assertEquals("deferred 421 4.3.2", told(outcomes, "c@example.net"));
                assertEquals("deferred 421 4.3.2", told(outcomes, "d@example.net"));
                assertFalse(conversation.reusable());
                assertThrows(IOException.class, () -> send(conversation, "c@example.net"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"MAIL", "RCPT", "DATA", "."})
    void whoHangsUpIsNotUnderstoodAsAnything(String command) throws Exception {
        try (var server = new ScriptedMailServer().reply(command, ScriptedMailServer.HANG_UP);
                var conversation = begun(server)) {
            IOException e =
                    assertThrows(IOException.class, () -> send(conversation, "b@example.net"));
            String what = command.equals(".") ? "the end of the message" : command;
            assertEquals("closed the connection instead of answering " + what, e.getMessage());
            assertFalse(conversation.reusable());
        }
    }

    // --- many recipients ---

    private static String[] many(int number) {
        String[] addresses = new String[number];
        Arrays.setAll(addresses, i -> "b" + i + "@example.net");
        return addresses;
    }

    @Test
    void aThousandRecipientsWithLongRepliesAreNoDeadlock() throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .keywords("PIPELINING", "CHUNKING")
                                .reply("RCPT", "250 2.1.5 " + "welcome ".repeat(60));
                var conversation = begun(server)) {
            Map<MailAddress, Outcome> outcomes = send(conversation, many(1_000));

            assertEquals(1_000, outcomes.size());
            assertTrue(outcomes.values().stream().allMatch(o -> o instanceof Outcome.Delivered));
            assertEquals(1_000, server.mails().getFirst().to().size());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'',                    452 4.5.3 too many",
        "PIPELINING,            452 4.5.3 too many",
        "PIPELINING CHUNKING,   452 too many recipients",
        "'',                    552 too many recipients"
    })
    void whoTakesOnlySomeRecipientsGetsTheOthersLater(String keywords, String refusal)
            throws Exception {
        try (var server =
                new ScriptedMailServer()
                        .keywords(keywords.split(" "))
                        .script(
                                (session, command) ->
                                        command.startsWith("RCPT") && afterTen(session)
                                                ? Optional.of(refusal)
                                                : Optional.empty())) {
            try (var conversation = begun(server)) {
                List<String> left = new ArrayList<>(List.of(many(25)));
                int transactions = 0;
                while (!left.isEmpty()) {
                    Map<MailAddress, Outcome> outcomes =
                            send(conversation, left.toArray(String[]::new));
                    assertTrue(
                            outcomes.values().stream()
                                    .allMatch(o -> o instanceof Outcome.Delivered));
                    assertTrue(left.removeIf(a -> outcomes.containsKey(Post.address(a))));
                    transactions++;
                }
                assertEquals(3, transactions);
                assertEquals(3, server.mails().size());
            }
        }
    }

    /// Whether ten RCPT have come since the last MAIL, this one not counted.
    private static boolean afterTen(ScriptedMailServer.Session session) {
        List<String> commands = new ArrayList<>(session.commands());
        Collections.reverse(commands);
        int number = 0;
        for (String command : commands) {
            if (command.startsWith("MAIL")) {
                break;
            }
            number += command.startsWith("RCPT") ? 1 : 0;
        }
        return number > 10;
    }

    @Test
    void ifTheFirstRecipientIsOneTooManyItIsDeferred() throws Exception {
        try (var server = new ScriptedMailServer().reply("RCPT", "552 5.5.3 too many");
                var conversation = begun(server)) {
            assertEquals(
                    "deferred 452 4.5.3",
                    told(send(conversation, "b@example.net"), "b@example.net"));
        }
    }

    @Test
    void keepsTheLimitsThatAreAnnounced() throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .keywords("LIMITS RCPTMAX=2 MAILMAX=2 RCPTDOMAINMAX=2");
                var conversation = begun(server)) {
            Map<MailAddress, Outcome> outcomes =
                    send(conversation, "a@example.net", "b@example.com", "c@example.net");
            assertEquals("delivered", told(outcomes, "b@example.com"));
            assertEquals("untried", told(outcomes, "c@example.net"));
            assertTrue(conversation.reusable());

            outcomes = send(conversation, "d@example.org", "c@example.net");
            assertEquals("untried", told(outcomes, "d@example.org"));
            assertEquals("delivered", told(outcomes, "c@example.net"));
            assertFalse(conversation.reusable());
        }
    }

    // --- large messages ---

    private static Post.Letter large(int lines) {
        return new Post.Letter(("x".repeat(62) + "\n").repeat(lines));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "PIPELINING", "CHUNKING", "PIPELINING,CHUNKING"})
    void aLargeMessageArrivesAsItWas(String keywords) throws Exception {
        Post.Letter large = large(15_000);
        try (var server = new ScriptedMailServer().keywords(keywords.split(","));
                var conversation = begun(server)) {
            conversation.send(from(""), to("b@example.net"), large, "", WHERE);

            assertArrayEquals(large.octets(), server.mails().getFirst().octets());
            if (keywords.contains("CHUNKING")) {
                assertEquals(
                        List.of("BDAT 262144", "BDAT 262144", "BDAT 262144", "BDAT 173568 LAST"),
                        server.commands().stream().filter(c -> c.startsWith("BDAT")).toList());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"CHUNKING", "PIPELINING,CHUNKING"})
    void aChunkThatIsRefusedEndsTheMessageThere(String keywords) throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .keywords(keywords.split(","))
                                .reply("BDAT 262144", "552 5.2.2 over quota");
                var conversation = begun(server)) {
            Map<MailAddress, Outcome> outcomes =
                    conversation.send(from(""), to("b@example.net"), large(15_000), "", WHERE);

            assertEquals("failed 552 5.2.2", told(outcomes, "b@example.net"));
            assertTrue(conversation.reusable());
            assertEquals("delivered", told(send(conversation, "b@example.net"), "b@example.net"));
            assertTrue(server.commands().contains("RSET"));
            assertArrayEquals(LETTER.octets(), server.mails().getFirst().octets());
        }
    }

    @Test
    void whoRefusesInTheMiddleOfAMessageIsHeard() throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .script(
                                        (session, command) -> {
                                            if (command.equals("DATA")) {
                                                session.send("354 go\r\n");
                                                session.read(100_000);
                                                return Optional.of(
                                                        "552 5.3.4 enough\n"
                                                                + ScriptedMailServer.HANG_UP);
                                            }
                                            return Optional.empty();
                                        });
                var conversation = begun(server)) {
            Map<MailAddress, Outcome> outcomes =
                    conversation.send(from(""), to("b@example.net"), large(15_000), "", WHERE);
            assertEquals("failed 552 5.3.4", told(outcomes, "b@example.net"));
        }
    }

    // --- LMTP ---

    @ParameterizedTest
    @ValueSource(strings = {"", "PIPELINING", "CHUNKING", "PIPELINING,CHUNKING"})
    void overLmtpEachRecipientIsAnsweredAtTheEnd(String keywords) throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .lmtp()
                                .keywords(keywords.split(","))
                                .reply("RCPT TO:<no@", "550 5.1.1 no such mailbox")
                                .reply(". <full@", "452 4.2.2 over quota");
                var conversation = with(server, true, Post.PATIENCE)) {
            assertTrue(conversation.begin().ok());
            for (int i = 0; i < 2; i++) {
                Map<MailAddress, Outcome> outcomes =
                        send(conversation, "full@example.net", "no@example.net", "b@example.net");
                assertEquals("deferred 452 4.2.2", told(outcomes, "full@example.net"));
                assertEquals("failed 550 5.1.1", told(outcomes, "no@example.net"));
                assertEquals("delivered", told(outcomes, "b@example.net"));
            }
            assertEquals(
                    "failed 550 5.1.1",
                    told(send(conversation, "no@example.net"), "no@example.net"));
            assertEquals("delivered", told(send(conversation, "b@example.net"), "b@example.net"));
            assertEquals(List.of("<b@example.net>"), server.mails().getFirst().to());
        }
    }

    @Test
    void whatLmtpHasAnsweredCountsWhenTheRestIsLost() throws Exception {
        try (var server =
                        new ScriptedMailServer().lmtp().reply(". <c@", ScriptedMailServer.HANG_UP);
                var conversation = with(server, true, Post.PATIENCE)) {
            conversation.begin();
            Map<MailAddress, Outcome> outcomes =
                    send(conversation, "b@example.net", "c@example.net", "d@example.net");

            assertEquals("delivered", told(outcomes, "b@example.net"));
            assertEquals("deferred 451 4.4.2", told(outcomes, "c@example.net"));
            assertEquals("deferred 451 4.4.2", told(outcomes, "d@example.net"));
            assertFalse(conversation.reusable());
        }
    }

    // --- patience ---

    private static ClientPatience brief(int millis) {
        Duration brief = Duration.ofMillis(millis);
        return new ClientPatience(Duration.ofSeconds(30), brief, brief, brief);
    }

    private static ClientPatience taking(Duration block) {
        Duration ample = Duration.ofSeconds(30);
        return new ClientPatience(ample, ample, block, ample);
    }

    @Test
    void whoSaysNothingIsLeft() throws Exception {
        try (var server = new ScriptedMailServer().reply("MAIL", ScriptedMailServer.SILENCE);
                var conversation = with(server, false, brief(50))) {
            conversation.begin();
            assertThrows(SocketTimeoutException.class, () -> send(conversation, "b@example.net"));
            assertFalse(conversation.reusable());
        }
    }

    @Test
    void whoDripsAReplyOctetByOctetIsLeft() throws Exception {
        var closed = new CountDownLatch(1);
        try (var server =
                        new ScriptedMailServer()
                                .script(
                                        (session, command) -> {
                                            if (command.startsWith("MAIL")) {
                                                session.send("250-");
                                                while (!closed.await(5, TimeUnit.MILLISECONDS)) {
                                                    session.send("x");
                                                }
                                            }
                                            return Optional.empty();
                                        });
                var conversation = with(server, false, brief(200))) {
            conversation.begin();
            assertThrows(SocketTimeoutException.class, () -> send(conversation, "b@example.net"));
            closed.countDown();
        }
    }

    @Test
    void whoTakesNothingIsLeft() throws Exception {
        var closed = new CountDownLatch(1);
        try (var server =
                        new ScriptedMailServer()
                                .script(
                                        (session, command) -> {
                                            if (command.equals("DATA")) {
                                                session.send("354 go\r\n");
                                                closed.await();
                                            }
                                            return Optional.empty();
                                        });
                var conversation = with(server, false, taking(Duration.ofMillis(300)))) {
            conversation.begin();
            IOException e =
                    assertThrows(
                            IOException.class,
                            () ->
                                    conversation.send(
                                            from(""),
                                            to("b@example.net"),
                                            large(400_000),
                                            "",
                                            WHERE));
            assertTrue(e.getMessage().contains("took no more"), e.getMessage());
            closed.countDown();
        }
    }

    // --- the end ---

    @Test
    void whoHasClosedMeanwhileIsNotReusable() throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .reply(
                                        ".",
                                        "250 2.0.0 queued\n421 4.4.2 idle\n"
                                                + ScriptedMailServer.HANG_UP);
                var conversation = begun(server)) {
            send(conversation, "b@example.net");
            while (conversation.reusable()) {
                Thread.onSpinWait();
            }
            assertThrows(IOException.class, () -> send(conversation, "b@example.net"));
        }
    }

    @Test
    void whoHasOnlyClosedIsNotReusableAfterAWhile() throws Exception {
        try (var server =
                        new ScriptedMailServer()
                                .reply(".", "250 2.0.0 queued\n" + ScriptedMailServer.HANG_UP);
                var conversation = begun(server)) {
            send(conversation, "b@example.net");
            while (conversation.reusable()) {
                Thread.onSpinWait();
            }
            assertFalse(conversation.reusable());
        }
    }

    @Test
    void quitSaysGoodbyeAndCloses() throws Exception {
        try (var server = new ScriptedMailServer();
                var conversation = begun(server)) {
            conversation.quit();
            assertFalse(conversation.reusable());
            assertEquals("EHLO QUIT", verbs(server));
        }
    }
}
