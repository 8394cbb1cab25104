package org.pabal.itests.hotswap;

import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/// A framework inside the test's own JVM, with bundles of our choice, without launcher and files in
/// `etc/`.
///
/// Bundles come from `target/bundles`. Their classes are not the test's, even where the names are
/// the same, so their services are asked by reflection: see [#ask].
final class TestFramework implements AutoCloseable {

    private static final Path BUNDLES = Path.of("target/bundles");

    /// What Declarative Services and Configuration Admin consist of.
    private static final List<String> FOUNDATION =
            List.of(
                    "org.osgi.util.function",
                    "org.osgi.util.promise",
                    "org.osgi.service.component",
                    "org.apache.felix.configadmin",
                    "org.apache.felix.scr",
                    "org.apache.felix.gogo.runtime");

    private final Framework framework;

    /// Starts a framework with Declarative Services, Configuration Admin and these bundles, all
    /// active.
    ///
    /// @param storage an empty folder
    TestFramework(Path storage, String... symbolicNames) throws BundleException, IOException {
        Map<String, String> properties = new HashMap<>();
        properties.put(Constants.FRAMEWORK_STORAGE, storage.toString());
        properties.put("pabal.home", storage.toString());
        properties.put(
                Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
                Stream.of("", ".event", ".helpers", ".spi")
                        .map(part -> "org.slf4j" + part + ";version=2.0.20")
                        .reduce((one, other) -> one + "," + other)
                        .orElseThrow());
        framework = new FrameworkFactory().newFramework(properties);
        framework.start();
        List<Bundle> bundles = new ArrayList<>();
        for (String name : Stream.concat(FOUNDATION.stream(), Stream.of(symbolicNames)).toList()) {
            try (InputStream jar = Files.newInputStream(BUNDLES.resolve(name + ".jar"))) {
                bundles.add(context().installBundle(name, jar));
            }
        }
        for (Bundle bundle : bundles) {
            bundle.start();
        }
    }

    BundleContext context() {
        return framework.getBundleContext();
    }

    Bundle bundle(String symbolicName) {
        return context().getBundle(symbolicName);
    }

    /// What a file `etc/PID~NAME.cfg` would do.
    void configure(String factoryPid, String name, Map<String, String> settings)
            throws ReflectiveOperationException {
        Object admin = service("org.osgi.service.cm.ConfigurationAdmin", "");
        Object configuration =
                admin.getClass()
                        .getMethod(
                                "getFactoryConfiguration", String.class, String.class, String.class)
                        .invoke(admin, factoryPid, name, "?");
        Dictionary<String, Object> dictionary = new Hashtable<>(settings);
        configuration
                .getClass()
                .getMethod("update", Dictionary.class)
                .invoke(configuration, dictionary);
    }

    /// A service, waiting for it when need be.
    ///
    /// @param filter further conditions, e.g. `(pabal.listener=smtp)`, or nothing
    Object service(String type, String filter) {
        return context().getService(reference(type, filter));
    }

    /// A service's reference, waiting for it when need be.
    ServiceReference<?> reference(String type, String filter) {
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < 20_000_000_000L) {
            try {
                ServiceReference<?>[] found =
                        context().getAllServiceReferences(type, filter.isEmpty() ? null : filter);
                if (found != null) {
                    return found[0];
                }
            } catch (InvalidSyntaxException e) {
                throw new IllegalArgumentException(e);
            }
            Thread.onSpinWait();
        }
        throw new AssertionError("no service " + type + " " + filter);
    }

    /// Calls a method without arguments of a service's interface.
    static Object ask(Object service, Class<?> like, String method)
            throws ReflectiveOperationException {
        Class<?> type = service.getClass().getClassLoader().loadClass(like.getName());
        return type.getMethod(method).invoke(service);
    }

    /// Makes a bundle of classes of the test: those of one package.
    ///
    /// @param activator the bundle's activator, whose package is taken
    static InputStream bundle(
            Class<?> activator, String symbolicName, String version, String imports)
            throws IOException {
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.putValue(Constants.BUNDLE_MANIFESTVERSION, "2");
        main.putValue(Constants.BUNDLE_SYMBOLICNAME, symbolicName);
        main.putValue(Constants.BUNDLE_VERSION, version);
        main.putValue(Constants.BUNDLE_ACTIVATOR, activator.getName());
        main.putValue(Constants.IMPORT_PACKAGE, imports);
        String folder = activator.getPackageName().replace('.', '/');
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        try (JarOutputStream jar = new JarOutputStream(octets, manifest);
                Stream<Path> files = Files.list(Path.of("target/test-classes").resolve(folder))) {
            for (Path file : files.toList()) {
                jar.putNextEntry(new JarEntry(folder + "/" + file.getFileName()));
                Files.copy(file, jar);
                jar.closeEntry();
            }
        }
        return new ByteArrayInputStream(octets.toByteArray());
    }

    @Override
    public void close() throws BundleException {
        framework.stop();
        try {
            framework.waitForStop(60_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
