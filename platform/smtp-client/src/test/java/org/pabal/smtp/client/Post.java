package org.pabal.smtp.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.testkit.MemoryContent;
import org.pabal.testkit.ScriptedMailServer;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the tests of a conversation send, and to whom.
final class Post {

    static final String WHERE = "mx.example.net [192.0.2.25]:25";

    static final ClientPatience PATIENCE =
            new ClientPatience(
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(30));

    private Post() {}

    /// A message of lines that end with CR LF.
    record Letter(byte[] octets, String body, boolean utf8) implements OutgoingMessage {

        Letter(String text) {
            this(text.replace("\n", "\r\n").getBytes(UTF_8), "", false);
        }

        @Override
        public long size() {
            return octets.length;
        }

        @Override
        public void writeDotted(OutputStream out) throws IOException {
            boolean lineBegins = true;
            for (byte octet : octets) {
                if (lineBegins && octet == '.') {
                    out.write('.');
                }
                out.write(octet);
                lineBegins = octet == '\n';
            }
            out.write(".\r\n".getBytes(UTF_8));
        }

        @Override
        public void writePlain(OutputStream out) throws IOException {
            out.write(octets);
        }

        String text() {
            return new String(octets, UTF_8);
        }
    }

    static final Letter LETTER = new Letter("Subject: hello\n\n.a dot\n.\nbye\n");

    static SmtpConversation with(ScriptedMailServer server) throws IOException {
        return with(server, false, PATIENCE);
    }

    static SmtpConversation with(ScriptedMailServer server, boolean lmtp, ClientPatience patience)
            throws IOException {
        Socket socket = new Socket(server.address().getAddress(), server.port());
        return new SmtpConversation(socket, "client.example.org", lmtp, patience);
    }

    /// The same with its greeting done.
    static SmtpConversation begun(ScriptedMailServer server) throws IOException {
        SmtpConversation conversation = with(server);
        conversation.begin();
        return conversation;
    }

    static QueueEntry from(String sender) {
        return from(sender, Map.of());
    }

    static QueueEntry from(String sender, Map<String, String> parameters) {
        Envelope envelope =
                new Envelope(
                        sender.isEmpty() ? Optional.empty() : MailAddress.parse(sender),
                        parameters,
                        List.of());
        return entry(envelope);
    }

    static QueueEntry entry(Envelope envelope) {
        return new QueueEntry(
                new QueueId("q1"),
                envelope,
                MemoryContent.of(""),
                Instant.EPOCH,
                0,
                Instant.EPOCH,
                false,
                Map.of(),
                List.of());
    }

    static List<Recipient> to(String... addresses) {
        return Arrays.stream(addresses).map(one -> new Recipient(address(one))).toList();
    }

    static MailAddress address(String text) {
        return MailAddress.parse(text).orElseThrow();
    }

    static Map<MailAddress, Outcome> send(SmtpConversation conversation, String... recipients)
            throws IOException {
        return conversation.send(from("a@example.org"), to(recipients), LETTER, "", WHERE);
    }

    /// `delivered`, `deferred 451 4.7.1`, `failed 550 5.1.1`, `untried`.
    static String told(Map<MailAddress, Outcome> outcomes, String recipient) {
        if (!outcomes.containsKey(address(recipient))) {
            return "untried";
        }
        return switch (outcomes.get(address(recipient))) {
            case Outcome.Delivered delivered -> "delivered";
            case Outcome.Deferred deferred ->
                    ("deferred " + deferred.why().code() + " " + deferred.why().enhanced()).strip();
            case Outcome.Failed failed ->
                    ("failed " + failed.why().code() + " " + failed.why().enhanced()).strip();
        };
    }
}
