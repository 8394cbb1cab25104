package org.pabal.protocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/// Reads the lines of a text protocol: octets that end with CR LF, and nothing else ends them.
///
/// A lone CR or LF is reported, never taken for an end of line: two servers that disagree about
/// where a line ends are how mail is smuggled (security row S1).
public final class LineReader {

    /// What [#read()] found.
    public sealed interface Line {
        /// A line without its CR LF.
        record Text(byte[] octets) implements Line {}

        /// The line was longer than allowed; it has been read to its end and thrown away.
        record TooLong() implements Line {}

        /// The line held a lone CR, a lone LF or a NUL. It has been read up to the next LF and
        /// thrown away; what follows cannot be trusted to be where the client thinks it is, so say
        /// so and close.
        record Malformed() implements Line {}
    }

    private final InputStream in;
    private final int maxOctets;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream(128);

    /// @param maxOctets the longest line, its CR LF included
    public LineReader(InputStream in, int maxOctets) {
        this.in = in;
        this.maxOctets = maxOctets;
    }

    /// The next line, or empty when the client has gone. What came after the last CR LF is then
    /// lost, as it should be: a command counts when it is whole.
    ///
    /// @throws IOException when reading failed, or when a line was longer than sixteen times the
    ///     limit
    public Optional<Line> read() throws IOException {
        line.reset();
        boolean malformed = false;
        int length = 0;
        for (int octet = in.read(); octet >= 0; octet = in.read()) {
            length++;
            if (octet == '\r') {
                octet = in.read();
                length++;
                if (octet < 0) {
                    return Optional.empty();
                }
                if (octet == '\n') {
                    return Optional.of(ended(malformed, length));
                }
                malformed = true;
            }
            malformed |= octet == '\n' || octet == 0 || octet == '\r';
            if (octet == '\n' && malformed) {
                return Optional.of(new Line.Malformed());
            }
            if (length <= maxOctets) {
                line.write(octet);
            } else if (length > 16L * maxOctets) {
                throw new IOException(
                        "a line of more than " + 16L * maxOctets + " octets without an end");
            }
        }
        return Optional.empty();
    }

    private Line ended(boolean malformed, int length) {
        if (malformed) {
            return new Line.Malformed();
        }
        return length > maxOctets ? new Line.TooLong() : new Line.Text(line.toByteArray());
    }
}
