package org.pabal.dns.recursive;

import org.pabal.settings.Settings;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// What an administrator says about where answers are to be found; in the main file and in that of
/// a view.
///
/// @param elsewhere forward and stub zones
/// @param localData master files whose records answer for their names
/// @param localZones names at and below which there is nothing but local data
/// @param hosts files like `/etc/hosts`
/// @param notSpecial names at and below which nothing is answered only because it is special
record RouteSettings(
        Map<Name, Route> elsewhere,
        List<Path> localData,
        Set<Name> localZones,
        List<Path> hosts,
        Set<Name> notSpecial) {

    /// RFC 1035 §4.2
    static final int DNS_PORT = 53;

    /// RFC 7858 §3.1
    static final int TLS_PORT = 853;

    private static final String FORWARD_EXAMPLE =
            ". 192.0.2.53@853#dns.example.net, example.org 2001:db8::53";

    RouteSettings {
        elsewhere = Map.copyOf(elsewhere);
        localData = List.copyOf(localData);
        localZones = Set.copyOf(localZones);
        hosts = List.copyOf(hosts);
        notSpecial = Set.copyOf(notSpecial);
    }

    /// @param home against which relative files are resolved
    static RouteSettings of(Settings settings, Path home) {
        Map<Name, Route> elsewhere = new HashMap<>();
        for (String key : List.of("forward", "stub")) {
            for (String text : settings.list(key)) {
                Route route = route(settings, key, text);
                Name zone =
                        route instanceof Route.Forward forward
                                ? forward.zone()
                                : ((Route.Stub) route).zone();
                if (elsewhere.putIfAbsent(zone, route) != null) {
                    throw settings.bad(key, text, "each zone once", FORWARD_EXAMPLE);
                }
            }
        }
        RouteSettings read =
                new RouteSettings(
                        elsewhere,
                        files(settings, "local-data", home),
                        names(settings, "local-zones", "corp.example.org"),
                        files(settings, "hosts", home),
                        names(settings, "not-special", "10.in-addr.arpa, home.arpa"));
        try {
            LocalFiles.read(read);
        } catch (IOException e) {
            String key = read.localData().isEmpty() ? "hosts" : "local-data";
            throw settings.bad(
                    key,
                    settings.text(key, ""),
                    "files that can be read (" + e.getMessage() + ")",
                    key.equals("hosts") ? "/etc/hosts" : "etc/local.zone");
        }
        return read;
    }

    /// All files that a change may come from.
    List<Path> files() {
        return Stream.concat(hosts.stream(), localData.stream()).toList();
    }

    private static Route route(Settings settings, String key, String text) {
        try {
            String[] words = text.split("\\s+");
            if (words.length < 2) {
                throw new IllegalArgumentException("no address");
            }
            Name zone = Name.fromString(words[0], Name.root);
            List<Server> servers = new ArrayList<>();
            for (int i = 1; i < words.length; i++) {
                servers.add(server(words[i]));
            }
            return key.equals("forward")
                    ? new Route.Forward(zone, servers)
                    : new Route.Stub(zone, servers);
        } catch (TextParseException | IllegalArgumentException e) {
            throw settings.bad(
                    key,
                    text,
                    "ZONE ADDRESS[@PORT][#TLSNAME]… (" + e.getMessage() + ")",
                    FORWARD_EXAMPLE);
        }
    }

    /// `ADDRESS[@PORT][#TLSNAME]`; with a name it is asked over TLS, and has to have that name.
    ///
    /// @throws IllegalArgumentException when it is something else
    static Server server(String text) {
        int hash = text.indexOf('#');
        String place = hash < 0 ? text : text.substring(0, hash);
        Optional<String> tls =
                hash < 0 ? Optional.empty() : Optional.of(hostName(text.substring(hash + 1)));
        int at = place.indexOf('@');
        InetAddress address = InetAddress.ofLiteral(at < 0 ? place : place.substring(0, at));
        int port = tls.isPresent() ? TLS_PORT : DNS_PORT;
        if (at >= 0) {
            String number = place.substring(at + 1);
            port = number.matches("\\d{1,5}") ? Integer.parseInt(number) : 0;
            if (port < 1 || port > 0xFFFF) {
                throw new IllegalArgumentException("port " + number);
            }
        }
        return new Server(Name.root, new InetSocketAddress(address, port), tls);
    }

    private static String hostName(String text) {
        if (!text.matches("[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")) {
            throw new IllegalArgumentException("name " + text);
        }
        return text;
    }

    /// A list of names.
    static Set<Name> names(Settings settings, String key, String example) {
        Set<Name> names = new HashSet<>();
        for (String text : settings.list(key)) {
            try {
                names.add(Name.fromString(text, Name.root));
            } catch (TextParseException e) {
                throw settings.bad(key, text, "names", example);
            }
        }
        return names;
    }

    private static List<Path> files(Settings settings, String key, Path home) {
        return settings.list(key).stream().map(home::resolve).toList();
    }
}
