package org.pabal.pop3;

import org.pabal.directory.Account;
import org.pabal.directory.Directory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Carries out `EXPIRE n` (RFC 2449 §6.7): once a day it goes over all accounts and removes from
/// their INBOX what came in more than n days ago. What we announce is a promise in both directions:
/// not before, and not never.
final class Expiry implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Expiry.class);
    private static final Duration BETWEEN_SWEEPS = Duration.ofDays(1);

    private final Directory directory;
    private final Maildrops maildrops;
    private final Duration age;
    private final InstantSource clock;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Thread sweeper =
            Thread.ofVirtual().name("pop3-expiry").unstarted(this::sweepDaily);

    /// @param age how old a message may become, more than zero
    Expiry(Directory directory, Maildrops maildrops, Duration age, InstantSource clock) {
        this.directory = directory;
        this.maildrops = maildrops;
        this.age = age;
        this.clock = clock;
    }

    void start() {
        sweeper.start();
    }

    /// One walk over all accounts. An account that cannot be swept is left for tomorrow.
    ///
    /// @return how many messages went
    int sweep() throws IOException {
        Instant before = clock.instant().minus(age);
        List<Account> accounts;
        try (var all = directory.accounts()) {
            accounts = all.toList();
        }
        int removed = 0;
        for (Account account : accounts) {
            if (stopped.getCount() == 0) {
                break;
            }
            try {
                int gone = maildrops.expire(account.address(), before);
                removed += gone;
                if (gone > 0) {
                    LOG.info(
                            "{}: {} messages older than {} days removed (expire)",
                            account,
                            gone,
                            age.toDays());
                }
            } catch (IOException | RuntimeException e) {
                LOG.warn(
                        "{}: old messages could not be removed, next try in a day: {}",
                        account,
                        e.toString());
            }
        }
        return removed;
    }

    private void sweepDaily() {
        do {
            try {
                sweep();
            } catch (IOException | RuntimeException e) {
                LOG.warn(
                        "accounts could not be read, old messages stay until the next sweep in a"
                                + " day",
                        e);
            }
        } while (!stoppedWithin(BETWEEN_SWEEPS));
    }

    private boolean stoppedWithin(Duration time) {
        try {
            return stopped.await(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            return true;
        }
    }

    boolean running() {
        return sweeper.isAlive();
    }

    /// Waits until a sweep that is going on has done the account at hand.
    @Override
    public void close() {
        stopped.countDown();
        try {
            sweeper.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
