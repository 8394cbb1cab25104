package org.pabal.delivery;

import java.io.IOException;

/// A TLS handshake that failed, or a certificate that is not what it has to be.
final class TlsFailure extends IOException {

    private static final long serialVersionUID = 1;

    private static final int MAX_MESSAGE = 500;

    private final TlsResult result;

    TlsFailure(TlsResult result, String message, Throwable cause) {
        super(readable(message), cause);
        this.result = result;
    }

    /// A certificate may have anything in a name, and what is said of it stands in the log, in the
    /// history and in reports (security row S12).
    private static String readable(String message) {
        StringBuilder readable = new StringBuilder();
        message.chars()
                .limit(MAX_MESSAGE)
                .forEach(c -> readable.append(c < ' ' || c > '~' ? '?' : (char) c));
        return readable.append(message.length() > MAX_MESSAGE ? "..." : "").toString();
    }

    TlsResult result() {
        return result;
    }
}
