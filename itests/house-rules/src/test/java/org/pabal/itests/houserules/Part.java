package org.pabal.itests.houserules;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A bundle or a platform module as it was built.
///
/// @param folder its folder in the source tree
/// @param classes every class of the jar but `module-info`
/// @param components names of the classes that Declarative Services makes
record Part(
        Path folder,
        Manifest manifest,
        ModuleDescriptor module,
        List<ClassModel> classes,
        Set<String> components) {

    private static final Pattern JAR = Pattern.compile("org\\.pabal\\.[a-z0-9.]+-\\d[\\d.]*\\.jar");
    private static final Pattern IMPLEMENTATION =
            Pattern.compile("<implementation class=\"([^\"]+)\"");

    /// The root of the source tree.
    static Path sources() {
        return Path.of(System.getProperty("pabal.sources", "../..")).normalize();
    }

    /// The folders below a folder of the source tree that have a `pom.xml`.
    static List<Path> folders(String below) {
        try (Stream<Path> parts = Files.list(sources().resolve(below))) {
            return parts.filter(part -> Files.exists(part.resolve("pom.xml"))).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// All parts below a folder of the source tree that are built.
    static List<Part> below(String folder) {
        return folders(folder).stream()
                .flatMap(part -> jarOf(part).map(jar -> read(part, jar)).stream())
                .toList();
    }

    String name() {
        return folder.getFileName().toString();
    }

    String header(String name) {
        return Optional.ofNullable(manifest.getMainAttributes().getValue(name)).orElse("");
    }

    /// Names of the packages in a header such as Import-Package.
    Set<String> packages(String header) {
        Set<String> packages = new TreeSet<>();
        // What stands in quotes may have commas
        for (String clause : header(header).replaceAll("\"[^\"]*\"", "").split(",")) {
            for (String part : clause.split(";")) {
                if (!part.isBlank() && !part.contains("=")) {
                    packages.add(part.strip());
                }
            }
        }
        return packages;
    }

    /// The packages that have classes in the jar.
    Set<String> ownPackages() {
        Set<String> packages = new TreeSet<>();
        for (ClassModel model : classes) {
            packages.add(packageOf(nameOf(model)));
        }
        return packages;
    }

    Optional<String> readme() {
        Path readme = folder.resolve("README.md");
        try {
            return Files.exists(readme) ? Optional.of(Files.readString(readme)) : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// With dots: `org.pabal.smtp.SmtpServer`.
    static String nameOf(ClassModel model) {
        return model.thisClass().asInternalName().replace('/', '.');
    }

    static String packageOf(String className) {
        return className.substring(0, Math.max(0, className.lastIndexOf('.')));
    }

    @Override
    public String toString() {
        return name();
    }

    private static Part read(Path folder, Path jar) {
        try (JarFile file = new JarFile(jar.toFile())) {
            List<ClassModel> classes = new ArrayList<>();
            Set<String> components = new TreeSet<>();
            Optional<ModuleDescriptor> module = Optional.empty();
            for (JarEntry entry : file.stream().toList()) {
                try (InputStream in = file.getInputStream(entry)) {
                    if (entry.getName().equals("module-info.class")) {
                        module = Optional.of(ModuleDescriptor.read(in));
                    } else if (entry.getName().endsWith(".class")
                            && !entry.getName().startsWith("META-INF/")) {
                        classes.add(ClassFile.of().parse(in.readAllBytes()));
                    } else if (entry.getName().startsWith("OSGI-INF/")
                            && entry.getName().endsWith(".xml")) {
                        Matcher matcher = IMPLEMENTATION.matcher(new String(in.readAllBytes()));
                        while (matcher.find()) {
                            components.add(matcher.group(1));
                        }
                    }
                }
            }
            return new Part(
                    folder,
                    file.getManifest(),
                    module.orElseThrow(
                            () -> new AssertionError(jar + ": has no module-info.class")),
                    classes,
                    components);
        } catch (IOException e) {
            throw new UncheckedIOException(jar.toString(), e);
        }
    }

    /// The jar that was built from a folder; empty when it was not.
    static Optional<Path> jarOf(Path folder) {
        Path target = folder.resolve("target");
        try (Stream<Path> files = Files.exists(target) ? Files.list(target) : Stream.empty()) {
            return files.filter(file -> JAR.matcher(file.getFileName().toString()).matches())
                    .findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
