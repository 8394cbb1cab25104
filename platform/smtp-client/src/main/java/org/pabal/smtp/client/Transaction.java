package org.pabal.smtp.client;

import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// One message on its way, from MAIL to what is said of its end.
///
/// ```
///   with PIPELINING and CHUNKING       with PIPELINING            without
///   ─▶ MAIL RCPT… BDAT LAST message    ─▶ MAIL RCPT… DATA         ─▶ MAIL        ◀─ 250
///   ◀─ 250 250… 250                    ◀─ 250 250… 354            ─▶ RCPT        ◀─ 250
///                                      ─▶ message  ◀─ 250         ─▶ DATA        ◀─ 354
///                                                                 ─▶ message     ◀─ 250
/// ```
final class Transaction {

    /// So many recipients go out before we listen: neither their replies nor our commands fill what
    /// lies between us, so that both sides never wait for the other to read (RFC 2920 §3.1).
    private static final int WINDOW = 50;

    /// A message up to this size goes with its commands.
    private static final int TOGETHER_OCTETS = 65_536;

    /// Of a larger one so much at a time: one that is refused is refused early.
    private static final int CHUNK_OCTETS = 262_144;

    private final Wire wire;
    private final Capabilities they;
    private final boolean lmtp;
    private final ClientPatience patience;
    private final Envelope envelope;
    private final OutgoingMessage message;
    private final String remaining;
    private final String where;

    private final Map<MailAddress, Outcome> outcomes = new LinkedHashMap<>();
    private final List<Recipient> accepted = new ArrayList<>();
    private boolean senderAccepted;
    private boolean full;
    private boolean open;
    private boolean over;
    private boolean ending;

    Transaction(
            Wire wire,
            Capabilities they,
            boolean lmtp,
            ClientPatience patience,
            Envelope envelope,
            OutgoingMessage message,
            String remaining,
            String where) {
        this.wire = wire;
        this.they = they;
        this.lmtp = lmtp;
        this.patience = patience;
        this.envelope = envelope;
        this.message = message;
        this.remaining = remaining;
        this.where = where;
    }

    /// @param recipients at least one
    /// @param reset whether the last transaction was left open
    Map<MailAddress, Outcome> run(List<Recipient> recipients, boolean reset) throws IOException {
        open = reset;
        try {
            wire.expectSilence(patience.command());
            talk(recipients, reset);
        } catch (Wire.Leaving e) {
            over = true;
            // RFC 5321 §3.8: as if each command since had been answered so
            for (Recipient recipient : recipients) {
                outcomes.putIfAbsent(recipient.address(), e.reply().outcome(where, they.reports()));
            }
        }
        return outcomes;
    }

    /// Whether the next transaction has to begin with RSET.
    boolean leftOpen() {
        return open;
    }

    /// Whether the other side is about to close, or out of step with us.
    boolean over() {
        return over || wire.lost();
    }

    /// Whether the message may be with the other side by now, although nobody said so. One that
    /// went with its commands is not counted until the first of these was answered: nearly always
    /// the connection was closed before it came.
    boolean ending() {
        return ending;
    }

    private void talk(List<Recipient> recipients, boolean reset) throws IOException {
        boolean pipelining = they.pipelining();
        if (reset) {
            wire.put("RSET").line();
            if (!pipelining) {
                resetAnswered();
            }
        }
        putMail();
        if (!pipelining) {
            senderAnswered(recipients);
        }
        int window = pipelining ? WINDOW : 1;
        boolean asked = false;
        for (int from = 0; from < recipients.size() && !full; from += window) {
            if (from > 0 || !pipelining) {
                if (!senderAccepted) {
                    return;
                }
            }
            int to = Math.min(recipients.size(), from + window);
            List<Recipient> flight = recipients.subList(from, to);
            for (Recipient recipient : flight) {
                putRcpt(recipient);
            }
            if (pipelining && to == recipients.size()) {
                putRequest();
                asked = true;
            }
            if (pipelining && from == 0) {
                if (reset) {
                    resetAnswered();
                }
                senderAnswered(recipients);
            }
            for (Recipient recipient : flight) {
                recipientAnswered(recipient, wire.reply(patience.command(), "RCPT"));
            }
        }
        if (asked) {
            requestAnswered();
        } else if (!accepted.isEmpty()) {
            putRequest();
            requestAnswered();
        }
    }

    private void resetAnswered() throws IOException {
        Reply reply = wire.reply(patience.command(), "RSET");
        if (!reply.ok()) {
            throw new IOException("does not let us begin anew: " + reply.status());
        }
        open = false;
    }

    private void senderAnswered(List<Recipient> recipients) throws IOException {
        Reply reply = wire.reply(patience.command(), "MAIL");
        senderAccepted = reply.ok();
        open = senderAccepted;
        ending = together();
        if (!senderAccepted) {
            Outcome refused = reply.outcome(where, they.reports());
            recipients.forEach(recipient -> outcomes.put(recipient.address(), refused));
        }
    }

