package org.pabal.storage.file;

import org.pabal.mail.Attempt;
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
import java.util.stream.Collectors;

/// Everything about a message in the queue but its octets, in the form in which it stands in the
/// journal and in `queue/ID.env`: lines of words that a person can read.
///
/// @param revision grows with each change, so that an old record does not undo a newer one
/// @param size octets of the content, with the fields on top
/// @param inFile whether the octets stand in `queue/ID.msg`; otherwise they follow in the journal's
///     record
/// @param now due whatever the clock says
/// @param top header fields that belong above the octets of the file
/// @param history what was tried, oldest first; within the bounds of [TryHistory]
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
        String top,
        List<Attempt> history) {

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
                (address, why) -> {
                    text.append("\nwhy ").append(word(address));
                    status(text, why);
                });
        for (Attempt attempt : history) {
            text.append("\ntry ").append(attempt.at());
            text.append(' ').append(Words.word(attempt.where()));
            text.append(' ').append(Words.word(attempt.tls()));
            status(text, attempt.reply());
            for (MailAddress recipient : attempt.recipients()) {
                text.append(' ').append(word(recipient));
            }
        }
        if (!top.isEmpty()) {
            text.append("\ntop ").append(Words.word(top));
        }
        return Words.utf8(text.append('\n'));
    }

    /// The same with other octets or none of them in the journal.
    QueueState laidOut(boolean file) {
        return new QueueState(
                id, revision, size, file, envelope, accepted, attempts, next, now, held, reasons,
                top, history);
    }

    /// The same to be tried at another time. The revision is the same too: nothing has become of
    /// the message that a restart would have to know.
    QueueState waiting(Instant until) {
        return new QueueState(
                id, revision, size, inFile, envelope, accepted, attempts, until, false, held,
                reasons, top, history);
    }

    /// The same without what can be missing, for a message whose text is too long.
    QueueState shortened() {
        return new QueueState(
                id,
                revision,
                size,
                inFile,
                envelope,
                accepted,
                attempts,
                next,
                now,
                held,
                reasons.entrySet().stream()
                        .collect(
                                Collectors.toMap(
                                        Map.Entry::getKey, why -> shortened(why.getValue()))),
                top,
                List.of());
    }

    private static Status shortened(Status why) {
        return new Status(
                why.code(),
                why.enhanced(),
                why.text().substring(0, Math.min(why.text().length(), 60)));
    }

    /// @throws IllegalArgumentException when the text is no such thing
    static QueueState read(byte[] octets) {
        try {
            return lines(octets);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("queue entry: " + e.getMessage(), e);
        }
    }

    private static QueueState lines(byte[] octets) {
        String[] lines = new String(octets, StandardCharsets.UTF_8).split("\n", -1);
        if (!lines[0].equals(FIRST_LINE)) {
            throw new IllegalArgumentException("queue entry: begins with '" + lines[0] + "'");
        }
        Map<String, String> one = new HashMap<>();
        List<Recipient> recipients = new ArrayList<>();
        Map<MailAddress, Status> reasons = new HashMap<>();
        List<Attempt> history = new ArrayList<>();
        for (int i = 1; i < lines.length; i++) {
            String[] words = lines[i].split(" ", -1);
            switch (words[0]) {
                case "to" ->
                        recipients.add(new Recipient(address(at(words, 1)), parameters(words)));
                case "why" -> reasons.put(address(at(words, 1)), status(words, 2));
                case "try" -> history.add(attempt(words));
                default -> one.put(words[0], lines[i].substring(words[0].length()).strip());
            }
        }
        String[] from = ("from " + of(one, "from")).split(" ", -1);
        Optional<MailAddress> sender =
                at(from, 1).equals("<>") ? Optional.empty() : Optional.of(address(from[1]));
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
                Words.text(one.getOrDefault("top", "%")),
                List.copyOf(history));
    }

    private static Attempt attempt(String[] words) {
        List<MailAddress> recipients = new ArrayList<>();
        for (int i = 7; i < words.length; i++) {
            recipients.add(address(words[i]));
        }
        return new Attempt(
                Instant.parse(at(words, 1)),
                Words.text(at(words, 2)),
                Words.text(at(words, 3)),
                recipients,
                status(words, 4));
    }

    private static void status(StringBuilder text, Status status) {
        text.append(' ').append(status.code());
        text.append(' ').append(Words.word(status.enhanced()));
        text.append(' ').append(Words.word(status.text()));
    }

    private static Status status(String[] words, int from) {
        return new Status(
                Integer.parseInt(at(words, from)),
                Words.text(at(words, from + 1)),
                Words.text(at(words, from + 2)));
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
