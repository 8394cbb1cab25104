package org.pabal.pop3;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/// Writes replies, RFC 1939 §3: one line that begins with `+OK` or `-ERR`, or several that end with
/// a lone dot.
///
/// Listings and messages go through two buffers that are used again and again, so that a maildrop
/// of thousands of messages makes no garbage. A client that has not asked for a message yet costs
/// only the small one.
final class ReplyWriter {

    private static final int LINES = 512;
    private static final int BLOCK = 8_192;

    private final OutputStream out;
    private final byte[] lines = new byte[LINES];
    private int used;
    private byte[] block = {};

    ReplyWriter(OutputStream out) {
        this.out = out;
    }

    /// A whole positive reply.
    void ok(String text) throws IOException {
        text("+OK ").text(text).end();
        flushLines();
    }

    /// A whole negative reply.
    void err(String text) throws IOException {
        text("-ERR ").text(text).end();
        flushLines();
    }

    /// Adds ASCII to the line at hand.
    ReplyWriter text(String ascii) throws IOException {
        for (int i = 0; i < ascii.length(); i++) {
            octet(ascii.charAt(i));
        }
        return this;
    }

    ReplyWriter space() throws IOException {
        return octet(' ');
    }

    /// Adds a number that is not negative.
    ReplyWriter number(long number) throws IOException {
        long power = 1;
        while (number / power >= 10) {
            power *= 10;
        }
        for (; power > 0; power /= 10) {
            octet((char) ('0' + number / power % 10));
        }
        return this;
    }

    /// Ends the line.
    ReplyWriter end() throws IOException {
        return octet('\r').octet('\n');
    }

    /// Ends a reply of several lines.
    void endOfLines() throws IOException {
        octet('.').end();
        flushLines();
    }

    /// Hands on the lines written so far, which form a whole reply.
    void flushLines() throws IOException {
        out.write(lines, 0, used);
        used = 0;
    }

    /// Sends a message, or what is wanted of it, with its end: each line that begins with a dot
    /// gets another one, and the lone dot stands on a line of its own even where the message does
    /// not end with CR LF (RFC 1939 §3).
    ///
    /// A dot after a lone LF is stuffed as well. Such a line end comes only from a BINARYMIME
    /// message, and many clients take it for one: they must not find our end of message inside it.
    ///
    /// @throws IOException when either side broke. The end is then not sent, so that the client
    ///     knows that it has but a part
    void message(InputStream message) throws IOException {
        flushLines();
        if (block.length == 0) {
            block = new byte[BLOCK];
        }
        byte[] octets = block;
        int last = '\n';
        boolean crlf = true;
        for (int length = message.read(octets); length >= 0; length = message.read(octets)) {
            int from = 0;
            int before = last;
            for (int i = 0; i < length; i++) {
                int octet = octets[i];
                if (octet == '.' && before == '\n') {
                    out.write(octets, from, i - from);
                    out.write('.');
                    from = i;
                }
                before = octet;
            }
            out.write(octets, from, length - from);
            if (length > 0) {
                crlf = before == '\n' && (length > 1 ? octets[length - 2] : last) == '\r';
                last = before;
            }
        }
        if (!crlf) {
            end();
        }
        endOfLines();
    }

    private ReplyWriter octet(char octet) throws IOException {
        if (used == lines.length) {
            flushLines();
        }
        lines[used++] = (byte) octet;
        return this;
    }
}
