package org.pabal.delivery;

import org.pabal.settings.Settings;
import org.pabal.smtp.client.Login;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which way mail leaves: by a route of the domain's own, by the smart host, or by the domain's MX.
///
/// @param byDomain by domain in lower case; with a leading dot, for every domain below
/// @param port of hosts that MX records name: 25, but in a laboratory
record Routes(Map<String, NextHop.Server> byDomain, Optional<NextHop.Server> smartHost, int port) {

    private static final int SMTP = 25;
    private static final int SUBMISSION = 587; // RFC 6409 §3.1
    private static final int LMTP = 24; // RFC 2033 §5: any but 25
    private static final String LMTP_MARK = "lmtp:";

    private static final Pattern HOST_AND_PORT =
            Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+)(?::(\\d{1,5}))?");

    Routes {
        byDomain = Map.copyOf(byDomain);
    }

    /// Reads `routes`, `smart-host`, `smart-host-login`, `smart-host-password` and `remote-port`.
    static Routes of(Settings settings) {
        Optional<Login> login = login(settings);
        Optional<NextHop.Server> smartHost =
                settings.text("smart-host").map(text -> smartHost(settings, text, login));
        if (login.isPresent() && smartHost.isEmpty()) {
            throw settings.bad(
                    "smart-host-login",
                    login.get().name(),
                    "smart-host beside it",
                    login.get().name() + " and smart-host = mail.example.net");
        }
        Map<String, NextHop.Server> byDomain = new LinkedHashMap<>();
        for (String route : settings.list("routes")) {
            int equals = route.indexOf('=');
            String domain = equals < 0 ? "" : route.substring(0, equals).strip();
            String to = equals < 0 ? "" : route.substring(equals + 1).strip();
            Optional<NextHop.Server> server =
                    to.startsWith(LMTP_MARK)
                            ? server(to.substring(LMTP_MARK.length()), LMTP, true, Optional.empty())
                            : server(to, SMTP, false, Optional.empty());
            if (domain.isEmpty() || domain.equals(".") || domain.equals("*") || server.isEmpty()) {
                throw settings.bad(
                        "routes",
                        route,
                        "domain=host, domain=host:port or domain=lmtp:host:port, the domain with a"
                                + " leading dot for those below it (all others: smart-host)",
                        "example.org=mx.example.net:2525, .example.com=lmtp:127.0.0.1:24");
            }
            if (byDomain.put(HostNames.plain(domain), server.get()) != null) {
                throw settings.bad(
                        "routes", route, "each domain once", "example.org=mx.example.net");
            }
        }
        int port = (int) settings.number("remote-port", SMTP, 1, 65_535);
        return new Routes(byDomain, smartHost, port);
    }

    /// The route of the domain itself, of the nearest domain above it that has one, the smart host,
    /// or else who is in DNS.
    ///
    /// @param domain of a recipient
    NextHop to(String domain) {
        String plain = HostNames.plain(domain);
        if (byDomain.containsKey(plain)) {
            return byDomain.get(plain);
        }
        for (int dot = plain.indexOf('.'); dot >= 0; dot = plain.indexOf('.', dot + 1)) {
            if (byDomain.containsKey(plain.substring(dot))) {
                return byDomain.get(plain.substring(dot));
            }
        }
        return smartHost.isPresent() ? smartHost.get() : new NextHop.Exchangers(plain, port);
    }

    private static Optional<Login> login(Settings settings) {
        Optional<String> name = settings.text("smart-host-login");
        Optional<String> password = settings.text("smart-host-password");
        if (name.isPresent() != password.isPresent()) {
            String key = name.isPresent() ? "smart-host-login" : "smart-host-password";
            String other = name.isPresent() ? "smart-host-password" : "smart-host-login";
            throw settings.bad(
                    key, name.orElse("(hidden)"), other + " beside it", name.orElse("secret"));
        }
        return name.map(present -> new Login(present, password.orElseThrow()));
    }

    private static NextHop.Server smartHost(Settings settings, String text, Optional<Login> login) {
        return server(text, login.isPresent() ? SUBMISSION : SMTP, false, login)
                .orElseThrow(
                        () ->
                                settings.bad(
                                        "smart-host",
                                        text,
                                        "one host, or host:port, an IPv6 address in brackets",
                                        "mail.example.net:587"));
    }

    private static Optional<NextHop.Server> server(
            String text, int port, boolean lmtp, Optional<Login> login) {
        Matcher matcher = HOST_AND_PORT.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String host = HostNames.plain(matcher.group(1));
        int chosen = matcher.group(2) == null ? port : Integer.parseInt(matcher.group(2));
        boolean six = host.startsWith("[");
        host = six ? host.substring(1, host.length() - 1) : host;
        boolean sound =
                six == host.contains(":")
                        && (!six || HostNames.address(host).isPresent())
                        && !host.startsWith(".")
                        && chosen > 0
                        && chosen < 65_536;
        return sound
                ? Optional.of(new NextHop.Server(host, chosen, lmtp, login))
                : Optional.empty();
    }
}
