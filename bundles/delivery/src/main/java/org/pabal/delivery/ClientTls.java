package org.pabal.delivery;

import java.io.IOException;
import java.net.Socket;
import java.util.Optional;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/// Makes TLS of a connection and looks who the other side is, as a [TlsRule] wants it.
final class ClientTls {

    /// @param words for the history: `TLSv1.3, dane`, `TLSv1.3, verified`, `TLSv1.3, not verified`
    /// @param complaint what a rule that is only tested found wrong
    record Secured(SSLSocket socket, String words, Optional<TlsFailure> complaint) {}

    /// @param authorities the context whose trust anchors count for certificates of known
    ///     authorities
    ClientTls(SSLContext authorities) {}

    /// @throws TlsFailure when the handshake failed, or the rule is not met: the connection is of
    ///     no more use
    Secured secure(Socket plain, MailHost host, TlsRule rule) throws IOException {
        throw new UnsupportedOperationException();
    }
}
