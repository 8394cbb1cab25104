package org.pabal.dns.recursive;

import org.pabal.dns.server.BigEndian;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// An [Entry] that is being written: the groups one after the other, as its comment says.
final class EntryDraft {

    static final int ANSWERS = 0;
    static final int SIGNATURES = 1;
    static final int AUTHORITY = 2;
    static final int PROOF = 3;

    /// No name begins there: they have 255 octets at most.
    static final int ZONE_IN_FULL = 255;

    /// Octets that [#write] needs beside those of the entry.
    static final int HEAD = 3 * 4 + 5 + 4 * 4 + 4 * 2 + 4;

    /// RFC 1035 §3.1: a name has 255 octets at most.
    private static final int MAX_NAME = 255;

    /// A reason is one short line.
    private static final int MAX_REASON = 200;

    int keyType;
    long stored;
    int ttl;
    Finding.Kind kind = Finding.Kind.RECORDS;
    Security security = Security.UNCHECKED;
    int zone;
    int nameLength;
    final int[] end = new int[4];
    final int[] count = new int[4];

    /// Begins with the name; when an entry is read, all octets.
    private final byte[] name;

    /// Whether there are only records that are read in full by looking at their length.
    private boolean addressesOnly = true;

    private byte[] octets = new byte[512];
    private int size;

    private EntryDraft(Name about, int keyType, long ttl, long now) {
        this.keyType = keyType;
        this.ttl = (int) Math.min(ttl, Integer.MAX_VALUE);
        stored = now;
        name = about.toWireCanonical();
        nameLength = name.length;
        append(name, 0, name.length);
    }

    /// One whose octets are known; the caller has checked them.
    EntryDraft(byte[] octets, int nameLength) {
        this.octets = octets;
        this.nameLength = nameLength;
        size = octets.length;
        name = octets;
    }

    static EntryDraft of(Finding finding, long ttl, long now) {
        EntryDraft draft =
                new EntryDraft(finding.question().name(), Entry.keyType(finding), ttl, now);
        draft.kind = finding.kind();
        draft.security = finding.security();
        finding.records().forEach(set -> draft.records(ANSWERS, answers(set)));
        draft.end[ANSWERS] = draft.size;
        finding.records().stream()
                .filter(set -> set.size() > 0)
                .forEach(set -> draft.records(SIGNATURES, set.sigs()));
        draft.end[SIGNATURES] = draft.size;
        finding.proof().stream()
                .filter(set -> !proves(set))
                .forEach(set -> draft.records(AUTHORITY, set.rrs(false)));
        draft.end[AUTHORITY] = draft.size;
        for (RRset set : finding.proof()) {
            if (proves(set)) {
                draft.records(PROOF, set.rrs(false));
            }
            draft.records(PROOF, set.sigs());
        }
        draft.end[PROOF] = draft.size;
        draft.zone(finding.zone());
        finding.reason().ifPresent(draft::reason);
        return draft;
    }

    static EntryDraft of(Delegation delegation, long ttl, long now) {
        EntryDraft draft = new EntryDraft(delegation.zone(), Entry.DELEGATION, ttl, now);
        draft.records(ANSWERS, delegation.ns().rrs(false));
        draft.end[ANSWERS] = draft.size;
        draft.end[SIGNATURES] = draft.size;
        delegation.glue().forEach(set -> draft.records(AUTHORITY, set.rrs(false)));
        draft.end[AUTHORITY] = draft.size;
        draft.end[PROOF] = draft.size;
        return draft;
    }

