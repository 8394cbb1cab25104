package org.pabal.dns.recursive;

import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.pabal.dns.server.Networks;
import org.pabal.settings.Settings;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The doorway for what some clients are told otherwise: one for each file
/// `etc/org.pabal.dns.view~NAME.cfg`.
///
/// `networks` tells for whom. The other keys are those of the main file, and what a view does not
/// say is as if the main file did not say it either: a view that inherited would change for its
/// clients whenever somebody changes something for the others.
@Component(
        service = ViewSettings.class,
        configurationPid = "org.pabal.dns.view",
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class ViewSettings {

    private final String name;
    private final List<String> networks;
    private final RouteSettings routes;
    private final Dns64Settings dns64;
    private final RebindingSettings rebinding;

    @Activate
    public ViewSettings(BundleContext context, Map<String, Object> properties) {
        this(
                properties,
                Path.of(Optional.ofNullable(context.getProperty("pabal.home")).orElse(".")));
    }

    ViewSettings(Map<String, Object> properties, Path home) {
        Settings settings = Settings.of(properties);
        name = settings.instance();
        settings.required("networks", "192.168.1.0/24, 2001:db8:1::/48");
        networks = settings.list("networks");
        try {
            Networks.of(networks);
        } catch (IllegalArgumentException e) {
            throw settings.bad(
                    "networks",
                    String.join(", ", networks),
                    "networks (" + e.getMessage() + ")",
                    "192.168.1.0/24, 2001:db8:1::/48");
        }
        routes = RouteSettings.of(settings, home);
        dns64 = Dns64Settings.of(settings);
        rebinding = RebindingSettings.of(settings);
        settings.noOthers();
    }

    /// As its file has it, e.g. `guests` for `org.pabal.dns.view~guests.cfg`.
    String name() {
        return name;
    }

    /// For whom it is.
    List<String> networks() {
        return networks;
    }

    RouteSettings routes() {
        return routes;
    }

    Dns64Settings dns64() {
        return dns64;
    }

    RebindingSettings rebinding() {
        return rebinding;
    }
}
