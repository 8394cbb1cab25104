package org.pabal.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

import java.lang.reflect.Proxy;

class BundleNamesTest {

    private final Bundle pop3 = bundle(13L, "org.pabal.pop3", Bundle.ACTIVE, null);
    private final Bundle stopped = bundle(20L, "org.pabal.smtp", Bundle.RESOLVED, null);
    private final Bundle running = bundle(21L, "org.pabal.smtp", Bundle.ACTIVE, null);
    private final BundleNames names = new BundleNames(context());

    @Test
    void knowsABundleByItsNumberAndItsName() {
        assertSame(pop3, names.convert(Bundle.class, "13"));
        assertSame(pop3, names.convert(Bundle.class, 13L));
        assertSame(pop3, names.convert(Bundle.class, "org.pabal.pop3"));
    }

    @Test
    void leavesEverythingElseToOthers() {
        assertNull(names.convert(Bundle.class, new Object()));
        assertNull(names.convert(String.class, "13"));
    }

    @Test
    void takesTheOneThatRuns() {
        assertSame(running, names.convert(Bundle.class, "org.pabal.smtp"));
    }

    @Test
    void saysThatThereIsNoSuchBundle() {
        IllegalArgumentException bad =
                assertThrows(
                        IllegalArgumentException.class, () -> names.convert(Bundle.class, "14"));
        assertEquals("bundle 14: there is none; lb lists them", bad.getMessage());
    }

    private BundleContext context() {
        BundleContext[] context = new BundleContext[1];
        context[0] =
                (BundleContext)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {BundleContext.class},
                                (self, method, arguments) ->
                                        switch (method.getName()) {
                                            case "getBundle" ->
                                                    bundle(
                                                            0L,
                                                            "framework",
                                                            Bundle.ACTIVE,
                                                            context[0]);
                                            case "getBundles" ->
                                                    new Bundle[] {pop3, stopped, running};
                                            default -> throw new UnsupportedOperationException();
                                        });
        return context[0];
    }

    private static Bundle bundle(long id, String name, int state, BundleContext context) {
        return (Bundle)
                Proxy.newProxyInstance(
                        BundleNamesTest.class.getClassLoader(),
                        new Class<?>[] {Bundle.class},
                        (self, method, arguments) ->
                                switch (method.getName()) {
                                    case "getBundleId" -> id;
                                    case "getSymbolicName" -> name;
                                    case "getState" -> state;
                                    case "getBundleContext" -> context;
                                    default -> throw new UnsupportedOperationException();
                                });
    }
}
