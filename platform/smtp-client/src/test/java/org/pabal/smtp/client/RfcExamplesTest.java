package org.pabal.smtp.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.testkit.ScriptedMailServer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/// The examples of the RFCs, with us as their client.
@Timeout(120)
class RfcExamplesTest {

    /// Plays the server of a dialogue in which each `C:` is a command (no message text) and `S:`
    /// its replies; a `C:` of `.` is the end of the message.
    private static Map<MailAddress, Outcome> play(
            String dialogue, QueueEntry entry, List<Recipient> recipients, OutgoingMessage message)
            throws Exception {
        List<String> commands = new ArrayList<>();
        List<String> replies = new ArrayList<>(List.of(""));
        for (String line : dialogue.lines().toList()) {
            if (line.startsWith("C: ")) {
                commands.add(line.substring(3));
                replies.add("");
            } else {
                String said = line.substring(3);
                replies.set(
                        replies.size() - 1,
                        replies.getLast().isEmpty() ? said : replies.getLast() + "\n" + said);
            }
        }
        boolean lmtp = commands.getFirst().startsWith("LHLO");
        AtomicInteger at = new AtomicInteger();
        try (var server = new ScriptedMailServer()) {
            if (lmtp) {
                server.lmtp();
            }
            server.script(
                    (session, command) -> {
                        if (command.startsWith("BDAT")) {
                            return Optional.empty();
                        }
                        if (lmtp && command.startsWith(". ")) {
                            // all replies to the end stand together in the dialogue
                            String all = replies.get(commands.indexOf(".") + 1);
                            return Optional.of(all.split("\n")[at.getAndIncrement()]);
                        }
                        int index = command.isEmpty() ? 0 : commands.indexOf(command) + 1;
                        return Optional.of(replies.get(index));
                    });
            try (var conversation = Post.with(server, lmtp, Post.PATIENCE)) {
                conversation.begin();
                Map<MailAddress, Outcome> outcomes =
                        conversation.send(entry, recipients, message, "", Post.WHERE);
                conversation.quit();
                assertEquals(
                        commands.stream().filter(c -> !c.equals(".")).toList(), server.commands());
                assertEquals(
                        message instanceof Post.Letter letter ? letter.text() : "",
                        server.mails().getFirst().text());
                return outcomes;
            }
        }
    }

    @Test
    void aTypicalTransaction() throws Exception {
        // RFC 5321 appendix D.1
        Map<MailAddress, Outcome> outcomes =
                play(
                        """
                        S: 220 foo.example.com Simple Mail Transfer Service Ready
                        C: EHLO client.example.org
                        S: 250-foo.example.com greets client.example.org
                        S: 250-8BITMIME
                        S: 250-SIZE
                        S: 250-DSN
                        S: 250 HELP
                        C: MAIL FROM:<Smith@bar.example.com> SIZE=38
                        S: 250 OK
                        C: RCPT TO:<Jones@foo.example.com>
                        S: 250 OK
                        C: RCPT TO:<Green@foo.example.com>
                        S: 550 No such user here
                        C: RCPT TO:<Brown@foo.example.com>
                        S: 250 OK
                        C: DATA
                        S: 354 Start mail input; end with <CRLF>.<CRLF>
                        C: .
                        S: 250 OK
                        C: QUIT
                        S: 221 foo.example.com Service closing transmission channel
                        """,
                        Post.from("Smith@bar.example.com"),
                        Post.to(
                                "Jones@foo.example.com",
                                "Green@foo.example.com",
                                "Brown@foo.example.com"),
                        new Post.Letter("Blah blah blah...\n...etc. etc. etc.\n"));

        assertEquals("delivered", Post.told(outcomes, "Jones@foo.example.com"));
        assertEquals("failed 550", Post.told(outcomes, "Green@foo.example.com"));
        assertEquals("delivered", Post.told(outcomes, "Brown@foo.example.com"));
    }

    @Test
    void aMessageByLmtp() throws Exception {
        // RFC 2033 §4.2
        Map<MailAddress, Outcome> outcomes =
                play(
                        """
                        S: 220 foo.example.edu LMTP server ready
                        C: LHLO client.example.org
                        S: 250-foo.example.edu
                        S: 250-PIPELINING
                        S: 250 SIZE
                        C: MAIL FROM:<chris@bar.example.com> SIZE=38
                        S: 250 OK
                        C: RCPT TO:<pat@foo.example.edu>
                        S: 250 OK
                        C: RCPT TO:<jones@foo.example.edu>
                        S: 550 No such user here
                        C: RCPT TO:<green@foo.example.edu>
                        S: 250 OK
                        C: DATA
                        S: 354 Start mail input; end with <CRLF>.<CRLF>
                        C: .
                        S: 250 OK
                        S: 452 <green@foo.example.edu> is temporarily over quota
                        C: QUIT
                        S: 221 foo.example.edu closing connection
                        """,
                        Post.from("chris@bar.example.com"),
                        Post.to(
                                "pat@foo.example.edu",
                                "jones@foo.example.edu",
                                "green@foo.example.edu"),
                        new Post.Letter("Blah blah blah...\n...etc. etc. etc.\n"));

        assertEquals("delivered", Post.told(outcomes, "pat@foo.example.edu"));
        assertEquals("failed 550", Post.told(outcomes, "jones@foo.example.edu"));
        assertEquals("deferred 452", Post.told(outcomes, "green@foo.example.edu"));
    }

