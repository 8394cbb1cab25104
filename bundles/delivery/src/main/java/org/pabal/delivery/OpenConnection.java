package org.pabal.delivery;

import org.pabal.smtp.client.SmtpConversation;

/// A connection on which the other side waits for a message.
///
/// For one thread at a time.
final class OpenConnection {

    private final SmtpConversation conversation;
    private final String where;
    private final String tls;
    private final boolean verified;
    private final int maxMessages;
    private int messages;
    private long idleSince;

    /// @param where who they are: `mx.example.org [192.0.2.25]:25`
    /// @param tls how it is protected, for the history
    /// @param verified whether a message with REQUIRETLS may go this way
    /// @param maxMessages after so many it is closed
    OpenConnection(
            SmtpConversation conversation,
            String where,
            String tls,
            boolean verified,
            int maxMessages) {
        this.conversation = conversation;
        this.where = where;
        this.tls = tls;
        this.verified = verified;
        this.maxMessages = maxMessages;
    }

    SmtpConversation conversation() {
        return conversation;
    }

    String where() {
        return where;
    }

    String tls() {
        return tls;
    }

    boolean verified() {
        return verified;
    }

    void spoke() {
        messages++;
    }

    /// Whether it may be used for one more message.
    boolean goesOn() {
        return messages < maxMessages && conversation.reusable();
    }

    void rests(long nanos) {
        idleSince = nanos;
    }

    long idleSince() {
        return idleSince;
    }
}
