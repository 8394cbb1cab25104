package org.pabal.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Filter;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.pabal.directory.SignInLimits;
import org.pabal.mail.Client;
import org.pabal.mail.ForwardedSenders;
import org.pabal.mail.MailPolicy;
import org.pabal.mail.Status;
import org.pabal.mail.Verdict;
import org.pabal.protocol.StreamProtocol;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.Dialogue;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// The doorway: what it registers, what it reads, and that nothing is left when it has gone.
final class SmtpServerTest {

    /// Stands for the service of forwarded senders.
    private static final int FORWARDED = -1;

    private final Map<String, StreamProtocol> registered = new TreeMap<>();
    private final Map<Integer, MailPolicy> policies = new HashMap<>();
    private Optional<ForwardedSenders> forwarded = Optional.empty();
    private final List<ServiceListener> listeners = new ArrayList<>();
    private final TestNode node = new TestNode();

    private SmtpServer start(Map<String, Object> properties) {
        return new SmtpServer(
                bundle(),
                properties,
                node.queue,
                node.directory,
                new SignInLimits(node.clock),
                node.clock);
    }

    @Test
    void registersThreeRolesAndTakesThemBack() throws Exception {
        SmtpServer server = start(Map.of());
        assertEquals(List.of("lmtp", "smtp", "submission"), List.copyOf(registered.keySet()));
        Dialogue.of("S: 220 mx.example.test ESMTP Pabal\n").play(registered.get("smtp"));
        Dialogue.of("S: 220 mx.example.test LMTP Pabal\n").play(registered.get("lmtp"));
        server.stop();
        assertEquals(Map.of(), registered);
        assertEquals(List.of(), listeners);
        start(Map.of("host", "other.example.test"));
        Dialogue.of("S: 220 other.example.test ESMTP Pabal\n").play(registered.get("submission"));
    }

    @Test
    void asksTheHighestRankingPolicyFirst() throws Exception {
        policies.put(1, refusing("low"));
        policies.put(7, refusing("high"));
        start(Map.of());
        Dialogue.of("S: 554 5.7.1 high\n").play(registered.get("smtp"));
        ServiceReference<MailPolicy> high = reference(7);
        listeners.getFirst().serviceChanged(new ServiceEvent(ServiceEvent.UNREGISTERING, high));
        Dialogue.of("S: 554 5.7.1 low\n").play(registered.get("smtp"));
        policies.put(9, refusing("new"));
        listeners
                .getFirst()
                .serviceChanged(new ServiceEvent(ServiceEvent.REGISTERED, reference(9)));
        Dialogue.of("S: 554 5.7.1 new\n").play(registered.get("smtp"));
    }

    @Test
    void readsItsSettings() throws Exception {
        start(Map.of("max-size", "10 MB", "max-recipients", "200", "max-messages", "5"));
        Dialogue.of(
                        """
                        S~ 220 .*
                        C: EHLO x
                        S* 250-SIZE 10000000
                        S* 250-LIMITS MAILMAX=5 RCPTMAX=200
                        S* 250 .*
                        """)
                .play(registered.get("smtp"));
        BadSetting misspelt =
                assertThrows(
                        BadSetting.class,
                        () -> start(Map.of("service.pid", "org.pabal.smtp", "maxsize", "10 MB")));
        assertTrue(
                misspelt.getMessage().startsWith("org.pabal.smtp.cfg: maxsize: no such setting"),
                misspelt.getMessage());
        assertThrows(BadSetting.class, () -> start(Map.of("max-recipients", "99")));
        assertThrows(BadSetting.class, () -> start(Map.of("forged-senders", "perhaps")));
    }

    @Test
    void asksForForwardedSendersWhileTheyAreThere() throws Exception {
        start(Map.of());
        String bounce =
                """
                S~ 220 .*
                C: EHLO x
                S* 250 .*
                C: MAIL FROM:<>
                S~ 250 .*
                C: RCPT TO:<SRS0=good@example.test>
                S~ %s .*
                """;
        Dialogue.of(bounce.formatted("550 5\\.1\\.1")).play(registered.get("smtp"));
        forwarded = Optional.of(new TestNode.Srs());
        ServiceListener tracker = listeners.getLast();
        tracker.serviceChanged(new ServiceEvent(ServiceEvent.REGISTERED, reference(FORWARDED)));
        Dialogue.of(bounce.formatted("250")).play(registered.get("smtp"));
        tracker.serviceChanged(new ServiceEvent(ServiceEvent.UNREGISTERING, reference(FORWARDED)));
        Dialogue.of(bounce.formatted("550 5\\.1\\.1")).play(registered.get("smtp"));
    }

