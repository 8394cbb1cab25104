package org.pabal.launcher;

import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.startlevel.BundleStartLevel;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What was unpacked or built: `bin/`, `bundles/`, `runtime/`. The same for all nodes, and never
/// written to.
///
/// @param home where it lies
record Image(Path home) {

    /// The log comes first, so that it can tell of all others.
    static final int LOG_LEVEL = 1;
    static final int SERVICES_LEVEL = 2;
    static final int BUNDLES_LEVEL = 3;
    /// File Install reads the settings when everything that wants them is there.
    static final int FILES_LEVEL = 4;

    /// The image that this program belongs to, as `bin/pabal` says.
    static Image own() throws Trouble {
        String home = System.getProperty("pabal.image", "");
        if (home.isEmpty()) {
            throw new Trouble("the property pabal.image is missing: start Pabal by bin/pabal");
        }
        return new Image(Path.of(home).toAbsolutePath().normalize());
    }

    /// Installs the image's bundles where they lie, without copying them.
    ///
    /// @param terminal whether a shell with line editing is wanted on this process's terminal
    List<Bundle> install(BundleContext context, boolean terminal) throws Trouble {
        List<Bundle> installed = new ArrayList<>();
        for (Path jar : jars()) {
            String name = jar.getFileName().toString();
            if (!terminal
                    && (name.startsWith("jline")
                            || name.startsWith("org.apache.felix.gogo.jline"))) {
                continue;
            }
            try {
                Bundle bundle = context.installBundle("reference:" + jar.toUri());
                bundle.adapt(BundleStartLevel.class).setStartLevel(level(name));
                installed.add(bundle);
            } catch (BundleException e) {
                throw new Trouble(jar + ": cannot be installed: " + Lines.reason(e));
            }
        }
        return installed;
    }

    static boolean isFragment(Bundle bundle) {
        return bundle.getHeaders("").get(Constants.FRAGMENT_HOST) != null;
    }

    /// The bundle that takes the terminal when it starts.
    static boolean isTerminalShell(Bundle bundle) {
        return "org.apache.felix.gogo.jline".equals(bundle.getSymbolicName());
    }

    private static int level(String name) {
        if (name.startsWith("org.apache.felix.log-")) {
            return LOG_LEVEL;
        }
        if (name.startsWith("org.apache.felix.fileinstall-")) {
            return FILES_LEVEL;
        }
        return name.startsWith("org.pabal.") ? BUNDLES_LEVEL : SERVICES_LEVEL;
    }

    private List<Path> jars() throws Trouble {
        Path bundles = home.resolve("bundles");
        List<Path> jars = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(bundles, "*.jar")) {
            files.forEach(jars::add);
        } catch (IOException e) {
            throw new Trouble(
                    bundles
                            + ": cannot be listed ("
                            + Lines.reason(e)
                            + "); expected the bundles of the image");
        }
        jars.sort(null);
        return jars;
    }
}
