package org.pabal.launcher;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.function.Consumer;

/// Watches `etc/*.cfg` and hands the settings on, at the start and whenever a file changes.
///
/// `org.pabal.smtp.cfg` has the settings of one bundle, `org.pabal.listener~smtp.cfg` those of the
/// listener `smtp`. File Install, which watches `deploy/`, could do this but for the tilde: it
/// parts the names at the first hyphen.
///
/// A changed file is taken when it has stayed the same for one round, so that a half-written one is
/// left alone.
final class SettingsFiles {

    private static final Logger log = LoggerFactory.getLogger(SettingsFiles.class);
    private static final String SUFFIX = ".cfg";

    /// Who wants the settings.
    interface Target {
        /// @param pid of a bundle, or of a kind of things
        /// @param instance the name of one of that kind
        void put(String pid, Optional<String> instance, Map<String, String> settings)
                throws IOException;

        void remove(String pid, Optional<String> instance) throws IOException;
    }

    /// What a file looks like from outside. Two states that differ in nothing of this are taken for
    /// one.
    private record Stamp(long modified, long size, Object key) {}

    private final Path etc;
    private final Target target;
    private final Consumer<String> complaints;
    private final Map<Path, Stamp> taken = new TreeMap<>();
    private Map<Path, Stamp> seen = new HashMap<>();

    /// @param complaints told in one line of each file that cannot be used
    SettingsFiles(Path etc, Target target, Consumer<String> complaints) {
        this.etc = etc;
        this.target = target;
        this.complaints = complaints;
    }

    /// Takes all files as they are now.
    synchronized void load() {
        seen = stamps();
        take(seen);
    }

    /// Looks for changes; to be called now and then.
    synchronized void look() {
        Map<Path, Stamp> before = seen;
        seen = stamps();
        if (!seen.equals(taken)) {
            Map<Path, Stamp> settled = new HashMap<>();
            seen.forEach(
                    (file, stamp) -> {
                        if (stamp.equals(before.get(file))) {
                            settled.put(file, stamp);
                        } else if (taken.containsKey(file)) {
                            settled.put(file, taken.get(file));
                        }
                    });
            take(settled);
        }
    }

    private void take(Map<Path, Stamp> now) {
        for (Path file : List.copyOf(taken.keySet())) {
            if (!now.containsKey(file)) {
                taken.remove(file);
                remove(file);
            }
        }
        for (Map.Entry<Path, Stamp> file : new TreeMap<>(now).entrySet()) {
            if (!file.getValue().equals(taken.put(file.getKey(), file.getValue()))) {
                put(file.getKey());
            }
        }
    }

    private void put(Path file) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        } catch (IOException | IllegalArgumentException e) {
            complain(
                    "etc/"
                            + file.getFileName()
                            + ": cannot be read: "
                            + Lines.reason(e)
                            + "; expected lines like key = value, in UTF-8");
            return;
        }
        Map<String, String> settings = new TreeMap<>();
        properties
                .stringPropertyNames()
                .forEach(key -> settings.put(key, properties.getProperty(key).strip()));
        try {
            target.put(pid(file), instance(file), settings);
        } catch (IOException | RuntimeException e) {
            complain("etc/" + file.getFileName() + ": cannot be used: " + Lines.reason(e));
        }
    }

    private void remove(Path file) {
        try {
            target.remove(pid(file), instance(file));
            log.info("etc/{} is gone", file.getFileName());
        } catch (IOException | RuntimeException e) {
            complain("etc/" + file.getFileName() + ": " + Lines.reason(e));
        }
    }

    private void complain(String line) {
        log.error("{}", line);
        complaints.accept(line);
    }

    private Map<Path, Stamp> stamps() {
        Map<Path, Stamp> stamps = new HashMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(etc, "*" + SUFFIX)) {
            for (Path file : files) {
                try {
                    var attributes = Files.readAttributes(file, BasicFileAttributes.class);
                    if (attributes.isRegularFile()) {
                        stamps.put(
                                file,
                                new Stamp(
                                        attributes
                                                .lastModifiedTime()
                                                .to(java.util.concurrent.TimeUnit.NANOSECONDS),
                                        attributes.size(),
                                        String.valueOf(attributes.fileKey())));
                    }
                } catch (IOException e) {
                    log.debug("{} went away while it was looked at", file);
                }
            }
        } catch (IOException | java.nio.file.DirectoryIteratorException e) {
            log.error("etc/ cannot be listed: {}", Lines.reason(e));
            return new HashMap<>(taken);
        }
        return stamps;
    }

    private static String pid(Path file) {
        String name = name(file);
        int tilde = name.indexOf('~');
        return tilde < 0 ? name : name.substring(0, tilde);
    }

    private static Optional<String> instance(Path file) {
        String name = name(file);
        int tilde = name.indexOf('~');
        return tilde < 0 ? Optional.empty() : Optional.of(name.substring(tilde + 1));
    }

    private static String name(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.length() - SUFFIX.length());
    }
}
