package org.pabal.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.framework.launch.Framework;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/// With the real File Install on a real folder.
@Timeout(60)
class SuccessionTest {

    private static final String NAME = "org.pabal.example";

    @TempDir Path directory;

    private final List<String> history = new CopyOnWriteArrayList<>();
    private Framework framework;
    private BundleContext context;
    private Path deploy;

    @BeforeEach
    void startNode() throws Exception {
        deploy = Files.createDirectory(directory.resolve("deploy"));
        Path image = TestBundles.write(directory.resolve("image/example.jar"), NAME, "0.1.0", "");
        framework =
                TestBundles.framework(
                        directory.resolve("cache"),
                        Map.of(
                                "felix.fileinstall.dir", deploy.toString(),
                                "felix.fileinstall.tmpdir", directory.resolve("tmp").toString(),
                                "felix.fileinstall.poll", "20",
                                "felix.fileinstall.disableNio2", "true",
                                "felix.fileinstall.log.level", "0"));
        framework.init();
        context = framework.getBundleContext();
        Bundle example = context.installBundle("reference:" + image.toUri());
        new Succession(context, List.of(example), 1).open();
        context.addBundleListener((SynchronousBundleListener) this::note);
        example.start();
        for (String name :
                List.of(
                        "org.apache.felix.log",
                        "org.apache.felix.configadmin",
                        "org.apache.felix.fileinstall")) {
            context.installBundle("reference:" + TestBundles.thirdParty(name).toUri()).start();
        }
        framework.start();
        awaitRunning(Map.of("0.1.0", "image"));
    }

    @AfterEach
    void stopNode() throws Exception {
        framework.stop();
        framework.waitForStop(10_000);
    }

    @Test
    void anotherVersionTakesThePlaceAndGivesItBack() throws Exception {
        Path dropped = TestBundles.write(deploy.resolve("example.jar"), NAME, "0.2.0", "");
        await(() -> history.contains("0.2.0 started"));
        assertEquals(Map.of("0.2.0", "deploy"), running());
        assertTrue(
                history.indexOf("0.1.0 stopped") < history.indexOf("0.2.0 started"),
                history.toString());

        Files.delete(dropped);
        awaitRunning(Map.of("0.1.0", "image"));
    }

    @Test
    void theSameVersionTakesThePlaceAndGivesItBack() throws Exception {
        Path dropped = TestBundles.write(deploy.resolve("example.jar"), NAME, "0.1.0", "");
        await(() -> history.contains("0.1.0 updated") && running().containsKey("0.1.0"));

        Files.delete(dropped);
        await(() -> history.contains("0.1.0 uninstalled"));
        awaitRunning(Map.of("0.1.0", "image"));
    }

    @Test
    void aReplacedFileIsSwapped() throws Exception {
        TestBundles.write(deploy.resolve("example.jar"), NAME, "0.2.0", "");
        awaitRunning(Map.of("0.2.0", "deploy"));
        TestBundles.write(deploy.resolve("example.jar"), NAME, "0.3.0.x", "");
        awaitRunning(Map.of("0.3.0.x", "deploy"));
        Files.delete(deploy.resolve("example.jar"));
        awaitRunning(Map.of("0.1.0", "image"));
    }

    @Test
    void aBundleThatDoesNotResolveLeavesTheImagesRunning() throws Exception {
        TestBundles.write(deploy.resolve("example.jar"), NAME, "0.2.0", "org.nowhere");
        await(
                () ->
                        Arrays.stream(context.getBundles())
                                .anyMatch(b -> b.getVersion().toString().equals("0.2.0")));
        Path other = TestBundles.write(deploy.resolve("other.jar"), "org.other", "1.0.0", "");
        await(
                () ->
                        history.contains(
                                "1.0.0 started")); // File Install has been through the folder once
        // more
        assertEquals(Map.of("0.1.0", "image"), running());
        Files.delete(other);
        await(() -> history.contains("1.0.0 uninstalled"));
    }

    @Test
    void bundlesWithOtherNamesComeAndGo() throws Exception {
        Path other = TestBundles.write(deploy.resolve("other.jar"), "org.other", "1.0.0", "");
        await(() -> history.contains("1.0.0 started"));
        Files.delete(other);
        await(() -> history.contains("1.0.0 uninstalled"));
        assertEquals(Map.of("0.1.0", "image"), running());
    }

    private void awaitRunning(Map<String, String> expected) throws InterruptedException {
        await(() -> running().equals(expected));
    }

    private synchronized void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            wait(100); // woken by bundle events; the time is for states that follow an event
        }
    }

    /// The versions of the example that are active, and where they came from.
    private Map<String, String> running() {
        Map<String, String> running = new TreeMap<>();
        for (Bundle bundle : context.getBundles()) {
            if (NAME.equals(bundle.getSymbolicName()) && bundle.getState() == Bundle.ACTIVE) {
                running.put(
                        bundle.getVersion().toString(),
                        bundle.getLocation().startsWith("reference:") ? "image" : "deploy");
            }
        }
        return running;
    }

    private synchronized void note(BundleEvent event) {
        String what =
                switch (event.getType()) {
                    case BundleEvent.STARTED -> "started";
                    case BundleEvent.STOPPED -> "stopped";
                    case BundleEvent.UPDATED -> "updated";
                    case BundleEvent.UNINSTALLED -> "uninstalled";
                    default -> "";
                };
        history.add(event.getBundle().getVersion() + " " + what);
        notifyAll();
    }
}
