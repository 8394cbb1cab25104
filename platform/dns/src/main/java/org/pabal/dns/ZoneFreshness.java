package org.pabal.dns;

import org.osgi.annotation.versioning.ProviderType;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/// When each zone that comes from another server was last confirmed there. Survives a restart,
/// because a zone expires by the time since then (RFC 1035 §3.3.13) and not by the time that we
/// ran.
///
/// A zone that stands here came from elsewhere; one that does not was made here.
@ProviderType
public interface ZoneFreshness {

    /// When the zone was last found to be current, or was transferred.
    Optional<Instant> confirmed(Name origin);

    /// The zone is current as of this moment. The last seconds may be lost when the power goes: the
    /// zone is then taken for a little older than it is.
    void confirm(Name origin, Instant when) throws IOException;

    /// The zone comes from nowhere any more. Nothing happens when it is not known.
    void forget(Name origin) throws IOException;
}
