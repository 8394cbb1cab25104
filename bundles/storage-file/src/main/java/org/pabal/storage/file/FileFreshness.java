package org.pabal.storage.file;

import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.pabal.dns.ZoneFreshness;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Hashtable;
import java.util.Map;
import java.util.Optional;

/// Offers [ZoneFreshness] to the house, in `confirmed.txt` beside the zones.
@Component(
        service = {},
        immediate = true,
        configurationPid = FileStorage.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class FileFreshness {

    private final ServiceRegistration<ZoneFreshness> registration;

    @Activate
    public FileFreshness(BundleContext context, Map<String, Object> properties) {
        Path home = Path.of(Optional.ofNullable(context.getProperty("pabal.home")).orElse("."));
        registration =
                context.registerService(
                        ZoneFreshness.class,
                        open(StorageSettings.of(properties, home)),
                        new Hashtable<>());
    }

    private static FileZoneFreshness open(StorageSettings settings) {
        Path zones = settings.directory().resolve("zones");
        Disk disk = new Disk();
        try {
            disk.makeDirectories(zones);
            return new FileZoneFreshness(zones.resolve("confirmed.txt"), disk);
        } catch (IOException e) {
            throw settings.unusable(e);
        }
    }

    @Deactivate
    public void stop() {
        registration.unregister();
    }
}
