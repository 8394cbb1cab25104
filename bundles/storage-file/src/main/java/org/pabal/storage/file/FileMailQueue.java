package org.pabal.storage.file;

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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/// The queue: in memory, in the journal, and for what stays longer in `queue/`.
///
/// A message is written to the journal once. What a checkpoint still finds waiting is laid out as
/// two files that a person can list and read: `ID.msg`, its octets, and `ID.env`, everything else.
/// Large messages are files from the beginning.
final class FileMailQueue implements MailQueue {

    /// Types of records in the journal.
    static final byte QUEUED = 1;

    static final byte STATE = 2;
    static final byte GONE = 3;

    /// Larger ones are written to a file at once rather than twice.
    static final int LARGEST_IN_JOURNAL = 256 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(FileMailQueue.class);

    /// What drafts, waiting messages and what was tried with them may take of the memory, each.
    private static final long MEMORY = Math.min(64 << 20, Runtime.getRuntime().maxMemory() / 8);

    private static final String LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private static final byte[] NOT_IN_MEMORY = {};

    private static final Comparator<Item> OLDEST_DUE =
            Comparator.<Item, Instant>comparing(item -> item.due)
                    .thenComparing(item -> item.number);

    private final Path directory;
    private final Disk disk;
    private final Journal journal;
    private final Room room;
    private final int maxEntries;
    private final InstantSource clock;
    private final AtomicLong nextId;
    private final AtomicLong inDrafts = new AtomicLong();
    private final AtomicLong inMemory = new AtomicLong();

    /// Guards everything below and the fields of items that are not volatile.
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();
    private final Map<String, Item> items = new HashMap<>();

    /// By priority, the highest first: at most nineteen, RFC 6710 §2.
    private final TreeMap<Integer, TreeSet<Item>> waiting =
            new TreeMap<>(Comparator.reverseOrder());

    private long inHistories;

    /// How many wait for something to lease, and the latest of the times that they count as now.
    private int leasing;

    private Instant leasingUntil = Instant.MIN;
    private final Set<String> goneInJournal = new HashSet<>();
    private long nextNumber;

    /// Messages that have left the queue but for their files, and whether somebody sees to them.
    private List<Removal> removals = new ArrayList<>();

    private boolean removing;

    /// Held by the one who takes files away.
    private final ReentrantLock broom = new ReentrantLock();

    /// Files of a message that go after the record of its end.
    private record Removal(Item item, Journal.Position position) {}

    /// Where the octets of a message stand.
    private sealed interface Source {
        /// @param offset of the octets in the record's payload
        record InJournal(Journal.Position position, int offset) implements Source {}

        record InFile(Path file) implements Source {}
    }

    /// One message.
    private final class Item implements Content {
        final long number;
        final int priority;
        volatile QueueState state;
        volatile Source source;
        volatile byte[] octets;
        Instant due;
        boolean leased;
        boolean gone;
        long laidOut;

        Item(long number, QueueState state, Source source, byte[] octets) {
            this.number = number;
            this.state = state;
            this.source = source;
            this.octets = octets;
            this.due = state.now() ? Instant.MIN : state.next();
            this.priority = state.envelope().priority();
        }

        @Override
        public long size() {
            return state.size();
        }

        @Override
        public InputStream open() throws IOException {
            byte[] here = octets;
            if (here != NOT_IN_MEMORY) {
                return new ByteArrayInputStream(here);
            }
            while (true) {
                Source from = source;
                switch (from) {
                    case Source.InJournal(Journal.Position position, int offset) -> {
                        byte[] read = journal.read(position, offset, (int) size());
                        // a checkpoint changes the source before it frees the segment
                        if (source == from) {
                            return new ByteArrayInputStream(read);
                        }
                    }
                    case Source.InFile(Path file) -> {
                        String top = state.top();
                        InputStream rest = Files.newInputStream(file);
                        return top.isEmpty()
                                ? rest
                                : new SequenceInputStream(
                                        new ByteArrayInputStream(Words.utf8(top)), rest);
                    }
                }
            }
        }

        QueueEntry entry() {
            QueueState is = state;
            return new QueueEntry(
                    is.id(),
                    is.envelope(),
                    this,
                    is.accepted(),
                    is.attempts(),
                    is.next(),
                    is.held(),
                    is.reasons(),
                    is.history());
        }
    }

