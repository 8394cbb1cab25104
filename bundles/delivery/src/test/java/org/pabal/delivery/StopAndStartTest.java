package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.delivery.House.ALICE;
import static org.pabal.delivery.House.BOB;
import static org.pabal.delivery.House.FAR;
import static org.pabal.delivery.House.TEXT;
import static org.pabal.delivery.House.envelope;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pabal.mail.Outcome;
import org.pabal.mailbox.Changes;
import org.pabal.mailbox.Mailbox;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

@Timeout(60)
class StopAndStartTest {

    private static final Duration GRACE = Duration.ofSeconds(20);

    private final House house = new House();

    @Test
    void carriesWhatIsCommittedWhileItRunsAndNothingAfterwards() throws Exception {
        house.worker.start();
        for (int i = 0; i < 200; i++) {
            house.send(envelope(FAR, BOB), TEXT);
        }
        Mailbox inbox = house.mailboxes.open(BOB, "INBOX").orElseThrow();
        long seen = 1;
        while (inbox.status().messages() < 200) {
            Changes changes = inbox.changes(seen, GRACE);
            seen = changes.modSeq();
        }
        house.worker.stop(GRACE);
        assertEquals(0, house.waiting());

        house.send(envelope(FAR, BOB), TEXT);
        assertEquals(200, inbox.status().messages());
        QueueWorker next = house.worker(2);
        next.start();
        inbox.changes(seen, GRACE);
        next.stop(GRACE);
        assertEquals(201, inbox.status().messages());
        assertEquals(0, house.waiting());
    }

    @Test
    void stopWaitsForTheMessageAtHand() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch may = new CountDownLatch(1);
        house.couriers.add(
                "remote",
                0,
                (entry, recipients) -> {
                    begun.countDown();
                    try {
                        may.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    return Map.of(FAR, new Outcome.Delivered("there"));
                });
        house.send(envelope(ALICE, FAR), TEXT);
        house.worker.start();
        begun.await();
        CompletableFuture<Void> stopped = CompletableFuture.runAsync(() -> stop(GRACE));
        house.send(envelope(FAR, BOB), TEXT);
        may.countDown();
        stopped.get(GRACE.toSeconds(), TimeUnit.SECONDS);
        assertFalse(house.queue.entries().anyMatch(e -> e.envelope().addresses().contains(FAR)));
    }

    @Test
    void stopInterruptsWhatTakesTooLongAndItWaitsInTheQueue() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        house.couriers.add(
                "remote",
                0,
                (entry, recipients) -> {
                    begun.countDown();
                    try {
                        new CountDownLatch(1).await();
                        return Map.of();
                    } catch (InterruptedException e) {
                        throw new java.io.InterruptedIOException("told to stop");
                    }
                });
        house.send(envelope(ALICE, FAR), TEXT);
        house.worker.start();
        begun.await();
        stop(Duration.ofMillis(1));
        assertEquals(1, house.only().attempts());
    }

    @Test
    void stopOfAWorkerThatWaitsIsQuick() throws Exception {
        house.worker.start();
        long start = System.nanoTime();
        house.worker.stop(GRACE);
        assertTrue(System.nanoTime() - start < Duration.ofSeconds(4).toNanos());
    }

    @Test
    void courierGoesWhenItsErrandIsOver() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch may = new CountDownLatch(1);
        Couriers.Post post =
                house.couriers.add(
                        "remote",
                        0,
                        (entry, recipients) -> {
                            begun.countDown();
                            try {
                                may.await();
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                            return Map.of(FAR, new Outcome.Delivered("there"));
                        });
        house.send(envelope(ALICE, FAR), TEXT);
        house.worker.start();
        begun.await();
        CompletableFuture<Void> gone =
                CompletableFuture.runAsync(() -> house.couriers.remove(post));
        assertFalse(gone.isDone());
        may.countDown();
        gone.get(GRACE.toSeconds(), TimeUnit.SECONDS);
        house.worker.stop(GRACE);
        assertEquals(0, house.waiting());
    }

    @Test
    void newCourierGetsWhatHadNone() throws Exception {
        house.send(envelope(ALICE, FAR), TEXT);
        house.work();
        assertEquals(1, house.waiting());
        CountDownLatch carried = new CountDownLatch(1);
        house.couriers.add(
                "remote",
                0,
                (entry, recipients) -> {
                    carried.countDown();
                    return Map.of(FAR, new Outcome.Delivered("there"));
                });
        house.worker.courierCame();
        house.worker.start();
        assertTrue(carried.await(20, TimeUnit.SECONDS));
        house.worker.stop(GRACE);
        assertEquals(0, house.waiting());
    }

    private void stop(Duration grace) {
        try {
            house.worker.stop(grace);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
