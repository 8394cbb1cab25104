package org.pabal.storage.file;

import org.pabal.mail.MailAddress;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStore;
import org.pabal.mailbox.UidSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;

/// The mailboxes of all accounts as Maildir++ directories: `mail/example.org/bob/Maildir`, folders
/// below it as `.Work.2026`.
///
/// Directories 0700, files 0600 (security row S29); names never become file names unescaped (S13).
final class FileMailboxStore implements MailboxStore {

    /// Letters that tell the temporary files of this process from those that a crash left behind.
    static final int RUN_LENGTH = 16;

    private static final Logger LOG = LoggerFactory.getLogger(FileMailboxStore.class);
    private static final String MAILDIR = "Maildir";
    private static final String PATH_FILE = "pabal-name";
    private static final String TRASH = ".trash";
    private static final int MOST_LOADED = 2_000;
    private static final long MOST_MESSAGES = 1_500_000;

    private final Path root;
    private final Disk disk;
    private final Journal journal;
    private final Room room;
    private final FileMailQueue queue;
    private final String host;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final long quietNanos;
    private final String run;
    private final AtomicLong numbers = new AtomicLong();
    private final AtomicLong names = new AtomicLong();
    private final AtomicLong lastValidity = new AtomicLong();

    /// Guards which mailboxes there are.
    private final ReentrantLock structure = new ReentrantLock();

    /// One object a mailbox as long as anybody has it.
    private final Map<String, Known> known = new ConcurrentHashMap<>();

    private final ReferenceQueue<FileMailbox> forgotten = new ReferenceQueue<>();

    /// Those whose index is in memory.
    private final Set<FileMailbox> loaded = ConcurrentHashMap.newKeySet();

    private static final class Known extends WeakReference<FileMailbox> {
        final String key;

        Known(String key, FileMailbox mailbox, ReferenceQueue<FileMailbox> forgotten) {
            super(mailbox, forgotten);
            this.key = key;
        }
    }

    /// @param quietNanos how long to trust that only we have changed a directory that we have
    ///     changed
    FileMailboxStore(
            Path root,
            Disk disk,
            Journal journal,
            Room room,
            FileMailQueue queue,
            String host,
            InstantSource clock,
            RandomGenerator random,
            long quietNanos) {
        this.root = root;
        this.disk = disk;
        this.journal = journal;
        this.room = room;
        this.queue = queue;
        this.host = MaildirName.host(host);
        this.clock = clock;
        this.random = random;
        this.quietNanos = quietNanos;
        this.run = MaildirName.sixteen(random.nextLong(), random.nextLong());
    }

    // ---- the contract

