package org.pabal.dns.recursive;

import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;

import java.util.List;

/// What a zone says of a zone below it: who serves it (RFC 1034 §4.2.1).
///
/// It is for finding the way and never an answer, so that a referral cannot poison answers (RFC
/// 2181 §5.4.1, security row D4), and it lives as long as the parent says and no longer, so that a
/// child cannot keep itself alive (row D5).
///
/// @param zone the child
/// @param ns its name servers, as the parent has them
/// @param glue addresses of name servers, from the same referral: hints, never answers
/// @param ttl seconds for which it holds from now on
record Delegation(Name zone, RRset ns, List<RRset> glue, long ttl) {

    Delegation {
        glue = List.copyOf(glue);
    }
}
