package org.pabal.delivery;

import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Tells a sender what became of a message: a delivery status notification, RFC 3464, in a
/// multipart/report, RFC 6522.
///
/// Three parts: words for a person, fields for a program, and the message or its header. What
/// strangers put into it, an ORCPT or a reply of their server, is made harmless before it is
/// written.
record DeliveryReport(QueueEntry entry, List<Notice> notices) {

    /// What is said of one recipient, RFC 3464 §2.3.3.
    enum Action {
        FAILED,
        DELAYED,
        DELIVERED,
        EXPANDED
    }

    /// @param retryUntil only for a delay: when it will be given up
    record Notice(
            Recipient recipient, Action action, Status status, Optional<Instant> retryUntil) {}

    /// Who writes.
    ///
    /// @param host the name of this server
    /// @param domain whose postmaster answers
    record Writer(String host, String domain) {}

    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    /// Of what others said, so that a line stays below the 998 octets of RFC 5322 §2.1.1.
    private static final int MAX_TEXT = 450;

    private static final int MAX_HEADER = 65_536;
    private static final int MANY_RECIPIENTS = 1_000;

    DeliveryReport {
        notices =
                List.copyOf(
                        notices.size() > MANY_RECIPIENTS
                                ? notices.subList(0, MANY_RECIPIENTS)
                                : notices);
    }

    /// The report's own envelope: from nobody, so that no report is ever written about it (RFC 5321
    /// §4.5.5).
    ///
    /// @throws java.util.NoSuchElementException when the message has no sender; nobody is to be
    ///     told then
    Envelope envelope() {
        MailAddress to = entry.envelope().sender().orElseThrow();
        // Nobody wants to hear what became of a report either, and a server with DSN is told so.
        Recipient recipient = new Recipient(to, Map.of("NOTIFY", "NEVER"));
        Map<String, String> parameters =
                utf8() ? Map.of("BODY", "8BITMIME", "SMTPUTF8", "") : Map.of("BODY", "8BITMIME");
        return new Envelope(Optional.empty(), parameters, List.of(recipient));
    }

