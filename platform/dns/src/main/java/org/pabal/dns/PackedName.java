package org.pabal.dns;

import java.nio.ByteBuffer;
import java.util.Arrays;

/// One name of a [PackedZone] as octets, for those who read many and want no object for each: moved
/// from name to name.
///
/// ```
/// name as NameTable has it; with [#CASED] again as it was written; u32 names right below; u16 sets
/// for each set, by type: u16 type, u32 TTL, u16 records and [#SIGNED], when signed u16 signatures
///     for each record and then each signature: u16 length, data without compression
/// ```
public final class PackedName {

    static final int CASED = 1;
    static final int SIGNED = 0x8000;
    static final int SET_HEAD = 8;

    private byte[] octets = new byte[512];
    private int length;
    private int names;
    private int[] sets = new int[8];
    private int count;

    /// To be moved to a name by [PackedZone#read].
    public PackedName() {
        // sized for an ordinary name
    }

    /// Reads the node at a place.
    void moveTo(ByteBuffer segment, int place) {
        int start = NameTable.at(place);
        int name = segment.get(start) & 0xFF;
        boolean cased = (segment.get(start + 1) & CASED) != 0;
        int at = start + NameTable.NAME + (cased ? 2 * name : name);
        names = segment.getInt(at);
        count = segment.getShort(at + 4) & 0xFFFF;
        at += 6;
        if (count > sets.length) {
            sets = new int[count * 2];
        }
        for (int set = 0; set < count; set++) {
            sets[set] = at - start;
            int records = segment.getShort(at + 6) & 0xFFFF;
            at += SET_HEAD;
            if ((records & SIGNED) != 0) {
                records = (records & ~SIGNED) + (segment.getShort(at) & 0xFFFF);
                at += 2;
            }
            for (; records > 0; records--) {
                at += 2 + (segment.getShort(at) & 0xFFFF);
            }
        }
        length = at - start;
        if (length > octets.length) {
            octets = new byte[length * 2];
        }
        segment.get(start, octets, 0, length);
    }

    /// All of the node; the rest of the array has no meaning.
    public byte[] octets() {
        return octets;
    }

    int length() {
        return length;
    }

    /// How long the name is without the origin. It begins at [NameTable#NAME].
    public int nameLength() {
        return octets[0] & 0xFF;
    }

    /// Where the name begins as it was written.
    public int writtenName() {
        return NameTable.NAME + ((octets[1] & CASED) != 0 ? nameLength() : 0);
    }

    /// How many names there are one label below.
    public int names() {
        return names;
    }

    /// Where the number of [#names] is.
    int namesAt() {
        return writtenName() + nameLength();
    }

    /// How many record sets there are.
    public int sets() {
        return count;
    }

    /// The type of a set; they ascend.
    public int type(int set) {
        return octets16(sets[set]);
    }

    public int ttl(int set) {
        int at = sets[set] + 2;
        return octets16(at) << 16 | octets16(at + 2);
    }

    /// How many records a set has.
    public int records(int set) {
        return octets16(sets[set] + 6) & ~SIGNED;
    }

    /// How many signatures a set has.
    public int signatures(int set) {
        return signed(set) ? octets16(sets[set] + SET_HEAD) : 0;
    }

    private boolean signed(int set) {
        return (octets16(sets[set] + 6) & SIGNED) != 0;
    }

    /// Where the records of a set begin: two octets of length and the data, for each.
    public int data(int set) {
        return sets[set] + SET_HEAD + (signed(set) ? 2 : 0);
    }

    /// The set of a type, or -1.
    public int find(int type) {
        for (int set = 0; set < count; set++) {
            if (type(set) == type) {
                return set;
            }
        }
        return -1;
    }

    /// The octets of a record, from behind its length.
    byte[] record(int at) {
        return Arrays.copyOfRange(octets, at + 2, at + 2 + octets16(at));
    }

    private int octets16(int at) {
        return (octets[at] & 0xFF) << 8 | octets[at + 1] & 0xFF;
    }
}
