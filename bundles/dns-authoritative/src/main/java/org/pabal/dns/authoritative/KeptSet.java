package org.pabal.dns.authoritative;

import org.pabal.settings.Settings;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Addresses of a name that Pabal keeps up to date by edits of the zone; what they should be comes
/// from `etc/org.pabal.zone~NAME.cfg` and never from the zone itself (security row D26).
sealed interface KeptSet {

    /// More in one file are refused.
    int MAX_ALIASES = 1_000;

    int MAX_CHECKED = 1_000;

    Name owner();

    /// Whether the set of this type at the owner is kept.
    boolean keeps(int type);

    /// As it stands in the file.
    String setting();

    /// A name that has the addresses of another name, under its own: what a CNAME cannot do at the
    /// apex of a zone (RFC 1034 §3.6.2).
    ///
    /// @param ttl the most that its records get
    /// @param grace how long addresses are believed after their TTL has ended
    record Alias(Name owner, Name target, Duration ttl, Duration grace) implements KeptSet {

        @Override
        public boolean keeps(int type) {
            return Reply.isAddress(type);
        }

        @Override
        public String setting() {
            return "alias = " + owner + " " + target;
        }
    }

    /// Addresses that are answered as long as somebody is there.
    ///
    /// @param addresses all of them, at least one
    record Checked(Name owner, List<InetAddress> addresses, HealthCheck check, Duration ttl)
            implements KeptSet {

        public Checked {
            addresses = List.copyOf(addresses);
        }

        @Override
        public boolean keeps(int type) {
            return addresses.stream().anyMatch(address -> type(address) == type);
        }

        @Override
        public String setting() {
            StringBuilder text = new StringBuilder("check = " + owner);
            addresses.forEach(address -> text.append(' ').append(address.getHostAddress()));
            return text.append(' ').append(check).toString();
        }
    }

    static int type(InetAddress address) {
        return address instanceof Inet4Address ? Type.A : Type.AAAA;
    }

    /// Reads `alias`, `alias-ttl`, `alias-grace`, `check`, `check-ttl` and `check-private`.
    static List<KeptSet> of(Settings settings) {
        List<KeptSet> sets = new ArrayList<>();
        Duration ttl = ttl(settings, "alias-ttl", Duration.ofMinutes(5));
        Duration grace = settings.duration("alias-grace", Duration.ofDays(1));
        List<String> aliases = settings.list("alias");
        String example = "example.org www.cdn.example.net";
        for (String each : aliases) {
            String[] words = each.split("\\s+");
            if (words.length != 2 || aliases.size() > MAX_ALIASES) {
                throw settings.bad(
                        "alias",
                        each,
                        "a name and the name whose addresses it has, at most " + MAX_ALIASES,
                        example);
            }
            Name owner = name(settings, "alias", each, words[0], example);
            sets.add(
                    new Alias(owner, name(settings, "alias", each, words[1], example), ttl, grace));
        }
        Duration checkTtl = ttl(settings, "check-ttl", Duration.ofMinutes(1));
        boolean privately = settings.flag("check-private", false);
        settings.list("check")
                .forEach(each -> sets.add(checked(settings, each, checkTtl, privately)));
        if (sets.stream().mapToInt(KeptSet::probes).sum() > MAX_CHECKED) {
            throw settings.bad(
                    "check",
                    sets.size() + " names",
                    "at most " + MAX_CHECKED + " addresses",
                    HealthCheck.EXAMPLE);
        }
        Set<Name> owners = new HashSet<>();
        for (KeptSet set : sets) {
            if (!owners.add(set.owner())) {
                throw settings.bad(
                        "check",
                        set.owner(),
                        "each name once, in alias or in check",
                        HealthCheck.EXAMPLE);
            }
        }
        if (!sets.isEmpty() && settings.text("primaries").isPresent()) {
            throw settings.bad(
                    "primaries",
                    settings.text("primaries", ""),
                    "none beside alias and check: a zone that comes from elsewhere is not ours to"
                            + " edit",
                    "no such line");
        }
        return List.copyOf(sets);
    }

    private static int probes(KeptSet set) {
        return set instanceof Checked checked ? checked.addresses().size() : 0;
    }

    private static Checked checked(
            Settings settings, String text, Duration ttl, boolean privately) {
        String[] words = text.split("\\s+");
        Name owner = name(settings, "check", text, words[0], HealthCheck.EXAMPLE);
        List<InetAddress> addresses = new ArrayList<>();
        int at = 1;
        // A literal has a colon or a dot; the word that ends the addresses has neither.
        for (; at < words.length && words[at].matches("[0-9a-fA-F.:]*[.:][0-9a-fA-F.:]*"); at++) {
            InetAddress address;
            try {
                address = InetAddress.ofLiteral(words[at]);
            } catch (IllegalArgumentException e) {
                throw settings.bad("check", text, "addresses", HealthCheck.EXAMPLE);
            }
            // Security row D27: who may edit this file shall not look into networks through us.
            if (HealthCheck.isNowhere(address) || HealthCheck.isPrivate(address) && !privately) {
                throw settings.bad(
                        "check",
                        text,
                        "public addresses, or check-private = yes for those of your own network;"
                                + " not "
                                + words[at],
                        HealthCheck.EXAMPLE);
            }
            if (!addresses.contains(address)) {
                addresses.add(address);
            }
        }
        HealthCheck check;
        try {
            check = HealthCheck.parse(List.of(words).subList(at, words.length));
        } catch (IllegalArgumentException e) {
            throw settings.bad("check", text, e.getMessage(), HealthCheck.EXAMPLE);
        }
        if (addresses.isEmpty()) {
            throw settings.bad("check", text, "at least one address", HealthCheck.EXAMPLE);
        }
        return new Checked(owner, addresses, check, ttl);
    }

    private static Duration ttl(Settings settings, String key, Duration fallback) {
        Duration ttl = settings.duration(key, fallback);
        if (ttl.compareTo(Duration.ofSeconds(1)) < 0 || ttl.compareTo(Duration.ofHours(1)) > 0) {
            throw settings.bad(key, ttl, "1 s to 1 h", "60 s");
        }
        return ttl;
    }

    private static Name name(
            Settings settings, String key, String value, String text, String example) {
        try {
            Name name = Name.fromString(text, Name.root);
            if (!name.isWild()) {
                return name;
            }
        } catch (TextParseException e) {
            // told of below
        }
        throw settings.bad(key, value, "names, and none with *", example);
    }
}
