package org.pabal.mail;

import java.time.Instant;
import java.util.List;
import java.util.Map;

/// One message in the queue as it was when it was leased or listed. Recipients that are settled are
/// no longer in it.
///
/// @param id its name
/// @param envelope sender and the recipients that are still waiting
/// @param content its octets, readable as long as the entry is in the queue
/// @param accepted when we answered for it
/// @param attempts how often it was settled with a deferral
/// @param next not to be tried before
/// @param held kept back by an administrator: not leased, never given up
/// @param reasons why each waiting recipient was deferred the last time; empty before the first
///     attempt
/// @param history what was tried so far, oldest first; of very many tries the latest
public record QueueEntry(
        QueueId id,
        Envelope envelope,
        Content content,
        Instant accepted,
        int attempts,
        Instant next,
        boolean held,
        Map<MailAddress, Status> reasons,
        List<Attempt> history) {

    /// How many attempts a queue keeps of a message.
    public static final int MAX_HISTORY = 100;

    public QueueEntry {
        reasons = Map.copyOf(reasons);
        history = List.copyOf(history);
    }

    /// One without a history.
    public QueueEntry(
            QueueId id,
            Envelope envelope,
            Content content,
            Instant accepted,
            int attempts,
            Instant next,
            boolean held,
            Map<MailAddress, Status> reasons) {
        this(id, envelope, content, accepted, attempts, next, held, reasons, List.of());
    }

    /// The same message with other octets.
    public QueueEntry with(Content other) {
        return new QueueEntry(
                id, envelope, other, accepted, attempts, next, held, reasons, history);
    }

    /// The same message for some of its recipients.
    public QueueEntry with(List<Recipient> recipients) {
        return new QueueEntry(
                id,
                envelope.with(recipients),
                content,
                accepted,
                attempts,
                next,
                held,
                reasons,
                history);
    }
}
