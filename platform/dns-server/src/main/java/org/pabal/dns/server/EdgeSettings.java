package org.pabal.dns.server;

import org.pabal.settings.Settings;
import org.xbill.DNS.NSIDOption;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// What an administrator says of how strangers are dealt with, in the file of either name server.
///
/// @param udpSize the largest answer over UDP and the payload size that we announce
/// @param tcpIdle how long a stream may be silent
/// @param tcpQueries after how many queries a stream is closed
/// @param cookieSecrets shared with other servers, the first for new cookies; empty for one of our
///     own
/// @param requireCookies whether a client that speaks cookies has to show ours over UDP
/// @param nsid what we tell to who asks for our name
/// @param rateLimit answers a second to a network and of a kind; 0 for no limit
/// @param rateLimitAccounts how many of those are remembered
/// @param rateLimitSlip every how many-th answer that is withheld goes out truncated
/// @param rateLimitExempt from whom nothing is withheld
public record EdgeSettings(
        int udpSize,
        Duration tcpIdle,
        int tcpQueries,
        List<ServerCookies.Secret> cookieSecrets,
        boolean requireCookies,
        Optional<NSIDOption> nsid,
        int rateLimit,
        int rateLimitAccounts,
        int rateLimitSlip,
        Networks rateLimitExempt) {

    /// The largest answer that no path fragments (security rows D3, D13).
    public static final int UNFRAGMENTED = 1232;

    /// An option's length has 16 bits, but a name that fills the answer helps nobody.
    private static final int MAX_NSID = 128;

    public static final String LOOPBACK = "127.0.0.0/8, ::1";

    public EdgeSettings {
        cookieSecrets = List.copyOf(cookieSecrets);
    }

    /// Asks the settings for what is ours; other keys are somebody else's.
    ///
    /// @param mostUdp the largest answer over UDP that an administrator may allow; what is longer
    ///     than 1,232 octets is for clients to whom no packet is fragmented, as on loopback
    public static EdgeSettings of(Settings settings, int mostUdp) {
        return new EdgeSettings(
                (int) settings.number("udp-size", UNFRAGMENTED, 512, mostUdp),
                settings.duration("tcp-idle", Duration.ofSeconds(10)), // security row D18
                (int) settings.number("tcp-queries", 10_000, 1, Integer.MAX_VALUE),
                secrets(settings),
                settings.flag("require-cookies", false),
                nsid(settings),
                (int) settings.number("rate-limit", 1000, 0, 1_000_000),
                (int) settings.number("rate-limit-table", 65_536, 1024, 1 << 24), // D30
                (int) settings.number("rate-limit-slip", 2, 0, 10),
                networks(settings, "rate-limit-exempt", LOOPBACK));
    }

    /// Networks, or the word `none`.
    ///
    /// @param fallback what counts when the key is not there
    public static Networks networks(Settings settings, String key, String fallback) {
        List<String> written = settings.list(key);
        if (written.isEmpty()) {
            written = List.of(fallback.split(", "));
        }
        try {
            return Networks.of(written.equals(List.of("none")) ? List.of() : written);
        } catch (IllegalArgumentException e) {
            throw settings.bad(
                    key,
                    String.join(", ", written),
                    "networks, or none",
                    "192.0.2.0/24, 2001:db8::/32");
        }
    }

    private static List<ServerCookies.Secret> secrets(Settings settings) {
        List<String> secrets = settings.list("cookie-secret");
        try {
            return secrets.stream().map(ServerCookies.Secret::parse).toList();
        } catch (IllegalArgumentException e) {
            // What was written is nearly the secret: it does not belong into a log.
            throw settings.bad(
                    "cookie-secret",
                    "…",
                    "one or two secrets of 32 hex digits, the new one first",
                    "e5e973e5a6b2a43f48e7dc849e37bfcf");
        }
    }

    private static Optional<NSIDOption> nsid(Settings settings) {
        return settings.text("nsid")
                .map(
                        text -> {
                            try {
                                byte[] octets =
                                        text.startsWith("0x")
                                                ? HexFormat.of().parseHex(text.substring(2))
                                                : text.getBytes(StandardCharsets.UTF_8);
                                if (octets.length <= MAX_NSID) {
                                    return new NSIDOption(octets);
                                }
                            } catch (IllegalArgumentException e) {
                                // told below
                            }
                            throw settings.bad(
                                    "nsid",
                                    text,
                                    "a text or 0x and hex digits, at most " + MAX_NSID + " octets",
                                    "ns1.example.org");
                        });
    }
}
