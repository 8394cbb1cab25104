package org.pabal.dns.authoritative;

import org.pabal.dns.server.EdnsOptions;
import org.pabal.dns.server.Query;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;

/// Writes the answer to a query within the size that the client can take.
final class Reply {

    /// The largest answer over a stream, RFC 1035 §4.2.2.
    static final int STREAM_LIMIT = 0xFFFF;

    /// The largest answer over UDP to a client without EDNS, RFC 1035 §2.3.4.
    static final int PLAIN_LIMIT = 512;

    /// RFC 8467 §4.1
    static final int BLOCK = 468;

    private static final int PADDING_HEAD = 4;

    /// Where the next rotation of a set starts. Neighbours may share a counter: it only spreads
    /// load.
    private final int[] turns = new int[256];

    private final int udpLimit;
    private final Function<Name, AddressOrder> orders;

    /// @param udpLimit the largest answer over UDP and the payload size that we announce (security
    ///     row D13)
    /// @param orders which of the addresses of a name comes first
    Reply(int udpLimit, Function<Name, AddressOrder> orders) {
        this.udpLimit = udpLimit;
        this.orders = orders;
    }

    Reply(int udpLimit) {
        this(udpLimit, name -> AddressOrder.CYCLIC);
    }

    /// RFC 6891 §6.2.3 and §6.2.5: the client's size, no less than 512 and no more than ours.
    int limit(Query query, boolean stream) {
        if (stream) {
            return STREAM_LIMIT;
        }
        return query.edns()
                .map(edns -> Math.clamp(edns.payload(), PLAIN_LIMIT, udpLimit))
                .orElse(PLAIN_LIMIT);
    }

    byte[] write(Query query, Answer answer, boolean stream) {
        Message message = new Message(query.id());
        Header header = message.getHeader();
        header.setFlag(Flags.QR);
        header.setOpcode(query.opcode());
        if (query.recursionDesired()) {
            header.setFlag(Flags.RD); // RFC 1035 §4.1.1: copied
        }
        if (answer.authoritative()) {
            header.setFlag(Flags.AA);
        }
        // RFC 6891 §6.1.3: an rcode of more than four bits needs the OPT record for its upper half.
        header.setRcode(answer.rcode() & 0xF);
        query.question().ifPresent(question -> message.addRecord(question, Section.QUESTION));
        boolean dnssec = query.dnssec();
        // Who asks for signatures gets them also without DO (RFC 4035 §3.2.1).
        boolean asked = query.question().map(q -> q.getType() == Type.RRSIG).orElse(false);
        answer.answer().forEach(set -> add(message, set, Section.ANSWER, dnssec || asked));
        answer.authority().forEach(set -> add(message, set, Section.AUTHORITY, dnssec));
        int glue = 0;
        for (RRset set : answer.glue()) {
            glue += add(message, set, Section.ADDITIONAL, dnssec);
        }
        answer.additional().forEach(set -> add(message, set, Section.ADDITIONAL, dnssec));
        // RFC 6891 §6.1.1: OPT is answered by OPT; RFC 3225 §3: with its DO bit, and no other flag.
        query.edns()
                .ifPresent(
                        edns ->
                                message.addRecord(
                                        opt(query, edns, answer.rcode()), Section.ADDITIONAL));
        return padded(query, message, cut(message, glue, limit(query, stream)));
    }

    /// Tells a client that more is asked for than is given: to come over TCP, or with the cookie
    /// that it gets here.
    byte[] withheld(Query query) {
        boolean cookies =
                query.edns().stream()
                        .flatMap(edns -> edns.answered().options().stream())
                        .anyMatch(option -> option.getCode() == EdnsOptions.COOKIE);
        byte[] wire = write(query, Answer.bare(cookies ? Rcode.BADCOOKIE : Rcode.NOERROR), false);
        if (!cookies) {
            wire[2] |= 0x02;
        }
        return wire;
    }

