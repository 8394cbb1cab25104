package org.pabal.dns.server;

import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;

import java.util.ArrayList;
import java.util.List;

/// Writes the answer to a query within the size that the client can take, whatever it says.
///
/// @param udpLimit the largest answer over UDP and the payload size that we announce (security row
///     D13)
public record Writing(int udpLimit) {

    /// The largest answer over a stream, RFC 1035 §4.2.2.
    public static final int STREAM_LIMIT = 0xFFFF;

    /// The largest answer over UDP to a client without EDNS, RFC 1035 §2.3.4.
    public static final int PLAIN_LIMIT = 512;

    /// RFC 8467 §4.1
    public static final int BLOCK = 468;

    private static final int PADDING_HEAD = 4;

    /// RFC 6891 §6.2.3 and §6.2.5: the client's size, no less than 512 and no more than ours.
    public int limit(Query query, boolean stream) {
        if (stream) {
            return STREAM_LIMIT;
        }
        return query.edns()
                .map(edns -> Math.clamp(edns.payload(), PLAIN_LIMIT, udpLimit))
                .orElse(PLAIN_LIMIT);
    }

    /// An answer that has its header and question and nothing else yet.
    public static Message begun(Query query, int rcode) {
        Message message = new Message(query.id());
        Header header = message.getHeader();
        header.setFlag(Flags.QR);
        header.setOpcode(query.opcode());
        if (query.recursionDesired()) {
            header.setFlag(Flags.RD); // RFC 1035 §4.1.1: copied
        }
        // RFC 6891 §6.1.3: an rcode of more than four bits needs the OPT record for its upper half.
        header.setRcode(rcode & 0xF);
        query.question().ifPresent(question -> message.addRecord(question, Section.QUESTION));
        return message;
    }

    /// RFC 6891 §6.1.1: OPT is answered by OPT; RFC 3225 §3: with its DO bit, and no other flag.
    ///
    /// @param reasons options beside those that answer the client's
    public void addOpt(Query query, Message message, int rcode, List<EDNSOption> reasons) {
        query.edns()
                .ifPresent(
                        edns -> {
                            List<EDNSOption> options = new ArrayList<>(edns.answered().options());
                            options.addAll(reasons);
                            message.addRecord(
                                    new OPTRecord(
                                            udpLimit,
                                            rcode >> 4,
                                            0,
                                            edns.dnssec() ? ExtendedFlags.DO : 0,
                                            options),
                                    Section.ADDITIONAL);
                        });
    }

    /// RFC 8467 §4.1: who listens to an encrypted answer learns how many blocks of 468 octets it
    /// has. Padding is the last option of the last record.
    ///
    /// @param wire the message as it is
    public static byte[] padded(Query query, Message message, byte[] wire) {
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
    /// authority section (RFC 2181 §9). Its version 3.7 counts the header twice and cuts twelve
    /// octets early: ask it to cut only what does not fit.
    public static byte[] fitted(Message message, int limit) {
        byte[] whole = message.toWire(STREAM_LIMIT);
        return whole.length <= limit ? whole : message.toWire(limit);
    }

    /// Whether a client that is told to come again has shown a cookie, half of one at least: then
    /// it is told so by BADCOOKIE, and else by TC.
    public static boolean hasCookie(Query query) {
        return query.edns().stream()
                .flatMap(edns -> edns.answered().options().stream())
                .anyMatch(option -> option.getCode() == EdnsOptions.COOKIE);
    }

    /// The last resort when an answer could not be made or written: the header of the query with
    /// SERVFAIL.
    ///
    /// @param query at least a header
    public static byte[] failure(byte[] query) {
        byte[] reply = new byte[12];
        reply[0] = query[0];
        reply[1] = query[1];
        reply[2] = (byte) (0x80 | query[2] & 0x79); // opcode and RD stay
        reply[3] = Rcode.SERVFAIL;
        return reply;
    }
}
