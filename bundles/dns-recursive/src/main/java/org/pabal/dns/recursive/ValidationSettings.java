package org.pabal.dns.recursive;

import org.pabal.settings.Settings;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// How answers are validated.
///
/// @param anchorFile where the trust anchors are; empty for those of the root that we know
/// @param updates whether trust anchors follow their zones by RFC 5011
/// @param state where that is remembered
/// @param negativeAnchors names at and below which nothing is validated (RFC 7646)
/// @param aggressive whether names are denied by proofs that are in memory (RFC 8198)
/// @param maxIterations of NSEC3; with more, a denial is insecure (RFC 9276 §3.2)
record ValidationSettings(
        Optional<Path> anchorFile,
        boolean updates,
        Path state,
        Set<Name> negativeAnchors,
        boolean aggressive,
        int maxIterations) {

    /// As Unbound has it; RFC 9276 §3.2 would have less.
    static final int MAX_ITERATIONS = 150;

    /// RFC 5155 §10.3
    private static final int MOST_ITERATIONS = 2500;

    ValidationSettings {
        negativeAnchors = Set.copyOf(negativeAnchors);
    }

    /// Keys: `trust-anchors` (a file of DS and DNSKEY records), `trust-anchor-updates`,
    /// `negative-anchors`, `aggressive-nsec`, `max-nsec3-iterations`.
    ///
    /// @param home the node's directory
    static ValidationSettings of(Settings settings, Path home) {
        Optional<Path> file = settings.text("trust-anchors").map(home::resolve);
        Set<Name> negative = new HashSet<>();
        for (String each : settings.list("negative-anchors")) {
            try {
                negative.add(Name.fromString(each, Name.root));
            } catch (TextParseException e) {
                throw settings.bad(
                        "negative-anchors", each, "names parted by commas", "corp.example.org");
            }
        }
        return new ValidationSettings(
                file,
                // who names a file keeps it himself
                settings.flag("trust-anchor-updates", file.isEmpty()),
                home.resolve("data/resolver/trust-anchors"),
                negative,
                settings.flag("aggressive-nsec", true),
                (int) settings.number("max-nsec3-iterations", MAX_ITERATIONS, 0, MOST_ITERATIONS));
    }

    /// The anchors that these settings name.
    ///
    /// @throws org.pabal.settings.BadSetting when the file cannot be read
    TrustAnchors anchors(Settings settings) {
        if (anchorFile.isEmpty()) {
            return TrustAnchors.ofTheRoot();
        }
        try {
            return TrustAnchors.read(anchorFile.get());
        } catch (IOException e) {
            throw settings.bad(
                    "trust-anchors",
                    anchorFile.get(),
                    "a file of DS or DNSKEY records (" + Settings.why(e) + ")",
                    "etc/trust-anchors");
        }
    }
}
