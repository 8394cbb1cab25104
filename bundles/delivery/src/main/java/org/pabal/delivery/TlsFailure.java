package org.pabal.delivery;

import java.io.IOException;

/// A TLS handshake that failed, or a certificate that is not what it has to be.
final class TlsFailure extends IOException {

    private static final long serialVersionUID = 1;

    private final TlsResult result;

    TlsFailure(TlsResult result, String message, Throwable cause) {
        super(message, cause);
        this.result = result;
    }

    TlsResult result() {
        return result;
    }
}
