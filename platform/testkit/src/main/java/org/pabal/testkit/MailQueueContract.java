package org.pabal.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.pabal.mail.Attempt;
import org.pabal.mail.Content;
import org.pabal.mail.Draft;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.MailQueue;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// What every [MailQueue] does. Implement this in a test class:
///
/// ```java
/// class FileMailQueueTest implements MailQueueContract {
///     @TempDir Path folder;
///
///     @Override public MailQueue queue(InstantSource clock) { … opens one in the empty folder … }
///     @Override public Optional<MailQueue> reopened() { … closes it and opens it again … }
/// }
/// ```
public interface MailQueueContract {

    MailAddress ALICE = new MailAddress("alice", "example.org");
    MailAddress BOB = new MailAddress("bob", "example.test");
    MailAddress CAROL = new MailAddress("carol", "example.test");
    MailAddress DAVE = new MailAddress("dave", "example.test");

    /// What a test waits for something that ought to happen at once, on a slow machine.
    Duration LONG = Duration.ofSeconds(30);

    Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    /// A queue with nothing in it. Called once at the beginning of each test.
    MailQueue queue(InstantSource clock) throws Exception;

    /// Closes the queue of [#queue] as a restart does, and opens it again over the same data with
    /// the same clock. Empty when it keeps nothing over a restart; the tests about that are then
    /// skipped.
    default Optional<MailQueue> reopened() throws Exception {
        return Optional.empty();
    }

