package org.pabal.dns;

import org.osgi.annotation.versioning.ConsumerType;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;

import java.net.InetAddress;
import java.util.List;

/// What an administrator wants clients of the local name server to be told in place of what there
/// is: block lists, response policy zones, a vendor's own.
///
/// Policies are asked in the order of their service ranking, and the first one that has a ruling
/// counts. A ruling on a question saves the lookup; one on an answer is asked for after validation,
/// so that what is bogus stays so whatever policies say (security row D12). Called by several
/// threads at once, on the receiving thread too: never wait.
@ConsumerType
public interface ResponsePolicy {

    /// Asked before the answer is looked up.
    ///
    /// @param name absolute, in any case
    /// @param type a number of [org.xbill.DNS.Type]
    /// @param client who asks
    Ruling question(Name name, int type, InetAddress client);

    /// Asked when there is an answer, and it is not bogus.
    ///
    /// @param name what the client asked for, not where an alias leads
    /// @param answer the answer section, aliases first; empty when there is none
    default Ruling answer(Name name, int type, InetAddress client, List<RRset> answer) {
        return Ruling.NONE;
    }

    /// Whether [#answer] ever has a ruling. While none of the policies does, answers from the cache
    /// go the fast way.
    default boolean judgesAnswers() {
        return false;
    }
}
