package org.pabal.dns.recursive;

import org.pabal.dns.server.EdgeSettings;
import org.pabal.dns.server.Networks;
import org.pabal.protocol.Datagram;
import org.pabal.settings.Settings;

import java.util.Optional;

/// Who is served, and how much: a part of what `etc/org.pabal.dns.recursive.cfg` says.
///
/// @param edges how strangers are dealt with
/// @param allow who may ask at all; all others are refused (security row D13)
/// @param snoop who may ask what is in the cache and nothing more, by queries without RD
/// @param maxWaiting queries that may wait for others at one time
/// @param maxWaitingOfOne how many of them may be of one network
/// @param missesPerSecond queries of one network a second that are not answered from the cache; 0
///     for no limit
/// @param inFlight queries of one stream that may wait at one time
/// @param version the answer to `version.bind`, if it is answered
/// @param identity the answer to `id.server`, if it is answered
/// @param traced clients whose queries are written to the log, step by step
record ServiceSettings(
        EdgeSettings edges,
        Networks allow,
        Networks snoop,
        int maxWaiting,
        int maxWaitingOfOne,
        int missesPerSecond,
        int inFlight,
        Optional<String> version,
        Optional<String> identity,
        Networks traced) {

    private static final int TEXT = 255;

    static ServiceSettings of(Settings settings) {
        return new ServiceSettings(
                EdgeSettings.of(settings, Datagram.ANSWER_LIMIT),
                EdgeSettings.networks(settings, "allow", EdgeSettings.LOOPBACK),
                EdgeSettings.networks(settings, "allow-snoop", "none"),
                (int) settings.number("max-waiting", 5_000, 1, 1_000_000),
                (int) settings.number("max-waiting-client", 1_000, 1, 1_000_000),
                (int) settings.number("client-rate-limit", 1_000, 0, 1_000_000),
                (int) settings.number("tcp-in-flight", 100, 1, 10_000),
                text(settings, "version", "unknown"),
                text(settings, "identity", "resolver1.example.org"),
                EdgeSettings.networks(settings, "trace-clients", "none"));
    }

    /// RFC 1035 §3.3: a string of a TXT record has 255 octets at most.
    private static Optional<String> text(Settings settings, String key, String example) {
        Optional<String> text = settings.text(key);
        if (text.isPresent() && !text.get().matches("[ -~]{1," + TEXT + "}")) {
            throw settings.bad(key, text.get(), "up to 255 ASCII characters", example);
        }
        return text;
    }
}
