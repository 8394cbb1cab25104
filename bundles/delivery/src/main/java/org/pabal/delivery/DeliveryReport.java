package org.pabal.delivery;

import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
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
///
/// @param returned what goes back of the message
record DeliveryReport(QueueEntry entry, List<Notice> notices, ReturnedContent returned) {

    /// What is said of one recipient, RFC 3464 §2.3.3.
    enum Action {
        FAILED,
        DELAYED,
        DELIVERED,
        /// Handed to a server that will not tell: RFC 3461 §5.2.2.
        RELAYED,
        EXPANDED
    }

    /// @param remote the host that was spoken with, where one was
    /// @param said what it said, when that is why
    /// @param attempted when that was
    /// @param retryUntil only for a delay: when it will be given up
    record Notice(
            Recipient recipient,
            Action action,
            Status status,
            Optional<String> remote,
            Optional<Status> said,
            Instant attempted,
            Optional<Instant> retryUntil) {}

    /// Who writes.
    ///
    /// @param host the name of this server
    /// @param domain whose postmaster answers
    record Writer(String host, String domain) {}

    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    /// Octets of what others said, so that a line stays below the 998 of RFC 5322 §2.1.1.
    private static final int MAX_TEXT = 450;

    /// In one report.
    static final int MAX_RECIPIENTS = 1_000;

    DeliveryReport {
        notices = List.copyOf(notices);
    }

    /// @param notices at least one, 1,000 at most
    /// @throws IOException when the message cannot be read
    static DeliveryReport on(QueueEntry entry, List<Notice> notices) throws IOException {
        return new DeliveryReport(
                entry,
                notices,
                ReturnedContent.of(entry.content(), wantsAll(entry.envelope(), notices)));
    }

    /// RFC 3461 §4.3: RET is for failures only; a sender who did not ask gets the header, which is
    /// enough to recognise a message and less of a present to somebody whose address was forged. A
    /// binary message cannot be put into a part as it is, and one with REQUIRETLS does not go back
    /// whole (RFC 8689 §5).
    private static boolean wantsAll(Envelope envelope, List<Notice> notices) {
        Map<String, String> mail = envelope.parameters();
        return worst(notices) == Action.FAILED
                && !envelope.requiresTls()
                && "FULL".equalsIgnoreCase(mail.getOrDefault("RET", ""))
                && !"BINARYMIME".equalsIgnoreCase(mail.getOrDefault("BODY", ""));
    }

    /// The report's own envelope: from nobody, so that no report is ever written about it (RFC 5321
    /// §4.5.5).
    ///
    /// @throws java.util.NoSuchElementException when the message has no sender; nobody is to be
    ///     told then
    Envelope envelope() {
        MailAddress to = entry.envelope().sender().orElseThrow();
        Map<String, String> parameters = new HashMap<>();
        parameters.put("BODY", eightBit() ? "8BITMIME" : "7BIT");
        if (global()) {
            parameters.put("SMTPUTF8", "");
        }
        if (entry.envelope().requiresTls()) {
            // RFC 8689 §5: what it tells of the message is to be as safe as that was
            parameters.put("REQUIRETLS", "");
        }
        if (entry.envelope().priority() != 0) {
            // RFC 6710 §4.6
            parameters.put("MT-PRIORITY", Integer.toString(entry.envelope().priority()));
        }
        // Nobody wants to hear what became of a report either, and a server with DSN is told so.
        Recipient recipient = new Recipient(to, Map.of("NOTIFY", "NEVER"));
        return new Envelope(Optional.empty(), parameters, List.of(recipient));
    }

