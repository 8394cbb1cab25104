package org.pabal.dns.server;

import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;

/// A message that a stranger sent as a query, read as far as an answer needs it, and what is wrong
/// with it.
///
/// Read by hand and not by dnsjava, because of what it must do with bad input: see what there is
/// before the fault, build nothing from records that nobody asked for, follow no pointer (security
/// row D16).
///
/// @param authentic the AD bit: the client understands it in an answer (RFC 6840 §5.7)
/// @param checkingDisabled the CD bit: the client checks itself (RFC 4035 §3.2.2)
/// @param question the question, for every opcode, if there was exactly one and it could be read
/// @param edns the first OPT record, if it could be read
/// @param tsig its last record is a TSIG, RFC 8945 §5.1
/// @param fault NOERROR, or the rcode that has to be the answer
public record Query(
        int id,
        int opcode,
        boolean recursionDesired,
        boolean authentic,
        boolean checkingDisabled,
        Optional<Record> question,
        Optional<Edns> edns,
        boolean tsig,
        int fault) {

    /// What an OPT record says, RFC 6891 §6.1.
    ///
    /// @param payload the largest UDP message that the client takes
    /// @param dnssec the DO bit
    /// @param options what the client wants beside the answer
    /// @param answered what it gets of that
    public record Edns(
            int payload,
            int version,
            boolean dnssec,
            EdnsOptions options,
            EdnsOptions.Answered answered) {}

    /// Some clients send four or five; nobody needs more (security row D15).
    public static final int MAX_OPTIONS = 32;

    private static final int HEADER = 12;

    public Name name() {
        return question.orElseThrow().getName();
    }

    /// AXFR or IXFR, RFC 5936 and RFC 1995.
    public boolean transfer() {
        return type() == Type.AXFR || type() == Type.IXFR;
    }

    public int type() {
        return question.orElseThrow().getType();
    }

    public boolean dnssec() {
        return edns.map(Edns::dnssec).orElse(false);
    }

    /// A query without a question, for a server cookie alone (RFC 7873 §5.4).
    public boolean cookieOnly() {
        return question.isEmpty()
                && opcode == Opcode.QUERY
                && fault != Rcode.BADVERS
                && edns.flatMap(each -> each.options().cookie()).isPresent();
    }

    /// The same with what is answered to its options.
    public Query answering(EdnsOptions.Answered options, int newFault) {
        return new Query(
                id,
                opcode,
                recursionDesired,
                authentic,
                checkingDisabled,
                question,
                edns.map(
                        each ->
                                new Edns(
                                        each.payload(),
                                        each.version(),
                                        each.dnssec(),
                                        each.options(),
                                        options)),
                tsig,
                newFault);
    }

    /// Reads a message; empty when it deserves no answer, because it is no DNS header or itself an
    /// answer (security row D25: two servers that answer answers never stop).
    public static Optional<Query> read(byte[] message) {
        if (message.length < HEADER || (message[2] & 0x80) != 0) {
            return Optional.empty();
        }
        return Optional.of(new Reader(message).read());
    }

    /// Holds a place in the message while it is read.
    private static final class Reader {

        private static final class Malformed extends Exception {
            private static final long serialVersionUID = 1L;

            Malformed() {
                super("malformed", null, false, false);
            }
        }

        private final byte[] message;
        private int at = HEADER;
        private Optional<Record> question = Optional.empty();
        private Optional<Edns> edns = Optional.empty();
        private boolean tsig;

        Reader(byte[] message) {
            this.message = message;
        }

        Query read() {
            int opcode = message[2] >> 3 & 0xF;
            int fault;
            try {
                fault = body();
            } catch (Malformed e) {
                fault = Rcode.FORMERR;
                edns =
                        edns.map(
                                each ->
                                        edns(
                                                each.payload(),
                                                each.version(),
                                                each.dnssec(),
                                                EdnsOptions.NONE));
            }
            if (opcode != Opcode.QUERY && opcode != Opcode.NOTIFY && opcode != Opcode.UPDATE) {
                fault = Rcode.NOTIMP; // whatever else its body may be
            }
            boolean recursionDesired = (message[2] & 1) != 0;
            boolean authentic = (message[3] & 0x20) != 0;
            boolean checkingDisabled = (message[3] & 0x10) != 0;
            return new Query(
                    octets16(0),
                    opcode,
                    recursionDesired,
                    authentic,
                    checkingDisabled,
                    question,
                    edns,
                    tsig,
                    fault);
        }

        private int body() throws Malformed {
            // RFC 9619 §4: exactly one question. Without any, an OPT record can still be answered
            // by one.
            if (octets16(4) != 1) {
                if (octets16(4) + octets16(6) + octets16(8) == 0
                        && additional(octets16(10)) == Rcode.NOERROR
                        && at == message.length) {
                    // RFC 7873 §5.4: what asks for a server cookie alone is whole
                    return edns.isPresent() && edns.get().version() != 0
                            ? Rcode.BADVERS
                            : Rcode.FORMERR;
                }
                throw new Malformed();
            }
            Name name = questionName();
            need(4);
            int type = octets16(at);
            int dclass = octets16(at + 2);
            at += 4;
            question = Optional.of(Record.newRecord(name, type, dclass));
            int opcode = message[2] >> 3 & 0xF;
            boolean update = opcode == Opcode.UPDATE;
            // A query has no answers. An IXFR has its SOA in the authority section (RFC 1995 §3),
            // a NOTIFY the new one in the answer section (RFC 1996 §3.7), an UPDATE prerequisites
            // and updates (RFC 2136 §2).
            if (!update
                    && (octets16(6) > (opcode == Opcode.NOTIFY ? 1 : 0)
                            || octets16(8) > (type == Type.IXFR ? 1 : 0))) {
                throw new Malformed();
            }
            skipRecords(octets16(6) + octets16(8));
            int faults = additional(octets16(10));
            if (at != message.length) {
                throw new Malformed();
            }
            if (edns.isPresent() && edns.get().version() != 0) {
                return Rcode.BADVERS; // RFC 6891 §6.1.3
            }
            if (faults != Rcode.NOERROR) {
                return faults;
            }
            return update ? zoneFault(type, dclass) : questionFault(dclass);
        }

        /// RFC 2136 §3.1
        private static int zoneFault(int type, int dclass) {
            return type != Type.SOA
                    ? Rcode.FORMERR
                    : dclass != DClass.IN ? Rcode.NOTAUTH : Rcode.NOERROR;
        }

        /// Types that no zone has (OPT, TSIG, MAILA) are asked for in vain, like others that a name
        /// has not.
        private static int questionFault(int dclass) {
            return dclass == DClass.IN ? Rcode.NOERROR : Rcode.REFUSED;
        }

        /// A name without pointers: there is nothing before the question that one could point to.
        private Name questionName() throws Malformed {
            int start = at;
            while (true) {
                need(1);
                int length = message[at++] & 0xFF;
                if (length > 63 || at + length - start > 255) {
                    throw new Malformed();
                }
                at += length;
                if (length == 0) {
                    break;
                }
            }
            try {
                return new Name(Arrays.copyOfRange(message, start, at));
            } catch (IOException e) {
                throw new Malformed();
            }
        }

        private int additional(int records) throws Malformed {
            int fault = Rcode.NOERROR;
            for (int i = 0; i < records; i++) {
                int owner = at;
                skipName();
                need(10);
                int type = octets16(at);
                if (type == Type.TSIG) {
                    if (i < records - 1) {
                        throw new Malformed(); // RFC 8945 §5.1: the last, and only one
                    }
                    tsig = true;
                }
                if (type != Type.OPT) {
                    skipBody();
                    continue;
                }
                if (message[owner] != 0 || edns.isPresent()) {
                    fault = Rcode.FORMERR; // RFC 6891 §6.1.1: at the root, and only one
                    skipBody();
                    continue;
                }
                int payload = octets16(at + 2);
                int version = message[at + 5] & 0xFF;
                boolean dnssec = (message[at + 6] & 0x80) != 0;
                edns = Optional.of(edns(payload, version, dnssec, EdnsOptions.NONE));
                int data = at + 10;
                skipBody();
                edns = Optional.of(edns(payload, version, dnssec, options(data, at)));
            }
            return fault;
        }

        private static Edns edns(int payload, int version, boolean dnssec, EdnsOptions options) {
            return new Edns(payload, version, dnssec, options, EdnsOptions.Answered.NOTHING);
        }

        /// RFC 6891 §6.1.2: options fill the record's data to its end.
        private EdnsOptions options(int from, int end) throws Malformed {
            EdnsOptions options = EdnsOptions.NONE;
            int option = from;
            for (int i = 0; option < end; i++) {
                if (i == MAX_OPTIONS || end - option < 4) {
                    throw new Malformed();
                }
                int data = option + 4;
                int next = data + octets16(option + 2);
                if (next > end) {
                    throw new Malformed();
                }
                options = options.with(octets16(option), Arrays.copyOfRange(message, data, next));
                option = next;
            }
            return options;
        }

        private void skipRecords(int records) throws Malformed {
            for (int i = 0; i < records; i++) {
                skipName();
                need(10);
                if (octets16(at) == Type.OPT) {
                    throw new Malformed();
                }
                skipBody();
            }
        }

        private void skipBody() throws Malformed {
            int length = octets16(at + 8);
            at += 10;
            need(length);
            at += length;
        }

        /// Pointers are stepped over, never followed.
        private void skipName() throws Malformed {
            int start = at;
            while (true) {
                need(1);
                int length = message[at] & 0xFF;
                if (length >= 0xC0) {
                    need(2);
                    at += 2;
                    return;
                }
                at += 1 + length;
                if (length > 63 || at - start > 255) {
                    throw new Malformed();
                }
                if (length == 0) {
                    return;
                }
            }
        }

        private void need(int octets) throws Malformed {
            if (message.length - at < octets) {
                throw new Malformed();
            }
        }

        private int octets16(int index) {
            return (message[index] & 0xFF) << 8 | message[index + 1] & 0xFF;
        }
    }
}
