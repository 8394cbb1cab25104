package org.pabal.smtp.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;

/// Walks through a message that is written to it, and tells a guest what it passes: headers, the
/// bodies of the parts, and what stands between them (RFC 2046). All octets are told, in order.
///
/// Lines end with CR LF and nothing else. A delimiter is a whole line and nothing more than RFC
/// 2046 §5.1.1 makes it, blanks at its end included; the innermost multipart is asked first, and
/// one of an outer multipart ends those inside. Holds one header and 64 KB, whatever comes.
final class MimeWalk extends OutputStream {

    static final int MAX_DEPTH = 50;
    static final int MAX_ENTITIES = 10_000;
    static final int MAX_HEADER = 256 * 1024;

    private static final int MAX_DELIMITER = 1_000;
    private static final byte[] CRLF = {'\r', '\n'};

    /// Says that a message is more than we take apart (security row S9).
    static final class TooComplex extends IOException {
        private static final long serialVersionUID = 1;

        TooComplex(String why) {
            super(why);
        }
    }

    enum Kind {
        /// A multipart whose boundary we know.
        MULTIPART,
        /// Its body is a message that we walk into.
        MESSAGE,
        /// A body of octets.
        LEAF,
        /// A body that we cannot take apart and may not encode: multipart without a boundary, and
        /// what RFC 2046 §5.2 allows in 7 bit only.
        OPAQUE
    }

    /// A message, or a part of one.
    ///
    /// @param index counts from 0 in the order of the headers
    /// @param message whether it is the message or one inside it, not a part: it should have a
    ///     MIME-Version (RFC 2045 §4)
    /// @param sealed whether it is inside something signed or encrypted, and must stay as it is
    ///     (RFC 1847 §2.1)
    record Entity(int index, MimeHeader header, Kind kind, boolean message, boolean sealed) {}

    interface Guest {
        /// The whole header of an entity.
        void header(Entity entity) throws IOException;

        /// Octets of the body of a LEAF or OPAQUE entity, with no CR LF among them.
        void body(Entity entity, byte[] octets, int from, int to) throws IOException;

        /// A line of the body ends.
        void lineEnd(Entity entity) throws IOException;

        /// The body is over. The line end before a delimiter does not belong to it.
        void end(Entity entity) throws IOException;

        /// What belongs to no part: delimiters, and what stands before the first and after the
        /// last.
        void between(byte[] octets, int from, int to, boolean sealed) throws IOException;
    }

    private enum State {
        HEADER,
        BODY,
        BETWEEN
    }

    /// @param delimiter without dashes; empty for a message inside
    /// @param digest whether parts are messages unless they say otherwise, RFC 2046 §5.1.5
    private record Frame(byte[] delimiter, boolean digest, boolean sealed) {}

    private final Guest guest;
    private final byte[] held;
    private int count;
    private boolean lineStart = true;

    private final Deque<Frame> frames = new ArrayDeque<>();
    private final ByteArrayOutputStream header = new ByteArrayOutputStream(2_048);
    private State state = State.HEADER;
    private boolean message = true; // the header being read is one of a message
    private boolean lineOwed; // the last line of the body has an end that may be the delimiter's
    private Optional<Entity> leaf = Optional.empty();
    private int entities;

    /// @param size how many octets will come, about
    MimeWalk(Guest guest, long size) {
        this.guest = guest;
        this.held = new byte[Math.clamp(size, 2 * MAX_DELIMITER, 64 * 1024)];
    }

    @Override
    public void write(byte[] octets, int offset, int length) throws IOException {
        int from = offset;
        int limit = offset + length;
        while (from < limit) {
            int some = Math.min(limit - from, held.length - count);
            System.arraycopy(octets, from, held, count, some);
            count += some;
            from += some;
            if (count == held.length) {
                lines();
            }
        }
    }

    @Override
    public void write(int octet) throws IOException {
        write(new byte[] {(byte) octet}, 0, 1);
    }

    /// Says that this was all.
    void end() throws IOException {
        lines();
        if (count > 0) {
            line(0, count, false);
        }
        endPart();
    }

    private void lines() throws IOException {
        int start = 0;
        int i = 0;
        while ((i = LineEnds.feed(held, i, count)) < count) {
            if (i > start && held[i - 1] == '\r') {
                line(start, i - 1, true);
                start = i + 1;
            }
            i++;
        }
        if (start == 0 && count == held.length) {
            start = held[count - 1] == '\r' ? count - 1 : count;
            line(0, start, false);
        }
        count -= start;
        System.arraycopy(held, start, held, 0, count);
    }

