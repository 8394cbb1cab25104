package org.pabal.launcher;

import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/// Small bundles and a framework to put them in.
final class TestBundles {

    private TestBundles() {}

    static Framework framework(Path storage, Map<String, String> properties) {
        Map<String, String> all = new HashMap<>(properties);
        all.put("org.osgi.framework.storage", storage.toString());
        all.put("felix.log.level", "0");
        return ServiceLoader.load(FrameworkFactory.class)
                .findFirst()
                .orElseThrow()
                .newFramework(all);
    }

    /// Writes an empty bundle, in one step as `deploy/` wants it.
    static Path write(Path file, String name, String version, String imports) throws IOException {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.putValue("Bundle-ManifestVersion", "2");
        attributes.putValue("Bundle-SymbolicName", name);
        attributes.putValue("Bundle-Version", version);
        if (!imports.isEmpty()) {
            attributes.putValue("Import-Package", imports);
        }
        Files.createDirectories(file.getParent());
        Path temporary = file.resolveSibling(file.getFileName() + ".part");
        try (OutputStream output = Files.newOutputStream(temporary);
                JarOutputStream jar = new JarOutputStream(output, manifest)) {
            jar.finish();
        }
        return Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /// A third-party bundle that the build put there.
    static Path thirdParty(String name) throws IOException {
        try (DirectoryStream<Path> found =
                Files.newDirectoryStream(Path.of("target", "test-bundles"), name + "-*.jar")) {
            return found.iterator().next().toAbsolutePath();
        }
    }
}