    /// Writes the whole message.
    ///
    /// @param id its own
    /// @param boundary a text that nobody can guess
    void write(OutputStream out, Writer writer, QueueId id, Instant now, String boundary)
            throws IOException {
        StringBuilder text = new StringBuilder();
        header(text, writer, id, now, boundary);
        line(text, "--" + boundary);
        words(text, writer);
        line(text, "--" + boundary);
        fields(text, writer);
        line(text, "--" + boundary);
        line(
                text,
                "Content-Description: "
                        + (returned.whole() ? "The message" : "The header of the message"));
        line(text, "Content-Type: " + returned.type(global()));
        line(text, "Content-Transfer-Encoding: " + returned.encoding());
        line(text, "");
        out.write(text.toString().getBytes(StandardCharsets.UTF_8));
        returned.write(out);
        out.write(("\r\n--" + boundary + "--\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    private void header(
            StringBuilder text, Writer writer, QueueId id, Instant now, String boundary) {
        line(text, "From: Mail Delivery System <postmaster@" + writer.domain + ">");
        line(text, "To: <" + readable(entry.envelope().sender().orElseThrow().toString()) + ">");
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
        // RFC 3834 §3.1.6: so that it is shown below the message it is about.
        returned.header()
                .messageId()
                .ifPresent(
                        original -> {
                            line(text, "In-Reply-To: " + original);
                            line(text, "References: " + original);
                        });
        // RFC 3834 §5
        line(text, "Auto-Submitted: auto-replied");
        line(text, "MIME-Version: 1.0");
        line(text, "Content-Type: multipart/report; report-type=delivery-status;");
        line(text, "\tboundary=\"" + boundary + "\"");
        line(text, "Content-Transfer-Encoding: " + bits(eightBit()));
        line(text, "");
        line(
                text,
                "A report on the delivery of a message, in a form for people and one for"
                        + " programs.");
        line(text, "");
    }

    private String subject() {
        return switch (worst(notices)) {
            case FAILED -> "Undelivered mail";
            case DELAYED -> "Delayed mail, still being tried";
            case DELIVERED, EXPANDED -> "Delivered mail";
            case RELAYED -> "Mail handed on";
        };
    }

    private void words(StringBuilder text, Writer writer) {
        line(text, "Content-Description: What happened");
        line(text, "Content-Type: text/plain; charset=utf-8");
        line(text, "Content-Transfer-Encoding: " + bits(wordsAreEightBit()));
        line(text, "");
        line(text, "This is the mail server " + writer.host + ".");
        for (Action action : Action.values()) {
            List<Notice> same = notices.stream().filter(n -> n.action == action).toList();
            if (!same.isEmpty()) {
                line(text, "");
                line(text, "Your message of " + DATE.format(entry.accepted()));
                line(text, sentence(action));
                line(text, "");
                same.forEach(notice -> words(text, notice));
            }
        }
        line(text, "");
        line(
                text,
                returned.whole()
                        ? "The message follows below."
                        : "The header of the message follows below.");
        line(text, "");
    }

    private static void words(StringBuilder text, Notice notice) {
        line(text, "  <" + readable(notice.recipient.address().toString()) + ">");
        original(notice.recipient)
                .filter(known -> !known.address().equals(notice.recipient.address().toString()))
                .ifPresent(
                        known ->
                                line(
                                        text,
                                        "      which is where <"
                                                + readable(known.address())
                                                + "> leads"));
        explanation(notice).ifPresent(why -> line(text, "      " + why));
        line(text, "      " + readable(notice.status.toString()));
        notice.retryUntil.ifPresent(
                until -> line(text, "      It is tried until " + DATE.format(until) + "."));
    }

    private static String sentence(Action action) {
        return switch (action) {
            case FAILED -> "could not be delivered, and is not tried again:";
            case DELAYED -> "could not be delivered yet; you need not send it again:";
            case DELIVERED -> "was delivered:";
            case RELAYED ->
                    "was handed on to a server that does not tell what becomes of it; you will"
                            + " hear of a failure only:";
            case EXPANDED -> "was delivered to each member of a list of addresses:";
        };
    }

    /// What a status means, for who does not read codes: RFC 3463 §3.
    private static Optional<String> explanation(Notice notice) {
        String enhanced = notice.status.enhanced();
        String detail = enhanced.substring(enhanced.indexOf('.') + 1);
        return Optional.ofNullable(
                enhanced.startsWith("2")
                        ? null
                        : switch (detail) {
                            case "1.1" -> "There is no such mailbox. Is the address right?";
                            case "1.2", "4.4" ->
                                    "The domain cannot be found. Is the address right?";
                            case "1.3" -> "The address is not written as an address should be.";
                            case "1.10" -> "The domain takes no mail.";
                            case "2.1" -> "The mailbox is not in use.";
                            case "2.2" -> "The mailbox is full.";
                            case "2.3", "3.4" -> "The message is too large.";
                            case "4.6" -> "The message went in a circle.";
                            case "4.7" -> "It took too long.";
                            case "6.7" ->
                                    "The server there does not know addresses with letters beyond"
                                            + " those of English.";
                            case "7.1", "7.23", "7.25", "7.26" ->
                                    "The message is not wanted there.";
                            default -> null;
                        });
    }

    // RFC 3464 §2.2 and §2.3, RFC 6533 §4
    private void fields(StringBuilder text, Writer writer) {
        boolean global = global();
        line(text, "Content-Description: What happened, for programs");
        line(
                text,
                "Content-Type: message/" + (global ? "global-delivery-status" : "delivery-status"));
        line(text, "Content-Transfer-Encoding: " + bits(global));
        line(text, "");
        Optional.ofNullable(entry.envelope().parameters().get("ENVID"))
                .map(envid -> plain(TypedAddress.fromXtext(envid)))
                .ifPresent(envid -> line(text, "Original-Envelope-Id: " + envid));
        line(text, "Reporting-MTA: dns; " + writer.host);
        line(text, "Arrival-Date: " + DATE.format(entry.accepted()));
        // RFC 2852 §5
        DeliverBy.of(entry)
                .ifPresent(by -> line(text, "Deliver-By-Date: " + DATE.format(by.deadline())));
        for (Notice notice : notices) {
            line(text, "");
            original(notice.recipient)
                    .ifPresent(known -> line(text, "Original-Recipient: " + known.field(global)));
            line(
                    text,
                    "Final-Recipient: "
                            + TypedAddress.of(notice.recipient.address()).field(global));
            line(text, "Action: " + notice.action.name().toLowerCase(Locale.ROOT));
            line(text, "Status: " + enhanced(notice.status));
            notice.remote.ifPresent(host -> line(text, "Remote-MTA: dns; " + plain(host)));
            diagnosis(notice).ifPresent(code -> line(text, "Diagnostic-Code: " + code));
            line(text, "Last-Attempt-Date: " + DATE.format(notice.attempted));
            notice.retryUntil.ifPresent(
                    until -> line(text, "Will-Retry-Until: " + DATE.format(until)));
        }
        line(text, "");
    }

    /// RFC 3464 §2.3.6: `smtp` is what a server said, and nothing else.
    private static Optional<String> diagnosis(Notice notice) {
        return notice.said
                .map(said -> "smtp; " + plain(said.toString()))
                .or(
                        () ->
                                notice.action == Action.FAILED || notice.action == Action.DELAYED
                                        ? Optional.of("x-pabal; " + plain(notice.status.toString()))
                                        : Optional.empty());
    }

    private static Optional<TypedAddress> original(Recipient recipient) {
        return Optional.ofNullable(recipient.parameters().get("ORCPT"))
                .map(TypedAddress::ofParameter);
    }

    private static String enhanced(Status status) {
        return status.enhanced().isEmpty() ? status.code() / 100 + ".0.0" : status.enhanced();
    }

    private static Action worst(List<Notice> notices) {
        return notices.stream().map(Notice::action).min(Enum::compareTo).orElse(Action.FAILED);
    }

    /// Whether the forms of RFC 6533 with UTF-8 in them are used: where there is something to say
    /// in it, and the sender can read it, for the message came with SMTPUTF8 or from an address
    /// that needs it. All else goes to any server.
    private boolean global() {
        Envelope mail = entry.envelope();
        boolean readsIt =
                mail.internationalized()
                        || mail.sender().filter(MailAddress::internationalized).isPresent();
        return readsIt
                && (mail.sender().filter(MailAddress::internationalized).isPresent()
                        || !isAscii(returned.header().octets())
                        || notices.stream().anyMatch(DeliveryReport::namesUtf8));
    }

    private static boolean namesUtf8(Notice notice) {
        return notice.recipient.address().internationalized()
                || original(notice.recipient)
                        .filter(known -> !isAscii(known.address().getBytes(StandardCharsets.UTF_8)))
                        .isPresent();
    }

    private boolean eightBit() {
        return global() || returned.eightBit() || wordsAreEightBit();
    }

    private boolean wordsAreEightBit() {
        return notices.stream()
                .anyMatch(
                        notice ->
                                namesUtf8(notice)
                                        || !isAscii(
                                                notice.status
                                                        .text()
                                                        .getBytes(StandardCharsets.UTF_8)));
    }

    private static boolean isAscii(byte[] octets) {
        for (byte octet : octets) {
            if (octet < 0) {
                return false;
            }
        }
        return true;
    }

    private static String bits(boolean eight) {
        return (eight ? ReturnedContent.Encoding.EIGHT_BIT : ReturnedContent.Encoding.SEVEN_BIT)
                .toString();
    }

    /// Printable ASCII and nothing else (security row S11): what is not becomes `\x{…}` of RFC 6533
    /// §3, controls become `?`.
    static String plain(String text) {
        return plain(text, MAX_TEXT);
    }

    static String plain(String text, int longest) {
        StringBuilder plain = new StringBuilder();
        for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
            int c = text.codePointAt(at);
            String one =
                    c >= ' ' && c < 127
                            ? Character.toString(c)
                            : c < 160 ? "?" : String.format(Locale.ROOT, "\\x{%X}", c);
            if (plain.length() + one.length() > longest) {
                return plain.append("...").toString();
            }
            plain.append(one);
        }
        return plain.toString();
    }

    /// As it is, but on one line, and without what makes a line look like another: controls, and
    /// signs that turn the direction.
    static String readable(String text) {
        return readable(text, MAX_TEXT);
    }

    static String readable(String text, int mostOctets) {
        StringBuilder readable = new StringBuilder();
        int octets = 0;
        for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
            int c = text.codePointAt(at);
            String one = bends(c) ? "?" : Character.toString(c);
            octets += c < 128 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
            if (octets > mostOctets) {
                return readable.append("...").toString();
            }
            readable.append(one);
        }
        return readable.toString();
    }

    private static boolean bends(int c) {
        boolean turns = c == 0x200E || c == 0x200F || c >= 0x202A && c <= 0x202E;
        return turns
                || c >= 0x2066 && c <= 0x2069
                || switch (Character.getType(c)) {
                    case Character.CONTROL,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SURROGATE ->
                            true;
                    default -> false;
                };
    }

    private static void line(StringBuilder text, String line) {
        text.append(line).append("\r\n");
    }
}