    FileMailQueue(
            Path directory,
            Disk disk,
            Journal journal,
            Room room,
            int maxEntries,
            InstantSource clock,
            RandomGenerator random) {
        this.directory = directory;
        this.disk = disk;
        this.journal = journal;
        this.room = room;
        this.maxEntries = maxEntries;
        this.clock = clock;
        this.nextId = new AtomicLong(random.nextLong(1 << 19));
    }

    // ---- the way in

    @Override
    public Draft draft(Envelope envelope) throws IOException {
        journal.awaitRoom();
        room.require(0);
        int size;
        lock.lock();
        size = items.size();
        lock.unlock();
        if (size >= maxEntries) {
            throw new IOException(
                    "queue full: " + size + " messages wait, max-queue is " + maxEntries);
        }
        return new FileDraft(this, newId(), envelope);
    }

    Path temporary(QueueId id) {
        return directory.resolve(id.text() + ".tmp");
    }

    Disk disk() {
        return disk;
    }

    Room room() {
        return room;
    }

    /// Takes or gives back memory for a draft; false when there is no more.
    boolean takeMemory(long octets) {
        if (inDrafts.addAndGet(octets) > MEMORY && octets > 0) {
            inDrafts.addAndGet(-octets);
            return false;
        }
        return true;
    }

    /// Puts a message that is in memory on disk and into the queue.
    void commit(QueueId id, Envelope envelope, byte[] octets) throws IOException {
        QueueState state = fresh(id, envelope, octets.length, false, "");
        byte[] text = state.octets();
        byte[] length = ByteBuffer.allocate(4).putInt(text.length).array();
        if (4 + text.length + octets.length > Journal.MAX_PAYLOAD) {
            // an envelope with very many recipients
            Path file = temporary(id);
            disk.write(file, octets);
            commit(id, envelope, file, octets.length, "");
            return;
        }
        Journal.Position position = journal.appendPinned(QUEUED, length, text, octets);
        try {
            awaitOrTakeBack(position, id);
            boolean keep = inMemory.addAndGet(octets.length) <= MEMORY;
            if (!keep) {
                inMemory.addAndGet(-octets.length);
            }
            add(
                    state,
                    new Source.InJournal(position, 4 + text.length),
                    keep ? octets : NOT_IN_MEMORY);
        } finally {
            journal.unpin(position); // a checkpoint finds the message from here on
        }
    }

    /// The same for one that was written to a file.
    void commit(QueueId id, Envelope envelope, Path file, long fileSize, String top)
            throws IOException {
        byte[] above = Words.utf8(top);
        Path message = message(id);
        try {
            disk.sync(file);
            disk.rename(file, message);
            disk.sync(directory);
            QueueState state = fresh(id, envelope, above.length + fileSize, true, top);
            byte[] text = state.octets();
            byte[] length = ByteBuffer.allocate(4).putInt(text.length).array();
            if (4 + text.length > Journal.MAX_PAYLOAD) {
                disk.replace(envelopeFile(id), text); // is there durably without the journal
                add(state, new Source.InFile(message), NOT_IN_MEMORY);
                return;
            }
            Journal.Position position = journal.appendPinned(QUEUED, length, text);
            try {
                awaitOrTakeBack(position, id);
                add(state, new Source.InFile(message), NOT_IN_MEMORY);
            } finally {
                journal.unpin(position);
            }
        } catch (IOException e) {
            Files.deleteIfExists(file);
            Files.deleteIfExists(message);
            throw e;
        }
    }

    private void awaitOrTakeBack(Journal.Position position, QueueId id) throws IOException {
        try {
            journal.await(position);
        } catch (IOException e) {
            // the client hears 451 and comes again: what may be on disk all the same must not count
            journal.appendRegardless(GONE, Words.utf8(id.text()));
            throw e;
        }
    }

    private QueueState fresh(QueueId id, Envelope envelope, long size, boolean inFile, String top) {
        Instant now = clock.instant();
        return new QueueState(
                id, 1, size, inFile, envelope, now, 0, now, true, false, Map.of(), top, List.of());
    }

    private void add(QueueState state, Source source, byte[] octets) {
        lock.lock();
        try {
            Item item = new Item(nextNumber++, state, source, octets);
            items.put(state.id().text(), item);
            offer(item);
        } finally {
            lock.unlock();
        }
    }

    /// 40 bits of time and a counter: 12 letters and digits that sort by age.
    private QueueId newId() {
        long value =
                (clock.instant().toEpochMilli() & 0xFF_FFFF_FFFFL) << 20
                        | nextId.getAndIncrement() & 0xF_FFFF;
        char[] text = new char[12];
        for (int i = text.length - 1; i >= 0; i--) {
            text[i] = LETTERS.charAt((int) value & 31);
            value >>>= 5;
        }
        QueueId id = new QueueId(new String(text));
        lock.lock();
        try {
            return items.containsKey(id.text()) ? newId() : id;
        } finally {
            lock.unlock();
        }
    }

