package org.pabal.launcher;

import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.util.tracker.ServiceTracker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.PrintStream;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;

/// One running node: the framework with the image's bundles and the node's directory.
final class Node {

    private static final Logger log = LoggerFactory.getLogger(Node.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration FOR_EVER = Duration.ofDays(365);
    private static final Duration GOODBYE = Duration.ofSeconds(60);
    private static final int POLL_MILLIS = 500;

    private final NodeDirectory directory;
    private final NodeSettings settings;
    private final Framework framework;
    private final Readiness readiness;

    private Node(NodeDirectory directory, NodeSettings settings, Framework framework) {
        this.directory = directory;
        this.settings = settings;
        this.framework = framework;
        this.readiness = new Readiness(framework.getBundleContext(), directory::listeners);
    }

    /// Prepares a framework in which nothing runs yet.
    static Node of(NodeDirectory directory, NodeSettings settings) throws Trouble {
        try {
            Framework framework =
                    ServiceLoader.load(FrameworkFactory.class)
                            .findFirst()
                            .orElseThrow(() -> new Trouble("the image has no framework"))
                            .newFramework(properties(directory, settings));
            framework.init();
            return new Node(directory, settings, framework);
        } catch (BundleException e) {
            throw new Trouble("the framework does not start: " + Lines.reason(e));
        }
    }

    /// Starts all bundles.
    ///
    /// @param terminal whether a shell should be opened on this process's terminal
    void start(Image image, boolean terminal) throws Trouble {
        try {
            BundleContext context = framework.getBundleContext();
            readiness.open();
            new LogBridge(context, readiness::complain).open();
            context.registerService(InstantSource.class, InstantSource.system(), null);
            settingsFiles(context).open();
            List<Bundle> bundles = image.install(context, terminal);
            new Succession(context, bundles, Image.BUNDLES_LEVEL).open();
            for (Bundle bundle : bundles) {
                if (!Image.isFragment(bundle) && !Image.isTerminalShell(bundle)) {
                    // Only marks it: the framework's start level is 0 until the framework starts,
                    // and then rises step by step.
                    bundle.start(Bundle.START_ACTIVATION_POLICY);
                }
            }
            framework.start();
            log.info(
                    "node {} started, {} bundles, {}",
                    settings.host(),
                    bundles.size() + 1,
                    directory.home());
        } catch (BundleException e) {
            throw new Trouble("the framework does not start: " + Lines.reason(e));
        }
    }

    /// Reads `etc/` as soon as there is somebody to hand it to, which is before the bundles that
    /// want it start.
    private ServiceTracker<Object, Thread> settingsFiles(BundleContext context) {
        return new ServiceTracker<>(context, ConfigurationAdmin.SERVICE, null) {
            @Override
            public Thread addingService(ServiceReference<Object> reference) {
                try {
                    var admin =
                            new ConfigurationAdmin(
                                    reference.getBundle(), context.getService(reference));
                    SettingsFiles files =
                            new SettingsFiles(directory.etc(), admin, readiness::complain);
                    files.load();
                    return Thread.ofVirtual().name("etc").start(() -> watch(files));
                } catch (ReflectiveOperationException e) {
                    throw new IllegalStateException(e);
                }
            }

            @Override
            public void removedService(ServiceReference<Object> reference, Thread watching) {
                watching.interrupt();
                context.ungetService(reference);
            }
        };
    }

    private static void watch(SettingsFiles files) {
        try {
            while (true) {
                Thread.sleep(POLL_MILLIS);
                files.look();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Waits until the node serves and says so in one line: `ready`, or `not ready: …` and, when
    /// that has been mended, `ready`.
    ///
    /// @throws Trouble when it cannot serve
    void announce(PrintStream output) throws Trouble, InterruptedException {
        Optional<String> unfinished = new FirstStart(directory, readiness, PATIENCE).carryOut();
        unfinished.ifPresent(readiness::complain);
        Readiness.State state = readiness.await(PATIENCE);
        if (state instanceof Readiness.State.Ready && unfinished.isPresent()) {
            state = new Readiness.State.NotReady(unfinished.get());
        }
        switch (state) {
            case Readiness.State.Ready() -> say(output, "ready");
            case Readiness.State.CannotServe(String why) -> throw new Trouble(why);
            case Readiness.State.NotReady(String missing) -> {
                say(output, "not ready: " + missing);
                Thread.ofVirtual().name("readiness").start(() -> announceLater(output));
            }
        }
    }

    private void announceLater(PrintStream output) {
        try {
            Readiness.State state = readiness.awaitMended(FOR_EVER);
            if (state instanceof Readiness.State.Ready
                    && !java.nio.file.Files.exists(directory.firstStart())) {
                say(output, "ready");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void say(PrintStream output, String line) {
        log.info("{}", line);
        synchronized (output) {
            output.println(line);
            output.flush();
        }
    }

    /// Opens the shell on this process's terminal. JLine looks for the means to do that by the
    /// context class loader.
    void openShell() throws Trouble {
        Bundle shell = null;
        Bundle jline = null;
        for (Bundle bundle : framework.getBundleContext().getBundles()) {
            shell = Image.isTerminalShell(bundle) ? bundle : shell;
            jline = "org.jline".equals(bundle.getSymbolicName()) ? bundle : jline;
        }
        if (shell == null || jline == null) {
            return;
        }
        Thread current = Thread.currentThread();
        ClassLoader before = current.getContextClassLoader();
        try {
            current.setContextClassLoader(jline.adapt(BundleWiring.class).getClassLoader());
            shell.start();
        } catch (BundleException e) {
            throw new Trouble("the shell does not start: " + Lines.reason(e));
        } finally {
            current.setContextClassLoader(before);
        }
    }

    /// Waits until the framework has stopped, by a signal or by a command.
    void await() throws InterruptedException {
        FrameworkEvent event;
        do {
            event = framework.waitForStop(0);
        } while (event.getType() == FrameworkEvent.STOPPED_UPDATE);
    }

    /// Stops bundle by bundle: conversations are told goodbye, then sockets and files are closed.
    void stop() {
        try {
            log.info("stopping");
            framework.stop();
            FrameworkEvent event = framework.waitForStop(GOODBYE.toMillis());
            if (event.getType() == FrameworkEvent.WAIT_TIMEDOUT) {
                log.error("bundles did not stop within {} s", GOODBYE.toSeconds());
            } else {
                log.info("stopped");
            }
        } catch (BundleException e) {
            log.error("the framework does not stop", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Map<String, String> properties(NodeDirectory directory, NodeSettings settings) {
        Map<String, String> properties = new HashMap<>();
        properties.put("pabal.home", directory.home().toString());
        properties.put("pabal.host", settings.host());
        properties.put("pabal.domain", settings.domain());
        // What runs is decided by the image, etc/ and deploy/ alone: nothing is remembered from the
        // last time.
        properties.put(
                Constants.FRAMEWORK_STORAGE, directory.cache().resolve("bundles").toString());
        properties.put(
                Constants.FRAMEWORK_STORAGE_CLEAN, Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT);
        properties.put(Constants.FRAMEWORK_BEGINNING_STARTLEVEL, String.valueOf(Image.FILES_LEVEL));
        properties.put(
                Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
                logging("2.0.20") + "," + logging("1.7.36"));
        properties.put("felix.cache.locking", "false");
        properties.put("felix.log.level", "0"); // its errors arrive as events: see LogBridge
        properties.put("felix.fileinstall.dir", directory.deploy().toString());
        properties.put("felix.fileinstall.filter", ".*\\.jar");
        properties.put("felix.fileinstall.subdir.mode", "skip");
        properties.put("felix.fileinstall.tmpdir", directory.cache().resolve("deploy").toString());
        properties.put("felix.fileinstall.poll", String.valueOf(POLL_MILLIS));
        properties.put("felix.fileinstall.noInitialDelay", "true");
        properties.put("felix.fileinstall.disableNio2", "true");
        properties.put("felix.fileinstall.enableConfigSave", "false");
        properties.put("felix.fileinstall.start.level", String.valueOf(Image.BUNDLES_LEVEL));
        properties.put("felix.fileinstall.log.level", "3");
        return properties;
    }

    /// Bundles that were built for an older slf4j work with ours as well.
    private static String logging(String version) {
        return "org.slf4j;org.slf4j.event;org.slf4j.helpers;org.slf4j.spi;version=\""
                + version
                + "\"";
    }
}
