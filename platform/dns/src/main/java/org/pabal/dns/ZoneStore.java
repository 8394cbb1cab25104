package org.pabal.dns;

import org.osgi.annotation.versioning.ProviderType;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.util.List;
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

    /// Makes the next versions of a zone by one or more steps, with one wait for the disk. On disk
    /// when it returns; observers have then been told of the last.
    ///
    /// @param steps at least one, of one zone, each from where the one before led to
    /// @return the version that is now current, or empty when the first step does not start at the
    ///     current version, because somebody else was faster: nothing has changed then
    /// @throws IOException when they could not be kept; the version before stays current
    /// @throws IllegalArgumentException when a version could not be served; nothing has changed
    Optional<Zone> change(List<ZoneChange> steps) throws IOException;

    /// The steps that lead from a serial to the current version, oldest first, whether they were
    /// made by [#change] or are the difference between two published versions: what an incremental
    /// transfer is made of (RFC 1995). Survives a restart.
    ///
    /// @param since the serial that somebody has
    /// @return nothing inside when it is the current one; empty when we do not remember so far back
    Optional<List<ZoneChange>> changes(Name origin, long since) throws IOException;

    /// Stops serving a zone. Its file is kept under another name.
    ///
    /// @throws java.nio.file.NoSuchFileException when there is no such zone
    void withdraw(Name origin) throws IOException;
}
