package org.pabal.delivery;

import java.util.Optional;

/// MTA-STS policies of other domains, RFC 8461 §3: fetched, kept as long as they say, and fetched
/// anew when their id changes.
interface StsPolicies {

    /// For a node that asks for none.
    StsPolicies NONE = domain -> Optional.empty();

    /// The policy of a domain; empty when it has none, or none that could be had: then there is
    /// nothing to obey (§5.1). One of mode none is none (§5). May take a minute.
    Optional<StsPolicy> find(String domain);
}
