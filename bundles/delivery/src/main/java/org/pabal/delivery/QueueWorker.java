package org.pabal.delivery;

import org.pabal.mail.MailQueue;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;

/// Carries what is in the queue to where it belongs.
///
/// ```
///   queue ── lease ──▶ where does each recipient's mail go?     AliasExpansion, asking the Directory
///     ▲                      │
///     │                 mailboxes here                          LocalCourier            at the desk
///     │ ------------------------------------------------------------------------------------------
///     │                 other hosts, when their lane has room   UnderWay, Couriers          on the way
///     │                      │
///     └── settle ◀── what became of it? ── a report, if due     Reports, into the same queue
/// ```
///
/// One thread leases and gives each message a virtual thread of its own. Few are at the desk at
/// once, where there is work for processor and disk; many may be on the way, where there is nothing
/// to do but wait, so that ten thousand messages for hosts that do not answer keep nobody else
/// waiting.
final class QueueWorker {

    private static final Logger log = LoggerFactory.getLogger(QueueWorker.class);

    /// How stale the idea of what is due may become while nothing is committed.
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    /// The same while mail comes back that found no room where mail moves.
    private static final Duration SHORT_PATIENCE = Duration.ofMillis(100);

    /// After a queue that could not be leased from.
    private static final Duration RECOVERY = Duration.ofSeconds(5);

    /// How long a courier may take to come back once it is interrupted.
    private static final Duration COMING_BACK = Duration.ofSeconds(5);

    private final MailQueue queue;
    private final InstantSource clock;
    private final Carrier carrier;
    private final int workers;
    private final Semaphore desk;
    private final UnderWay underWay;
    private final Thread leasing = Thread.ofVirtual().name("delivery").unstarted(this::lease);
    private volatile boolean stopping;
    private volatile boolean courierCame;

    /// @param random spreads what is tried again
    /// @param workers how many messages may be at the desk at once
    /// @param mostUnderWay how many may be on the way to other hosts at once
    QueueWorker(
            MailQueue queue,
            AliasExpansion aliases,
            Couriers couriers,
            Reports reports,
            RetrySchedule schedule,
            InstantSource clock,
            RandomGenerator random,
            int workers,
            int mostUnderWay) {
        this.queue = queue;
        this.clock = clock;
        this.workers = workers;
        this.desk = new Semaphore(workers);
        this.underWay = new UnderWay(mostUnderWay, clock);
        this.carrier =
                new Carrier(
                        queue, aliases, couriers, reports, schedule, clock, random, this.underWay);
    }

    void start() {
        leasing.start();
    }

    /// Leases no more, lets what is under way finish, and returns when no thread is left; what
    /// takes longer than the grace is interrupted and stays in the queue.
    void stop(Duration grace) throws InterruptedException {
        stopping = true;
        leasing.interrupt();
        leasing.join();
        if (over(Duration.ZERO)) {
            return;
        }
        log.info(
                "delivery: stops when the {} messages that are under way are done, within {} s",
                carrier.away().size(),
                grace.toSeconds());
        if (!over(grace)) {
            log.warn(
                    "delivery: {} messages are not done after {} s: they are called back and wait"
                            + " in the queue",
                    carrier.away().size(),
                    grace.toSeconds());
            carrier.recall();
            if (!over(COMING_BACK)) {
                List<QueueId> lost = List.copyOf(carrier.away());
                log.error(
                        "delivery: stopped while couriers would not come back with {} messages: {}",
                        lost.size(),
                        lost.stream().limit(20).toList());
            }
        }
    }

    /// Mail that had nobody to carry it is tried again soon.
    void courierCame() {
        courierCame = true;
    }

    /// One try of a message that is leased, from here to its settlement.
    void carry(QueueEntry entry) {
        carrier.carry(entry, () -> {});
    }

    /// True when nothing is at the desk or on the way any more, within the patience. Nothing comes
    /// to the desk by now, and nothing goes on the way but from there.
    private boolean over(Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        if (!desk.tryAcquire(workers, patience.toMillis(), TimeUnit.MILLISECONDS)) {
            return false;
        }
        desk.release(workers);
        return underWay.awaitEmpty(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
    }

    private void lease() {
        try {
            while (!stopping) {
                desk.acquire();
                boolean given = false;
                try {
                    retryWhatHadNoCourier();
                    Duration patience = underWay.crowded() ? SHORT_PATIENCE : PATIENCE;
                    Optional<QueueEntry> entry = queue.lease(clock.instant(), patience);
                    if (entry.isPresent()) {
                        given = true;
                        give(entry.get());
                    }
                } catch (InterruptedIOException e) {
                    return;
                } catch (IOException | RuntimeException e) {
                    log.error(
                            "queue: cannot lease: {}; tried again in {} s",
                            e.toString(),
                            RECOVERY.toSeconds(),
                            e);
                    Thread.sleep(RECOVERY);
                } finally {
                    if (!given) {
                        desk.release();
                    }
                }
            }
        } catch (InterruptedException e) {
            log.debug("delivery: told to stop");
        }
    }

    private void give(QueueEntry entry) {
        Thread.ofVirtual()
                .name("delivery of q" + entry.id())
                .start(
                        () -> {
                            AtomicBoolean atDesk = new AtomicBoolean(true);
                            Runnable leaveDesk =
                                    () -> {
                                        if (atDesk.compareAndSet(true, false)) {
                                            desk.release();
                                        }
                                    };
                            try {
                                carrier.carry(entry, leaveDesk);
                            } finally {
                                leaveDesk.run();
                            }
                        });
    }

    private void retryWhatHadNoCourier() throws IOException {
        if (courierCame) {
            courierCame = false;
            List<QueueId> waiting;
            try (var entries = queue.entries()) {
                waiting = entries.filter(QueueWorker::hadNoCourier).map(QueueEntry::id).toList();
            }
            for (QueueId id : waiting) {
                queue.retry(id);
            }
        }
    }

    private static boolean hadNoCourier(QueueEntry entry) {
        return entry.reasons().values().stream()
                .anyMatch(why -> why.text().contains(Carrier.NO_REMOTE_COURIER));
    }
}
