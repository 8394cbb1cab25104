package org.pabal.smtp.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import org.pabal.mail.Content;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.smtp.client.OutgoingMessage.Choice;
import org.pabal.testkit.MemoryContent;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Words for tests of messages in their forms. A character of a string is an octet, but where
/// [#utf8] says otherwise.
final class Forms {

    static final Capabilities OLD = Capabilities.NONE;
    static final Capabilities EIGHT = they("8BITMIME");
    static final Capabilities BINARY = they("8BITMIME", "CHUNKING", "BINARYMIME");
    static final Capabilities UTF8 = they("8BITMIME", "SMTPUTF8");

    private Forms() {}

    static Capabilities they(String... keywords) {
        Map<String, String> said = new HashMap<>();
        for (String keyword : keywords) {
            said.put(keyword, "");
        }
        return new Capabilities(said);
    }

    static Envelope envelope(String... parameters) {
        Map<String, String> said = new HashMap<>();
        for (String parameter : parameters) {
            String[] parts = parameter.split("=");
            said.put(parts[0], parts.length > 1 ? parts[1] : "");
        }
        return new Envelope(
                Optional.of(new MailAddress("alice", "example.org")),
                said,
                List.of(new Recipient(new MailAddress("bob", "example.net"))));
    }

    static byte[] octets(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static String text(byte[] octets) {
        return new String(octets, StandardCharsets.ISO_8859_1);
    }

    /// The octets of UTF-8, each as a character.
    static String utf8(String text) {
        return text(text.getBytes(StandardCharsets.UTF_8));
    }

    static Content content(String text) {
        return new MemoryContent(octets(text));
    }

    static OutgoingMessage ready(String message, Envelope envelope, Capabilities they)
            throws IOException {
        return ready(content(message), envelope, they);
    }

    static OutgoingMessage ready(Content message, Envelope envelope, Capabilities they)
            throws IOException {
        Choice choice = OutgoingMessage.prepare(message, envelope, they);
        return assertInstanceOf(Choice.Ready.class, choice).message();
    }

    static Status impossible(String message, Envelope envelope, Capabilities they)
            throws IOException {
        Choice choice = OutgoingMessage.prepare(content(message), envelope, they);
        return assertInstanceOf(Choice.Impossible.class, choice).why();
    }

    /// What leaves by BDAT; is as long as it was said to be.
    static String plain(OutgoingMessage message) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        message.writePlain(out);
        assertEquals(message.size(), out.size());
        return text(out.toByteArray());
    }

    static String dotted(OutgoingMessage message) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        message.writeDotted(out);
        return text(out.toByteArray());
    }

    static String plain(String message, Capabilities they) throws IOException {
        return plain(ready(message, envelope(), they));
    }

    static String dotted(String message, Capabilities they) throws IOException {
        return dotted(ready(message, envelope(), they));
    }

    /// What is to leave, octet by octet.
    static String naive(String message) {
        StringBuilder clean = new StringBuilder();
        for (int i = 0; i < message.length(); i++) {
            char c = message.charAt(i);
            if (c == '\r') {
                clean.append("\r\n");
                if (i + 1 < message.length() && message.charAt(i + 1) == '\n') {
                    i++;
                }
            } else if (c == '\n') {
                clean.append("\r\n");
            } else {
                clean.append(c);
            }
        }
        if (clean.length() > 0 && clean.charAt(clean.length() - 1) != '\n') {
            clean.append("\r\n");
        }
        return clean.toString();
    }

    static String naivelyDotted(String message) {
        StringBuilder dotted = new StringBuilder();
        String lines = naive(message);
        for (int i = 0; i < lines.length(); i++) {
            if (lines.charAt(i) == '.' && (i == 0 || lines.charAt(i - 1) == '\n')) {
                dotted.append('.');
            }
            dotted.append(lines.charAt(i));
        }
        return dotted.append(".\r\n").toString();
    }
}
