package org.pabal.itests.hotswap;

import org.pabal.itests.node.Node;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/// New versions of the image's bundles, put into the `deploy/` of a running node.
final class Deployment {

    private Deployment() {}

    /// Puts the bundle of the image into `deploy/` under a new version, as an administrator does
    /// who has got a new one.
    static void deploy(Node node, String bundle, int update) throws IOException {
        Path original;
        try (Stream<Path> jars = Files.list(Node.image().resolve("bundles"))) {
            original =
                    jars.filter(
                                    j ->
                                            j.getFileName()
                                                    .toString()
                                                    .matches(
                                                            Pattern.quote(bundle)
                                                                    + "-?[0-9.]*\\.jar"))
                            .findFirst()
                            .orElseThrow();
        }
        Path temporary = node.directory().resolve("." + bundle + ".part");
        Files.write(temporary, versioned(original, update));
        Files.move(
                temporary,
                node.directory().resolve("deploy").resolve(bundle + ".jar"),
                StandardCopyOption.ATOMIC_MOVE);
    }

    private static byte[] versioned(Path jar, int update) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JarFile from = new JarFile(jar.toFile())) {
            Manifest manifest = from.getManifest();
            Attributes main = manifest.getMainAttributes();
            main.putValue("Bundle-Version", main.getValue("Bundle-Version") + ".u" + update);
            try (JarOutputStream to = new JarOutputStream(bytes, manifest)) {
                for (var entry : (Iterable<java.util.jar.JarEntry>) from.stream()::iterator) {
                    if (!entry.getName().equalsIgnoreCase("META-INF/MANIFEST.MF")
                            && !entry.getName().equalsIgnoreCase("META-INF/")) {
                        to.putNextEntry(new ZipEntry(entry.getName()));
                        try (InputStream in = from.getInputStream(entry)) {
                            in.transferTo((OutputStream) to);
                        }
                        to.closeEntry();
                    }
                }
            }
        }
        return bytes.toByteArray();
    }

    static void awaitActive(Node node, String bundle, int update) throws Exception {
        Pattern active = Pattern.compile("(?m)Active.*\\(\\d+\\.\\d+\\.\\d+\\.u" + update + "\\)");
        for (int tries = 0; tries < 60; tries++) {
            if (active.matcher(node.shell("lb", "-s", bundle)).find()) {
                return;
            }
        }
        throw new IOException(
                bundle
                        + " update "
                        + update
                        + " did not become active:\n"
                        + node.shell("lb", "-s")
                        + "\n"
                        + node.output());
    }
}
