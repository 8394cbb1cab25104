package org.pabal.dns.authoritative;

import org.pabal.dnssec.SignatureMaker;
import org.xbill.DNS.RRSIGRecord;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Makes signatures on as many threads as there are processors; a few of them at once, on the
/// thread that asks.
final class ParallelSigning implements SignatureMaker, AutoCloseable {

    private static final int FEW = 16;
    private static final int TOGETHER = 64;

    private volatile boolean closed;

    private final ExecutorService threads =
            Executors.newFixedThreadPool(
                    Runtime.getRuntime().availableProcessors(),
                    Thread.ofPlatform().daemon().name("dns-signing-", 0).factory());

    @Override
    public List<RRSIGRecord> make(List<Wanted> wanted) {
        if (wanted.size() <= FEW) {
            return HERE.make(wanted);
        }
        List<Callable<List<RRSIGRecord>>> parts = new ArrayList<>();
        for (int from = 0; from < wanted.size(); from += TOGETHER) {
            List<Wanted> part = wanted.subList(from, Math.min(wanted.size(), from + TOGETHER));
            parts.add(
                    () -> {
                        if (closed) {
                            throw new IllegalStateException("the bundle stops");
                        }
                        return HERE.make(part);
                    });
        }
        List<RRSIGRecord> made = new ArrayList<>(wanted.size());
        try {
            for (Future<List<RRSIGRecord>> part : threads.invokeAll(parts)) {
                made.addAll(part.get());
            }
            return made;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("signing was interrupted", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
        }
    }

    /// Ends what is being signed, with an exception for whoever waits for it.
    void stop() {
        closed = true;
    }

    @Override
    public void close() {
        closed = true;
        threads.close();
    }
}
