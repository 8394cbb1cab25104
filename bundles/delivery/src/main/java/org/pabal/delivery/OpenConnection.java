package org.pabal.delivery;

import org.pabal.smtp.client.SmtpConversation;

import java.time.Duration;

/// A connection on which the other side waits for a message.
///
/// For one thread at a time.
final class OpenConnection {

    /// What a domain demands may change, and so may its hosts: a connection outlives that by this
    /// much.
    private static final Duration LONGEST = Duration.ofMinutes(5);

    private final SmtpConversation conversation;
    private final String where;
    private final String tls;
    private final boolean verified;
    private final boolean judged;
    private final int maxMessages;
    private final long end = System.nanoTime() + LONGEST.toNanos();
    private int messages;
    private long idleSince;

    /// @param where who they are: `mx.example.org [192.0.2.25]:25`
    /// @param tls how it is protected, for the history
    /// @param verified whether a message with REQUIRETLS may go this way
    /// @param judged whether it is what the recipients' domain demands, so that another message may
    ///     go over it
    /// @param maxMessages after so many it is closed
    OpenConnection(
            SmtpConversation conversation,
            String where,
            String tls,
            boolean verified,
            boolean judged,
            int maxMessages) {
        this.conversation = conversation;
        this.where = where;
        this.tls = tls;
        this.verified = verified;
        this.judged = judged;
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

    boolean judged() {
        return judged;
    }

    void spoke() {
        messages++;
    }

    /// Whether it may be used for one more message.
    boolean goesOn() {
        return messages < maxMessages && System.nanoTime() - end < 0 && conversation.reusable();
    }

    void rests(long nanos) {
        idleSince = nanos;
    }

    long idleSince() {
        return idleSince;
    }
}
