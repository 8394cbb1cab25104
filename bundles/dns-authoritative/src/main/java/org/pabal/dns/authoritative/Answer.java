package org.pabal.dns.authoritative;

import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;

import java.util.List;

/// What [ZoneLookup] found for a question, before it is cut to the size that the client can take.
///
/// @param rcode RFC 6895 §2.3
/// @param authoritative RFC 1035 §4.1.1: for the name that was asked, or for the first of its
///     CNAMEs
/// @param glue addresses without which a referral cannot be followed: they fit or TC is set (RFC
///     9471 §3.1)
/// @param additional what may be useful and is left out when there is no room
/// @param steps how it was found, for `zone:explain`; empty unless that was asked for
record Answer(
        int rcode,
        boolean authoritative,
        List<RRset> answer,
        List<RRset> authority,
        List<RRset> glue,
        List<RRset> additional,
        List<String> steps) {

    Answer {
        answer = List.copyOf(answer);
        authority = List.copyOf(authority);
        glue = List.copyOf(glue);
        additional = List.copyOf(additional);
        steps = List.copyOf(steps);
    }

    /// Says no and nothing else: an answer that is not from a zone of ours carries no authority
    /// (security row D13).
    static Answer bare(int rcode) {
        return new Answer(rcode, false, List.of(), List.of(), List.of(), List.of(), List.of());
    }

    /// The same for an answer about a zone of ours that consists of its rcode: NOTIFY (RFC 1996
    /// §3.8: with AA).
    static Answer acknowledged(int rcode) {
        return new Answer(
                rcode,
                rcode == Rcode.NOERROR,
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of());
    }

    Answer with(List<String> explanation) {
        return new Answer(rcode, authoritative, answer, authority, glue, additional, explanation);
    }
}
