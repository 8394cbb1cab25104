package org.pabal.dns.authoritative;

import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneFreshness;
import org.pabal.dns.ZoneStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.SOARecord;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;

/// The zones that come from other servers, and when each is asked for: refresh, retry and expire of
/// its SOA (RFC 1035 §3.3.13), and NOTIFY.
///
/// All zones wait in one queue by the time at which they are due, and a few are worked on at a
/// time: thousands of zones of a primary that is gone cannot keep the others from theirs, because a
/// primary that could not be reached is left alone for a minute.
final class Secondaries implements Transferred {

    private static final Logger LOG = LoggerFactory.getLogger(Secondaries.class);

    static final int MAX_AT_ONCE = 10;

    /// How long a server that could not be reached is not asked again.
    static final Duration LEFT_ALONE = Duration.ofSeconds(60);

    /// NOTIFYs that come faster than this are one.
    static final Duration NOTIFY_PAUSE = Duration.ofSeconds(1);

    /// After a start the zones that we have are asked for within this time.
    private static final Duration FIRST_REFRESH = Duration.ofSeconds(30);

    private static final Duration LONGEST_FIRST_RETRY = Duration.ofHours(1);

    private static final ZoneSources NOTHING = ZoneSettings.NONE.sources();

    /// One of the zones. Its fields are guarded by the lock of all, except where said.
    private static final class Secondary {
        final Name origin;

        /// Held by whoever works on it; taken before the lock of all.
        final ReentrantLock work = new ReentrantLock();

        volatile ZoneSources sources;

        /// Not ours any more; guarded by nothing, set once.
        volatile boolean gone;

        Instant due;
        Instant expires = Instant.MAX;
        Instant begun = Instant.MIN;
        boolean running;
        boolean again;
        boolean reset;
        boolean leaving;
        int failures;
        String primary = "";
        String trouble = "";

        Secondary(Name origin, ZoneSources sources, Instant due) {
            this.origin = origin;
            this.sources = sources;
            this.due = due;
        }
    }

    private final ZoneStore store;
    private final ZoneFreshness freshness;
    private final PrimaryTransfers transfers;
    private final InstantSource clock;
    private final LongUnaryOperator chance;
    private final Executor workers;
    private final Consumer<Set<Name>> unavailable;

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Name, Secondary> zones = new TreeMap<>();
    private final TreeSet<Secondary> waiting =
            new TreeSet<>(
                    Comparator.comparing((Secondary each) -> each.due)
                            .thenComparing(each -> each.origin));
    private final TreeSet<Secondary> expiring =
            new TreeSet<>(
                    Comparator.comparing((Secondary each) -> each.expires)
                            .thenComparing(each -> each.origin));
    private final Set<Name> notServed = new HashSet<>();
    private boolean untold;
    private int running;

    private final Map<InetSocketAddress, Instant> leftAlone = new ConcurrentHashMap<>();

    /// @param chance a number from 0 to less than its argument
    /// @param workers where transfers run
    /// @param unavailable hears of the zones that are not to be served, all of them each time:
    ///     those that have expired and those that never came
    Secondaries(
            ZoneStore store,
            ZoneFreshness freshness,
            PrimaryTransfers transfers,
            InstantSource clock,
            LongUnaryOperator chance,
            Executor workers,
            Consumer<Set<Name>> unavailable) {
        this.store = store;
        this.freshness = freshness;
        this.transfers = transfers;
        this.clock = clock;
        this.chance = chance;
        this.workers = workers;
        this.unavailable = unavailable;
    }

    /// Takes over which zones there are.
    void configure(Map<Name, ZoneSources> wanted) {
        lock.lock();
        try {
            List<Secondary> before = new ArrayList<>(zones.values());
            for (Secondary each : before) {
                if (!wanted.containsKey(each.origin) && !each.leaving) {
                    remove(each);
                }
            }
            wanted.forEach(this::want);
            expire(clock.instant());
            tellUnavailable();
        } finally {
            lock.unlock();
        }
    }

    private void want(Name origin, ZoneSources sources) {
        Secondary known = zones.get(origin);
        if (known == null) {
            zones.put(origin, begin(origin, sources));
            return;
        }
        boolean changed = !known.sources.equals(sources);
        known.sources = sources;
        if (known.leaving) {
            known.leaving = false; // it has a reset before it, and then is asked for again
            changed = true;
        }
        if (changed) {
            known.failures = 0;
            soon(known, clock.instant());
        }
    }

