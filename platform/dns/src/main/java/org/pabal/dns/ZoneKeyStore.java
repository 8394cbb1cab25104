package org.pabal.dns;

import org.osgi.annotation.versioning.ProviderType;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.util.List;

/// The keys that sign the zones of this node. Nobody but this node may read them.
///
/// A zone whose keys are here is signed by us: it is served as its keys say, and never unsigned.
@ProviderType
public interface ZoneKeyStore {

    /// The keys of exactly this zone, the oldest first; none when it has never been signed here.
    /// Asked often, so it answers from memory.
    List<ZoneKey> keys(Name origin);

    /// Keeps a key, in place of what is known about the same one. On disk when it returns.
    ///
    /// @throws IOException when it could not be kept; what was known before stays
    void keep(ZoneKey key) throws IOException;

    /// Forgets a key. It cannot be had back.
    ///
    /// @throws java.nio.file.NoSuchFileException when it is not here
    void remove(ZoneKey key) throws IOException;
}
