package org.pabal.storage.file;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/// The write-ahead journal that everything durable goes through first: one writer, one fdatasync
/// for all who wait.
///
/// ```
///  append ──▶ filling ──swap──▶ writer: write, fdatasync ──▶ wakes who awaits
///                                  │ full segments
///                                  ▼
///              background: lay out, flush, syncfs, mark ──▶ free segments ──▶ writer
/// ```
/// Records are gathered in a batch while the one before is being written, so that fifty sessions
/// that commit together share one sync. Records that need to outlive only the process are written
/// without one, and a sync soon after is theirs too. Segments are written with zeros once and used
/// again and again: an fdatasync into blocks that exist needs no metadata, which halves its cost. A
/// checkpoint makes durable what the journal's records stand for and frees their segments; a crash
/// before that is mended by [#replay], which is why replaying a record twice has to be harmless.
final class Journal implements AutoCloseable {

    /// Segments before number N are dead; payload: N. The only record that the journal writes for
    /// itself.
    static final byte CHECKPOINT = 0;

    static final int MAX_PAYLOAD = JournalSegment.MAX_BATCH - 64;

    private static final Logger LOG = LoggerFactory.getLogger(Journal.class);

    /// How long records that nobody waits for may keep the disk waiting.
    private static final long LAZY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /// How long a record that somebody wants written waits for others, when others came before.
    private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /// How much may be written and not yet be synced.
    private static final int MAX_UNSYNCED = JournalSegment.MAX_BATCH / 2;

    private static final long CHECKPOINT_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int SEGMENTS = 8;

    /// What a checkpoint asks of those whose records are in the journal.
    interface Owner {
        /// Makes everything that is only in closing segments stand somewhere else; the journal
        /// syncs it afterwards.
        void layOut(Set<JournalSegment> closing) throws IOException;
    }

    /// Takes one record of a replay.
    interface Reader {
        void record(byte type, ByteBuffer payload, Position position) throws IOException;
    }

    /// Where a record's payload stands. Its segment is known once the record is durable.
    record Position(Batch batch, int offset, int length) {

        JournalSegment segment() {
            return batch.segment;
        }
    }

    /// Records that reach the disk together.
    static final class Batch {
        private ByteBuffer octets;
        private final List<Thread> waiting = new ArrayList<>();
        private final List<Thread> waitingForWrite = new ArrayList<>();
        private volatile JournalSegment segment;
        private volatile long base;
        private volatile boolean written;
        private volatile boolean durable;
        private boolean urgent;
        private long since;

        /// Records that are to be written soon, and when the first came.
        private int soon;

        private long soonSince;

        /// Pins until the batch is durable; the segment has them from then on.
        private int pins;

        private Batch(ByteBuffer octets) {
            this.octets = octets;
            octets.clear().position(JournalSegment.BATCH_HEADER);
        }

        /// A batch that was read from disk.
        Batch(JournalSegment segment, long base) {
            this.octets = ByteBuffer.allocate(0);
            this.segment = segment;
            this.base = base;
            this.written = true;
            this.durable = true;
        }

        /// Gives the buffer back; what was written may have to be written again.
        private void keep() {
            octets = ByteBuffer.allocate(octets.limit()).put(octets.position(0)).flip();
        }

        private boolean empty() {
            return octets.position() == JournalSegment.BATCH_HEADER;
        }
    }

    private final Path directory;
    private final Disk disk;
    private final long segmentOctets;
    private final Owner owner;
    private final JournalSegment nowhere;

    /// Guards everything below.
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition work = lock.newCondition();
    private final Condition room = lock.newCondition();
    private final Condition upkeep = lock.newCondition();
    private final Deque<JournalSegment> free = new ArrayDeque<>();
    private final List<JournalSegment> full = new ArrayList<>();
    private final ByteBuffer[] buffers = {
        ByteBuffer.allocateDirect(JournalSegment.MAX_BATCH),
        ByteBuffer.allocateDirect(JournalSegment.MAX_BATCH)
    };
    private Batch filling = new Batch(buffers[0]);
    private Batch handedOver;
    private JournalSegment current;
    private volatile IOException failure;
    private long nextNumber;
    private int slots;
    private boolean rollWanted;

