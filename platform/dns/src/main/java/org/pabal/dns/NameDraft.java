package org.pabal.dns;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRSIGRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a name of a zone will have, while it is being edited.
final class NameDraft {

    /// More would not fit into a message (RFC 1035 §4.2.2), however small the records are.
    private static final int MAX_SET_SIZE = 4_096;

    private static final int MAX_SET_OCTETS = 65_000;

    /// Types whose data dnsjava reads back for certain when it could write it.
    private static final Set<Integer> COMMON =
            Set.of(Type.A, Type.AAAA, Type.NS, Type.CNAME, Type.MX, Type.PTR, Type.SOA, Type.TXT);

    final Name name;

    /// Whether the name was there before, with or without records.
    final boolean known;

    /// How many names there are one label below.
    int names;

    private final List<SetDraft> sets = new ArrayList<>(4);
    private final boolean hadNsec;
    private final boolean hadNsec3;

    private static final class SetDraft {
        final int type;
        long ttl;
        final List<byte[]> records = new ArrayList<>(1);
        List<byte[]> signatures = List.of();

        SetDraft(int type, long ttl) {
            this.type = type;
            this.ttl = ttl;
        }

        int size() {
            return records.size() + signatures.size();
        }

        int type() {
            return type;
        }
    }

    /// A name that is new.
    NameDraft(Name name) {
        this.name = name;
        this.known = false;
        this.hadNsec = false;
        this.hadNsec3 = false;
    }

    /// A name that is there.
    NameDraft(Name name, PackedName packed) {
        this.name = name;
        this.known = true;
        this.names = packed.names();
        this.hadNsec = packed.find(Type.NSEC) >= 0;
        this.hadNsec3 = packed.find(Type.NSEC3) >= 0;
        for (int set = 0; set < packed.sets(); set++) {
            SetDraft draft = new SetDraft(packed.type(set), packed.ttl(set) & 0xFFFF_FFFFL);
            int at = packed.data(set);
            for (int i = 0; i < packed.records(set); i++) {
                byte[] data = packed.record(at);
                draft.records.add(data);
                at += 2 + data.length;
            }
            for (int i = 0; i < packed.signatures(set); i++) {
                byte[] data = packed.record(at);
                signatures(draft).add(data);
                at += 2 + data.length;
            }
            sets.add(draft);
        }
    }

    private static List<byte[]> signatures(SetDraft set) {
        if (set.signatures.isEmpty()) {
            set.signatures = new ArrayList<>(1);
        }
        return set.signatures;
    }

    /// Whether the name exists (RFC 4592 §2.2.2: also when only a name below it does).
    boolean exists() {
        return !sets.isEmpty() || names > 0;
    }

    boolean has(int type) {
        return sets.stream().anyMatch(set -> set.type == type);
    }

    /// Whether it had NSEC or NSEC3 before.
    boolean had(int type) {
        return type == Type.NSEC ? hadNsec : hadNsec3;
    }

    /// How many records of a type it has.
    int count(int type) {
        SetDraft set = set(type);
        return set == null ? 0 : set.records.size();
    }

    /// How many sets make answers to those who want DNSSEC differ from others.
    int signed() {
        int signed = 0;
        for (SetDraft set : sets) {
            if (set.type == Type.DS || !set.signatures.isEmpty()) {
                signed++;
            }
        }
        return signed;
    }

    /// How many records there are, signatures included.
    int size() {
        int size = 0;
        for (SetDraft set : sets) {
            size += set.size();
        }
        return size;
    }

    /// RFC 2181 §5.2: the set gets the smallest TTL; a record that is there already stays one.
    ///
    /// @throws IllegalArgumentException when it cannot be kept
    void add(Record record) {
        SetDraft set = set(record.getRRsetType());
        if (set == null) {
            set = new SetDraft(record.getRRsetType(), record.getTTL());
            sets.add(set);
        } else if (set.size() >= MAX_SET_SIZE) {
            throw fault(set.type, "more than " + MAX_SET_SIZE + " records");
        }
        byte[] data = data(record);
        if (!COMMON.contains(record.getType()) && !readable(record, data)) {
            throw fault(set.type, "its data cannot be sent");
        }
        boolean signature = record instanceof RRSIGRecord;
        boolean there = find(signature ? set.signatures : set.records, record, data) >= 0;
        if (there && set.size() == 1) {
            set.ttl = record.getTTL();
        }
        set.ttl = Math.min(set.ttl, record.getTTL());
        if (!there) {
            (signature ? signatures(set) : set.records).add(data);
        }
    }

    /// Whatever its TTL.
    void remove(Record record) {
        SetDraft set = set(record.getRRsetType());
        if (set != null && record.getDClass() == DClass.IN) {
            List<byte[]> records = record instanceof RRSIGRecord ? set.signatures : set.records;
            int at = find(records, record, data(record));
            if (at >= 0) {
                records.remove(at);
            }
            if (set.size() == 0) {
                sets.remove(set);
            }
        }
    }