    /// Writes the whole message.
    ///
    /// @param id its own
    /// @param boundary a text that nobody can guess
    void write(OutputStream out, Writer writer, QueueId id, Instant now, String boundary)
            throws IOException {
        boolean full = returnsAll();
        StringBuilder text = new StringBuilder();
        header(text, writer, id, now, boundary);
        line(text, "--" + boundary);
        words(text, writer, full);
        line(text, "--" + boundary);
        fields(text, writer, now);
        line(text, "--" + boundary);
        String kind =
                full
                        ? (utf8() ? "message/global" : "message/rfc822")
                        : utf8() ? "message/global-headers" : "text/rfc822-headers";
        line(text, "Content-Type: " + kind);
        line(text, "Content-Transfer-Encoding: 8bit");
        line(text, "");
        out.write(text.toString().getBytes(StandardCharsets.UTF_8));
        try (InputStream message = entry.content().open()) {
            if (full) {
                message.transferTo(out);
            } else {
                out.write(header(message));
            }
        }
        out.write(("\r\n--" + boundary + "--\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    private void header(
            StringBuilder text, Writer writer, QueueId id, Instant now, String boundary) {
        line(text, "From: Mail Delivery System <postmaster@" + writer.domain + ">");
        line(text, "To: <" + entry.envelope().sender().orElseThrow() + ">");
        line(text, "Subject: " + subject());
        line(text, "Date: " + DATE.format(now));
        line(
                text,
                "Message-ID: <"
                        + id
                        + "."
                        + Long.toString(now.toEpochMilli(), 36)
                        + "@"
                        + writer.host
                        + ">");
        // RFC 3834 §5
        line(text, "Auto-Submitted: auto-replied");
        line(text, "MIME-Version: 1.0");
        line(text, "Content-Type: multipart/report; report-type=delivery-status;");
        line(text, "\tboundary=\"" + boundary + "\"");
        line(text, "Content-Transfer-Encoding: 8bit");
        line(text, "");
        line(
                text,
                "A report on the delivery of a message, in a form for people and one for"
                        + " programs.");
        line(text, "");
    }

    private String subject() {
        return switch (worst()) {
            case FAILED -> "Undelivered mail";
            case DELAYED -> "Delayed mail, still being tried";
            case DELIVERED, EXPANDED -> "Delivered mail";
        };
    }

    private void words(StringBuilder text, Writer writer, boolean full) {
        line(text, "Content-Type: text/plain; charset=utf-8");
        line(text, "Content-Transfer-Encoding: 8bit");
        line(text, "");
        line(text, "This is the mail server " + writer.host + ".");
        for (Action action : Action.values()) {
            List<Notice> same = notices.stream().filter(n -> n.action == action).toList();
            if (!same.isEmpty()) {
                line(text, "");
                line(text, "Your message of " + DATE.format(entry.accepted()));
                line(text, sentence(action));
                line(text, "");
                for (Notice notice : same) {
                    line(text, "  <" + notice.recipient.address() + ">");
                    line(text, "      " + readable(notice.status.toString()));
                    notice.retryUntil.ifPresent(
                            until ->
                                    line(
                                            text,
                                            "      It is tried until " + DATE.format(until) + "."));
                }
            }
        }
        line(text, "");
        line(
                text,
                full ? "The message follows below." : "The header of the message follows below.");
        line(text, "");
    }

    private static String sentence(Action action) {
        return switch (action) {
            case FAILED -> "could not be delivered, and is not tried again:";
            case DELAYED -> "could not be delivered yet; you need not send it again:";
            case DELIVERED -> "was delivered:";
            case EXPANDED -> "was delivered to each member of a list of addresses:";
        };
    }

    // RFC 3464 §2.2 and §2.3
    private void fields(StringBuilder text, Writer writer, Instant now) {
        line(text, "Content-Type: message/delivery-status");
        line(text, "");
        Optional.ofNullable(entry.envelope().parameters().get("ENVID"))
                .map(envid -> plain(fromXtext(envid)))
                .ifPresent(envid -> line(text, "Original-Envelope-Id: " + envid));
        line(text, "Reporting-MTA: dns; " + writer.host);
        line(text, "Arrival-Date: " + DATE.format(entry.accepted()));
        for (Notice notice : notices) {
            line(text, "");
            originalRecipient(notice.recipient)
                    .ifPresent(original -> line(text, "Original-Recipient: " + original));
            line(text, "Final-Recipient: " + typed(notice.recipient.address()));
            line(text, "Action: " + notice.action.name().toLowerCase(Locale.ROOT));
            line(text, "Status: " + enhanced(notice.status));
            if (notice.action == Action.FAILED || notice.action == Action.DELAYED) {
                line(text, "Diagnostic-Code: smtp; " + plain(notice.status.toString()));
            }
            line(text, "Last-Attempt-Date: " + DATE.format(now));
            notice.retryUntil.ifPresent(
                    until -> line(text, "Will-Retry-Until: " + DATE.format(until)));
        }
        line(text, "");
    }

    // RFC 3461 §4.2: type;xtext
    private static Optional<String> originalRecipient(Recipient recipient) {
        return Optional.ofNullable(recipient.parameters().get("ORCPT"))
                .map(
                        orcpt -> {
                            int semicolon = orcpt.indexOf(';');
                            return semicolon < 0
                                    ? "rfc822; " + plain(fromXtext(orcpt))
                                    : plain(orcpt.substring(0, semicolon))
                                            + "; "
                                            + plain(fromXtext(orcpt.substring(semicolon + 1)));
                        });
    }

    // RFC 6533 §3: an address with more than ASCII, written in ASCII
    private static String typed(MailAddress address) {
        return (address.internationalized() ? "utf-8; " : "rfc822; ") + plain(address.toString());
    }

    private static String enhanced(Status status) {
        return status.enhanced().isEmpty() ? status.code() / 100 + ".0.0" : status.enhanced();
    }

    /// RFC 3461 §4.3: RET is for failures only; a sender who did not ask gets the header, which is
    /// enough to recognise a message and less of a present to somebody whose address was forged. A
    /// binary message cannot be put into a part as it is.
    private boolean returnsAll() {
        Map<String, String> mail = entry.envelope().parameters();
        return worst() == Action.FAILED
                && "FULL".equalsIgnoreCase(mail.getOrDefault("RET", ""))
                && !"BINARYMIME".equalsIgnoreCase(mail.getOrDefault("BODY", ""));
    }

    private Action worst() {
        return notices.stream().map(Notice::action).min(Enum::compareTo).orElse(Action.FAILED);
    }

    private boolean utf8() {
        return entry.envelope().internationalized()
                || entry.envelope().sender().filter(MailAddress::internationalized).isPresent();
    }

    /// The header up to its empty line, or as much of it as is bearable.
    private static byte[] header(InputStream message) throws IOException {
        byte[] start = message.readNBytes(MAX_HEADER);
        for (int i = 0; i + 3 < start.length; i++) {
            if (start[i] == '\r'
                    && start[i + 1] == '\n'
                    && start[i + 2] == '\r'
                    && start[i + 3] == '\n') {
                return Arrays.copyOf(start, i + 2);
            }
        }
        return start;
    }

    /// RFC 3461 §4: `+HH` stands for an octet.
    static String fromXtext(String text) {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        byte[] from = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < from.length; i++) {
            if (from[i] == '+'
                    && i + 2 < from.length
                    && Character.digit(from[i + 1], 16) >= 0
                    && Character.digit(from[i + 2], 16) >= 0) {
                octets.write(
                        Character.digit(from[i + 1], 16) << 4 | Character.digit(from[i + 2], 16));
                i += 2;
            } else {
                octets.write(from[i]);
            }
        }
        return octets.toString(StandardCharsets.UTF_8);
    }

    /// Printable ASCII and nothing else (security row S11): what is not becomes `\x{…}` of RFC 6533
    /// §3, controls become `?`.
    static String plain(String text) {
        StringBuilder plain = new StringBuilder(text.length());
        text.codePoints()
                .limit(MAX_TEXT)
                .forEach(
                        c -> {
                            if (c >= ' ' && c < 127) {
                                plain.append((char) c);
                            } else if (c < 160) {
                                plain.append('?');
                            } else {
                                plain.append("\\x{")
                                        .append(Integer.toHexString(c).toUpperCase(Locale.ROOT))
                                        .append('}');
                            }
                        });
        return shortened(plain.toString());
    }

    /// As it is, but on one line.
    private static String readable(String text) {
        return shortened(text).replaceAll("\\p{Cntrl}", "?");
    }

    private static String shortened(String text) {
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT) + "...";
    }

    private static void line(StringBuilder text, String line) {
        text.append(line).append("\r\n");
    }
}
