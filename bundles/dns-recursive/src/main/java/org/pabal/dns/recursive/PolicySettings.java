package org.pabal.dns.recursive;

import org.pabal.settings.Settings;

/// How policies are obeyed. What they say is set elsewhere.
///
/// @param breakDnssec answers that are signed are rewritten too, for clients that want signatures
record PolicySettings(boolean breakDnssec) {

    static PolicySettings of(Settings settings) {
        return new PolicySettings(settings.flag("break-dnssec", false));
    }
}