    @Test
    void readsWhatAccountsMaySend() throws Exception {
        String signedIn =
                """
                S~ 220 .*
                C: EHLO x
                S* 250-FUTURERELEASE 3600 2026-11-22T11:00:00Z
                S* 250 .*
                C: AUTH PLAIN AGFsaWNlAHBhYmFs
                S~ 235 .*
                C: MAIL FROM:<alice@example.test>
                S~ 250 .*
                C: RCPT TO:<bob@example.test>
                S~ 250 .*
                C: RCPT TO:<team@example.test>
                S~ 450 4\\.7\\.1 .* to 1 recipients an hour, .*
                """;
        start(Map.of("account-recipients-per-hour", "1", "max-hold", "1 h"));
        Dialogue.of(signedIn).play(registered.get("submission"));
        start(Map.of("account-recipients-per-hour", "0", "max-hold", "1 h"));
        Dialogue.of(signedIn.replaceFirst("S~ 450.*", "S~ 250 .*"))
                .play(registered.get("submission"));
        assertThrows(BadSetting.class, () -> start(Map.of("account-messages-per-hour", "-1")));
        assertThrows(BadSetting.class, () -> start(Map.of("max-hold", "4000 d")));
    }

    @Test
    void waitsNoLongerThanNeeded() throws Exception {
        long before = System.nanoTime();
        BooleanSupplier enough = () -> true;
        SmtpServer.pause(Duration.ofHours(1), enough);
        SmtpServer.pause(Duration.ofNanos(1), () -> false);
        assertFalse(System.nanoTime() - before > TimeUnit.MINUTES.toNanos(1));
    }

    private static MailPolicy refusing(String text) {
        return new MailPolicy() {
            @Override
            public Verdict connected(Client client) {
                return new Verdict.Refuse(new Status(554, "5.7.1", text));
            }
        };
    }

    @SuppressWarnings("unchecked")
    private static <T> T proxy(Class<?> type, java.lang.reflect.InvocationHandler handler) {
        return (T) Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
    }

    private final Map<Integer, ServiceReference<MailPolicy>> references = new HashMap<>();

    private ServiceReference<MailPolicy> reference(int ranking) {
        return references.computeIfAbsent(
                ranking,
                r ->
                        proxy(
                                ServiceReference.class,
                                (self, method, arguments) ->
                                        switch (method.getName()) {
                                            case "compareTo" ->
                                                    Integer.compare(
                                                            ranking,
                                                            (Integer)
                                                                    ((ServiceReference<?>)
                                                                                    arguments[0])
                                                                            .getProperty(
                                                                                    "ranking"));
                                            case "getProperty" -> ranking;
                                            case "equals" -> self == arguments[0];
                                            case "hashCode" -> ranking;
                                            case "toString" -> "policy " + ranking;
                                            default ->
                                                    throw new UnsupportedOperationException(
                                                            method.getName());
                                        }));
    }

    private Object service(int ranking) {
        return ranking == FORWARDED ? forwarded.orElseThrow() : policies.get(ranking);
    }

    /// As much of a framework as a doorway sees.
    private BundleContext bundle() {
        return proxy(
                BundleContext.class,
                (self, method, arguments) ->
                        switch (method.getName()) {
                            case "getProperty" ->
                                    Map.of(
                                                    "pabal.host",
                                                    "mx.example.test",
                                                    "pabal.domain",
                                                    "example.test")
                                            .get(arguments[0]);
                            case "createFilter" ->
                                    SmtpServerTest.<Filter>proxy(
                                            Filter.class, (filter, m, a) -> "(any)");
                            case "addServiceListener" -> {
                                listeners.add((ServiceListener) arguments[0]);
                                yield null;
                            }
                            case "removeServiceListener" -> {
                                listeners.remove(arguments[0]);
                                yield null;
                            }
                            case "getServiceReferences" ->
                                    arguments[0].equals(MailPolicy.class.getName())
                                            ? policies.keySet().stream()
                                                    .map(this::reference)
                                                    .toArray(ServiceReference[]::new)
                                            : null;
                            case "getService" ->
                                    service(
                                            (Integer)
                                                    ((ServiceReference<?>) arguments[0])
                                                            .getProperty("ranking"));
                            case "ungetService" -> true;
                            case "registerService" -> {
                                Dictionary<?, ?> about = (Dictionary<?, ?>) arguments[2];
                                assertEquals("421 4.3.2 {}", about.get(StreamProtocol.GOODBYE));
                                String name = about.get(StreamProtocol.NAME).toString();
                                synchronized (registered) {
                                    registered.put(name, (StreamProtocol) arguments[1]);
                                }
                                yield SmtpServerTest.<ServiceRegistration<?>>proxy(
                                        ServiceRegistration.class,
                                        (r, m, a) -> {
                                            synchronized (registered) {
                                                registered.remove(name);
                                            }
                                            return null;
                                        });
                            }
                            default -> throw new UnsupportedOperationException(method.getName());
                        });
    }
}
