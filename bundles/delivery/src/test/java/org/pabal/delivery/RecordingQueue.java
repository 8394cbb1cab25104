package org.pabal.delivery;

import org.pabal.mail.Attempt;
import org.pabal.mail.Draft;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.MailQueue;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A queue that remembers how leases of it ended.
final class RecordingQueue implements MailQueue {

    /// The end of one lease.
    record Settlement(
            QueueId id,
            Map<MailAddress, Outcome> outcomes,
            Instant retry,
            List<Attempt> attempts) {}

    private final MailQueue queue;
    private final List<Settlement> settlements = new ArrayList<>();

    RecordingQueue(MailQueue queue) {
        this.queue = queue;
    }

    synchronized List<Settlement> settlements() {
        return List.copyOf(settlements);
    }

    Settlement last() {
        return settlements().getLast();
    }

    @Override
    public Draft draft(Envelope envelope) throws IOException {
        return queue.draft(envelope);
    }

    @Override
    public Optional<QueueEntry> lease(Instant now, Duration patience) throws IOException {
        return queue.lease(now, patience);
    }

    @Override
    public void settle(
            QueueEntry entry,
            Map<MailAddress, Outcome> outcomes,
            Instant retry,
            List<Attempt> attempts)
            throws IOException {
        synchronized (this) {
            settlements.add(
                    new Settlement(entry.id(), Map.copyOf(outcomes), retry, List.copyOf(attempts)));
        }
        queue.settle(entry, outcomes, retry, attempts);
    }

    @Override
    public Stream<QueueEntry> entries() throws IOException {
        return queue.entries();
    }

    @Override
    public void retry(QueueId id) throws IOException {
        queue.retry(id);
    }

    @Override
    public void hold(QueueId id, boolean held) throws IOException {
        queue.hold(id, held);
    }

    @Override
    public void remove(QueueId id) throws IOException {
        queue.remove(id);
    }
}