    private Secondary begin(Name origin, ZoneSources sources) {
        Instant now = clock.instant();
        Secondary zone = new Secondary(origin, sources, now);
        Optional<Zone> data = store.find(origin);
        if (data.isPresent()) {
            zone.due =
                    now.plusMillis(
                            chance.applyAsLong(
                                    Math.min(FIRST_REFRESH.toMillis(), refresh(zone).toMillis())));
            Optional<Instant> confirmed = freshness.confirmed(origin);
            if (confirmed.isEmpty()) {
                // A file that the administrator put there: it counts from now.
                confirm(zone, now);
            }
            setExpiry(zone, confirmed.orElse(now));
        } else {
            notServed.add(origin);
            untold = true;
        }
        waiting.add(zone);
        return zone;
    }

    private void remove(Secondary zone) {
        zone.gone = true;
        waiting.remove(zone);
        expiring.remove(zone);
        untold |= notServed.remove(zone.origin);
        zones.remove(zone.origin);
    }

    /// Takes the records of a zone away, and then the zone, unless it is wanted again: a catalog
    /// lists it no more, or lists it as another.
    void reset(Name origin) {
        lock.lock();
        try {
            Secondary zone =
                    zones.computeIfAbsent(
                            origin, name -> new Secondary(name, NOTHING, clock.instant()));
            zone.reset = true;
            zone.leaving = true;
            soon(zone, clock.instant());
        } finally {
            lock.unlock();
        }
    }

    /// A primary says that there is a new version.
    ///
    /// @param serial what it says the new one is; a hint (RFC 1996 §3.7)
    void notified(Name origin, InetSocketAddress from, Optional<Long> serial) {
        Optional<Zone> ours = store.find(origin);
        lock.lock();
        try {
            Secondary zone = zones.get(origin);
            if (zone == null
                    || ours.isPresent()
                            && !notServed.contains(origin)
                            && serial.filter(s -> !Serial.follows(s, ours.get().serial()))
                                    .isPresent()) {
                return;
            }
            zone.sources.primaries().stream()
                    .map(RemoteServer::address)
                    .filter(address -> address.getAddress().equals(from.getAddress()))
                    .forEach(leftAlone::remove);
            Instant earliest =
                    zone.begun.equals(Instant.MIN) ? zone.begun : zone.begun.plus(NOTIFY_PAUSE);
            Instant now = clock.instant();
            soon(zone, earliest.isAfter(now) ? earliest : now);
        } finally {
            lock.unlock();
        }
        look();
    }

    /// Begins what is due, and tells what is served again or no more.
    void look() {
        start();
        lock.lock();
        try {
            expire(clock.instant());
            tellUnavailable();
        } finally {
            lock.unlock();
        }
    }

    private void start() {
        while (true) {
            Secondary next;
            lock.lock();
            try {
                if (running >= MAX_AT_ONCE
                        || waiting.isEmpty()
                        || waiting.first().due.isAfter(clock.instant())) {
                    return;
                }
                next = waiting.pollFirst();
                next.running = true;
                running++;
            } finally {
                lock.unlock();
            }
            Secondary zone = next;
            workers.execute(() -> run(zone));
        }
    }

    private void expire(Instant now) {
        while (!expiring.isEmpty() && !expiring.first().expires.isAfter(now)) {
            Secondary zone = expiring.pollFirst();
            notServed.add(zone.origin);
            untold = true;
            LOG.error(
                    "zone {}: expired: no primary has confirmed it since {}; it is answered with"
                            + " SERVFAIL until one does: {}",
                    zone.origin,
                    freshness.confirmed(zone.origin).map(Instant::toString).orElse("the start"),
                    zone.trouble.isEmpty() ? "none was asked yet" : zone.trouble);
        }
    }

    private void run(Secondary zone) {
        try {
            zone.work.lock();
            try {
                work(zone, false);
            } catch (IOException | RuntimeException e) {
                failed(zone, String.valueOf(e.getMessage() == null ? e : e.getMessage()));
            } finally {
                zone.work.unlock();
            }
        } finally {
            done(zone);
        }
    }

    private void done(Secondary zone) {
        lock.lock();
        try {
            running--;
            zone.running = false;
            if (!zone.gone) {
                if (zone.again) {
                    zone.due = clock.instant().plus(NOTIFY_PAUSE);
                }
                waiting.add(zone);
            }
            zone.again = false;
        } finally {
            lock.unlock();
        }
        start();
    }

    @Override
    public String refresh(Name origin) throws IOException {
        Secondary zone;
        lock.lock();
        try {
            zone = zones.get(origin);
        } finally {
            lock.unlock();
        }
        if (zone == null) {
            return Transferred.NONE.refresh(origin);
        }
        zone.work.lock();
        try {
            return work(zone, true);
        } catch (IOException e) {
            failed(zone, e.getMessage());
            throw e;
        } finally {
            zone.work.unlock();
            look();
        }
    }