    @Override
    public List<String> list(MailAddress owner) throws IOException {
        TreeSet<String> paths = new TreeSet<>();
        Path maildir = maildir(owner);
        if (Files.isDirectory(maildir)) {
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(maildir, ".*")) {
                for (Path each : stream) {
                    if (Files.isDirectory(each.resolve("cur"))) {
                        path(each).ifPresent(paths::add);
                    }
                }
            }
        }
        List<String> all = new ArrayList<>(List.of(INBOX));
        all.addAll(paths);
        return all;
    }

    private Optional<String> path(Path folder) throws IOException {
        String name = folder.getFileName().toString();
        if (FolderName.cut(name) && Files.exists(folder.resolve(PATH_FILE))) {
            String path = Files.readString(folder.resolve(PATH_FILE), StandardCharsets.UTF_8);
            return Optional.of(path).filter(p -> FolderName.directory(p).equals(name));
        }
        return FolderName.path(name);
    }

    @Override
    public Optional<Mailbox> open(MailAddress owner, String path) throws IOException {
        String checked = FolderName.checked(path);
        String key = key(owner, checked);
        if (checked.equals(INBOX)) {
            FileMailbox inbox = mailbox(key);
            inbox.load();
            return Optional.of(inbox);
        }
        return Files.isDirectory(directory(key).resolve("cur"))
                ? Optional.of(mailbox(key))
                : Optional.empty();
    }

    @Override
    public Mailbox create(MailAddress owner, String path) throws IOException {
        String checked = FolderName.checked(path);
        structure.lock();
        try {
            refuseExisting(owner, checked);
            makeAbove(owner, checked);
            return make(owner, checked);
        } finally {
            structure.unlock();
        }
    }

    @Override
    public void rename(MailAddress owner, String from, String to) throws IOException {
        String old = FolderName.checked(from);
        String next = FolderName.checked(to);
        structure.lock();
        try {
            if (!exists(owner, old)) {
                throw new NoSuchFileException(old);
            }
            refuseExisting(owner, next);
            if (old.equals(INBOX)) {
                makeAbove(owner, next);
                open(owner, INBOX).orElseThrow().move(UidSet.ALL, make(owner, next));
                return;
            }
            if (next.startsWith(old + "/")) {
                throw new IllegalArgumentException("mailbox " + old + " cannot move below itself");
            }
            Map<String, String> moves = new LinkedHashMap<>();
            for (String path : list(owner)) {
                if (path.equals(old) || path.startsWith(old + "/")) {
                    String now = FolderName.checked(next + path.substring(old.length()));
                    refuseExisting(owner, now);
                    moves.put(path, now);
                }
            }
            makeAbove(owner, next);
            for (Map.Entry<String, String> move : moves.entrySet()) {
                renameOne(owner, move.getKey(), move.getValue());
            }
            disk.sync(maildir(owner));
        } finally {
            structure.unlock();
        }
    }

    private void renameOne(MailAddress owner, String from, String to) throws IOException {
        String key = key(owner, from);
        FileMailbox mailbox = mailbox(key);
        nameDirectory(directory(key), to);
        String nextKey = key(owner, to);
        mailbox.renamed(nextKey, directory(nextKey));
        known.remove(key);
        known.put(nextKey, new Known(nextKey, mailbox, forgotten));
    }

    @Override
    public void delete(MailAddress owner, String path) throws IOException {
        String checked = FolderName.checked(path);
        if (checked.equals(INBOX)) {
            throw new IllegalArgumentException("INBOX cannot be deleted");
        }
        structure.lock();
        try {
            if (!exists(owner, checked)) {
                throw new NoSuchFileException(checked);
            }
            String key = key(owner, checked);
            FileMailbox mailbox = mailbox(key);
            Path trash = root.resolve(TRASH).resolve(newId());
            disk.makeDirectories(trash.getParent());
            mailbox.delete(trash);
            known.remove(key);
            loaded.remove(mailbox);
            disk.sync(maildir(owner));
            Disk.deleteTree(trash);
        } finally {
            structure.unlock();
        }
    }

    private boolean exists(MailAddress owner, String path) {
        return path.equals(INBOX) || Files.isDirectory(directory(key(owner, path)).resolve("cur"));
    }

    private void refuseExisting(MailAddress owner, String path) throws IOException {
        if (exists(owner, path)) {
            throw new FileAlreadyExistsException(path);
        }
    }

    private void makeAbove(MailAddress owner, String path) throws IOException {
        for (int slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
            String above = path.substring(0, slash);
            if (!exists(owner, above)) {
                make(owner, above);
            }
        }
    }

    private FileMailbox make(MailAddress owner, String path) throws IOException {
        String key = key(owner, path);
        Path directory = directory(key);
        disk.makeDirectories(directory);
        if (!Files.exists(directory.resolve("maildirfolder"))) {
            disk.write(directory.resolve("maildirfolder"), new byte[0]); // Maildir++ says so
        }
        nameDirectory(directory, path);
        FileMailbox mailbox = mailbox(key);
        mailbox.load();
        return mailbox;
    }

    private void nameDirectory(Path directory, String path) throws IOException {
        if (FolderName.cut(FolderName.directory(path))) {
            disk.replace(directory.resolve(PATH_FILE), Words.utf8(path));
        } else {
            Files.deleteIfExists(directory.resolve(PATH_FILE));
        }
    }

    // ---- keys: `example.org/bob/` for INBOX, `example.org/bob/.Work` for others

    private static String key(MailAddress owner, String path) {
        return FolderName.owner(owner) + "/" + FolderName.directory(path);
    }

    private Path maildir(MailAddress owner) {
        return root.resolve(FolderName.owner(owner)).resolve(MAILDIR);
    }

    private Path directory(String key) {
        int slash = key.lastIndexOf('/');
        Path maildir = root.resolve(key.substring(0, slash)).resolve(MAILDIR);
        return slash + 1 == key.length() ? maildir : maildir.resolve(key.substring(slash + 1));
    }

    private FileMailbox mailbox(String key) {
        for (var gone = forgotten.poll(); gone != null; gone = forgotten.poll()) {
            if (gone instanceof Known stale) {
                known.remove(stale.key, stale);
            }
        }
        Known there = known.get(key);
        FileMailbox mailbox = there == null ? null : there.get();
        if (mailbox != null && !mailbox.removed()) {
            return mailbox;
        }
        synchronized (known) {
            there = known.get(key);
            mailbox = there == null ? null : there.get();
            if (mailbox == null || mailbox.removed()) {
                mailbox = new FileMailbox(this, numbers.incrementAndGet(), key, directory(key));
                known.put(key, new Known(key, mailbox, forgotten));
            }
            return mailbox;
        }
    }

    // ---- for the mailboxes

    Disk disk() {
        return disk;
    }

    Journal journal() {
        return journal;
    }

    Room room() {
        return room;
    }

    FileMailQueue queue() {
        return queue;
    }

    InstantSource clock() {
        return clock;
    }

    Path root() {
        return root;
    }

    long quietNanos() {
        return quietNanos;
    }

    String run() {
        return run;
    }

    boolean running(String temporary) {
        return temporary.startsWith(FileMailbox.TEMPORARY + run);
    }

    String nextName() {
        return names.incrementAndGet() + "-";
    }

    String newId() {
        return MaildirName.sixteen(random.nextLong(), random.nextLong());
    }

    /// A name for a new file.
    ///
    /// @param digest of the delivery's name, or empty
    /// @param octets of the file
    /// @param size the same with CR LF at the end of each line
    String base(String digest, long octets, long size) {
        String base =
                clock.instant().getEpochSecond()
                        + (digest.isEmpty() ? ".M" + newId() : ".P" + digest)
                        + "."
                        + host
                        + ",S="
                        + octets;
        return size == octets ? base : base + ",W=" + size;
    }

    /// For a new mailbox: a uid validity that was not given before.
    UidLog.Identity identity() {
        long now = Math.max(1, clock.instant().getEpochSecond() & 0xFFFF_FFFFL);
        return new UidLog.Identity(
                lastValidity.updateAndGet(last -> Math.max(now, last + 1)), newId());
    }

    /// A mailbox has come into memory: those that were not used for longest make room.
    void loaded(FileMailbox mailbox) throws IOException {
        loaded.add(mailbox);
        long messages = 0;
        for (FileMailbox each : loaded) {
            messages += each.size();
        }
        if (loaded.size() <= MOST_LOADED && messages <= MOST_MESSAGES) {
            return;
        }
        List<FileMailbox> oldest = new ArrayList<>(loaded);
        Map<FileMailbox, Long> used = new HashMap<>();
        oldest.forEach(each -> used.put(each, each.used));
        oldest.sort(Comparator.comparing(used::get));
        for (FileMailbox each : oldest.subList(0, Math.max(1, oldest.size() / 10))) {
            if (each != mailbox && each.unload()) {
                loaded.remove(each);
            }
        }
    }

    // ---- checkpoints and restarts

    /// Writes to the uid logs what only the journal has.
    void layOut() throws IOException {
        for (FileMailbox mailbox : loaded) {
            try {
                mailbox.flush();
            } catch (IOException e) {
                if (!mailbox.vanished()) {
                    throw e;
                }
                LOG.warn("mailbox {}: its directory was removed by another program", mailbox.key());
                loaded.remove(mailbox);
            }
        }
    }

    void begin() throws IOException {
        disk.makeDirectories(root);
        Disk.deleteTree(root.resolve(TRASH));
    }

    /// Carries out what the journal has for one mailbox.
    void replay(String key, String id, List<FileMailbox.Replayed> lines) throws IOException {
        Optional<String> now = find(key, id);
        if (now.isPresent()) {
            mailbox(now.get()).replay(lines);
        } else {
            LOG.debug("mailbox {}: deleted since; {} changes left out", key, lines.size());
        }
    }

    /// The key under which a mailbox is today: it may have been renamed after a record was written.
    private Optional<String> find(String key, String id) throws IOException {
        String[] parts = key.split("/", -1);
        if (parts.length != 3
                || parts[0].startsWith(".")
                || parts[1].startsWith(".")
                || !parts[2].isEmpty()
                        && (!parts[2].startsWith(".")
                                || parts[2].equals(".")
                                || parts[2].equals(".."))) {
            LOG.warn("mailbox '{}' of the journal is none", key);
            return Optional.empty();
        }
        if (is(directory(key), id)) {
            return Optional.of(key);
        }
        String owner = parts[0] + "/" + parts[1];
        Path maildir = root.resolve(owner).resolve(MAILDIR);
        if (Files.isDirectory(maildir)) {
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(maildir, ".*")) {
                for (Path each : stream) {
                    if (is(each, id)) {
                        return Optional.of(owner + "/" + each.getFileName());
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static boolean is(Path directory, String id) throws IOException {
        return UidLog.identity(directory.resolve(UidLog.NAME))
                .filter(i -> i.id().equals(id))
                .isPresent();
    }
}
