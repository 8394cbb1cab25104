package org.pabal.itests.clock;

import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Dictionary;
import java.util.Hashtable;

/// Offers the clock to the node, above the one that it starts with.
///
/// Components that know the node's own clock already take this one only when their reference is
/// greedy.
public final class ClockActivator implements BundleActivator {

    /// The environment variable that names the file with the seconds.
    private static final String FILE = "DNS_TEST_OFFSET_FILE";

    @Override
    public void start(BundleContext context) {
        String file = System.getenv(FILE);
        if (file == null || file.isEmpty()) {
            throw new IllegalStateException(
                    FILE + " is not set: expected the name of a file with a number of seconds");
        }
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put(Constants.SERVICE_RANKING, 1_000);
        context.registerService(InstantSource.class, new FileClock(Path.of(file)), properties);
    }

    @Override
    public void stop(BundleContext context) {
        // the framework takes the service back
    }
}
