package org.pabal.storage.file;

import org.pabal.mail.Content;
import org.pabal.mailbox.Changes;
import org.pabal.mailbox.FlagEdit;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStatus;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;
import org.pabal.storage.file.MailboxIndex.Entry;
import org.pabal.storage.file.MailboxRecord.Body;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// One Maildir.
///
/// The files are the truth about which messages there are and which flags with letters they have,
/// because others may change them; the index tells uids, keywords and mod-sequences. Every change
/// is a record in the journal. A file is not synced when it is written: until a checkpoint has done
/// that for all at once, the journal has what it takes to make it again. Whoever is shown something
/// waits until the journal has it on disk, so that nothing that was seen is different after a
/// crash.
final class FileMailbox implements Mailbox {

    static final String TEMPORARY = "pabal-";

    private static final Logger LOG = LoggerFactory.getLogger(FileMailbox.class);
    private static final int READ_WHOLE = 128 * 1024;
    private static final int CHUNK = 2_000;
    private static final int MOST_UNCOMPACTED = 1_000;
    private static final int MOST_PENDING = 2_000;
    private static final long FOREIGN_POLL_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long STAMP_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final Duration OLD_TEMPORARY = Duration.ofHours(36);

    private final FileMailboxStore store;
    private final Disk disk;
    private final Journal journal;

    /// Gives two mailboxes an order in which they are locked.
    private final long number;

    /// Guards everything below.
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();
    private String key;
    private Path directory;
    private volatile boolean deleted;
    private boolean loaded;
    private int waiters;
    private UidLog.Identity identity = new UidLog.Identity(1, "");
    private MailboxIndex index = new MailboxIndex();

    /// Lines that the journal has and the uid log does not.
    private List<String> pending = new ArrayList<>();

    private List<String> unsynced = new ArrayList<>();
    private Journal.Position last;
    private int logLines;
    private boolean rewrite;

    private long newStamp;
    private long curStamp;
    private boolean ours;
    private boolean again;
    private long scanned;
    private long quietNanos;

    /// For the store: when it was used last, by [System#nanoTime].
    volatile long used;

    FileMailbox(FileMailboxStore store, long number, String key, Path directory) {
        this.store = store;
        this.disk = store.disk();
        this.journal = store.journal();
        this.number = number;
        this.key = key;
        this.directory = directory;
        this.last = journal.nothing();
    }

    // ---- looking

    @Override
    public MailboxStatus status() throws IOException {
        MailboxStatus status;
        Journal.Position seen;
        lockFresh();
        try {
            status = index.status(identity.uidValidity());
            seen = last;
        } finally {
            lock.unlock();
        }
        journal.await(seen);
        return status;
    }

    @Override
    public List<Message> messages(UidSet which) throws IOException {
        List<Message> messages = new ArrayList<>();
        Journal.Position seen;
        lockFresh();
        try {
            for (Entry entry : index.chosen(which)) {
                messages.add(entry.message());
            }
            seen = last;
        } finally {
            lock.unlock();
        }
        journal.await(seen);
        return messages;
    }