    /// Written, oldest first, but not synced; the list is the writer's own.
    private final List<Batch> unsynced = new ArrayList<>();

    private final Batch nothingNew = new Batch(ByteBuffer.allocate(JournalSegment.BATCH_HEADER));

    private long unsyncedSince;
    private int unsyncedOctets;
    private boolean syncWanted;

    /// Whether those who want their records written come several at a time.
    private boolean gathering;

    private boolean closing;
    private boolean writerClosing;
    private boolean crashed;

    private Thread writer;
    private Thread keeper;

    /// @param octets how much disk it may take in the long run
    Journal(Path directory, long octets, Disk disk, Owner owner) {
        this.directory = directory;
        this.disk = disk;
        this.owner = owner;
        this.nowhere = JournalSegment.create(directory, 0, 0, disk);
        this.handedOver = new Batch(nowhere, 0);
        this.segmentOctets = Math.max(octets / SEGMENTS, 2L * JournalSegment.MAX_BATCH);
    }

    /// Reads what a crash left behind and begins to take records. Called once, before anything
    /// else.
    void replay(Reader reader) throws IOException {
        disk.makeDirectories(directory);
        Deque<JournalSegment> live = new ArrayDeque<>();
        Deque<JournalSegment> dead = new ArrayDeque<>();
        long[] firstLive = {0};
        // newest first: the newest mark says which need not be read at all
        for (JournalSegment segment :
                JournalSegment.list(directory, segmentOctets, disk).reversed()) {
            slots = Math.max(slots, segment.slot() + 1);
            if (segment.number() < firstLive[0]) {
                dead.add(segment);
                continue;
            }
            segment.read(
                    (type, payload, position) -> {
                        if (type == CHECKPOINT && payload.remaining() == 8) {
                            firstLive[0] = Math.max(firstLive[0], payload.getLong());
                        }
                    });
            if (segment.written() > 0) {
                nextNumber = Math.max(nextNumber, segment.number() + 1);
                live.addFirst(segment);
            } else {
                free.add(segment);
            }
        }
        free.addAll(
                dead); // the mark is in a segment that lives, so any of these may be overwritten
        for (JournalSegment segment : live) {
            segment.read(reader);
            full.add(segment);
        }
        nextNumber = Math.max(nextNumber, Math.max(1, firstLive[0]));
        current = nextSegment();
        writer = Thread.ofPlatform().name("pabal-journal").start(this::write);
        keeper = Thread.ofPlatform().name("pabal-journal-keeper").start(this::keep);
    }

    /// Adds a record whose payload is the given parts one after another. It reaches the disk soon;
    /// who needs to know when calls [#await].
    Position append(byte type, byte[]... parts) throws IOException {
        return append(false, type, parts);
    }

    /// Adds a record that is to be written at once or within a millisecond, for [#awaitWritten].
    Position appendSoon(byte type, byte[]... parts) throws IOException {
        return append(true, type, parts);
    }

    private Position append(boolean soon, byte type, byte[]... parts) throws IOException {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        if (length > MAX_PAYLOAD) {
            throw new IOException("journal: a record of " + length + " octets is too large");
        }
        lock.lock();
        try {
            while (filling.octets.remaining() < length + JournalSegment.RECORD_HEADER) {
                refuseWhenFailed();
                filling.urgent = true;
                work.signal();
                room.awaitUninterruptibly();
            }
            refuseWhenFailed();
            if (soon && filling.soon++ == 0) {
                filling.soonSince = System.nanoTime();
                work.signal();
            }
            return put(filling, type, length, parts);
        } finally {
            lock.unlock();
        }
    }

