package org.pabal.smtp;

import org.pabal.protocol.Connection;
import org.pabal.protocol.LineReader.Line;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/// What the client sends, in a block that commands and messages are both read from: a message is
/// read in large pieces, and what a pipelining client sent behind it (RFC 2920) must then still be
/// there as commands.
///
/// An idle session keeps a small block only.
final class SmtpInput {

    private static final int SMALL = 1_024;
    private static final int LARGE = 8_192;

    /// A line longer than this has no end.
    private static final int ENDLESS = 65_536;

    private final Connection connection;
    private Duration stretchPatience = Duration.ZERO;
    private long inStretch;

    /// Octets from [#position] to [#limit] are here and not read yet.
    byte[] block = new byte[SMALL];
    int position;
    int limit;

    SmtpInput(Connection connection) {
        this.connection = connection;
    }

    /// Whether something is here already.
    boolean buffered() {
        return position < limit;
    }

    /// Whether the client has sent more than what was read: it did not wait for our answer.
    boolean pending() throws IOException {
        return position < limit || connection.input().available() > 0;
    }

    /// Throws away what is here.
    void discard() {
        position = limit = 0;
    }

    /// The next line of commands; see [Line]. Empty when the client has gone. A line without an end
    /// counts as malformed.
    Optional<Line> line(int mostOctets) throws IOException {
        ByteArrayOutputStream before = new ByteArrayOutputStream(0);
        int seen = 0;
        while (true) {
            for (int i = position + seen; i < limit; i++) {
                if (block[i] == '\n') {
                    Line line =
                            before.size() == 0
                                    ? line(block, position, i, mostOctets)
                                    : line(
                                            joined(before, i),
                                            0,
                                            before.size() + i - position,
                                            mostOctets);
                    position = i + 1;
                    return Optional.of(line);
                }
            }
            seen = limit - position;
            if (seen == block.length) {
                before.write(block, 0, seen);
                discard();
                seen = 0;
                if (before.size() > ENDLESS) {
                    return Optional.of(new Line.Malformed());
                }
            }
            if (!fill()) {
                return Optional.empty();
            }
        }
    }

    private byte[] joined(ByteArrayOutputStream before, int lineFeed) {
        byte[] all = Arrays.copyOf(before.toByteArray(), before.size() + lineFeed - position + 1);
        System.arraycopy(block, position, all, before.size(), lineFeed - position + 1);
        return all;
    }

    /// @param lineFeed where the line ends; a CR should stand before it and nowhere else
    private static Line line(byte[] octets, int from, int lineFeed, int mostOctets) {
        int end = lineFeed - 1;
        if (end < from || octets[end] != '\r' || LineEnds.next(octets, from, end) < end) {
            return new Line.Malformed();
        }
        if (lineFeed + 1 - from > mostOctets) {
            return new Line.TooLong();
        }
        return new Line.Text(Arrays.copyOfRange(octets, from, end));
    }

    /// From here on a message is read: in a large block, and with patience for each stretch of it.
    void beginMessage(Duration patience) {
        stretchPatience = patience;
        inStretch = 0;
        connection.patience(patience);
        resize(LARGE);
    }

    /// Back to commands.
    void endMessage() {
        stretchPatience = Duration.ZERO;
        if (limit - position <= SMALL) {
            resize(SMALL);
        }
    }

    private void resize(int length) {
        if (block.length != length) {
            byte[] next = new byte[length];
            System.arraycopy(block, position, next, 0, limit - position);
            block = next;
            limit -= position;
            position = 0;
        }
    }

    /// Waits for more. False when the client has gone.
    boolean fill() throws IOException {
        if (position == limit) {
            discard();
        } else if (limit == block.length) {
            System.arraycopy(block, position, block, 0, limit - position);
            limit -= position;
            position = 0;
        }
        int count = connection.input().read(block, limit, block.length - limit);
        if (count < 0) {
            return false;
        }
        limit += count;
        if (stretchPatience.isPositive() && (inStretch += count) >= SmtpLimits.DATA_STRETCH) {
            inStretch = 0;
            connection.patience(stretchPatience);
        }
        return true;
    }
}
