package org.pabal.smtp.client;

import org.pabal.mail.Content;
import org.pabal.mail.Envelope;

import java.io.IOException;

/// Chooses the form of a message for a server, see [OutgoingMessage].
final class MessageForms {

    private MessageForms() {}

    static OutgoingMessage.Choice prepare(Content content, Envelope envelope, Capabilities they)
            throws IOException {
        throw new UnsupportedOperationException();
    }
}
