package org.pabal.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.launch.Framework;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

class SettingsFilesTest {

    @TempDir Path etc;

    private final Map<String, Map<String, String>> settings = new TreeMap<>();
    private final List<String> complaints = new ArrayList<>();
    private SettingsFiles files;

    @BeforeEach
    void watch() {
        SettingsFiles.Target target =
                new SettingsFiles.Target() {
                    @Override
                    public void put(
                            String pid, Optional<String> instance, Map<String, String> values) {
                        settings.put(pid + instance.map(i -> "|" + i).orElse(""), values);
                    }

                    @Override
                    public void remove(String pid, Optional<String> instance) {
                        settings.remove(pid + instance.map(i -> "|" + i).orElse(""));
                    }
                };
        files = new SettingsFiles(etc, target, complaints::add);
    }

    @Test
    void namesWithATildeAreOneOfAKind() throws Exception {
        write("org.pabal.smtp.cfg", "max-size = 10 MB \n# a comment\n");
        write("org.pabal.listener~smtp-in.cfg", "port=25\n");
        write("pabal.properties", "host = a\n");
        files.load();
        assertEquals(
                Map.of(
                        "org.pabal.smtp",
                        Map.of("max-size", "10 MB"),
                        "org.pabal.listener|smtp-in",
                        Map.of("port", "25")),
                settings);
    }

    @Test
    void aChangeIsTakenWhenItHasSettled() throws Exception {
        write("a.cfg", "x = 1\n");
        files.load();
        write("a.cfg", "x = 22\n");
        files.look();
        assertEquals(Map.of("a", Map.of("x", "1")), settings);
        files.look();
        assertEquals(Map.of("a", Map.of("x", "22")), settings);
        write("b.cfg", "y = 1\n");
        files.look();
        write("b.cfg", "y = 1\nz = 2\n");
        files.look();
        assertEquals(1, settings.size());
        files.look();
        assertEquals(Map.of("y", "1", "z", "2"), settings.get("b"));
        Files.delete(etc.resolve("a.cfg"));
        files.look();
        assertEquals(List.of("b"), List.copyOf(settings.keySet()));
    }

    @Test
    void aFileThatCannotBeReadIsToldAndTheOldSettingsStay() throws Exception {
        write("a.cfg", "x = 1\n");
        files.load();
        write("a.cfg", "x = \\u00zz\n");
        files.look();
        files.look();
        files.look();
        assertEquals(Map.of("a", Map.of("x", "1")), settings);
        assertEquals(
                List.of(
                        "etc/a.cfg: cannot be read: Malformed \\uxxxx encoding.; expected lines"
                                + " like key = value, in UTF-8"),
                complaints);
    }

    @Test
    void theServiceHasThemUnderTheirNames(@TempDir Path cache) throws Exception {
        Framework framework = TestBundles.framework(cache, Map.of());
        framework.start();
        try {
            framework
                    .getBundleContext()
                    .installBundle(
                            "reference:" + TestBundles.thirdParty("org.apache.felix.log").toUri());
            Bundle bundle =
                    framework
                            .getBundleContext()
                            .installBundle(
                                    "reference:"
                                            + TestBundles.thirdParty("org.apache.felix.configadmin")
                                                    .toUri());
            bundle.start();
            Object service =
                    framework
                            .getBundleContext()
                            .getService(
                                    framework
                                            .getBundleContext()
                                            .getServiceReference(ConfigurationAdmin.SERVICE));
            ConfigurationAdmin admin = new ConfigurationAdmin(bundle, service);
            admin.put("org.pabal.listener", Optional.of("smtp"), Map.of("port", "25"));
            assertTrue(list(bundle, service).contains("org.pabal.listener~smtp"));
            admin.remove("org.pabal.listener", Optional.of("smtp"));
            assertEquals(List.of(), list(bundle, service));
        } finally {
            framework.stop();
            framework.waitForStop(10_000);
        }
    }

    private static List<String> list(Bundle bundle, Object service) throws Exception {
        Object[] all =
                (Object[])
                        bundle.loadClass(ConfigurationAdmin.SERVICE)
                                .getMethod("listConfigurations", String.class)
                                .invoke(service, new Object[] {null});
        List<String> pids = new ArrayList<>();
        for (Object one : all == null ? new Object[0] : all) {
            Object properties =
                    bundle.loadClass("org.osgi.service.cm.Configuration")
                            .getMethod("getProperties")
                            .invoke(one);
            pids.add(String.valueOf(((Dictionary<?, ?>) properties).get("service.pid")));
        }
        return pids;
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(etc.resolve(name), text);
    }
}
