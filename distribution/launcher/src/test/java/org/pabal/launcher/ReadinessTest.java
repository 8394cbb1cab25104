package org.pabal.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceFactory;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.launch.Framework;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import java.util.Set;

@Timeout(60)
class ReadinessTest {

    private static final Duration LONG = Duration.ofSeconds(50);

    @TempDir Path directory;

    private Framework framework;
    private BundleContext context;

    @BeforeEach
    void startFramework() throws Exception {
        framework = TestBundles.framework(directory, Map.of());
        framework.start();
        context = framework.getBundleContext();
    }

    @AfterEach
    void stopFramework() throws Exception {
        framework.stop();
        framework.waitForStop(10_000);
    }

    @Test
    void isReadyWhenEveryListenerAccepts() throws Exception {
        Readiness readiness = open(Set.of("smtp", "dns"));
        listener("smtp", true, "");
        ServiceRegistration<?> dns = listener("dns", false, "");
        assertEquals(
                new Readiness.State.NotReady("listener dns waits for its protocol"),
                readiness.await(Duration.ZERO));
        Thread later =
                Thread.ofVirtual().start(() -> dns.setProperties(properties("dns", true, "")));
        assertInstanceOf(Readiness.State.Ready.class, readiness.await(LONG));
        later.join();
    }

    @Test
    void namesAListenerThatIsNotThere() throws Exception {
        assertEquals(
                new Readiness.State.NotReady(
                        "listener smtp is not open (etc/org.pabal.listener~smtp.cfg)"),
                open(Set.of("smtp")).await(Duration.ZERO));
    }

    @Test
    void cannotServeWithoutASocket() throws Exception {
        Readiness readiness = open(Set.of("smtp"));
        String why =
                "listener smtp: cannot listen on 127.0.0.1 port 25: Address already in use;"
                        + " expected a free port";
        listener("smtp", false, why);
        assertEquals(new Readiness.State.CannotServe(why), readiness.await(LONG));
    }

    @Test
    void aBadSettingEndsTheWaitingAndIsTold() throws Exception {
        Readiness readiness = open(Set.of("smtp", "pop3"));
        listener("smtp", true, "");
        listener("pop3", false, "org.pabal.listener~pop3.cfg: tls = yes: expected none");
        readiness.complain("org.pabal.smtp.cfg: max-size = big: expected a size");
        assertEquals(
                new Readiness.State.NotReady(
                        "listener pop3: org.pabal.listener~pop3.cfg: tls = yes: expected none; "
                                + "org.pabal.smtp.cfg: max-size = big: expected a size"),
                readiness.await(LONG));
    }

    @Test
    void aNodeWithoutListenersIsReady() throws Exception {
        assertInstanceOf(Readiness.State.Ready.class, open(Set.of()).await(Duration.ZERO));
    }

    private Readiness open(Set<String> wanted) {
        Readiness readiness = new Readiness(context, () -> wanted);
        readiness.open();
        return readiness;
    }

    private ServiceRegistration<?> listener(String name, boolean accepting, String failure) {
        // A factory, since the framework would look for the class of a service object.
        return context.registerService(
                "org.pabal.protocol.Listener",
                new ServiceFactory<Object>() {
                    @Override
                    public Object getService(
                            Bundle bundle, ServiceRegistration<Object> registration) {
                        throw new AssertionError("nobody asks for the service itself");
                    }

                    @Override
                    public void ungetService(
                            Bundle bundle,
                            ServiceRegistration<Object> registration,
                            Object service) {}
                },
                properties(name, accepting, failure));
    }

    private static Dictionary<String, Object> properties(
            String name, boolean accepting, String failure) {
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put("pabal.listener", name);
        properties.put("pabal.listener.accepting", accepting);
        if (!failure.isEmpty()) {
            properties.put("pabal.listener.failure", failure);
        }
        return properties;
    }
}