    /// Writes an entry for [#read].
    ///
    /// ```
    /// u32  seconds since 1970 when it was stored     u8   how often it was asked for
    /// u32  ttl                                       u8   length of the name
    /// u32  key type                                  u32  ends of the four groups
    /// u8   kind                                      u16  records in them
    /// u8   security                                  u32  octets
    /// u8   where the zone begins                     the octets
    /// ```
    static void write(Entry entry, ByteBuffer out) {
        out.putInt((int) entry.stored()).putInt(entry.ttl()).putInt(entry.keyType());
        out.put((byte) entry.kind().ordinal()).put((byte) entry.security().ordinal());
        out.put((byte) entry.zone()).put((byte) entry.asked()).put((byte) entry.nameLength());
        out.putInt(entry.answersEnd()).putInt(entry.signaturesEnd());
        out.putInt(entry.authorityEnd()).putInt(entry.proofEnd());
        out.putShort((short) entry.answerCount()).putShort((short) entry.signatureCount());
        out.putShort((short) entry.authorityCount()).putShort((short) entry.proofCount());
        out.putInt(entry.octets().length).put(entry.octets());
    }

    /// Reads an entry and looks whether it is one.
    ///
    /// @throws IllegalStateException when it is not
    /// @throws java.nio.BufferUnderflowException when it ends too early
    static Entry read(ByteBuffer in) {
        long stored = Integer.toUnsignedLong(in.getInt());
        int ttl = in.getInt();
        int keyType = in.getInt();
        int kind = in.get();
        int security = in.get();
        int zone = in.get() & 0xFF;
        int asked = in.get();
        int nameLength = in.get() & 0xFF;
        int[] end = {in.getInt(), in.getInt(), in.getInt(), in.getInt()};
        int[] count = {
            in.getShort() & 0xFFFF,
            in.getShort() & 0xFFFF,
            in.getShort() & 0xFFFF,
            in.getShort() & 0xFFFF
        };
        int length = in.getInt();
        require(length > 0 && length <= in.remaining(), "a length");
        require(nameLength > 0 && nameLength <= length, "a length");
        byte[] octets = new byte[length];
        in.get(octets);
        EntryDraft draft = new EntryDraft(octets, nameLength);
        draft.stored = stored;
        draft.ttl = ttl;
        draft.keyType = keyType;
        draft.zone = zone;
        System.arraycopy(end, 0, draft.end, 0, end.length);
        System.arraycopy(count, 0, draft.count, 0, count.length);
        require(kind >= 0 && kind < Finding.Kind.values().length, "a kind");
        draft.kind = Finding.Kind.values()[kind];
        require(security >= 0 && security < Security.values().length, "a verdict");
        draft.security = Security.values()[security];
        draft.check();
        Entry entry = draft.entry();
        entry.asked(Math.max(0, asked));
        if (draft.kind != Finding.Kind.RECORDS || !draft.addressesOnly) {
            entry.check();
        }
        return entry;
    }

    /// Whether the octets are what the rest says: so that nobody reads beyond them, or sends what
    /// is no message.
    private void check() {
        require(ttl > 0 && keyType >= 0 && keyType <= Entry.DELEGATION, "what an entry has");
        require(name(0) == nameLength, "a name");
        for (int i = 0; i < nameLength; i++) {
            require(octets[i] == lower(octets[i]), "a name in lower case");
        }
        boolean answers = kind == Finding.Kind.RECORDS || kind == Finding.Kind.ALIAS;
        require(answers == count[ANSWERS] > 0, "answers");
        int at = nameLength;
        for (int group = ANSWERS; group <= PROOF; group++) {
            int last = at;
            for (int i = 0; i < count[group]; i++) {
                last = at;
                at = record(at);
            }
            if (group == ANSWERS && answers && isAlias()) {
                require(name(Entry.afterOwner(octets, last) + 10) == at, "where an alias leads");
            }
            require(at == end[group], "a group of records");
        }
        if (keyType != Entry.DELEGATION && zone == ZONE_IN_FULL) {
            name(at);
        } else {
            require(begins(zone), "a zone");
        }
        require(
                keyType != Entry.EVERY_TYPE || kind == Finding.Kind.NO_NAME,
                "a name that does not exist");
        require(
                kind != Finding.Kind.ALIAS
                        || keyType == Type.CNAME
                        || (keyType & Entry.FAILED) != 0,
                "an alias under CNAME");
    }

