package org.pabal.smtp.client;

import java.io.IOException;
import java.io.OutputStream;

/// Puts a dot more before one that stands first in a line, RFC 5321 §4.5.2. Takes only lines that
/// are clean, see [CleanLines]; what lies between two such dots goes in one piece.
final class DotStuffing extends OutputStream {

    private static final byte[] END = {'.', '\r', '\n'};

    private final OutputStream out;
    private boolean lineStart = true;

    DotStuffing(OutputStream out) {
        this.out = out;
    }

    @Override
    public void write(byte[] octets, int offset, int length) throws IOException {
        int limit = offset + length;
        int start = offset; // of what was not passed on
        int i = offset;
        while (i < limit) {
            if (lineStart && octets[i] == '.') {
                out.write(octets, start, i + 1 - start);
                start = i;
            }
            int feed = LineEnds.feed(octets, i, limit);
            lineStart = feed < limit;
            i = feed + 1;
        }
        if (start < limit) {
            out.write(octets, start, limit - start);
        }
    }

    @Override
    public void write(int octet) throws IOException {
        write(new byte[] {(byte) octet}, 0, 1);
    }

    /// Writes the line that ends the message; the last line must have its end.
    static void end(OutputStream out) throws IOException {
        out.write(END, 0, END.length);
    }
}
