package org.pabal.smtp;

import java.io.IOException;
import java.util.Optional;

/// Reads what follows 354, RFC 5321 §4.5.2: takes the stuffed dots out, and ends at CR LF . CR LF
/// and nowhere else.
///
/// Another CR, LF or NUL makes the message malformed, since whoever takes one of them for an end of
/// line sees a different message, or two (security row S1). RFC 5321 §4.5.3.1.6 lets a line have
/// 998 octets; longer ones are common and need no memory here, so they are taken as they are.
final class DataReader {

    enum End {
        /// All of it is here.
        COMPLETE,
        /// It has an octet that it may not have; what follows is unread.
        MALFORMED,
        /// It is so much too big that nobody waits for its end.
        ENDLESS,
        /// The client has gone.
        GONE
    }

    private enum State {
        LINE_START,
        TEXT,
        CR,
        DOT,
        DOT_CR
    }

    private final SmtpInput in;
    private State state = State.LINE_START;

    DataReader(SmtpInput in) {
        this.in = in;
    }

    End read(IncomingMessage message) throws IOException {
        while (in.buffered() || in.fill()) {
            Optional<End> end = block(message);
            if (end.isPresent()) {
                return end.get();
            }
            if (message.endless()) {
                return End.ENDLESS;
            }
        }
        return End.GONE;
    }

    private Optional<End> block(IncomingMessage message) {
        byte[] block = in.block;
        int limit = in.limit;
        int start = in.position; // of what belongs to the message and was not passed on
        int i = start;
        while (i < limit) {
            switch (state) {
                case TEXT -> {
                    i = LineEnds.next(block, i, limit);
                    if (i < limit) {
                        if (block[i] != '\r') {
                            return malformed(i);
                        }
                        state = State.CR;
                        i++;
                    }
                }
                case CR -> {
                    if (block[i] != '\n') {
                        return malformed(i);
                    }
                    state = State.LINE_START;
                    i++;
                }
                case LINE_START -> {
                    if (block[i] == '.') {
                        message.write(block, start, i - start);
                        state = State.DOT;
                        start = ++i;
                    } else {
                        state = State.TEXT;
                    }
                }
                case DOT -> {
                    if (block[i] == '\r') {
                        state = State.DOT_CR;
                        i++;
                    } else {
                        state = State.TEXT;
                    }
                }
                case DOT_CR -> {
                    if (block[i] != '\n') {
                        return malformed(i);
                    }
                    in.position = i + 1;
                    return Optional.of(End.COMPLETE);
                }
            }
        }
        if (state != State.DOT && state != State.DOT_CR) {
            message.write(block, start, limit - start);
        }
        in.position = limit;
        return Optional.empty();
    }

    private Optional<End> malformed(int at) {
        in.position = at;
        return Optional.of(End.MALFORMED);
    }
}
