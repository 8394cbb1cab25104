package org.pabal.pop3;

import java.io.IOException;
import java.io.InputStream;

/// The header of a message, the empty line, and the first lines of its body: what TOP sends (RFC
/// 1939 §7).
final class MessageTop extends InputStream {

    private final InputStream message;
    private int linesLeft;
    private boolean body;
    private boolean lineEmpty = true;
    private boolean ended;

    /// @param lines how many of the body
    MessageTop(InputStream message, int lines) {
        this.message = message;
        this.linesLeft = lines;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] octets, int offset, int length) throws IOException {
        if (ended || length == 0) {
            return ended ? -1 : 0;
        }
        int read = message.read(octets, offset, length);
        for (int i = offset; i < offset + read; i++) {
            if (octets[i] == '\n') {
                if (body) {
                    linesLeft--;
                } else {
                    body = lineEmpty;
                }
                lineEmpty = true;
                if (body && linesLeft == 0) {
                    ended = true;
                    return i + 1 - offset;
                }
            } else if (octets[i] != '\r') {
                lineEmpty = false;
            }
        }
        return read;
    }

    @Override
    public void close() throws IOException {
        message.close();
    }
}