    private boolean isAlias() {
        return kind == Finding.Kind.ALIAS || keyType == Type.CNAME;
    }

    private int record(int at) {
        require(at < size, "a record");
        int fixed;
        if (octets[at] < 0) {
            require(at + 2 <= size, "an owner");
            require(begins(Entry.octets16(octets, at) - Entry.POINTER_TO_NAME), "an owner");
            fixed = at + 2;
        } else {
            fixed = name(at);
        }
        require(fixed + 10 <= size, "a record");
        require(Entry.octets16(octets, fixed + 2) == DClass.IN, "a class");
        int type = Entry.octets16(octets, fixed);
        int length = Entry.octets16(octets, fixed + 8);
        addressesOnly &= type == Type.A && length == 4 || type == Type.AAAA && length == 16;
        int next = fixed + 10 + length;
        require(next <= size, "a record");
        return next;
    }

    /// Whether a label of the name begins there.
    private boolean begins(int place) {
        int label = 0;
        while (label < place && label < nameLength - 1) {
            label += 1 + octets[label];
        }
        return label == place;
    }

    /// Where a name ends that begins there.
    private int name(int from) {
        int at = from;
        while (at < size && octets[at] > 0) {
            at += 1 + octets[at];
        }
        require(at < size && octets[at] == 0 && at - from < MAX_NAME, "a name");
        return at + 1;
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("broken: expected " + what);
        }
    }

    Entry entry() {
        return new Entry(this);
    }

    byte[] octets() {
        return size == octets.length ? octets : Arrays.copyOf(octets, size);
    }

    /// Who asks for signatures themselves gets them as an answer.
    private static List<? extends Record> answers(RRset set) {
        return set.size() > 0 ? set.rrs(false) : set.sigs();
    }

    private static boolean proves(RRset set) {
        return set.getType() == Type.NSEC || set.getType() == Type.NSEC3;
    }

    private void records(int group, List<? extends Record> records) {
        for (Record record : records) {
            byte[] wire = record.toWire(Section.ANSWER);
            int fixed = Entry.afterOwner(wire, 0);
            owner(record.getName());
            append(wire, fixed, wire.length - fixed);
            BigEndian.INT.set(octets, size - (wire.length - fixed) + 4, ttl);
            count[group]++;
        }
    }

    private void owner(Name owner) {
        byte[] wire = owner.toWireCanonical();
        int at = place(wire);
        if (at < 0) {
            append(owner.toWire(), 0, wire.length);
        } else {
            room(2);
            BigEndian.SHORT.set(octets, size, (short) (Entry.POINTER_TO_NAME + at));
            size += 2;
        }
    }

    /// Where in the name another one begins that is the same or above it; else -1.
    private int place(byte[] other) {
        int start = name.length - other.length;
        int label = 0;
        while (label < start) {
            label += 1 + name[label];
        }
        return label == start && Arrays.equals(name, start, name.length, other, 0, other.length)
                ? start
                : -1;
    }

    private void zone(Name of) {
        int at = place(of.toWireCanonical());
        zone = at < 0 ? ZONE_IN_FULL : at;
        if (at < 0) {
            byte[] wire = of.toWire();
            append(wire, 0, wire.length);
        }
    }

    private void reason(Reason reason) {
        room(2);
        BigEndian.SHORT.set(octets, size, (short) reason.code());
        size += 2;
        String text = reason.text();
        byte[] line =
                text.substring(0, Math.min(text.length(), MAX_REASON))
                        .getBytes(StandardCharsets.UTF_8);
        append(line, 0, line.length);
    }

    private void append(byte[] from, int start, int length) {
        room(length);
        System.arraycopy(from, start, octets, size, length);
        size += length;
    }

    private void room(int length) {
        if (size + length > octets.length) {
            octets = Arrays.copyOf(octets, Math.max(2 * octets.length, size + length));
        }
    }

    static byte lower(byte octet) {
        return octet >= 'A' && octet <= 'Z' ? (byte) (octet + 32) : octet;
    }
}
