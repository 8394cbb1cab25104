package org.pabal.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.US_ASCII;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.mail.MailPolicy;
import org.pabal.protocol.Peer;
import org.pabal.testkit.TestConnection;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;

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
                new SmtpLimits(1, 1, 100, 1, 20, Duration.ofMinutes(1), Duration.ofMinutes(1));
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

    // S14
    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = ' ',
            value = {
                "<someone@example.org> 5.7.1",
                "<someone%example.org@example.test> 5.7.1",
                "<example.org!someone@example.test> 5.7.1",
                "<\"someone@example.org\"@example.test> 5.7.1",
                "<\"someone%example.org\"@example.test> 5.7.1",
                "<@example.test:someone@example.org> 5.7.1",
                "<@example.test,@mx.example.test:someone@example.org> 5.7.1",
                "<someone@[192.0.2.1]> 5.7.1",
                "<someone@[127.0.0.1]> 5.7.1",
                "<someone@[IPv6:::1]> 5.7.1",
                "<someone@sub.example.test> 5.7.1",
                "<someone@example.test.example.org> 5.7.1",
                "<someone@example.org@example.test> 5.1.3",
                "<someone@example.test@example.org> 5.1.3",
                "<@example.test:> 5.1.3",
                "<@example.org> 5.1.3",
                "<someone> 5.1.3",
                "<> 5.1.3",
                "<bob@example.test.> 5.1.3",
                "<bob@example..test> 5.1.3",
                "<bob@example.test>,<someone@example.org> 5.5.2",
                "<bob@example.test>x 5.5.2",
                "bob@example.test 5.5.2",
                "<<bob@example.test>> 5.5.2",
            })
    void relaysForNobodyWhoDidNotSignIn(String path, String enhanced) throws Exception {
        for (TestConnection client : List.of(new TestConnection(), stranger())) {
            for (Role role : List.of(Role.SMTP, Role.LMTP)) {
                TestConnection connection = new TestConnection().from(client.peer());
                node.play(
                        role,
                        """
                        S~ 220 .*
                        C: %s bob.example.test
                        S* 250 .*
                        C: MAIL FROM:<>
                        C: RCPT TO:%s
                        S~ 250 .*
                        S~ 5.. %s .*
                        """
                                .formatted(
                                        role == Role.LMTP ? "LHLO" : "EHLO",
                                        path,
                                        enhanced.replace(".", "\\.")),
                        connection);
            }
        }
    }

    // S14: who one is, is not a matter of what one says
    @Test
    void knowsNoXclient() throws Exception {
        node.play(
                Role.SMTP,
                GREETED
                        + "C: XCLIENT ADDR=127.0.0.1 LOGIN=alice\n"
                        + "S~ 500 .*\n"
                        + "C: PROXY TCP4 127.0.0.1 127.0.0.1 1 1\n"
                        + "S~ 500 .*\n");
    }

    @Test
    void acceptsASourceRouteToOurOwn() throws Exception {
        node.play(
                Role.SMTP,
                GREETED
                        + "C: MAIL FROM:<>\n"
                        + "C: RCPT TO:<@example.org:bob@example.test>\n"
                        + "S~ 250 .*\n"
                        + "S~ 250 .*\n");
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
                "'' | Alice <alice@example.test> | 250",
            })
    void letsPeopleWriteInTheirOwnNameOnly(String sender, String from, String refused)
            throws Exception {
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
