package org.pabal.smtp.client;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Reads replies, RFC 5321 §4.2, from a server that may mean no good.
///
/// Stricter than servers are with us where a mistake would let question and answer fall out of
/// step: three digits from 200 to 599, the same in each line. Milder where it cannot: a line may
/// end with LF alone, and one beyond the 512 octets of RFC 5321 §4.5.3.1.5 is cut rather than
/// refused. Texts go into logs and into reports to senders, so only printable characters are left
/// of them (security rows S11 and S12).
final class ReplyReader {

    static final int MAX_LINES = 500;
    static final int MAX_REPLY_OCTETS = 65_536;

    /// What is beyond this in a line is thrown away.
    static final int MAX_LINE_OCTETS = 4_096;

    private static final int MAX_QUOTED = 120;

    /// Sets how long a read may take, as [java.net.Socket#setSoTimeout] does.
    @FunctionalInterface
    interface Timeout {
        void set(int millis) throws IOException;
    }

    private final InputStream in;
    private final Timeout timeout;
    private final byte[] buffer = new byte[MAX_LINE_OCTETS];
    private int from;
    private int to;

    // the line at hand, without its end
    private int lineFrom;
    private int lineTo;

    private int octets;
    private long deadline;

    ReplyReader(InputStream in, Timeout timeout) {
        this.in = in;
        this.timeout = timeout;
    }

    /// The next reply, all its lines.
    ///
    /// @param patience for the whole reply, so that one who drips octets gains nothing by it
    ///     (security row S8)
    /// @param about what it answers, for those who read of trouble: `RCPT`
    /// @throws IOException when there was none in time, or it was no reply
    Reply read(Duration patience, String about) throws IOException {
        deadline = System.nanoTime() + patience.toNanos();
        octets = 0;
        try {
            return reply();
        } catch (SocketTimeoutException e) {
            throw new SocketTimeoutException(
                    "no answer to " + about + " within " + patience.toSeconds() + " s");
        } catch (EOFException e) {
            throw new EOFException("closed the connection instead of answering " + about);
        }
    }

    /// Whether octets are here that no reply was made of yet.
    boolean pending() throws IOException {
        return from < to || in.available() > 0;
    }

    /// Whether the other side has neither spoken nor closed. Waits a millisecond.
    boolean quiet() throws IOException {
        if (pending()) {
            return false;
        }
        from = 0;
        to = 0;
        timeout.set(1);
        try {
            to = Math.max(0, in.read(buffer, 0, buffer.length));
            return false;
        } catch (SocketTimeoutException e) {
            return true;
        }
    }

    private Reply reply() throws IOException {
        readLine();
        int code = code();
        boolean more = more();
        int enhancedLength = enhancedLength(code);
        String text = text(enhancedLength);
        if (!more) {
            return new Reply(code, enhanced(enhancedLength), List.of(text));
        }
        List<String> lines = new ArrayList<>();
        lines.add(text);
        while (more) {
            if (lines.size() == MAX_LINES) {
                throw new IOException("a reply has more than " + MAX_LINES + " lines");
            }
            readLine();
            // RFC 5321 §4.2.1: the code of each line is the same
            if (code() != code) {
                throw new IOException("a reply has two codes: " + code + ", then " + quoted());
            }
            more = more();
            enhancedLength = enhancedLength(code);
            lines.add(text(enhancedLength));
        }
        return new Reply(code, enhanced(enhancedLength), lines);
    }

    private int code() throws IOException {
        int length = lineTo - lineFrom;
        if (length >= 3) {
            int code = 0;
            for (int i = 0; i < 3; i++) {
                int digit = buffer[lineFrom + i] - '0';
                code = digit < 0 || digit > 9 ? Integer.MIN_VALUE : code * 10 + digit;
            }
            boolean parted =
                    length == 3 || buffer[lineFrom + 3] == ' ' || buffer[lineFrom + 3] == '-';
            if (code >= 200 && code <= 599 && parted) {
                return code;
            }
        }
        throw new IOException("said what is no reply: " + quoted());
    }

