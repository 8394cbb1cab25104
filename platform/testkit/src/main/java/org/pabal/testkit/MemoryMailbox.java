package org.pabal.testkit;

import org.pabal.mail.Content;
import org.pabal.mailbox.Changes;
import org.pabal.mailbox.FlagEdit;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStatus;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/// One mailbox of a [MemoryMailboxStore], whose lock guards it.
final class MemoryMailbox implements Mailbox {

    private static final int REMEMBERED_DELIVERIES = 100_000;

    private record Stored(Message message, Content content) {}

    private final MemoryMailboxStore store;
    private final ReentrantLock lock;
    private final String path;
    private final long uidValidity;
    private final TreeMap<Long, Stored> messages = new TreeMap<>();
    private final TreeMap<Long, Long> vanished = new TreeMap<>();
    private final Map<String, Long> deliveries = new LinkedHashMap<>();
    private long uidNext = 1;
    private long modSeq = 1;
    private boolean deleted;

    MemoryMailbox(MemoryMailboxStore store, String path, long uidValidity) {
        this.store = store;
        this.lock = store.lock();
        this.path = path;
        this.uidValidity = uidValidity;
    }

    @Override
    public MailboxStatus status() throws IOException {
        lock();
        try {
            int unseen = 0;
            long octets = 0;
            for (Stored stored : messages.values()) {
                octets += stored.message.octets();
                if (stored.message.flags().stream().noneMatch("\\Seen"::equalsIgnoreCase)) {
                    unseen++;
                }
            }
            return new MailboxStatus(uidValidity, uidNext, messages.size(), unseen, octets, modSeq);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<Message> messages(UidSet which) throws IOException {
        lock();
        try {
            return chosen(which).stream().map(Stored::message).toList();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Optional<Content> content(long uid) throws IOException {
        lock();
        try {
            return Optional.ofNullable(messages.get(uid)).map(Stored::content);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Optional<Message> append(
            Content content, Set<String> flags, Instant received, String deliveryId)
            throws IOException {
        if (store.full()) {
            throw new IOException("mailbox " + path + ": no room (a test said so)");
        }
        MemoryContent octets = MemoryContent.copyOf(content);
        lock();
        try {
            if (!deliveryId.isEmpty() && deliveries.containsKey(deliveryId)) {
                return Optional.ofNullable(messages.get(deliveries.get(deliveryId)))
                        .map(Stored::message);
            }
            modSeq++;
            Message added = add(octets, new FlagEdit.Replace(flags).apply(Set.of()), received);
            if (!deliveryId.isEmpty()) {
                deliveries.put(deliveryId, added.uid());
                if (deliveries.size() > REMEMBERED_DELIVERIES) {
                    deliveries.remove(deliveries.keySet().iterator().next());
                }
            }
            store.signalChange();
            return Optional.of(added);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Changes flag(UidSet which, FlagEdit edit, long ifUnchangedSince) throws IOException {
        lock();
        try {
            List<Message> changed = new ArrayList<>();
            List<Long> refused = new ArrayList<>();
            long next = modSeq + 1;
            for (Stored stored : chosen(which)) {
                Message before = stored.message;
                if (before.modSeq() > ifUnchangedSince) {
                    refused.add(before.uid());
                    continue;
                }
                Set<String> flags = edit.apply(before.flags());
                if (flags.equals(before.flags())) {
                    continue;
                }
                Message after =
                        new Message(
                                before.uid(),
                                before.id(),
                                flags,
                                before.received(),
                                before.octets(),
                                next);
                messages.put(after.uid(), new Stored(after, stored.content));
                changed.add(after);
            }
            if (!changed.isEmpty()) {
                modSeq = next;
                store.signalChange();
            }
            return new Changes(modSeq, changed, UidSet.NONE, UidSet.of(refused));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Changes expunge(UidSet which) throws IOException {
        lock();
        try {
            List<Long> gone = chosen(which).stream().map(s -> s.message.uid()).toList();
            vanish(gone);
            return new Changes(modSeq, List.of(), UidSet.of(gone), UidSet.NONE);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<Message> copy(UidSet which, Mailbox target) throws IOException {
        lock();
        try {
            return copied(chosen(which), sibling(target));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<Message> move(UidSet which, Mailbox target) throws IOException {
        lock();
        try {
            List<Stored> moved = chosen(which);
            List<Message> there = copied(moved, sibling(target));
            vanish(moved.stream().map(s -> s.message.uid()).toList());
            return there;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Changes changes(long since, Duration patience) throws IOException {
        long nanos = MemoryMailboxStore.nanos(patience);
        lock();
        try {
            while (true) {
                Changes changes = since(since);
                if (!changes.isEmpty() || nanos <= 0) {
                    return changes;
                }
                nanos = store.awaitChange(nanos);
                refuseDeleted();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("waiting for changes was interrupted");
        } finally {
            lock.unlock();
        }
    }

    /// Moves everything, with the lock held.
    void emptyInto(MemoryMailbox target) {
        List<Stored> all = List.copyOf(messages.values());
        copied(all, target);
        vanish(all.stream().map(s -> s.message.uid()).toList());
    }

    /// Whoever still holds this mailbox hears from now on that it is gone; the lock is held.
    void delete() {
        deleted = true;
        messages.clear();
        store.signalChange();
    }

    private void lock() throws IOException {
        lock.lock();
        if (deleted) {
            lock.unlock();
            throw new NoSuchFileException(path);
        }
    }

    private void refuseDeleted() throws IOException {
        if (deleted) {
            throw new NoSuchFileException(path);
        }
    }

    private Changes since(long since) {
        List<Message> changed =
                messages.values().stream()
                        .map(Stored::message)
                        .filter(m -> m.modSeq() > since)
                        .toList();
        List<Long> gone =
                vanished.entrySet().stream()
                        .filter(e -> e.getValue() > since)
                        .map(Map.Entry::getKey)
                        .toList();
        return new Changes(modSeq, changed, UidSet.of(gone), UidSet.NONE);
    }

    private List<Stored> chosen(UidSet which) {
        List<Stored> chosen = new ArrayList<>();
        for (UidSet.Range range : which.ranges()) {
            chosen.addAll(messages.subMap(range.first(), true, range.last(), true).values());
        }
        return chosen;
    }

    private static List<Message> copied(List<Stored> from, MemoryMailbox target) {
        List<Message> there = new ArrayList<>();
        if (!from.isEmpty()) {
            target.modSeq++;
            for (Stored stored : from) {
                Message message = stored.message;
                there.add(target.add(stored.content, message.flags(), message.received()));
            }
            target.store.signalChange();
        }
        return there;
    }

    private Message add(Content content, Set<String> flags, Instant received) {
        long uid = uidNext++;
        String id = "m" + uidValidity + "." + uid;
        Message added = new Message(uid, id, flags, received, content.size(), modSeq);
        messages.put(uid, new Stored(added, content));
        return added;
    }

    private void vanish(List<Long> uids) {
        if (!uids.isEmpty()) {
            modSeq++;
            for (long uid : new TreeSet<>(uids)) {
                messages.remove(uid);
                vanished.put(uid, modSeq);
            }
            store.signalChange();
        }
    }

    private MemoryMailbox sibling(Mailbox target) throws IOException {
        if (target instanceof MemoryMailbox other && other.store == store) {
            other.refuseDeleted();
            return other;
        }
        throw new IllegalArgumentException("target mailbox belongs to another store");
    }
}
