package org.pabal.transport;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The protocols of one name that are registered now, best first, and where work waits while there
/// is none.
final class Roster<T> {

    private record Entry<T>(Comparable<?> rank, T tenant) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Entry<T>> entries = new ArrayList<>(); // guarded by lock
    private volatile Optional<T> best = Optional.empty();
    private volatile boolean closed;

    /// @param rank greater is better; an OSGi service reference is one
    <R extends Comparable<? super R>> void add(R rank, T tenant) {
        change(() -> entries.add(new Entry<>(rank, tenant)));
    }

    void remove(T tenant) {
        change(() -> entries.removeIf(e -> e.tenant() == tenant));
    }

    /// Sorts anew, after a rank has changed.
    void sort() {
        change(() -> {});
    }

    List<T> all() {
        lock.lock();
        try {
            return entries.stream().map(Entry::tenant).toList();
        } finally {
            lock.unlock();
        }
    }

    Optional<T> best() {
        return best;
    }

    /// The best one, waiting for the first to come; empty when none came in time or the roster was
    /// closed.
    Optional<T> await(long nanos) throws InterruptedException {
        Optional<T> now = best;
        if (now.isPresent()) {
            return now;
        }
        lock.lockInterruptibly();
        try {
            long left = nanos;
            while (best.isEmpty() && !closed && left > 0) {
                left = changed.awaitNanos(left);
            }
            return closed ? Optional.empty() : best;
        } finally {
            lock.unlock();
        }
    }

    /// Lets nobody wait any longer.
    void close() {
        change(() -> closed = true);
    }

    private void change(Runnable edit) {
        lock.lock();
        try {
            edit.run();
            entries.sort(Comparator.comparing(Entry::rank, Roster::compare));
            best = entries.isEmpty() ? Optional.empty() : Optional.of(entries.getLast().tenant());
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @SuppressWarnings("unchecked") // add() lets in only ranks that compare with each other
    private static int compare(Comparable<?> one, Comparable<?> other) {
        return ((Comparable<Object>) one).compareTo(other);
    }

    /// For a wait without end.
    static final long FOREVER = TimeUnit.DAYS.toNanos(10_000);
}
