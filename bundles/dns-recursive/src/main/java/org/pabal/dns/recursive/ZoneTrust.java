package org.pabal.dns.recursive;

import org.pabal.dnssec.ZoneKeys;

import java.time.Instant;
import java.util.Optional;

/// What DNSSEC says of a zone, until some moment.
sealed interface ZoneTrust {

    Instant until();

    /// These are its keys.
    record Secure(ZoneKeys keys, Instant until) implements ZoneTrust {}

    /// It is provably not signed, or in ways that we do not know, and so is all below it.
    record Insecure(Optional<Reason> why, Instant until) implements ZoneTrust {}

    /// Its keys should be provable and are not.
    record Bogus(Reason why, Instant until) implements ZoneTrust {}

    /// No zone begins at this name.
    record Inside(Instant until) implements ZoneTrust {}
}