    /// Asks the primaries in turn. The caller holds the zone's own lock.
    ///
    /// @param all also those that are left alone
    private String work(Secondary zone, boolean all) throws IOException {
        Name origin = zone.origin;
        zone.begun = clock.instant();
        if (zone.reset) {
            withdraw(zone);
        }
        if (zone.gone) {
            return "zone " + origin + ": withdrawn";
        }
        List<String> troubles = new ArrayList<>();
        Optional<String> older = Optional.empty();
        for (RemoteServer primary : zone.sources.primaries()) {
            String name = text(primary);
            Instant until = leftAlone.getOrDefault(primary.address(), Instant.MIN);
            if (!all && until.isAfter(clock.instant())) {
                troubles.add(name + ": could not be reached a moment ago");
                continue;
            }
            try {
                boolean first = store.find(origin).isEmpty();
                Refresh refresh =
                        transfers.refresh(origin, zone.sources, primary, () -> begin(zone, first));
                leftAlone.remove(primary.address());
                switch (refresh) {
                    case Refresh.Older(long serial) ->
                            older =
                                    Optional.of(
                                            name
                                                    + " has serial "
                                                    + serial
                                                    + ", which is older than ours; ours stays,"
                                                    + " allow-serial-rollback = yes would take it");
                    case Refresh.Current() -> {
                        confirmed(zone, name, "");
                        return "zone " + origin + ": is current, says " + name;
                    }
                    case Refresh.Newer(Zone next, String how) -> {
                        confirmed(zone, name, "");
                        LOG.info(
                                "zone {}: serial {} from {} by {}",
                                origin,
                                next.serial(),
                                name,
                                how);
                        return "zone " + origin + " serial " + next.serial() + " from " + name;
                    }
                }
            } catch (TransferFault e) {
                troubles.add(name + ": " + e.getMessage());
            } catch (IOException e) {
                leftAlone.put(primary.address(), clock.instant().plus(LEFT_ALONE));
                troubles.add(name + ": " + (e.getMessage() == null ? e : e.getMessage()));
            }
        }
        if (older.isPresent()) {
            // BIND does the same: there was an answer, so that the zone does not expire.
            confirmed(zone, older.get().split(" ", 2)[0], older.get());
            return "zone " + origin + ": " + older.get();
        }
        throw new IOException(String.join("; ", troubles));
    }

    /// Asked right before the first version is published: from then on it is known that the zone
    /// came from elsewhere.
    private boolean begin(Secondary zone, boolean first) {
        if (!zone.gone && !zone.reset && first) {
            confirm(zone, clock.instant());
        }
        return !zone.gone && !zone.reset;
    }

    private void withdraw(Secondary zone) throws IOException {
        try {
            store.withdraw(zone.origin);
        } catch (NoSuchFileException e) {
            // It had never come.
        }
        freshness.forget(zone.origin);
        lock.lock();
        try {
            zone.reset = false;
            if (zone.leaving) {
                remove(zone);
            } else {
                expiring.remove(zone);
                untold |= notServed.add(zone.origin);
            }
        } finally {
            lock.unlock();
        }
    }

    private void confirmed(Secondary zone, String primary, String warning) {
        Instant now = clock.instant();
        confirm(zone, now);
        lock.lock();
        try {
            if (zone.gone) {
                return;
            }
            zone.failures = 0;
            zone.primary = primary;
            if (!warning.isEmpty() && !zone.trouble.equals(warning)) {
                LOG.warn("zone {}: {}", zone.origin, warning);
            } else if (warning.isEmpty() && !zone.trouble.isEmpty()) {
                LOG.info("zone {}: is confirmed by {} again", zone.origin, primary);
            }
            zone.trouble = warning;
            Duration refresh = refresh(zone);
            setDue(zone, now.plus(refresh.minusMillis(early(refresh))));
            setExpiry(zone, now);
            untold |= notServed.remove(zone.origin);
        } finally {
            lock.unlock();
        }
    }

    private void failed(Secondary zone, String trouble) {
        lock.lock();
        try {
            if (zone.gone || Thread.currentThread().isInterrupted()) {
                return; // withdrawn, or we are being closed
            }
            Duration retry = retry(zone);
            zone.failures++;
            setDue(zone, clock.instant().plus(retry.minusMillis(early(retry))));
            // Once for each change of state, not each time.
            if (zone.trouble.isEmpty()) {
                LOG.warn(
                        "zone {}: no primary could help: {}; tried again in {} s, zone:refresh {}"
                                + " tries at once",
                        zone.origin,
                        trouble,
                        retry.toSeconds(),
                        zone.origin);
            }
            zone.trouble = trouble;
        } finally {
            lock.unlock();
        }
    }

