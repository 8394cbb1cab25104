package org.pabal.dns;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/// One immutable version of octets that are kept by name: what a zone of a million names is made of
/// without a million objects.
///
/// ```
///   version 1 ──┐ ┌─ version 2          each: a table of (hash, place), and a few changes to it
///               ▼ ▼
///   room  [node][node][node]…[node]     shared by all versions that came from one
/// ```
/// A node is written once, and then only read. The next version appends its nodes behind those that
/// are there and refers to them in a small table of its own, which is asked first and folded into
/// the large one when it has grown. So a version costs what changes in it, two versions may be made
/// from the same one, and readers need no lock. The octets are outside the heap, where no collector
/// moves them, and are freed when no version refers to them.
///
/// A node starts with
///
/// ```
/// 0  u8  length of its name     1  u8  flags, [#GONE] and others of the owner     2  name, lower case
/// ```
/// and goes on as its owner likes. Names stand without what they all end with, the origin, but are
/// hashed as a whole (see [NameHash]). Places count in steps of four octets; 0 is none.
public final class NameTable {

    /// The flag of a node that says that there is no such name any more.
    public static final int GONE = 0x80;

    /// Where the name begins in a node.
    public static final int NAME = 2;

    /// The largest node, and the size of a segment. A little less than 4 MB: with what the C
    /// library adds it is a whole number of huge pages, and Linux lays it where huge pages begin.
    public static final int MAX_NODE = (4 << 20) - 256;

    private static final int SHIFT = 20;
    private static final int UNIT = 2;
    private static final int FIRST_ROOM = 512;
    private static final int MAX_SEGMENTS = 1 << 32 - SHIFT;
    private static final int SLACK = 16_384;
    private static final int MIN_SLOTS = 8;
    private static final int MIN_CHANGES = 1024;
    private static final int PER_BUCKET = 16;
    private static final long[] NONE = {};
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private final int originHash;
    private final Room room;
    private final ByteBuffer[] segments;

    /// Open hashing: hash and place, 0 for an empty slot.
    private final ByteBuffer slots;

    private final int mask;
    private final int filled;

    /// What differs from the slots: by the low bits of the hash.
    private final long[][] changes;

    private final int changed;
    private final int size;

    private NameTable(
            int originHash,
            Room room,
            ByteBuffer slots,
            int filled,
            long[][] changes,
            int changed,
            int size) {
        this.originHash = originHash;
        this.room = room;
        this.segments = room.segments();
        this.slots = slots;
        this.mask = (slots.capacity() >> 3) - 1;
        this.filled = filled;
        this.changes = changes;
        this.changed = changed;
        this.size = size;
    }

    /// How many names there are.
    public int size() {
        return size;
    }

    /// The place of the node of a name, or 0.
    ///
    /// @param hash of the whole name
    /// @param name lower case, without the origin, from one octet up to another
    public int find(int hash, byte[] name, int from, int to) {
        int place = place(hash, name, from, to);
        return place == 0 || (segment(place).get(at(place) + 1) & GONE) != 0 ? 0 : place;
    }

    private int place(int hash, byte[] name, int from, int to) {
        for (long entry : changes[hash & changes.length - 1]) {
            if ((int) (entry >>> 32) == hash && holds(segments, (int) entry, name, from, to)) {
                return (int) entry;
            }
        }
        for (int slot = hash & mask; ; slot = slot + 1 & mask) {
            long entry = slots.getLong(slot << 3);
            if (entry == 0) {
                return 0;
            }
            if ((int) (entry >>> 32) == hash && holds(segments, (int) entry, name, from, to)) {
                return (int) entry;
            }
        }
    }

    /// What a place is in, big endian. Not to be written to.
    public ByteBuffer segment(int place) {
        return segments[place >>> SHIFT];
    }

    /// Where a place is in its [#segment].
    public static int at(int place) {
        return (place & (1 << SHIFT) - 1) << UNIT;
    }

