package org.pabal.dns.authoritative;

import org.pabal.dns.server.EdgeSettings;
import org.pabal.settings.Settings;

import java.util.Map;

/// What `etc/org.pabal.dns.authoritative.cfg` says.
///
/// @param edges how strangers are dealt with
/// @param maxTransfers zone transfers that may go out at one time
record ServerSettings(EdgeSettings edges, int maxTransfers) {

    /// What an empty file says.
    static ServerSettings defaults() {
        return of(Map.of());
    }

    static ServerSettings of(Map<String, ?> properties) {
        Settings settings = Settings.of(properties);
        ServerSettings read =
                new ServerSettings(
                        EdgeSettings.of(settings, EdgeSettings.UNFRAGMENTED),
                        (int) settings.number("max-transfers", 10, 1, 10_000));
        settings.noOthers();
        return read;
    }
}