    @Test
    default void draftWithoutCommitLeavesNoTrace() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        try (Draft draft = queue.draft(envelope(BOB))) {
            draft.body().write(octets("Subject: never\r\n\r\n"));
        }
        assertEquals(List.of(), ids(queue));
        assertTrue(queue.lease(NOON, Duration.ZERO).isEmpty());
    }

    @Test
    default void draftIsInvisibleBeforeCommit() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        try (Draft draft = queue.draft(envelope(BOB))) {
            draft.body().write(octets("Subject: wait\r\n\r\n"));
            assertEquals(List.of(), ids(queue));
            assertTrue(queue.lease(NOON, Duration.ZERO).isEmpty());
            QueueId id = draft.commit(List.of());
            assertEquals(draft.id(), id);
            assertEquals(List.of(id), ids(queue));
        }
        assertEquals(1, ids(queue).size(), "close after commit takes nothing back");
    }

    @Test
    default void committedMessageIsLeasedAtOnceAsItWasGiven() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        Map<String, String> mail = Map.of("BODY", "8BITMIME", "ENVID", "QQ314159", "SMTPUTF8", "");
        Recipient bob =
                new Recipient(
                        BOB,
                        Map.of("NOTIFY", "SUCCESS,FAILURE", "ORCPT", "rfc822;b+2Bb@example.test"));
        Recipient quoted = new Recipient(new MailAddress("c \"d\"", "[192.0.2.1]"));
        Recipient korean = new Recipient(new MailAddress("파발", "예.example"));
        Envelope envelope = new Envelope(Optional.of(ALICE), mail, List.of(bob, quoted, korean));
        QueueId id = commit(queue, envelope, "Subject: hi\r\n\r\nhello\r\n");

        QueueEntry entry = leased(queue, NOON);
        assertEquals(id, entry.id());
        assertEquals(envelope, entry.envelope());
        assertEquals(NOON, entry.accepted());
        assertEquals(0, entry.attempts());
        assertEquals(Map.of(), entry.reasons());
        assertFalse(entry.held());
        assertEquals("Subject: hi\r\n\r\nhello\r\n", text(entry.content()));
        assertEquals(22, entry.content().size());
    }

    @Test
    default void keepsTheNullSender() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        commit(queue, new Envelope(Optional.empty(), List.of(new Recipient(BOB))), "\r\n");
        assertEquals(Optional.empty(), leased(queue, NOON).envelope().sender());
    }

    @Test
    default void contentCanBeReadBeforeCommitAndOftenAfterwards() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        try (Draft draft = queue.draft(envelope(BOB))) {
            draft.body().write(octets("Subject: t"));
            assertEquals("Subject: t", text(draft.content()));
            draft.body().write(octets("wice\r\n\r\n"));
            assertEquals("Subject: twice\r\n\r\n", text(draft.content()));
            assertEquals(18, draft.content().size());
            draft.commit(List.of());
        }
        Content content = leased(queue, NOON).content();
        assertEquals("Subject: twice\r\n\r\n", text(content));
        assertEquals("Subject: twice\r\n\r\n", text(content));
    }

    @Test
    default void headerFieldsComeAboveTheMessageInOrder() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        try (Draft draft = queue.draft(envelope(BOB))) {
            draft.body().write(octets("Subject: hi\r\n\r\nbody"));
            draft.commit(List.of("Received: by a.example;\r\n\tnow", "X-Second: 둘"));
        }
        Content content = leased(queue, NOON).content();
        String expected =
                "Received: by a.example;\r\n\tnow\r\nX-Second: 둘\r\nSubject: hi\r\n\r\nbody";
        assertEquals(expected, text(content));
        assertEquals(octets(expected).length, content.size());
    }

    @Test
    default void carriesLargeMessagesOctetForOctet() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        byte[] large = new byte[5_000_000];
        new Random(1).nextBytes(large);
        try (Draft draft = queue.draft(envelope(BOB))) {
            OutputStream body = draft.body();
            for (int at = 0; at < large.length; ) {
                int portion = Math.min(60_001, large.length - at);
                body.write(large, at, portion);
                at += portion;
            }
            assertEquals(large.length, draft.content().size());
            draft.commit(List.of("A: b"));
        }
        Content content = leased(queue, NOON).content();
        assertEquals(large.length + 6, content.size());
        try (InputStream in = content.open()) {
            assertEquals("A: b\r\n", new String(in.readNBytes(6), StandardCharsets.US_ASCII));
            assertTrue(Arrays.equals(large, in.readAllBytes()));
        }
    }

    @Test
    default void leaseIsGivenToOneOnly() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB), "\r\n");
        leased(queue, NOON);
        assertTrue(queue.lease(NOON, Duration.ZERO).isEmpty());
        assertTrue(queue.lease(NOON.plus(Duration.ofDays(9)), Duration.ZERO).isEmpty());
        assertEquals(List.of(id), ids(queue), "what is leased is still in the queue");
    }

    @Test
    default void oldestDueComesFirst() throws Exception {
        MovableClock clock = new MovableClock(NOON);
        MailQueue queue = queue(clock);
        QueueId first = commit(queue, envelope(BOB), "1\r\n");
        clock.advance(Duration.ofSeconds(1));
        QueueId second = commit(queue, envelope(BOB), "2\r\n");
        assertEquals(List.of(first, second), ids(queue));
        assertEquals(first, leased(queue, clock.instant()).id());
        assertEquals(second, leased(queue, clock.instant()).id());
    }

    @Test
    default void entryLeavesWhenEveryRecipientIsSettled() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        commit(queue, envelope(BOB, CAROL), "\r\n");
        QueueEntry entry = leased(queue, NOON);
        queue.settle(
                entry,
                Map.of(
                        BOB,
                        new Outcome.Delivered("mailbox"),
                        CAROL,
                        new Outcome.Failed(status(550))),
                NOON.plusSeconds(60));
        assertEquals(List.of(), ids(queue));
        assertTrue(queue.lease(NOON.plus(Duration.ofDays(9)), Duration.ZERO).isEmpty());
    }

    @Test
    default void deferredAndUnnamedRecipientsStayAndOthersLeave() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB, CAROL, DAVE), "hello\r\n");
        queue.settle(
                leased(queue, NOON),
                Map.of(
                        BOB,
                        new Outcome.Delivered("mailbox"),
                        CAROL,
                        new Outcome.Deferred(status(451))),
                NOON.plusSeconds(60));

        QueueEntry again = leased(queue, NOON.plusSeconds(60));
        assertEquals(id, again.id());
        assertEquals(List.of(CAROL, DAVE), again.envelope().addresses());
        assertEquals(Optional.of(ALICE), again.envelope().sender());
        assertEquals(1, again.attempts());
        assertEquals(NOON.plusSeconds(60), again.next());
        assertEquals(NOON, again.accepted());
        assertEquals(Map.of(CAROL, status(451)), again.reasons());
        assertEquals("hello\r\n", text(again.content()));
    }

    @Test
    default void attemptsGrowOnlyWithADeferral() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        commit(queue, envelope(BOB, CAROL), "\r\n");
        queue.settle(
                leased(queue, NOON),
                Map.of(BOB, new Outcome.Delivered("mailbox")),
                NOON.plusSeconds(60));
        QueueEntry entry = leased(queue, NOON.plusSeconds(60));
        assertEquals(List.of(CAROL), entry.envelope().addresses());
        assertEquals(0, entry.attempts());
        queue.settle(entry, deferred(CAROL), NOON.plusSeconds(120));
        assertEquals(1, leased(queue, NOON.plusSeconds(120)).attempts());
    }

    @Test
    default void settledWithoutOutcomesItIsAsBeforeAndWaits() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB, CAROL), "\r\n");
        Attempt attempt = attempt(NOON, BOB);
        queue.settle(leased(queue, NOON), deferred(BOB), NOON.plusSeconds(60), List.of(attempt));
        queue.settle(
                leased(queue, NOON.plusSeconds(60)), Map.of(), NOON.plusSeconds(90), List.of());
        assertTrue(queue.lease(NOON.plusSeconds(89), Duration.ZERO).isEmpty());
        QueueEntry again = leased(queue, NOON.plusSeconds(90));
        assertEquals(id, again.id());
        assertEquals(List.of(BOB, CAROL), again.envelope().addresses());
        assertEquals(1, again.attempts());
        assertEquals(NOON.plusSeconds(90), again.next());
        assertEquals(Map.of(BOB, status(451)), again.reasons());
        assertEquals(List.of(attempt), again.history());
        queue.settle(again, Map.of(), NOON, List.of());
        assertEquals(id, leased(queue, NOON).id(), "due again at once");
    }

    @Test
    default void puttingBackIsWhatAHeldEntryKeepsTo() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB), "\r\n");
        QueueEntry entry = leased(queue, NOON);
        queue.hold(id, true);
        queue.settle(entry, Map.of(), NOON, List.of());
        assertTrue(queue.lease(NOON.plusSeconds(60), Duration.ZERO).isEmpty());
        queue.hold(id, false);
        assertEquals(id, leased(queue, NOON).id());
    }

    @Test
    default void historyTellsEveryTryOldestFirst() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB, CAROL), "\r\n");
        assertEquals(List.of(), entry(queue, id).history());
        List<Attempt> first =
                List.of(attempt(NOON, BOB, CAROL), attempt(NOON.plusSeconds(1), CAROL));
        queue.settle(leased(queue, NOON), deferred(BOB), NOON, first);
        assertEquals(first, entry(queue, id).history());
        Attempt unreached =
                new Attempt(
                        NOON.plusSeconds(9),
                        "",
                        "",
                        List.of(new MailAddress("파 발", "예.example")),
                        new Status(451, "", "100% of \t nothing"));
        queue.settle(leased(queue, NOON), Map.of(), NOON, List.of(unreached));
        List<Attempt> all = List.of(first.get(0), first.get(1), unreached);
        assertEquals(all, entry(queue, id).history());
        queue.hold(id, true);
        queue.hold(id, false);
        queue.retry(id);
        assertEquals(all, leased(queue, NOON).history());
    }

    @Test
    default void historyKeepsTheLatestOfVeryManyTries() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB), "\r\n");
        List<Attempt> all = new ArrayList<>();
        for (int i = 0; i < QueueEntry.MAX_HISTORY + 5; i++) {
            all.add(attempt(NOON.plusSeconds(i), BOB));
        }
        queue.settle(leased(queue, NOON), deferred(BOB), NOON, all.subList(0, 3));
        queue.settle(leased(queue, NOON), deferred(BOB), NOON, all.subList(3, all.size()));
        assertEquals(all.subList(5, all.size()), entry(queue, id).history());
    }

    /// Strangers write what we tell of a try: it must neither make the queue fail nor grow without
    /// end.
    @Test
    default void largeTriesDoNotBreakTheQueue() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        MailAddress[] many = new MailAddress[1_000];
        Map<MailAddress, Outcome> outcomes = new HashMap<>();
        for (int i = 0; i < many.length; i++) {
            many[i] = new MailAddress("u" + i + "x".repeat(60), "x".repeat(60) + ".example");
            outcomes.put(
                    many[i], new Outcome.Deferred(new Status(451, "4.3.0", "말 ".repeat(2_000))));
        }
        QueueId id = commit(queue, envelope(many), "\r\n");
        for (int i = 0; i < 5; i++) {
            Instant at = NOON.plusSeconds(i);
            List<Attempt> attempts = new ArrayList<>();
            for (int j = 0; j < 60; j++) {
                attempts.add(
                        new Attempt(
                                at,
                                "호스트 ".repeat(10_000),
                                "% ".repeat(10_000),
                                List.of(many),
                                new Status(451, "4.3.0", "\t ".repeat(100_000))));
            }
            queue.settle(leased(queue, at), outcomes, at.plusSeconds(1), attempts);
        }
        QueueEntry entry = leased(queue, NOON.plusSeconds(5));
        assertEquals(id, entry.id());
        assertEquals(5, entry.attempts());
        assertEquals(List.of(many), entry.envelope().addresses());
        assertEquals(Set.of(many), entry.reasons().keySet());
        assertTrue(entry.history().size() <= QueueEntry.MAX_HISTORY);
        Optional<MailQueue> next = reopened();
        if (next.isPresent()) {
            assertEquals(5, entry(next.get(), id).attempts());
            assertEquals(List.of(many), entry(next.get(), id).envelope().addresses());
        }
    }

    @Test
    default void highestPriorityComesFirst() throws Exception {
        MovableClock clock = new MovableClock(NOON);
        MailQueue queue = queue(clock);
        QueueId plain = commit(queue, envelope(BOB), "\r\n");
        QueueId low = commit(queue, urgent("-4"), "\r\n");
        QueueId high = commit(queue, urgent("4"), "\r\n");
        QueueId highest = commit(queue, urgent("9"), "\r\n");
        QueueId highToo = commit(queue, urgent("4"), "\r\n");
        List<QueueId> order = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            order.add(leased(queue, NOON).id());
        }
        assertEquals(List.of(highest, high, highToo, plain, low), order);
    }

    @Test
    default void highPriorityThatIsNotDueHoldsNobodyUp() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId high = commit(queue, urgent("6"), "\r\n");
        QueueEntry entry = leased(queue, NOON);
        queue.settle(entry, deferred(BOB), NOON.plusSeconds(60), List.of());
        QueueId plain = commit(queue, envelope(BOB), "\r\n");
        QueueEntry other = leased(queue, NOON.plusSeconds(59));
        assertEquals(plain, other.id());
        queue.settle(other, Map.of(), NOON, List.of());
        assertEquals(
                high, leased(queue, NOON.plusSeconds(60)).id(), "though due for a shorter time");
        assertEquals(plain, leased(queue, NOON).id());
    }

    @Test
    default void sameOrLowerPriorityIsByTheTimeItHasBeenDue() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId first = commit(queue, urgent("2"), "\r\n");
        QueueId second = commit(queue, urgent("2"), "\r\n");
        queue.settle(leased(queue, NOON), deferred(BOB), NOON.plusSeconds(60), List.of());
        queue.settle(leased(queue, NOON), deferred(BOB), NOON.plusSeconds(30), List.of());
        assertEquals(second, leased(queue, NOON.plusSeconds(90)).id());
        assertEquals(first, leased(queue, NOON.plusSeconds(90)).id());
    }

    @Test
    default void settlementThatMakesDueWakesTheOneItIsDueFor() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB), "\r\n");
        QueueEntry entry = leased(queue, NOON);
        Waiting<Optional<QueueEntry>> early = waiting(() -> queue.lease(NOON, LONG));
        Waiting<Optional<QueueEntry>> late = waiting(() -> queue.lease(NOON.plusSeconds(60), LONG));
        queue.settle(entry, Map.of(), NOON.plusSeconds(30), List.of());
        assertEquals(id, late.result().orElseThrow().id());
        early.thread.interrupt();
        assertThrows(InterruptedIOException.class, early::result);
    }

    @Test
    default void sixtyFourWhoSettleTriesAtOnceAllDo() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        int messages = 640;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<QueueId>> commits = new ArrayList<>();
            for (int i = 0; i < messages; i++) {
                commits.add(threads.submit(() -> commit(queue, envelope(BOB, CAROL), "\r\n")));
            }
            for (Future<QueueId> commit : commits) {
                commit.get(LONG.toSeconds(), TimeUnit.SECONDS);
            }
            List<Future<Integer>> settlers = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                settlers.add(threads.submit(() -> settleAll(queue)));
            }
            int settled = 0;
            for (Future<Integer> settler : settlers) {
                settled += settler.get(LONG.toSeconds(), TimeUnit.SECONDS);
            }
            assertEquals(2 * messages, settled);
        }
        assertEquals(List.of(), ids(queue));
    }

    /// First one recipient, then the other, each with a try.
    private static int settleAll(MailQueue queue) throws IOException {
        int settled = 0;
        for (Optional<QueueEntry> leased = queue.lease(NOON, Duration.ZERO);
                leased.isPresent();
                leased = queue.lease(NOON, Duration.ZERO)) {
            QueueEntry entry = leased.get();
            MailAddress to = entry.envelope().addresses().getFirst();
            assertEquals(to.equals(CAROL) ? 1 : 0, entry.history().size());
            queue.settle(
                    entry,
                    Map.of(to, new Outcome.Delivered("there")),
                    NOON,
                    List.of(attempt(NOON, to)));
            settled++;
        }
        return settled;
    }

    @Test
    default void retryTimeIsRespected() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        commit(queue, envelope(BOB), "\r\n");
        queue.settle(leased(queue, NOON), deferred(BOB), NOON.plusSeconds(60));
        assertTrue(queue.lease(NOON.plusSeconds(59), Duration.ZERO).isEmpty());
        assertTrue(queue.lease(NOON.plusSeconds(60), Duration.ZERO).isPresent());
    }

    @Test
    default void retryMakesDueAtOnce() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB), "\r\n");
        queue.settle(leased(queue, NOON), deferred(BOB), NOON.plusSeconds(3600));
        queue.retry(id);
        assertEquals(id, leased(queue, NOON).id());
        queue.retry(new QueueId("nobody"));
    }

    @Test
    default void heldMessageIsNotLeasedUntilReleased() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB), "\r\n");
        queue.hold(id, true);
        assertTrue(queue.lease(NOON.plus(Duration.ofDays(9)), Duration.ZERO).isEmpty());
        assertTrue(entry(queue, id).held());
        queue.hold(id, false);
        assertFalse(entry(queue, id).held());
        assertEquals(id, leased(queue, NOON).id());
    }

    @Test
    default void holdLetsALeaseSettleAndKeepsTheRestBack() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB, CAROL), "\r\n");
        QueueEntry entry = leased(queue, NOON);
        queue.hold(id, true);
        queue.settle(
                entry,
                Map.of(
                        BOB,
                        new Outcome.Delivered("mailbox"),
                        CAROL,
                        new Outcome.Deferred(status(451))),
                NOON);
        assertEquals(List.of(CAROL), entry(queue, id).envelope().addresses());
        assertTrue(queue.lease(NOON.plusSeconds(60), Duration.ZERO).isEmpty());
        queue.hold(id, false);
        assertEquals(id, leased(queue, NOON).id());
    }

    @Test
    default void removedMessageIsGoneAndItsLeaseSettlesIntoNothing() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB), "\r\n");
        QueueEntry entry = leased(queue, NOON);
        queue.remove(id);
        assertEquals(List.of(), ids(queue));
        queue.settle(entry, deferred(BOB), NOON);
        assertEquals(List.of(), ids(queue));
        assertTrue(queue.lease(NOON, Duration.ZERO).isEmpty());
        queue.remove(id);
        queue.hold(id, true);
    }

    @Test
    default void patienceWaitsForACommitAndIsWokenByIt() throws Exception {
        MovableClock clock = new MovableClock(NOON);
        MailQueue queue = queue(clock);
        Waiting<Optional<QueueEntry>> waiting = waiting(() -> queue.lease(NOON, LONG));
        clock.advance(Duration.ofSeconds(5));
        QueueId id = commit(queue, envelope(BOB), "\r\n");
        // A fresh message is due whatever the waiting one said the time was.
        assertEquals(id, waiting.result().orElseThrow().id());
    }

    @Test
    default void patienceIsWokenByRetryAndRelease() throws Exception {
        MovableClock clock = new MovableClock(NOON);
        MailQueue queue = queue(clock);
        QueueId id = commit(queue, envelope(BOB), "\r\n");
        queue.settle(leased(queue, NOON), deferred(BOB), NOON.plusSeconds(3600));
        Waiting<Optional<QueueEntry>> forRetry = waiting(() -> queue.lease(NOON, LONG));
        clock.advance(Duration.ofSeconds(5));
        queue.retry(id);
        QueueEntry entry = forRetry.result().orElseThrow();
        queue.hold(id, true);
        queue.settle(entry, deferred(BOB), NOON);
        Waiting<Optional<QueueEntry>> forRelease = waiting(() -> queue.lease(NOON, LONG));
        queue.hold(id, false);
        assertEquals(id, forRelease.result().orElseThrow().id());
    }

    @Test
    default void patienceEnds() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        long start = System.nanoTime();
        assertTrue(queue.lease(NOON, Duration.ofMillis(50)).isEmpty());
        assertTrue(System.nanoTime() - start >= 45_000_000, "waited");
    }

    @Test
    default void interruptEndsTheWait() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        Waiting<Optional<QueueEntry>> waiting = waiting(() -> queue.lease(NOON, LONG));
        waiting.thread.interrupt();
        assertThrows(InterruptedIOException.class, waiting::result);
    }

    @Test
    default void fiftyWhoCommitAtOnceAllArrive() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        int each = 20;
        Set<QueueId> committed = ConcurrentHashMap.newKeySet();
        CountDownLatch start = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> futures = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                String name = "thread " + i;
                futures.add(
                        threads.submit(
                                () -> {
                                    start.await();
                                    for (int j = 0; j < each; j++) {
                                        committed.add(
                                                commit(
                                                        queue,
                                                        envelope(BOB),
                                                        name + "\r\n" + "x".repeat(j * 100)));
                                    }
                                    return name;
                                }));
            }
            start.countDown();
            for (Future<?> future : futures) {
                future.get(LONG.toSeconds(), TimeUnit.SECONDS);
            }
        }
        assertEquals(50 * each, committed.size());
        Map<String, Integer> seen = new ConcurrentHashMap<>();
        Set<QueueId> leased = new HashSet<>();
        for (int i = 0; i < 50 * each; i++) {
            QueueEntry entry = leased(queue, NOON);
            String text = text(entry.content());
            assertEquals(entry.content().size(), text.length());
            seen.merge(text.substring(0, text.indexOf('\r')), 1, Integer::sum);
            leased.add(entry.id());
            queue.settle(entry, Map.of(BOB, new Outcome.Delivered("here")), NOON);
        }
        assertEquals(committed, leased);
        assertEquals(50, seen.size());
        assertTrue(seen.values().stream().allMatch(n -> n == each), seen::toString);
        assertEquals(List.of(), ids(queue));
    }

    @Test
    default void manyWhoLeaseGetEachMessageOnce() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        Set<QueueId> committed = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            committed.add(commit(queue, envelope(BOB), i + "\r\n"));
        }
        List<QueueId> leased = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<List<QueueId>>> futures = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                futures.add(
                        threads.submit(
                                () -> {
                                    List<QueueId> mine = new ArrayList<>();
                                    for (Optional<QueueEntry> entry =
                                                    queue.lease(NOON, Duration.ZERO);
                                            entry.isPresent();
                                            entry = queue.lease(NOON, Duration.ZERO)) {
                                        mine.add(entry.get().id());
                                    }
                                    return mine;
                                }));
            }
            for (Future<List<QueueId>> future : futures) {
                leased.addAll(future.get(LONG.toSeconds(), TimeUnit.SECONDS));
            }
        }
        assertEquals(200, leased.size());
        assertEquals(committed, Set.copyOf(leased));
    }

    @Test
    default void committedMessagesSurviveARestart() throws Exception {
        MovableClock clock = new MovableClock(NOON);
        MailQueue queue = queue(clock);
        Envelope envelope =
                new Envelope(
                        Optional.of(ALICE),
                        Map.of("RET", "HDRS", "ENVID", "a+2Bb"),
                        List.of(
                                new Recipient(BOB, Map.of("NOTIFY", "NEVER")),
                                new Recipient(CAROL)));
        QueueId id = commit(queue, envelope, "Subject: stays\r\n\r\n" + "x".repeat(100_000));
        QueueId small = commit(queue, envelope(DAVE), "\r\n");
        try (Draft draft = queue.draft(envelope(BOB))) {
            draft.body().write(octets("never\r\n"));
        }
        MailQueue next = again();
        assertEquals(List.of(id, small), ids(next));
        QueueEntry entry = leased(next, NOON);
        assertEquals(envelope, entry.envelope());
        assertEquals(NOON, entry.accepted());
        assertEquals("Subject: stays\r\n\r\n" + "x".repeat(100_000), text(entry.content()));
        assertFalse(
                Set.of(id, small).contains(commit(next, envelope(BOB), "\r\n")),
                "ids are not given twice");
    }

    @Test
    default void leaseDoesNotSurviveARestart() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, envelope(BOB), "\r\n");
        leased(queue, NOON);
        assertEquals(id, leased(again(), NOON).id());
    }

    @Test
    default void settlementsHoldsAndRemovalsSurviveARestart() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId deferred = commit(queue, envelope(BOB, CAROL), "1\r\n");
        queue.settle(
                leased(queue, NOON),
                Map.of(
                        BOB,
                        new Outcome.Delivered("there"),
                        CAROL,
                        new Outcome.Deferred(status(451))),
                NOON.plusSeconds(600),
                List.of(attempt(NOON, BOB), attempt(NOON, CAROL)));
        QueueId delivered = commit(queue, envelope(BOB), "2\r\n");
        queue.settle(leased(queue, NOON), Map.of(BOB, new Outcome.Delivered("there")), NOON);
        QueueId held = commit(queue, envelope(BOB), "3\r\n");
        queue.hold(held, true);
        QueueId removed = commit(queue, envelope(BOB), "4\r\n");
        queue.remove(removed);

        MailQueue next = again();
        assertEquals(
                List.of(deferred, held), ids(next), "without " + delivered + " and " + removed);
        QueueEntry entry = entry(next, deferred);
        assertEquals(List.of(CAROL), entry.envelope().addresses());
        assertEquals(Map.of(CAROL, status(451)), entry.reasons());
        assertEquals(1, entry.attempts());
        assertEquals(List.of(attempt(NOON, BOB), attempt(NOON, CAROL)), entry.history());
        assertEquals(NOON.plusSeconds(600), entry.next());
        assertTrue(entry(next, held).held());
        assertTrue(next.lease(NOON.plusSeconds(599), Duration.ZERO).isEmpty());
        assertEquals(deferred, leased(next, NOON.plusSeconds(600)).id());
    }

    @Test
    default void historyGrowsOverRestarts() throws Exception {
        MailQueue queue = queue(new MovableClock(NOON));
        QueueId id = commit(queue, urgent("3"), "\r\n");
        List<Attempt> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            QueueEntry entry = leased(queue, NOON);
            assertEquals(all, entry.history());
            assertEquals(3, entry.envelope().priority());
            all.add(attempt(NOON.plusSeconds(i), BOB));
            queue.settle(entry, deferred(BOB), NOON, List.of(all.getLast()));
            commit(queue, envelope(CAROL), "not as urgent\r\n");
            queue = again();
            assertEquals(all, entry(queue, id).history());
        }
    }

    private MailQueue again() throws Exception {
        Optional<MailQueue> next = reopened();
        assumeTrue(next.isPresent(), "keeps nothing over a restart");
        return next.get();
    }

    /// A call that runs on a thread of its own, which has come to wait.
    record Waiting<T>(Thread thread, FutureTask<T> task) {

        T result() throws Exception {
            try {
                return task.get(LONG.toSeconds(), TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof Exception cause ? cause : e;
            }
        }
    }

    /// Runs a call that is to wait, and comes back when it does.
    static <T> Waiting<T> waiting(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        Thread thread = Thread.ofPlatform().daemon().start(task);
        long end = System.nanoTime() + LONG.toNanos();
        while (thread.getState() != Thread.State.WAITING
                && thread.getState() != Thread.State.TIMED_WAITING
                && thread.isAlive()
                && System.nanoTime() < end) {
            Thread.yield();
        }
        return new Waiting<>(thread, task);
    }

    private static Attempt attempt(Instant at, MailAddress... to) {
        return new Attempt(
                at,
                "mx.example.test [192.0.2.25]:25",
                "TLSv1.3, not verified",
                List.of(to),
                status(451));
    }

    private static Envelope urgent(String priority) {
        return new Envelope(
                Optional.of(ALICE), Map.of("MT-PRIORITY", priority), List.of(new Recipient(BOB)));
    }

    private static Envelope envelope(MailAddress... to) {
        return new Envelope(Optional.of(ALICE), Arrays.stream(to).map(Recipient::new).toList());
    }

    private static QueueId commit(MailQueue queue, Envelope envelope, String text)
            throws IOException {
        try (Draft draft = queue.draft(envelope)) {
            draft.body().write(octets(text));
            return draft.commit(List.of());
        }
    }

    private static QueueEntry leased(MailQueue queue, Instant now) throws IOException {
        return queue.lease(now, Duration.ZERO)
                .orElseThrow(() -> new AssertionError("nothing is due at " + now));
    }

    private static QueueEntry entry(MailQueue queue, QueueId id) throws IOException {
        return queue.entries().filter(e -> e.id().equals(id)).findFirst().orElseThrow();
    }

    private static List<QueueId> ids(MailQueue queue) throws IOException {
        return queue.entries().map(QueueEntry::id).collect(Collectors.toList());
    }

    private static Map<MailAddress, Outcome> deferred(MailAddress recipient) {
        return Map.of(recipient, new Outcome.Deferred(status(451)));
    }

    private static Status status(int code) {
        return new Status(code, code / 100 + ".3.0", "disk full, 다시");
    }

    private static byte[] octets(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(Content content) throws IOException {
        return MemoryContent.copyOf(content).toString();
    }
}
