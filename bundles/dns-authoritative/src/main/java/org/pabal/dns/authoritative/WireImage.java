package org.pabal.dns.authoritative;

import org.pabal.dns.NameHash;
import org.pabal.dns.PackedName;
import org.pabal.dns.server.BigEndian;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Type;

import java.nio.ByteBuffer;
import java.util.Arrays;

/// An answer prepared as octets: what follows the question in a message.
///
/// ```
/// 0  u16  octets of records          5  u8  records in authority
/// 2  u8   flags                      6  u8  pointers
/// 3  u8   next turn of the rotation  7  u8  hosts
/// 4  u8   records in answer
/// 8  pointers: u16 where, s16 how far before the end of the question's name
///    hosts: s16 pointer to its name or 0, u8 length of its name without the origin, u32 hash, name
///    records
/// ```
/// Compression pointers (RFC 1035 §4.1.4) are kept as the distance from the end of the question's
/// name, because every name that we can point to ends where that name ends, or lies at a fixed
/// distance behind it. So one image serves every name below a cut or a wildcard, and every name
/// that does not exist.
///
/// Hosts are those of our zone whose addresses belong into the additional section. They are looked
/// up when the image is sent, so that a host's new address touches no image but its own.
final class WireImage {

    /// No image: the readable path answers.
    static final int NONE = -1;

    /// The longest image. Longer answers are rare and do not fit into UDP.
    static final int LIMIT = 4000;

    static final int HEAD = 8;
    static final int HOST_HEAD = 7;

    private static final int MAX_COUNT = 255;
    private static final int AUTHORITATIVE = 1;
    private static final int ROTATES = 2;
    private static final int POINTER_TO_QUESTION = 0xC00C;

    /// Lower case, as all names here are but those that are sent.
    private final byte[] origin;

    private final byte[] records = new byte[LIMIT];
    private final byte[] pointers = new byte[4 * MAX_COUNT];
    private final byte[] hosts = new byte[LIMIT];

    /// Names that are in the records in full, and where: what later names may point to.
    private final byte[] written = new byte[2 * LIMIT];

    private final int[] suffixes = new int[LIMIT];

    private byte[] base = {0};
    private int baseFrom;
    private int baseTo;
    private int size;
    private int pointerCount;
    private int hostCount;
    private int hostSize;
    private int writtenSize;
    private int suffixCount;
    private boolean tooLong;

    /// A writer of images of one zone, one after the other.
    WireImage(byte[] origin) {
        this.origin = origin;
    }

    /// Every question, to which the following images are the answer, is or ends with this name; it
    /// ends with the origin.
    void under(byte[] name, int from, int to) {
        base = name;
        baseFrom = from;
        baseTo = to;
    }

    /// Writes the answer that a set is.
    ///
    /// @return where it ends, or [#NONE] when it is too long
    int answer(PackedName name, int set, byte[] into, int at) {
        begin();
        int type = name.type(set);
        int count = name.records(set);
        write(name, set, name.ttl(set), true);
        boolean rotates = count > 1 && (type == Type.A || type == Type.AAAA);
        return end(into, at, AUTHORITATIVE | (rotates ? ROTATES : 0), count, 0);
    }

    /// Writes the referral that the NS records at a cut are (RFC 1034 §4.3.2 step 3b).
    int referral(PackedName cut, int set, byte[] into, int at) {
        begin();
        write(cut, set, cut.ttl(set), false);
        return end(into, at, 0, 0, cut.records(set));
    }

    /// Writes the negative answer, the SOA. RFC 2308 §3: its TTL is the lesser of its own and its
    /// MINIMUM.
    int negative(PackedName apex, int soa, byte[] into, int at) {
        begin();
        byte[] octets = apex.octets();
        int data = apex.data(soa);
        int end = data + 2 + octets16(octets, data);
        int minimum = (int) BigEndian.INT.get(octets, end - 4);
        int ttl = apex.ttl(soa);
        write(apex, soa, Integer.compareUnsigned(minimum, ttl) < 0 ? minimum : ttl, false);
        return end(into, at, AUTHORITATIVE, 0, 1);
    }

    private void begin() {
        size = 0;
        pointerCount = 0;
        hostCount = 0;
        hostSize = 0;
        writtenSize = 0;
        suffixCount = 0;
        tooLong = false;
    }

    private int end(byte[] into, int at, int flags, int answers, int authority) {
        if (tooLong
                || size > LIMIT
                || answers > MAX_COUNT
                || authority > MAX_COUNT
                || at + HEAD + 4 * pointerCount + hostSize + size > into.length) {
            return NONE;
        }
        BigEndian.SHORT.set(into, at, (short) size);
        into[at + 2] = (byte) flags;
        into[at + 3] = 0;
        into[at + 4] = (byte) answers;
        into[at + 5] = (byte) authority;
        into[at + 6] = (byte) pointerCount;
        into[at + 7] = (byte) hostCount;
        int to = at + HEAD;
        System.arraycopy(pointers, 0, into, to, 4 * pointerCount);
        to += 4 * pointerCount;
        System.arraycopy(hosts, 0, into, to, hostSize);
        to += hostSize;
        System.arraycopy(records, 0, into, to, size);
        return to + size;
    }

