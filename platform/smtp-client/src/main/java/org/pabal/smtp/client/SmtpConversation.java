package org.pabal.smtp.client;

import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;

import java.io.Closeable;
import java.io.IOException;
import java.net.Socket;
import java.util.List;
import java.util.Map;

/// One connection to another server, from its greeting to our goodbye.
///
/// ```
///   begin ─▶ (startTls ─▶ secured) ─▶ (signIn) ─▶ send ─▶ send … ─▶ quit
/// ```
/// Not for more than one thread. Whatever throws [IOException] leaves the conversation unusable:
/// close it.
public final class SmtpConversation implements Closeable {

    /// @param socket connected; the conversation closes it
    /// @param name what we call ourselves
    /// @param lmtp whether to say LHLO (RFC 2033)
    /// @param patience the time-outs
    public SmtpConversation(Socket socket, String name, boolean lmtp, ClientPatience patience)
            throws IOException {
        throw new UnsupportedOperationException();
    }

    /// Waits for the greeting and says EHLO, or HELO where that is not understood.
    ///
    /// @return the greeting or the answer to EHLO, whichever refused; else the latter
    public Reply begin() throws IOException {
        throw new UnsupportedOperationException();
    }

    /// As of the last EHLO; none before.
    public Capabilities capabilities() {
        throw new UnsupportedOperationException();
    }

    /// Asks for TLS, RFC 3207. After a 220 the caller does the handshake and calls [#secured].
    ///
    /// @throws IOException also when the other side sent more than its reply in the clear (security
    ///     row S4)
    public Reply startTls() throws IOException {
        throw new UnsupportedOperationException();
    }

    /// Goes on over TLS: forgets what was said before, and says EHLO anew.
    ///
    /// @param tls the socket layered over ours, its handshake done
    public Reply secured(Socket tls) throws IOException {
        throw new UnsupportedOperationException();
    }

    /// Signs in with the best mechanism that both sides have, RFC 4954. A password never goes in
    /// the clear but to this machine.
    public Reply signIn(Login login) throws IOException {
        throw new UnsupportedOperationException();
    }

    /// Hands over one message. Commands go out together where the other side allows it (RFC 2920),
    /// and with CHUNKING a short message with them.
    ///
    /// @param entry envelope (sender, parameters) and id; its recipients are not looked at
    /// @param message of [OutgoingMessage#prepare] for these capabilities
    /// @param remaining what is left of a DELIVERBY time in seconds, or what BY is to say; empty
    ///     where it is not to be passed on
    /// @param where who they are, for the outcomes: `mx.example.org [192.0.2.25]:25`
    /// @return an outcome for each recipient. The conversation is then ready for the next message,
    ///     unless [#reusable] says otherwise
    public Map<MailAddress, Outcome> send(
            QueueEntry entry,
            List<Recipient> recipients,
            OutgoingMessage message,
            String remaining,
            String where)
            throws IOException {
        throw new UnsupportedOperationException();
    }

    /// Whether another message may be sent: false after a 421, at their MAILMAX, and when they have
    /// closed or said something unasked.
    public boolean reusable() {
        throw new UnsupportedOperationException();
    }

    /// Whether the end of the last message was on its way when the conversation broke off, so that
    /// the other side may have taken it.
    public boolean mayHaveTaken() {
        throw new UnsupportedOperationException();
    }

    /// Says QUIT without waiting for long, and closes.
    public void quit() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
