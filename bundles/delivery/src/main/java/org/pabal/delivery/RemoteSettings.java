package org.pabal.delivery;

import org.pabal.mail.MailAddress;
import org.pabal.settings.Settings;
import org.pabal.smtp.client.ClientPatience;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What an administrator can say about mail that leaves, with defaults that need no word.
///
/// @param privateDestinations whether mail may go to loopback and private addresses, as in a
///     laboratory
/// @param authorities certificates that count beside those of known authorities
/// @param sts whether MTA-STS policies of other domains are obeyed (RFC 8461)
/// @param stsPort of the servers that have them: 443, but in a laboratory
/// @param tlsReports whether others are told of the TLS of their hosts (RFC 8460)
/// @param tlsReportContact whom they may ask about that
record RemoteSettings(
        Routes routes,
        Lanes.Limits limits,
        List<InetAddress> sources,
        Duration connect,
        boolean privateDestinations,
        Optional<Path> authorities,
        boolean sts,
        int stsPort,
        boolean tlsReports,
        MailAddress tlsReportContact) {

    /// @param domain the node's own, whose postmaster is the contact where none is named
    /// @param home what paths are relative to
    static RemoteSettings of(Settings settings, String domain, Path home) {
        Lanes.Limits usual = Lanes.Limits.DEFAULT;
        return new RemoteSettings(
                Routes.of(settings),
                new Lanes.Limits(
                        (int)
                                settings.number(
                                        "connections-per-destination",
                                        usual.connections(),
                                        1,
                                        1_000),
                        (int) settings.number("connections", usual.allConnections(), 1, 100_000),
                        (int)
                                settings.number(
                                        "messages-per-connection", usual.messages(), 1, 100_000),
                        (int) settings.number("messages-per-minute", usual.rate(), 0, 1_000_000),
                        settings.duration("idle-connection", usual.idle())),
                sources(settings),
                connect(settings),
                settings.flag("private-destinations", false),
                settings.text("trusted-certificates").map(home::resolve),
                settings.flag("mta-sts", true),
                (int) settings.number("mta-sts-port", FetchedStsPolicies.HTTPS, 1, 65_535),
                // Off until they can be signed: RFC 8460 §3 wants DKIM on those that go by mail.
                settings.flag("tls-reports", false),
                contact(settings, domain));
    }

    private static Duration connect(Settings settings) {
        Duration connect = settings.duration("connect-patience", Duration.ofSeconds(30));
        if (connect.compareTo(Duration.ofSeconds(1)) < 0
                || connect.compareTo(Duration.ofMinutes(10)) > 0) {
            throw settings.bad(
                    "connect-patience", connect.toMillis() + " ms", "1 s to 10 m", "30 s");
        }
        return connect;
    }

    private static MailAddress contact(Settings settings, String domain) {
        String text = settings.text("tls-report-contact", "postmaster@" + domain);
        return MailAddress.parse(text)
                .orElseThrow(
                        () ->
                                settings.bad(
                                        "tls-report-contact",
                                        text,
                                        "an address",
                                        "postmaster@example.org"));
    }

    private static List<InetAddress> sources(Settings settings) {
        List<InetAddress> sources = new ArrayList<>();
        for (String address : settings.list("source-address")) {
            try {
                sources.add(InetAddress.ofLiteral(address));
            } catch (IllegalArgumentException e) {
                throw settings.bad(
                        "source-address",
                        address,
                        "addresses of this machine, one of each family",
                        "192.0.2.25, 2001:db8::25");
            }
        }
        return sources;
    }

    Dialer.Manner manner(String host) {
        return new Dialer.Manner(host, sources, connect, ClientPatience.DEFAULT, limits.messages());
    }
}
