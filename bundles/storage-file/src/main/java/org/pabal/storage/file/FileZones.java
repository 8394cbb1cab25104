package org.pabal.storage.file;

import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.util.tracker.ServiceTracker;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Hashtable;
import java.util.Map;
import java.util.Optional;

/// Offers zones in files to the house as the [ZoneStore], and tells every [ZoneObserver].
///
/// Observers need the store to begin with and the store needs observers to tell, which Declarative
/// Services would call a circle. So the store is registered first, and a tracker finds the
/// observers.
@Component(
        service = {},
        immediate = true,
        configurationPid = FileStorage.PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class FileZones {

    private final ServiceRegistration<ZoneStore> registration;
    private final ServiceTracker<ZoneObserver, ZoneObserver> observers;
    private final FileZoneStore store;
    private final ZonePoll poll;

    @Activate
    public FileZones(
            BundleContext context, Map<String, Object> properties, @Reference InstantSource clock) {
        Path home = Path.of(Optional.ofNullable(context.getProperty("pabal.home")).orElse("."));
        store = open(StorageSettings.of(properties, home), clock);
        registration = context.registerService(ZoneStore.class, store, new Hashtable<>());
        observers =
                new ServiceTracker<>(context, ZoneObserver.class, null) {
                    @Override
                    public ZoneObserver addingService(ServiceReference<ZoneObserver> reference) {
                        return store.observe(() -> super.addingService(reference));
                    }

                    @Override
                    public void removedService(
                            ServiceReference<ZoneObserver> reference, ZoneObserver observer) {
                        store.ignore(observer);
                        super.removedService(reference, observer);
                    }
                };
        observers.open();
        poll = new ZonePoll(store);
    }

    private static FileZoneStore open(StorageSettings settings, InstantSource clock) {
        try {
            return new FileZoneStore(
                    settings.directory().resolve("zones"),
                    clock,
                    new Disk(),
                    settings.zoneJournalOctets());
        } catch (IOException e) {
            throw settings.unusable(e);
        }
    }

    @Deactivate
    public void stop() {
        poll.close();
        observers.close();
        registration.unregister();
        store.close();
    }
}
