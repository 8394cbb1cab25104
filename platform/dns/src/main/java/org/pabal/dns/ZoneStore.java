package org.pabal.dns;

import org.osgi.annotation.versioning.ProviderType;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.util.Optional;
import java.util.stream.Stream;

/// The zones of this node, the current version of each.
@ProviderType
public interface ZoneStore {

    /// The zone with exactly this origin.
    Optional<Zone> find(Name origin);

    /// All of them, sorted by origin.
    Stream<Zone> zones();

    /// Makes a zone the current version of its origin. On disk when it returns; observers have then
    /// been told.
    ///
    /// @throws IOException when it could not be kept; the version before stays current
    /// @throws IllegalArgumentException when the zone cannot be served (no SOA, CNAME beside other
    ///     data); the message is one line for an administrator
    void publish(Zone next) throws IOException;

    /// Stops serving a zone. Its file is kept under another name.
    ///
    /// @throws java.nio.file.NoSuchFileException when there is no such zone
    void withdraw(Name origin) throws IOException;
}
