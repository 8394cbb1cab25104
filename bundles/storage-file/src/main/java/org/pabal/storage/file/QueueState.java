package org.pabal.storage.file;

import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Everything about a message in the queue but its octets, in the form in which it stands in the
/// journal and in `queue/ID.env`: lines of words that a person can read.
///
/// @param revision grows with each change, so that an old record does not undo a newer one
/// @param size octets of the content, with the fields on top
/// @param inFile whether the octets stand in `queue/ID.msg`; otherwise they follow in the journal's
///     record
/// @param now due whatever the clock says
/// @param top header fields that belong above the octets of the file
record QueueState(
        QueueId id,
        long revision,
        long size,
        boolean inFile,
        Envelope envelope,
        Instant accepted,
        int attempts,
        Instant next,
        boolean now,
        boolean held,
        Map<MailAddress, Status> reasons,
        String top) {

    private static final String FIRST_LINE = "pabal-queue 1";

    byte[] octets() {
        StringBuilder text = new StringBuilder(256);
        text.append(FIRST_LINE);
        text.append("\nid ").append(id.text());
        text.append("\nrevision ").append(revision);
        text.append("\nsize ").append(size);
        text.append("\nin ").append(inFile ? "file" : "journal");
        text.append("\naccepted ").append(accepted);
        text.append("\nattempts ").append(attempts);
        text.append("\nnext ").append(next);
        text.append("\ndue ").append(now ? "now" : "next");
        text.append("\nheld ").append(held ? "yes" : "no");
        text.append("\nfrom ").append(envelope.sender().map(QueueState::word).orElse("<>"));
        parameters(text, envelope.parameters());
        for (Recipient recipient : envelope.recipients()) {
            text.append("\nto ").append(word(recipient.address()));
            parameters(text, recipient.parameters());
        }
        reasons.forEach(
                (address, why) ->
                        text.append("\nwhy ")
                                .append(word(address))
                                .append(' ')
                                .append(why.code())
                                .append(' ')
                                .append(Words.word(why.enhanced()))
                                .append(' ')
                                .append(Words.word(why.text())));
        if (!top.isEmpty()) {
            text.append("\ntop ").append(Words.word(top));
        }
        return Words.utf8(text.append('\n'));
    }

    /// @throws IllegalArgumentException when the text is no such thing
    static QueueState read(byte[] octets) {
        String[] lines = new String(octets, StandardCharsets.UTF_8).split("\n", -1);
        if (!lines[0].equals(FIRST_LINE)) {
            throw new IllegalArgumentException("queue entry: begins with '" + lines[0] + "'");
        }
        Map<String, String> one = new HashMap<>();
        List<Recipient> recipients = new ArrayList<>();
        Map<MailAddress, Status> reasons = new HashMap<>();
        for (int i = 1; i < lines.length; i++) {
            String[] words = lines[i].split(" ", -1);
            switch (words[0]) {
                case "to" ->
                        recipients.add(new Recipient(address(at(words, 1)), parameters(words)));
                case "why" ->
                        reasons.put(
                                address(at(words, 1)),
                                new Status(
                                        Integer.parseInt(at(words, 2)),
                                        Words.text(at(words, 3)),
                                        Words.text(at(words, 4))));
                default -> one.put(words[0], lines[i].substring(words[0].length()).strip());
            }
        }
        String[] from = ("from " + of(one, "from")).split(" ", -1);
        Optional<MailAddress> sender =
                at(from, 1).equals("<>") ? Optional.empty() : Optional.of(address(from[1]));
        try {
            return new QueueState(
                    new QueueId(of(one, "id")),
                    Long.parseLong(of(one, "revision")),
                    Long.parseLong(of(one, "size")),
                    of(one, "in").equals("file"),
                    new Envelope(sender, parameters(from), recipients),
                    Instant.parse(of(one, "accepted")),
                    Integer.parseInt(of(one, "attempts")),
                    Instant.parse(of(one, "next")),
                    of(one, "due").equals("now"),
                    of(one, "held").equals("yes"),
                    reasons,
                    Words.text(one.getOrDefault("top", "%")));
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("queue entry: " + e.getMessage(), e);
        }
    }

    private static void parameters(StringBuilder text, Map<String, String> parameters) {
        parameters.forEach(
                (key, value) -> {
                    text.append(' ').append(Words.word(key));
                    if (!value.isEmpty()) {
                        text.append('=').append(Words.word(value));
                    }
                });
    }

    private static Map<String, String> parameters(String[] words) {
        if (words.length < 3) {
            return Map.of();
        }
        Map<String, String> parameters = new HashMap<>();
        for (int i = 2; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            parameters.put(
                    Words.text(equals < 0 ? words[i] : words[i].substring(0, equals)),
                    equals < 0 ? "" : Words.text(words[i].substring(equals + 1)));
        }
        return parameters;
    }

    private static String word(MailAddress address) {
        return Words.word(address.localPart() + "@" + address.domain());
    }

    private static MailAddress address(String word) {
        String text = Words.text(word);
        int at = text.lastIndexOf('@');
        if (at < 0) {
            throw new IllegalArgumentException("queue entry: '" + text + "' is no address");
        }
        return new MailAddress(text.substring(0, at), text.substring(at + 1));
    }

    private static String at(String[] words, int index) {
        if (index >= words.length) {
            throw new IllegalArgumentException(
                    "queue entry: too few words after '" + words[0] + "'");
        }
        return words[index];
    }

    private static String of(Map<String, String> one, String key) {
        String value = one.getOrDefault(key, "");
        if (value.isEmpty()) {
            throw new IllegalArgumentException("queue entry: no " + key);
        }
        return value;
    }
}