    // ---- the way out

    @Override
    public Optional<QueueEntry> lease(Instant now, Duration patience) throws IOException {
        long nanos = nanos(patience);
        lock.lock();
        try {
            while (true) {
                for (TreeSet<Item> alike : waiting.values()) {
                    if (!alike.isEmpty() && !alike.first().due.isAfter(now)) {
                        Item item = alike.removeFirst();
                        item.leased = true;
                        return Optional.of(item.entry());
                    }
                }
                if (nanos <= 0) {
                    return Optional.empty();
                }
                nanos = awaitChange(now, nanos);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("waiting for mail was interrupted");
        } finally {
            lock.unlock();
        }
    }

    private long awaitChange(Instant now, long nanos) throws InterruptedException {
        leasingUntil = leasing++ == 0 || now.isAfter(leasingUntil) ? now : leasingUntil;
        try {
            return changed.awaitNanos(nanos);
        } finally {
            leasing--;
        }
    }

    @Override
    public void settle(
            QueueEntry entry,
            Map<MailAddress, Outcome> outcomes,
            Instant retry,
            List<Attempt> attempts)
            throws IOException {
        boolean outlives = !attempts.isEmpty();
        Journal.Position position;
        boolean remove = false;
        lock.lock();
        try {
            Optional<Item> leased = item(entry.id()).filter(item -> item.leased);
            if (leased.isEmpty()) {
                return;
            }
            Item settled = leased.get();
            settled.leased = false;
            if (outcomes.isEmpty() && !outlives) {
                settled.state = settled.state.waiting(retry);
                settled.due = retry;
                offer(settled);
                return; // a restart need not know
            }
            Optional<QueueState> left = left(settled.state, outcomes, retry, attempts);
            if (left.isPresent()) {
                settled.due = retry;
                change(settled, left.get());
                offer(settled);
                position = append(settled, outlives);
            } else {
                position = takeOut(settled, outlives);
                if (settled.source instanceof Source.InFile) {
                    removals.add(new Removal(settled, position));
                    remove = !removing;
                    removing = true;
                }
            }
        } finally {
            lock.unlock();
        }
        if (remove) {
            Thread.ofVirtual().name("removal of queue files").start(this::sweep);
        }
        if (outlives) {
            journal.awaitWritten(position);
        }
    }

    private void sweep() {
        try {
            removeFiles();
        } catch (IOException e) {
            LOG.warn("queue: files of settled messages stay for now: {}", e.toString());
        }
    }

    /// Takes the files of settled messages away, once the end of the messages is on disk: without
    /// that, a file that is missing after a crash looks like a message that was lost.
    private void removeFiles() throws IOException {
        broom.lock();
        try {
            for (List<Removal> some = removals(); !some.isEmpty(); some = removals()) {
                try {
                    journal.awaitIdly(some.getLast().position);
                } catch (IOException e) {
                    later(some);
                    throw e;
                }
                for (Removal each : some) {
                    takeFilesAway(each.item);
                }
            }
        } finally {
            broom.unlock();
        }
    }

    private List<Removal> removals() {
        lock.lock();
        try {
            List<Removal> some = removals;
            removals = new ArrayList<>();
            removing = !some.isEmpty();
            return some;
        } finally {
            lock.unlock();
        }
    }

    private void later(List<Removal> some) {
        lock.lock();
        try {
            removals.addAll(0, some);
            removing = false; // the next settlement or checkpoint tries again
        } finally {
            lock.unlock();
        }
    }

    private void takeFilesAway(Item item) {
        try {
            cleanUp(item);
        } catch (IOException e) {
            LOG.error(
                    "queue {}: its files cannot be removed ({}); do it by hand, or it is sent again"
                            + " after a restart",
                    item.state.id(),
                    e.toString());
        }
    }

    /// What a settlement leaves of a message; empty when no recipient is left.
    private Optional<QueueState> left(
            QueueState before,
            Map<MailAddress, Outcome> outcomes,
            Instant retry,
            List<Attempt> attempts) {
        List<Recipient> left = new ArrayList<>();
        Map<MailAddress, Status> reasons = new HashMap<>();
        boolean deferred = false;
        for (Recipient recipient : before.envelope().recipients()) {
            MailAddress address = recipient.address();
            Optional<Outcome> outcome = Optional.ofNullable(outcomes.get(address));
            if (outcome.isPresent() && outcome.get() instanceof Outcome.Deferred(Status why)) {
                reasons.put(address, TryHistory.within(why));
                deferred = true;
            } else if (outcome.isPresent()) {
                continue;
            } else if (before.reasons().containsKey(address)) {
                reasons.put(address, before.reasons().get(address));
            }
            left.add(recipient);
        }
        if (left.isEmpty()) {
            return Optional.empty();
        }
        int most = inHistories > MEMORY ? TryHistory.FEW : QueueEntry.MAX_HISTORY;
        return Optional.of(
                changed(
                        before,
                        left.size() == before.envelope().recipients().size()
                                ? before.envelope()
                                : before.envelope().with(left),
                        before.attempts() + (deferred ? 1 : 0),
                        retry,
                        false,
                        before.held(),
                        reasons,
                        attempts.isEmpty()
                                ? before.history()
                                : TryHistory.grown(before.history(), attempts, most)));
    }

    private void change(Item item, QueueState next) {
        if (next.history() != item.state.history()) {
            inHistories +=
                    TryHistory.length(next.history()) - TryHistory.length(item.state.history());
        }
        item.state = next;
    }

    /// @param outlives whether somebody waits for it to be written
    private Journal.Position append(Item item, boolean outlives) throws IOException {
        byte[] text = item.state.octets();
        if (text.length > Journal.MAX_PAYLOAD) {
            change(item, item.state.shortened());
            text = item.state.octets();
        }
        return outlives ? journal.appendSoon(STATE, text) : journal.append(STATE, text);
    }

    // ---- for the administrator

    @Override
    public Stream<QueueEntry> entries() {
        lock.lock();
        try {
            return items.values().stream()
                    .sorted(Comparator.comparingLong(item -> item.number))
                    .map(Item::entry)
                    .toList()
                    .stream();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void retry(QueueId id) throws IOException {
        Instant now = clock.instant();
        edit(id, s -> changed(s, now, true, s.held()));
    }

    @Override
    public void hold(QueueId id, boolean held) throws IOException {
        edit(id, s -> changed(s, s.next(), s.now(), held));
    }

    @Override
    public void remove(QueueId id) throws IOException {
        Item removed;
        Journal.Position position;
        lock.lock();
        try {
            Optional<Item> item = item(id);
            if (item.isEmpty()) {
                return;
            }
            removed = item.get();
            withdraw(removed);
            position = takeOut(removed, false);
        } finally {
            lock.unlock();
        }
        journal.await(position);
        cleanUp(removed);
    }

    private void edit(QueueId id, UnaryOperator<QueueState> edit) throws IOException {
        Journal.Position position;
        lock.lock();
        try {
            Optional<Item> found = item(id);
            if (found.isEmpty()) {
                return;
            }
            Item item = found.get();
            withdraw(item);
            item.state = edit.apply(item.state);
            item.due = item.state.now() ? Instant.MIN : item.state.next();
            offer(item);
            position = append(item, false);
        } finally {
            lock.unlock();
        }
        journal.await(position);
    }

    private static QueueState changed(QueueState from, Instant next, boolean now, boolean held) {
        return changed(
                from,
                from.envelope(),
                from.attempts(),
                next,
                now,
                held,
                from.reasons(),
                from.history());
    }

    private static QueueState changed(
            QueueState from,
            Envelope envelope,
            int attempts,
            Instant next,
            boolean now,
            boolean held,
            Map<MailAddress, Status> reasons,
            List<Attempt> history) {
        return new QueueState(
                from.id(),
                from.revision() + 1,
                from.size(),
                from.inFile(),
                envelope,
                from.accepted(),
                attempts,
                next,
                now,
                held,
                reasons,
                from.top(),
                history);
    }

    private Optional<Item> item(QueueId id) {
        return Optional.ofNullable(items.get(id.text()));
    }

    private void offer(Item item) {
        if (!item.leased && !item.state.held()) {
            waiting.computeIfAbsent(item.priority, _ -> new TreeSet<>(OLDEST_DUE)).add(item);
            if (leasing > 0 && item.due == Instant.MIN) {
                changed.signal();
            } else if (leasing > 0 && !item.due.isAfter(leasingUntil)) {
                changed.signalAll(); // it may not be due for all of them
            }
        }
    }

    private void withdraw(Item item) {
        Optional.ofNullable(waiting.get(item.priority)).ifPresent(alike -> alike.remove(item));
    }

    private Journal.Position takeOut(Item item, boolean outlives) throws IOException {
        items.remove(item.state.id().text());
        item.gone = true;
        inMemory.addAndGet(-item.octets.length);
        inHistories -= TryHistory.length(item.state.history());
        byte[] id = Words.utf8(item.state.id().text());
        return outlives ? journal.appendSoon(GONE, id) : journal.append(GONE, id);
    }

    private void cleanUp(Item item) throws IOException {
        if (item.source instanceof Source.InFile(Path file)) {
            Files.deleteIfExists(envelopeFile(item.state.id()));
            Files.deleteIfExists(file);
        }
    }

    // ---- for mailboxes

    /// The octets of a message whose record will stay in the journal until this is closed.
    record Pinned(String id, byte[] octets, Journal journal, Journal.Position position)
            implements AutoCloseable {
        @Override
        public void close() {
            journal.unpin(position);
        }
    }

    /// The message that a delivery is of, when its name begins with the id of one that is still in
    /// the journal: its octets need not be written there a second time.
    Optional<Pinned> pin(String deliveryId) {
        int end = 0;
        while (end < deliveryId.length() && Character.isLetterOrDigit(deliveryId.charAt(end))) {
            end++;
        }
        Item item;
        lock.lock();
        try {
            Optional<Item> found = Optional.ofNullable(items.get(deliveryId.substring(0, end)));
            if (found.isEmpty()) {
                return Optional.empty();
            }
            item = found.get();
        } finally {
            lock.unlock();
        }
        return item.source instanceof Source.InJournal(Journal.Position position, int offset)
                        && item.octets != NOT_IN_MEMORY
                        && journal.pin(position)
                ? Optional.of(new Pinned(item.state.id().text(), item.octets, journal, position))
                : Optional.empty();
    }

    // ---- checkpoints and restarts

    /// Lays out what is only in these segments, and brings the envelopes of what was laid out
    /// before up to date.
    void layOut(Set<JournalSegment> closing) throws IOException {
        removeFiles(); // the records of their end may be in these segments
        List<Item> all;
        lock.lock();
        try {
            all = List.copyOf(items.values());
        } finally {
            lock.unlock();
        }
        for (Item item : all) {
            QueueId id = item.state.id();
            if (item.source instanceof Source.InJournal(Journal.Position position, int offset)) {
                if (!closing.contains(position.segment())) {
                    continue;
                }
                Path file = message(id);
                Files.deleteIfExists(file);
                byte[] here = item.octets;
                byte[] octets =
                        here != NOT_IN_MEMORY
                                ? here
                                : journal.read(position, offset, (int) item.size());
                disk.write(file, octets);
                syncUnlessAll(file);
                writeEnvelope(item, true);
                item.source = new Source.InFile(file);
            } else if (item.laidOut < item.state.revision()) {
                writeEnvelope(item, true);
            }
            boolean gone;
            lock.lock();
            gone = item.gone;
            lock.unlock();
            if (gone) {
                cleanUp(item);
            }
        }
        syncUnlessAll(directory);
    }

    private void writeEnvelope(Item item, boolean inFile) throws IOException {
        QueueState is = item.state;
        Path file = envelopeFile(is.id());
        Path next = directory.resolve(is.id().text() + ".env.next");
        Files.deleteIfExists(next);
        disk.write(next, is.laidOut(inFile).octets());
        syncUnlessAll(next);
        disk.rename(next, file);
        item.laidOut = is.revision();
    }

    private void syncUnlessAll(Path path) throws IOException {
        if (!disk.syncsAll()) {
            disk.sync(path);
        }
    }

    /// Reads the directory; the journal's records come after it.
    void load() throws IOException {
        disk.makeDirectories(directory);
        List<Path> files;
        try (Stream<Path> list = Files.list(directory)) {
            files = list.filter(f -> f.getFileName().toString().endsWith(".env")).sorted().toList();
        }
        for (Path file : files) {
            try {
                QueueState state = QueueState.read(Files.readAllBytes(file));
                Path message = message(state.id());
                if (!Files.exists(message)) {
                    LOG.error(
                            "queue {}: its octets are lost ({} is not there); left as it is",
                            state.id(),
                            message);
                    continue;
                }
                Item item = new Item(0, state, new Source.InFile(message), NOT_IN_MEMORY);
                item.laidOut = state.revision();
                items.put(state.id().text(), item);
            } catch (IllegalArgumentException e) {
                LOG.error("queue {}: cannot be read ({}); left as it is", file, e.getMessage());
            }
        }
    }

    /// Takes a record of the journal in.
    void replay(byte type, ByteBuffer payload, Journal.Position position) {
        byte[] octets = new byte[payload.remaining()];
        payload.get(octets);
        switch (type) {
            case QUEUED -> replayQueued(octets, position);
            case STATE -> {
                QueueState next = QueueState.read(octets);
                item(next.id())
                        .filter(item -> item.state.revision() < next.revision())
                        .ifPresent(
                                item -> {
                                    QueueState is = item.state;
                                    item.state =
                                            new QueueState(
                                                    is.id(),
                                                    next.revision(),
                                                    is.size(),
                                                    is.inFile(),
                                                    next.envelope(),
                                                    is.accepted(),
                                                    next.attempts(),
                                                    next.next(),
                                                    next.now(),
                                                    next.held(),
                                                    next.reasons(),
                                                    is.top(),
                                                    next.history());
                                });
            }
            default -> {
                String id = new String(octets, StandardCharsets.UTF_8);
                items.remove(id);
                goneInJournal.add(id);
            }
        }
    }

    private void replayQueued(byte[] octets, Journal.Position position) {
        int length = queuedText(octets);
        QueueState state = QueueState.read(Arrays.copyOfRange(octets, 4, 4 + length));
        String id = state.id().text();
        if (items.containsKey(id)) {
            return; // laid out already
        }
        Source source =
                state.inFile()
                        ? new Source.InFile(message(state.id()))
                        : new Source.InJournal(position, 4 + length);
        if (!state.inFile() && octets.length - 4 - length != state.size()) {
            throw new IllegalArgumentException("queue entry " + id + ": its octets are not whole");
        }
        items.put(id, new Item(0, state, source, NOT_IN_MEMORY));
    }

    /// How long the text of a QUEUED record is; the octets of the message come after it.
    static int queuedText(byte[] payload) {
        int length = payload.length < 4 ? -1 : ByteBuffer.wrap(payload).getInt();
        if (length < 0 || length > payload.length - 4) {
            throw new IllegalArgumentException("queue entry: its record is too short");
        }
        return length;
    }

    /// Puts everything in order after a replay, and takes away what drafts and removals left
    /// behind.
    void begin() throws IOException {
        lock.lock();
        try {
            beginLocked();
        } finally {
            lock.unlock();
        }
    }

    private void beginLocked() throws IOException {
        List<Item> sorted = new ArrayList<>(items.values());
        sorted.sort(
                Comparator.<Item, Instant>comparing(item -> item.state.accepted())
                        .thenComparing(item -> item.state.id().text()));
        Set<Path> wanted = new HashSet<>();
        for (Item read : sorted) {
            if (read.source instanceof Source.InFile(Path file)) {
                wanted.add(file);
                wanted.add(envelopeFile(read.state.id()));
                if (!Files.exists(file)) {
                    LOG.error(
                            "queue {}: its octets are lost ({} is not there)",
                            read.state.id(),
                            file);
                    items.remove(read.state.id().text());
                    continue;
                }
            }
            Item item = new Item(nextNumber++, read.state, read.source, NOT_IN_MEMORY);
            item.laidOut = read.laidOut;
            inHistories += TryHistory.length(read.state.history());
            items.put(read.state.id().text(), item);
            offer(item);
        }
        List<Path> files;
        try (Stream<Path> list = Files.list(directory)) {
            files = list.toList();
        }
        for (Path file : files) {
            if (!wanted.contains(file) && leftover(file)) {
                Files.deleteIfExists(file);
            }
        }
        goneInJournal.clear();
    }

    /// Drafts, and files of messages that are gone; not what could not be read, which a person has
    /// to look at.
    private boolean leftover(Path file) {
        String name = file.getFileName().toString();
        if (name.endsWith(".tmp") || name.endsWith(".next")) {
            return true;
        }
        Path envelope = directory.resolve(name.replaceFirst("\\.msg$", ".env"));
        return goneInJournal.contains(name.replaceFirst("\\.(env|msg)$", ""))
                || name.endsWith(".msg") && !Files.exists(envelope);
    }

    private Path message(QueueId id) {
        return directory.resolve(id.text() + ".msg");
    }

    private Path envelopeFile(QueueId id) {
        return directory.resolve(id.text() + ".env");
    }

    static long nanos(Duration patience) {
        try {
            return patience.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }
}
