package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.delivery.House.BOB;
import static org.pabal.delivery.House.FAR;
import static org.pabal.delivery.House.TEXT;
import static org.pabal.delivery.House.envelope;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.pabal.mailbox.Mailbox;
import org.pabal.settings.BadSetting;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

class DeliveryTest {

    @TempDir Path home;

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
        assertThrows(BadSetting.class, () -> delivery(Map.of("under-way", "0")));
        assertThrows(BadSetting.class, () -> delivery(Map.of("workers", "0")));
        // to a socket it would mean to wait for ever
        assertThrows(BadSetting.class, () -> delivery(Map.of("connect-patience", "0 s")));
        assertThrows(BadSetting.class, () -> delivery(Map.of("connect-patience", "11 m")));
    }

    @Test
    void saysHowTheWaitsAreWritten() {
        BadSetting bad = assertThrows(BadSetting.class, () -> delivery(Map.of("retry", "often")));
        assertTrue(bad.getMessage().contains("retry = often: expected"), bad.getMessage());
        assertTrue(
                bad.getMessage().endsWith("for example retry = 2m 5m 10m 20m 40m 1h 2h 4h"),
                bad.getMessage());
    }

    @Test
    void saysWhatStandsInPlaceOfTheOldSettings() {
        for (String old : List.of("first-retry", "longest-retry")) {
            BadSetting bad = assertThrows(BadSetting.class, () -> delivery(Map.of(old, "5 m")));
            assertTrue(bad.getMessage().contains(old + ": is no more"), bad.getMessage());
            assertTrue(bad.getMessage().contains("retry = 2m 5m"), bad.getMessage());
        }
    }

    @Test
    void saysWhichFileOfCertificatesCannotBeRead() {
        BadSetting bad =
                assertThrows(
                        BadSetting.class,
                        () -> delivery(Map.of("trusted-certificates", "/no/such/file.pem")));
        assertTrue(bad.getMessage().contains("trusted-certificates = /no/such/file.pem"));
        assertTrue(bad.getMessage().contains("there is no such file"), bad.getMessage());
    }

    @Test
    void findsCertificatesInTheNodesDirectory() throws Exception {
        Path file = Files.createDirectories(home.resolve("etc")).resolve("laboratory.pem");
        Files.writeString(file, Minted.of("mx.example.org").mint().pem());
        delivery(Map.of("trusted-certificates", "etc/laboratory.pem")).stop();
    }

    private Delivery delivery(Map<String, Object> properties) throws IOException {
        BundleContext context =
                fake(
                        BundleContext.class,
                        (method, arguments) ->
                                switch (method) {
                                    case "getProperty" ->
                                            arguments[0].equals("pabal.home")
                                                    ? home.toString()
                                                    : "example.test";
                                    case "registerService" ->
                                            fake(ServiceRegistration.class, (m, a) -> null);
                                    default -> null;
                                });
        return new Delivery(
                context, house.queue, house.mailboxes, house.directory, house.clock, properties);
    }

    private static <T> T fake(Class<T> type, BiFunction<String, Object[], Object> answers) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (proxy, method, arguments) -> answers.apply(method.getName(), arguments)));
    }
}