    private void write(PackedName name, int set, int ttl, boolean asked) {
        byte[] octets = name.octets();
        int type = name.type(set);
        int at = name.data(set);
        for (int i = name.records(set); i > 0 && !tooLong; i--) {
            int length = octets16(octets, at);
            at += 2;
            if (asked) {
                append16(POINTER_TO_QUESTION);
            } else {
                write(base, baseFrom);
            }
            append16(type);
            append16(DClass.IN);
            append16(ttl >>> 16);
            append16(ttl);
            append16(0);
            int start = size;
            data(type, octets, at, length);
            if (!tooLong) {
                BigEndian.SHORT.set(records, start - 2, (short) (size - start));
            }
            at += length;
        }
    }

    /// RFC 3597 §4: names are compressed in the records of RFC 1035 only. Hosts: RFC 1035 §3.3.9
    /// and §3.3.11, RFC 2782.
    private void data(int type, byte[] octets, int at, int length) {
        switch (type) {
            case Type.NS -> host(octets, at, write(octets, at));
            case Type.CNAME, Type.PTR -> write(octets, at);
            case Type.MX -> {
                append(octets, at, 2);
                host(octets, at + 2, write(octets, at + 2));
            }
            case Type.SOA -> {
                write(octets, at);
                int admin = at + length(octets, at);
                write(octets, admin);
                append(octets, at + length - 20, 20);
            }
            case Type.SRV -> {
                append(octets, at, length);
                host(octets, at + 6, 0); // a name that is not of RFC 1035 is no target of pointers
            }
            default -> append(octets, at, length);
        }
    }

    private void append16(int value) {
        if (size + 2 > LIMIT) {
            tooLong = true;
            return;
        }
        records[size++] = (byte) (value >> 8);
        records[size++] = (byte) value;
    }

    private void append(byte[] octets, int from, int length) {
        if (size + length > LIMIT) {
            tooLong = true;
            return;
        }
        System.arraycopy(octets, from, records, size, length);
        size += length;
    }

    /// Writes a name and returns how far before the end of the question's name it can be found, as
    /// pointers have it, or 0 for the root.
    private int write(byte[] name, int from) {
        int length = length(name, from);
        int copy = writtenSize;
        boolean room = copy + length <= written.length;
        if (room) {
            System.arraycopy(name, from, written, copy, length);
            writtenSize += length;
        }
        int found = 0;
        for (int at = from; name[at] != 0; at += 1 + name[at]) {
            int rest = from + length - at;
            int distance =
                    endsWith(base, baseFrom, baseTo, name, at, rest) ? rest : known(name, at, rest);
            if (distance != 0) {
                point(distance);
                return found == 0 ? distance : found;
            }
            distance = -(4 + size); // type and class of the question lie between
            if (room && suffixCount + 3 <= suffixes.length) {
                suffixes[suffixCount++] = copy + at - from;
                suffixes[suffixCount++] = rest;
                suffixes[suffixCount++] = distance;
            }
            append(name, at, 1 + name[at]);
            found = found == 0 ? distance : found;
        }
        append(name, from + length - 1, 1);
        return found;
    }

    private int known(byte[] name, int at, int length) {
        for (int i = 0; i < suffixCount; i += 3) {
            if (suffixes[i + 1] == length && same(written, suffixes[i], name, at, length)) {
                return suffixes[i + 2];
            }
        }
        return 0;
    }

    private void point(int distance) {
        if (pointerCount == MAX_COUNT) {
            tooLong = true;
            return;
        }
        BigEndian.SHORT.set(pointers, 4 * pointerCount, (short) size);
        BigEndian.SHORT.set(pointers, 4 * pointerCount + 2, (short) distance);
        pointerCount++;
        append16(0);
    }

