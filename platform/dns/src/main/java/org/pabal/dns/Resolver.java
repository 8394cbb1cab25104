package org.pabal.dns;

import org.osgi.annotation.versioning.ProviderType;
import org.xbill.DNS.Name;

/// Finds DNS answers elsewhere, for the rest of the house.
@ProviderType
public interface Resolver {

    /// Looks a name up, following CNAME and DNAME. Blocks until there is an answer or none can be
    /// had; some seconds at most.
    ///
    /// @param name absolute
    /// @param type a number of [org.xbill.DNS.Type]
    Resolution resolve(Name name, int type);
}
