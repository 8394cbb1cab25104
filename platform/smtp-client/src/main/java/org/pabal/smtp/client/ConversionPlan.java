package org.pabal.smtp.client;

import org.pabal.mail.Status;
import org.pabal.smtp.client.MimeWalk.Entity;
import org.pabal.smtp.client.MimeWalk.Kind;

import java.util.Arrays;
import java.util.Optional;

/// Looks through a message and decides what becomes of each part, so that [Conversion] knows it
/// when it writes the part's header.
///
/// A part that can go as it is stays as it is, octet for octet. Of the others, text becomes
/// quoted-printable and the rest base64 (RFC 6152 §3). What is signed or encrypted is not touched
/// (RFC 1847 §2.1): rather than a message whose signature is broken, the sender gets a report;
/// Sendmail does not convert it either, Postfix does. A DKIM signature does not survive, and RFC
/// 6376 §5.3 tells signers so.
final class ConversionPlan implements MimeWalk.Guest {

    /// What is done with a part.
    enum Treatment {
        NONE,
        /// Only its Content-Transfer-Encoding gets another value.
        RELABEL,
        QUOTED_PRINTABLE,
        BASE64,
        /// It says that it is quoted-printable, and is not quite.
        MEND_QUOTED_PRINTABLE,
        /// It says that it is base64, and is not quite.
        MEND_BASE64
    }

    /// What the other side can take.
    ///
    /// @param eightBit whether bodies may have 8-bit lines; never octets that are no lines
    /// @param highHeader whether the header may have octets of 128 and above
    record Target(boolean eightBit, boolean highHeader) {

        /// What a part that can go as it is, and a part with parts, is to be called at most.
        String widest() {
            return eightBit ? "8bit" : "7bit";
        }

        boolean calls(String encoding) {
            return encoding.equals("binary") || encoding.equals("8bit") && !eightBit;
        }
    }

    static final int MAX_LINE = 998; // RFC 5321 §4.5.3.1.6

    private static final String SEALED = "to convert a signed or encrypted message would break it";
    private static final String OPAQUE = "the message has a part that cannot be converted";

    private static final byte[] CRLF = {'\r', '\n'};

    private final Target target;
    private Treatment[] treatments = new Treatment[8];
    private OctetScan scan = new OctetScan();
    private boolean highInHeaders;
    private Optional<Status> impossible = Optional.empty();

    ConversionPlan(Target target) {
        this.target = target;
    }

    Target target() {
        return target;
    }

    Treatment treatment(Entity entity) {
        return treatments[entity.index()];
    }

    /// Why the message cannot be converted, if so.
    Optional<Status> impossible() {
        return impossible;
    }

    /// Whether the header of the message or of any part has an octet of 128 or above.
    boolean highInHeaders() {
        return highInHeaders;
    }

    @Override
    public void header(Entity entity) {
        OctetScan fields = new OctetScan();
        byte[] octets = entity.header().octets();
        fields.add(octets, 0, octets.length);
        fields.end();
        highInHeaders |= fields.high();
        boolean unfit = fields.nul() || fields.bare() || fields.high() && !target.highHeader();
        if (unfit && entity.sealed()) {
            refuse(SEALED);
        }
        if (entity.index() == treatments.length) {
            treatments = Arrays.copyOf(treatments, 2 * treatments.length);
        }
        treatments[entity.index()] = label(entity);
        scan = new OctetScan();
    }

    @Override
    public void body(Entity entity, byte[] octets, int from, int to) {
        scan.add(octets, from, to);
    }

    @Override
    public void lineEnd(Entity entity) {
        scan.add(CRLF, 0, 2);
    }

    @Override
    public void end(Entity entity) {
        scan.end();
        boolean must = unfit(scan);
        boolean should = scan.longest() > MAX_LINE;
        if (must && entity.sealed()) {
            refuse(SEALED);
        } else if (must && entity.kind() == Kind.OPAQUE) {
            refuse(OPAQUE);
        } else if (must || should && !entity.sealed() && entity.kind() == Kind.LEAF) {
            treatments[entity.index()] = encoding(entity, must);
        }
    }

    @Override
    public void between(byte[] octets, int from, int to, boolean sealed) {
        if (sealed) {
            OctetScan some = new OctetScan();
            some.add(octets, from, to);
            if (unfit(some)) {
                refuse(SEALED);
            }
        }
    }

    private Treatment encoding(Entity entity, boolean must) {
        String now = entity.header().encoding;
        if (now.matches("7bit|8bit|binary")) {
            return text(entity.header()) ? Treatment.QUOTED_PRINTABLE : Treatment.BASE64;
        }
        if (!must) {
            return Treatment.NONE;
        }
        if (now.equals("quoted-printable")) {
            return Treatment.MEND_QUOTED_PRINTABLE;
        }
        if (now.equals("base64")) {
            return Treatment.MEND_BASE64;
        }
        refuse(OPAQUE);
        return Treatment.NONE;
    }

    private Treatment label(Entity entity) {
        return !entity.sealed() && target.calls(entity.header().encoding)
                ? Treatment.RELABEL
                : Treatment.NONE;
    }

    // reports and the like are lines of text too; RFC 2045 §5.2: so is what says nothing
    private static boolean text(MimeHeader header) {
        return header.type.equals("text")
                || header.type.equals("message")
                || header.type.isEmpty() && !header.has("content-type");
    }

    // RFC 2045 §2.7, §2.8: neither NUL nor CR or LF alone, in 7 bit and in 8 bit
    private boolean unfit(OctetScan octets) {
        return octets.nul() || octets.bare() || octets.high() && !target.eightBit();
    }

    private void refuse(String why) {
        if (impossible.isEmpty()) {
            impossible = Optional.of(impossible(why));
        }
    }

    private Status impossible(String why) {
        return new Status(
                554,
                "5.6.3",
                "the receiving server does not take the message as it is (it has no "
                        + (target.eightBit() ? "BINARYMIME" : "8BITMIME")
                        + "), and "
                        + why);
    }

    /// For a message that [MimeWalk] found too much to take apart.
    Status impossible(MimeWalk.TooComplex e) {
        return impossible("the message is too complex to be converted: it has " + e.getMessage());
    }
}
