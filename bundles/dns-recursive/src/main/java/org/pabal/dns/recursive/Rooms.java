package org.pabal.dns.recursive;

import org.pabal.dns.Authority;
import org.pabal.dns.ResponsePolicy;
import org.pabal.settings.Settings;
import org.xbill.DNS.Name;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// What is behind the doorway, plugged together.
interface Rooms extends AutoCloseable {

    /// Builds them, as the settings say. All keys but those of [ServiceSettings] are theirs, so
    /// they also refuse those that are nobody's.
    interface Plan {

        /// @param home against which relative files are resolved
        Rooms build(Settings settings, Path home, House house);
    }

    /// What they need of the house.
    ///
    /// @param authority of this node, at this moment
    /// @param policies in the order in which they are asked, at this moment
    record House(
            InstantSource clock,
            Supplier<Optional<Authority>> authority,
            Supplier<List<ResponsePolicy>> policies) {}

    /// Who serves a client.
    ///
    /// @param address in network order
    Serving serving(ByteBuffer address);

    /// What the rest of the house asks: no policy for clients counts there.
    Recursor recursor();

    /// That of the same.
    RecordCache cache();

    /// Forgets what is known at and below a name, whoever is served by it.
    ///
    /// @return how many findings that were
    int forget(Name name);

    /// Says which clients are served by something else than the others.
    void views(Collection<ViewSettings> settings);

    /// Keeps what it can for the next start, and ends.
    @Override
    void close();
}