    private void recipientAnswered(Recipient recipient, Reply reply) {
        if (!senderAccepted) {
            return;
        }
        if (reply.ok()) {
            accepted.add(recipient);
        } else if (!tooMany(reply)) {
            outcomes.put(recipient.address(), reply.outcome(where, they.reports()));
        } else if (accepted.isEmpty()) {
            outcomes.put(
                    recipient.address(),
                    new Outcome.Deferred(
                            new Status(452, "4.5.3", where + " said: " + reply.text())));
        } else {
            // RFC 5321 §4.5.3.1.10: in another transaction; no outcome says so
            full = true;
        }
    }

    /// Whether it is the number of recipients that they do not like: 452, or 552 by those of
    /// before RFC 5321.
    private static boolean tooMany(Reply reply) {
        return switch (reply.enhanced()) {
            case "4.5.3", "5.5.3" -> true;
            case "" -> reply.code() == 452 || reply.code() == 552;
            default -> false;
        };
    }

    private boolean together() {
        // RFC 2033 §4.2: how many replies follow depends on what RCPT was answered
        return they.chunking() && they.pipelining() && !lmtp && message.size() <= TOGETHER_OCTETS;
    }

    private void putRequest() throws IOException {
        if (!they.chunking()) {
            wire.put("DATA").line();
        } else if (together()) {
            try {
                wire.put("BDAT ").put(message.size()).put(" LAST").line();
                Exactly exactly = new Exactly(message.size());
                message.writePlain(exactly);
                exactly.end();
            } catch (Wire.Lost e) {
                // the replies that are still there tell why
            }
        }
    }

    private void requestAnswered() throws IOException {
        if (!they.chunking()) {
            dataAnswered();
        } else if (together()) {
            // RFC 3030 §2: RSET after a BDAT that failed
            Reply reply = endReply();
            open = !reply.ok();
            accepted.forEach(recipient -> ended(recipient, reply));
        } else if (!accepted.isEmpty()) {
            sendChunks();
        }
    }

    private void dataAnswered() throws IOException {
        Reply reply = wire.reply(patience.command(), "DATA");
        if (reply.code() != 354) {
            if (reply.ok()) {
                throw new IOException("answered DATA with " + reply.status());
            }
            accepted.forEach(recipient -> ended(recipient, reply));
            return;
        }
        if (!accepted.isEmpty()) {
            // who has answered already has not read it (security row S3)
            wire.expectSilence(patience.command());
            ending = true;
            try {
                message.writeDotted(wire);
                wire.flush();
            } catch (Wire.Lost e) {
                // what they said before they closed tells why
            }
            endAnswered();
        } else if (lmtp) {
            over = true;
        } else {
            // RFC 2920 §3.1: who says 354 to a message for nobody gets one without a line
            wire.put(".").line();
            wire.reply(patience.end(), "the end of the message");
            open = false;
        }
    }

    private void endAnswered() throws IOException {
        open = false;
        if (!lmtp) {
            Reply reply = endReply();
            accepted.forEach(recipient -> ended(recipient, reply));
            return;
        }
        // RFC 2033 §4.2: one reply for each recipient, in their order
        for (int i = 0; i < accepted.size(); i++) {
            try {
                ended(accepted.get(i), endReply());
            } catch (Wire.Leaving e) {
                throw e;
            } catch (IOException e) {
                if (i == 0) {
                    throw e;
                }
                over = true;
                Status lost = new Status(451, "4.4.2", where + ": " + e.getMessage());
                accepted.subList(i, accepted.size())
                        .forEach(r -> outcomes.put(r.address(), new Outcome.Deferred(lost)));
                return;
            }
        }
    }

    private Reply endReply() throws IOException {
        Reply reply = wire.reply(patience.end(), "the end of the message");
        if (reply.ok() && wire.lost()) {
            throw new IOException("accepted a message before its end: " + reply.status());
        }
        return reply;
    }

    private void ended(Recipient recipient, Reply reply) {
        outcomes.put(recipient.address(), reply.outcome(where, they.reports()));
    }

    private void sendChunks() throws IOException {
        Chunks chunks = new Chunks();
        ending = true;
        try {
            message.writePlain(chunks);
            chunks.end();
            wire.flush();
            chunks.answered(0);
        } catch (Refused e) {
            accepted.forEach(recipient -> ended(recipient, e.reply));
            chunks.forget();
            return;
        } catch (Wire.Lost e) {
            try {
                chunks.answered(0);
            } catch (Refused refused) {
                accepted.forEach(recipient -> ended(recipient, refused.reply));
                return;
            }
        }
        endAnswered();
        // RFC 3030 §2
        open =
                accepted.stream()
                        .anyMatch(r -> !(outcomes.get(r.address()) instanceof Outcome.Delivered));
    }

    /// A chunk that was not the last was refused.
    private static final class Refused extends IOException {

