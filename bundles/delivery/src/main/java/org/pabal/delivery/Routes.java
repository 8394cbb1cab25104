package org.pabal.delivery;

import org.pabal.settings.Settings;

import java.util.Map;
import java.util.Optional;

/// Which way mail leaves: by a route of the domain's own, by the smart host, or by the domain's MX.
///
/// @param ports of hosts that MX records name: 25, but in a laboratory
record Routes(Map<String, NextHop.Server> byDomain, Optional<NextHop.Server> smartHost, int port) {

    /// Reads `routes`, `smart-host`, `smart-host-login`, `smart-host-password` and `remote-port`.
    static Routes of(Settings settings) {
        return new Routes(Map.of(), Optional.empty(), 25);
    }

    /// @param domain of a recipient
    NextHop to(String domain) {
        return new NextHop.Exchangers(domain, port);
    }
}
