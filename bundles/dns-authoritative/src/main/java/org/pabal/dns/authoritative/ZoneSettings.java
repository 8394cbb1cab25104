package org.pabal.dns.authoritative;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.pabal.settings.Settings;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The doorway for what is set for some zones: one for each file `etc/org.pabal.zone~NAME.cfg`.
///
/// `zones` tells for which: `example.org` for one, `*.example.org` for all below, `*` for all that
/// no other file names. The file that names a zone most closely counts, and no other does.
@Component(
        service = ZoneSettings.class,
        configurationPid = "org.pabal.zone",
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class ZoneSettings {

    /// What counts for a zone that no file names.
    static final ZoneSettings NONE = new ZoneSettings(Map.of("zones", "*"));

    private final List<Name> exact = new ArrayList<>();
    private final List<Name> below = new ArrayList<>();
    private final UpdatePolicy update;
    private final TransferPolicy transfer;
    private final AddressOrder order;
    private final List<KeptSet> kept;
    private final SigningSettings signing;
    private final ZoneSources sources;

    @Activate
    public ZoneSettings(Map<String, Object> properties) {
        Settings settings = Settings.of(properties);
        settings.required("zones", "example.org, *.example.net");
        for (String pattern : settings.list("zones")) {
            boolean wild = pattern.equals("*") || pattern.startsWith("*.");
            try {
                (wild ? below : exact)
                        .add(
                                pattern.equals("*")
                                        ? Name.root
                                        : Name.fromString(
                                                pattern.substring(wild ? 2 : 0), Name.root));
            } catch (TextParseException e) {
                throw settings.bad(
                        "zones", pattern, "names of zones", "example.org, *.example.net");
            }
        }
        update = UpdatePolicy.of(settings);
        transfer = TransferPolicy.of(settings);
        order = AddressOrder.of(settings);
        kept = KeptSet.of(settings);
        signing = SigningSettings.of(settings);
        sources = ZoneSources.of(settings);
        settings.noOthers();
    }

    /// Who may change the zones by dynamic update.
    UpdatePolicy update() {
        return update;
    }

    /// Who may have a copy of the zones.
    TransferPolicy transfer() {
        return transfer;
    }

    /// Which of several addresses comes first.
    AddressOrder order() {
        return order;
    }

    /// The address sets that Pabal keeps.
    List<KeptSet> kept() {
        return kept;
    }

    /// How they are signed.
    SigningSettings signing() {
        return signing;
    }

    /// Where the zones come from, and who is told of them.
    ZoneSources sources() {
        return sources;
    }

    /// The zones that are named one by one.
    List<Name> named() {
        return List.copyOf(exact);
    }

    /// How closely this names a zone: 0 for not at all.
    int closeness(Name origin) {
        if (exact.contains(origin)) {
            return Integer.MAX_VALUE;
        }
        return below.stream()
                .filter(
                        parent ->
                                origin.subdomain(parent) && !origin.equals(parent)
                                        || parent.equals(Name.root))
                .mapToInt(Name::labels)
                .max()
                .orElse(0);
    }
}