    private Position put(Batch batch, byte type, int length, byte[]... parts) {
        if (batch.empty()) {
            batch.since = System.nanoTime();
            work.signal(); // the writer sees to it that it does not stay for long
        }
        batch.octets.putInt(length).put(type);
        int offset = batch.octets.position();
        for (byte[] part : parts) {
            batch.octets.put(part);
        }
        return new Position(batch, offset, length);
    }

    /// Adds a record and keeps its segment from being freed until [#unpin]: for what a checkpoint
    /// does not find yet, because it comes into being only when the record is durable.
    Position appendPinned(byte type, byte[]... parts) throws IOException {
        lock.lock();
        try {
            Position position = append(type, parts);
            position.batch.pins++;
            return position;
        } finally {
            lock.unlock();
        }
    }

    /// Adds a record that takes another back, also while the disk is failing.
    Position appendRegardless(byte type, byte[]... parts) throws IOException {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        lock.lock();
        try {
            return filling.octets.remaining() < length + JournalSegment.RECORD_HEADER
                    ? append(type, parts)
                    : put(filling, type, length, parts);
        } finally {
            lock.unlock();
        }
    }

    /// Waits until a record is on disk.
    ///
    /// @throws IOException when it could not be written; it may or may not be there after a restart
    void await(Position position) throws IOException {
        Batch batch = position.batch;
        if (batch.durable) {
            return;
        }
        join(batch, true);
        await(() -> batch.durable);
    }

    /// The same for one who has time: asks for no sync of its own.
    void awaitIdly(Position position) throws IOException {
        Batch batch = position.batch;
        if (!batch.durable) {
            join(batch, false);
            await(() -> batch.durable);
        }
    }

    /// Waits until a record outlives this process: it has been handed to the operating system,
    /// which brings it to the disk a moment later.
    ///
    /// @throws IOException when it could not be written; it may or may not be there after a restart
    void awaitWritten(Position position) throws IOException {
        Batch batch = position.batch;
        if (batch.written) {
            return;
        }
        lock.lock();
        try {
            if (!batch.written) {
                batch.waitingForWrite.add(Thread.currentThread());
            }
        } finally {
            lock.unlock();
        }
        await(() -> batch.written);
    }

