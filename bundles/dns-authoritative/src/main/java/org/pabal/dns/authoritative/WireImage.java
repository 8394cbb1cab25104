package org.pabal.dns.authoritative;

import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// An answer prepared as octets: everything that follows the question in a message.
///
/// ```
/// 0  u16  octets of records          8  u8   flags (AUTHORITATIVE)
/// 2  u16  records in answer          9  u8   next turn of the rotation
/// 4  u16  records in authority       10 u16  octets of one address record, 0 when nothing rotates
/// 6  u16  records in additional      12 u16  number of pointers
/// 14 pointers: u16 where, s16 how far before the end of the question's name; then the records
/// ```
/// Compression pointers (RFC 1035 §4.1.4) are kept as the distance from the end of the question's
/// name, because every name that we can point to ends where that name ends, or lies at a fixed
/// distance behind it. So one image serves every name below a cut or a wildcard, and every name
/// that does not exist.
final class WireImage {

    /// No image: the readable path answers.
    static final int NONE = -1;

    /// The longest image. Longer answers are rare and do not fit into UDP.
    static final int LIMIT = 4000;

    private static final int HEAD = 14;
    private static final int MAX_POINTERS = 250;
    private static final int AUTHORITATIVE = 1;
    private static final byte[] ROOT = {0};
    private static final short POINTER_TO_QUESTION = (short) 0xC00C;

    private final Arena arena;
    private final Arena records = new Arena(512);
    private final Arena pointers = new Arena(64);
    private final Map<Name, Integer> written = new HashMap<>();
    private Name base = Name.root;

    /// A writer of images, one after the other.
    ///
    /// @param arena where they go
    WireImage(Arena arena) {
        this.arena = arena;
    }

    /// Appends the image of an answer and returns where, or [#NONE] when it is too long.
    ///
    /// @param name the name that every question, to which this is the answer, is or ends with
    /// @param owner the owner in the answer section, which stands for the name in the question
    int append(Name name, Name owner, Answer answer) {
        base = name;
        records.cut(0);
        pointers.cut(0);
        written.clear();
        int answers = 0;
        for (RRset set : answer.answer()) {
            answers += write(set, set.getName().equals(owner));
        }
        int rotating = 0;
        if (answer.answer().size() == 1 && answers > 1) {
            RRset set = answer.answer().getFirst();
            rotating = Reply.isAddress(set.getType()) ? records.size() / answers : 0;
        }
        int authority = write(answer.authority());
        int additional = write(answer.glue()) + write(answer.additional());
        if (records.size() > LIMIT || pointers.size() > 4 * MAX_POINTERS) {
            return NONE;
        }
        int start = arena.take(HEAD);
        arena.setShort(start, records.size());
        arena.setShort(start + 2, answers);
        arena.setShort(start + 4, authority);
        arena.setShort(start + 6, additional);
        arena.setByte(start + 8, answer.authoritative() ? AUTHORITATIVE : 0);
        arena.setByte(start + 9, 0);
        arena.setShort(start + 10, rotating);
        arena.setShort(start + 12, pointers.size() / 4);
        arena.append(pointers);
        arena.append(records);
        return start;
    }

    private int write(List<RRset> sets) {
        int count = 0;
        for (RRset set : sets) {
            count += write(set, false);
        }
        return count;
    }

    private int write(RRset set, boolean asked) {
        List<Record> all = set.rrs(false);
        for (Record record : all) {
            if (asked) {
                records.appendShort(POINTER_TO_QUESTION);
            } else {
                write(record.getName());
            }
            records.appendShort(record.getType());
            records.appendShort(DClass.IN);
            records.appendInt((int) record.getTTL());
            int length = records.take(2);
            data(record);
            records.setShort(length, records.size() - length - 2);
        }
        return all.size();
    }

    /// RFC 3597 §4: names are compressed in the records of RFC 1035 only.
    private void data(Record record) {
        switch (record) {
            case NSRecord ns -> write(ns.getTarget());
            case CNAMERecord cname -> write(cname.getTarget());
            case PTRRecord ptr -> write(ptr.getTarget());
            case MXRecord mx -> {
                records.appendShort(mx.getPriority());
                write(mx.getTarget());
            }
            case SOARecord soa -> {
                write(soa.getHost());
                write(soa.getAdmin());
                records.appendInt((int) soa.getSerial());
                records.appendInt((int) soa.getRefresh());
                records.appendInt((int) soa.getRetry());
                records.appendInt((int) soa.getExpire());
                records.appendInt((int) soa.getMinimum());
            }
            default -> {
                byte[] wire = record.toWire(Section.ANSWER);
                records.append(wire, record.getName().length() + 10, wire.length);
            }
        }
    }

    private void write(Name name) {
        for (int label = 0; label < name.labels() - 1; label++) {
            Name rest = label == 0 ? name : new Name(name, label);
            if (base.subdomain(rest)) {
                point(rest.length());
                return;
            }
            Integer at = written.putIfAbsent(rest, records.size());
            if (at != null) {
                point(-(4 + at)); // type and class of the question lie between
                return;
            }
            byte[] octets = name.getLabel(label);
            records.append(octets, 0, octets.length);
        }
        records.append(ROOT, 0, 1);
    }

    private void point(int distance) {
        pointers.appendShort(records.size());
        pointers.appendShort(distance);
        records.appendShort(0);
    }

    /// The octets that the records of an image take.
    static int size(byte[] arena, int image) {
        return (short) Arena.SHORT.get(arena, image) & 0xFFFF;
    }

    static int answers(byte[] arena, int image) {
        return (short) Arena.SHORT.get(arena, image + 2) & 0xFFFF;
    }

    static int authority(byte[] arena, int image) {
        return (short) Arena.SHORT.get(arena, image + 4) & 0xFFFF;
    }

    static int additional(byte[] arena, int image) {
        return (short) Arena.SHORT.get(arena, image + 6) & 0xFFFF;
    }

    static boolean authoritative(byte[] arena, int image) {
        return arena[image + 8] != 0;
    }

    /// Writes the records of an image.
    ///
    /// @param nameEnd the offset in the message at which the question's name ends
    /// @param message the index in `out` at which the message starts; `out` stands behind its
    ///     question
    /// @param order which of several addresses comes first
    static void put(
            byte[] arena, int image, int nameEnd, int message, ByteBuffer out, AddressOrder order) {
        int count = (short) Arena.SHORT.get(arena, image + 12) & 0xFFFF;
        int size = size(arena, image);
        int from = image + HEAD + 4 * count;
        int record = (short) Arena.SHORT.get(arena, image + 10) & 0xFFFF;
        if (record == 0) {
            out.put(arena, from, size);
        } else {
            int addresses = answers(arena, image);
            int split = order.first(arena, image + 9, from, record, addresses) * record;
            out.put(arena, from + split, addresses * record - split);
            out.put(arena, from, split);
            out.put(arena, from + addresses * record, size - addresses * record);
        }
        int records = message + nameEnd + 4;
        for (int i = 0; i < count; i++) {
            int entry = (int) Arena.INT.get(arena, image + HEAD + 4 * i);
            out.putShort(records + (entry >>> 16), (short) (0xC000 | nameEnd - (short) entry));
        }
    }
}