    /// Notes a host whose addresses are sent too when they are ours. A set is in a message once,
    /// however many records lead to it.
    private void host(byte[] octets, int at, int pointer) {
        int length = length(octets, at);
        int below = length - origin.length;
        if (!endsWith(octets, at, at + length, origin, 0, origin.length)) {
            return;
        }
        byte[] name = Arrays.copyOfRange(octets, at, at + length);
        for (int i = 0; i < length; i++) {
            name[i] = lower(name[i]);
        }
        for (int i = 0, other = 0; i < hostCount; i++) {
            int octetsOfOther = hosts[other + 2] & 0xFF;
            if (Arrays.equals(
                    hosts, other + HOST_HEAD, other + HOST_HEAD + octetsOfOther, name, 0, below)) {
                return;
            }
            other += HOST_HEAD + octetsOfOther;
        }
        if (hostCount == MAX_COUNT || hostSize + HOST_HEAD + below > hosts.length) {
            tooLong = true;
            return;
        }
        BigEndian.SHORT.set(hosts, hostSize, (short) pointer);
        hosts[hostSize + 2] = (byte) below;
        BigEndian.INT.set(hosts, hostSize + 3, NameHash.of(name, 0, length));
        System.arraycopy(name, 0, hosts, hostSize + HOST_HEAD, below);
        hostSize += HOST_HEAD + below;
        hostCount++;
    }

    /// How many octets a name takes, its root included.
    private static int length(byte[] octets, int from) {
        int at = from;
        while (octets[at] != 0) {
            at += 1 + octets[at];
        }
        return at + 1 - from;
    }

    /// Whether a name from one octet to another ends with a name of some length.
    private static boolean endsWith(
            byte[] name, int from, int to, byte[] end, int endFrom, int length) {
        int start = to - length;
        int label = from;
        while (label < start) {
            label += 1 + name[label];
        }
        return label == start && same(name, start, end, endFrom, length);
    }

    private static boolean same(byte[] one, int from, byte[] other, int otherFrom, int length) {
        for (int i = 0; i < length; i++) {
            if (one[from + i] != other[otherFrom + i]
                    && lower(one[from + i]) != lower(other[otherFrom + i])) {
                return false;
            }
        }
        return true;
    }

    private static byte lower(byte octet) {
        return octet >= 'A' && octet <= 'Z' ? (byte) (octet + 32) : octet;
    }

    private static int octets16(byte[] octets, int at) {
        return (short) BigEndian.SHORT.get(octets, at) & 0xFFFF;
    }

    /// The octets that the records of an image take.
    static int size(ByteBuffer segment, int image) {
        return segment.getShort(image) & 0xFFFF;
    }

    static int answers(ByteBuffer segment, int image) {
        return segment.get(image + 4) & 0xFF;
    }

    static int authority(ByteBuffer segment, int image) {
        return segment.get(image + 5) & 0xFF;
    }

    static boolean authoritative(ByteBuffer segment, int image) {
        return (segment.get(image + 2) & AUTHORITATIVE) != 0;
    }

    private static int pointers(ByteBuffer segment, int image) {
        return segment.get(image + 6) & 0xFF;
    }

    static int hosts(ByteBuffer segment, int image) {
        return segment.get(image + 7) & 0xFF;
    }

    /// Where the first host is.
    static int firstHost(ByteBuffer segment, int image) {
        return image + HEAD + 4 * pointers(segment, image);
    }

    /// Where a host's name is, without the origin, and how long it is.
    static int hostName(int host) {
        return host + HOST_HEAD;
    }

    static int hostLength(ByteBuffer segment, int host) {
        return segment.get(host + 2) & 0xFF;
    }

    static int hostHash(ByteBuffer segment, int host) {
        return segment.getInt(host + 3);
    }

    /// How far before the end of the question's name the host's name can be found, or 0.
    static int hostPointer(ByteBuffer segment, int host) {
        return segment.getShort(host);
    }

    /// Where an image ends.
    static int end(ByteBuffer segment, int image) {
        return records(segment, image) + size(segment, image);
    }

    private static int records(ByteBuffer segment, int image) {
        int at = firstHost(segment, image);
        for (int i = hosts(segment, image); i > 0; i--) {
            at += HOST_HEAD + hostLength(segment, at);
        }
        return at;
    }

    /// Writes the records of an image.
    ///
    /// @param nameEnd the offset in the message at which the question's name ends
    /// @param message the index in `out` at which the message starts; `out` stands behind its
    ///     question
    /// @param order which of several addresses comes first
    static void put(
            ByteBuffer segment,
            int image,
            int nameEnd,
            int message,
            ByteBuffer out,
            AddressOrder order) {
        int size = size(segment, image);
        int from = records(segment, image);
        int to = out.position();
        if ((segment.get(image + 2) & ROTATES) == 0) {
            out.put(to, segment, from, size);
        } else {
            int addresses = answers(segment, image);
            int record = size / addresses;
            int split = order.first(segment, image + 3, from, record, addresses) * record;
            out.put(to, segment, from + split, size - split);
            out.put(to + size - split, segment, from, split);
        }
        out.position(to + size);
        int start = message + nameEnd + 4;
        for (int i = pointers(segment, image), at = image + HEAD; i > 0; i--, at += 4) {
            int entry = segment.getInt(at);
            out.putShort(start + (entry >>> 16), (short) (0xC000 | nameEnd - (short) entry));
        }
    }
}
