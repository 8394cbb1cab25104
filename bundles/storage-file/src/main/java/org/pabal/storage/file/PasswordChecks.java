package org.pabal.storage.file;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Where passwords are checked: few at once, since each takes all of a processor and much memory.
///
/// They have threads of their own. On the virtual thread of a conversation a check would keep the
/// carrier, and a handful of sign-ins would stop every other conversation of the node.
final class PasswordChecks implements AutoCloseable {

    private static final int MOST_WAITING = 1_000;

    private final ThreadPoolExecutor threads;

    PasswordChecks(int atOnce) {
        threads =
                new ThreadPoolExecutor(
                        atOnce,
                        atOnce,
                        10,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(MOST_WAITING),
                        Thread.ofPlatform().daemon().name("password-check-", 1).factory());
        threads.allowCoreThreadTimeOut(true);
    }

    /// Waits for its turn and for the check.
    ///
    /// @throws IOException when too many wait already, or the store is closed
    boolean run(Callable<Boolean> check) throws IOException {
        Future<Boolean> result;
        try {
            result = threads.submit(check);
        } catch (RejectedExecutionException e) {
            throw new IOException(
                    "sign-in: "
                            + (threads.isShutdown() ? "the accounts are closed" : "too many wait"),
                    e);
        }
        try {
            return result.get();
        } catch (CancellationException e) {
            throw new IOException("sign-in: the accounts are closed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("sign-in: interrupted", e);
        } catch (ExecutionException e) {
            throw new IOException("sign-in: the check broke off", e.getCause());
        } finally {
            result.cancel(false);
        }
    }

    @Override
    public void close() {
        threads.shutdown();
        threads.getQueue().forEach(waiting -> ((Future<?>) waiting).cancel(false));
        try {
            threads.awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
