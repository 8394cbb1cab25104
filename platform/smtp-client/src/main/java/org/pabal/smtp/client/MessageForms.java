package org.pabal.smtp.client;

import org.pabal.mail.Content;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.smtp.client.ConversionPlan.Target;
import org.pabal.smtp.client.OutgoingMessage.Choice;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/// Chooses the form of a message for a server, see [OutgoingMessage].
///
/// ```
///   BINARYMIME, and they take it ──────────────────▶ unchanged, by BDAT
///   only what they take ───────────────────────────▶ unchanged
///   CR or LF alone, last line without its end ─────▶ CleanLines
///   8 bits for a server without 8BITMIME, ─────────▶ ConversionPlan, Conversion
///     BINARYMIME for one without it, NUL
/// ```
/// What needs no conversion is not converted: lines of more than 998 octets, which RFC 5321
/// §4.5.3.1.6 does not promise to get through, go as they are, since nearly all take them and a
/// signature would break (Sendmail and Postfix cut them, Exim refuses them). A conversion puts them
/// right on its way. A NUL, which may stand neither in 7 bit nor in 8 bit (RFC 2045 §2.7, §2.8), is
/// encoded with its part, and a blank in a header. Octets of 128 and above in the header of a
/// message that did not come with SMTPUTF8 pass to a server with 8BITMIME, as they do in Postfix.
final class MessageForms {

    private final OctetSource source;
    private final Envelope envelope;
    private final Capabilities they;

    private MessageForms(OctetSource source, Envelope envelope, Capabilities they) {
        this.source = source;
        this.envelope = envelope;
        this.they = they;
    }

    static Choice prepare(Content content, Envelope envelope, Capabilities they)
            throws IOException {
        return new MessageForms(OctetSource.of(content), envelope, they).choose();
    }

    private Choice choose() throws IOException {
        OctetScan scan = source.scan();
        boolean binary = "BINARYMIME".equals(envelope.parameters().get("BODY"));
        boolean utf8 = false;
        if (addressesNeedUtf8()) {
            utf8 = true;
            if (!they.utf8()) {
                return new Choice.Impossible(NO_UTF8_ADDRESSES);
            }
        } else if (headerNeedsUtf8(scan, binary)) {
            utf8 = true;
            if (!they.utf8()) {
                return new Choice.Impossible(NO_UTF8_HEADER);
            }
        }
        if (binary && they.binary()) {
            return ready(new PlainMessage(source, scan, "BINARYMIME", utf8));
        }
        boolean high = scan.highInBody() || scan.highInHeader() && !utf8;
        if (binary || scan.nul() || high && !they.eightBit()) {
            return converted(binary, utf8);
        }
        String body = !they.eightBit() ? "" : scan.high() ? "8BITMIME" : "7BIT";
        return ready(new PlainMessage(source, scan, body, utf8));
    }

    private boolean addressesNeedUtf8() {
        if (envelope.sender().isPresent() && beyondAscii(envelope.sender().get())) {
            return true;
        }
        for (Recipient recipient : envelope.recipients()) {
            if (beyondAscii(recipient.address())) {
                return true;
            }
        }
        return false;
    }

    private static boolean beyondAscii(MailAddress address) {
        return address.internationalized();
    }

    /// Whether the message came with SMTPUTF8 and makes use of it; where it does not, RFC 6531
    /// §3.2 wants it sent as any other. Headers of parts count (RFC 6532 §3.2).
    private boolean headerNeedsUtf8(OctetScan scan, boolean binary) throws IOException {
        if (!envelope.internationalized() || !scan.high()) {
            return false;
        }
        if (scan.highInHeader()) {
            return true;
        }
        ConversionPlan headers = new ConversionPlan(new Target(true, true));
        try {
            walk(headers, binary);
            return headers.highInHeaders();
        } catch (MimeWalk.TooComplex e) {
            return true;
        }
    }

    private Choice converted(boolean binary, boolean utf8) throws IOException {
        Target target = new Target(they.eightBit(), they.eightBit() || utf8);
        ConversionPlan plan = new ConversionPlan(target);
        try {
            walk(plan, binary);
        } catch (MimeWalk.TooComplex e) {
            return new Choice.Impossible(plan.impossible(e));
        }
        Optional<Status> impossible = plan.impossible();
        if (impossible.isPresent()) {
            return new Choice.Impossible(impossible.get());
        }
        OctetSource.Writer writer =
                out -> {
                    CleanLines lines = new CleanLines(out);
                    walk(new Conversion(plan, lines), binary);
                    lines.end();
                };
        Converted result = new Converted();
        writer.writeTo(result);
        result.scan.end();
        String body = !they.eightBit() ? "" : result.scan.high() ? "8BITMIME" : "7BIT";
        OctetSource octets =
                result.memory
                        .map(memory -> OctetSource.of(memory.toByteArray()))
                        .orElseGet(() -> OctetSource.of(result.scan.size(), writer));
        return ready(new PlainMessage(octets, result.scan, body, utf8));
    }

    private void walk(MimeWalk.Guest guest, boolean binary) throws IOException {
        MimeWalk walk = new MimeWalk(guest, source.size());
        if (binary) {
            source.writeTo(walk); // CR and LF alone are data
        } else {
            CleanLines lines = new CleanLines(walk);
            source.writeTo(lines);
            lines.end();
        }
        walk.end();
    }

    private static Choice ready(OutgoingMessage message) {
        return new Choice.Ready(message);
    }

    // RFC 6531 §3.5
    private static final Status NO_UTF8_ADDRESSES =
            new Status(
                    553,
                    "5.6.7",
                    "an address of the message has characters beyond ASCII, and the receiving"
                            + " server does not support internationalized mail (SMTPUTF8)");
    private static final Status NO_UTF8_HEADER =
            new Status(
                    550,
                    "5.6.9",
                    "the header of the message has characters beyond ASCII, and the receiving"
                            + " server does not support internationalized mail (SMTPUTF8)");

    /// Looks at the result of a conversion, and keeps it in memory as long as it is short.
    private static final class Converted extends OutputStream {

        private static final int MAX_MEMORY = 1 << 20;

        private final OctetScan scan = new OctetScan();
        private Optional<ByteArrayOutputStream> memory = Optional.of(new ByteArrayOutputStream());

        @Override
        public void write(byte[] octets, int offset, int length) {
            scan.add(octets, offset, offset + length);
            if (scan.size() > MAX_MEMORY) {
                memory = Optional.empty();
            } else if (memory.isPresent()) {
                memory.get().write(octets, offset, length);
            }
        }

        @Override
        public void write(int octet) {
            write(new byte[] {(byte) octet}, 0, 1);
        }
    }
}
