package org.pabal.testkit;

import org.pabal.mail.Attempt;
import org.pabal.mail.Content;
import org.pabal.mail.Draft;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.MailQueue;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/// A queue in memory: the contract and nothing else, for the tests of those who use a queue.
public final class MemoryMailQueue implements MailQueue {

    /// One message and its place in the order of leases; guarded by the lock of the queue.
    private static final class Slot {
        final long number;
        QueueEntry entry;
        /// What decides the order: the entry's time, or the beginning of time when it is due
        /// whatever the clock says.
        Instant due = Instant.MIN;
        boolean leased;

        Slot(long number, QueueEntry entry) {
            this.number = number;
            this.entry = entry;
        }
    }

    private static final Comparator<Slot> OLDEST_DUE =
            Comparator.<Slot, Instant>comparing(slot -> slot.due)
                    .thenComparing(slot -> slot.number);

    private final InstantSource clock;
    private final AtomicLong ids = new AtomicLong();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<QueueId, Slot> slots = new LinkedHashMap<>();
    /// By priority, the highest first.
    private final TreeMap<Integer, TreeSet<Slot>> waiting =
            new TreeMap<>(Comparator.reverseOrder());

    private volatile boolean full;

    public MemoryMailQueue(InstantSource clock) {
        this.clock = clock;
    }

    /// From now on there is no room, or there is again: [#draft], a write to a draft and
    /// [Draft#commit] throw.
    public void full(boolean full) {
        this.full = full;
    }

    @Override
    public Draft draft(Envelope envelope) throws IOException {
        refuseWhenFull();
        return new MemoryDraft(envelope);
    }

    @Override
    public Optional<QueueEntry> lease(Instant now, Duration patience) throws IOException {
        long nanos = patience.toNanos();
        lock.lock();
        try {
            while (true) {
                for (TreeSet<Slot> alike : waiting.values()) {
                    if (!alike.isEmpty() && !alike.first().due.isAfter(now)) {
                        Slot slot = alike.pollFirst();
                        slot.leased = true;
                        return Optional.of(slot.entry);
                    }
                }
                if (nanos <= 0) {
                    return Optional.empty();
                }
                nanos = changed.awaitNanos(nanos);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("waiting for mail was interrupted");
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void settle(
            QueueEntry entry,
            Map<MailAddress, Outcome> outcomes,
            Instant retry,
            List<Attempt> attempts) {
        lock.lock();
        try {
            Slot slot = slots.get(entry.id());
            if (slot == null || !slot.leased) {
                return;
            }
            slot.leased = false;
            QueueEntry before = slot.entry;
            List<Recipient> left = new ArrayList<>();
            Map<MailAddress, Status> reasons = new HashMap<>(before.reasons());
            boolean deferred = false;
            for (Recipient recipient : before.envelope().recipients()) {
                MailAddress address = recipient.address();
                Optional<Outcome> outcome = Optional.ofNullable(outcomes.get(address));
                if (outcome.isPresent() && !(outcome.get() instanceof Outcome.Deferred)) {
                    reasons.remove(address);
                    continue;
                }
                left.add(recipient);
                if (outcome.isPresent() && outcome.get() instanceof Outcome.Deferred(Status why)) {
                    reasons.put(address, why);
                    deferred = true;
                }
            }
            if (left.isEmpty()) {
                slots.remove(entry.id());
                return;
            }
            slot.entry =
                    new QueueEntry(
                            before.id(),
                            before.envelope().with(left),
                            before.content(),
                            before.accepted(),
                            before.attempts() + (deferred ? 1 : 0),
                            retry,
                            before.held(),
                            reasons,
                            latest(before.history(), attempts));
            slot.due = retry;
            offer(slot);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Stream<QueueEntry> entries() {
        lock.lock();
        try {
            return slots.values().stream().map(slot -> slot.entry).toList().stream();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void retry(QueueId id) {
        lock.lock();
        try {
            Slot slot = slots.get(id);
            if (slot != null) {
                withdraw(slot);
                slot.due = Instant.MIN;
                slot.entry = with(slot.entry, clock.instant(), slot.entry.held());
                offer(slot);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void hold(QueueId id, boolean held) {
        lock.lock();
        try {
            Slot slot = slots.get(id);
            if (slot != null) {
                withdraw(slot);
                slot.entry = with(slot.entry, slot.entry.next(), held);
                offer(slot);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void remove(QueueId id) {
        lock.lock();
        try {
            Slot slot = slots.remove(id);
            if (slot != null) {
                withdraw(slot);
            }
        } finally {
            lock.unlock();
        }
    }

    private void offer(Slot slot) {
        if (!slot.leased && !slot.entry.held()) {
            waiting.computeIfAbsent(
                            slot.entry.envelope().priority(), _ -> new TreeSet<>(OLDEST_DUE))
                    .add(slot);
            changed.signalAll();
        }
    }

    private void withdraw(Slot slot) {
        waiting.values().forEach(alike -> alike.remove(slot));
    }

    private static List<Attempt> latest(List<Attempt> history, List<Attempt> more) {
        List<Attempt> all = new ArrayList<>(history);
        all.addAll(more);
        return all.subList(Math.max(0, all.size() - QueueEntry.MAX_HISTORY), all.size());
    }

    private static QueueEntry with(QueueEntry entry, Instant next, boolean held) {
        return new QueueEntry(
                entry.id(),
                entry.envelope(),
                entry.content(),
                entry.accepted(),
                entry.attempts(),
                next,
                held,
                entry.reasons(),
                entry.history());
    }

    private void refuseWhenFull() throws IOException {
        if (full) {
            throw new IOException("queue: no room (a test said so)");
        }
    }

    private final class MemoryDraft implements Draft {

        private final long number = ids.incrementAndGet();
        private final QueueId id = new QueueId("Q" + number);
        private final Envelope envelope;
        private final ByteArrayOutputStream octets = new ByteArrayOutputStream();
        private final OutputStream body =
                new OutputStream() {
                    @Override
                    public void write(int octet) throws IOException {
                        refuseWhenFull();
                        octets.write(octet);
                    }

                    @Override
                    public void write(byte[] from, int offset, int length) throws IOException {
                        refuseWhenFull();
                        octets.write(from, offset, length);
                    }
                };
        private boolean over;

        MemoryDraft(Envelope envelope) {
            this.envelope = envelope;
        }

        @Override
        public QueueId id() {
            return id;
        }

        @Override
        public OutputStream body() {
            return body;
        }

        @Override
        public Content content() {
            return new MemoryContent(octets.toByteArray());
        }

        @Override
        public QueueId commit(List<String> headerFields) throws IOException {
            if (over) {
                throw new IllegalStateException("draft " + id + " is over");
            }
            over = true;
            refuseWhenFull();
            ByteArrayOutputStream message = new ByteArrayOutputStream();
            for (String field : headerFields) {
                message.write((field + "\r\n").getBytes(StandardCharsets.UTF_8));
            }
            octets.writeTo(message);
            Instant now = clock.instant();
            Content content = new MemoryContent(message.toByteArray());
            lock.lock();
            try {
                QueueEntry entry =
                        new QueueEntry(id, envelope, content, now, 0, now, false, Map.of());
                Slot slot = new Slot(number, entry);
                slots.put(id, slot);
                offer(slot);
            } finally {
                lock.unlock();
            }
            return id;
        }

        @Override
        public void close() {
            over = true;
        }
    }
}
