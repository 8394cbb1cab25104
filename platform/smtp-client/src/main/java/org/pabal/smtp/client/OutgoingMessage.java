package org.pabal.smtp.client;

import org.pabal.mail.Content;
import org.pabal.mail.Envelope;
import org.pabal.mail.Status;

import java.io.IOException;
import java.io.OutputStream;

/// A message in the form in which the other side can take it.
///
/// Whatever stands in the queue, what leaves has CR LF at the end of each line and no CR or LF
/// anywhere else, and a dot more where a line begins with one (RFC 5321 §4.5.2, security row S2).
/// Text that is not ASCII is converted to quoted-printable or base64 for a server without 8BITMIME
/// (RFC 6152 §3).
public interface OutgoingMessage {

    /// Whether there is such a form.
    sealed interface Choice {
        record Ready(OutgoingMessage message) implements Choice {}

        /// There is none, and never will be: tell the sender.
        record Impossible(Status why) implements Choice {}
    }

    /// Finds the form for a server.
    ///
    /// @throws IOException when the content cannot be read just now
    static Choice prepare(Content content, Envelope envelope, Capabilities they)
            throws IOException {
        return MessageForms.prepare(content, envelope, they);
    }

    /// What it is to be called in BODY: `7BIT`, `8BITMIME` or `BINARYMIME`; empty where the other
    /// side knows no BODY.
    String body();

    /// Whether addresses or header have UTF-8, so that MAIL must say SMTPUTF8 (RFC 6531 §3.4).
    boolean utf8();

    /// Octets without the dots that DATA adds; exact, BDAT depends on it.
    long size();

    /// For DATA: with a dot more where one stands first in a line, and with the line that ends it.
    void writeDotted(OutputStream out) throws IOException;

    /// For BDAT: [#size] octets, nothing added.
    void writePlain(OutputStream out) throws IOException;
}