    /// @param complete whether CR LF follows in `held`
    private void line(int from, int to, boolean complete) throws IOException {
        boolean first = lineStart;
        lineStart = complete;
        if (first && delimiter(from, to, complete)) {
            return;
        }
        int end = complete ? to + 2 : to;
        switch (state) {
            case HEADER -> {
                header.write(held, from, end - from);
                if (header.size() > MAX_HEADER) {
                    throw new TooComplex("a header of more than " + MAX_HEADER + " octets");
                }
                if (first && complete && from == to) {
                    endHeader();
                }
            }
            case BODY -> {
                payLine();
                if (from < to) {
                    guest.body(leaf.orElseThrow(), held, from, to);
                }
                lineOwed = complete;
            }
            case BETWEEN -> guest.between(held, from, end, sealed());
        }
    }

    private void payLine() throws IOException {
        if (lineOwed) {
            lineOwed = false;
            guest.lineEnd(leaf.orElseThrow());
        }
    }

    private void endHeader() throws IOException {
        MimeHeader fields = new MimeHeader(header.toByteArray());
        header.reset();
        Kind kind = kind(fields);
        if (entities == MAX_ENTITIES) {
            throw new TooComplex("more than " + MAX_ENTITIES + " parts");
        }
        Entity entity = new Entity(entities++, fields, kind, message, sealed());
        guest.header(entity);
        switch (kind) {
            case MULTIPART -> {
                boolean shut =
                        fields.subtype.equals("signed") || fields.subtype.equals("encrypted");
                enter(
                        new Frame(
                                fields.boundary.orElseThrow().getBytes(StandardCharsets.US_ASCII),
                                fields.subtype.equals("digest"),
                                sealed() || shut));
                state = State.BETWEEN;
            }
            case MESSAGE -> {
                enter(new Frame(new byte[0], false, sealed()));
                state = State.HEADER;
                message = true;
            }
            case LEAF, OPAQUE -> {
                leaf = Optional.of(entity);
                state = State.BODY;
            }
        }
    }

    private void enter(Frame frame) throws IOException {
        if (frames.size() == MAX_DEPTH) {
            throw new TooComplex("parts in parts, more than " + MAX_DEPTH + " deep");
        }
        frames.push(frame);
    }

    private Kind kind(MimeHeader fields) {
        if (fields.type.equals("multipart")) {
            return fields.boundary.isPresent() ? Kind.MULTIPART : Kind.OPAQUE;
        }
        boolean plain = fields.encoding.matches("7bit|8bit|binary");
        Frame around = frames.peek();
        boolean inDigest = around != null && around.digest() && fields.type.isEmpty();
        if (inDigest || fields.is("message", "rfc822")) {
            return plain ? Kind.MESSAGE : Kind.LEAF;
        }
        boolean sevenBitOnly =
                fields.is("message", "partial") || fields.is("message", "external-body");
        return sevenBitOnly ? Kind.OPAQUE : Kind.LEAF;
    }

    private boolean sealed() {
        Frame around = frames.peek();
        return around != null && around.sealed();
    }

    private boolean delimiter(int from, int to, boolean complete) throws IOException {
        if (to - from < 3
                || to - from > MAX_DELIMITER
                || held[from] != '-'
                || held[from + 1] != '-') {
            return false;
        }
        int inside = 0;
        for (Frame frame : frames) {
            int rest = from + 2 + frame.delimiter().length;
            if (frame.delimiter().length > 0 && begins(frame.delimiter(), from + 2, to)) {
                boolean last = rest + 1 < to && held[rest] == '-' && held[rest + 1] == '-';
                if (blank(last ? rest + 2 : rest, to)) {
                    delimited(inside, last, from, complete ? to + 2 : to);
                    return true;
                }
            }
            inside++;
        }
        return false;
    }

    private void delimited(int inside, boolean last, int from, int to) throws IOException {
        boolean owed = lineOwed;
        lineOwed = false;
        int around = frames.size() - inside;
        endPart(); // which may enter a frame
        while (frames.size() > around) {
            frames.pop();
        }
        boolean sealed = sealed();
        if (owed) {
            guest.between(CRLF, 0, 2, sealed);
        }
        guest.between(held, from, to, sealed);
        if (last) {
            frames.pop();
            state = State.BETWEEN;
        } else {
            state = State.HEADER;
            message = false;
        }
    }

    private void endPart() throws IOException {
        if (state == State.HEADER && header.size() > 0) {
            endHeader();
        }
        if (state == State.BODY) {
            payLine();
            guest.end(leaf.orElseThrow());
            leaf = Optional.empty();
            state = State.BETWEEN;
        }
    }

    private boolean begins(byte[] delimiter, int from, int to) {
        int end = from + delimiter.length;
        return end <= to && Arrays.equals(held, from, end, delimiter, 0, delimiter.length);
    }

    private boolean blank(int from, int to) {
        for (int i = from; i < to; i++) {
            if (held[i] != ' ' && held[i] != '\t') {
                return false;
            }
        }
        return true;
    }
}
