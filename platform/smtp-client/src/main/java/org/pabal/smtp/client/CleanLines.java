package org.pabal.smtp.client;

import java.io.IOException;
import java.io.OutputStream;

/// Makes CR LF of each CR and each LF that stands alone, and gives the last line its end, so that
/// nobody on the way can see other lines than we do (security row S2). RFC 5321 §2.3.8 lets neither
/// stand alone.
final class CleanLines extends OutputStream {

    private static final byte[] CRLF = {'\r', '\n'};

    private final OutputStream out;
    private boolean afterCr;
    private boolean open;

    CleanLines(OutputStream out) {
        this.out = out;
    }

    @Override
    public void write(byte[] octets, int offset, int length) throws IOException {
        int limit = offset + length;
        int i = offset;
        if (afterCr && i < limit) {
            afterCr = false;
            endLine();
            if (octets[i] == '\n') {
                i++;
            }
        }
        int start = i; // of what was not passed on
        while ((i = LineEnds.next(octets, i, limit)) < limit) {
            if (octets[i] == '\r' && i + 1 < limit && octets[i + 1] == '\n') {
                i += 2;
                continue;
            }
            pass(octets, start, i);
            if (octets[i] == '\r' && i + 1 == limit) {
                afterCr = true;
                return;
            }
            endLine();
            start = ++i;
        }
        pass(octets, start, limit);
    }

    @Override
    public void write(int octet) throws IOException {
        write(new byte[] {(byte) octet}, 0, 1);
    }

    /// Says that this was all.
    void end() throws IOException {
        if (afterCr || open) {
            afterCr = false;
            endLine();
        }
    }

    private void pass(byte[] octets, int from, int to) throws IOException {
        if (from < to) {
            out.write(octets, from, to - from);
            open = octets[to - 1] != '\n';
        }
    }

    private void endLine() throws IOException {
        out.write(CRLF, 0, 2);
        open = false;
    }
}
