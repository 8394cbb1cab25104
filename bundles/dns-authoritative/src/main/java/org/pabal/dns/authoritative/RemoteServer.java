package org.pabal.dns.authoritative;

import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;

/// Another name server, as an administrator names it: `ADDRESS[@PORT] [key NAME] [tls HOST]`, e.g.
/// `192.0.2.53`, `2001:db8::53@5353 key transfer.example.org`, `192.0.2.53 tls ns1.example.org`.
///
/// @param address port 53, or 853 with TLS, when none is named
/// @param key the TSIG key by which it and we know each other
/// @param tls the name that its certificate has to have, when we talk to it by TLS (RFC 9103)
record RemoteServer(InetSocketAddress address, Optional<Name> key, Optional<String> tls) {

    static final String EXAMPLE = "192.0.2.53@53 key transfer.example.org";

    /// @throws IllegalArgumentException when it is not of that form; one line for an administrator
    static RemoteServer parse(String text) {
        String[] words = text.strip().split("\\s+");
        Optional<Name> key = Optional.empty();
        Optional<String> tls = Optional.empty();
        for (int i = 1; i < words.length; i += 2) {
            if (i + 1 == words.length) {
                throw bad(text);
            }
            switch (words[i]) {
                case "key" -> key = Optional.of(name(text, words[i + 1]));
                case "tls" -> tls = Optional.of(words[i + 1]);
                default -> throw bad(text);
            }
        }
        String[] parts = words[0].split("@", 2);
        // Only what can be an address: a name would be looked up.
        if (!parts[0].matches("[0-9a-fA-F.:]*[.:][0-9a-fA-F.:]*(%\\w+)?")) {
            throw bad(text);
        }
        try {
            int port = parts.length == 2 ? Integer.parseInt(parts[1]) : tls.isPresent() ? 853 : 53;
            return new RemoteServer(
                    new InetSocketAddress(InetAddress.ofLiteral(parts[0]), port), key, tls);
        } catch (IllegalArgumentException e) {
            throw bad(text);
        }
    }

    private static Name name(String text, String name) {
        try {
            return Name.fromString(name, Name.root);
        } catch (TextParseException e) {
            throw bad(text);
        }
    }

    private static IllegalArgumentException bad(String text) {
        return new IllegalArgumentException(
                text + ": expected ADDRESS[@PORT] [key NAME] [tls HOST], for example " + EXAMPLE);
    }
}
