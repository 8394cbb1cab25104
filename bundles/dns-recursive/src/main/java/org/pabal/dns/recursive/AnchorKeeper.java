package org.pabal.dns.recursive;

import org.pabal.dnssec.TrustPoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Has the trust anchors follow their zones (RFC 5011): looks at their keys now and then, and
/// remembers in a file what it saw.
///
/// One virtual thread, from construction to [#close()].
final class AnchorKeeper implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AnchorKeeper.class);

    /// The longest sleep: the clock that says when a look is due may be set.
    private static final Duration LONGEST_SLEEP = Duration.ofHours(1);

    private final TrustAnchors anchors;
    private final Path file;
    private final Recursor recursor;
    private final InstantSource clock;
    private final Map<Name, TrustPoint> points = new HashMap<>();
    private final Map<Name, Instant> due = new HashMap<>();
    private final Semaphore wake = new Semaphore(0);
    private final Thread thread;
    private volatile boolean closed;

    /// @param anchors those that are named by the administrator; they are changed from now on
    /// @param settings where the file is
    /// @param recursor finds the keys
    /// @throws IOException when the file is there and cannot be read
    AnchorKeeper(
            TrustAnchors anchors,
            ValidationSettings settings,
            Recursor recursor,
            InstantSource clock)
            throws IOException {
        this.anchors = anchors;
        this.file = settings.state();
        this.recursor = recursor;
        this.clock = clock;
        load();
        this.thread = Thread.ofVirtual().name("trust anchors").unstarted(this::run);
    }

    /// Begins to look.
    AnchorKeeper start() {
        thread.start();
        return this;
    }

    /// Anchors that the file knows go on from there; others begin.
    private void load() throws IOException {
        Instant now = clock.instant();
        Map<Name, TrustPoint> known = new HashMap<>();
        if (Files.exists(file)) {
            TrustPoint.parse(Files.readString(file))
                    .forEach(point -> known.put(point.zone(), point));
        }
        for (Name zone : anchors.zones()) {
            TrustPoint point =
                    known.containsKey(zone)
                            ? known.get(zone).and(anchors.of(zone), now)
                            : TrustPoint.of(zone, anchors.of(zone), now);
            points.put(zone, point);
            due.put(zone, now);
        }
        points.forEach((zone, point) -> anchors.replace(zone, point.believed()));
    }

    /// Looks at the keys of every zone whose time has come.
    ///
    /// @return when the next one is due
    synchronized Instant look() {
        boolean changed = false;
        for (Name zone : points.keySet()) {
            Instant now = clock.instant();
            if (!due.get(zone).isAfter(now)) {
                changed |= look(zone, now);
            }
        }
        if (changed) {
            try {
                save();
            } catch (IOException e) {
                LOG.error(
                        "{}: cannot be written ({}); changes of trust anchors are lost when the"
                                + " node stops",
                        file,
                        e.getMessage());
            }
        }
        return due.values().stream()
                .min(Instant::compareTo)
                .orElse(clock.instant().plus(LONGEST_SLEEP));
    }

    private boolean look(Name zone, Instant now) {
        // neither what is remembered nor what somebody thinks of it: the keys speak for themselves
        Request request = Request.of(new Request.Wish(true, true), Request.Trace.NONE);
        Finding finding = recursor.answer(new Question(zone, Type.DNSKEY), request).last();
        if (finding.kind() != Finding.Kind.RECORDS) {
            due.put(zone, now.plus(TrustPoint.retry()));
            return false;
        }
        RRset shown = finding.set();
        TrustPoint before = points.get(zone);
        TrustPoint.Update update = before.update(shown, now, TrustChain.effort(request));
        due.put(zone, now.plus(update.pause()));
        if (!update.trusted()) {
            LOG.warn(
                    "trust anchor {}: its keys are signed by none that is believed; next look at"
                            + " {}",
                    zone,
                    due.get(zone));
        }
        update.news().forEach(LOG::info);
        if (update.next().equals(before)) {
            return false;
        }
        points.put(zone, update.next());
        if (!update.next().believed().equals(before.believed())) {
            anchors.replace(zone, update.next().believed());
        }
        return true;
    }

    /// Written beside, synced and renamed: there is always one whole file.
    private void save() throws IOException {
        StringBuilder text =
                new StringBuilder("; Trust anchors as they were last seen (RFC 5011).\n");
        points.values().stream().map(TrustPoint::text).sorted().forEach(text::append);
        Files.createDirectories(file.getParent());
        Path next = file.resolveSibling(file.getFileName() + ".new");
        // not by a channel, which is closed when its thread is interrupted
        try (FileOutputStream out = new FileOutputStream(next.toFile())) {
            out.write(text.toString().getBytes(StandardCharsets.UTF_8));
            out.getFD().sync();
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void run() {
        while (!closed) {
            Duration sleep;
            try {
                sleep = Duration.between(clock.instant(), look());
            } catch (RuntimeException e) {
                LOG.error("trust anchors: looking at them failed, next look in an hour", e);
                sleep = LONGEST_SLEEP;
            }
            long millis = Math.clamp(sleep.toMillis(), 1_000, LONGEST_SLEEP.toMillis());
            try {
                if (wake.tryAcquire(millis, TimeUnit.MILLISECONDS)) {
                    wake.drainPermits();
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /// Has it look now at what is due.
    void wake() {
        wake.release();
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
