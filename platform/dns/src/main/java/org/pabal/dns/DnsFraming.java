package org.pabal.dns;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;

/// DNS messages on a stream: two octets of length before each, RFC 1035 §4.2.2.
public final class DnsFraming {

    private DnsFraming() {}

    /// The next message, or empty when the stream ended between two.
    ///
    /// @throws EOFException when it ended inside one
    public static Optional<byte[]> read(InputStream in) throws IOException {
        int high = in.read();
        if (high < 0) {
            return Optional.empty();
        }
        int low = in.read();
        byte[] message = low < 0 ? new byte[0] : in.readNBytes(high << 8 | low);
        if (low < 0 || message.length < (high << 8 | low)) {
            throw new EOFException("stream ended inside a DNS message");
        }
        return Optional.of(message);
    }

    /// Writes one message. RFC 7766 §8: length and message in one write, so that they leave in one
    /// segment.
    ///
    /// @throws IllegalArgumentException when it is longer than 65,535 octets
    public static void write(OutputStream out, byte[] message) throws IOException {
        if (message.length > 0xFFFF) {
            throw new IllegalArgumentException(
                    "DNS message of " + message.length + " octets: at most 65535");
        }
        byte[] framed = new byte[message.length + 2];
        framed[0] = (byte) (message.length >> 8);
        framed[1] = (byte) message.length;
        System.arraycopy(message, 0, framed, 2, message.length);
        out.write(framed);
    }
}
