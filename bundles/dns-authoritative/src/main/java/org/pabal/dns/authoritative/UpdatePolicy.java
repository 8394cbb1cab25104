package org.pabal.dns.authoritative;

import org.pabal.settings.Settings;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Who may change which records of a zone by dynamic update: by key, name and type, and never by
/// address alone (security row D20). Nobody may unless the administrator says so.
///
/// `update = KEY[: NAME… TYPE…], …`, e.g.
/// `update = dhcp.example.org: *.lan.example.org A AAAA DHCID, admin.example.org`. A key alone may
/// change all of the zone. `sig0 NAME` in place of a key is whoever has the private half of a KEY
/// record at that name; it is said expressly, because whoever may write a KEY record there becomes
/// that one.
record UpdatePolicy(List<Grant> grants) {

    private static final String EXAMPLE =
            "dhcp.example.org: *.lan.example.org A AAAA, admin.example.org";

    /// Who signed a request.
    ///
    /// @param publicKey with SIG(0) and not with TSIG
    record Signer(Name name, boolean publicKey) {

        @Override
        public String toString() {
            return (publicKey ? "sig0 " : "key ") + name.toString(true);
        }
    }

    /// @param names empty for all
    /// @param types empty for all
    record Grant(Signer signer, List<Owners> names, Set<Integer> types) {

        boolean covers(Name name, int type) {
            return (names.isEmpty() || names.stream().anyMatch(each -> each.match(name)))
                    && (types.isEmpty() || types.contains(type));
        }
    }

    /// A name, or all names below one.
    record Owners(Name name, boolean below) {

        boolean match(Name owner) {
            return below ? owner.subdomain(name) && !owner.equals(name) : owner.equals(name);
        }
    }

    UpdatePolicy {
        grants = List.copyOf(grants);
    }

    static UpdatePolicy of(Settings settings) {
        List<Grant> grants = new ArrayList<>();
        for (String text : settings.list("update")) {
            try {
                grants.add(grant(text));
            } catch (TextParseException | IllegalArgumentException e) {
                throw settings.bad(
                        "update",
                        text,
                        "KEY, or KEY: and the names and types that it may change",
                        EXAMPLE);
            }
        }
        return new UpdatePolicy(grants);
    }

    /// Whether a key may change anything at all.
    boolean knows(Signer signer) {
        return grants.stream().anyMatch(grant -> grant.signer().equals(signer));
    }

    /// Whether anybody may who signs with SIG(0).
    boolean knowsPublicKeys() {
        return grants.stream().anyMatch(grant -> grant.signer().publicKey());
    }

    boolean allows(Signer signer, Name name, int type) {
        return grants.stream()
                .anyMatch(grant -> grant.signer().equals(signer) && grant.covers(name, type));
    }

    private static Grant grant(String text) throws TextParseException {
        int colon = text.indexOf(':');
        String first = colon < 0 ? text : text.substring(0, colon).strip();
        boolean publicKey = first.startsWith("sig0 ");
        first = publicKey ? first.substring(5).strip() : first;
        if (first.chars().anyMatch(Character::isWhitespace)) {
            throw new IllegalArgumentException(text);
        }
        Name key = Name.fromString(first, Name.root);
        List<Owners> names = new ArrayList<>();
        Set<Integer> types = new HashSet<>();
        if (colon >= 0) {
            String what = text.substring(colon + 1).strip();
            for (String word : what.split("\\s+")) {
                int type = Type.value(word, true);
                if (word.equals("self")) {
                    names.add(new Owners(key, false));
                } else if (type > 0) {
                    types.add(type);
                } else if (word.startsWith("*.")) {
                    names.add(new Owners(name(word.substring(2)), true));
                } else {
                    names.add(new Owners(name(word), false));
                }
            }
        }
        return new Grant(new Signer(key, publicKey), List.copyOf(names), Set.copyOf(types));
    }

    private static Name name(String text) throws TextParseException {
        if (!text.contains(".")) {
            throw new IllegalArgumentException(text); // a word that was meant as a type
        }
        return Name.fromString(text, Name.root);
    }
}
