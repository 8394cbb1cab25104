package org.pabal.dns.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.Ruling;
import org.pabal.dns.ZoneObserver;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MemoryZoneStore;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Dictionary;
import java.util.LinkedHashMap;
import java.util.Map;

class ConfiguredPolicyTest {

    @TempDir private Path home;

    private final Map<Object, Object> registered = new LinkedHashMap<>();
    private final Map<Object, Object> rankings = new LinkedHashMap<>();
    private final MemoryZoneStore store = new MemoryZoneStore();

    /// A framework that keeps registrations in a map.
    private final BundleContext context =
            (BundleContext)
                    Proxy.newProxyInstance(
                            getClass().getClassLoader(),
                            new Class<?>[] {BundleContext.class},
                            (proxy, method, arguments) ->
                                    switch (method.getName()) {
                                        case "getProperty" -> home.toString();
                                        case "registerService" -> registration(arguments);
                                        default ->
                                                throw new IllegalStateException(method.getName());
                                    });

    private Object registration(Object[] arguments) {
        registered.put(arguments[0], arguments[1]);
        rankings.put(arguments[0], ((Dictionary<?, ?>) arguments[2]).get("service.ranking"));
        return Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {ServiceRegistration.class},
                (proxy, method, none) -> registered.remove(arguments[0]));
    }

    private ConfiguredPolicy started(String key, String value) {
        return new ConfiguredPolicy(
                context,
                store,
                Map.of("service.pid", "org.pabal.dns.policy~ads", key, value, "order", "7"));
    }

    private Ruling ruling() {
        ResponsePolicy policy =
                assertInstanceOf(ResponsePolicy.class, registered.get(ResponsePolicy.class));
        return policy.question(
                Name.fromConstantString("ads.example.org."),
                Type.A,
                InetAddress.ofLiteral("192.0.2.7"));
    }

    @Test
    void aListIsInForceWhenItIsRegisteredAndGoneWhenItStops() throws IOException {
        Files.writeString(home.resolve("ads.txt"), "ads.example.org\n");
        for (int i = 0; i < 2; i++) {
            ConfiguredPolicy policy = started("list", "ads.txt");
            assertInstanceOf(Ruling.NoName.class, ruling());
            assertEquals(-7, rankings.get(ResponsePolicy.class));
            policy.stop();
            assertEquals(Map.of(), registered);
        }
    }

    @Test
    void aZoneThatIsThereAlreadyIsInForceAtOnce() {
        store.publish(
                MemoryZone.of(
                        "rpz.example",
                        "@ 60 SOA ns.example. who.example. 1 60 60 60 60\n"
                                + "@ NS ns.example.\n"
                                + "ads.example.org CNAME .\n"));
        ConfiguredPolicy policy = started("zone", "rpz.example");
        assertInstanceOf(Ruling.NoName.class, ruling());
        assertTrue(registered.containsKey(ZoneObserver.class));
        policy.stop();
        assertEquals(Map.of(), registered);
    }

    @Test
    void aListThatIsNotThereIsABadSetting() {
        String message =
                assertThrows(BadSetting.class, () -> started("list", "none.txt")).getMessage();
        assertTrue(
                message.startsWith("org.pabal.dns.policy~ads.cfg: list = ")
                        && message.contains("expected a file"),
                message);
        assertEquals(Map.of(), registered);
    }
}
