package org.pabal.testkit;

import org.pabal.mail.MailAddress;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStore;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Mailboxes in memory: the contract and nothing else, for the tests of those who show or bring
/// mail.
public final class MemoryMailboxStore implements MailboxStore {

    private static final int MAX_LEVELS = 32;
    private static final int MAX_CHARACTERS = 1_000;
    private static final Comparator<String> INBOX_FIRST =
            Comparator.<String, Boolean>comparing(path -> !path.equals(INBOX))
                    .thenComparing(Comparator.naturalOrder());

    /// Guards everything in this store, its mailboxes included, so that a move between two of them
    /// is one step.
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();
    private final Map<MailAddress, TreeMap<String, MemoryMailbox>> owners = new HashMap<>();
    private long uidValidity;
    private volatile boolean full;

    /// A store in which nobody has mail yet.
    public MemoryMailboxStore() {}

    /// From now on there is no room, or there is again: every [Mailbox#append] throws.
    public void full(boolean full) {
        this.full = full;
    }

    boolean full() {
        return full;
    }

    @Override
    public List<String> list(MailAddress owner) {
        lock.lock();
        try {
            return List.copyOf(mailboxes(owner).keySet());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Optional<Mailbox> open(MailAddress owner, String path) {
        String name = checked(path);
        lock.lock();
        try {
            return Optional.ofNullable(mailboxes(owner).get(name));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Mailbox create(MailAddress owner, String path) throws IOException {
        String name = checked(path);
        lock.lock();
        try {
            refuseExisting(mailboxes(owner), name);
            makeAbove(mailboxes(owner), name);
            MemoryMailbox made = make(name);
            mailboxes(owner).put(name, made);
            return made;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void rename(MailAddress owner, String from, String to) throws IOException {
        String old = checked(from);
        String next = checked(to);
        lock.lock();
        try {
            TreeMap<String, MemoryMailbox> mailboxes = mailboxes(owner);
            MemoryMailbox renamed = existing(mailboxes, old);
            refuseExisting(mailboxes, next);
            if (next.startsWith(old + "/") && !old.equals(INBOX)) {
                throw new IllegalArgumentException("mailbox " + old + " cannot move below itself");
            }
            makeAbove(mailboxes, next);
            if (old.equals(INBOX)) {
                MemoryMailbox target = make(next);
                mailboxes.put(next, target);
                renamed.emptyInto(target);
                return;
            }
            for (String path : List.copyOf(mailboxes.keySet())) {
                if (path.equals(old) || path.startsWith(old + "/")) {
                    String now = next + path.substring(old.length());
                    refuseExisting(mailboxes, now);
                    mailboxes.put(now, mailboxes.remove(path));
                }
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void delete(MailAddress owner, String path) throws IOException {
        String name = checked(path);
        if (name.equals(INBOX)) {
            throw new IllegalArgumentException("INBOX cannot be deleted");
        }
        lock.lock();
        try {
            existing(mailboxes(owner), name).delete();
            mailboxes(owner).remove(name);
        } finally {
            lock.unlock();
        }
    }

    ReentrantLock lock() {
        return lock;
    }

    /// Waits for a change in any mailbox, with the lock held; answers what is left of the time.
    long awaitChange(long nanos) throws InterruptedException {
        return changed.awaitNanos(nanos);
    }

    void signalChange() {
        changed.signalAll();
    }

    private MemoryMailbox make(String path) {
        return new MemoryMailbox(this, path, ++uidValidity);
    }

    private TreeMap<String, MemoryMailbox> mailboxes(MailAddress owner) {
        return owners.computeIfAbsent(
                owner,
                o -> {
                    TreeMap<String, MemoryMailbox> mailboxes = new TreeMap<>(INBOX_FIRST);
                    mailboxes.put(INBOX, make(INBOX));
                    return mailboxes;
                });
    }

    private void makeAbove(TreeMap<String, MemoryMailbox> mailboxes, String path) {
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            mailboxes.computeIfAbsent(path.substring(0, slash), this::make);
        }
    }

    private static MemoryMailbox existing(TreeMap<String, MemoryMailbox> mailboxes, String path)
            throws NoSuchFileException {
        if (!mailboxes.containsKey(path)) {
            throw new NoSuchFileException(path);
        }
        return mailboxes.get(path);
    }

    private static void refuseExisting(TreeMap<String, MemoryMailbox> mailboxes, String path)
            throws FileAlreadyExistsException {
        if (mailboxes.containsKey(path)) {
            throw new FileAlreadyExistsException(path);
        }
    }

    /// The path with `INBOX` in capitals, or an exception that a client may read.
    private static String checked(String path) {
        String[] levels = path.split("/", -1);
        if (path.length() > MAX_CHARACTERS || levels.length > MAX_LEVELS) {
            throw new IllegalArgumentException(
                    "mailbox name: at most "
                            + MAX_CHARACTERS
                            + " characters in "
                            + MAX_LEVELS
                            + " levels");
        }
        List<String> good = new ArrayList<>();
        for (String level : levels) {
            if (level.isEmpty() || level.equals(".") || level.equals("..")) {
                throw new IllegalArgumentException("mailbox name: no level may be empty, . or ..");
            }
            if (level.chars().anyMatch(Character::isISOControl)) {
                throw new IllegalArgumentException("mailbox name: no control characters");
            }
            good.add(level);
        }
        if (good.getFirst().equalsIgnoreCase(INBOX)) {
            good.set(0, INBOX);
        }
        return String.join("/", good);
    }

    /// What [Mailbox#changes] waits at most, so that a sum cannot overflow.
    static long nanos(Duration patience) {
        return patience.compareTo(Duration.ofDays(365)) > 0
                ? Duration.ofDays(365).toNanos()
                : patience.toNanos();
    }
}
