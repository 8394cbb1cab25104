package org.pabal.storage.file;

import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.pabal.dns.ZoneKeyStore;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Hashtable;
import java.util.Map;
import java.util.Optional;

/// Offers the keys of zones, in files, to the house as the [ZoneKeyStore].
@Component(
        service = {},
        immediate = true,
        configurationPid = FileStorage.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class FileZoneKeys {

    private final ServiceRegistration<ZoneKeyStore> registration;

    @Activate
    public FileZoneKeys(BundleContext context, Map<String, Object> properties) {
        Path home = Path.of(Optional.ofNullable(context.getProperty("pabal.home")).orElse("."));
        StorageSettings settings = StorageSettings.of(properties, home);
        try {
            registration =
                    context.registerService(
                            ZoneKeyStore.class,
                            new FileZoneKeyStore(settings.directory().resolve("keys"), new Disk()),
                            new Hashtable<>());
        } catch (IOException e) {
            throw settings.unusable(e);
        }
    }

    @Deactivate
    public void stop() {
        registration.unregister();
    }
}