    /// The same for the message of a plugged-in responder, which need not think of ids and sizes.
    byte[] write(Query query, Message message, boolean stream) {
        message.getHeader().setID(query.id());
        message.getHeader().setFlag(Flags.QR);
        if (message.getOPT() == null) {
            query.edns()
                    .ifPresent(
                            edns ->
                                    message.addRecord(
                                            opt(query, edns, message.getRcode()),
                                            Section.ADDITIONAL));
        }
        return padded(query, message, fitted(message, limit(query, stream)));
    }

    private OPTRecord opt(Query query, Query.Edns edns, int rcode) {
        List<EDNSOption> options = new ArrayList<>(edns.answered().options());
        ExtendedError.of(query, rcode).ifPresent(error -> options.add(error.option()));
        return new OPTRecord(
                udpLimit, rcode >> 4, 0, edns.dnssec() ? ExtendedFlags.DO : 0, options);
    }

    /// RFC 8467 §4.1: who listens to an encrypted answer learns how many blocks of 468 octets it
    /// has. Padding is the last option of the last record.
    private static byte[] padded(Query query, Message message, byte[] wire) {
        OPTRecord opt = message.getOPT();
        if (opt == null || !query.edns().map(edns -> edns.answered().padded()).orElse(false)) {
            return wire;
        }
        int bare = wire.length + PADDING_HEAD;
        int whole = Math.min((bare + BLOCK - 1) / BLOCK * BLOCK, STREAM_LIMIT);
        if (whole < bare) {
            return wire;
        }
        List<EDNSOption> options = new ArrayList<>(opt.getOptions());
        options.add(new GenericEDNSOption(EdnsOptions.PADDING, new byte[whole - bare]));
        message.removeRecord(opt, Section.ADDITIONAL);
        message.addRecord(
                new OPTRecord(
                        opt.getPayloadSize(),
                        opt.getExtendedRcode(),
                        opt.getVersion(),
                        opt.getFlags(),
                        options),
                Section.ADDITIONAL);
        return message.toWire(STREAM_LIMIT);
    }

    /// dnsjava leaves out whole sets from the end and sets TC when one was from the answer or
    /// authority section (RFC 2181 §9). RFC 9471 §3.1: a referral without its in-domain glue is
    /// truncated too.
    private static byte[] cut(Message message, int glue, int limit) {
        byte[] wire = fitted(message, limit);
        if (glue > 0) {
            int additional = (wire[10] & 0xFF) << 8 | wire[11] & 0xFF;
            if (additional - (message.getOPT() == null ? 0 : 1) < glue) {
                wire[2] |= 0x02;
            }
        }
        return wire;
    }

    /// dnsjava 3.7 counts the header twice and cuts twelve octets early: ask it to cut only what
    /// does not fit.
    private static byte[] fitted(Message message, int limit) {
        byte[] whole = message.toWire(STREAM_LIMIT);
        return whole.length <= limit ? whole : message.toWire(limit);
    }

    private int add(Message message, RRset set, int section, boolean signatures) {
        List<Record> records = set.rrs(false);
        if (section == Section.ANSWER && records.size() > 1 && isAddress(set.getType())) {
            records = new ArrayList<>(records);
            Collections.rotate(records, -turn(set));
        }
        records.forEach(record -> message.addRecord(record, section));
        if (signatures) {
            set.sigs().forEach(signature -> message.addRecord(signature, section));
        }
        return records.size() + (signatures ? set.sigs().size() : 0);
    }

    private int turn(RRset set) {
        int slot = set.getName().hashCode() * 31 + set.getType() & turns.length - 1;
        return orders.apply(set.getName()).first(set.rrs(false), turns, slot);
    }

    static boolean isAddress(int type) {
        return type == Type.A || type == Type.AAAA;
    }

    /// The last resort when an answer could not be made or written: the header of the query with
    /// SERVFAIL.
    ///
    /// @param query at least a header
    static byte[] failure(byte[] query) {
        byte[] reply = new byte[12];
        reply[0] = query[0];
        reply[1] = query[1];
        reply[2] = (byte) (0x80 | query[2] & 0x79); // opcode and RD stay
        reply[3] = Rcode.SERVFAIL;
        return reply;
    }
}
