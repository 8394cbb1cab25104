package org.pabal.delivery;

import org.pabal.mail.Content;

import java.io.IOException;
import java.io.InputStream;

/// What is read of a message before it is carried: enough of its start to see whether it loops.
///
/// A message that fits into what is read is not opened again: the octets themselves are its content
/// from here on.
///
/// @param content the whole message
/// @param received how many Received fields its header has
record MessageStart(Content content, int received) {

    /// A header with more Received fields than this loops. RFC 5321 §6.3 asks for at least 100
    /// where that is the only defence; Postfix and others stop at 50, and no honest path comes
    /// near.
    static final int MAX_RECEIVED = 50;

    private static final int MAX_OCTETS = 65_536;
    private static final byte[] RECEIVED = {'r', 'e', 'c', 'e', 'i', 'v', 'e', 'd'};

    static MessageStart of(Content content) throws IOException {
        byte[] start = new byte[(int) Math.min(content.size(), MAX_OCTETS)];
        int length;
        try (InputStream in = content.open()) {
            length = in.readNBytes(start, 0, start.length);
        }
        if (length < start.length) {
            throw new IOException(
                    "message ends after " + length + " of " + content.size() + " octets");
        }
        Content whole = length == content.size() ? new PrefixedContent(start) : content;
        return new MessageStart(whole, received(start));
    }

    boolean loops() {
        return received > MAX_RECEIVED;
    }

    /// Counts in one pass over the octets, up to the empty line.
    static int received(byte[] header) {
        int count = 0;
        for (int at = 0; at < header.length && header[at] != '\r' && header[at] != '\n'; at++) {
            if (isReceived(header, at)) {
                count++;
            }
            while (at < header.length && header[at] != '\n') {
                at++;
            }
        }
        return count;
    }

    private static boolean isReceived(byte[] header, int at) {
        if (header.length - at <= RECEIVED.length) {
            return false;
        }
        for (int i = 0; i < RECEIVED.length; i++) {
            if ((header[at + i] | 0x20) != RECEIVED[i]) {
                return false;
            }
        }
        int colon = at + RECEIVED.length;
        while (colon < header.length && (header[colon] == ' ' || header[colon] == '\t')) {
            colon++;
        }
        return colon < header.length && header[colon] == ':';
    }
}
