package org.pabal.dns.recursive;

import org.xbill.DNS.RRset;

import java.util.List;
import java.util.Optional;

/// What a reply means for who walks.
sealed interface Reading {

    /// It answers: with a finding for the question, and for the names that it is an alias of, as
    /// far as the same zone knows them.
    ///
    /// @param servers who the zone itself says serves it, when it said so by the way
    record Said(List<Finding> chain, Optional<RRset> servers) implements Reading {
        public Said {
            chain = List.copyOf(chain);
        }
    }

    /// It names who knows more (RFC 1034 §4.3.2 step 3b).
    ///
    /// @param signer the DS of the child, or the proof that there is none, when it came along (RFC
    ///     4035 §3.1.4)
    record Referral(Delegation delegation, Optional<Finding> signer) implements Reading {}

    /// It looks like an answer, but somebody else may have a better one: it came from a memory, or
    /// is without what makes an answer one.
    record Weak(String why, List<Finding> chain) implements Reading {
        public Weak {
            chain = List.copyOf(chain);
        }
    }

    /// The server does not serve this zone: its delegation is lame (RFC 8499 §7).
    record Lame(String why) implements Reading {}

    /// It says nothing that could be used.
    record Unusable(String why) implements Reading {}
}