        private static final long serialVersionUID = 1;
        private final transient Reply reply;

        Refused(Reply reply) {
            this.reply = reply;
        }

        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    }

    /// Lets through as many octets as were announced: one more or less, and the other side would
    /// read our message as commands.
    private class Exactly extends OutputStream {

        long left;

        Exactly(long size) {
            this.left = size;
        }

        @Override
        public void write(int octet) throws IOException {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] octets, int offset, int length) throws IOException {
            if (length > left) {
                throw longer();
            }
            wire.write(octets, offset, length);
            left -= length;
        }

        IOException longer() {
            return new IOException("the message is longer than it was said to be");
        }

        void end() throws IOException {
            if (left != 0) {
                throw new IOException(
                        "the message is " + left + " octets shorter than it was said to be");
            }
        }
    }

    /// BDAT after BDAT, RFC 3030 §2.
    private final class Chunks extends Exactly {

        private int room;
        private int outstanding;

        Chunks() {
            super(message.size());
        }

        @Override
        public void write(byte[] octets, int offset, int length) throws IOException {
            for (int done = 0; done < length; ) {
                if (room == 0) {
                    begin();
                }
                int now = Math.min(length - done, room);
                super.write(octets, offset + done, now);
                room -= now;
                done += now;
            }
        }

        private void begin() throws IOException {
            answered(they.pipelining() ? 1 : 0);
            if (left == 0) {
                throw longer();
            }
            room = (int) Math.min(CHUNK_OCTETS, left);
            boolean last = room == left;
            wire.put("BDAT ").put(room).put(last ? " LAST" : "").line();
            outstanding += last ? 0 : 1;
        }

        @Override
        void end() throws IOException {
            super.end();
            if (message.size() == 0) {
                wire.put("BDAT 0 LAST").line();
            }
        }

        /// Waits until at most so many chunks are unanswered.
        void answered(int atMost) throws IOException {
            while (outstanding > atMost) {
                Reply reply = wire.reply(patience.end(), "BDAT");
                outstanding--;
                if (!reply.ok()) {
                    throw new Refused(reply);
                }
            }
        }

        /// Hears what else is said of chunks of a message that is refused already.
        void forget() {
            try {
                for (; outstanding > 0; outstanding--) {
                    wire.reply(patience.end(), "BDAT");
                }
            } catch (IOException e) {
                over = true;
            }
        }
    }

    private void putMail() throws IOException {
        wire.put("MAIL FROM:<").put(envelope.sender().map(MailAddress::toString).orElse(""));
        wire.put(">");
        if (they.sized()) {
            wire.put(" SIZE=").put(message.size());
        }
        if (!message.body().isEmpty() && (they.eightBit() || they.binary())) {
            parameter("BODY", message.body());
        }
        if (message.utf8()) {
            wire.put(" SMTPUTF8");
        }
        // RFC 3461 §5.2.1: as they came, and none that did not
        if (they.reports()) {
            parameter("RET", envelope.parameters().getOrDefault("RET", ""));
            parameter("ENVID", envelope.parameters().getOrDefault("ENVID", ""));
        }
        if (they.deliverBy()) {
            parameter("BY", remaining);
        }
        if (they.priority() && envelope.parameters().containsKey("MT-PRIORITY")) {
            wire.put(" MT-PRIORITY=").put(envelope.priority());
        }
        if (envelope.requiresTls() && they.requireTls()) {
            wire.put(" REQUIRETLS");
        }
        wire.line();
    }

    private void putRcpt(Recipient recipient) throws IOException {
        wire.put("RCPT TO:<").put(recipient.address().toString()).put(">");
        if (they.reports()) {
            parameter("NOTIFY", recipient.parameters().getOrDefault("NOTIFY", ""));
            parameter("ORCPT", ascii(recipient.parameters().getOrDefault("ORCPT", "")));
        }
        wire.line();
    }

    /// A parameter that has a value, and one of an esmtp-value's characters (RFC 5321 §4.1.2):
    /// whatever stands in the queue, nothing gets out of its place here (security row S11).
    private void parameter(String keyword, String value) throws IOException {
        if (!value.isEmpty() && value.chars().allMatch(c -> c > ' ' && c < 127 && c != '=')) {
            wire.put(" ").put(keyword).put("=").put(value);
        }
    }

    /// RFC 6533 §3: utf-8-addr-xtext, which may go to any server.
    private static String ascii(String value) {
        if (value.chars().allMatch(c -> c < 128)) {
            return value;
        }
        StringBuilder encoded = new StringBuilder();
        value.codePoints()
                .forEach(
                        c -> {
                            if (c < 128) {
                                encoded.append((char) c);
                            } else {
                                encoded.append("\\x{")
                                        .append(Integer.toHexString(c).toUpperCase(Locale.ROOT))
                                        .append('}');
                            }
                        });
        return encoded.toString();
    }
}
