package org.pabal.directory;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/// One sign-in by one SASL mechanism, RFC 4422 §3, seen from the server; good for one try, used by
/// one thread.
///
/// What a mechanism has to say at its end (RFC 5802 server-final-message) comes as one more
/// challenge, which the client answers with nothing: SMTP, POP3 and IMAP without SASL-IR's
/// counterpart all want it so.
public interface SaslExchange {

    /// What comes next.
    sealed interface Step {
        /// Send this, in base64, and bring back what the client answers.
        record Challenge(byte[] octets) implements Step {}

        /// Signed in.
        record Success(Account account) implements Step {}

        /// It is over.
        ///
        /// @param delay how long to wait before the client is told, so that guessing is slow
        record Failure(Reason why, Duration delay) implements Step {}
    }

    /// Why a sign-in failed, as far as the client may know.
    enum Reason {
        /// Wrong login or wrong proof, no difference told: 535 5.7.8.
        REJECTED,
        /// The client's message breaks the mechanism's grammar: 501 5.5.2.
        MALFORMED,
        /// Too many failures from there or for that account: 454 4.7.0, try later.
        LATER
    }

    /// Goes one step on.
    ///
    /// @param response what the client sent, decoded from base64; empty at the beginning when the
    ///     client sent no initial response. An initial response that is present but has no octets
    ///     (`=`) is an empty array
    /// @throws IOException when the directory cannot say now: 454 4.7.0
    Step step(Optional<byte[]> response) throws IOException;
}
