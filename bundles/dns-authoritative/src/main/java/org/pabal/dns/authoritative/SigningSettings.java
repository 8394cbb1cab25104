package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.pabal.dnssec.Denial;
import org.pabal.dnssec.KeyPolicy;
import org.pabal.dnssec.SigningPolicy;
import org.pabal.dnssec.Zonemd;
import org.pabal.settings.Settings;

import java.time.Duration;
import java.util.Optional;

/// What is set about the signing of zones.
///
/// @param sign whether to sign; empty when nothing is set: then a zone that is signed stays so as
///     it stands, because settings come and go while a node starts or a file is replaced
/// @param verify whether a zone that comes with a digest has to agree with it
/// @param dsInParent whether DS records are put into the parent when that is a zone of ours too
record SigningSettings(
        Optional<Boolean> sign,
        SigningPolicy policy,
        KeyPolicy keys,
        boolean verify,
        boolean dsInParent) {

    private static final Duration LONGEST = Duration.ofDays(365);

    static SigningSettings of(Settings settings) {
        Optional<Boolean> sign = settings.text("sign").map(text -> settings.flag("sign", false));
        String algorithm =
                settings.choice(
                        "algorithm",
                        "ecdsap256sha256",
                        "ecdsap256sha256",
                        "ed25519",
                        "rsasha256",
                        "13",
                        "15",
                        "8");
        boolean optOut = settings.flag("opt-out", false);
        boolean hashed = settings.choice("denial", "nsec", "nsec", "nsec3").equals("nsec3");
        Duration lifetime = settings.duration("signature-lifetime", Duration.ofDays(14));
        if (lifetime.compareTo(Duration.ofDays(2)) < 0 || lifetime.compareTo(LONGEST) > 0) {
            throw settings.bad("signature-lifetime", lifetime, "2 to 365 days", "14 d");
        }
        String zonemd = settings.choice("zonemd", "none", "none", "generate", "verify");
        return new SigningSettings(
                sign,
                new SigningPolicy(
                        !hashed ? Denial.NSEC : optOut ? Denial.NSEC3_OPT_OUT : Denial.NSEC3,
                        lifetime,
                        lifetime.dividedBy(2),
                        zonemd.equals("generate")),
                new KeyPolicy(
                        switch (algorithm) {
                            case "rsasha256", "8" -> 8;
                            case "ed25519", "15" -> 15;
                            default -> 13;
                        },
                        lifetimeOfKeys(settings, "zsk-lifetime", KeyPolicy.USUAL.zskLifetime()),
                        lifetimeOfKeys(settings, "ksk-lifetime", KeyPolicy.USUAL.kskLifetime()),
                        KeyPolicy.USUAL.keyTtl(),
                        settings.duration("propagation", KeyPolicy.USUAL.propagation()),
                        KeyPolicy.USUAL.dsTtl()),
                zonemd.equals("verify"),
                settings.flag("ds-in-parent", false));
    }

    private static Duration lifetimeOfKeys(Settings settings, String key, Duration fallback) {
        Duration lifetime = settings.duration(key, fallback);
        if (!lifetime.isZero() && lifetime.compareTo(Duration.ofDays(1)) < 0) {
            throw settings.bad(key, lifetime, "a day or more, or 0 s for no end", "90 d");
        }
        return lifetime;
    }

    /// What is wrong with a zone that came from another server, by its own digest (RFC 8976 §4);
    /// one line for the log. A zone without a digest, or with one that we cannot check, passes.
    Optional<String> wrong(Zone transferred) {
        return verify && Zonemd.verify(transferred) == Zonemd.Verdict.WRONG
                ? Optional.of(
                        "zone "
                                + transferred.origin()
                                + ": serial "
                                + transferred.serial()
                                + " does not agree with its digest (ZONEMD)")
                : Optional.empty();
    }
}
