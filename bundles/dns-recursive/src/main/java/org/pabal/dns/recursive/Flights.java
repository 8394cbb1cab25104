package org.pabal.dns.recursive;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/// Questions that are being looked up: each on a thread of its own, because it may outlive the
/// client that asked first, and each once, however many ask (security row D2).
final class Flights implements AutoCloseable {

    /// What makes two requests the same.
    record Key(Question question, Request.Wish wish) {}

    /// A look-up that is under way.
    static final class Flight {

        private final CompletableFuture<Answer> answer = new CompletableFuture<>();

        /// Its answer; empty when it takes longer than that.
        Optional<Answer> await(Duration patience) {
            try {
                return Optional.of(answer.get(patience.toNanos(), TimeUnit.NANOSECONDS));
            } catch (TimeoutException e) {
                return Optional.empty();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return Optional.empty();
            } catch (ExecutionException e) {
                throw new IllegalStateException("a look-up ends with an answer", e);
            }
        }
    }

    /// For that long what is under way may end by itself when this is closed. Clients have been
    /// waited for before; somebody who mends a setting waits for it to be taken.
    private static final Duration LANDING = Duration.ofSeconds(2);

    private final Map<Key, Flight> underWay = new ConcurrentHashMap<>();
    private final Semaphore free;
    private final ExecutorService threads =
            Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("dns-walk-", 0).factory());
    private volatile boolean closed;

    Flights(int most) {
        free = new Semaphore(most);
    }

    /// Joins the look-up of the same thing, or starts one.
    ///
    /// @param refused the answer when there are too many already, or this is closed
    /// @param unused called when the look-up is not started, because there is one or too many
    Flight board(Key key, Supplier<Answer> lookUp, Answer refused, Runnable unused) {
        Flight own = new Flight();
        Flight other = underWay.putIfAbsent(key, own);
        if (other != null) {
            unused.run();
            return other;
        }
        if (!start(own, lookUp, refused, () -> underWay.remove(key, own))) {
            unused.run();
        }
        return own;
    }

    /// Starts one that nobody joins: for who wants to see every step.
    Flight alone(Supplier<Answer> lookUp, Answer refused) {
        Flight own = new Flight();
        start(own, lookUp, refused, () -> {});
        return own;
    }

    private boolean start(Flight flight, Supplier<Answer> lookUp, Answer refused, Runnable landed) {
        if (closed || !free.tryAcquire()) {
            landed.run();
            flight.answer.complete(refused);
            return false;
        }
        try {
            threads.execute(
                    () -> {
                        Answer answer = refused; // when there is an exception
                        try {
                            answer = lookUp.get();
                        } finally {
                            // first it leaves: who comes from now on gets no old answer
                            landed.run();
                            free.release();
                            flight.answer.complete(answer);
                        }
                    });
            return true;
        } catch (RejectedExecutionException e) {
            landed.run(); // closed in between
            flight.answer.complete(refused);
            free.release();
            return false;
        }
    }

    /// Whether what fails now may fail for that.
    boolean closed() {
        return closed;
    }

    /// Waits for what is under way, and ends what would take longer.
    @Override
    public void close() {
        closed = true;
        threads.shutdown();
        try {
            if (!threads.awaitTermination(LANDING.toMillis(), TimeUnit.MILLISECONDS)) {
                threads.shutdownNow();
                threads.awaitTermination(LANDING.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            threads.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
