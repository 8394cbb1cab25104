package org.pabal.dns;

import org.osgi.annotation.versioning.ConsumerType;
import org.xbill.DNS.Name;

import java.util.List;

/// Hears of new zone versions, as an OSGi service. An observer that comes late reads
/// [ZoneStore#zones()] first.
///
/// Calls come one after the other, on the publishing thread, which waits: be quick.
@ConsumerType
public interface ZoneObserver {

    /// This version is current from now on.
    void published(Zone current);

    /// This version is current from now on, and differs from the one that we told of before by no
    /// more than these steps. Told instead of [#published].
    default void changed(Zone current, List<ZoneChange> steps) {
        published(current);
    }

    /// The zone is served no more.
    void withdrawn(Name origin);
}
