package org.pabal.dns.recursive;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Lets all who ask one server the same at one time share one exchange.
///
/// Not to save packets: each packet of the same question would be one more chance for who guesses
/// ids, the birthday attack (security row D2).
final class SharedExchanges {

    /// What is the same.
    record Key(
            InetSocketAddress server, Optional<String> tls, Question question, boolean recursive) {}

    private final ConcurrentHashMap<Key, FutureTask<Reply>> running = new ConcurrentHashMap<>();

    /// The reply of an exchange: of one that is running, or of this one, which runs on the thread
    /// of the first who asks. Who asks later waits no longer than he has time himself.
    Reply reply(Key key, Quota quota, Callable<Reply> exchange) throws IOException {
        while (true) {
            FutureTask<Reply> mine = new FutureTask<>(exchange);
            Optional<FutureTask<Reply>> other = Optional.ofNullable(running.putIfAbsent(key, mine));
            if (other.isEmpty()) {
                try {
                    mine.run();
                } finally {
                    running.remove(key, mine);
                }
                return result(mine, quota);
            }
            try {
                return result(other.get(), quota);
            } catch (QuotaSpent e) {
                // Theirs; ours may have something left.
                if (quota.over()) {
                    throw new QuotaSpent(quota);
                }
                running.remove(key, other.get());
            }
        }
    }

    int size() {
        return running.size();
    }

    private static Reply result(FutureTask<Reply> task, Quota quota) throws IOException {
        try {
            return task.get(quota.left().toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new QuotaSpent(quota);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException trouble -> throw trouble;
                case RuntimeException bug -> throw bug;
                default -> throw new IllegalStateException(e.getCause());
            }
        }
    }
}
