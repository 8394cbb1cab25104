package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.delivery.House.BOB;
import static org.pabal.delivery.House.FAR;
import static org.pabal.delivery.House.TEXT;
import static org.pabal.delivery.House.envelope;

import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.pabal.mailbox.Mailbox;
import org.pabal.settings.BadSetting;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Map;

class DeliveryTest {

    private final House house = new House();

    @Test
    void worksWithAnEmptyFileFromStartToStop() throws Exception {
        Delivery delivery = delivery(Map.of("service.pid", "org.pabal.delivery"));
        house.send(envelope(FAR, BOB), TEXT);
        Mailbox inbox = house.mailboxes.open(BOB, "INBOX").orElseThrow();
        assertEquals(1, inbox.changes(1, Duration.ofSeconds(20)).changed().size());
        delivery.stop();
        house.send(envelope(FAR, BOB), TEXT);
        assertEquals(1, house.waiting());
    }

    @Test
    void saysWhichSettingIsWrong() {
        Map<String, Object> properties = Map.of("service.pid", "org.pabal.delivery", "worker", "3");
        BadSetting bad = assertThrows(BadSetting.class, () -> delivery(properties));
        assertTrue(
                bad.getMessage().startsWith("org.pabal.delivery.cfg: worker: no such setting"),
                bad.getMessage());
        assertThrows(BadSetting.class, () -> delivery(Map.of("first-retry", "0 s")));
        assertThrows(BadSetting.class, () -> delivery(Map.of("workers", "0")));
    }

    private Delivery delivery(Map<String, Object> properties) {
        BundleContext context =
                (BundleContext)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {BundleContext.class},
                                (proxy, method, arguments) ->
                                        method.getName().equals("getProperty")
                                                ? "example.test"
                                                : null);
        return new Delivery(
                context, house.queue, house.mailboxes, house.directory, house.clock, properties);
    }
}