    private void confirm(Secondary zone, Instant now) {
        try {
            freshness.confirm(zone.origin, now);
        } catch (IOException e) {
            LOG.error(
                    "zone {}: that it is current could not be kept ({}); after a restart it may"
                            + " expire early",
                    zone.origin,
                    e.toString());
        }
    }

    /// Up to a tenth earlier than asked for, so that zones that came together do not stay together.
    private long early(Duration time) {
        return chance.applyAsLong(Math.max(1, time.toMillis() / 10));
    }

    private Duration refresh(Secondary zone) {
        return clamped(zone, soa(zone).map(SOARecord::getRefresh).orElse(0L));
    }

    /// A zone that we do not have yet has no timers: twice as long each time.
    private Duration retry(Secondary zone) {
        Duration first = zone.sources.minRefresh().multipliedBy(1L << Math.min(zone.failures, 10));
        return soa(zone)
                .map(soa -> clamped(zone, soa.getRetry()))
                .orElse(first.compareTo(LONGEST_FIRST_RETRY) < 0 ? first : LONGEST_FIRST_RETRY);
    }

    private static Duration clamped(Secondary zone, long seconds) {
        return Duration.ofSeconds(
                Math.clamp(
                        seconds,
                        zone.sources.minRefresh().toSeconds(),
                        zone.sources.maxRefresh().toSeconds()));
    }

    private Optional<SOARecord> soa(Secondary zone) {
        return store.find(zone.origin).map(ZoneChange::soa);
    }

    private void setDue(Secondary zone, Instant due) {
        boolean waits = waiting.remove(zone);
        zone.due = due;
        if (waits || !zone.running && !zone.gone) {
            waiting.add(zone);
        }
    }

    /// Once more, and not more than once (RFC 1996 §4.4), when it is being worked on.
    private void soon(Secondary zone, Instant due) {
        if (zone.running) {
            zone.again = true;
        } else {
            setDue(zone, due);
        }
    }

    /// The store has lost a zone; if it is one of these, it is fetched again.
    void withdrawn(Name origin) {
        lock.lock();
        try {
            Secondary zone = zones.get(origin);
            if (zone != null && !zone.leaving) {
                expiring.remove(zone);
                untold |= notServed.add(origin);
                soon(zone, clock.instant());
            }
        } finally {
            lock.unlock();
        }
    }

    /// The zone's own time, and no less than it takes to try twice (BIND does so too).
    private void setExpiry(Secondary zone, Instant confirmed) {
        expiring.remove(zone);
        long expire = soa(zone).map(SOARecord::getExpire).orElse(0L);
        Duration least = refresh(zone).plus(retry(zone));
        zone.expires = confirmed.plusSeconds(Math.max(expire, least.toSeconds()));
        expiring.add(zone);
    }

    /// Not with each zone: when thousands come for the first time, the view of all zones is made
    /// anew a few times a second and not for each.
    private void tellUnavailable() {
        if (untold) {
            untold = false;
            unavailable.accept(Set.copyOf(notServed));
        }
    }

    /// The servers from which a zone comes; none when it is made here.
    List<RemoteServer> primaries(Name origin) {
        lock.lock();
        try {
            return Optional.ofNullable(zones.get(origin))
                    .map(zone -> zone.sources.primaries())
                    .orElse(List.of());
        } finally {
            lock.unlock();
        }
    }

    /// When something is due next.
    Optional<Instant> next() {
        lock.lock();
        try {
            return waiting.isEmpty() ? Optional.empty() : Optional.of(waiting.first().due);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<Name> origins() {
        lock.lock();
        try {
            return List.copyOf(zones.keySet());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Optional<String> source(Name origin) {
        lock.lock();
        try {
            return Optional.ofNullable(zones.get(origin)).map(this::text);
        } finally {
            lock.unlock();
        }
    }

    private String text(Secondary zone) {
        String from =
                zone.primary.isEmpty()
                        ? zone.sources.primaries().stream()
                                .map(Secondaries::text)
                                .reduce((one, next) -> one + " or " + next)
                                .orElse("nowhere")
                        : zone.primary;
        String confirmed =
                freshness
                        .confirmed(zone.origin)
                        .map(when -> ", confirmed " + when.truncatedTo(ChronoUnit.SECONDS))
                        .orElse(", not transferred yet");
        String expired =
                notServed.contains(zone.origin) && store.find(zone.origin).isPresent()
                        ? ", expired"
                        : "";
        return "from "
                + from
                + confirmed
                + expired
                + (zone.trouble.isEmpty() ? "" : "; " + zone.trouble);
    }

    private static String text(RemoteServer server) {
        return server.address().getAddress().getHostAddress() + "@" + server.address().getPort();
    }
}
