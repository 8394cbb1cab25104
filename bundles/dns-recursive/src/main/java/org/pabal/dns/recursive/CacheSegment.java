package org.pabal.dns.recursive;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// A part of the cache: a hash table of entries in an amount of memory of its own. Reading takes no
/// lock; the lock guards all writing.
///
/// The table is open, probed one slot after the other. Beside each entry stands a tag, the lower
/// half of its hash, so that a probe looks into no entry but the right one. A slot whose entry is
/// gone keeps its tag until the table is made anew, so that probes go on beyond it.
///
/// Who has to go when memory is used up: there are two queues (S3-FIFO, Yang et al., SOSP 2023). A
/// new entry joins the first one, which has a tenth of the memory. At its end, it moves over to the
/// main queue if it was asked for twice or more; else it is gone, and only its tag is remembered
/// for some time: when it comes again it goes straight to the main queue. At the end of the main
/// queue, what was asked for since it was there last may queue up again. So a flood of names that
/// nobody asks for again runs through the first queue and pushes nothing else out (security row
/// D5).
final class CacheSegment {

    /// A new entry may replace whatever there is.
    static final Predicate<Entry> ALWAYS = old -> true;

    private static final VarHandle TAG = MethodHandles.arrayElementVarHandle(int[].class);
    private static final VarHandle ENTRY = MethodHandles.arrayElementVarHandle(Entry[].class);

    private static final int NO_SLOT = -1;
    private static final int FIRST = 0;
    private static final int MAIN = 1;
    private static final int LEAST_SLOTS = 32;

    /// Tag and entry; before, after, queue, ghost.
    private static final int OCTETS_A_SLOT = 4 + 4 + 4 + 4 + 1 + 4;

    private static final int HEADERS = 7 * 16 + 64;

    /// Asked for so often, an entry moves from the first to the main queue. A client asks for A and
    /// AAAA of one name that does not exist, which is one ask more than the first.
    private static final int WANTED = 2;

    /// No entry may take more than this part of the memory.
    private static final int LARGEST = 8;

    /// What readers see: two arrays that belong together.
    private record Table(int[] tags, Entry[] entries) {

        Table(int slots) {
            this(new int[slots], new Entry[slots]);
        }

        int slot(int tag) {
            return (int) ((tag & 0xFFFFFFFFL) * tags.length >>> 32);
        }

        int next(int slot) {
            return slot + 1 == tags.length ? 0 : slot + 1;
        }

        int tag(int slot) {
            return (int) TAG.getAcquire(tags, slot);
        }

        Entry entry(int slot) {
            return (Entry) ENTRY.getAcquire(entries, slot);
        }

        /// The entry first: who sees the tag sees the entry.
        void set(int slot, int tag, Entry entry) {
            ENTRY.setRelease(entries, slot, entry);
            TAG.setRelease(tags, slot, tag);
        }
    }

    private final long limit;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile Table table = new Table(LEAST_SLOTS);

    // Guarded by the lock, one element a slot: the queues, and tags of what left the first one.
    private int[] before = new int[LEAST_SLOTS];
    private int[] after = new int[LEAST_SLOTS];
    private byte[] queue = new byte[LEAST_SLOTS];
    private int[] ghosts = new int[LEAST_SLOTS];

    // Guarded by the lock, one element a queue.
    private final int[] oldest = {NO_SLOT, NO_SLOT};
    private final int[] youngest = {NO_SLOT, NO_SLOT};
    private final long[] octets = new long[2];

    private int tagged;
    private volatile int entries;
    private volatile long used;
    private volatile long evictions;

    /// @param limit octets of memory, all in
    CacheSegment(long limit) {
        this.limit = limit;
        account();
    }

    /// The entry about a name and key type, or [RecordCache#NONE].
    Entry find(int hash, byte[] name, int from, int to, int type) {
        Table seen = table;
        int tag = tag(hash);
        int slot = seen.slot(tag);
        for (int tagHere = seen.tag(slot); tagHere != 0; tagHere = seen.tag(slot)) {
            if (tagHere == tag) {
                Entry entry = seen.entry(slot);
                if (entry.matches(name, from, to, type)) {
                    return entry;
                }
            }
            slot = seen.next(slot);
        }
        return RecordCache.NONE;
    }

