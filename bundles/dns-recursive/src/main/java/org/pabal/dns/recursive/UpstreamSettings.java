package org.pabal.dns.recursive;

import org.pabal.settings.Settings;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.List;

/// How other name servers are asked: what `etc/org.pabal.dns.recursive.cfg` says of it.
///
/// @param useCaps whether the letters of a name are sent in random case, which a forger has to
///     guess too (draft-vixie-dnsext-dns0x20)
/// @param udpSize the payload size that we announce; 1232 is never fragmented (security row D3)
/// @param ipv6 whether servers are asked at their IPv6 addresses
/// @param maxOutgoing queries that may be in flight at one time
/// @param tlsCertificates to one of which the certificate of a server that is asked by TLS has to
///     lead; empty for those that the Java runtime trusts
record UpstreamSettings(
        boolean useCaps,
        int udpSize,
        Ipv6 ipv6,
        int maxOutgoing,
        List<Certificate> tlsCertificates) {

    /// Whether IPv6 is used.
    enum Ipv6 {
        /// When an interface of this machine has an address of the same kind.
        AUTO,
        YES,
        NO
    }

    /// What an empty file says.
    static final UpstreamSettings DEFAULTS =
            new UpstreamSettings(true, 1232, Ipv6.AUTO, 4096, List.of());

    UpstreamSettings {
        tlsCertificates = List.copyOf(tlsCertificates);
    }

    /// @param home the node's directory
    static UpstreamSettings of(Settings settings, Path home) {
        return new UpstreamSettings(
                settings.flag("use-caps", DEFAULTS.useCaps),
                (int) settings.number("udp-size", DEFAULTS.udpSize, 512, 4096),
                switch (settings.choice("ipv6", "auto", "auto", "yes", "no")) {
                    case "yes" -> Ipv6.YES;
                    case "no" -> Ipv6.NO;
                    default -> Ipv6.AUTO;
                },
                (int) settings.number("max-outgoing", DEFAULTS.maxOutgoing, 16, 60_000),
                certificates(settings, home));
    }

    private static List<Certificate> certificates(Settings settings, Path home) {
        return settings.text("tls-certificates")
                .map(
                        file -> {
                            try (InputStream in = Files.newInputStream(home.resolve(file))) {
                                List<Certificate> read =
                                        List.copyOf(
                                                CertificateFactory.getInstance("X.509")
                                                        .generateCertificates(in));
                                if (!read.isEmpty()) {
                                    return read;
                                }
                            } catch (IOException | CertificateException e) {
                                throw settings.bad(
                                        "tls-certificates",
                                        file + " (" + Settings.why(e) + ")",
                                        "a file of certificates in PEM",
                                        "etc/resolvers.pem");
                            }
                            throw settings.bad(
                                    "tls-certificates",
                                    file,
                                    "a file of certificates in PEM; this one has none",
                                    "etc/resolvers.pem");
                        })
                .orElse(List.of());
    }
}
