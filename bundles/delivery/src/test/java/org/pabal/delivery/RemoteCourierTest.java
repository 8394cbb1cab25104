package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pabal.mail.Attempt;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.smtp.client.ClientPatience;
import org.pabal.testkit.CannedResolver;
import org.pabal.testkit.MemoryContent;
import org.pabal.testkit.MovableClock;
import org.pabal.testkit.ScriptedMailServer;

import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

@Timeout(60)
class RemoteCourierTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final MailAddress ALICE = new MailAddress("alice", "example.test");
    private static final MailAddress BOB = new MailAddress("bob", "example.org");
    private static final MailAddress CAROL = new MailAddress("carol", "example.org");
    private static final MailAddress DAVE = new MailAddress("dave", "example.net");

    private static final CannedResolver NAMES =
            new CannedResolver(
                    """
                    example.org.     60 IN MX 10 mx1.example.org.
                    example.org.     60 IN MX 20 mx2.example.org.
                    mx1.example.org. 60 IN A 127.0.0.2
                    mx2.example.org. 60 IN A 127.0.0.3
                    example.net.     60 IN MX 10 mx2.example.org.
                    """);

    private final MovableClock clock = new MovableClock(NOON);
    private final List<Attempt> history = new CopyOnWriteArrayList<>();
    private final AtomicInteger ids = new AtomicInteger();
    private ScriptedMailServer second;
    private Lanes lanes;

    @BeforeEach
    void listen() throws Exception {
        second = new ScriptedMailServer("127.0.0.3", 0).keywords("PIPELINING", "8BITMIME");
    }

    @AfterEach
    void close() throws Exception {
        lanes.close();
        second.close();
    }

    @Test
    void takesTheNextHostWhenOneIsDead() throws Exception {
        Map<MailAddress, Outcome> outcomes =
                courier(Lanes.Limits.DEFAULT)
                        .deliver(to(BOB), to(BOB).envelope().recipients(), history::add);
        assertInstanceOf(Outcome.Delivered.class, outcomes.get(BOB));
        assertEquals("Subject: hello\r\n\r\nGood day.\r\n", second.awaitMails(1).getFirst().text());
        assertEquals(2, history.size(), history::toString);
        assertTrue(
                history.get(0).where().startsWith("mx1.example.org [127.0.0.2]:"),
                history::toString);
        assertEquals(451, history.get(0).reply().code());
        assertEquals("4.4.1", history.get(0).reply().enhanced());
        assertTrue(
                history.get(1).where().startsWith("mx2.example.org [127.0.0.3]:"),
                history::toString);
        assertEquals(List.of(BOB), history.get(1).recipients());
        assertEquals(250, history.get(1).reply().code());
    }

    @Test
    void takesTheNextHostWhenOneIsBusyBeforeTheMail() throws Exception {
        try (ScriptedMailServer first =
                new ScriptedMailServer("127.0.0.2", second.address().getPort())
                        .reply("", "421 4.3.2 come again")) {
            assertInstanceOf(
                    Outcome.Delivered.class, deliver(courier(Lanes.Limits.DEFAULT), BOB).get(BOB));
            assertEquals(1, second.awaitMails(1).size());
            assertEquals(1, first.connections());
            assertTrue(history.getFirst().reply().text().contains("come again"), history::toString);
        }
    }

    @Test
    void tellsEachRecipientsFate() throws Exception {
        second.reply("RCPT TO:<carol@", "550 5.1.1 no carol here");
        Map<MailAddress, Outcome> outcomes =
                deliver(courier(Lanes.Limits.DEFAULT), BOB, CAROL, DAVE);
        assertInstanceOf(Outcome.Delivered.class, outcomes.get(BOB));
        assertInstanceOf(Outcome.Delivered.class, outcomes.get(DAVE));
        Status why = assertInstanceOf(Outcome.Failed.class, outcomes.get(CAROL)).why();
        assertEquals(550, why.code());
        assertEquals("5.1.1", why.enhanced());
        assertTrue(why.text().contains("mx2.example.org"), why::text);
        assertEquals(2, second.awaitMails(2).size());
    }

    @Test
    void sendsSeveralMessagesOnOneConnection() throws Exception {
        RemoteCourier courier = courier(Lanes.Limits.DEFAULT);
        for (int i = 0; i < 5; i++) {
            assertInstanceOf(Outcome.Delivered.class, deliver(courier, DAVE).get(DAVE));
        }
        assertEquals(5, second.awaitMails(5).size());
        assertEquals(1, second.sessions().size());
    }

    @Test
    void closesAConnectionAfterItsMessages() throws Exception {
        RemoteCourier courier = courier(new Lanes.Limits(20, 100, 2, 0, Duration.ofSeconds(30)));
        for (int i = 0; i < 5; i++) {
            deliver(courier, DAVE);
        }
        second.awaitMails(5);
        assertEquals(3, second.sessions().size());
    }

    @Test
    void opensAnewWhatWasClosedWhileIdle() throws Exception {
        second.reply(".", "250 2.0.0 ok\n" + ScriptedMailServer.HANG_UP, "250 2.0.0 ok");
        RemoteCourier courier = courier(new Lanes.Limits(20, 100, 100, 0, Duration.ofSeconds(30)));
        deliver(courier, DAVE);
        assertInstanceOf(Outcome.Delivered.class, deliver(courier, DAVE).get(DAVE));
        assertEquals(2, second.awaitMails(2).size());
    }

    @Test
    void doesNotSendAgainWhatMayHaveArrived() throws Exception {
        second.reply(".", ScriptedMailServer.HANG_UP);
        Map<MailAddress, Outcome> outcomes = deliver(courier(Lanes.Limits.DEFAULT), DAVE);
        Status why = assertInstanceOf(Outcome.Deferred.class, outcomes.get(DAVE)).why();
        assertEquals("4.4.2", why.enhanced());
        assertEquals(1, second.sessions().size());
    }

    @Test
    void defersAllWhoWaitedForADeadHost() throws Exception {
        int port = second.address().getPort();
        second.close();
        RemoteCourier courier = courier(Lanes.Limits.DEFAULT, port);
        List<Thread> threads = new ArrayList<>();
        List<Outcome> outcomes = new CopyOnWriteArrayList<>();
        CountDownLatch go = new CountDownLatch(1);
        clock.advance(Duration.ofSeconds(1));
        for (int i = 0; i < 500; i++) {
            threads.add(
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try {
                                            go.await();
                                            outcomes.add(deliver(courier, DAVE).get(DAVE));
                                        } catch (Exception e) {
                                            throw new IllegalStateException(e);
                                        }
                                    }));
        }
        go.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(500, outcomes.size());
        outcomes.forEach(outcome -> assertInstanceOf(Outcome.Deferred.class, outcome));
        assertTrue(history.size() <= 4, () -> history.size() + " tries");
    }

    @Test
    void bouncesWhatNobodyTakes() throws Exception {
        Map<MailAddress, Outcome> outcomes =
                deliver(courier(Lanes.Limits.DEFAULT), new MailAddress("x", "nowhere.example"));
        Status why =
                assertInstanceOf(Outcome.Failed.class, outcomes.values().iterator().next()).why();
        assertEquals("5.1.2", why.enhanced());
    }

    @Test
    void splitsWhatIsTooManyRecipientsAtOnce() throws Exception {
        second.keywords("PIPELINING", "LIMITS RCPTMAX=2");
        MailAddress[] many = new MailAddress[5];
        Arrays.setAll(many, i -> new MailAddress("r" + i, "example.net"));
        Map<MailAddress, Outcome> outcomes = deliver(courier(Lanes.Limits.DEFAULT), many);
        assertEquals(5, outcomes.size());
        outcomes.values().forEach(o -> assertInstanceOf(Outcome.Delivered.class, o));
        assertEquals(3, second.awaitMails(3).size());
    }

    @Test
    void sendsNothingThatDemandsTlsToAHostWithout() throws Exception {
        QueueEntry entry = entry(Map.of("REQUIRETLS", ""), DAVE);
        Map<MailAddress, Outcome> outcomes =
                courier(Lanes.Limits.DEFAULT)
                        .deliver(entry, entry.envelope().recipients(), history::add);
        assertTrue(!(outcomes.get(DAVE) instanceof Outcome.Delivered), outcomes::toString);
        assertEquals(0, second.mails().size());
    }

    @Test
    void tellsAtOnceThatAHostHasNoTlsForAMessageThatDemandsIt() throws Exception {
        QueueEntry entry = entry(Map.of("REQUIRETLS", ""), DAVE);
        Status why =
                assertInstanceOf(
                                Outcome.Failed.class,
                                courier(Lanes.Limits.DEFAULT)
                                        .deliver(entry, entry.envelope().recipients(), history::add)
                                        .get(DAVE))
                        .why();
        assertEquals("5.7.10", why.enhanced());
    }

    @Test
    void bringsAReportOnAMessageThatDemandedTlsToAHostWithout() throws Exception {
        QueueEntry report = entry(Optional.empty(), Map.of("REQUIRETLS", ""), DAVE);
        assertInstanceOf(
                Outcome.Delivered.class,
                courier(Lanes.Limits.DEFAULT)
                        .deliver(report, report.envelope().recipients(), history::add)
                        .get(DAVE));
        assertEquals(1, second.awaitMails(1).size());
    }

    @Test
    void saysHowMuchTimeIsLeft() throws Exception {
        second.keywords("PIPELINING", "DSN", "DELIVERBY");
        clock.advance(Duration.ofSeconds(20));
        QueueEntry entry = entry(Map.of("BY", "120;R"), DAVE);
        Outcome.Delivered delivered =
                assertInstanceOf(
                        Outcome.Delivered.class,
                        courier(Lanes.Limits.DEFAULT)
                                .deliver(entry, entry.envelope().recipients(), history::add)
                                .get(DAVE));
        assertTrue(delivered.reportsFollow());
        assertTrue(
                second.sessions().getFirst().commands().stream()
                        .anyMatch(command -> command.endsWith(" BY=100;R")),
                () -> second.sessions().getFirst().commands().toString());
    }

    @Test
    void returnsWhatMustNotBeLateRatherThanHandItToWhoKnowsOfNoDeadline() throws Exception {
        QueueEntry entry = entry(Map.of("BY", "120;R"), DAVE);
        Status why =
                assertInstanceOf(
                                Outcome.Failed.class,
                                courier(Lanes.Limits.DEFAULT)
                                        .deliver(entry, entry.envelope().recipients(), history::add)
                                        .get(DAVE))
                        .why();
        assertEquals("5.4.7", why.enhanced());
        assertEquals(0, second.mails().size());
    }

    @Test
    void expectsNoReportOnADelayFromWhoKnowsOfNoDeadline() throws Exception {
        second.keywords("PIPELINING", "DSN");
        QueueEntry entry = entry(Map.of("BY", "120;N"), DAVE);
        Outcome.Delivered delivered =
                assertInstanceOf(
                        Outcome.Delivered.class,
                        courier(Lanes.Limits.DEFAULT)
                                .deliver(entry, entry.envelope().recipients(), history::add)
                                .get(DAVE));
        assertFalse(delivered.reportsFollow());
    }

    @Test
    void keepsNoConnectionForOthersThatWasOpenedWithoutAskingForPolicies() throws Exception {
        RemoteCourier courier = courier(new Lanes.Limits(20, 100, 100, 0, Duration.ofSeconds(30)));
        QueueEntry waived =
                new QueueEntry(
                        new QueueId("Q" + ids.incrementAndGet()),
                        to(DAVE).envelope(),
                        MemoryContent.of("TLS-Required: No\n\nGood day.\n"),
                        NOON,
                        0,
                        NOON,
                        false,
                        Map.of());
        courier.deliver(waived, waived.envelope().recipients(), history::add);
        deliver(courier, DAVE);
        deliver(courier, DAVE);
        second.awaitMails(3);
        assertEquals(2, second.sessions().size());
    }

    @Test
    void stopsWhenItIsInterrupted() throws Exception {
        CountDownLatch waiting = new CountDownLatch(1);
        second.script(
                (session, command) -> {
                    if (command.startsWith("MAIL")) {
                        waiting.countDown();
                        return Optional.of(ScriptedMailServer.SILENCE);
                    }
                    return Optional.empty();
                });
        RemoteCourier courier = courier(Lanes.Limits.DEFAULT);
        List<Object> ended = new CopyOnWriteArrayList<>();
        Thread thread =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try {
                                        ended.add(deliver(courier, DAVE).get(DAVE));
                                    } catch (InterruptedIOException e) {
                                        ended.add(e);
                                    } catch (Exception e) {
                                        throw new IllegalStateException(e);
                                    }
                                });
        waiting.await();
        thread.interrupt();
        thread.join();
        assertInstanceOf(Outcome.Deferred.class, ended.getFirst());
    }

    private RemoteCourier courier(Lanes.Limits limits) throws Exception {
        return courier(limits, second.address().getPort());
    }

    private RemoteCourier courier(Lanes.Limits limits, int port) throws Exception {
        lanes = new Lanes(limits);
        Dialer dialer =
                new Dialer(
                        new MailHostLookup(
                                NAMES, Set.of("mx.example.test"), address -> true, clock),
                        new TlsPolicies(NAMES, StsPolicies.NONE),
                        new ClientTls(ClientTls.authorities(Optional.empty())),
                        TlsLedger.NONE,
                        new Dialer.Manner(
                                "mx.example.test",
                                List.of(),
                                Duration.ofSeconds(10),
                                ClientPatience.DEFAULT,
                                limits.messages()));
        return new RemoteCourier(
                new Routes(Map.of(), Optional.empty(), port), lanes, dialer, clock);
    }

    private Map<MailAddress, Outcome> deliver(RemoteCourier courier, MailAddress... to)
            throws Exception {
        QueueEntry entry = to(to);
        return courier.deliver(entry, entry.envelope().recipients(), history::add);
    }

    private QueueEntry to(MailAddress... to) {
        return entry(Map.of(), to);
    }

    private QueueEntry entry(Map<String, String> parameters, MailAddress... to) {
        return entry(Optional.of(ALICE), parameters, to);
    }

    private QueueEntry entry(
            Optional<MailAddress> sender, Map<String, String> parameters, MailAddress... to) {
        return new QueueEntry(
                new QueueId("Q" + ids.incrementAndGet()),
                new Envelope(sender, parameters, Arrays.stream(to).map(Recipient::new).toList()),
                MemoryContent.of("Subject: hello\n\nGood day.\n"),
                NOON,
                0,
                NOON,
                false,
                Map.of());
    }
}
