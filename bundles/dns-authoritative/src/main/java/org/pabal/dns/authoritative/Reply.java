package org.pabal.dns.authoritative;

import org.pabal.dns.server.Query;
import org.pabal.dns.server.Writing;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
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

    /// Where the next rotation of a set starts. Neighbours may share a counter: it only spreads
    /// load.
    private final int[] turns = new int[256];

    private final Writing writing;
    private final Function<Name, AddressOrder> orders;

    /// @param udpLimit the largest answer over UDP and the payload size that we announce (security
    ///     row D13)
    /// @param orders which of the addresses of a name comes first
    Reply(int udpLimit, Function<Name, AddressOrder> orders) {
        this.writing = new Writing(udpLimit);
        this.orders = orders;
    }

    Reply(int udpLimit) {
        this(udpLimit, name -> AddressOrder.CYCLIC);
    }

    /// RFC 6891 §6.2.3 and §6.2.5: the client's size, no less than 512 and no more than ours.
    int limit(Query query, boolean stream) {
        return writing.limit(query, stream);
    }

    byte[] write(Query query, Answer answer, boolean stream) {
        Message message = Writing.begun(query, answer.rcode());
        if (answer.authoritative()) {
            message.getHeader().setFlag(Flags.AA);
        }
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
        addOpt(query, message, answer.rcode());
        return Writing.padded(query, message, cut(message, glue, limit(query, stream)));
    }

    /// Tells a client that more is asked for than is given: to come over TCP, or with the cookie
    /// that it gets here.
    byte[] withheld(Query query) {
        boolean cookies = Writing.hasCookie(query);
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
            addOpt(query, message, message.getRcode());
        }
        return Writing.padded(query, message, Writing.fitted(message, limit(query, stream)));
    }

    private void addOpt(Query query, Message message, int rcode) {
        writing.addOpt(
                query,
                message,
                rcode,
                ExtendedError.of(query, rcode).stream()
                        .<EDNSOption>map(ExtendedError::option)
                        .toList());
    }

    /// RFC 9471 §3.1: a referral without its in-domain glue is truncated too.
    private static byte[] cut(Message message, int glue, int limit) {
        byte[] wire = Writing.fitted(message, limit);
        if (glue > 0) {
            int additional = (wire[10] & 0xFF) << 8 | wire[11] & 0xFF;
            if (additional - (message.getOPT() == null ? 0 : 1) < glue) {
                wire[2] |= 0x02;
            }
        }
        return wire;
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
}
