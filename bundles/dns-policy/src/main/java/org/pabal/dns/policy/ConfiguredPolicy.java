package org.pabal.dns.policy;

import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The doorway: one for each file `etc/org.pabal.dns.policy~NAME.cfg`.
///
/// The policy is registered by hand because its ranking is a setting, and Declarative Services
/// take rankings from annotations.
@Component(
        service = ConfiguredPolicy.class,
        immediate = true,
        configurationPid = "org.pabal.dns.policy",
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class ConfiguredPolicy {

    private static final Logger LOG = LoggerFactory.getLogger(ConfiguredPolicy.class);

    private final RunningPolicy policy;
    private final List<ServiceRegistration<?>> registrations = new ArrayList<>();
    private Optional<ListFile> file = Optional.empty();

    @Activate
    public ConfiguredPolicy(
            BundleContext context, @Reference ZoneStore store, Map<String, Object> properties) {
        Path home = Path.of(Optional.ofNullable(context.getProperty("pabal.home")).orElse("."));
        PolicySettings settings = PolicySettings.of(properties, home);
        policy = new RunningPolicy(settings, Rules.none("nothing yet"));
        switch (settings.source()) {
            case PolicySettings.OfZone(var origin) -> {
                ZoneRules rules = new ZoneRules(settings, origin, policy::rules);
                policy.rules(rules.waiting());
                registrations.add(
                        context.registerService(ZoneObserver.class, rules, new Hashtable<>()));
                store.find(origin).ifPresent(rules::found);
            }
            case PolicySettings.OfList list -> file = Optional.of(opened(settings, list).start());
        }
        Dictionary<String, Object> ranking = new Hashtable<>();
        ranking.put(Constants.SERVICE_RANKING, -settings.order());
        registrations.add(context.registerService(ResponsePolicy.class, policy, ranking));
        LOG.info("policy {}", policy.line());
    }

    private ListFile opened(PolicySettings settings, PolicySettings.OfList list) {
        try {
            return new ListFile(settings, list, policy::rules);
        } catch (IOException e) {
            throw new BadSetting(
                    "org.pabal.dns.policy~"
                            + settings.name()
                            + ".cfg: list = "
                            + list.file()
                            + ": expected a file that can be read ("
                            + Settings.why(e)
                            + "), for example list = etc/blocked.txt");
        }
    }

    @Deactivate
    public void stop() {
        registrations.reversed().forEach(ServiceRegistration::unregister);
        file.ifPresent(ListFile::close);
    }

    /// For the shell.
    RunningPolicy policy() {
        return policy;
    }
}
