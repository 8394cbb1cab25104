package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.delivery.House.ALICE;
import static org.pabal.delivery.House.BOB;
import static org.pabal.delivery.House.FAR;
import static org.pabal.delivery.House.NOON;
import static org.pabal.delivery.House.TEXT;
import static org.pabal.delivery.House.envelope;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mailbox.Mailbox;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// That mail for hosts that do not answer keeps no other mail waiting.
@Timeout(120)
class FairnessTest {

    private static final int PATIENCE = 60;

    private final House house = new House();
    private final CountDownLatch never = new CountDownLatch(1);
    private final AtomicInteger stuck = new AtomicInteger();

    @Test
    void eightyDomainsGetTheirMailWhileTwentyAreDead() throws Exception {
        CountDownLatch delivered = new CountDownLatch(8_000);
        blockWhereDead(delivered);
        for (int i = 0; i < 10_000; i++) {
            house.send(envelope(ALICE, someoneAt(i % 100)), TEXT);
        }
        QueueWorker worker = house.worker(64, 10_000);
        worker.start();
        boolean all = delivered.await(PATIENCE, TimeUnit.SECONDS);
        worker.stop(Duration.ZERO);
        assertTrue(all, () -> delivered.getCount() + " were not delivered");
        assertEquals(2_000, house.waiting());
        assertTrue(stuck.get() <= 2_000);
    }

    /// More is dead than may be under way, and it is older than what lives.
    @Test
    void twentyDeadDomainsWithMoreMailThanMayBeUnderWayLeaveRoomForOthers() throws Exception {
        CountDownLatch delivered = new CountDownLatch(80);
        blockWhereDead(delivered);
        for (int i = 0; i < 20 * 100; i++) {
            house.send(envelope(ALICE, someoneAt(i % 20)), TEXT);
        }
        for (int i = 20; i < 100; i++) {
            house.send(envelope(ALICE, someoneAt(i)), TEXT);
        }
        QueueWorker worker = house.worker(4, 100);
        worker.start();
        // What found no room comes back when its time has come.
        boolean all = false;
        for (int i = 0; i < 10 * PATIENCE && !all; i++) {
            all = delivered.await(100, TimeUnit.MILLISECONDS);
            house.clock.advance(Duration.ofSeconds(1));
        }
        worker.stop(Duration.ZERO);
        assertTrue(all, () -> delivered.getCount() + " were not delivered");
        assertTrue(stuck.get() < 100, () -> stuck + " got stuck where 100 may be under way");
        assertTrue(
                house.queue.entries().filter(entry -> entry.attempts() > 0).count() <= stuck.get(),
                "who found no room was not tried");
    }

    @Test
    void mailboxesHereDoNotWaitForHostsElsewhere() throws Exception {
        blockWhereDead(new CountDownLatch(0));
        Mailbox inbox = house.mailboxes.open(BOB, "INBOX").orElseThrow();
        house.send(envelope(ALICE, someoneAt(0), BOB), TEXT);
        QueueWorker worker = house.worker(1, 10);
        worker.start();
        inbox.changes(1, Duration.ofSeconds(PATIENCE));
        house.send(envelope(FAR, ALICE), TEXT);
        house.mailboxes.open(ALICE, "INBOX").orElseThrow().changes(1, Duration.ofSeconds(PATIENCE));
        assertEquals(1, house.inbox(BOB).size());
        assertEquals(1, house.inbox(ALICE).size(), "the only worker was not kept");
        worker.stop(Duration.ZERO);
        assertEquals(List.of(someoneAt(0)), house.only().envelope().addresses());
    }

    @Test
    void couriersOfOneMessageGoBesideEachOther() throws Exception {
        CountDownLatch both = new CountDownLatch(2);
        for (String route : List.of("remote", "example.net")) {
            house.couriers.add(
                    route,
                    0,
                    (entry, recipients) -> {
                        both.countDown();
                        await(both);
                        return delivered(recipients);
                    });
        }
        house.send(envelope(ALICE, FAR, new MailAddress("x", "example.net")), TEXT);
        assertEquals(1, house.work());
        assertEquals(0, house.waiting());
    }

    /// What found no room was not tried: it is not counted, and nothing is said of it.
    @Test
    void whoFindsNoRoomWaitsUncountedWhileTheOthersAreServed() throws Exception {
        blockWhereDead(new CountDownLatch(100));
        QueueWorker worker = house.worker(2, 10);
        house.send(envelope(ALICE, someoneAt(0)), TEXT);
        QueueEntry first = house.queue.lease(NOON, Duration.ZERO).orElseThrow();
        Thread stuckWithIt = Thread.ofVirtual().start(() -> worker.carry(first));
        while (stuck.get() == 0) {
            Thread.onSpinWait();
        }
        house.send(envelope(ALICE, someoneAt(0)), TEXT);
        house.send(envelope(ALICE, someoneAt(0), BOB, someoneAt(50)), TEXT);
        for (int i = 0; i < 2; i++) {
            worker.carry(house.queue.lease(NOON, Duration.ZERO).orElseThrow());
        }
        List<QueueEntry> left = house.queue.entries().skip(1).toList();
        assertEquals(0, left.getFirst().attempts());
        for (QueueEntry entry : left) {
            assertEquals(List.of(someoneAt(0)), entry.envelope().addresses());
            assertEquals(Map.of(), entry.reasons());
            assertTrue(entry.next().isAfter(NOON) && entry.next().isBefore(NOON.plusSeconds(11)));
        }
        assertEquals(1, house.inbox(BOB).size());
        never.countDown();
        stuckWithIt.join();
    }

    private static MailAddress someoneAt(int domain) {
        return new MailAddress("someone", "d" + domain + ".example.org");
    }

    private void blockWhereDead(CountDownLatch delivered) {
        Set<String> dead =
                IntStream.range(0, 20)
                        .mapToObj(i -> someoneAt(i).domain())
                        .collect(Collectors.toSet());
        house.couriers.add(
                "remote",
                0,
                (entry, recipients) -> {
                    if (recipients.stream().anyMatch(r -> dead.contains(r.address().domain()))) {
                        stuck.incrementAndGet();
                        await(never);
                    }
                    delivered.countDown();
                    return delivered(recipients);
                });
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new InterruptedIOException("told to stop");
        }
    }

    private static Map<MailAddress, Outcome> delivered(List<Recipient> recipients) {
        return recipients.stream()
                .collect(Collectors.toMap(Recipient::address, r -> new Outcome.Delivered("there")));
    }
}
