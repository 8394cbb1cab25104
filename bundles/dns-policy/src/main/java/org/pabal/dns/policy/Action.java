package org.pabal.dns.policy;

import org.pabal.dns.Ruling;

import java.util.Arrays;
import java.util.Locale;

/// What is done whenever a rule of a policy zone fits, by setting `action`
/// (draft-vixie-dnsop-dns-rpz, policy overrides).
enum Action {
    /// What the rule says.
    GIVEN,
    NXDOMAIN,
    NODATA,
    PASSTHRU,
    DROP,
    /// Nothing but a line in the log.
    DISABLED;

    static String[] words() {
        return Arrays.stream(values()).map(Action::word).toArray(String[]::new);
    }

    static Action of(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// @param given what the rule says
    Ruling ruling(Ruling given, String why) {
        return switch (this) {
            case GIVEN, DISABLED -> given;
            case NXDOMAIN -> new Ruling.NoName(why);
            case NODATA -> new Ruling.NoRecord(why);
            case PASSTHRU -> new Ruling.Pass();
            case DROP -> new Ruling.Drop(why);
        };
    }
}
