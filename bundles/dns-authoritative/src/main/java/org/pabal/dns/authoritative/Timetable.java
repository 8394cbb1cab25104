package org.pabal.dns.authoritative;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Predicate;

/// Things that have to be done again and again, each at its own time, and no more than a number of
/// them at once.
///
/// Makes its thread when there is the first thing to do. A test leaves it out and calls [#tend].
final class Timetable<K> implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Timetable.class);

    /// What is done for one of the things.
    interface Task<K> {

        /// @return how long until the next time
        Duration run(K what);
    }

    /// However often somebody says that there is something to do.
    private static final Duration SOONEST = Duration.ofSeconds(1);

    private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);

    private final String name;
    private final InstantSource clock;
    private final Executor executor;
    private final int parallel;
    private final Task<K> task;

    // Guarded by this object.
    private final Map<K, Entry> entries = new HashMap<>();
    private int running;
    private boolean started;
    private boolean closed;

    private static final class Entry {
        Instant due;
        Instant last = Instant.MIN;
        boolean busy;
        boolean again;

        Entry(Instant due) {
            this.due = due;
        }
    }

    /// @param name of its thread
    /// @param executor runs tasks, at most `parallel` at once
    Timetable(String name, InstantSource clock, Executor executor, int parallel, Task<K> task) {
        this.name = name;
        this.clock = clock;
        this.executor = executor;
        this.parallel = parallel;
        this.task = task;
    }

    /// What there is to do from now on. What is new is due at once; what was there before stays as
    /// it is.
    synchronized void tasks(Set<K> all) {
        entries.keySet().retainAll(all);
        all.forEach(each -> entries.computeIfAbsent(each, key -> new Entry(clock.instant())));
        notifyAll();
    }

    /// Makes things due, but not more than once a second.
    synchronized void hurry(Predicate<K> which) {
        Instant now = clock.instant();
        entries.forEach(
                (key, entry) -> {
                    if (which.test(key)) {
                        entry.again = true;
                        Instant soon = soonest(entry, now);
                        if (soon.isBefore(entry.due)) {
                            entry.due = soon;
                        }
                    }
                });
        notifyAll();
    }

    private static Instant soonest(Entry entry, Instant now) {
        return entry.last.equals(Instant.MIN) || entry.last.plus(SOONEST).isBefore(now)
                ? now
                : entry.last.plus(SOONEST);
    }

    /// Makes it work by itself, if there is anything to do.
    synchronized void start() {
        if (!started && !closed && !entries.isEmpty()) {
            started = true;
            Thread.ofVirtual().name(name).start(this::work);
        }
    }

    private void work() {
        while (true) {
            tend();
            synchronized (this) {
                if (closed) {
                    return;
                }
                try {
                    long millis = pause().toMillis();
                    if (millis > 0) {
                        wait(millis);
                    }
                } catch (InterruptedException e) {
                    return; // nobody does that but the end of the machine
                }
            }
        }
    }

    /// How long nothing can be started, if nobody calls.
    private Duration pause() {
        if (running == parallel) {
            return LONGEST_WAIT;
        }
        Instant now = clock.instant();
        Duration pause = LONGEST_WAIT;
        for (Entry entry : entries.values()) {
            if (!entry.busy && entry.due.isBefore(now.plus(pause))) {
                pause = Duration.between(now, entry.due).plusMillis(1);
            }
        }
        return pause.isNegative() ? Duration.ZERO : pause;
    }

    /// Starts what is due.
    void tend() {
        for (List<K> due = due(); !due.isEmpty(); due = due()) {
            due.forEach(key -> executor.execute(() -> run(key)));
        }
    }

    private synchronized List<K> due() {
        Instant now = clock.instant();
        List<K> due = new ArrayList<>();
        entries.forEach(
                (key, entry) -> {
                    if (!closed && !entry.busy && !entry.due.isAfter(now) && running < parallel) {
                        entry.busy = true;
                        entry.again = false;
                        entry.last = now;
                        running++;
                        due.add(key);
                    }
                });
        return due;
    }

    private void run(K key) {
        Duration next = LONGEST_WAIT;
        try {
            next = task.run(key);
        } catch (RuntimeException e) {
            LOG.error("{}: {}: {}; please report it", name, key, e, e);
        } finally {
            done(key, next);
        }
    }

    private synchronized void done(K key, Duration next) {
        running--;
        Entry entry = entries.get(key);
        if (entry != null && entry.busy) {
            entry.busy = false;
            Instant now = clock.instant();
            entry.due = entry.again ? soonest(entry, now) : now.plus(next);
        }
        notifyAll();
    }

    /// Starts nothing more, and returns when what was started is done.
    @Override
    public synchronized void close() {
        closed = true;
        notifyAll();
        boolean interrupted = false;
        while (running > 0) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
