package org.pabal.dns;

import org.osgi.annotation.versioning.ProviderType;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;

import java.util.Optional;

/// Answers from the zones of this node without a packet, for the local name server beside it.
///
/// It says what the same query over the network would be told, referrals included, but for limits
/// that are there because of strangers.
@ProviderType
public interface Authority {

    /// The origin of the zone that speaks for a name and type (RFC 1034 §4.3.2 step 2; DS at a cut
    /// is for the parent, RFC 4035 §3.1.4.1); empty when none of ours does.
    ///
    /// @param name absolute
    /// @param type a number of [org.xbill.DNS.Type]
    Optional<Name> zone(Name name, int type);

    /// The answer to a query of class IN; its size has no limit but that of a DNS message.
    ///
    /// @param query with exactly one question; its DO bit asks for signatures
    Message answer(Message query);
}
