package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneKey;
import org.pabal.dns.ZoneKeyStore;
import org.pabal.dns.ZoneStore;
import org.pabal.dnssec.KeyRollover;
import org.pabal.dnssec.SetName;
import org.pabal.dnssec.SigningKeys;
import org.pabal.dnssec.ZoneSigning;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/// Keeps zones signed: makes their keys and rolls them, signs what has never been signed, and makes
/// signatures anew before they expire.
///
/// One thread waits for the next moment of any zone, and a few do what is to be done then: a zone
/// that takes long holds up no other.
final class SigningKeeper implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SigningKeeper.class);

    /// Signatures that go into one version: an update that comes meanwhile waits no longer.
    private static final int TOGETHER = 1000;

    /// Versions that are made before it is another zone's turn.
    private static final int VERSIONS_A_TURN = 20;

    private static final int AT_ONCE = 3;
    private static final Duration PARENT = Duration.ofHours(1);
    private static final Duration AFTER_TROUBLE = Duration.ofMinutes(5);
    private static final Duration LONGEST_SLEEP = Duration.ofMinutes(1);
    private static final long DS_TTL = 3600;

    private final ZoneStore store;
    private final ZoneKeyStore keys;
    private final ZoneEditor editor;
    private final ZoneSigner signer;
    private final DsAtParent parents;
    private final InstantSource clock;

    /// Whoever changes the keys of a zone holds its lock.
    private final Map<Name, ReentrantLock> turns = new ConcurrentHashMap<>();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition news = lock.newCondition();

    // These are guarded by the lock.
    private final Map<Name, Instant> next = new HashMap<>();
    private final Set<Name> busy = new HashSet<>();
    private boolean all = true;
    private boolean closed;

    private final ExecutorService workers =
            Executors.newFixedThreadPool(AT_ONCE, Thread.ofVirtual().factory());

    SigningKeeper(
            ZoneStore store,
            ZoneKeyStore keys,
            ZoneEditor editor,
            ZoneSigner signer,
            DsAtParent parents,
            InstantSource clock) {
        this.store = store;
        this.keys = keys;
        this.editor = editor;
        this.signer = signer;
        this.parents = parents;
        this.clock = clock;
    }

    void start() {
        Thread.ofVirtual().name("dns-signing-keeper").start(this::keep);
    }

    /// Settings have changed: looks at all zones.
    void wake() {
        lock.lock();
        try {
            all = true;
            news.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Looks at one zone.
    void wake(Name origin) {
        lock.lock();
        try {
            next.put(origin, Instant.MIN);
            news.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            news.signalAll();
        } finally {
            lock.unlock();
        }
        // What has begun ends soon: its version is on the disk, or is not made.
        workers.close();
    }

    private void keep() {
        lock.lock();
        try {
            while (!closed) {
                if (all) {
                    all = false;
                    try (Stream<Zone> zones = store.zones()) {
                        zones.forEach(zone -> next.put(zone.origin(), Instant.MIN));
                    }
                }
                Instant now = clock.instant();
                for (Name origin : List.copyOf(next.keySet())) {
                    if (!next.get(origin).isAfter(now) && busy.add(origin)) {
                        next.remove(origin);
                        workers.execute(() -> work(origin));
                    }
                }
                Duration sleep =
                        next.entrySet().stream()
                                .filter(each -> !busy.contains(each.getKey()))
                                .map(each -> Duration.between(now, each.getValue()))
                                .min(Comparator.naturalOrder())
                                .filter(each -> each.compareTo(LONGEST_SLEEP) < 0)
                                .orElse(LONGEST_SLEEP);
                if (!all) {
                    news.await(Math.max(1, sleep.toMillis()), TimeUnit.MILLISECONDS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    private boolean stopped() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    private void work(Name origin) {
        Optional<Instant> again = Optional.empty();
        try {
            again = maintain(origin, Optional.empty());
        } catch (IOException | RuntimeException e) {
            if (stopped()) {
                return;
            }
            LOG.error(
                    "zone {}: cannot be kept signed ({}); tried again in {} minutes",
                    origin,
                    e.toString(),
                    AFTER_TROUBLE.toMinutes());
            again = Optional.of(clock.instant().plus(AFTER_TROUBLE));
        } finally {
            lock.lock();
            try {
                busy.remove(origin);
                again.ifPresent(at -> next.merge(origin, at, (a, b) -> a.isBefore(b) ? a : b));
                news.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /// Does what is to be done for a zone at this moment.
    ///
    /// @param seen what the parent has, when an administrator says so
    /// @return when there is something to do again
    Optional<Instant> maintain(Name origin, Optional<List<DSRecord>> seen) throws IOException {
        ReentrantLock turn = turns.computeIfAbsent(origin, name -> new ReentrantLock());
        turn.lock();
        try {
            return maintainInTurn(origin, seen);
        } finally {
            turn.unlock();
        }
    }

    private Optional<Instant> maintainInTurn(Name origin, Optional<List<DSRecord>> seen)
            throws IOException {
        Optional<Zone> zone = store.find(origin);
        List<ZoneKey> known = signer.keys(origin);
        boolean sign = signer.settings(origin).sign().orElse(!known.isEmpty());
        if (zone.isEmpty() || !sign && known.isEmpty()) {
            return Optional.empty();
        }
        KeyRollover rollover = signer.rollover(origin);
        KeyRollover.Plan plan =
                rollover.plan(
                        known,
                        seen.isPresent() ? seen : atParent(origin, known),
                        signer.ends(origin),
                        clock.instant());
        if (plan.unsign()) {
            unsign(origin, plan.removed());
            return Optional.empty();
        }
        keep(origin, known, plan.keys());
        signer.leave(origin, plan.removed());
        if (known.isEmpty()) {
            LOG.info("zone {}: is signed from now on, with {}", origin, plan.keys());
            signer.prepare(zone.get());
        }
        Zone whole =
                editor.editWhole(
                        origin,
                        current -> signer.signing(current).whole(current, Optional.of(current)));
        keep(origin, plan.keys(), KeyRollover.published(plan.keys(), clock.instant()));
        for (ZoneKey gone : plan.removed()) {
            LOG.info("zone {}: {} has left", origin, gone);
            keys.remove(gone);
        }
        signer.leave(origin, List.of());
        return refresh(origin, rollover, whole);
    }

    private Optional<Instant> refresh(Name origin, KeyRollover rollover, Zone whole)
            throws IOException {
        Zone current = whole;
        ZoneSigning.Due due = signer.signing(current).due(current);
        signer.longestTtl(origin, due.longestTtl());
        List<SetName> sets = due.sets();
        int from = 0;
        for (int turn = 0; turn < VERSIONS_A_TURN && from < sets.size(); turn++) {
            List<SetName> some = sets.subList(from, Math.min(sets.size(), from + TOGETHER));
            current =
                    editor.editWhole(
                            origin, now -> Optional.of(signer.signing(now).refreshed(now, some)));
            from += some.size();
        }
        if (from > 0) {
            LOG.info(
                    "zone {}: {} of {} signatures made anew, serial {}",
                    origin,
                    from,
                    sets.size(),
                    current.serial());
            due = signer.signing(current).due(current);
        }
        Instant now = clock.instant();
        List<ZoneKey> before = signer.keys(origin);
        List<ZoneKey> after = rollover.replaced(before, due.tags(), signer.longestTtl(origin), now);
        keep(origin, before, after);
        delegate(origin);
        if (!due.sets().isEmpty()) {
            return Optional.of(now);
        }
        Optional<Instant> parent =
                waitsForParent(origin, after) ? Optional.of(now.plus(PARENT)) : Optional.empty();
        return Stream.of(
                        rollover.next(after, signer.longestTtl(origin), signer.ends(origin), now),
                        due.next(),
                        parent)
                .flatMap(Optional::stream)
                .min(Comparator.naturalOrder());
    }

    /// Makes a successor of a key, which takes over as soon as everybody has it.
    ///
    /// @throws IllegalArgumentException when it cannot be rolled now; one line for an administrator
    ZoneKey roll(Name origin, boolean signsKeys) throws IOException {
        ReentrantLock turn = turns.computeIfAbsent(origin, name -> new ReentrantLock());
        turn.lock();
        try {
            return rollInTurn(origin, signsKeys);
        } finally {
            turn.unlock();
        }
    }

    private ZoneKey rollInTurn(Name origin, boolean signsKeys) throws IOException {
        List<ZoneKey> known = signer.keys(origin);
        if (known.isEmpty()) {
            throw notSigned(origin);
        }
        Optional<ZoneKey> underWay =
                known.stream()
                        .filter(key -> key.signsKeys() == signsKeys && key.removal().isEmpty())
                        .skip(1)
                        .findFirst();
        if (underWay.isPresent()) {
            throw new IllegalArgumentException(
                    underWay.get() + " is being rolled already; zone:keys " + origin + " tells");
        }
        ZoneKey next = signer.rollover(origin).make(known, signsKeys, clock.instant());
        keys.keep(next);
        LOG.info("zone {}: {} was made, asked for by hand", origin, next);
        wake(origin);
        return next;
    }

    /// What an administrator saw at the parent: the DS of the newest key that may be there, or
    /// none.
    void seen(Name origin, boolean none) throws IOException {
        List<ZoneKey> known = signer.keys(origin);
        if (known.isEmpty()) {
            throw notSigned(origin);
        }
        if (none && !signer.ends(origin)) {
            throw new IllegalArgumentException(
                    "zone "
                            + origin
                            + ": that its parent has no DS counts when signing ends: sign = no");
        }
        maintain(origin, Optional.of(none ? List.of() : submitted(origin)));
        wake(origin);
    }

    /// The DS records that the parent should have now, or may have later when that is none.
    List<DSRecord> submitted(Name origin) {
        List<ZoneKey> all = signer.keys(origin);
        List<ZoneKey> now = roles(origin).atParent();
        return (now.isEmpty() ? all.stream().filter(ZoneKey::signsKeys).toList() : now)
                .stream()
                        .map(
                                key ->
                                        new DSRecord(
                                                origin,
                                                DClass.IN,
                                                DS_TTL,
                                                DNSSEC.Digest.SHA256,
                                                key.dnskey()))
                        .toList();
    }

    /// A key and what it does.
    record KeyState(ZoneKey key, KeyRollover.State state) {}

    List<KeyState> states(Name origin) {
        List<ZoneKey> all = signer.keys(origin);
        return all.stream()
                .map(
                        key ->
                                new KeyState(
                                        key,
                                        signer.rollover(origin)
                                                .state(
                                                        key,
                                                        all,
                                                        signer.longestTtl(origin),
                                                        signer.ends(origin),
                                                        clock.instant())))
                .toList();
    }

    private SigningKeys roles(Name origin) {
        return signer.rollover(origin)
                .roles(
                        signer.keys(origin),
                        signer.longestTtl(origin),
                        signer.ends(origin),
                        clock.instant());
    }

    private Optional<List<DSRecord>> atParent(Name origin, List<ZoneKey> known) {
        return waitsForParent(origin, known) ? parents.look(origin) : Optional.empty();
    }

    private boolean waitsForParent(Name origin, List<ZoneKey> known) {
        return known.stream()
                .anyMatch(
                        key ->
                                key.signsKeys()
                                        && key.published().isPresent()
                                        && (key.seen().isEmpty() || signer.ends(origin)));
    }

    /// Puts what CDS asks for into a parent of ours, when that is set.
    private void delegate(Name origin) throws IOException {
        Optional<Zone> parent = parents.parent(origin);
        SigningKeys roles = roles(origin);
        if (parent.isEmpty()
                || !signer.settings(origin).dsInParent()
                || roles.atParent().isEmpty() && !roles.leaving()) {
            return;
        }
        List<Record> wanted = roles.leaving() ? List.of() : List.copyOf(submitted(origin));
        List<Record> there =
                parent.get().records(origin, Type.DS).map(set -> set.rrs(false)).orElse(List.of());
        if (there.size() != wanted.size() || !there.containsAll(wanted)) {
            editor.edit(
                    parent.get().origin(),
                    current -> {
                        ZoneEdit edit = new ZoneEdit(current);
                        edit.remove(origin, Type.DS);
                        wanted.forEach(edit::add);
                        return edit.change();
                    });
            LOG.info("zone {}: DS {} in zone {}", origin, wanted, parent.get().origin());
            wake(origin);
        }
    }

    private void unsign(Name origin, List<ZoneKey> gone) throws IOException {
        signer.leave(origin, gone);
        signer.forget(origin);
        try {
            editor.editWhole(origin, current -> Optional.of(ZoneSigning.unsigned(current)));
            for (ZoneKey key : gone) {
                keys.remove(key);
            }
            LOG.info("zone {}: is signed no more", origin);
        } finally {
            signer.leave(origin, List.of());
        }
    }

    private void keep(Name origin, List<ZoneKey> before, List<ZoneKey> after) throws IOException {
        for (ZoneKey key : after) {
            if (!before.contains(key)) {
                LOG.info("zone {}: {} {}", origin, key, what(key));
                keys.keep(key);
            }
        }
    }

    private static String what(ZoneKey key) {
        List<String> facts = new ArrayList<>();
        key.published().ifPresent(at -> facts.add("published " + at));
        key.active().ifPresent(at -> facts.add("active " + at));
        key.seen().ifPresent(at -> facts.add("at the parent " + at));
        key.inactive().ifPresent(at -> facts.add("inactive " + at));
        key.removal().ifPresent(at -> facts.add("leaves " + at));
        return facts.isEmpty() ? "made" : String.join(", ", facts);
    }

    private static IllegalArgumentException notSigned(Name origin) {
        return new IllegalArgumentException(
                "zone "
                        + origin
                        + ": is not signed here; expected sign = yes in"
                        + " etc/org.pabal.zone~NAME.cfg");
    }
}