    /// The places of all nodes, in the order in which they were written.
    public int[] places() {
        int[] places = new int[size];
        int count = 0;
        byte[] name = new byte[256];
        for (int slot = 0; slot <= mask; slot++) {
            long entry = slots.getLong(slot << 3);
            int place = (int) entry;
            if (entry != 0 && !gone(place)) {
                if (changed > 0) {
                    int length = segment(place).get(at(place)) & 0xFF;
                    segment(place).get(at(place) + NAME, name, 0, length);
                    if (place((int) (entry >>> 32), name, 0, length) != place) {
                        continue;
                    }
                }
                places[count++] = place;
            }
        }
        for (long[] bucket : changes) {
            for (long entry : bucket) {
                if (!gone((int) entry)) {
                    places[count++] = (int) entry;
                }
            }
        }
        for (int i = 0; i < count; i++) {
            places[i] ^= Integer.MIN_VALUE; // places have no sign
        }
        Arrays.sort(places);
        for (int i = 0; i < count; i++) {
            places[i] ^= Integer.MIN_VALUE;
        }
        return places;
    }

    private boolean gone(int place) {
        return (segment(place).get(at(place) + 1) & GONE) != 0;
    }

    private static boolean holds(ByteBuffer[] segments, int place, byte[] name, int from, int to) {
        ByteBuffer segment = segments[place >>> SHIFT];
        int at = at(place);
        int length = to - from;
        if ((segment.get(at) & 0xFF) != length) {
            return false;
        }
        at += NAME;
        int i = 0;
        for (; i + 8 <= length; i += 8) {
            if (segment.getLong(at + i) != (long) LONG.get(name, from + i)) {
                return false;
            }
        }
        if (i > 0 && i < length) {
            return segment.getLong(at + length - 8) == (long) LONG.get(name, to - 8);
        }
        for (; i < length; i++) {
            if (segment.get(at + i) != name[from + i]) {
                return false;
            }
        }
        return true;
    }

    /// Whether so much of what is in the room belongs to earlier versions that [#compacted] is due.
    public boolean wasteful() {
        return room.wasteful();
    }

    /// The same names in a room of their own.
    ///
    /// @param length the octets of the node at a place
    public NameTable compacted(IntUnaryOperator length) {
        Edit edit = new Edit(originHash, size);
        byte[] node = new byte[1024];
        for (int place : places()) {
            int octets = length.applyAsInt(place);
            if (octets > node.length) {
                node = new byte[octets * 2];
            }
            segment(place).get(at(place), node, 0, octets);
            edit.put(node, octets);
        }
        return edit.done();
    }

    /// An empty table to be filled.
    ///
    /// @param originHash the unfinished hash of the origin
    /// @param expected how many names there may be; it grows when there are more
    public static Edit building(int originHash, int expected) {
        return new Edit(originHash, expected);
    }

    /// The next version of this one.
    public Edit edit() {
        return new Edit(this);
    }

    /// The hash of a whole name, given without its origin.
    private static int hash(int originHash, byte[] name, int from, int to) {
        return NameHash.finish(NameHash.steps(originHash, name, from, to));
    }

    private static long entry(int hash, int place) {
        return (long) hash << 32 | place & 0xFFFF_FFFFL;
    }

    /// A version that is being made, by one thread.
    public static final class Edit {

        private final int originHash;
        private final Room room;
        private final boolean building;
        private ByteBuffer slots;
        private int mask;
        private int filled;
        private long[][] changes;
        private int changed;
        private int size;
        private final byte[] tombstone = new byte[NAME + 255];

        private Edit(int originHash, int expected) {
            this.originHash = originHash;
            this.room = new Room();
            this.building = true;
            this.changes = new long[][] {NONE};
            slots(slotsFor(expected));
        }

        private Edit(NameTable before) {
            this.originHash = before.originHash;
            this.room = before.room;
            this.building = false;
            this.slots = before.slots;
            this.mask = before.mask;
            this.filled = before.filled;
            this.changes = before.changes.clone();
            this.changed = before.changed;
            this.size = before.size;
        }

