package org.pabal.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.US_ASCII;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.mail.ForwardedSenders;
import org.pabal.mail.MailPolicy;
import org.pabal.protocol.Peer;
import org.pabal.testkit.TestConnection;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// What strangers try (the rows of the house's list of attacks that concern the receiving of mail),
/// one test or more for each.
final class SecurityTest {

    private static final String GREETED =
            """
            S~ 220 .*
            C: EHLO client.example.org
            S* 250 .*
            """;

    private static final String ADDRESSED =
            GREETED
                    + """
                    C: MAIL FROM:<a@example.org>
                    C: RCPT TO:<bob@example.test>
                    S~ 250 .*
                    S~ 250 .*
                    """;

    private static final String IN_DATA =
            ADDRESSED
                    + """
                    C: DATA
                    S~ 354 .*
                    """;

    private static final String SIGNED_IN =
            GREETED
                    + """
                    C: AUTH PLAIN AGFsaWNlAHBhYmFs
                    S~ 235 .*
                    """;

    private final TestNode node = new TestNode();

    private static TestConnection stranger() {
        return new TestConnection()
                .from(
                        new Peer(
                                new InetSocketAddress(InetAddress.ofLiteral("192.0.2.66"), 40_000),
                                "smtp"));
    }

    // S1
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\\n.\\n",
                "\\r.\\r",
                "\\n.\\r\\n",
                "\\r\\n.\\n",
                "\\r.\\r\\n",
                "\\r\\n.\\r",
                "\\r\\n\\0.\\r\\n",
                "\\r\\n.\\0\\r\\n",
                "\\r\\r\\n.\\r\\n",
                "\\0",
                "\\r\\n..\\r"
            })
    void endsAMessageAtCrLfDotCrLfOnly(String falseEnd) throws Exception {
        node.play(
                Role.SMTP,
                IN_DATA
                        + "C! Subject: one\\r\\n\\r\\nfirst"
                        + falseEnd
                        + "MAIL FROM:<evil@example.org>\\r"
                        + "\\n"
                        + "RCPT TO:<bob@example.test>\\r"
                        + "\\n"
                        + "DATA\\r"
                        + "\\n"
                        + "second\\r"
                        + "\\n"
                        + ".\\r"
                        + "\\n\n"
                        + "S~ 550 5\\.5\\.2 .*\n"
                        + "-- close\n");
        assertEquals(List.of(), node.queued());
    }

    // S1: the same in chunks
    @ParameterizedTest
    @ValueSource(
            strings = {
                "BDAT 5 LAST\\r\\na\\n.\\nb",
                "BDAT 3 LAST\\r\\na\\rb",
                "BDAT 2 LAST\\r\\na\\0",
                "BDAT 2 LAST\\r\\na\\r"
            })
    void refusesAStrayLineEndInAChunk(String chunk) throws Exception {
        node.play(
                Role.SMTP,
                ADDRESSED + "C! " + chunk + "NOOP\\r\\n\nS~ 550 5\\.5\\.2 .*\n-- close\n");
        assertEquals(List.of(), node.queued());
    }

    // S1: a binary message may have them, but not where the header is read
    @Test
    void refusesAStrayLineEndInTheHeaderOfABinaryMessage() throws Exception {
        node.play(
                Role.SMTP,
                GREETED
                        + """
                        C: MAIL FROM:<a@example.org> BODY=BINARYMIME
                        C: RCPT TO:<bob@example.test>
                        C! BDAT 19 LAST\\r\\nSubject: a\\nb: c\\r\\n\\r\\n
                        S~ 250 .*
                        S~ 250 .*
                        S~ 550 5\\.5\\.2 .*
                        """);
        assertEquals(List.of(), node.queued());
    }

    // S1: commands
    @ParameterizedTest
    @ValueSource(
            strings = {
                "NOOP\\nQUIT\\r\\n",
                "NOOP\\n",
                "NOOP\\rQUIT\\r\\n",
                "NO\\0OP\\r\\n",
                "\\n",
                "\\r\\r\\n"
            })
    void closesOnABrokenCommandLine(String line) throws Exception {
        node.play(Role.SMTP, GREETED + "C! " + line + "\nS~ 500 5\\.5\\.2 .*\n-- close\n");
    }

    // S3
    @Test
    void refusesWhoTalksBeforeTheGreeting() throws Exception {
        TestConnection connection = new TestConnection();
        connection.toServer().write("EHLO client.example.org\r\n".getBytes(US_ASCII));
        node.play(Role.SMTP, "S~ 554 5\\.5\\.0 .*\n-- close\n", connection);
    }

    // S3
    @Test
    void refusesWhoDoesNotWaitForTheAnswerToEhlo() throws Exception {
        node.play(
                Role.SMTP,
                """
                S~ 220 .*
                C: EHLO client.example.org
                C: MAIL FROM:<a@example.org>
                S~ 554 5\\.5\\.0 .*
                -- close
                """);
    }

    // S3
    @Test
    void refusesWhoDoesNotWaitForTheAnswerToData() throws Exception {
        node.play(
                Role.SMTP,
                ADDRESSED
                        + """
                        C: DATA
                        C: Subject: too early
                        C: .
                        S~ 554 5\\.5\\.0 .*
                        -- close
                        """);
        assertEquals(List.of(), node.queued());
    }

    // S4
    @Test
    void obeysNothingThatCameBehindStartTlsInTheClear() throws Exception {
        node.play(
                Role.SMTP,
                GREETED
                        + """
                        C: STARTTLS
                        C: MAIL FROM:<evil@example.org>
                        S~ 554 5\\.5\\.0 .*
                        -- close
                        """,
                new TestConnection().allowStartTls());
    }

    // S4
    @Test
    void forgetsWhoSignedInBeforeTls() throws Exception {
        node.play(
                Role.SUBMISSION,
                SIGNED_IN
                        + """
                        C: STARTTLS
                        S~ 220 .*
                        -- starttls
                        C: EHLO client.example.org
                        S* 250-AUTH .*
                        S: 250 HELP
                        C: MAIL FROM:<alice@example.test>
                        S~ 530 5\\.7\\.0 .*
                        C: STARTTLS
                        S~ 503 5\\.5\\.1 .*
                        """,
                new TestConnection().allowStartTls());
    }

    // S5
    @Test
    void asksForNoPasswordInTheClear() throws Exception {
        for (Role role : List.of(Role.SMTP, Role.SUBMISSION)) {
            node.play(
                    role,
                    """
                    S~ 220 .*
                    C: EHLO client.example.org
                    S* 250-LIMITS .*
                    S: 250 HELP
                    C: AUTH LOGIN
                    S~ 538 5\\.7\\.11 .*
                    C: AUTH PLAIN AGFsaWNlAHBhYmFs
                    S~ 538 5\\.7\\.11 .*
                    """,
                    stranger());
        }
    }

    // S7
    @Test
    void boundsCommandLines() throws Exception {
        node.play(
                Role.SMTP,
                GREETED
                        + "C! NOOP \\{x*3000}\\r\\n\nS~ 500 5\\.5\\.2 .*\n"
                        + "C! NOOP \\{x*13000}\\r\\n\nS~ 500 5\\.5\\.2 .*\n"
                        + "C: NOOP\nS~ 250 .*\n"
                        + "C! \\{x*140000}\nS~ 500 5\\.5\\.2 .*\n-- close\n");
    }

    // S7
    @Test
    void takesCommandsOfEveryLengthBelowTheBound() throws Exception {
        node.limits =
                new SmtpLimits(
                        1,
                        1,
                        100,
                        1,
                        20,
                        Duration.ofMinutes(1),
                        Duration.ofMinutes(1),
                        Duration.ZERO);
        StringBuilder dialogue = new StringBuilder(GREETED);
        for (int length : new int[] {1_000, 1_016, 1_017, 1_018, 1_019, 1_020, 2_041}) {
            dialogue.append("C: NOOP ")
                    .append("x".repeat(length))
                    .append("\nC: NOOP\nS~ 250 .*\nS~ 250 .*\n");
        }
        node.play(Role.SMTP, dialogue.toString());
    }

    // S7
    @Test
    void boundsRecipients() throws Exception {
        node.limits(50_000_000, 256_000, 100, 10, 20);
        StringBuilder dialogue = new StringBuilder(GREETED).append("C: MAIL FROM:<>\nS~ 250 .*\n");
        dialogue.append("C: RCPT TO:<bob@example.test>\n".repeat(100))
                .append("S~ 250 .*\n".repeat(100));
        dialogue.append("C: RCPT TO:<alice@example.test>\n".repeat(100))
                .append("S~ 452 4\\.5\\.3 .*\n".repeat(100));
        dialogue.append("C: RCPT TO:<alice@example.test>\nS~ 421 4\\.7\\.0 .*\n-- close\n");
        node.play(Role.SMTP, dialogue.toString());
    }

    // S7
    @Test
    void boundsTheHeader() throws Exception {
        node.limits(50_000_000, 10_000, 100, 10, 20);
        node.play(
                Role.SMTP,
                IN_DATA
                        + "C! Subject: a\\r"
                        + "\\n"
                        + "\\{X: yyyyyyyyyyyyyyyyyyyyyyyyyyyy*400}\\r"
                        + "\\n"
                        + "\\r"
                        + "\\n"
                        + "body\\r"
                        + "\\n"
                        + ".\\r"
                        + "\\n\n"
                        + "S~ 552 5\\.3\\.4 .*\n"
                        + "C: NOOP\n"
                        + "S~ 250 .*\n");
        node.play(
                Role.SMTP,
                IN_DATA
                        + "C! Subject: a\\r"
                        + "\\n"
                        + "\\r"
                        + "\\n"
                        + "\\{yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy*400}\\r"
                        + "\\n"
                        + ".\\r"
                        + "\\n\n"
                        + "S~ 250 .*\n");
        assertEquals(1, node.queued().size());
    }

    // S7: what SIZE said does not count
    @Test
    void boundsTheMessageWhateverItsSizeParameterSaid() throws Exception {
        node.limits(1_000, 256_000, 100, 10, 20);
        String mail =
                GREETED
                        + """
                        C: MAIL FROM:<a@example.org> SIZE=10
                        C: RCPT TO:<bob@example.test>
                        C: DATA
                        S~ 250 .*
                        S~ 250 .*
                        S~ 354 .*
                        """;
        node.play(
                Role.SMTP,
                mail
                        + "C! \\{0123456789*101}\\r"
                        + "\\n"
                        + ".\\r"
                        + "\\n\n"
                        + "S~ 552 5\\.3\\.4 .*\n"
                        + "C: NOOP\n"
                        + "S~ 250 .*\n");
        node.play(Role.SMTP, mail + "C! \\{0123456789*10000}\nS~ 552 5\\.3\\.4 .*\n-- close\n");
        assertEquals(List.of(), node.queued());
    }

    // S7
    @Test
    void boundsChunks() throws Exception {
        node.play(
                Role.SMTP,
                ADDRESSED + "C: BDAT 9223372036854775808\nS~ 552 5\\.3\\.4 .*\n-- close\n");
        node.play(Role.SMTP, ADDRESSED + "C: BDAT -1\nS~ 501 5\\.5\\.2 .*\n-- close\n");
        node.play(
                Role.SMTP,
                ADDRESSED
                        + "C: BDAT 0\n".repeat(100)
                        + "S~ 250 .*\n".repeat(99)
                        + "S~ 421 4\\.7\\.0 .*\n-- close\n");
        node.limits(1_000, 256_000, 100, 10, 20);
        node.play(
                Role.SMTP,
                ADDRESSED
                        + "C! BDAT 600\\r"
                        + "\\n"
                        + "\\{x*600}BDAT 600\\r"
                        + "\\n"
                        + "\\{x*600}BDAT 3 LAST\\r"
                        + "\\n"
                        + "xxxNOOP\\r"
                        + "\\n\n"
                        + "S~ 250 .*\n"
                        + "S~ 552 5\\.3\\.4 .*\n"
                        + "S~ 503 5\\.5\\.1 .*\n"
                        + "S~ 250 .*\n");
        assertEquals(List.of(), node.queued());
    }

    // S7
    @Test
    void boundsCommandsThatBringNoMailOn() throws Exception {
        node.play(
                Role.SMTP,
                GREETED
                        + "C: NOOP\n".repeat(100)
                        + "S~ 250 .*\n".repeat(99)
                        + "S~ 421 4\\.7\\.0 .*\n-- close\n");
    }

    // S7
    @Test
    void boundsMessagesInOneConnection() throws Exception {
        node.limits(1_000, 1_000, 100, 1, 20);
        node.play(
                Role.SMTP,
                IN_DATA + "C: .\nS~ 250 .*\nC: MAIL FROM:<>\nS~ 421 4\\.7\\.0 .*\n-- close\n");
    }

    // S8
    @Test
    void waitsForAMessageOnlySoLong() throws Exception {
        node.play(Role.SMTP, IN_DATA + "C! Subj\n-- expire\nS~ 421 4\\.4\\.2 .*\n-- close\n");
        assertEquals(List.of(), node.queued());
    }

    // S15
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bob@example.test | alice@example.test | MAIL",
                "someone@example.org | alice@example.test | MAIL",
                "nobody@example.test | alice@example.test | MAIL",
                "far@example.test | alice@example.test | MAIL",
                "alice@example.test | bob@example.test | DATA",
                "alice@example.test | Alice <alice@example.test>, bob@example.test | DATA",
                "alice@example.test | alice@example.test (c) <bob@example.test> | DATA",
                "alice@example.test | Group: bob@example.test; | DATA",
                "alice@example.test | \"alice@example.test\" <@x.example:bob@example.test> | DATA",
                "alice@example.test | b(x)ob@example.test | DATA",
                "alice@example.test | <alice@example.test> bob@example.test | 250",
                "alice@example.test | alice@example.test <bob@example.test | DATA",
                "alice@example.test | Alice <ALICE@example.test> | 250",
                "team@example.test | team@example.test | 250",
                "alice+tag@example.test | Alice <alice+other@example.test> | 250",
                "ALICE+Tag@example.test | team+x@example.test | 250",
                "bob+alice@example.test | alice@example.test | MAIL",
                "alice@example.test | bob+alice@example.test | DATA",
                "all@example.test | team@example.test | 250",
                "caught@example.test | alice@example.test | MAIL",
                "*@example.test | alice@example.test | MAIL",
                "viacaught@example.test | alice@example.test | MAIL",
                "alice@example.test | caught@example.test | DATA",
                "postmaster@example.test | alice@example.test | 250",
                "'' | bob@example.test | DATA",
                "'' | Alice <alice@example.test> | 250",
            })
    void letsPeopleWriteInTheirOwnNameOnly(String sender, String from, String refused)
            throws Exception {
        // all → team → alice; a catch-all for alice, and an alias that leads to her by it alone
        alias("all@example.test", "team@example.test");
        alias("*@example.test", "alice@example.test");
        alias("viacaught@example.test", "ghost@example.test");
        String mail = SIGNED_IN + "C: MAIL FROM:<" + sender + ">\n";
        if (refused.equals("MAIL")) {
            node.play(Role.SUBMISSION, mail + "S~ 550 5\\.7\\.1 .*\n");
            return;
        }
        node.play(
                Role.SUBMISSION,
                mail
                        + "S~ 250 .*\n"
                        + "C: RCPT TO:<bob@example.test>\n"
                        + "S~ 250 .*\n"
                        + "C: DATA\n"
                        + "S~ 354 .*\n"
                        + "C: From: "
                        + from
                        + "\nC: \nC: .\n"
                        + (refused.equals("DATA")
                                ? "S~ 550 5\\.(7\\.1|6\\.0) .*\n"
                                : "S~ 250 .*\n"));
        assertEquals(refused.equals("DATA") ? 0 : 1, node.queued().size());
    }

    private void alias(String from, String to) {
        node.people.addAlias(TestNode.address(from), List.of(TestNode.address(to)));
    }

    // S15: the Sender field is for others who write on somebody's behalf, and nobody's proof
    @Test
    void letsASenderFieldSaveNoFromField() throws Exception {
        node.play(
                Role.SUBMISSION,
                SIGNED_IN
                        + """
                        C: MAIL FROM:<alice@example.test>
                        S~ 250 .*
                        C: RCPT TO:<bob@example.test>
                        S~ 250 .*
                        C: DATA
                        S~ 354 .*
                        C: From: bob@example.test
                        C: Sender: alice@example.test
                        C:
                        C: .
                        S: 550 5.7.1 <bob@example.test>: this address is not yours
                        """);
        assertEquals(List.of(), node.queued());
    }

    // S15: however the field is written
    @ParameterizedTest
    @ValueSource(
            strings = {
                "from : bob@example.test",
                "FROM:\\r\\n bob@example.test",
                "From: alice@example.test\\r\\nFrom: bob@example.test",
                "no field\\r\\nFrom: bob@example.test",
                "From:\\t\\r\\n\\t(\\r\\n x)bob@example.test"
            })
    void findsTheFromFieldHoweverItIsWritten(String header) throws Exception {
        node.play(
                Role.SUBMISSION,
                SIGNED_IN
                        + "C: MAIL FROM:<alice@example.test>\n"
                        + "S~ 250 .*\n"
                        + "C: RCPT TO:<bob@example.test>\n"
                        + "S~ 250 .*\n"
                        + "C: DATA\n"
                        + "S~ 354 .*\n"
                        + "C! Subject: x\\r"
                        + "\\n"
                        + header
                        + "\\r\\n\\r\\n.\\r\\n\nS~ 550 5\\.7\\.1 .*\n");
    }

    // S15
    @Test
    void letsStrangersWriteInNobodysNameHere() throws Exception {
        node.play(
                Role.SMTP,
                GREETED
                        + "C: MAIL FROM:<alice@example.test>\n"
                        + "S: 550 5.7.1 <alice@example.test>: sign in to write in this name\n",
                stranger());
        node.play(
                Role.SMTP,
                GREETED + "C: MAIL FROM:<nobody@example.test>\nS~ 550 5\\.7\\.1 .*\n",
                stranger());
        node.play(
                Role.SMTP,
                IN_DATA + "C: From: Alice <alice@example.test>\nC: \nC: .\nS~ 550 5\\.7\\.1 .*\n",
                stranger());
        node.play(
                Role.SMTP,
                IN_DATA + "C: From: Someone <someone@example.org>\nC: \nC: .\nS~ 250 .*\n",
                stranger());
        assertEquals(1, node.queued().size());
    }

    // S15: what we have sent on may come back to us
    @Test
    void letsMailComeBackThatWeHaveSentOn() throws Exception {
        String mail = GREETED + "C: MAIL FROM:<SRS0=%s@example.test>\nS~ %s .*\n";
        node.play(Role.SMTP, mail.formatted("good", "550 5\\.7\\.1"), stranger());
        node.forwarded = Optional.of(new TestNode.Srs());
        node.play(Role.SMTP, mail.formatted("good", "250"), stranger());
        node.play(Role.SMTP, mail.formatted("forged", "550 5\\.7\\.1"), stranger());
        node.play(
                Role.SUBMISSION,
                SIGNED_IN + "C: MAIL FROM:<SRS0=good@example.test>\nS~ 550 5\\.7\\.1 .*\n");
    }

    // S16
    @Test
    void decidesAboutRecipientsWhileTheClientListens() throws Exception {
        node.play(
                Role.SMTP,
                ADDRESSED
                        + """
                        C: RCPT TO:<nobody@example.test>
                        S~ 550 5\\.1\\.1 .*
                        C: RCPT TO:<team@example.test>
                        S~ 250 .*
                        C: RCPT TO:<far@example.test>
                        S~ 250 .*
                        C: DATA
                        S~ 354 .*
                        C: .
                        S~ 250 .*
                        """);
        assertEquals(
                List.of("bob@example.test", "team@example.test", "far@example.test"),
                node.queued().getFirst().envelope().addresses().stream()
                        .map(Object::toString)
                        .toList());
    }

    // S16
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nowhere | 550 5.1.1 <nowhere@example.test>: no such mailbox here",
                "nowhere+x | 550 5.1.1 <nowhere+x@example.test>: no such mailbox here",
                "further | 550 5.1.1 <further@example.test>: no such mailbox here",
                "circle | 554 5.4.6 <circle@example.test>: leads in a circle",
                "itself | 554 5.4.6 <itself@example.test>: leads in a circle",
                "deep2 | 554 5.4.6 <deep2@example.test>: leads in a circle",
                "deep3 | 250 2.1.5 recipient ok",
                "many | 550 5.2.4 <many@example.test>: leads to too many addresses",
                "half | 250 2.1.5 recipient ok",
                "copy | 250 2.1.5 recipient ok",
                "SRS0=good | 250 2.1.5 recipient ok",
                "SRS0=forged | 550 5.1.1 <SRS0=forged@example.test>: no such mailbox here",
            })
    void takesNoMailThatCannotBeDelivered(String localPart, String reply) throws Exception {
        node.forwarded = Optional.of(new TestNode.Srs());
        alias("nowhere@example.test", "nobody@example.test");
        alias("further@example.test", "nowhere@example.test");
        alias("circle@example.test", "circle2@example.test");
        alias("circle2@example.test", "circle@example.test");
        alias("itself@example.test", "itself@example.test");
        for (int i = 1; i <= 11; i++) {
            alias("deep" + i + "@example.test", "deep" + (i + 1) + "@example.test");
        }
        alias("deep12@example.test", "alice@example.test");
        node.people.addAlias(
                TestNode.address("many@example.test"),
                IntStream.range(0, 1_001)
                        .mapToObj(i -> TestNode.address("a" + i + "@example.org"))
                        .toList());
        node.people.addAlias(
                TestNode.address("half@example.test"),
                List.of(
                        TestNode.address("nobody@example.test"),
                        TestNode.address("someone@example.org")));
        node.people.addAlias(
                TestNode.address("copy@example.test"),
                List.of(
                        TestNode.address("copy@example.test"),
                        TestNode.address("bob@example.test")));
        for (TestConnection client : List.of(new TestConnection(), stranger())) {
            node.play(
                    Role.SMTP,
                    GREETED
                            + "C: MAIL FROM:<>\nS~ 250 .*\nC: RCPT TO:<"
                            + localPart
                            + "@example.test>\nS: "
                            + reply
                            + "\n",
                    client);
        }
    }

    // S14: who got mail that we forwarded has an address that leads back to whoever sent it
    @Test
    void takesOnlyBouncesForForwardedSenders() throws Exception {
        node.forwarded = Optional.of(new TestNode.Srs());
        String mail =
                GREETED + "C: MAIL FROM:<%s>\nS~ 250 .*\nC: RCPT TO:<SRS0=good@example.test>\n%s\n";
        node.play(Role.SMTP, mail.formatted("", "S~ 250 .*"), stranger());
        node.play(
                Role.SMTP,
                mail.formatted("spammer@example.org", "S~ 550 5\\.7\\.1 .*relaying denied"),
                stranger());
    }

    // S16: as long as nobody can say whose an address is, mail for it waits
    @Test
    void letsMailWaitWhenNobodyKnowsForwardedSenders() throws Exception {
        node.forwarded =
                Optional.of(
                        (ForwardedSenders)
                                Proxy.newProxyInstance(
                                        getClass().getClassLoader(),
                                        new Class<?>[] {ForwardedSenders.class},
                                        (proxy, method, arguments) -> {
                                            throw new NoClassDefFoundError("replaced");
                                        }));
        node.play(
                Role.SMTP,
                GREETED
                        + "C: MAIL FROM:<>\nS~ 250 .*\nC: RCPT TO:<SRS0=good@example.test>\n"
                        + "S: 451 4.3.0 cannot say now, try again later\n");
    }

    private static final String ONE_OF_ALICES =
            SIGNED_IN
                    + """
                    C: MAIL FROM:<alice@example.test>
                    S~ 250 .*
                    C: RCPT TO:<someone@example.org>
                    S~ 250 .*
                    C: DATA
                    S~ 354 .*
                    C: From: alice@example.test
                    C:
                    C: .
                    """;

    @Test
    void boundsWhatAnAccountSendsOverAllConnectionsAndRoles() throws Exception {
        node.sending = new SendingLimits(2, 3, node.clock);
        node.play(Role.SUBMISSION, ONE_OF_ALICES + "S~ 250 .*\n");
        node.play(
                Role.SMTP,
                ONE_OF_ALICES.replace(
                                "C: DATA\n",
                                "C: RCPT TO:<bob@example.test>\nS~ 250 .*\n"
                                        + "C: RCPT TO:<alice@example.test>\n"
                                        + "S~ 450 4\\.7\\.1 .* in 60 minutes\nC: DATA\n")
                        + "S~ 250 .*\n");
        String third =
                SIGNED_IN
                        + "C: MAIL FROM:<alice@example.test>\n"
                        + "S~ 451 4\\.7\\.1 .* 2 messages an hour, .*\n";
        node.play(Role.SUBMISSION, third);
        node.play(Role.SMTP, third);
        assertEquals(2, node.queued().size());
        node.play(Role.SMTP, IN_DATA + "C: .\nS~ 250 .*\n"); // strangers are not counted
        node.clock.advance(Duration.ofHours(1));
        node.play(Role.SUBMISSION, ONE_OF_ALICES + "S~ 250 .*\n");
    }

    @Test
    void countsNoMessageThatWasRefused() throws Exception {
        node.sending = new SendingLimits(1, 1, node.clock);
        String forged = ONE_OF_ALICES.replace("From: alice", "From: bob");
        node.play(Role.SUBMISSION, forged + "S~ 550 5\\.7\\.1 .*\n");
        node.play(
                Role.SUBMISSION,
                ONE_OF_ALICES.substring(0, ONE_OF_ALICES.indexOf("C: From"))
                        + "C: From: alice\n-- hangup\n");
        node.play(
                Role.SUBMISSION,
                ONE_OF_ALICES.replace(
                                "C: MAIL",
                                "C: MAIL FROM:<alice@example.test>\nS~ 250 .*\n"
                                        + "C: RCPT TO:<bob@example.test>\nS~ 250 .*\n"
                                        + "C: RSET\nS~ 250 .*\nC: MAIL")
                        + "S~ 250 .*\n");
        node.play(
                Role.SUBMISSION,
                SIGNED_IN + "C: MAIL FROM:<alice@example.test>\nS~ 451 4\\.7\\.1 .*\n");
        assertEquals(1, node.queued().size());
    }

    // S17
    @Test
    void endsACircle() throws Exception {
        node.play(
                Role.SMTP,
                IN_DATA
                        + "C! \\{Received: from a by b; today\r\n*51}\\r\\n.\\r\\n\nS~ 554 5\\.4\\.6 .*\n"
                                .replace("\r\n", "\\r\\n"));
        node.play(
                Role.SMTP,
                IN_DATA
                        + "C! \\{Received: from a by b; today\r\n*50}\\r\\n.\\r\\n\nS~ 250 .*\n"
                                .replace("\r\n", "\\r\\n"));
    }

    // S17: what an alias here led out does not come in by it again
    @Test
    void endsACircleOfAliasesBeforeItGrows() throws Exception {
        String mail = IN_DATA + "C: Delivered-To: %s\nC: \nC: Hello.\nC: .\nS~ %s .*\n";
        node.play(Role.SMTP, mail.formatted("bob@EXAMPLE.test", "554 5\\.4\\.6"), stranger());
        node.play(Role.SMTP, mail.formatted("other@example.test", "250"), stranger());
        assertEquals(1, node.queued().size());
    }

    // S18
    @Test
    void makesGuessingPasswordsSlowAndShort() throws Exception {
        node.play(
                Role.SUBMISSION,
                GREETED
                        + "C: AUTH PLAIN AGFsaWNlAHdyb25n\nS~ 535 5\\.7\\.8 .*\n".repeat(5)
                        + "C: AUTH PLAIN AGFsaWNlAHdyb25n\nS~ 421 4\\.7\\.0 .*\n-- close\n");
        assertEquals(6, node.pauses.size());
        assertTrue(node.pauses.stream().allMatch(Duration::isPositive));
    }

    // S18
    @Test
    void makesGuessingRecipientsSlowAndShort() throws Exception {
        StringBuilder dialogue = new StringBuilder(GREETED).append("C: MAIL FROM:<>\nS~ 250 .*\n");
        for (int i = 0; i < 20; i++) {
            dialogue.append("C: RCPT TO:<guess")
                    .append(i)
                    .append("@example.test>\nS~ 550 5\\.1\\.1 .*\n");
        }
        node.play(
                Role.SMTP,
                dialogue + "C: RCPT TO:<bob2@example.test>\nS~ 421 4\\.7\\.0 .*\n-- close\n");
        assertEquals(15, node.pauses.size());
    }

    // S19
    @Test
    void tellsNoDifferenceBetweenAWrongLoginAndAWrongPassword() throws Exception {
        String wrong = "S: 535 5.7.8 login or password is wrong\n";
        node.play(
                Role.SUBMISSION,
                GREETED
                        + "C: AUTH PLAIN "
                        + base64("\0alice\0wrong")
                        + "\n"
                        + wrong
                        + "C: AUTH PLAIN "
                        + base64("\0nobody\0wrong")
                        + "\n"
                        + wrong
                        + "C: AUTH LOGIN\nS~ 334 .*\nC: "
                        + base64("nobody")
                        + "\nS~ 334 .*\nC: "
                        + base64("x")
                        + "\n"
                        + wrong);
    }

    // S20
    @Test
    void answersBrokenSaslAsItShould() throws Exception {
        node.play(
                Role.SUBMISSION,
                GREETED
                        + "C: AUTH PLAIN !!!\nS~ 501 5\\.5\\.2 .*\n"
                        + "C: AUTH PLAIN =\nS~ 501 5\\.5\\.2 .*\n"
                        + "C: AUTH PLAIN\nS: 334 \nC: =\nS~ 501 5\\.5\\.2 .*\n"
                        + "C: AUTH PLAIN "
                        + base64("alice\0pabal")
                        + "\nS~ 501 5\\.5\\.2 .*\n"
                        + "C: AUTH PLAIN "
                        + base64("\0alice\0pabal\0x")
                        + "\nS~ 501 5\\.5\\.2 .*\n");
        // somebody else's account
        node.play(
                Role.SUBMISSION,
                GREETED
                        + "C: AUTH PLAIN "
                        + base64("bob\0alice\0pabal")
                        + "\nS~ 535 5\\.7\\.8 .*\n"
                        + "C: AUTH PLAIN "
                        + base64("\0' ) ( * \\\0pabal")
                        + "\nS~ 5.. .*\n"
                        + "C! AUTH PLAIN \\{QUFB*5000}\\r\\n\nS~ 500 5\\.5\\.. .*\n"
                        + "C: AUTH PLAIN\nS: 334 \nC! \\{QUFB*5000}\\r\\n\nS~ 500 5\\.5\\.6 .*\n"
                        + "C: AUTH PLAIN\nS: 334 \nC: *\nS~ 501 5\\.7\\.0 .*\n");
        node.play(
                Role.SUBMISSION,
                GREETED
                        + "C: AUTH PLAIN\n"
                        + "S: 334 \n"
                        + "C! AA\\n"
                        + "AA\\r"
                        + "\\n\n"
                        + "S~ 500 5\\.5\\.2 .*\n"
                        + "-- close\n");
    }

    // S21
    @Test
    void forgetsATransactionAtRset() throws Exception {
        node.play(
                Role.SMTP,
                ADDRESSED
                        + "C: RSET\nC: MAIL FROM:<b@example.org>\nC: RCPT TO:<alice@example.test>\n"
                        + "S~ 250 .*\nS~ 250 .*\nS~ 250 .*\nC: DATA\nS~ 354 .*\nC: .\nS~ 250 .*\n");
        assertEquals(
                List.of(TestNode.address("alice@example.test")),
                node.queued().getFirst().envelope().addresses());
        assertEquals(
                "b@example.org",
                node.queued().getFirst().envelope().sender().orElseThrow().toString());
    }

    // S11, S12
    @ParameterizedTest
    @ValueSource(
            strings = {
                "EHLO a(b)",
                "EHLO a;b",
                "EHLO a b",
                "HELO x\\x1B[2J",
                "MAIL FROM:<a\\tb@example.org>",
                "MAIL FROM:<\"a\\x7Fb\"@example.org>",
                "MAIL FROM:<\"a\\xC2\\x85b\"@example.org> SMTPUTF8",
                "MAIL FROM:<a@example.org> ENVID=a\\tb"
            })
    void takesNothingThatCouldBreakAFieldOrALogLine(String line) throws Exception {
        node.play(Role.SMTP, GREETED + "C! " + line + "\\r\\n\nS~ 501 .*\n");
    }

    // S11
    @ParameterizedTest
    @ValueSource(
            strings = {
                "X-A: b\r\nBcc: c",
                "X-A: b\r\n\r\nbody",
                "X-A: b\n c",
                "no field",
                "X A: b",
                "X-A: b\r\n"
            })
    void putsNoBrokenFieldAboveAMessage(String field) throws Exception {
        node.policies.add(
                new MailPolicy() {
                    @Override
                    public org.pabal.mail.Verdict message(
                            org.pabal.mail.Client client,
                            org.pabal.mail.Envelope envelope,
                            org.pabal.mail.Content content) {
                        return new org.pabal.mail.Verdict.Accept(List.of(field));
                    }
                });
        node.play(Role.SMTP, IN_DATA + "C: .\nS~ 451 4\\.3\\.0 .*\n");
        assertEquals(List.of(), node.queued());
    }

    // a web page that makes a browser send mail
    @Test
    void closesOnHttp() throws Exception {
        node.play(
                Role.SMTP,
                "S~ 220 .*\n"
                        + "C: POST / HTTP/1.1\n"
                        + "C: Host: mx.example.test:25\n"
                        + "C: \n"
                        + "C: EHLO x\n"
                        + "S~ 421 4\\.7\\.0 .*\n"
                        + "-- close\n");
    }

    @Test
    void keepsPasswordsOutOfItsReplies() throws IOException {
        SmtpCommand command = SmtpCommand.parse("AUTH PLAIN AGFsaWNlAHBhYmFs".getBytes(US_ASCII));
        assertFalse(command.toString().contains("AGFs"));
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
