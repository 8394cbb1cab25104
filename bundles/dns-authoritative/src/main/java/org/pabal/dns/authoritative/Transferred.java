package org.pabal.dns.authoritative;

import org.xbill.DNS.Name;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// The zones that come from other servers, as the shell and the editor see them: they are edited
/// where they come from.
interface Transferred {

    /// There are none.
    Transferred NONE =
            new Transferred() {
                @Override
                public List<Name> origins() {
                    return List.of();
                }

                @Override
                public Optional<String> source(Name origin) {
                    return Optional.empty();
                }

                @Override
                public String refresh(Name origin) {
                    throw new IllegalArgumentException(
                            "zone " + origin + ": does not come from another server");
                }
            };

    /// All of them, sorted, also those that we could not get yet.
    List<Name> origins();

    /// Where a zone comes from and how fresh it is, in a few words; empty when it is made here.
    Optional<String> source(Name origin);

    /// Asks the primaries of a zone now, and tells in a line what came of it.
    ///
    /// @throws IOException when no primary could help
    String refresh(Name origin) throws IOException;
}
