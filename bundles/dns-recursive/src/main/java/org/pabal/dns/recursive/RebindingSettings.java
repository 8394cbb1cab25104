package org.pabal.dns.recursive;

import org.pabal.settings.Settings;
import org.xbill.DNS.Name;

import java.util.Optional;
import java.util.Set;

/// Whether names from outside may have addresses from inside.
///
/// Off unless it is asked for, as with Unbound, BIND and the Recursor. Lists that mail servers ask
/// for spammers answer with addresses in 127.0.0.0/8, and so does every name that a house has at a
/// public name server for its private addresses: who wants protection has to name those.
///
/// @param protection such addresses are withheld
/// @param privateNames names at and below which they are not
/// @param prefix of this site's translator, if it has one
record RebindingSettings(boolean protection, Set<Name> privateNames, Optional<Nat64Prefix> prefix) {

    static final RebindingSettings OFF = new RebindingSettings(false, Set.of(), Optional.empty());

    RebindingSettings {
        privateNames = Set.copyOf(privateNames);
    }

    /// With `private-upstreams` there is a hierarchy of name servers on private addresses, and
    /// their names have to be found: there is no protection then, and nobody should think so.
    static RebindingSettings of(Settings settings) {
        boolean protection = settings.flag("rebinding-protection", false);
        if (protection && settings.flag("private-upstreams", false)) {
            throw settings.bad(
                    "rebinding-protection", "yes", "no beside private-upstreams = yes", "no");
        }
        return new RebindingSettings(
                protection,
                RouteSettings.names(
                        settings, "private-names", "home.example.org, zen.spamhaus.example"),
                Dns64Settings.of(settings).prefix());
    }
}
