package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Filter;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.Name;

import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/// The doorways, in as much of a framework as they ask for.
class FileZonesTest {

    @TempDir Path home;

    private final Map<String, Object> services = new HashMap<>();
    private final List<String> news = new ArrayList<>();

    @Test
    void offersZonesAndTellsObserversAndLeavesNothingBehind() throws Exception {
        for (int i = 1; i <= 2; i++) {
            FileZones doorway = new FileZones(context(), Map.of(), InstantSource.system());
            ZoneStore store = (ZoneStore) services.get(ZoneStore.class.getName());
            String soa = "@ 60 IN SOA ns1 h " + i + " 7200 900 1209600 300\n@ 60 IN NS ns1\n";
            store.publish(MemoryZone.of("example.test.", soa));
            doorway.stop();
            assertTrue(services.isEmpty());
            assertTrue(
                    Thread.getAllStackTraces().keySet().stream()
                            .noneMatch(t -> t.getName().equals("zone-poll")));
        }
        assertEquals(List.of("example.test. 1", "example.test. 2"), news);
        assertTrue(Files.exists(home.resolve("data/zones/example.test.zone")));
    }

    @Test
    void offersAccountsAndLeavesNothingBehind() throws Exception {
        for (int i = 0; i < 2; i++) {
            FileAccounts doorway =
                    new FileAccounts(
                            context(), Map.of("directory", "elsewhere"), InstantSource.system());
            assertEquals(
                    List.of(
                            "org.pabal.directory.Directory",
                            "org.pabal.directory.DirectoryEditor",
                            "org.pabal.directory.SignInLimits"),
                    List.copyOf(new TreeSet<>(services.keySet())));
            assertEquals(
                    "example.test",
                    ((FileDirectory) services.get("org.pabal.directory.Directory"))
                            .domains()
                            .findFirst()
                            .orElseThrow()
                            .name());
            doorway.stop();
            assertTrue(services.isEmpty());
        }
        assertEquals(32, Files.size(home.resolve("elsewhere/accounts/secret")));
    }

    @Test
    void refusesSettingsThatItDoesNotKnow() {
        assertThrows(
                BadSetting.class,
                () -> new FileZones(context(), Map.of("directry", "x"), InstantSource.system()));
        assertThrows(
                BadSetting.class,
                () -> new FileAccounts(context(), Map.of("directry", "x"), InstantSource.system()));
    }

    @Test
    void saysWhichSettingIsWrongWhenTheDirectoryCannotBeUsed() throws Exception {
        Path file = Files.createFile(home.resolve("file"));
        Map<String, Object> settings = Map.of("directory", file.toString());
        for (Executable start :
                new Executable[] {
                    () -> new FileZones(context(), settings, InstantSource.system()),
                    () -> new FileAccounts(context(), settings, InstantSource.system())
                }) {
            String said = assertThrows(BadSetting.class, start).getMessage();
            assertTrue(
                    said.startsWith("org.pabal.storage.file.cfg: directory = " + file + ": "),
                    said);
        }
        assertTrue(services.isEmpty());
    }

    private BundleContext context() {
        ZoneObserver observer =
                new ZoneObserver() {
                    @Override
                    public void published(Zone current) {
                        news.add(current.origin() + " " + current.serial());
                    }

                    @Override
                    public void withdrawn(Name origin) {}
                };
        ServiceReference<?> reference = fake(ServiceReference.class, (method, arguments) -> null);
        return fake(
                BundleContext.class,
                (method, arguments) ->
                        switch (method) {
                            case "getProperty" ->
                                    Map.of(
                                                    "pabal.home",
                                                    home.toString(),
                                                    "pabal.domain",
                                                    "example.test")
                                            .get(arguments[0]);
                            case "registerService" -> register(arguments);
                            case "createFilter" -> fake(Filter.class, (m, a) -> null);
                            case "getServiceReferences", "getAllServiceReferences" ->
                                    new ServiceReference<?>[] {reference};
                            case "getService" -> observer;
                            case "ungetService" -> true;
                            default -> null;
                        });
    }

    private ServiceRegistration<?> register(Object[] arguments) {
        List<String> names = new ArrayList<>();
        switch (arguments[0]) {
            case String[] several -> names.addAll(List.of(several));
            case Class<?> type -> names.add(type.getName());
            default -> names.add(arguments[0].toString());
        }
        names.forEach(name -> services.put(name, arguments[1]));
        return fake(
                ServiceRegistration.class,
                (method, a) -> {
                    if (method.equals("unregister")) {
                        names.forEach(services::remove);
                    }
                    return null;
                });
    }

    @FunctionalInterface
    private interface Answer {
        Object to(String method, Object[] arguments) throws Exception;
    }

    private static <T> T fake(Class<T> type, Answer answer) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (self, method, arguments) ->
                                switch (method.getName()) {
                                    case "hashCode" -> System.identityHashCode(self);
                                    case "equals" -> self == arguments[0];
                                    case "compareTo" -> 0;
                                    default -> answer.to(method.getName(), arguments);
                                }));
    }
}