    private void await(BooleanSupplier done) throws IOException {
        boolean interrupted = false;
        while (!done.getAsBoolean() && failure == null) {
            LockSupport.park(this);
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (!done.getAsBoolean()) {
            throw new IOException("journal: the record could not be written", failure);
        }
    }

    private void join(Batch batch, boolean urgent) {
        lock.lock();
        try {
            if (!batch.durable) {
                batch.waiting.add(Thread.currentThread());
                if (urgent && !batch.urgent) {
                    batch.urgent = true;
                    syncWanted |= batch.written;
                    work.signal();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /// Something that is durable already.
    Position nothing() {
        return new Position(new Batch(nowhere, 0), 0, 0);
    }

    /// Waits until everything that was appended so far is on disk.
    void awaitAll() throws IOException {
        Batch last;
        lock.lock();
        try {
            last = filling.empty() ? handedOver : filling;
        } finally {
            lock.unlock();
        }
        await(new Position(last, 0, 0));
    }

    /// Keeps the segment of a record from being freed until [#unpin]; false when it is being freed
    /// already.
    boolean pin(Position position) {
        lock.lock();
        try {
            JournalSegment segment = position.segment();
            if (segment.closing) {
                return false;
            }
            segment.pins++;
            return true;
        } finally {
            lock.unlock();
        }
    }

    void unpin(Position position) {
        lock.lock();
        try {
            if (!position.batch.durable) {
                position.batch.pins--;
            } else if (--position.segment().pins == 0) {
                upkeep.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Reads a part of a durable record's payload from disk.
    byte[] read(Position position, int from, int length) throws IOException {
        return position.segment().read(position.batch.base + position.offset + from, length);
    }

    /// Waits while the disk is behind, so that the journal stays within its size.
    ///
    /// @throws IOException when the disk does not catch up
    void awaitRoom() throws IOException {
        lock.lock();
        try {
            refuseWhenFailed();
            long nanos = TimeUnit.SECONDS.toNanos(30);
            while (full.size() >= SEGMENTS + SEGMENTS / 2) {
                refuseWhenFailed();
                nanos = room.awaitNanos(nanos);
                if (nanos <= 0) {
                    throw new IOException("journal: the disk does not keep up");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("waiting for the disk was interrupted");
        } finally {
            lock.unlock();
        }
    }

    /// Writes everything down, and lets the next start begin without a replay when the disk plays
    /// along.
    @Override
    public void close() throws IOException {
        try {
            stopKeeper();
            checkpoint();
        } finally {
            stopWriter();
        }
    }

    /// Stops as a crash would: what is not written is lost. For tests.
    void crash() {
        lock.lock();
        crashed = true;
        lock.unlock();
        stopKeeper();
        stopWriter();
    }

    private void stopKeeper() {
        lock.lock();
        closing = true;
        upkeep.signalAll();
        lock.unlock();
        join(keeper);
    }

    private void stopWriter() {
        lock.lock();
        writerClosing = true;
        work.signalAll();
        lock.unlock();
        join(writer);
        current.close();
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- the writer

    private void write() {
        int side = 0;
        while (true) {
            Batch batch;
            boolean roll;
            boolean sync;
            lock.lock();
            try {
                while (!due()) {
                    if (writerClosing && (crashed || filling.empty() && unsynced.isEmpty())) {
                        return;
                    }
                    waitForWork();
                }
                sync = syncDue();
                roll = rollWanted && !filling.empty();
                batch = filling.empty() ? nothingNew : filling;
                if (!filling.empty()) {
                    rollWanted = false;
                    gathering = filling.soon > 1;
                    handedOver = filling;
                    side = 1 - side;
                    filling = new Batch(buffers[side]);
                    room.signalAll();
                }
            } finally {
                lock.unlock();
            }
            put(batch, roll, sync);
        }
    }

    private boolean due() {
        return !crashed && (syncDue() || !filling.empty() && writeDue());
    }

    private boolean writeDue() {
        return filling.soon > 0 && nanosToWrite() <= 0;
    }

    private boolean syncDue() {
        return (!filling.empty() || !unsynced.isEmpty())
                && (syncWanted
                        || !filling.empty() && filling.urgent
                        || writerClosing
                        || unsyncedOctets + filling.octets.position() > MAX_UNSYNCED
                        || nanosToSync() <= 0);
    }

    private long nanosToWrite() {
        return gathering ? GATHER_NANOS - (System.nanoTime() - filling.soonSince) : 0;
    }

    private long nanosToSync() {
        return LAZY_NANOS
                - (System.nanoTime() - (unsynced.isEmpty() ? filling.since : unsyncedSince));
    }

    private void waitForWork() {
        try {
            if (filling.empty() && unsynced.isEmpty()) {
                work.await();
            } else {
                work.awaitNanos(
                        filling.soon > 0 ? Math.min(nanosToWrite(), nanosToSync()) : nanosToSync());
            }
        } catch (InterruptedException e) {
            // nobody has a reason to interrupt this thread; going on is right
            LOG.debug("the journal's writer was interrupted", e);
        }
    }

    /// Writes a batch, and syncs it with those before when that is due. When it fails, those who
    /// wait hear of it, and everything that is not synced is tried again in another segment,
    /// because it has records of changes that others have seen already.
    private void put(Batch batch, boolean roll, boolean sync) {
        boolean empty = batch.empty();
        if (!empty) {
            batch.octets.flip();
        }
        boolean failed = false;
        while (true) {
            try {
                if (failed) {
                    roll();
                    for (Batch before : unsynced) {
                        place(before);
                    }
                } else if (!empty && (roll || !fits(batch) || betterOneWaits())) {
                    sync();
                    roll();
                }
                if (!empty) {
                    place(batch);
                    written(batch);
                }
                if (sync || failed) {
                    if (!empty) {
                        unsynced.add(batch);
                    }
                    sync();
                } else if (!empty) {
                    keep(batch);
                }
                return;
            } catch (IOException e) {
                LOG.error(
                        "journal {}: cannot be written: {}; trying again", directory, e.toString());
                failed = true;
                unsynced.remove(batch);
                fail(batch, e);
                if (waitedInVain()) {
                    unsynced.clear();
                    return;
                }
            }
        }
    }

    private boolean fits(Batch batch) {
        return current.fits(batch.octets.limit());
    }

    private void place(Batch batch) throws IOException {
        batch.base = current.write(batch.octets);
        batch.segment = current;
    }

    private void written(Batch batch) {
        List<Thread> waiting;
        lock.lock();
        try {
            batch.written = true;
            syncWanted |= batch.urgent; // somebody came while it was being written
            waiting = List.copyOf(batch.waitingForWrite);
            batch.waitingForWrite.clear();
        } finally {
            lock.unlock();
        }
        waiting.forEach(LockSupport::unpark);
    }

    private void keep(Batch batch) {
        batch.keep();
        if (unsynced.isEmpty()) {
            unsyncedSince = batch.since;
        }
        unsynced.add(batch);
        unsyncedOctets += batch.octets.limit();
    }

    private void sync() throws IOException {
        if (unsynced.isEmpty()) {
            return;
        }
        current.force();
        List<Thread> waiting = new ArrayList<>();
        lock.lock();
        try {
            failure = null;
            syncWanted = false;
            for (Batch batch : unsynced) {
                batch.durable = true;
                batch.segment.pins += batch.pins;
                waiting.addAll(batch.waiting);
                batch.waiting.clear();
            }
        } finally {
            lock.unlock();
        }
        unsynced.clear();
        unsyncedOctets = 0;
        waiting.forEach(LockSupport::unpark);
    }

    /// Tells everybody who waits.
    private void fail(Batch batch, IOException why) {
        List<Thread> waiting = new ArrayList<>();
        lock.lock();
        try {
            failure = why;
            waiting.addAll(batch.waiting);
            waiting.addAll(batch.waitingForWrite);
            waiting.addAll(filling.waiting);
            waiting.addAll(filling.waitingForWrite);
            unsynced.forEach(before -> waiting.addAll(before.waiting));
            room.signalAll();
        } finally {
            lock.unlock();
        }
        waiting.forEach(LockSupport::unpark);
    }

    private boolean waitedInVain() {
        lock.lock();
        try {
            long nanos = RETRY_NANOS;
            while (nanos > 0 && !writerClosing) {
                nanos = work.awaitNanos(nanos);
            }
            return writerClosing;
        } catch (InterruptedException e) {
            return false;
        } finally {
            lock.unlock();
        }
    }

    private boolean betterOneWaits() {
        lock.lock();
        try {
            return !current.prepared() && ready().isPresent();
        } finally {
            lock.unlock();
        }
    }

    private void roll() throws IOException {
        JournalSegment next = nextSegment();
        lock.lock();
        try {
            current.close();
            full.add(current);
            current = next;
            upkeep.signal();
        } finally {
            lock.unlock();
        }
    }

    /// A segment to write into: one that is free, or a new one that grows. The writer never waits
    /// for the keeper, who may be waiting for somebody who waits for the writer.
    private JournalSegment nextSegment() throws IOException {
        lock.lock();
        try {
            Optional<JournalSegment> ready = ready().or(() -> Optional.ofNullable(free.peek()));
            JournalSegment next =
                    ready.orElseGet(
                            () -> JournalSegment.create(directory, slots++, segmentOctets, disk));
            free.remove(next);
            next.begin(nextNumber++);
            return next;
        } finally {
            lock.unlock();
        }
    }

    private void refuseWhenFailed() throws IOException {
        if (failure != null) {
            throw new IOException("journal: cannot be written", failure);
        }
        if (writerClosing) {
            throw new IOException("journal: closed");
        }
    }

    // ---- the keeper

    private void keep() {
        long last = System.nanoTime();
        while (true) {
            lock.lock();
            try {
                while (!closing
                        && ready().isPresent()
                        && full.size() < SEGMENTS / 2
                        && System.nanoTime() - last < CHECKPOINT_NANOS) {
                    upkeep.awaitNanos(CHECKPOINT_NANOS - (System.nanoTime() - last));
                }
                if (closing) {
                    return;
                }
            } catch (InterruptedException e) {
                LOG.debug("the journal's keeper was interrupted", e);
            } finally {
                lock.unlock();
            }
            try {
                if (full() >= SEGMENTS / 2 || System.nanoTime() - last >= CHECKPOINT_NANOS) {
                    if (dirty()) {
                        checkpoint();
                    }
                    last = System.nanoTime();
                }
                prepareOne();
            } catch (IOException | RuntimeException e) {
                LOG.error(
                        "journal {}: cannot be laid out: {}; trying again",
                        directory,
                        e.toString());
                pause();
            }
        }
    }

    private int full() {
        lock.lock();
        try {
            return full.size();
        } finally {
            lock.unlock();
        }
    }

    private boolean dirty() {
        lock.lock();
        try {
            return !full.isEmpty() || current.written() > current.quiet || !filling.empty();
        } finally {
            lock.unlock();
        }
    }

    private void pause() {
        lock.lock();
        try {
            if (!closing) {
                upkeep.awaitNanos(10 * RETRY_NANOS);
            }
        } catch (InterruptedException e) {
            LOG.debug("the journal's keeper was interrupted", e);
        } finally {
            lock.unlock();
        }
    }

    private Optional<JournalSegment> ready() {
        return free.stream().filter(JournalSegment::prepared).findFirst();
    }

    /// Keeps one segment ready, written with zeros to its full size.
    private void prepareOne() throws IOException {
        JournalSegment segment;
        lock.lock();
        try {
            if (ready().isPresent()) {
                return;
            }
            segment =
                    free.isEmpty()
                            ? JournalSegment.create(directory, slots++, segmentOctets, disk)
                            : free.poll();
        } finally {
            lock.unlock();
        }
        try {
            segment.prepare();
        } finally {
            lock.lock();
            free.add(segment);
            lock.unlock();
        }
    }

    /// Frees all segments but the one that is begun for it.
    private void checkpoint() throws IOException {
        awaitAll();
        lock.lock();
        rollWanted = true;
        lock.unlock();
        // an empty record carries the roll to the writer
        await(append(CHECKPOINT));
        List<JournalSegment> closingNow;
        long firstLive;
        lock.lock();
        try {
            closingNow = List.copyOf(full);
            firstLive = current.number();
            for (JournalSegment segment : closingNow) {
                segment.closing = true;
            }
            while (closingNow.stream().anyMatch(segment -> segment.pins > 0)) {
                upkeep.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
        owner.layOut(new HashSet<>(closingNow));
        disk.syncAll(directory);
        await(append(CHECKPOINT, ByteBuffer.allocate(8).putLong(firstLive).array()));
        lock.lock();
        try {
            full.removeAll(closingNow);
            for (JournalSegment segment : closingNow) {
                if (free.size() < SEGMENTS) {
                    free.add(segment);
                } else {
                    segment.delete();
                }
            }
            if (current.number() == firstLive) {
                current.quiet = current.written();
            }
            room.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
