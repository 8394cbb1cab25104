package org.pabal.dns;

import org.osgi.annotation.versioning.ConsumerType;
import org.xbill.DNS.Name;

/// Hears of new zone versions, as an OSGi service. An observer that comes late reads
/// [ZoneStore#zones()] first.
///
/// Calls come one after the other, on the publishing thread, which waits: be quick.
@ConsumerType
public interface ZoneObserver {

    /// This version is current from now on.
    void published(Zone current);

    /// The zone is served no more.
    void withdrawn(Name origin);
}