    private SetDraft set(int type) {
        for (SetDraft set : sets) {
            if (set.type == type) {
                return set;
            }
        }
        return null;
    }

    private static byte[] data(Record record) {
        byte[] wire = record.toWire(Section.ANSWER);
        return Arrays.copyOfRange(wire, record.getName().length() + 10, wire.length);
    }

    private static boolean readable(Record record, byte[] data) {
        Record again =
                Record.newRecord(
                        record.getName(), record.getType(), DClass.IN, record.getTTL(), data);
        return again != null && again.equals(record);
    }

    /// Data is the same when it differs in the case of names only (RFC 4034 §6.2).
    private int find(List<byte[]> records, Record record, byte[] data) {
        for (int i = 0; i < records.size(); i++) {
            byte[] there = records.get(i);
            if (there.length == data.length
                    && (Arrays.equals(there, data)
                            || sameLetters(there, data)
                                    && record.equals(
                                            Record.newRecord(
                                                    record.getName(),
                                                    record.getType(),
                                                    DClass.IN,
                                                    0,
                                                    there)))) {
                return i;
            }
        }
        return -1;
    }

    private static boolean sameLetters(byte[] one, byte[] other) {
        for (int i = 0; i < one.length; i++) {
            if (lower(one[i]) != lower(other[i])) {
                return false;
            }
        }
        return true;
    }

    private static byte lower(byte octet) {
        return octet >= 'A' && octet <= 'Z' ? (byte) (octet + 32) : octet;
    }

    /// Why it cannot be served.
    Optional<String> fault() {
        for (SetDraft set : sets) {
            if (set.records.isEmpty()) {
                return Optional.of(
                        name
                                + " has a signature of "
                                + Type.string(set.type)
                                + " and no such record");
            }
            if ((set.type == Type.CNAME || set.type == Type.DNAME) && set.records.size() > 1) {
                // RFC 2181 §10.1, RFC 6672 §2.4
                return Optional.of(name + " has more than one " + Type.string(set.type));
            }
            if (set.type == Type.CNAME && sets.stream().anyMatch(NameDraft::notBesideCname)) {
                return Optional.of(name + " has CNAME and other data"); // RFC 1034 §3.6.2
            }
            if (set.records.size() > 16
                    && set.records.stream().mapToInt(data -> 12 + data.length).sum()
                            > MAX_SET_OCTETS) {
                return Optional.of(
                        name
                                + " "
                                + Type.string(set.type)
                                + ": its records do not fit into one message");
            }
        }
        return Optional.empty();
    }

    /// RFC 4034 §2.5, §4: DNSSEC's own records may stand beside a CNAME.
    private static boolean notBesideCname(SetDraft set) {
        return set.type != Type.CNAME && set.type != Type.NSEC;
    }

    private IllegalArgumentException fault(int type, String what) {
        return new IllegalArgumentException(name + " " + Type.string(type) + ": " + what);
    }

    /// Puts the name into a table.
    ///
    /// @param below how many octets the name has without its origin
    int write(NameTable.Edit table, int below) {
        sets.sort(Comparator.comparingInt(SetDraft::type));
        byte[] written = name.toWire();
        int octets = NameTable.NAME + 2 * below + 6;
        for (SetDraft set : sets) {
            octets += PackedName.SET_HEAD + 2;
            for (byte[] data : set.records) {
                octets += 2 + data.length;
            }
            for (byte[] data : set.signatures) {
                octets += 2 + data.length;
            }
        }
        byte[] node = new byte[octets];
        boolean cased = false;
        for (int i = 0; i < below; i++) {
            node[NameTable.NAME + i] = lower(written[i]);
            cased |= written[i] != lower(written[i]);
        }
        node[0] = (byte) below;
        int at = NameTable.NAME + below;
        if (cased) {
            node[1] = PackedName.CASED;
            System.arraycopy(written, 0, node, at, below);
            at += below;
        }
        at = put16(node, put16(node, put16(node, at, names >>> 16), names), sets.size());
        for (SetDraft set : sets) {
            int signatures = set.signatures.size();
            at = put16(node, at, set.type);
            at = put16(node, put16(node, at, (int) (set.ttl >>> 16)), (int) set.ttl);
            at = put16(node, at, set.records.size() | (signatures > 0 ? PackedName.SIGNED : 0));
            if (signatures > 0) {
                at = put16(node, at, signatures);
            }
            for (byte[] data : set.records) {
                at = put(node, at, data);
            }
            for (byte[] data : set.signatures) {
                at = put(node, at, data);
            }
        }
        return table.put(node, at);
    }

    private static int put(byte[] node, int at, byte[] data) {
        System.arraycopy(data, 0, node, at + 2, data.length);
        return put16(node, at, data.length) + data.length;
    }

    private static int put16(byte[] node, int at, int value) {
        node[at] = (byte) (value >> 8);
        node[at + 1] = (byte) value;
        return at + 2;
    }
}
