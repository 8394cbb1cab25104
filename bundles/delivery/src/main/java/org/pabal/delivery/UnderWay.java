package org.pabal.delivery;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// How much mail is under way to each domain, so that domains where nothing moves leave room for
/// the others.
///
/// A domain may have a tenth of what is still free, and one message in any case: each dead domain
/// leaves nine tenths of what it found to the next one, however much waits for it. Who is turned
/// away comes back: soon where mail moves, after ten seconds where it does not, and one after the
/// other rather than all at once.
final class UnderWay {

    private static final int PART = 10;

    /// How long a domain counts as moving after something came out of it.
    private static final Duration MOVES = Duration.ofSeconds(10);

    /// The same after the first went in: a host that lives has answered by then.
    private static final Duration DOUBT = Duration.ofSeconds(3);

    private static final Duration SOON = Duration.ofMillis(100);
    private static final Duration SOON_STEP = Duration.ofNanos(250_000);
    private static final Duration LATER = Duration.ofSeconds(10);
    private static final Duration LATER_STEP = Duration.ofMillis(10);
    private static final Duration LATEST = Duration.ofMinutes(5);

    /// What is under way to one domain; guarded by the lock.
    private static final class Share {
        int underWay;
        Instant moved;
        Instant back = Instant.MIN;

        Share(Instant now) {
            this.moved = now.minus(MOVES).plus(DOUBT);
        }

        boolean moves(Instant now) {
            return moved.isAfter(now.minus(MOVES));
        }
    }

    /// One message on its way, until it is closed.
    final class Passage implements AutoCloseable {

        private final Set<String> open = new LinkedHashSet<>();

        private Passage() {}

        /// Lets the message in to those domains that have room, which may be none. Never waits.
        ///
        /// @return when to come again for the others; empty when there are none
        Optional<Instant> enter(Set<String> domains) {
            return domains.isEmpty() ? Optional.empty() : UnderWay.this.enter(domains, open);
        }

        /// The domains to which it may go.
        Set<String> open() {
            return open;
        }

        @Override
        public void close() {
            leave(open);
            open.clear();
        }
    }

    private final int capacity;
    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition empty = lock.newCondition();
    private final Map<String, Share> shares = new HashMap<>();
    private int underWay;
    private Instant crowdedUntil = Instant.MIN;

    /// @param capacity how many messages may be under way, each counted once for each domain
    UnderWay(int capacity, InstantSource clock) {
        this.capacity = capacity;
        this.clock = clock;
    }

    Passage passage() {
        return new Passage();
    }

    /// Whether somebody was turned away who is to come back within moments.
    boolean crowded() {
        lock.lock();
        try {
            return clock.instant().isBefore(crowdedUntil);
        } finally {
            lock.unlock();
        }
    }

    /// True when nothing is under way any more within the patience.
    boolean awaitEmpty(Duration patience) throws InterruptedException {
        long nanos = patience.toNanos();
        lock.lock();
        try {
            while (underWay > 0 && nanos > 0) {
                nanos = empty.awaitNanos(nanos);
            }
            return underWay == 0;
        } finally {
            lock.unlock();
        }
    }

    private Optional<Instant> enter(Set<String> domains, Set<String> open) {
        Instant now = clock.instant();
        Optional<Instant> back = Optional.empty();
        lock.lock();
        try {
            for (String domain : domains) {
                Share share = shares.getOrDefault(domain, new Share(now));
                int free = capacity - underWay;
                int most = Math.max(1, free / PART);
                if (free > 0 && share.underWay < most) {
                    share.underWay++;
                    underWay++;
                    shares.put(domain, share);
                    open.add(domain);
                } else {
                    Instant then = turnedAway(share, now);
                    back = Optional.of(back.filter(then::isAfter).orElse(then));
                }
            }
        } finally {
            lock.unlock();
        }
        return back;
    }

    private Instant turnedAway(Share share, Instant now) {
        boolean moves = share.moves(now);
        Instant soonest = now.plus(moves ? SOON : LATER);
        Instant latest = now.plus(LATEST);
        if (!share.back.equals(Instant.MIN)) {
            Instant after = share.back.plus(moves ? SOON_STEP : LATER_STEP);
            soonest = after.isAfter(soonest) ? after : soonest;
        }
        share.back = soonest.isBefore(latest) ? soonest : latest;
        if (moves && share.back.isAfter(crowdedUntil)) {
            crowdedUntil = share.back;
        }
        return share.back;
    }

    private void leave(Set<String> domains) {
        Instant now = clock.instant();
        lock.lock();
        try {
            for (String domain : domains) {
                Share share = shares.get(domain);
                underWay--;
                if (--share.underWay == 0) {
                    shares.remove(domain);
                } else {
                    if (!share.moves(now)) {
                        share.back = Instant.MIN;
                    }
                    share.moved = now;
                }
            }
            if (underWay == 0) {
                empty.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }
}
