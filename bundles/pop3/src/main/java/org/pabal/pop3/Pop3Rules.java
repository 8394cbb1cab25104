package org.pabal.pop3;

import org.pabal.settings.Settings;

import java.time.Duration;
import java.util.Optional;

/// What the administrator has laid down for every conversation.
///
/// @param host the name in the greeting
/// @param expire how long a message stays after it came in; empty: for ever; zero: until it was
///     retrieved (RFC 2449 §6.7)
/// @param loginDelay how long an account has to wait between two sign-ins; zero: not at all (RFC
///     2449 §6.5)
/// @param patience how long a signed-in client may be silent
/// @param signInPatience how long a client that has not signed in may be silent
/// @param maxFailures how many commands may fail before we close
record Pop3Rules(
        String host,
        Optional<Duration> expire,
        Duration loginDelay,
        Duration patience,
        Duration signInPatience,
        int maxFailures) {

    static Pop3Rules of(Settings settings, String host) {
        Pop3Rules rules =
                new Pop3Rules(
                        settings.text("host", host),
                        expire(settings),
                        settings.duration("login-delay", Duration.ZERO),
                        settings.duration("patience", Duration.ofMinutes(10)),
                        settings.duration("sign-in-patience", Duration.ofMinutes(1)),
                        (int) settings.number("max-failed-commands", 20, 1, 1_000));
        if (rules.patience.compareTo(Duration.ofMinutes(10)) < 0) {
            // RFC 1939 §3: an autologout timer is of at least 10 minutes
            throw settings.bad(
                    "patience",
                    settings.text("patience", ""),
                    "at least 10 m (RFC 1939 §3)",
                    "10 m");
        }
        if (rules.signInPatience.compareTo(Duration.ofSeconds(5)) < 0) {
            throw settings.bad(
                    "sign-in-patience",
                    settings.text("sign-in-patience", ""),
                    "at least 5 s",
                    "1 m");
        }
        if (rules.loginDelay.toMillis() % 1_000 != 0
                || rules.loginDelay.compareTo(Duration.ofDays(1)) > 0) {
            throw settings.bad(
                    "login-delay",
                    settings.text("login-delay", ""),
                    "whole seconds, at most 1 d",
                    "5 m");
        }
        settings.noOthers();
        return rules;
    }

    /// Whether a message that was retrieved goes at QUIT, asked for or not.
    boolean removesRetrieved() {
        return expire.isPresent() && expire.get().isZero();
    }

    private static Optional<Duration> expire(Settings settings) {
        String value = settings.text("expire", "never");
        if (value.equalsIgnoreCase("never")) {
            return Optional.empty();
        }
        Duration time =
                value.equals("0") ? Duration.ZERO : settings.duration("expire", Duration.ZERO);
        if (!time.equals(Duration.ofDays(time.toDays()))) {
            throw settings.bad("expire", value, "never, or whole days", "30 d");
        }
        return Optional.of(time);
    }
}