    private boolean more() {
        return lineTo - lineFrom > 3 && buffer[lineFrom + 3] == '-';
    }

    /// How many octets after the code are an enhanced status code (RFC 2034 §4) of its class; 0
    /// when there is none.
    private int enhancedLength(int code) {
        int at = lineFrom + 4;
        if (lineTo - at < 5 || buffer[at] != '0' + code / 100 || code / 100 == 3) {
            return 0;
        }
        int end = at + 1;
        for (int part = 0; part < 2; part++) {
            if (end >= lineTo || buffer[end] != '.') {
                return 0;
            }
            int digits = ++end;
            while (end < lineTo && buffer[end] >= '0' && buffer[end] <= '9') {
                end++;
            }
            // RFC 3463 §2: one to three digits
            if (end == digits || end - digits > 3) {
                return 0;
            }
        }
        return end == lineTo || buffer[end] == ' ' ? end - at : 0;
    }

    private String enhanced(int length) {
        return length == 0 ? "" : new String(buffer, lineFrom + 4, length, ISO_8859_1);
    }

    private String text(int enhancedLength) {
        int at = Math.min(lineTo, lineFrom + 4 + enhancedLength);
        while (at < lineTo && buffer[at] == ' ') {
            at++;
        }
        return printable(at, lineTo);
    }

    /// As it came where all of it is printable ASCII; else read as UTF-8 (RFC 6531 §3.7.4.2) with
    /// `?` for what can not be seen.
    private String printable(int start, int end) {
        for (int i = start; i < end; i++) {
            if (buffer[i] < ' ' || buffer[i] == 127) {
                return printable(new String(buffer, start, end - start, UTF_8));
            }
        }
        return new String(buffer, start, end - start, ISO_8859_1);
    }

    private static String printable(String text) {
        StringBuilder clean = new StringBuilder(text.length());
        text.codePoints().forEach(c -> clean.appendCodePoint(visible(c)));
        return clean.toString();
    }

    private static int visible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL -> c == '\t' ? ' ' : '?';
            case Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR ->
                    '?';
            default -> c;
        };
    }

    private String quoted() {
        boolean whole = lineTo - lineFrom <= MAX_QUOTED;
        int end = whole ? lineTo : lineFrom + MAX_QUOTED;
        return '"' + printable(lineFrom, end) + (whole ? "\"" : "…\"");
    }

    /// Brings the next line into the buffer.
    private void readLine() throws IOException {
        int at = from;
        while (true) {
            for (; at < to; at++) {
                if (buffer[at] == '\n') {
                    lineFrom = from;
                    lineTo = at > from && buffer[at - 1] == '\r' ? at - 1 : at;
                    from = at + 1;
                    return;
                }
            }
            if (to - from == buffer.length) {
                lineFrom = 0;
                lineTo = to;
                skipToItsEnd();
                return;
            }
            if (from > 0) {
                System.arraycopy(buffer, from, buffer, 0, to - from);
                at -= from;
                to -= from;
                from = 0;
            }
            fill(to, buffer.length - to);
        }
    }

    /// Throws away what is left of a line whose beginning fills the buffer.
    private void skipToItsEnd() throws IOException {
        // the buffer is needed for the line: octet by octet, which is rare and bounded
        byte[] one = new byte[1];
        do {
            arm();
            if (in.read(one, 0, 1) < 0) {
                throw new EOFException();
            }
            count(1);
        } while (one[0] != '\n');
        from = 0;
        to = 0;
    }

    private void fill(int at, int room) throws IOException {
        arm();
        int read = in.read(buffer, at, room);
        if (read < 0) {
            throw new EOFException();
        }
        count(read);
        to = at + read;
    }

    private void arm() throws IOException {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
            throw new SocketTimeoutException();
        }
        timeout.set((int) Math.min(left, Integer.MAX_VALUE));
    }

    private void count(int read) throws IOException {
        octets += read;
        if (octets > MAX_REPLY_OCTETS + MAX_LINE_OCTETS) {
            throw new IOException("a reply has more than " + MAX_REPLY_OCTETS + " octets");
        }
    }
}
