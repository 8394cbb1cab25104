package org.pabal.dns.authoritative;

import org.pabal.dns.Serial;
import org.pabal.dns.ZoneChange;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Puts the messages of a zone transfer together: RFC 5936 §2.2 and RFC 1995 §4.
///
/// Nothing that it reads counts before the closing SOA. It takes no more records and octets than it
/// was told to (security row D23), and no message without records: a primary that never ends is
/// cut.
final class TransferReader {

    private enum Place {
        BEGINNING,
        SECOND_RECORD,
        WHOLE,
        REMOVALS,
        ADDITIONS,
        END
    }

    private final Name origin;
    private final int id;
    private final Optional<SOARecord> ours;
    private final long maxRecords;
    private final long maxOctets;

    private Place place = Place.BEGINNING;
    private boolean answered;
    private long records;
    private long octets;
    private long dropped;

    /// The version of the primary.
    private SOARecord last;

    private SOARecord from;
    private SOARecord to;
    private boolean newer = true;
    private List<Record> removed = new ArrayList<>();
    private List<Record> added = new ArrayList<>();
    private final List<ZoneChange> steps = new ArrayList<>();
    private boolean incremental;

    /// @param id of the request
    /// @param ours the version that we have, when the request was for steps (IXFR)
    TransferReader(Name origin, int id, Optional<SOARecord> ours, long maxRecords, long maxOctets) {
        this.origin = origin;
        this.id = id;
        this.ours = ours;
        this.maxRecords = maxRecords;
        this.maxOctets = maxOctets;
    }

    /// Takes the next message.
    ///
    /// @return whether it was the last
    /// @throws TransferFault when this is no transfer of the zone
    boolean accept(Message message, int length) throws TransferFault {
        checkHeader(message);
        octets += length;
        if (octets > maxOctets) {
            throw new TransferFault(
                    "more than " + maxOctets + " octets, see max-zone-size; transfer cut");
        }
        List<Record> answer = message.getSection(Section.ANSWER);
        if (answer.isEmpty()) {
            throw new TransferFault("a message without records inside the transfer");
        }
        for (Record record : answer) {
            if (++records > maxRecords) {
                throw new TransferFault(
                        "more than " + maxRecords + " records, see max-zone-records; transfer cut");
            }
            accept(record);
        }
        if (place == Place.SECOND_RECORD && !newer) {
            place = Place.END; // RFC 1995 §2: one SOA, not newer than ours
        }
        return place == Place.END;
    }

    /// RFC 5936 §2.2.1; the question may be left out after the first message.
    private void checkHeader(Message message) throws TransferFault {
        if (message.getHeader().getID() != id
                || !message.getHeader().getFlag(Flags.QR)
                || message.getHeader().getOpcode() != Opcode.QUERY) {
            throw new TransferFault("a message that is no answer to our request");
        }
        if (message.getRcode() != Rcode.NOERROR) {
            throw new TransferFault(
                    (ours.isPresent() ? "IXFR" : "AXFR")
                            + " refused with "
                            + Rcode.string(message.getRcode()));
        }
        if (message.getHeader().getFlag(Flags.TC)) {
            throw new TransferFault("a truncated message over a stream");
        }
        Record question = message.getQuestion();
        int type = ours.isPresent() ? Type.IXFR : Type.AXFR;
        if (question != null
                && (!question.getName().equals(origin) || question.getType() != type)) {
            throw new TransferFault("answers another question: " + question);
        }
        answered = true;
    }

    private void accept(Record record) throws TransferFault {
        if (record.getDClass() != DClass.IN) {
            throw new TransferFault(
                    record.getName() + ": class " + DClass.string(record.getDClass()));
        }
        boolean soa = record instanceof SOARecord && record.getName().equals(origin);
        switch (place) {
            case BEGINNING -> begin(soa, record);
            case SECOND_RECORD -> second(soa, record);
            case WHOLE -> {
                if (!soa) {
                    add(added, record);
                } else if (record.equals(last)) {
                    place = Place.END;
                } else {
                    throw new TransferFault(
                            "begins with serial "
                                    + last.getSerial()
                                    + " and ends with another SOA, serial "
                                    + ((SOARecord) record).getSerial());
                }
            }
            case REMOVALS -> {
                if (soa) {
                    to = (SOARecord) record;
                    place = Place.ADDITIONS;
                } else {
                    add(removed, record);
                }
            }
            case ADDITIONS -> {
                if (soa) {
                    endOfStep((SOARecord) record);
                } else {
                    add(added, record);
                }
            }
            case END -> throw new TransferFault("records behind the closing SOA");
        }
    }

    private void begin(boolean soa, Record record) throws TransferFault {
        if (!soa) {
            throw new TransferFault(
                    "begins with "
                            + record.getName()
                            + " "
                            + Type.string(record.getType())
                            + ", expected the SOA of the zone");
        }
        last = (SOARecord) record;
        newer = ours.map(our -> Serial.follows(last.getSerial(), our.getSerial())).orElse(true);
        place = Place.SECOND_RECORD;
    }

    /// RFC 1995 §4: an SOA with another serial begins steps, anything else a whole zone.
    private void second(boolean soa, Record record) throws TransferFault {
        if (soa && ours.isPresent() && ((SOARecord) record).getSerial() != last.getSerial()) {
            incremental = true;
            from = (SOARecord) record;
            if (from.getSerial() != ours.get().getSerial()) {
                throw new TransferFault(
                        "its steps begin at serial "
                                + from.getSerial()
                                + ", ours is "
                                + ours.get().getSerial());
            }
            place = Place.REMOVALS;
        } else {
            place = Place.WHOLE;
            accept(record);
        }
    }

    private void endOfStep(SOARecord next) throws TransferFault {
        if (!Serial.follows(to.getSerial(), from.getSerial())) {
            throw new TransferFault(
                    "a step from serial " + from.getSerial() + " to " + to.getSerial());
        }
        steps.add(new ZoneChange(from, to, removed, added));
        removed = new ArrayList<>();
        added = new ArrayList<>();
        if (to.getSerial() == last.getSerial()) {
            if (!next.equals(last) || !to.equals(last)) {
                throw new TransferFault("its steps do not lead to the SOA that it began with");
            }
            place = Place.END;
        } else {
            if (next.getSerial() != to.getSerial()) {
                throw new TransferFault(
                        "a step ends at serial "
                                + to.getSerial()
                                + " and the next begins at "
                                + next.getSerial());
            }
            from = next;
            place = Place.REMOVALS;
        }
    }

    private void add(List<Record> to, Record record) {
        if (record.getName().subdomain(origin)) {
            to.add(record);
        } else {
            dropped++;
        }
    }

    /// Whether a message was accepted at all: a server that does not know IXFR may end the stream.
    boolean answered() {
        return answered;
    }

    /// What was transferred, after the last message.
    Transfer transfer() {
        if (place != Place.END) {
            throw new IllegalStateException("zone " + origin + ": transfer is not complete");
        }
        if (incremental) {
            return new Transfer.Steps(List.copyOf(steps));
        }
        if (!newer) {
            return new Transfer.Current(last.getSerial());
        }
        added.addFirst(last);
        return new Transfer.Whole(added, dropped);
    }
}