        /// At most two thirds full, so that a name that is not there costs one or two looks.
        private static int slotsFor(int names) {
            long wanted = Math.max(MIN_SLOTS, names + (long) names / 2 + 1);
            if (wanted > 1 << 27) {
                throw new IllegalStateException("more than " + (1 << 27) / 3 * 2 + " names");
            }
            return wanted <= MIN_SLOTS ? MIN_SLOTS : Integer.highestOneBit((int) wanted - 1) << 1;
        }

        private void slots(int count) {
            slots = memory(count << 3).order(ByteOrder.nativeOrder());
            mask = count - 1;
            filled = 0;
        }

        /// How many names there are.
        public int size() {
            return size;
        }

        /// The place of a name, given without its origin, or 0. Only while a first version is made.
        public int find(byte[] name, int from, int to) {
            int slot = slot(hash(originHash, name, from, to), name, from, to);
            return (int) slots.getLong(slot << 3);
        }

        /// What a place is in. May be written to while a first version is made.
        public ByteBuffer segment(int place) {
            return room.segments[place >>> SHIFT];
        }

        /// Adds a node, in place of the one that the name has.
        ///
        /// @param node its first octets; copied
        /// @return its place
        public int put(byte[] node, int length) {
            int end = NAME + (node[0] & 0xFF);
            int place = room.append(node, length);
            put(hash(originHash, node, NAME, end), node, NAME, end, place);
            return place;
        }

        /// Takes a name away, given without its origin.
        public void remove(byte[] name, int from, int to) {
            int length = to - from;
            tombstone[0] = (byte) length;
            tombstone[1] = (byte) GONE;
            System.arraycopy(name, from, tombstone, NAME, length);
            put(tombstone, NAME + length);
        }

        private void put(int hash, byte[] name, int from, int to, int place) {
            boolean gone = (name[1] & GONE) != 0;
            if (building) {
                int slot = slot(hash, name, from, to);
                if (slots.getLong(slot << 3) == 0) {
                    size++;
                    filled++;
                }
                slots.putLong(slot << 3, entry(hash, place));
                if (filled > mask - mask / 3) {
                    grow();
                }
                return;
            }
            int at = hash & changes.length - 1;
            long[] bucket = changes[at];
            int i = 0;
            while (i < bucket.length
                    && !((int) (bucket[i] >>> 32) == hash
                            && holds(room.segments, (int) bucket[i], name, from, to))) {
                i++;
            }
            int before = 0;
            if (i < bucket.length) {
                before = (int) bucket[i];
            } else {
                before = (int) slots.getLong(slot(hash, name, from, to) << 3);
                changed++;
            }
            boolean there = before != 0 && !room.gone(before);
            size += (gone ? 0 : 1) - (there ? 1 : 0);
            bucket = Arrays.copyOf(bucket, Math.max(i + 1, bucket.length));
            bucket[i] = entry(hash, place);
            changes[at] = bucket;
            if (changed > changes.length * PER_BUCKET) {
                spread();
            }
        }

        /// The slot that a name has, or would have.
        private int slot(int hash, byte[] name, int from, int to) {
            for (int slot = hash & mask; ; slot = slot + 1 & mask) {
                long entry = slots.getLong(slot << 3);
                if (entry == 0
                        || (int) (entry >>> 32) == hash
                                && holds(room.segments, (int) entry, name, from, to)) {
                    return slot;
                }
            }
        }

        private void grow() {
            ByteBuffer before = slots;
            slots(slotsFor(mask + 1)); // half as much again is twice as many slots
            for (int at = 0; at < before.capacity(); at += 8) {
                if (before.getLong(at) != 0) {
                    insert(before.getLong(at));
                }
            }
        }

        private void insert(long entry) {
            int slot = (int) (entry >>> 32) & mask;
            while (slots.getLong(slot << 3) != 0) {
                slot = slot + 1 & mask;
            }
            slots.putLong(slot << 3, entry);
            filled++;
        }

