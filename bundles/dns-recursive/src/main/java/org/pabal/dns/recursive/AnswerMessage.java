package org.pabal.dns.recursive;

import org.pabal.dns.server.Query;
import org.pabal.dns.server.Writing;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Writes what a client is told: an [Answer], or that there is none and why.
///
/// Answers are minimal: nothing in the additional section, in the authority section what proves
/// something, and the SOA of what is not there (RFC 2308 §2).
final class AnswerMessage {

    private final Writing writing;

    /// Which address of a set comes first the next time. It only spreads load, so it does not
    /// matter that threads may use one number twice.
    private int turn;

    AnswerMessage(int udpLimit) {
        writing = new Writing(udpLimit);
    }

    byte[] write(Query query, Answer answer, boolean stream) {
        boolean dnssec = query.dnssec();
        Security security = answer.security();
        // RFC 4035 §5.5: what is bogus is SERVFAIL; §3.2.2: but not for who checks himself
        int rcode = query.checkingDisabled() ? answer.last().rcode() : answer.rcode();
        Message message = begun(query, rcode);
        // RFC 6840 §5.7, §5.8: for who understands it
        if (security == Security.SECURE && (dnssec || query.authentic())) {
            message.getHeader().setFlag(Flags.AD);
        }
        if (rcode != Rcode.SERVFAIL) {
            boolean signatures = dnssec || query.type() == Type.RRSIG; // RFC 4035 §3.2.1
            distinct(answer.records())
                    .forEach(set -> add(message, set, Section.ANSWER, signatures));
            authority(answer, dnssec).forEach(set -> add(message, set, Section.AUTHORITY, dnssec));
        }
        return finished(query, message, rcode, reasons(answer), stream);
    }

    /// A referral to the name servers of a zone, from the cache.
    byte[] write(Query query, Delegation delegation, boolean stream) {
        Message message = begun(query, Rcode.NOERROR);
        add(message, delegation.ns(), Section.AUTHORITY, false);
        delegation.glue().forEach(set -> add(message, set, Section.ADDITIONAL, false));
        return finished(query, message, Rcode.NOERROR, List.of(), stream);
    }

    /// An rcode and nothing else.
    byte[] bare(Query query, int rcode, Optional<Reason> reason, boolean stream) {
        Message message = begun(query, rcode);
        return finished(
                query, message, rcode, reason.map(AnswerMessage::option).stream().toList(), stream);
    }

    /// Something about this server itself.
    byte[] text(Query query, String text, boolean stream) {
        Message message = begun(query, Rcode.NOERROR);
        Record question = query.question().orElseThrow();
        message.addRecord(
                new TXTRecord(question.getName(), question.getDClass(), 0, text), Section.ANSWER);
        return finished(query, message, Rcode.NOERROR, List.of(), stream);
    }

    /// Tells a client to come over TCP.
    byte[] overTcp(Query query) {
        byte[] wire = bare(query, Rcode.NOERROR, Optional.empty(), false);
        wire[2] |= 0x02;
        return wire;
    }

    /// Tells a client that more is asked for than is given: to come over TCP, or with the cookie
    /// that it gets here.
    byte[] withheld(Query query) {
        return Writing.hasCookie(query)
                ? bare(query, Rcode.BADCOOKIE, Optional.empty(), false)
                : overTcp(query);
    }

    private static Message begun(Query query, int rcode) {
        Message message = Writing.begun(query, rcode);
        Header header = message.getHeader();
        header.setFlag(Flags.RA);
        if (query.checkingDisabled()) {
            header.setFlag(Flags.CD); // RFC 4035 §3.2.2: copied
        }
        return message;
    }

    private byte[] finished(
            Query query, Message message, int rcode, List<EDNSOption> reasons, boolean stream) {
        writing.addOpt(query, message, rcode, reasons);
        byte[] wire = Writing.fitted(message, writing.limit(query, stream));
        return Writing.padded(query, message, wire);
    }

    /// Proofs are for who wants signatures; of the others only the SOA of a negative answer.
    private static List<RRset> authority(Answer answer, boolean dnssec) {
        if (dnssec) {
            return distinct(answer.authority());
        }
        return answer.last().kind() == Finding.Kind.RECORDS
                ? List.of()
                : answer.last().proof().stream().filter(set -> set.getType() == Type.SOA).toList();
    }

    /// Links of a chain may follow from one DNAME, or be proved by the same sets. This is not
    /// looked up record by record: of a large set each would be compared to all others, octet by
    /// octet.
    private static List<RRset> distinct(List<RRset> sets) {
        Set<Question> seen = new HashSet<>();
        return sets.stream()
                .filter(
                        set ->
                                set.getType() == Type.RRSIG
                                        || seen.add(new Question(set.getName(), set.getType())))
                .toList();
    }

    private void add(Message message, RRset set, int section, boolean signatures) {
        List<Record> records = set.rrs(false);
        if (section == Section.ANSWER
                && records.size() > 1
                && (set.getType() == Type.A || set.getType() == Type.AAAA)) {
            records = new ArrayList<>(records); // RFC 1794
            Collections.rotate(records, -(turn++ & 0xFFFF) % records.size());
        }
        List<Record> all = new ArrayList<>(records);
        if (signatures) {
            all.addAll(set.sigs());
        }
        all.forEach(record -> message.addRecord(record, section));
    }

    /// RFC 8914; §4.4 and §4.20 for what is stale (RFC 8767).
    private static List<EDNSOption> reasons(Answer answer) {
        List<EDNSOption> options = new ArrayList<>();
        if (answer.stale()) {
            int code =
                    answer.last().kind() == Finding.Kind.NO_NAME
                            ? ExtendedErrorCodeOption.STALE_NXDOMAIN_ANSWER
                            : ExtendedErrorCodeOption.STALE_ANSWER;
            options.add(new ExtendedErrorCodeOption(code));
        }
        answer.reason().map(AnswerMessage::option).ifPresent(options::add);
        return options;
    }

    private static EDNSOption option(Reason reason) {
        return new ExtendedErrorCodeOption(reason.code(), reason.text());
    }
}
