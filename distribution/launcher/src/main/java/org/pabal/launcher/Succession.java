package org.pabal.launcher;

import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleException;
import org.osgi.framework.SynchronousBundleListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A bundle in `deploy/` takes the place of the image's bundle of the same symbolic name, and gives
/// it back when it goes.
///
/// File Install does the half of it: a file with the same name *and version* updates the image's
/// bundle in place, and removing the file uninstalls that bundle for good; a file with another
/// version becomes a second bundle. So:
///
/// ```
/// a second bundle of a name begins to start    the others of that name are stopped first
/// a bundle of a name is uninstalled            the image's is started again, or installed again
///                                              when it was that one
/// ```
///
/// The listener is synchronous: the old one has drained and stopped before the new one's activation
/// goes on.
final class Succession implements SynchronousBundleListener {

    private static final Logger log = LoggerFactory.getLogger(Succession.class);

    private final BundleContext context;
    private final Map<String, String> imageLocations = new TreeMap<>();
    private final int startLevel;

    /// @param image the bundles that came with the image, which stand as they were installed
    /// @param startLevel of an image's bundle that is installed again
    Succession(BundleContext context, Iterable<Bundle> image, int startLevel) {
        this.context = context;
        this.startLevel = startLevel;
        for (Bundle bundle : image) {
            imageLocations.put(bundle.getSymbolicName(), bundle.getLocation());
        }
    }

    void open() {
        context.addBundleListener(this);
    }

    @Override
    public void bundleChanged(BundleEvent event) {
        Bundle bundle = event.getBundle();
        String name = bundle.getSymbolicName();
        if (name == null || !imageLocations.containsKey(name) || shuttingDown()) {
            return;
        }
        try {
            switch (event.getType()) {
                case BundleEvent.STARTING -> stopOthers(bundle);
                case BundleEvent.UNINSTALLED -> comeBack(name);
                default -> {
                    // Everything else is nobody's succession.
                }
            }
        } catch (BundleException e) {
            log.error("bundle {}: the change between deploy/ and the image failed", name, e);
        }
    }

    private void stopOthers(Bundle starting) throws BundleException {
        for (Bundle other : context.getBundles()) {
            if (starting.getSymbolicName().equals(other.getSymbolicName())
                    && other.getBundleId() != starting.getBundleId()
                    && (other.getState() & (Bundle.ACTIVE | Bundle.STARTING)) != 0) {
                log.info(
                        "{} {} takes the place of {}",
                        starting.getSymbolicName(),
                        starting.getVersion(),
                        other.getVersion());
                other.stop(Bundle.STOP_TRANSIENT);
            }
        }
    }

    private void comeBack(String name) throws BundleException {
        Optional<Bundle> next = newest(name);
        if (next.isEmpty()) {
            Bundle again = context.installBundle(imageLocations.get(name));
            again.adapt(org.osgi.framework.startlevel.BundleStartLevel.class)
                    .setStartLevel(startLevel);
            next = Optional.of(again);
        }
        Bundle bundle = next.get();
        if ((bundle.getState() & (Bundle.ACTIVE | Bundle.STARTING)) == 0) {
            log.info("{} {} comes back", name, bundle.getVersion());
            bundle.start();
        }
    }

    /// Those in `deploy/` before the image's, and the highest version of these.
    private Optional<Bundle> newest(String name) {
        return Arrays.stream(context.getBundles())
                .filter(b -> name.equals(b.getSymbolicName()) && b.getState() != Bundle.UNINSTALLED)
                .max(
                        Comparator.comparing(
                                        (Bundle b) ->
                                                !b.getLocation().equals(imageLocations.get(name)))
                                .thenComparing(Bundle::getVersion));
    }

    private boolean shuttingDown() {
        return context.getBundle(0).getState() == Bundle.STOPPING;
    }
}
