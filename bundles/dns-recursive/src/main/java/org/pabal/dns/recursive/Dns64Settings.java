package org.pabal.dns.recursive;

import org.pabal.settings.Settings;

import java.util.Optional;

/// Whether clients that have no IPv4 reach it through a translator. For some clients only, by a
/// view.
///
/// @param prefix of the translator; none for no DNS64
record Dns64Settings(Optional<Nat64Prefix> prefix) {

    static final Dns64Settings OFF = new Dns64Settings(Optional.empty());

    static Dns64Settings of(Settings settings) {
        return new Dns64Settings(
                settings.text("dns64")
                        .map(
                                text -> {
                                    try {
                                        return Nat64Prefix.parse(text);
                                    } catch (IllegalArgumentException e) {
                                        throw settings.bad(
                                                "dns64",
                                                text,
                                                "an IPv6 prefix (" + e.getMessage() + ")",
                                                "64:ff9b::/96");
                                    }
                                }));
    }
}