    @Override
    public Optional<Content> content(long uid) throws IOException {
        lockLoaded();
        try {
            return index.find(uid).map(entry -> new Stored(entry, directory.resolve(entry.file())));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Changes changes(long since, Duration patience) throws IOException {
        long end = System.nanoTime() + Math.min(FileMailQueue.nanos(patience), Long.MAX_VALUE / 4);
        while (true) {
            Changes changes;
            Journal.Position seen;
            lockFresh();
            waiters++;
            try {
                long left = end - System.nanoTime();
                while (index.modSeq() <= since && left > 0) {
                    // others tell nobody when they change a Maildir
                    changed.awaitNanos(Math.min(left, FOREIGN_POLL_NANOS));
                    refuseDeleted();
                    ensureLoaded();
                    check();
                    left = end - System.nanoTime();
                }
                changes =
                        index.modSeq() <= since
                                ? new Changes(index.modSeq(), List.of(), UidSet.NONE, UidSet.NONE)
                                : new Changes(
                                        index.modSeq(),
                                        index.changedSince(since),
                                        index.goneSince(since),
                                        UidSet.NONE);
                seen = last;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("waiting for changes was interrupted");
            } finally {
                waiters--;
                lock.unlock();
            }
            journal.await(seen);
            if (!changes.isEmpty() || end - System.nanoTime() <= 0) {
                return changes;
            }
            since = Math.max(since, changes.modSeq());
        }
    }

    // ---- adding

    @Override
    public Optional<Message> append(
            Content content, Set<String> flags, Instant received, String deliveryId)
            throws IOException {
        String digest = deliveryId.isEmpty() ? "" : MaildirName.digest(deliveryId);
        if (!digest.isEmpty()) {
            lockLoaded();
            try {
                Optional<Long> before = index.delivered(digest);
                if (before.isPresent()) {
                    return index.find(before.get()).map(Entry::message);
                }
            } finally {
                lock.unlock();
            }
        }
        journal.awaitRoom();
        store.room().require(content.size());
        return content.size() <= FileMailQueue.LARGEST_IN_JOURNAL
                ? appendSmall(content, flags, received, deliveryId, digest)
                : appendLarge(content, flags, received, digest);
    }

    private Optional<Message> appendSmall(
            Content content, Set<String> flags, Instant received, String deliveryId, String digest)
            throws IOException {
        byte[] octets = new byte[(int) content.size()];
        try (InputStream in = content.open()) {
            if (in.readNBytes(octets, 0, octets.length) != octets.length || in.read() >= 0) {
                throw new IOException(
                        "mailbox " + key + ": the content has another size than it said");
            }
        }
        String base = store.base(digest, octets.length, octets.length);
        Optional<FileMailQueue.Pinned> pinned =
                deliveryId.isEmpty() ? Optional.empty() : store.queue().pin(deliveryId);
        try {
            Optional<Body> tail = pinned.flatMap(queued -> tail(octets, queued));
            Path temporary = temporary(store.nextName() + base);
            write(temporary, octets);
            Added added =
                    put(
                            temporary,
                            base,
                            octets.length,
                            tail.orElse(new Body.Inline(octets)),
                            flags,
                            received,
                            digest);
            if (tail.isEmpty()) {
                awaitOrTakeBack(added);
            }
            return added.message;
        } finally {
            pinned.ifPresent(FileMailQueue.Pinned::close);
        }
    }

    private void write(Path temporary, byte[] octets) throws IOException {
        try {
            disk.write(temporary, octets);
        } catch (IOException e) {
            Files.deleteIfExists(temporary);
            throw e;
        }
    }

    /// Whether the content is a message of the queue with something above it: then the journal has
    /// its octets already, and keeps them until this file is synced. Nothing has to be waited for:
    /// that the message leaves the queue comes after this in the journal.
    private static Optional<Body> tail(byte[] octets, FileMailQueue.Pinned queued) {
        byte[] inQueue = queued.octets();
        int prefix = octets.length - inQueue.length;
        return prefix >= 0
                        && Arrays.equals(octets, prefix, octets.length, inQueue, 0, inQueue.length)
                ? Optional.of(new Body.Tail(queued.id(), Arrays.copyOf(octets, prefix)))
                : Optional.empty();
    }

    private Optional<Message> appendLarge(
            Content content, Set<String> flags, Instant received, String digest)
            throws IOException {
        String base = store.base(digest, content.size(), content.size());
        Path temporary = temporary(store.nextName() + base);
        try {
            long size = 0;
            try (FileChannel channel = disk.create(temporary);
                    InputStream in = content.open()) {
                byte[] buffer = new byte[64 * 1024];
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    disk.writeAll(channel, ByteBuffer.wrap(buffer, 0, read));
                    size += read;
                }
                disk.force(channel, true);
            }
            if (size != content.size()) {
                throw new IOException(
                        "mailbox " + key + ": the content has another size than it said");
            }
        } catch (IOException e) {
            Files.deleteIfExists(temporary);
            throw e;
        }
        Added added =
                put(temporary, base, content.size(), new Body.None(), flags, received, digest);
        awaitOrTakeBack(added);
        return added.message;
    }

    /// What [#put] did; nothing to wait for when the message was there already.
    private record Added(Optional<Message> message, boolean fresh) {}

    private Added put(
            Path temporary,
            String base,
            long size,
            Body body,
            Set<String> flags,
            Instant received,
            String digest)
            throws IOException {
        boolean done = false;
        try {
            if (Math.abs(Duration.between(received, store.clock().instant()).toMillis()) > 2_000) {
                // others take the file's time for the time of the message
                Files.setLastModifiedTime(temporary, FileTime.from(received));
            }
            lockLoaded();
            try {
                Optional<Long> before =
                        digest.isEmpty() ? Optional.empty() : index.delivered(digest);
                if (before.isPresent()) {
                    return new Added(index.find(before.get()).map(Entry::message), false);
                }
                Set<String> spelled = spelled(flags);
                boolean fresh = spelled.isEmpty();
                Entry entry =
                        new Entry(
                                index.uidNext(),
                                base,
                                received.toEpochMilli(),
                                size,
                                false,
                                fresh,
                                fresh ? "" : MaildirName.suffix("", spelled),
                                keywords(spelled),
                                index.modSeq() + 1);
                Path file = directory.resolve(entry.file());
                rename(temporary, file);
                done = true;
                if (body instanceof Body.None) {
                    disk.sync(file.getParent());
                }
                String line = MailboxIndex.added(entry);
                try {
                    record(
                            new MailboxRecord().mailbox(key, identity.id()).line(line).body(body),
                            List.of(line));
                } catch (IOException e) {
                    Files.deleteIfExists(file);
                    throw e;
                }
                index.add(entry);
                note(entry);
                changed.signalAll();
                return new Added(Optional.of(entry.message()), true);
            } finally {
                lock.unlock();
            }
        } finally {
            if (!done) {
                Files.deleteIfExists(temporary);
            }
        }
    }

    private void awaitOrTakeBack(Added added) throws IOException {
        if (!added.fresh) {
            return;
        }
        Journal.Position position;
        lock.lock();
        position = last;
        lock.unlock();
        try {
            journal.await(position);
        } catch (IOException e) {
            lock.lock();
            try {
                if (loaded) {
                    takeBack(index.chosen(UidSet.of(added.message.orElseThrow().uid())));
                }
            } catch (IOException also) {
                e.addSuppressed(also);
            } finally {
                lock.unlock();
            }
            throw e;
        }
    }

    // ---- changing

    @Override
    public Changes flag(UidSet which, FlagEdit edit, long ifUnchangedSince) throws IOException {
        List<Message> after = new ArrayList<>();
        List<Long> refused = new ArrayList<>();
        Journal.Position position;
        long modSeq;
        lockFresh();
        try {
            long next = index.modSeq() + 1;
            List<String> lines = new ArrayList<>();
            for (Entry entry : index.chosen(which)) {
                if (entry.modSeq > ifUnchangedSince) {
                    refused.add(entry.uid);
                    continue;
                }
                Set<String> before = entry.flags();
                Set<String> flags = spelled(edit.apply(before));
                if (flags.equals(spelled(before))) {
                    continue;
                }
                String suffix = MaildirName.suffix(entry.suffix, flags);
                String file = "cur/" + entry.base + suffix;
                try {
                    if (!file.equals(entry.file())) {
                        rename(directory.resolve(entry.file()), directory.resolve(file));
                    }
                } catch (NoSuchFileException e) {
                    again = true; // somebody else was faster; the next look tells what is there
                    continue;
                }
                index.reflag(entry, false, suffix, keywords(flags), next);
                lines.add(MailboxIndex.flagged(entry));
                after.add(entry.message());
            }
            record(lines);
            modSeq = index.modSeq();
            position = last;
            if (!after.isEmpty()) {
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        journal.await(position);
        return new Changes(modSeq, after, UidSet.NONE, UidSet.of(refused));
    }

    @Override
    public Changes expunge(UidSet which) throws IOException {
        Journal.Position position;
        List<Long> gone;
        long modSeq;
        lockFresh();
        try {
            List<Entry> entries = index.chosen(which);
            gone = entries.stream().map(entry -> entry.uid).toList();
            takeOut(entries);
            modSeq = index.modSeq();
            position = last;
        } finally {
            lock.unlock();
        }
        journal.await(position);
        return new Changes(modSeq, List.of(), UidSet.of(gone), UidSet.NONE);
    }

    /// Removes messages, the record before the files: a crash in between is mended by the replay.
    private void takeOut(List<Entry> entries) throws IOException {
        if (!entries.isEmpty()) {
            long next = index.modSeq() + 1;
            record(goneLines(entries, next));
            forget(entries, next);
        }
    }

    /// The same while the journal is failing.
    private void takeBack(List<Entry> entries) throws IOException {
        long next = index.modSeq() + 1;
        MailboxRecord record = new MailboxRecord().mailbox(key, identity.id());
        List<String> lines = goneLines(entries, next);
        lines.forEach(record::line);
        noteLines(lines, journal.appendRegardless(MailboxRecord.TYPE, record.parts()));
        forget(entries, next);
    }

    private static List<String> goneLines(List<Entry> entries, long at) {
        return entries.stream().map(entry -> MailboxIndex.gone(entry.uid, at, entry.base)).toList();
    }

    private void forget(List<Entry> entries, long at) throws IOException {
        index.remove(entries, at);
        changed.signalAll();
        ours = true;
        for (Entry entry : entries) {
            unlink(entry);
        }
    }

    private void unlink(Entry entry) throws IOException {
        if (!Files.deleteIfExists(directory.resolve(entry.file()))) {
            // renamed by somebody else since the last look
            for (Map.Entry<String, String> each : list().entrySet()) {
                if (each.getKey().equals(entry.base)) {
                    Files.deleteIfExists(directory.resolve(each.getValue()));
                }
            }
        }
    }

    @Override
    public List<Message> copy(UidSet which, Mailbox target) throws IOException {
        return bring(which, target, false);
    }

    @Override
    public List<Message> move(UidSet which, Mailbox target) throws IOException {
        return bring(which, target, true);
    }

    private List<Message> bring(UidSet which, Mailbox target, boolean move) throws IOException {
        if (!(target instanceof FileMailbox to) || to.store != store) {
            throw new IllegalArgumentException("target mailbox belongs to another store");
        }
        FileMailbox first = number < to.number ? this : to;
        FileMailbox second = first == this ? to : this;
        first.lock.lock();
        second.lock.lock();
        try {
            refuseDeleted();
            to.refuseDeleted();
            to.ensureLoaded();
            ensureLoaded();
            check();
            List<Message> there = new ArrayList<>();
            List<Entry> entries = index.chosen(which);
            for (int i = 0; i < entries.size(); i += CHUNK) {
                there.addAll(
                        bring(entries.subList(i, Math.min(i + CHUNK, entries.size())), to, move));
            }
            return there;
        } finally {
            second.lock.unlock();
            first.lock.unlock();
        }
    }

    /// The new files are made ready in `tmp/` and synced; then one record for both mailboxes
    /// decides that it has happened; then they are renamed into place. A crash before the record
    /// leaves nothing, one after it is mended.
    private List<Message> bring(List<Entry> entries, FileMailbox to, boolean move)
            throws IOException {
        long next = to.index.modSeq() + 1;
        List<Entry> copies = new ArrayList<>();
        List<Path> staged = new ArrayList<>();
        try {
            for (Entry from : entries) {
                Path file = directory.resolve(from.file());
                Entry copy =
                        from.copy(
                                to.index.uidNext() + copies.size(),
                                store.base(
                                        "",
                                        from.lineFeeds ? Files.size(file) : from.size,
                                        from.size),
                                next);
                Path temporary = to.temporary(copy.base);
                disk.link(file, temporary);
                staged.add(temporary);
                disk.sync(temporary);
                copies.add(copy);
            }
            disk.sync(to.directory.resolve("tmp"));
            MailboxRecord record = new MailboxRecord().mailbox(to.key, to.identity.id());
            List<String> added = copies.stream().map(MailboxIndex::added).toList();
            for (String line : added) {
                record.line(line).body(new Body.Staged());
            }
            long goneAt = index.modSeq() + 1;
            List<String> gone = move ? goneLines(entries, goneAt) : List.of();
            if (move) {
                record.mailbox(key, identity.id());
                gone.forEach(record::line);
            }
            Journal.Position position = journal.append(MailboxRecord.TYPE, record.parts());
            to.noteLines(added, position);
            noteLines(gone, position);
            Optional<IOException> unsure = awaited(position);
            for (int i = 0; i < copies.size(); i++) {
                to.rename(staged.get(i), to.directory.resolve(copies.get(i).file()));
                to.index.add(copies.get(i));
                to.note(copies.get(i));
            }
            staged.clear();
            if (move) {
                forget(entries, goneAt);
            }
            to.changed.signalAll();
            if (unsure.isPresent()) {
                throw unsure.get();
            }
            return copies.stream().map(Entry::message).toList();
        } finally {
            for (Path left : staged) {
                Files.deleteIfExists(left);
            }
        }
    }

    /// When the journal fails it goes on trying, so that the record may be there after a crash:
    /// what it says has to be done.
    private Optional<IOException> awaited(Journal.Position position) {
        try {
            journal.await(position);
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(e);
        }
    }

    // ---- records

    private void record(List<String> lines) throws IOException {
        for (int i = 0; i < lines.size(); i += CHUNK) {
            List<String> some = lines.subList(i, Math.min(i + CHUNK, lines.size()));
            MailboxRecord record = new MailboxRecord().mailbox(key, identity.id());
            some.forEach(record::line);
            record(record, some);
        }
    }

    private void record(MailboxRecord record, List<String> lines) throws IOException {
        noteLines(lines, journal.append(MailboxRecord.TYPE, record.parts()));
    }

    private void noteLines(List<String> lines, Journal.Position position) {
        if (!lines.isEmpty()) {
            pending.addAll(lines);
            last = position;
        }
    }

    /// Remembers what a checkpoint has to sync where it cannot sync everything at once.
    private void note(Entry entry) {
        ours = true;
        if (!disk.syncsAll()) {
            unsynced.add(entry.base);
        }
    }

    private void rename(Path from, Path to) throws IOException {
        disk.rename(from, to);
        ours = true;
    }

    /// Writes to the uid log what only the journal has. Not before the journal has it on disk: a
    /// delivery that the log knows and the journal lost would be taken for one that was made.
    void flush() throws IOException {
        lock.lock();
        try {
            if (!loaded || deleted) {
                return;
            }
            if (!pending.isEmpty()) {
                journal.await(last);
                disk.append(directory.resolve(UidLog.NAME), UidLog.octets(pending));
                logLines += pending.size();
                pending = new ArrayList<>();
            }
            if (rewrite || logLines > 2 * index.lines() + MOST_UNCOMPACTED) {
                writeLog();
            }
            syncEach();
        } finally {
            lock.unlock();
        }
    }

    private void syncEach() throws IOException {
        if (disk.syncsAll()) {
            return;
        }
        for (String base : unsynced) {
            Optional<Entry> entry = index.find(base);
            if (entry.isPresent()) {
                try {
                    disk.sync(directory.resolve(entry.get().file()));
                } catch (NoSuchFileException e) {
                    again = true;
                }
            }
        }
        unsynced.clear();
        disk.sync(directory.resolve(UidLog.NAME));
        for (String part : List.of("new", "cur", "")) {
            disk.sync(directory.resolve(part));
        }
    }

    private void writeLog() throws IOException {
        List<String> lines = new ArrayList<>(List.of(identity.line()));
        lines.addAll(index.compacted());
        disk.replace(directory.resolve(UidLog.NAME), UidLog.octets(lines));
        logLines = lines.size();
        rewrite = false;
    }

    // ---- loading

    private void lockLoaded() throws IOException {
        lock.lock();
        try {
            used = System.nanoTime();
            refuseDeleted();
            ensureLoaded();
        } catch (IOException | RuntimeException e) {
            lock.unlock();
            throw e;
        }
    }

    /// Locks, and sees what others have changed.
    private void lockFresh() throws IOException {
        lockLoaded();
        try {
            check();
        } catch (IOException | RuntimeException e) {
            lock.unlock();
            throw e;
        }
    }

    private void refuseDeleted() throws IOException {
        if (deleted) {
            throw new NoSuchFileException(key, "", "mailbox was deleted");
        }
    }

    private void ensureLoaded() throws IOException {
        if (!loaded) {
            loadIndex();
            store.loaded(this);
            dropTemporary();
            scan(true);
        }
        if (pending.size() > MOST_PENDING) {
            flush();
        }
    }

    private void loadIndex() throws IOException {
        for (String part : List.of("cur", "new", "tmp")) {
            disk.makeDirectories(directory.resolve(part));
        }
        MailboxIndex read = new MailboxIndex();
        UidLog.Found found =
                UidLog.read(directory.resolve(UidLog.NAME), line -> read.apply(line, false));
        index = read;
        logLines = found.lines();
        rewrite = !found.whole();
        pending = new ArrayList<>();
        last = journal.nothing();
        if (found.identity().isPresent()) {
            identity = found.identity().get();
        } else {
            index = new MailboxIndex();
            identity = store.identity();
            writeLog();
            for (Path each = directory; !each.equals(store.root()); each = each.getParent()) {
                disk.sync(each.getParent());
            }
        }
        loaded = true;
        newStamp = -1;
        curStamp = -1;
    }

    /// Leaves the memory, unless somebody is here; false then.
    boolean unload() throws IOException {
        if (!lock.tryLock()) {
            return false;
        }
        try {
            if (waiters > 0 || lock.getHoldCount() > 1) {
                return false;
            }
            flush();
            if (!disk.syncsAll() && !unsynced.isEmpty()) {
                return false;
            }
            loaded = false;
            index = new MailboxIndex();
            return true;
        } finally {
            lock.unlock();
        }
    }

    int size() {
        return index.size();
    }

    // ---- what others do

    /// Looks whether others have changed the directory. When nothing but our own changes is known
    /// to have happened, the look is put off for a second, or longer for a large mailbox.
    private void check() throws IOException {
        long now = System.nanoTime();
        boolean changedStamps =
                disk.modified(directory.resolve("new")) != newStamp
                        || disk.modified(directory.resolve("cur")) != curStamp;
        boolean secondLook = again && now - scanned > STAMP_NANOS;
        if (changedStamps && !(ours && now - scanned < quietNanos) || secondLook) {
            scan(false);
        }
    }

    private void scan(boolean first) throws IOException {
        long begin = System.nanoTime();
        long newBefore = disk.modified(directory.resolve("new"));
        long curBefore = disk.modified(directory.resolve("cur"));
        // a file that comes in the same tick of the clock does not change the stamp
        again = !first && (newBefore != newStamp || curBefore != curStamp);
        newStamp = newBefore;
        curStamp = curBefore;
        ours = false;
        Map<String, String> files = list();
        if (index.all().stream().anyMatch(entry -> !files.containsKey(entry.base))) {
            // a file that is renamed while a directory is read may be missed once
            list().forEach(files::putIfAbsent);
        }
        List<Entry> vanished = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        long next = index.modSeq() + 1;
        for (Entry entry : index.all()) {
            String file = files.remove(entry.base);
            if (file == null) {
                vanished.add(entry);
            } else if (!file.equals(entry.file())) {
                relocate(entry, file, next, lines);
            }
        }
        vanished.forEach(entry -> lines.add(MailboxIndex.gone(entry.uid, next, entry.base)));
        if (!vanished.isEmpty()) {
            index.remove(vanished, next);
        }
        for (Entry entry : adopted(files, next, first)) {
            index.add(entry);
            lines.add(MailboxIndex.added(entry));
        }
        if (!lines.isEmpty()) {
            record(lines);
            changed.signalAll();
        }
        scanned = System.nanoTime();
        quietNanos = Math.max(store.quietNanos(), 20 * (scanned - begin));
    }

    private void relocate(Entry entry, String file, long next, List<String> lines) {
        boolean fresh = file.startsWith("new/");
        String suffix = MaildirName.suffix(file);
        if (MaildirName.flags(suffix).equals(MaildirName.flags(entry.suffix))) {
            entry.fresh = fresh; // only at another place
            entry.suffix = suffix;
        } else {
            index.reflag(entry, fresh, suffix, entry.keywords, next);
            lines.add(MailboxIndex.flagged(entry));
        }
    }

    /// Gives uids to files that nobody told us of, in the order of their times.
    private List<Entry> adopted(Map<String, String> files, long next, boolean first)
            throws IOException {
        record Stranger(String base, String file, long time, long octets) {}
        List<Stranger> strangers = new ArrayList<>();
        for (Map.Entry<String, String> each : files.entrySet()) {
            Path path = directory.resolve(each.getValue());
            try {
                long octets = Files.size(path);
                Optional<Long> whole = MaildirName.wholeSize(each.getKey());
                if (first && whole.isPresent() && octets < whole.get()) {
                    // a crash of the machine before its octets were on disk: nobody was told that
                    // it is here
                    LOG.warn("mailbox {}: {} is not whole and is removed", key, each.getValue());
                    Files.deleteIfExists(path);
                    continue;
                }
                strangers.add(
                        new Stranger(
                                each.getKey(),
                                each.getValue(),
                                Files.getLastModifiedTime(path).toMillis(),
                                octets));
            } catch (NoSuchFileException e) {
                again = true;
            }
        }
        strangers.sort(Comparator.comparingLong(Stranger::time).thenComparing(Stranger::base));
        List<Entry> entries = new ArrayList<>();
        for (Stranger each : strangers) {
            long size = sizeWithCrLf(each.base, each.octets, directory.resolve(each.file));
            entries.add(
                    new Entry(
                            index.uidNext() + entries.size(),
                            each.base,
                            each.time,
                            size,
                            size != each.octets,
                            each.file.startsWith("new/"),
                            MaildirName.suffix(each.file),
                            Set.of(),
                            next));
        }
        return entries;
    }

    private static long sizeWithCrLf(String base, long octets, Path file) throws IOException {
        if (MaildirName.wholeSize(base).equals(Optional.of(octets))
                && MaildirName.size(base, 'W').isEmpty()) {
            return octets; // a file of ours: its octets are to stay as they are
        }
        Optional<Long> told =
                MaildirName.size(base, 'W')
                        .filter(
                                w ->
                                        MaildirName.size(base, 'S').equals(Optional.of(octets))
                                                && w >= octets);
        return told.isPresent() ? told.get() : CrLfStream.size(file);
    }

    /// The files by their bases, as `cur/NAME` or `new/NAME`: `new/` first, so that one that is
    /// moved on meanwhile is seen.
    private Map<String, String> list() throws IOException {
        Map<String, String> files = new LinkedHashMap<>();
        for (String part : List.of("new/", "cur/")) {
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory.resolve(part))) {
                for (Path each : stream) {
                    String name = each.getFileName().toString();
                    if (!name.startsWith(".")) {
                        files.put(MaildirName.base(name), part + name);
                    }
                }
            } catch (DirectoryIteratorException e) {
                throw e.getCause();
            } catch (NoSuchFileException e) {
                throw new IOException("mailbox " + key + ": " + part + " is not there any more", e);
            }
        }
        return files;
    }

    private void dropTemporary() throws IOException {
        Instant old = store.clock().instant().minus(OLD_TEMPORARY);
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory.resolve("tmp"))) {
            for (Path each : stream) {
                boolean mine =
                        each.getFileName().toString().startsWith(TEMPORARY)
                                && !store.running(each.getFileName().toString());
                if (mine || Files.getLastModifiedTime(each).toInstant().isBefore(old)) {
                    Files.deleteIfExists(each);
                }
            }
        } catch (NoSuchFileException e) {
            LOG.debug("mailbox {}: a temporary file went by itself", key);
        }
    }

    /// Two who bring the same message at once must not write into one file: what is not staged has
    /// a number before its base.
    private Path temporary(String base) throws IOException {
        lockLoaded(); // makes the directories
        try {
            return directory.resolve("tmp").resolve(TEMPORARY + store.run() + base);
        } finally {
            lock.unlock();
        }
    }

    // ---- after a crash

    /// A line of the journal, and how to get the octets of the message that it adds.
    record Replayed(String text, boolean staged, Optional<Octets> octets) {}

    interface Octets {
        byte[] read() throws IOException;
    }

    /// Carries out what a crash kept from the uid log, and makes files again that did not reach the
    /// disk.
    void replay(List<Replayed> lines) throws IOException {
        lock.lock();
        try {
            loadIndex();
            store.loaded(this);
            Map<String, Replayed> added = new HashMap<>();
            Set<String> gone = new HashSet<>();
            Set<Long> flagged = new HashSet<>();
            for (Replayed line : lines) {
                try {
                    index.apply(line.text, true);
                    String[] words = line.text.split(" ");
                    switch (words[0]) {
                        case "A" -> added.put(Words.text(words[5]), line);
                        case "F" -> flagged.add(Long.parseLong(words[1]));
                        default -> gone.add(Words.text(words[3]));
                    }
                } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
                    LOG.warn(
                            "mailbox {}: a record of the journal is left out: {}",
                            key,
                            e.getMessage());
                }
            }
            rewrite = true; // the next checkpoint writes down what only the journal knew
            restore(added, gone, flagged);
            dropTemporary();
            scan(true);
        } finally {
            lock.unlock();
        }
    }

    private void restore(Map<String, Replayed> added, Set<String> gone, Set<Long> flagged)
            throws IOException {
        Map<String, String> files = list();
        for (String base : gone) {
            if (files.containsKey(base) && index.find(base).isEmpty()) {
                Files.deleteIfExists(directory.resolve(files.get(base)));
            }
        }
        Map<String, Path> temporary = new HashMap<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory.resolve("tmp"))) {
            for (Path each : stream) {
                String name = each.getFileName().toString();
                if (name.startsWith(TEMPORARY)) {
                    temporary.put(
                            name.substring(TEMPORARY.length() + FileMailboxStore.RUN_LENGTH), each);
                }
            }
        }
        for (Entry entry : List.copyOf(index.all())) {
            Path wanted = directory.resolve(entry.file());
            Replayed line = added.get(entry.base);
            if (files.containsKey(entry.base)) {
                Path there = directory.resolve(files.get(entry.base));
                if (flagged.contains(entry.uid) && !there.equals(wanted)) {
                    disk.rename(there, wanted);
                    there = wanted;
                }
                if (line != null && line.octets.isPresent() && Files.size(there) != entry.size) {
                    Files.delete(there);
                    disk.write(there, line.octets.get().read());
                }
            } else if (line != null && line.staged && temporary.containsKey(entry.base)) {
                disk.rename(temporary.get(entry.base), wanted);
            } else if (line != null && line.octets.isPresent()) {
                disk.write(wanted, line.octets.get().read());
            } else {
                continue;
            }
            note(entry);
        }
    }

    // ---- for the store

    String key() {
        lock.lock();
        try {
            return key;
        } finally {
            lock.unlock();
        }
    }

    /// Whether it was deleted, so that another may have its name.
    boolean removed() {
        return deleted;
    }

    void load() throws IOException {
        lockLoaded();
        lock.unlock();
    }

    /// Gives the mailbox another name; `rename` does that on disk.
    void renamed(String nextKey, Path nextDirectory) throws IOException {
        lock.lock();
        try {
            disk.rename(directory, nextDirectory);
            key = nextKey;
            directory = nextDirectory;
        } finally {
            lock.unlock();
        }
    }

    /// Somebody else has removed the directory: there is nothing left to write down.
    boolean vanished() {
        lock.lock();
        try {
            if (!deleted && Files.isDirectory(directory)) {
                return false;
            }
            deleted = true;
            loaded = false;
            changed.signalAll();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /// Takes the mailbox away: everybody who has it hears so from now on.
    void delete(Path trash) throws IOException {
        lock.lock();
        try {
            disk.rename(directory, trash);
            deleted = true;
            loaded = false;
            pending = new ArrayList<>();
            index = new MailboxIndex();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // ---- flags

    private static Set<String> spelled(Set<String> flags) {
        Set<String> spelled = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        flags.forEach(flag -> spelled.add(MaildirName.spelled(flag)));
        return spelled;
    }

    private static Set<String> keywords(Set<String> flags) {
        Set<String> keywords = new TreeSet<>();
        for (String flag : flags) {
            if (!MaildirName.lettered(flag)) {
                keywords.add(flag.intern());
            }
        }
        return keywords.isEmpty() ? Set.of() : keywords;
    }

    /// The octets of a message that was there when it was asked for.
    private final class Stored implements Content {

        private final Entry entry;
        private final Path first;

        Stored(Entry entry, Path first) {
            this.entry = entry;
            this.first = first;
        }

        @Override
        public long size() {
            return entry.size;
        }

        @Override
        public InputStream open() throws IOException {
            try {
                return open(first);
            } catch (NoSuchFileException e) {
                return open(renamed());
            }
        }

        private Path renamed() throws IOException {
            lockLoaded();
            try {
                scan(false);
                return index.find(entry.uid)
                        .filter(now -> now.base.equals(entry.base))
                        .map(now -> directory.resolve(now.file()))
                        .orElseThrow(
                                () -> new NoSuchFileException(key, "", "message was expunged"));
            } finally {
                lock.unlock();
            }
        }

        private InputStream open(Path file) throws IOException {
            if (entry.size <= READ_WHOLE) {
                InputStream whole = new ByteArrayInputStream(Files.readAllBytes(file));
                return entry.lineFeeds ? new CrLfStream(whole) : whole;
            }
            InputStream stream = Files.newInputStream(file);
            return entry.lineFeeds ? new CrLfStream(stream) : stream;
        }
    }
}
