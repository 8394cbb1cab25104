package org.pabal.dns.authoritative;

import org.pabal.settings.Settings;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What is set for some zones about where they come from and who is told of them.
///
/// @param primaries who has the zone; none when it is made here; setting `primaries`
/// @param notified who is told of each new version (RFC 1996); setting `notify`
/// @param notifyNameServers whether the zone's other name servers are told too, as far as we know
///     their addresses; setting `notify-name-servers`
/// @param maxRecords more is no zone of ours (security row D23); setting `max-zone-records`
/// @param maxOctets the longest transfer; setting `max-zone-size`
/// @param transferTime the longest time for a transfer; setting `max-transfer-time`
/// @param minRefresh the least that a zone's own timers may ask for; setting `min-refresh`
/// @param maxRefresh the most; setting `max-refresh`
/// @param rollback whether a version with a lesser serial is taken; setting
///     `allow-serial-rollback`
/// @param tlsTrust certificates that a primary's has to lead to, in place of the system's; setting
///     `tls-trust`
/// @param catalog what the zone is as a catalog; setting `catalog`
/// @param catalogZones which zones of ours a catalog of ours lists; setting `catalog-zones`
/// @param maxMembers how many zones a catalog may have; setting `max-catalog-members`
record ZoneSources(
        List<RemoteServer> primaries,
        List<RemoteServer> notified,
        boolean notifyNameServers,
        long maxRecords,
        long maxOctets,
        Duration transferTime,
        Duration minRefresh,
        Duration maxRefresh,
        boolean rollback,
        Optional<Path> tlsTrust,
        CatalogRole catalog,
        List<Pattern> catalogZones,
        int maxMembers) {

    /// RFC 9432
    enum CatalogRole {
        NONE,
        CONSUMER,
        PRODUCER
    }

    /// `example.org` for one, `*.example.org` for all below, `*` for all.
    record Pattern(Name name, boolean below) {

        boolean matches(Name origin) {
            return below
                    ? name.equals(Name.root) || origin.subdomain(name) && !origin.equals(name)
                    : origin.equals(name);
        }
    }

    ZoneSources {
        primaries = List.copyOf(primaries);
        notified = List.copyOf(notified);
        catalogZones = List.copyOf(catalogZones);
    }

    static ZoneSources of(Settings settings) {
        List<RemoteServer> primaries = servers(settings, "primaries");
        CatalogRole catalog =
                CatalogRole.valueOf(
                        settings.choice("catalog", "none", "none", "consumer", "producer")
                                .toUpperCase(Locale.ROOT));
        if (catalog == CatalogRole.CONSUMER && primaries.isEmpty()) {
            throw settings.bad(
                    "catalog", "consumer", "primaries, from which it comes, beside it", "none");
        }
        if (catalog == CatalogRole.PRODUCER && !primaries.isEmpty()) {
            throw settings.bad("catalog", "producer", "no primaries beside it", "consumer");
        }
        Duration least = settings.duration("min-refresh", Duration.ofMinutes(1));
        Duration most = settings.duration("max-refresh", Duration.ofDays(1));
        if (least.toSeconds() < 1 || least.compareTo(most) > 0) {
            throw settings.bad("min-refresh", least, "1 s to max-refresh", "1 m");
        }
        return new ZoneSources(
                primaries,
                servers(settings, "notify"),
                settings.flag("notify-name-servers", true),
                settings.number("max-zone-records", 10_000_000, 1, Integer.MAX_VALUE),
                settings.octets("max-zone-size", 1_000_000_000),
                settings.duration("max-transfer-time", Duration.ofHours(1)),
                least,
                most,
                settings.flag("allow-serial-rollback", false),
                trust(settings),
                catalog,
                patterns(settings),
                (int) settings.number("max-catalog-members", 100_000, 1, 10_000_000));
    }

    /// The same for a zone that a catalog lists.
    ZoneSources ofMember() {
        return new ZoneSources(
                primaries,
                notified,
                notifyNameServers,
                maxRecords,
                maxOctets,
                transferTime,
                minRefresh,
                maxRefresh,
                rollback,
                tlsTrust,
                CatalogRole.NONE,
                List.of(),
                maxMembers);
    }

    private static List<RemoteServer> servers(Settings settings, String key) {
        List<RemoteServer> servers = new ArrayList<>();
        for (String text : settings.list(key)) {
            try {
                servers.add(RemoteServer.parse(text));
            } catch (IllegalArgumentException e) {
                throw settings.bad(
                        key, text, "ADDRESS[@PORT] [key NAME] [tls HOST]", RemoteServer.EXAMPLE);
            }
        }
        return servers;
    }

    private static Optional<Path> trust(Settings settings) {
        Optional<Path> file = settings.text("tls-trust").map(Path::of);
        if (file.isPresent() && !Files.isReadable(file.get())) {
            throw settings.bad(
                    "tls-trust",
                    file.get(),
                    "a readable file of certificates in PEM",
                    "/etc/ssl/primary.pem");
        }
        return file;
    }

    private static List<Pattern> patterns(Settings settings) {
        List<Pattern> patterns = new ArrayList<>();
        for (String text : settings.list("catalog-zones")) {
            boolean below = text.equals("*") || text.startsWith("*.");
            try {
                Name name =
                        text.equals("*")
                                ? Name.root
                                : Name.fromString(text.substring(below ? 2 : 0), Name.root);
                patterns.add(new Pattern(name, below));
            } catch (TextParseException e) {
                throw settings.bad(
                        "catalog-zones", text, "names of zones", "example.org, *.example.net");
            }
        }
        return patterns;
    }
}
