package org.pabal.dns.authoritative;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// A dynamic update (RFC 2136) as it was sent, checked as far as this can be done without the zone.
record UpdateMessage(Name zone, List<Prerequisite> prerequisites, List<Change> changes) {

    /// RFC 2136 §2.4
    sealed interface Prerequisite {
        Name name();
    }

    /// §2.4.1: exists, value independent. §2.4.3: does not exist. Type ANY is the name itself,
    /// §2.4.4 and §2.4.5.
    record Presence(Name name, int type, boolean wanted) implements Prerequisite {}

    /// §2.4.2: exists, value dependent; one record of the set.
    record Value(Record record) implements Prerequisite {
        @Override
        public Name name() {
            return record.getName();
        }
    }

    /// RFC 2136 §2.5
    sealed interface Change {
        Name name();

        int type();
    }

    /// §2.5.1
    record Add(Record record) implements Change {
        @Override
        public Name name() {
            return record.getName();
        }

        @Override
        public int type() {
            return record.getType();
        }
    }

    /// §2.5.2, and §2.5.3 when the type is ANY
    record DeleteSet(Name name, int type) implements Change {}

    /// §2.5.4
    ///
    /// @param record of class IN
    record Delete(Record record) implements Change {
        @Override
        public Name name() {
            return record.getName();
        }

        @Override
        public int type() {
            return record.getType();
        }
    }

    /// An update that is not made, with the rcode that says so.
    static final class Refusal extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;
        private final int rcode;

        /// @param why for the log
        Refusal(int rcode, String why) {
            super(why);
            this.rcode = rcode;
        }

        int rcode() {
            return rcode;
        }
    }

    UpdateMessage {
        prerequisites = List.copyOf(prerequisites);
        changes = List.copyOf(changes);
    }

    /// @param octets with a zone section that [Query] has found good
    /// @throws Refusal when it is no such message
    static UpdateMessage read(Name zone, byte[] octets) {
        Message message;
        try {
            message = new Message(octets);
        } catch (IOException | RuntimeException e) {
            throw new Refusal(Rcode.FORMERR, "a record that cannot be read");
        }
        List<Prerequisite> prerequisites = new ArrayList<>();
        for (Record record : message.getSection(Section.PREREQ)) {
            prerequisites.add(prerequisite(zone, record));
        }
        List<Change> changes = new ArrayList<>();
        for (Record record : message.getSection(Section.UPDATE)) {
            changes.add(change(zone, record));
        }
        return new UpdateMessage(zone, prerequisites, changes);
    }

    /// RFC 2136 §3.2.5
    private static Prerequisite prerequisite(Name zone, Record record) {
        if (record.getTTL() != 0) {
            throw malformed(record, "a prerequisite has TTL 0");
        }
        inside(zone, record);
        return switch (record.getDClass()) {
            case DClass.ANY, DClass.NONE -> {
                if (!empty(record)) {
                    throw malformed(record, "class ANY or NONE goes without data here");
                }
                boolean wanted = record.getDClass() == DClass.ANY;
                yield new Presence(record.getName(), record.getType(), wanted);
            }
            case DClass.IN -> new Value(whole(record));
            default -> throw malformed(record, "not of the zone's class");
        };
    }

    /// RFC 2136 §3.4.1.3, the prescan
    private static Change change(Name zone, Record record) {
        inside(zone, record);
        int type = record.getType();
        return switch (record.getDClass()) {
            case DClass.IN -> {
                if (forMessages(type)) {
                    throw malformed(record, "no type that can be added");
                }
                yield new Add(whole(record));
            }
            case DClass.ANY -> {
                if (record.getTTL() != 0
                        || !empty(record)
                        || type != Type.ANY && forMessages(type)) {
                    throw malformed(record, "a set is deleted with TTL 0 and without data");
                }
                yield new DeleteSet(record.getName(), type);
            }
            case DClass.NONE -> {
                if (record.getTTL() != 0 || forMessages(type)) {
                    throw malformed(record, "a record is deleted with TTL 0");
                }
                yield new Delete(whole(record));
            }
            default -> throw malformed(record, "not of the zone's class");
        };
    }

    private static void inside(Name zone, Record record) {
        if (!record.getName().subdomain(zone)) {
            throw new Refusal(Rcode.NOTZONE, record.getName() + " is not in the zone");
        }
    }

    /// RFC 6895 §3.1: 128 to 255 are for questions; OPT and NULL are for messages too.
    private static boolean forMessages(int type) {
        return type == 0 || type >= 128 && type < 256 || type == Type.OPT || type == Type.NULL;
    }

    private static boolean empty(Record record) {
        return data(record).length == 0;
    }

    /// What dnsjava has read it cannot always write again, a WKS record without services for one.
    private static byte[] data(Record record) {
        try {
            return record.rdataToWireCanonical();
        } catch (RuntimeException e) {
            throw malformed(record, "its data is not what its type has");
        }
    }

    /// The record with its data and of class IN. dnsjava makes an empty record, whatever its type,
    /// of one without data, which only few types may be (RFC 3123, RFC 3597).
    private static Record whole(Record record) {
        if (record.getDClass() == DClass.IN && !empty(record)) {
            return record;
        }
        Record whole =
                Record.newRecord(
                        record.getName(),
                        record.getType(),
                        DClass.IN,
                        record.getTTL(),
                        data(record));
        if (whole == null) {
            throw malformed(record, "its data is missing");
        }
        return whole;
    }

    private static Refusal malformed(Record record, String why) {
        return new Refusal(
                Rcode.FORMERR,
                record.getName()
                        + " "
                        + DClass.string(record.getDClass())
                        + " "
                        + Type.string(record.getType())
                        + ": "
                        + why);
    }
}
