package org.pabal.smtp;

import org.pabal.smtp.DataReader.End;

import java.io.IOException;

/// Reads the chunks of one message, RFC 3030 §2. A chunk has its length before it, so nothing in it
/// is stuffed and nothing ends it early; but unless the message is declared binary it is text, and
/// held to what [DataReader] asks of text.
final class BdatReader {

    private final SmtpInput in;
    private final boolean binary;
    private boolean afterCr;

    /// @param binary whether the client declared `BODY=BINARYMIME`
    BdatReader(SmtpInput in, boolean binary) {
        this.in = in;
        this.binary = binary;
    }

    End read(long octets, IncomingMessage message) throws IOException {
        for (long left = octets; left > 0; ) {
            if (!in.buffered() && !in.fill()) {
                return End.GONE;
            }
            int count = (int) Math.min(left, in.limit - in.position);
            if (!binary && !text(in.block, in.position, in.position + count)) {
                return End.MALFORMED;
            }
            message.write(in.block, in.position, count);
            in.position += count;
            left -= count;
            if (message.endless()) {
                return End.ENDLESS;
            }
        }
        return End.COMPLETE;
    }

    /// Whether the last chunk ended between a CR and its LF.
    boolean halfEnded() {
        return afterCr;
    }

    private boolean text(byte[] octets, int from, int limit) {
        int i = from;
        while (i < limit) {
            if (afterCr) {
                if (octets[i++] != '\n') {
                    return false;
                }
                afterCr = false;
            } else {
                i = LineEnds.next(octets, i, limit);
                if (i < limit) {
                    if (octets[i++] != '\r') {
                        return false;
                    }
                    afterCr = true;
                }
            }
        }
        return true;
    }

    /// Reads a chunk that nobody wants. False when the client has gone.
    static boolean skip(SmtpInput in, long octets) throws IOException {
        for (long left = octets; left > 0; ) {
            if (!in.buffered() && !in.fill()) {
                return false;
            }
            int count = (int) Math.min(left, in.limit - in.position);
            in.position += count;
            left -= count;
        }
        return true;
    }
}
