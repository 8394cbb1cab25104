package org.pabal.dns.recursive;

import org.xbill.DNS.Message;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;

import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;

/// What came back, held against the query: is it an answer to that at all?
///
/// @param fit how well it fits
/// @param fault what is wrong with it; empty for an answer
/// @param rcode with the octet of the OPT record
/// @param edns there is an OPT record
/// @param cookie what it has as COOKIE
/// @param message for an answer: with the name of the question in the case that was asked, however
///     it was sent
record AnswerOctets(
        Fit fit,
        String fault,
        int rcode,
        boolean edns,
        Optional<byte[]> cookie,
        Optional<Message> message) {

    /// How well it fits.
    enum Fit {
        /// It is the answer.
        ANSWER,
        /// It is, and says that there is more (TC).
        TRUNCATED,
        /// It would be, but for upper and lower case in the question.
        OTHER_CASE,
        /// It would be, but for the cookie that it must have.
        NO_COOKIE,
        /// It has no question, and says that the query is not understood: some servers answer EDNS
        /// so.
        BARE_ERROR,
        /// Somebody is guessing, or what came cannot be read: it is ignored and the time goes on
        /// (security row D10).
        STRANGE
    }

    private static final int QR = 0x80;
    static final int TC = 0x02;

    static AnswerOctets read(QueryOctets query, byte[] octets) {
        if (octets.length < QueryOctets.HEADER) {
            return strange("a message without a header");
        }
        int rcode = octets[3] & 0xF;
        if (((octets[0] & 0xFF) << 8 | octets[1] & 0xFF) != query.id()) {
            return strange("another id");
        }
        if ((octets[2] & QR) == 0 || (octets[2] >> 3 & 0xF) != Opcode.QUERY) {
            return strange("no answer");
        }
        if (octets[4] == 0 && octets[5] == 0) {
            return query.dialect() != Dialect.PLAIN
                            && (rcode == Rcode.FORMERR || rcode == Rcode.NOTIMP)
                    ? of(Fit.BARE_ERROR, rcode, "an answer without a question")
                    : strange("an answer without a question");
        }
        int end = query.questionEnd();
        if (octets[4] != 0 || octets[5] != 1 || octets.length < end) {
            return strange("another question");
        }
        boolean exact =
                Arrays.equals(
                        octets, QueryOctets.HEADER, end, query.octets(), QueryOctets.HEADER, end);
        if (!exact) {
            return sameButCase(octets, query.octets(), end)
                    ? of(Fit.OTHER_CASE, rcode, "an answer in another case than asked (use-caps)")
                    : strange("another question");
        }
        return read(query, octets, rcode);
    }

    private static AnswerOctets read(QueryOctets query, byte[] octets, int rcode) {
        if ((octets[2] & TC) != 0) {
            return of(Fit.TRUNCATED, rcode, "a truncated answer");
        }
        try {
            MessageBounds.Opt opt = MessageBounds.check(octets, query.questionEnd());
            // Names that are written as pointers to the question have its case too.
            byte[] asked = query.asked();
            System.arraycopy(asked, 0, octets, QueryOctets.HEADER, asked.length);
            return new AnswerOctets(
                    Fit.ANSWER,
                    "",
                    opt.rcode() << 4 | rcode,
                    opt.present(),
                    opt.cookie(),
                    Optional.of(new Message(octets)));
        } catch (MessageBounds.Malformed | IOException | RuntimeException e) {
            // dnsjava throws many things at bent records
            return strange("a malformed message: " + oneLine(e));
        }
    }

    /// By TCP nobody can have guessed anything, so the case does not matter, nor a TC bit.
    static AnswerOctets readStream(QueryOctets query, byte[] octets) {
        int end = query.questionEnd();
        if (octets.length >= end && sameButCase(octets, query.octets(), end)) {
            System.arraycopy(
                    query.octets(),
                    QueryOctets.HEADER,
                    octets,
                    QueryOctets.HEADER,
                    end - QueryOctets.HEADER);
            octets[2] &= (byte) ~TC;
        }
        return read(query, octets);
    }

    private static boolean sameButCase(byte[] octets, byte[] asked, int end) {
        for (int i = QueryOctets.HEADER; i < end; i++) {
            if (octets[i] != asked[i] && (i >= end - 4 || !sameLetter(octets[i], asked[i]))) {
                return false;
            }
        }
        return true;
    }

    private static boolean sameLetter(byte one, byte other) {
        int lower = one | 0x20;
        return lower >= 'a' && lower <= 'z' && lower == (other | 0x20);
    }

    private static String oneLine(Exception e) {
        return String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
    }

    private static AnswerOctets strange(String fault) {
        return of(Fit.STRANGE, Rcode.SERVFAIL, fault);
    }

    private static AnswerOctets of(Fit fit, int rcode, String fault) {
        return new AnswerOctets(fit, fault, rcode, false, Optional.empty(), Optional.empty());
    }

    /// The same, fitting less well.
    AnswerOctets but(Fit newFit, String newFault) {
        return new AnswerOctets(newFit, newFault, rcode, edns, cookie, Optional.empty());
    }

    /// Says that the server does not understand the query, and may do when it is plainer.
    boolean asksForPlainer() {
        return rcode == Rcode.FORMERR || rcode == Rcode.NOTIMP || rcode == Rcode.BADVERS;
    }

    /// There is a name or there is none: an answer that one would be content with.
    boolean content() {
        return rcode == Rcode.NOERROR || rcode == Rcode.NXDOMAIN;
    }
}
