package org.pabal.transport;

import org.pabal.protocol.StreamProtocol;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// One registered protocol at one listener, and the conversations that it holds there.
final class StreamTenant {

    private static final Logger LOG = LoggerFactory.getLogger(StreamTenant.class);
    private static final Duration LAST_RESORT = Duration.ofSeconds(2);

    private final String listener;
    private final StreamProtocol protocol;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition over = lock.newCondition();
    private final Set<StreamConnection> conversations = new HashSet<>(); // guarded by lock
    private boolean leaving; // guarded by lock

    StreamTenant(String listener, StreamProtocol protocol) {
        this.listener = listener;
        this.protocol = protocol;
    }

    StreamProtocol protocol() {
        return protocol;
    }

    /// Holds the conversation and returns when it is over.
    ///
    /// @return false when this protocol is leaving and another one should have the connection: it
    ///     has not looked at it, or has left it to its successor
    boolean converse(StreamConnection connection) throws IOException {
        lock.lock();
        try {
            if (leaving) {
                return false;
            }
            conversations.add(connection);
        } finally {
            lock.unlock();
        }
        try {
            protocol.converse(connection);
            connection.output().flush(); // its last words belong to the grace
            return !connection.isLeft();
        } finally {
            lock.lock();
            try {
                conversations.remove(connection);
                over.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /// Takes no more conversations and asks the running ones to end. Returns at once.
    void beginLeaving() {
        lock.lock();
        try {
            leaving = true;
            // Here, and not later: then it may be the successor who holds the conversation.
            conversations.forEach(StreamConnection::drain);
        } finally {
            lock.unlock();
        }
    }

    /// Returns when no thread is in the protocol's code any more: house rule 1. First the
    /// conversations have the grace to say goodbye, then their connections are broken, then their
    /// threads interrupted.
    void leave(Duration grace) {
        beginLeaving();
        if (ended(grace)) {
            return;
        }
        each(StreamConnection::abort);
        if (ended(LAST_RESORT)) {
            return;
        }
        each(StreamConnection::interrupt);
        if (!ended(LAST_RESORT)) {
            LOG.error(
                    "listener {}: conversations of {} do not end, not even when interrupted; they"
                            + " go on without the bundle that they came from",
                    listener,
                    protocol.getClass().getName());
        }
    }

    private interface Step {
        void take(StreamConnection connection) throws IOException;
    }

    private void each(Step step) {
        List<StreamConnection> running;
        lock.lock();
        try {
            running = List.copyOf(conversations);
        } finally {
            lock.unlock();
        }
        for (StreamConnection connection : running) {
            try {
                if (!connection.isOwn()) {
                    step.take(connection);
                }
            } catch (IOException e) {
                LOG.debug("listener {}: closing {}: {}", listener, connection.peer(), e.toString());
            }
        }
    }

    /// Waits until nobody converses, but for the calling thread, should it itself be in a
    /// conversation.
    private boolean ended(Duration limit) {
        long left = limit.toNanos();
        boolean interrupted = false;
        lock.lock();
        try {
            while (conversations.stream().anyMatch(c -> !c.isOwn())) {
                if (left <= 0) {
                    return false;
                }
                try {
                    left = over.awaitNanos(left);
                } catch (InterruptedException e) {
                    interrupted = true;
                    left -= TimeUnit.MILLISECONDS.toNanos(1);
                }
            }
            return true;
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
