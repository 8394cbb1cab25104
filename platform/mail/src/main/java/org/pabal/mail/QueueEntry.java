package org.pabal.mail;

import java.time.Instant;
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
public record QueueEntry(
        QueueId id,
        Envelope envelope,
        Content content,
        Instant accepted,
        int attempts,
        Instant next,
        boolean held,
        Map<MailAddress, Status> reasons) {

    public QueueEntry {
        reasons = Map.copyOf(reasons);
    }
}