    /// Keeps an entry.
    ///
    /// @param replaces whether it may replace the one that there is
    /// @param useful whether something may be answered with an entry; else it goes first
    /// @return whether it was kept
    boolean put(int hash, Entry entry, Predicate<Entry> replaces, Predicate<Entry> useful) {
        if (entry.size() > limit / LARGEST) {
            return false;
        }
        int tag = tag(hash);
        lock.lock();
        try {
            int slot = slot(tag, entry.octets(), 0, entry.nameLength(), entry.keyType());
            if (slot == NO_SLOT) {
                insert(tag, entry);
            } else {
                Entry old = table.entry(slot);
                if (!replaces.test(old)) {
                    return false;
                }
                entry.asked(old.asked());
                octets[queue[slot]] += entry.size() - old.size();
                table.set(slot, tag, entry);
            }
            account();
            while (used > limit) {
                evict(useful);
                account();
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /// Forgets the entry about a name and key type, if it is as said.
    void remove(int hash, byte[] name, int from, int to, int type, Predicate<Entry> which) {
        lock.lock();
        try {
            int slot = slot(tag(hash), name, from, to, type);
            if (slot != NO_SLOT && which.test(table.entry(slot))) {
                free(slot);
                account();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Forgets all entries that are as said.
    void removeAll(Predicate<Entry> which) {
        lock.lock();
        try {
            Table here = table;
            for (int slot = 0; slot < here.entries.length; slot++) {
                if (here.tags[slot] != 0
                        && here.entries[slot] != RecordCache.NONE
                        && which.test(here.entries[slot])) {
                    free(slot);
                }
            }
            account();
        } finally {
            lock.unlock();
        }
    }

    /// All entries, without a lock: what comes and goes meanwhile may be seen or not.
    void forEach(Consumer<Entry> action) {
        Table seen = table;
        for (int slot = 0; slot < seen.entries.length; slot++) {
            if (seen.tag(slot) != 0) {
                Entry entry = seen.entry(slot);
                if (entry != RecordCache.NONE) {
                    action.accept(entry);
                }
            }
        }
    }

    int entries() {
        return entries;
    }

    long octets() {
        return used;
    }

    long evictions() {
        return evictions;
    }

    /// Zero says that a slot was never used.
    private static int tag(int hash) {
        return hash == 0 ? 1 : hash;
    }

    private int slot(int tag, byte[] name, int from, int to, int type) {
        Table here = table;
        int slot = here.slot(tag);
        while (here.tags[slot] != 0) {
            if (here.tags[slot] == tag && here.entries[slot].matches(name, from, to, type)) {
                return slot;
            }
            slot = here.next(slot);
        }
        return NO_SLOT;
    }

    private void insert(int tag, Entry entry) {
        if ((tagged + 1) * 4L > table.tags.length * 3L) {
            rebuild();
        }
        Table here = table;
        int ghost = here.slot(tag);
        boolean known = ghosts[ghost] == tag;
        if (known) {
            ghosts[ghost] = 0;
        }
        int slot = freeSlot(here, tag);
        tagged += here.tags[slot] == 0 ? 1 : 0;
        here.set(slot, tag, entry);
        entries++;
        link(slot, known ? MAIN : FIRST, entry);
    }

    private static int freeSlot(Table table, int tag) {
        int slot = table.slot(tag);
        while (table.tags[slot] != 0 && table.entries[slot] != RecordCache.NONE) {
            slot = table.next(slot);
        }
        return slot;
    }

    /// A table without the tags of what is gone, and with more room if it needs that.
    private void rebuild() {
        Table old = table;
        int slots = old.tags.length;
        int wanted = entries * 5L > slots * 3L ? (int) (slots * 7L / 5) : slots;
        Table next = new Table(wanted);
        int[] oldAfter = after;
        int[] starts = oldest.clone();
        int[] oldGhosts = ghosts;
        before = new int[wanted];
        after = new int[wanted];
        queue = new byte[wanted];
        ghosts = new int[wanted];
        for (int ghost : oldGhosts) {
            if (ghost != 0) {
                ghosts[next.slot(ghost)] = ghost;
            }
        }
        Arrays.fill(oldest, NO_SLOT);
        Arrays.fill(youngest, NO_SLOT);
        Arrays.fill(octets, 0);
        for (int which = FIRST; which <= MAIN; which++) {
            for (int slot = starts[which]; slot != NO_SLOT; slot = oldAfter[slot]) {
                int to = freeSlot(next, old.tags[slot]);
                next.entries[to] = old.entries[slot];
                next.tags[to] = old.tags[slot];
                link(to, which, next.entries[to]);
            }
        }
        tagged = entries;
        table = next;
    }

    private void evict(Predicate<Entry> useful) {
        boolean first = octets[FIRST] > limit / 10 || oldest[MAIN] == NO_SLOT;
        int which = first ? FIRST : MAIN;
        int slot = oldest[which];
        if (slot == NO_SLOT) {
            throw new IllegalStateException("a cache of " + limit + " octets holds nothing");
        }
        Entry entry = table.entry(slot);
        int asked = entry.asked();
        if (asked >= (first ? WANTED : 1) && useful.test(entry)) {
            entry.asked(asked - 1);
            unlink(slot, entry);
            link(slot, MAIN, entry);
            return;
        }
        if (first) {
            int tag = table.tags[slot];
            ghosts[table.slot(tag)] = tag;
        }
        free(slot);
        evictions++;
    }

    private void free(int slot) {
        unlink(slot, table.entries[slot]);
        ENTRY.setRelease(table.entries, slot, RecordCache.NONE);
        entries--;
    }

    /// Puts an entry at the young end of a queue.
    private void link(int slot, int which, Entry entry) {
        queue[slot] = (byte) which;
        octets[which] += entry.size();
        before[slot] = youngest[which];
        after[slot] = NO_SLOT;
        if (youngest[which] == NO_SLOT) {
            oldest[which] = slot;
        } else {
            after[youngest[which]] = slot;
        }
        youngest[which] = slot;
    }

    private void unlink(int slot, Entry entry) {
        int which = queue[slot];
        octets[which] -= entry.size();
        if (before[slot] == NO_SLOT) {
            oldest[which] = after[slot];
        } else {
            after[before[slot]] = after[slot];
        }
        if (after[slot] == NO_SLOT) {
            youngest[which] = before[slot];
        } else {
            before[after[slot]] = before[slot];
        }
    }

    private void account() {
        used = octets[FIRST] + octets[MAIN] + (long) OCTETS_A_SLOT * before.length + HEADERS;
    }
}
