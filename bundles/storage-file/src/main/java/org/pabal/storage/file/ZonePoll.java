package org.pabal.storage.file;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Looks for changed zone files every second, on a thread of its own, and writes those whose
/// zones have been changed by others.
///
/// A look at a hundred thousand files takes a while; the pause is fifty times as long, so that
/// looking costs at most a fiftieth of one processor.
final class ZonePoll implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ZonePoll.class);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final int PAUSES_TO_LOOKS = 50;

    private final FileZoneStore store;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;

    ZonePoll(FileZoneStore store) {
        this.store = store;
        this.thread = Thread.ofPlatform().daemon().name("zone-poll").start(this::run);
    }

    @Override
    public void close() {
        closed.countDown();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        long pause = PAUSE.toNanos();
        String trouble = "";
        try {
            while (!closed.await(pause, TimeUnit.NANOSECONDS)) {
                long begun = System.nanoTime();
                long looked = begun;
                try {
                    store.scan();
                    looked = System.nanoTime();
                    store.writeOut();
                    trouble = "";
                } catch (IOException | RuntimeException e) {
                    if (!trouble.equals(e.toString())) {
                        LOG.error("zones cannot be looked at; those in memory stay", e);
                    }
                    trouble = e.toString();
                }
                pause = Math.max(PAUSE.toNanos(), PAUSES_TO_LOOKS * (looked - begun));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
