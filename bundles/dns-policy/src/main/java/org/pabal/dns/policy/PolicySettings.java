package org.pabal.dns.policy;

import org.pabal.settings.Settings;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What an administrator set in one file `etc/org.pabal.dns.policy~NAME.cfg`.
///
/// @param name of the file, by which clients and the log hear of it
/// @param order the lower, the sooner it is asked
/// @param source what rules it has
/// @param action in place of what the rules of a zone say
/// @param log whether it says what it did
record PolicySettings(String name, int order, Source source, Action action, boolean log) {

    static final int DEFAULT_ORDER = 100;

    /// Where rules come from.
    sealed interface Source {}

    /// A zone of this node.
    record OfZone(Name origin) implements Source {}

    /// A file of names.
    ///
    /// @param allowed these, and what is below them, are not blocked
    /// @param aliases names that an answer leads to are looked for too
    record OfList(Path file, BlockAnswer answer, List<Name> allowed, boolean aliases)
            implements Source {}

    /// @param home the node's directory, `pabal.home`
    static PolicySettings of(Map<String, ?> properties, Path home) {
        Settings settings = Settings.of(properties);
        String name = settings.instance().isEmpty() ? "policy" : settings.instance();
        int order = (int) settings.number("order", DEFAULT_ORDER, 0, 1_000_000);
        boolean log = settings.flag("log", true);
        Optional<String> zone = settings.text("zone");
        Optional<String> list = settings.text("list");
        if (zone.isEmpty() && list.isEmpty()) {
            List.of("action", "answer", "allow", "aliases").forEach(settings::text);
            settings.noOthers(); // a misspelt key says more
            settings.required("zone", "rpz.example.org, or list = etc/blocked.txt");
        }
        if (zone.isPresent() && list.isPresent()) {
            throw settings.bad(
                    "list", list.get(), "a zone or a list, and not both", "etc/blocked.txt");
        }
        Action action = Action.GIVEN;
        Source source;
        if (zone.isPresent()) {
            source = new OfZone(name(settings, "zone", zone.get()));
            action = Action.of(settings.choice("action", "given", Action.words()));
        } else {
            source =
                    new OfList(
                            home.resolve(list.orElseThrow()),
                            answer(settings),
                            settings.list("allow").stream()
                                    .map(text -> name(settings, "allow", text))
                                    .toList(),
                            settings.flag("aliases", false));
            action = Action.of(settings.choice("action", "given", "given", "disabled"));
        }
        settings.noOthers();
        return new PolicySettings(name, order, source, action, log);
    }

    /// What clients read (RFC 8914).
    String why() {
        return "policy " + name;
    }

    private static BlockAnswer answer(Settings settings) {
        List<String> words = settings.list("answer");
        if (words.isEmpty() || words.equals(List.of("nxdomain"))) {
            return new BlockAnswer.NoName();
        }
        if (words.equals(List.of("nodata"))) {
            return new BlockAnswer.NoRecord();
        }
        List<InetAddress> addresses = new ArrayList<>();
        for (String word : words) {
            try {
                addresses.add(InetAddress.ofLiteral(word));
            } catch (IllegalArgumentException e) {
                throw settings.bad("answer", word, "nxdomain, nodata or addresses", "0.0.0.0, ::");
            }
        }
        return new BlockAnswer.Addresses(addresses);
    }

    private static Name name(Settings settings, String key, String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw settings.bad(key, text, "a name", "example.org");
        }
    }
}
