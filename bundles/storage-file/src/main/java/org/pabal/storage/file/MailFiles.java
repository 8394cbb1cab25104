package org.pabal.storage.file;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;

/// Queue and mailboxes over one journal: opens them, replays what a crash left, and writes
/// everything down at the end.
///
/// ```
///  data/journal/00.log …    what is not laid out yet
///  data/queue/ID.msg .env   messages that wait for longer
///  data/mail/DOMAIN/LOCAL/Maildir
/// ```
final class MailFiles implements AutoCloseable, Journal.Owner {

    /// What an administrator can choose.
    ///
    /// @param journalOctets disk for the journal
    /// @param minFree octets to leave free on the disk
    /// @param maxQueue messages in the queue
    /// @param host in the names of message files
    /// @param quietNanos see [FileMailboxStore]
    record Options(long journalOctets, long minFree, int maxQueue, String host, long quietNanos) {}

    private static final Logger LOG = LoggerFactory.getLogger(MailFiles.class);

    private final Path directory;
    private final Disk disk;
    private final FileChannel lockFile;
    private final Journal journal;
    private final FileMailQueue queue;
    private final FileMailboxStore mailboxes;

    /// A message that was queued, for deliveries that refer to it.
    private record Queued(Journal.Position position, int offset, int length) {}

    private MailFiles(
            Path directory,
            FileChannel lockFile,
            Disk disk,
            Options options,
            InstantSource clock,
            RandomGenerator random) {
        this.directory = directory;
        this.disk = disk;
        this.lockFile = lockFile;
        Room room = new Room(directory, options.minFree, disk);
        journal = new Journal(directory.resolve("journal"), options.journalOctets, disk, this);
        queue =
                new FileMailQueue(
                        directory.resolve("queue"),
                        disk,
                        journal,
                        room,
                        options.maxQueue,
                        clock,
                        random);
        mailboxes =
                new FileMailboxStore(
                        directory.resolve("mail"),
                        disk,
                        journal,
                        room,
                        queue,
                        options.host,
                        clock,
                        random,
                        options.quietNanos);
    }

    static MailFiles open(
            Path directory, Disk disk, Options options, InstantSource clock, RandomGenerator random)
            throws IOException {
        disk.makeDirectories(directory.resolve("journal"));
        FileChannel lockFile = disk.open(directory.resolve("journal").resolve("lock"));
        try {
            lock(directory, lockFile);
            MailFiles files = new MailFiles(directory, lockFile, disk, options, clock, random);
            files.begin();
            return files;
        } catch (IOException | RuntimeException e) {
            lockFile.close();
            throw e;
        }
    }

    private static void lock(Path directory, FileChannel lockFile) throws IOException {
        Optional<FileLock> lock;
        try {
            lock = Optional.ofNullable(lockFile.tryLock());
        } catch (OverlappingFileLockException e) {
            lock = Optional.empty();
        }
        if (lock.isEmpty()) {
            throw new IOException(directory + " is in use by another process");
        }
    }

    FileMailQueue queue() {
        return queue;
    }

    FileMailboxStore mailboxes() {
        return mailboxes;
    }

    Journal journal() {
        return journal;
    }

    @Override
    public void layOut(Set<JournalSegment> closing) throws IOException {
        queue.layOut(closing);
        mailboxes.layOut();
    }

    private void begin() throws IOException {
        queue.load();
        mailboxes.begin();
        disk.sync(directory);
        disk.sync(directory.toAbsolutePath().getParent());
        Map<String, Queued> queued = new HashMap<>();
        Map<List<String>, List<FileMailbox.Replayed>> changes = new LinkedHashMap<>();
        journal.replay(
                (type, payload, position) -> {
                    try {
                        switch (type) {
                            case FileMailQueue.QUEUED -> {
                                remember(payload.duplicate(), position, queued);
                                queue.replay(type, payload, position);
                            }
                            case FileMailQueue.STATE, FileMailQueue.GONE ->
                                    queue.replay(type, payload, position);
                            case MailboxRecord.TYPE -> {
                                for (MailboxRecord.Line line : MailboxRecord.read(payload)) {
                                    changes.computeIfAbsent(
                                                    List.of(line.key(), line.id()),
                                                    k -> new ArrayList<>())
                                            .add(replayed(line, position, queued));
                                }
                            }
                            case Journal.CHECKPOINT -> {}
                            default -> LOG.warn("journal: a record of type {} is left out", type);
                        }
                    } catch (IllegalArgumentException e) {
                        LOG.warn("journal: a record is left out: {}", e.getMessage());
                    }
                });
        boolean done = false;
        try {
            queue.begin();
            for (var each : changes.entrySet()) {
                mailboxes.replay(each.getKey().get(0), each.getKey().get(1), each.getValue());
            }
            done = true;
        } finally {
            if (!done) {
                journal.crash();
            }
        }
    }

    private static void remember(
            ByteBuffer payload, Journal.Position position, Map<String, Queued> queued) {
        byte[] octets = new byte[payload.remaining()];
        payload.get(octets);
        int text = FileMailQueue.queuedText(octets);
        QueueState state = QueueState.read(Arrays.copyOfRange(octets, 4, 4 + text));
        if (!state.inFile()) {
            queued.put(state.id().text(), new Queued(position, 4 + text, octets.length - 4 - text));
        }
    }

    private FileMailbox.Replayed replayed(
            MailboxRecord.Line line, Journal.Position position, Map<String, Queued> queued) {
        MailboxRecord.Stored body = line.body();
        Optional<FileMailbox.Octets> octets =
                switch (body.kind()) {
                    case "inline" ->
                            Optional.of(() -> journal.read(position, body.offset(), body.length()));
                    case "tail" ->
                            Optional.ofNullable(queued.get(body.queueId()))
                                    .map(
                                            from ->
                                                    () -> {
                                                        byte[] prefix =
                                                                journal.read(
                                                                        position,
                                                                        body.offset(),
                                                                        body.length());
                                                        byte[] rest =
                                                                journal.read(
                                                                        from.position,
                                                                        from.offset,
                                                                        from.length);
                                                        byte[] whole =
                                                                Arrays.copyOf(
                                                                        prefix,
                                                                        prefix.length
                                                                                + rest.length);
                                                        System.arraycopy(
                                                                rest,
                                                                0,
                                                                whole,
                                                                prefix.length,
                                                                rest.length);
                                                        return whole;
                                                    });
                    default -> Optional.empty();
                };
        return new FileMailbox.Replayed(line.text(), body.kind().equals("staged"), octets);
    }

    /// Writes everything down, so that the next start has nothing to mend.
    @Override
    public void close() throws IOException {
        if (!lockFile.isOpen()) {
            return;
        }
        try {
            journal.close();
        } finally {
            lockFile.close();
        }
    }

    /// Stops as a crash would. For tests.
    void crash() throws IOException {
        journal.crash();
        lockFile.close();
    }
}
