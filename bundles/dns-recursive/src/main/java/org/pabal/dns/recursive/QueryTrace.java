package org.pabal.dns.recursive;

import org.pabal.dns.server.Networks;
import org.slf4j.Logger;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// Writes the steps of chosen clients' queries to the log, those of one query under one tag. Some
/// queries a minute and no more, so that such a client does not fill the disk.
final class QueryTrace {

    private static final int QUERIES = 60;
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final Networks clients;
    private final Logger log;
    private final AtomicInteger tags = new AtomicInteger();
    private final AtomicLong minuteStart = new AtomicLong(System.nanoTime());
    private final AtomicInteger traced = new AtomicInteger();

    QueryTrace(Networks clients, Logger log) {
        this.clients = clients;
        this.log = log;
    }

    /// Whether a client is one of the chosen.
    boolean follows(ByteBuffer address) {
        return clients.contain(address);
    }

    /// What hears of the steps of one query.
    Request.Trace of(ByteBuffer address, InetAddress client, Question question) {
        if (!follows(address) || !another()) {
            return Request.Trace.NONE;
        }
        String tag = "q%04X".formatted(tags.incrementAndGet() & 0xFFFF);
        log.info("resolver {}: {} asks {}", tag, client.getHostAddress(), question);
        return step ->
                log.info(
                        "resolver {}: {} of {} is asked {}: {}{} ({} ms)",
                        tag,
                        step.whom(),
                        step.zone(),
                        step.question(),
                        step.what(),
                        step.detail().isEmpty() ? "" : ", " + step.detail(),
                        step.took().toMillis());
    }

    private boolean another() {
        long now = System.nanoTime();
        long start = minuteStart.get();
        if (now - start > MINUTE && minuteStart.compareAndSet(start, now)) {
            traced.set(0);
        }
        return traced.incrementAndGet() <= QUERIES;
    }
}