        private void spread() {
            long[][] wider = new long[changes.length * 2][];
            Arrays.fill(wider, NONE);
            for (long[] bucket : changes) {
                for (long entry : bucket) {
                    int at = (int) (entry >>> 32) & wider.length - 1;
                    wider[at] = Arrays.copyOf(wider[at], wider[at].length + 1);
                    wider[at][wider[at].length - 1] = entry;
                }
            }
            changes = wider;
        }

        /// Puts what has changed into slots of our own.
        private void fold() {
            long[][] folded = changes;
            ByteBuffer before = slots;
            if (filled + changed > mask - mask / 3) {
                slots(Math.max(slotsFor(size + changed), (mask + 1)));
                for (int at = 0; at < before.capacity(); at += 8) {
                    long entry = before.getLong(at);
                    if (entry != 0 && !room.gone((int) entry)) {
                        insert(entry);
                    }
                }
            } else {
                int full = filled;
                slots(mask + 1);
                filled = full;
                slots.put(0, before, 0, before.capacity());
            }
            byte[] name = new byte[256];
            for (long[] bucket : folded) {
                for (long entry : bucket) {
                    int place = (int) entry;
                    ByteBuffer segment = room.segments[place >>> SHIFT];
                    int length = segment.get(at(place)) & 0xFF;
                    segment.get(at(place) + NAME, name, 0, length);
                    int slot = slot((int) (entry >>> 32), name, 0, length);
                    if (slots.getLong(slot << 3) != 0) {
                        slots.putLong(slot << 3, entry);
                    } else if (!room.gone(place)) {
                        slots.putLong(slot << 3, entry);
                        filled++;
                    }
                }
            }
            changes = new long[][] {NONE};
            changed = 0;
        }

        /// The version; nothing more can be done to it.
        public NameTable done() {
            if (building) {
                room.built();
            } else if (changed > Math.max(MIN_CHANGES, filled >> 4)) {
                fold();
            }
            return new NameTable(originHash, room, slots, filled, changes, changed, size);
        }
    }

    private static ByteBuffer memory(int octets) {
        try {
            return ByteBuffer.allocateDirect(octets);
        } catch (OutOfMemoryError e) {
            throw new IllegalStateException(
                    "no room for " + octets + " octets of zones outside the heap", e);
        }
    }

    /// Where the nodes are, of all versions that came from one. Whatever is written stays.
    private static final class Room {

        /// Replaced as a whole when it grows; changed under the lock of this object.
        private volatile ByteBuffer[] segments = {memory(FIRST_ROOM)};

        private int end = 4; // place 0 is none; this and the following are guarded by this object
        private long used;
        private long built;

        ByteBuffer[] segments() {
            return segments;
        }

        synchronized int append(byte[] node, int length) {
            int octets = length + 3 & ~3;
            if (octets > MAX_NODE) {
                throw new IllegalStateException("more than " + MAX_NODE + " octets at one name");
            }
            ByteBuffer[] now = segments;
            ByteBuffer last = now[now.length - 1];
            if (end + octets > last.capacity() && last.capacity() < MAX_NODE) {
                int capacity = last.capacity();
                while (capacity < end + octets && capacity < MAX_NODE) {
                    capacity = Math.min(capacity << 1, MAX_NODE);
                }
                ByteBuffer larger = memory(capacity);
                larger.put(0, last, 0, end);
                last = larger;
                now = new ByteBuffer[] {last};
                segments = now;
            }
            if (end + octets > last.capacity()) {
                if (now.length == MAX_SEGMENTS) {
                    throw new IllegalStateException("more than 16 GB of records in one zone");
                }
                last = memory(MAX_NODE);
                now = Arrays.copyOf(now, now.length + 1);
                now[now.length - 1] = last;
                segments = now;
                end = 0;
            }
            last.put(end, node, 0, length);
            int place = now.length - 1 << SHIFT | end >> UNIT;
            end += octets;
            used += octets;
            return place;
        }

        boolean gone(int place) {
            return (segments[place >>> SHIFT].get(at(place) + 1) & GONE) != 0;
        }

        synchronized void built() {
            built = used;
        }

        synchronized boolean wasteful() {
            return used > 2 * built + SLACK;
        }
    }
}