    @Test
    void aMessageInOneChunk() throws Exception {
        // RFC 3030 §4.1
        Map<MailAddress, Outcome> outcomes =
                play(
                        """
                        S: 220 cnri.reston.example.us SMTP service ready
                        C: EHLO client.example.org
                        S: 250-cnri.reston.example.us says hello
                        S: 250 CHUNKING
                        C: MAIL FROM:<Sam@random.example.com>
                        S: 250 <Sam@Random.com> sender ok
                        C: RCPT TO:<Susan@random.example.com>
                        S: 250 <Susan@random.com> recipient ok
                        C: BDAT 86 LAST
                        C: .
                        S: 250 Message OK, 86 octets received
                        C: QUIT
                        S: 221 Goodbye
                        """,
                        Post.from("Sam@random.example.com"),
                        Post.to("Susan@random.example.com"),
                        new Post.Letter(
                                "To: Susan\n\nThis is a test message of "
                                        + "eighty-six octets, and of no octet beyond it.\n"));

        assertEquals("delivered", Post.told(outcomes, "Susan@random.example.com"));
    }

    @Test
    void aMessageWithPipeliningAndChunking() throws Exception {
        // RFC 3030 §4.2
        Map<MailAddress, Outcome> outcomes =
                play(
                        """
                        S: 220 cnri.reston.example.us SMTP service ready
                        C: EHLO client.example.org
                        S: 250-cnri.reston.example.us says hello
                        S: 250-PIPELINING
                        S: 250-BINARYMIME
                        S: 250 CHUNKING
                        C: MAIL FROM:<ned@ymir.example.edu> BODY=BINARYMIME
                        S: 250 <ned@ymir.example.edu>... Sender and BINARYMIME ok
                        C: RCPT TO:<gvaudre@cnri.reston.example.us>
                        S: 250 <gvaudre@cnri.reston.example.us>... Recipient ok
                        C: RCPT TO:<jstewart@cnri.reston.example.us>
                        S: 250 <jstewart@cnri.reston.example.us>... Recipient ok
                        C: BDAT 4 LAST
                        C: .
                        S: 250 Message OK, 4 octets received
                        C: QUIT
                        S: 221 Goodbye
                        """,
                        Post.from("ned@ymir.example.edu"),
                        Post.to(
                                "gvaudre@cnri.reston.example.us",
                                "jstewart@cnri.reston.example.us"),
                        new Post.Letter(new byte[] {'a', 0, '\n', 'b'}, "BINARYMIME", false));

        assertEquals("delivered", Post.told(outcomes, "gvaudre@cnri.reston.example.us"));
        assertEquals("delivered", Post.told(outcomes, "jstewart@cnri.reston.example.us"));
    }

    @Test
    void whatIsToBeReported() throws Exception {
        // RFC 3461 §10.1
        List<Recipient> recipients =
                List.of(
                        recipient("Bob@example.com", "SUCCESS", "rfc822;Bob@Example.COM"),
                        recipient("Carol@ivory.edu", "FAILURE", "rfc822;Carol@Ivory.EDU"),
                        recipient("Dana@ivory.edu", "SUCCESS,FAILURE", "rfc822;Dana@Ivory.EDU"),
                        recipient("Fred@bombs.af.mil", "NEVER", ""),
                        new Recipient(Post.address("George@tax-me.gov")));
        Map<MailAddress, Outcome> outcomes =
                play(
                        """
                        S: 220 Example.ORG SMTP server here
                        C: EHLO client.example.org
                        S: 250-Example.ORG
                        S: 250-DSN
                        S: 250 EXPN
                        C: MAIL FROM:<Alice@example.org> RET=HDRS ENVID=QQ314159
                        S: 250 <Alice@Example.ORG> sender ok
                        C: RCPT TO:<Bob@example.com> NOTIFY=SUCCESS ORCPT=rfc822;Bob@Example.COM
                        S: 250 <Bob@Example.COM> recipient ok
                        C: RCPT TO:<Carol@ivory.edu> NOTIFY=FAILURE ORCPT=rfc822;Carol@Ivory.EDU
                        S: 250 <Carol@Ivory.EDU> recipient ok
                        C: RCPT TO:<Dana@ivory.edu> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Dana@Ivory.EDU
                        S: 250 <Dana@Ivory.EDU> recipient ok
                        C: RCPT TO:<Fred@bombs.af.mil> NOTIFY=NEVER
                        S: 250 <Fred@Bombs.AF.MIL> recipient ok
                        C: RCPT TO:<George@tax-me.gov>
                        S: 250 <George@Tax-ME.GOV> recipient ok
                        C: DATA
                        S: 354 okay, send message
                        C: .
                        S: 250 message accepted
                        C: QUIT
                        S: 221 goodbye
                        """,
                        Post.from("Alice@example.org", Map.of("RET", "HDRS", "ENVID", "QQ314159")),
                        recipients,
                        new Post.Letter("(message goes here)\n"));

        assertEquals(
                5,
                outcomes.values().stream()
                        .filter(o -> o instanceof Outcome.Delivered(String w, boolean f) && f)
                        .count());
    }

    private static Recipient recipient(String address, String notify, String original) {
        return new Recipient(Post.address(address), Map.of("NOTIFY", notify, "ORCPT", original));
    }
}
