package org.pabal.smtp;

import org.pabal.mail.Draft;
import org.pabal.mail.Envelope;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/// A message while it comes in: what arrives goes into the draft, and the header is looked at on
/// its way.
///
/// After a trouble (no room, too big) the rest is counted and thrown away, for the client hears of
/// it only at the end of its message.
final class IncomingMessage implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(IncomingMessage.class);

    private final Envelope envelope;
    private final SmtpLimits limits;
    private final Draft draft;
    private final OutputStream body;
    private final HeaderScan header;
    private Optional<SmtpReply> trouble = Optional.empty();
    private long size;

    IncomingMessage(Envelope envelope, Draft draft, SmtpLimits limits) {
        this.envelope = envelope;
        this.draft = draft;
        this.limits = limits;
        this.body = draft.body();
        this.header = new HeaderScan(limits.headerOctets());
    }

    void write(byte[] octets, int from, int count) {
        size += count;
        if (trouble.isPresent() || count == 0) {
            return;
        }
        if (size > limits.messageOctets()) {
            refuse(SmtpReply.TOO_BIG);
            return;
        }
        header.add(octets, from, count);
        if (header.tooLong()) {
            refuse(SmtpReply.HEADER_TOO_LONG);
            return;
        }
        try {
            body.write(octets, from, count);
        } catch (IOException e) {
            LOG.warn(
                    "{} not accepted: {}; make room for the queue",
                    draft.id(),
                    SmtpReply.plain(String.valueOf(e)));
            refuse(SmtpReply.NOT_STORED);
        }
    }

    /// Why it cannot be accepted, if so.
    Optional<SmtpReply> trouble() {
        return trouble;
    }

    /// Whether so much more came than is allowed that waiting for the end is not worth it.
    boolean endless() {
        return size > 2 * limits.messageOctets() + SmtpLimits.DATA_STRETCH;
    }

    long size() {
        return size;
    }

    Draft draft() {
        return draft;
    }

    Envelope envelope() {
        return envelope;
    }

    /// What the header says; asked when all of the message is here.
    HeaderScan.Findings findings() {
        return header.findings();
    }

    private void refuse(SmtpReply reply) {
        trouble = Optional.of(reply);
        draft.close();
    }

    @Override
    public void close() {
        draft.close();
    }
}
