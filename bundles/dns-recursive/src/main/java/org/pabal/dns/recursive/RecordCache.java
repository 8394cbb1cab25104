package org.pabal.dns.recursive;

import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// Findings and delegations in memory, as octets that answers can be copied from: see [Entry].
///
/// What is known of a name stands in up to four places: under the type, under CNAME when the name
/// is an alias, under [Entry#EVERY_TYPE] when it does not exist, and under the type plus
/// [Entry#FAILED] when that did not work out. A name whose parent provably does not exist does not
/// exist either (RFC 8020); that is believed of signed answers only, because there are name servers
/// that deny a name with names below it, and nobody signs with those (Unbound has the same rule).
///
/// Names are hashed with a number drawn at the start, so that nobody can choose names that stand in
/// each other's way.
final class RecordCache implements Cache {

    /// What is found when nothing is: over since long ago, about no name and no type.
    static final Entry NONE = Entry.none();

    /// RFC 8767 §5: what is stale has a TTL of 30 s.
    static final int STALE_TTL = 30;

    /// RFC 9520 §3.2: failures are cached for 1 s at least and 5 minutes at most; §2.2 and Unbound
    /// begin at 5 s.
    static final int LEAST_FAILURE = 5;

    static final int MOST_FAILURE = 300;

    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int MOST_SEGMENTS = 64;
    private static final int LEAST_SEGMENT = 1_000_000;

    private final CacheSettings settings;
    private final InstantSource clock;
    private final CacheSegment[] segments;
    private final long minTtl;
    private final long maxTtl;
    private final long maxNegativeTtl;
    private final long staleLimit;
    private final long seed;
    private final long factor;
    private final Predicate<Entry> useful;
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();

    /// What a cache holds and does.
    ///
    /// @param entries findings and delegations, also what is over and not yet gone
    /// @param octets of memory that they take
    /// @param limit octets of memory that they may take
    /// @param hits questions that were answered
    /// @param misses questions that were not
    /// @param evictions entries that went to make room
    record Counts(long entries, long octets, long limit, long hits, long misses, long evictions) {}

    RecordCache(CacheSettings settings, InstantSource clock) {
        this.settings = settings;
        this.clock = clock;
        minTtl = settings.minTtl().toSeconds();
        maxTtl = settings.maxTtl().toSeconds();
        maxNegativeTtl = settings.maxNegativeTtl().toSeconds();
        staleLimit = settings.staleLimit().toSeconds();
        int count = 1;
        while (count < MOST_SEGMENTS && settings.octets() / (2 * count) >= LEAST_SEGMENT) {
            count *= 2;
        }
        segments = new CacheSegment[count];
        Arrays.setAll(segments, i -> new CacheSegment(settings.octets() / segments.length));
        SecureRandom random = new SecureRandom();
        seed = random.nextLong();
        factor = random.nextLong() | 1;
        useful = entry -> useful(entry, now());
    }

    @Override
    public Optional<Finding> find(Question question) {
        return find(question, Name.root);
    }

    @Override
    public Optional<Finding> find(Question question, Name top) {
        byte[] name = question.name().toWireCanonical();
        long now = now();
        long hash = hash(name, 0, name.length);
        Entry entry = entry(name, 0, name.length, question.type(), hash, now, top.length());
        if (!entry.live(now)) {
            misses.increment();
            return Optional.empty();
        }
        return Optional.of(entry.finding(question, entry.left(now), false));
    }

    @Override
    public Optional<Finding> stale(Question question) {
        byte[] name = question.name().toWireCanonical();
        long now = now();
        long hash = hash(name, 0, name.length);
        // a name above it that does not exist is not stale
        Entry entry = known(name, 0, name.length, question.type(), hash, now, name.length);
        if (entry == NONE || now - entry.stored() - entry.ttl() > staleLimit) {
            return Optional.empty();
        }
        entry.ask();
        return Optional.of(
                entry.live(now)
                        ? entry.finding(question, entry.left(now), false)
                        : entry.finding(question, STALE_TTL, true));
    }

    /// For who answers without making an object: the entry that answers a question, or the one
    /// that did until its TTL was over, or [#NONE]. If it is live, it is marked as asked for.
    ///
    /// An alias is found for all types that it stands for, and a name that does not exist for all
    /// types and, when that is proved, for names below it. A failure is found when nothing better
    /// is known, and what is bogus when all else that is known has not been looked at: it need not
    /// be judged again.
    ///
    /// @param name in lower case
    /// @param hash of the name, from [#hash]
    /// @param now seconds since 1970
    Entry entry(byte[] name, int from, int to, int type, long hash, long now) {
        return entry(name, from, to, type, hash, now, 1);
    }

    /// @param top octets that a name above must have to count
    private Entry entry(byte[] name, int from, int to, int type, long hash, long now, int top) {
        Entry known = known(name, from, to, type, hash, now, top);
        if (!known.live(now) || known.security() == Security.UNCHECKED) {
            Entry failure = at(name, from, to, Entry.FAILED + type, hash);
            if (failure.live(now) && (!known.live(now) || bogus(failure))) {
                known = failure;
            }
        }
        if (!known.live(now)) {
            return known;
        }
        hits.increment();
        known.ask();
        return known;
    }

    /// The same without failures and marks.
    private Entry known(byte[] name, int from, int to, int type, long hash, long now, int top) {
        Entry exact = at(name, from, to, type, hash);
        if (exact.live(now)) {
            return exact;
        }
        Entry alias = besideAlias(type) ? NONE : at(name, from, to, Type.CNAME, hash);
        if (!aliases(alias)) {
            alias = NONE;
        }
        if (alias.live(now)) {
            return alias;
        }
        Entry nothing = at(name, from, to, Entry.EVERY_TYPE, hash);
        if (nothing.live(now)) {
            return nothing;
        }
        for (int label = from + 1 + name[from]; label <= to - top; label += 1 + name[label]) {
            Entry above = at(name, label, to, Entry.EVERY_TYPE, hash(name, label, to));
            if (above.security() == Security.SECURE && above.live(now)) {
                return above;
            }
        }
        return later(exact, later(alias, nothing));
    }

    /// The hash of a name in lower case, for [#entry].
    long hash(byte[] name, int from, int to) {
        long hash = seed ^ to - from;
        int at = from;
        for (; at + Long.BYTES <= to; at += Long.BYTES) {
            hash = mixed(hash ^ (long) LONG.get(name, at));
        }
        long rest = 0;
        for (; at < to; at++) {
            rest = rest << 8 | name[at] & 0xFF;
        }
        return mixed(hash ^ rest);
    }

    @Override
    public void keep(Finding finding) {
        if (finding.stale() || finding.ttl() <= 0) {
            return;
        }
        long now = now();
        long ttl = ttl(finding);
        if (ttl <= 0) {
            return;
        }
        Entry entry = Entry.of(finding, ttl, now);
        if (aliases(entry) && entry.answerCount() == 0) {
            return;
        }
        byte[] name = entry.octets();
        int to = entry.nameLength();
        long hash = hash(name, 0, to);
        if ((entry.keyType() & Entry.FAILED) != 0) {
            Entry known = known(name, 0, to, finding.question().type(), hash, now, 1);
            if (!known.live(now) || known.security() == Security.UNCHECKED && bogus(entry)) {
                put(hash, entry, CacheSegment.ALWAYS);
            }
            return;
        }
        Predicate<Entry> weaker =
                old -> !old.live(now) || old.security().compareTo(entry.security()) <= 0;
        int type = finding.question().type();
        boolean exists = finding.kind() != Finding.Kind.NO_NAME;
        boolean noAlias = !besideAlias(type) && finding.kind() != Finding.Kind.ALIAS;
        Entry alias = at(name, 0, to, Type.CNAME, hash);
        if (noAlias && aliases(alias) && !weaker.test(alias)
                || !weaker.test(at(name, 0, to, type, hash))
                || !weaker.test(at(name, 0, to, Entry.EVERY_TYPE, hash))
                || !put(hash, entry, weaker)) {
            return;
        }
        // What this one contradicts was true before.
        boolean checked = finding.security() != Security.UNCHECKED;
        remove(name, to, Entry.FAILED + type, hash, old -> checked || !bogus(old));
        if (exists) {
            remove(name, to, Entry.EVERY_TYPE, hash, weaker);
        }
        if (noAlias) {
            remove(name, to, Type.CNAME, hash, old -> aliases(old) && weaker.test(old));
        }
        if (entry.keyType() != type) {
            remove(name, to, type, hash, weaker);
        }
    }

    /// For how long a finding is kept: within the limits, and no longer than any of its records.
    private long ttl(Finding finding) {
        if (finding.kind() == Finding.Kind.FAILURE || finding.security() == Security.BOGUS) {
            return Math.clamp(finding.ttl(), LEAST_FAILURE, MOST_FAILURE);
        }
        long ttl = finding.ttl();
        for (RRset set : finding.records()) {
            ttl = Math.min(ttl, leastTtl(set));
        }
        for (RRset set : finding.proof()) {
            ttl = Math.min(ttl, leastTtl(set));
        }
        boolean negative =
                finding.kind() == Finding.Kind.NO_RECORD || finding.kind() == Finding.Kind.NO_NAME;
        return ttl <= 0 ? 0 : Math.min(Math.max(ttl, minTtl), negative ? maxNegativeTtl : maxTtl);
    }

    private static long leastTtl(RRset set) {
        long ttl = set.size() > 0 ? set.getTTL() : Long.MAX_VALUE;
        for (Record signature : set.sigs()) {
            ttl = Math.min(ttl, signature.getTTL());
        }
        return ttl;
    }

    @Override
    public Optional<Delegation> delegation(Name name) {
        byte[] wire = name.toWireCanonical();
        long now = now();
        for (int label = 0; label < wire.length; label += 1 + wire[label]) {
            Entry entry =
                    at(wire, label, wire.length, Entry.DELEGATION, hash(wire, label, wire.length));
            if (entry.live(now)) {
                entry.ask();
                return Optional.of(entry.delegation(now));
            }
        }
        return Optional.empty();
    }

    @Override
    public void keep(Delegation delegation) {
        if (delegation.ttl() <= 0) {
            return;
        }
        long now = now();
        // Never longer than the parent says, whatever the least TTL is (row D5).
        Entry entry = Entry.of(delegation, Math.min(delegation.ttl(), maxTtl), now);
        put(
                hash(entry.octets(), 0, entry.nameLength()),
                entry,
                old -> !old.live(now) || !hosts(old.delegation(now)).equals(hosts(delegation)));
    }

    private static Set<String> hosts(Delegation delegation) {
        Set<String> hosts = new HashSet<>();
        for (Record ns : delegation.ns().rrs(false)) {
            hosts.add(ns.rdataToString().toLowerCase(Locale.ROOT));
        }
        return hosts;
    }

    @Override
    public int flush(Name name) {
        byte[] above = name.toWireCanonical();
        AtomicInteger findings = new AtomicInteger();
        for (CacheSegment segment : segments) {
            segment.removeAll(
                    entry -> {
                        boolean below = atOrBelow(entry, above);
                        if (below && entry.keyType() != Entry.DELEGATION) {
                            findings.incrementAndGet();
                        }
                        return below;
                    });
        }
        return findings.get();
    }

    /// Whether the name of an entry is a name or below it.
    static boolean atOrBelow(Entry entry, byte[] above) {
        byte[] octets = entry.octets();
        int start = entry.nameLength() - above.length;
        int label = 0;
        while (label < start) {
            label += 1 + octets[label];
        }
        return label == start
                && Arrays.equals(octets, start, start + above.length, above, 0, above.length);
    }

    /// Everything that is kept, also what is over; for files and people. What comes and goes
    /// meanwhile may be seen or not.
    void forEach(Consumer<Entry> action) {
        for (CacheSegment segment : segments) {
            segment.forEach(action);
        }
    }

    /// Keeps an entry of an earlier day, if nothing newer is there and it is of use still.
    ///
    /// @return whether it was kept
    boolean restore(Entry entry) {
        long now = now();
        return entry.stored() <= now
                && entry.ttl() <= Math.max(maxTtl, minTtl)
                && useful(entry, now)
                && put(
                        hash(entry.octets(), 0, entry.nameLength()),
                        entry,
                        old -> !old.live(now) && old.stored() < entry.stored());
    }

    /// Whether something may be answered with an entry, now or when its servers do not answer.
    boolean useful(Entry entry, long now) {
        boolean once = (entry.keyType() & Entry.FAILED) != 0 || entry.keyType() == Entry.DELEGATION;
        return entry.left(now) > (once ? 0 : -staleLimit);
    }

    Counts counts() {
        long entries = 0;
        long octets = 0;
        long evictions = 0;
        for (CacheSegment segment : segments) {
            entries += segment.entries();
            octets += segment.octets();
            evictions += segment.evictions();
        }
        return new Counts(entries, octets, settings.octets(), hits.sum(), misses.sum(), evictions);
    }

    /// Seconds since 1970.
    long now() {
        return clock.instant().getEpochSecond();
    }

    private Entry at(byte[] name, int from, int to, int type, long hash) {
        long mixed = withType(hash, type);
        return segment(mixed).find((int) mixed, name, from, to, type);
    }

    private boolean put(long hash, Entry entry, Predicate<Entry> replaces) {
        long mixed = withType(hash, entry.keyType());
        return segment(mixed).put((int) mixed, entry, replaces, useful);
    }

    private void remove(byte[] name, int to, int type, long hash, Predicate<Entry> which) {
        if (at(name, 0, to, type, hash) == NONE) {
            return;
        }
        long mixed = withType(hash, type);
        segment(mixed).remove((int) mixed, name, 0, to, type, which);
    }

    private CacheSegment segment(long hash) {
        return segments[(int) (hash >>> 40) & segments.length - 1];
    }

    private long withType(long hash, int type) {
        return mixed(hash + type);
    }

    /// Multiplies and folds; what comes out tells nothing of the factor to who does not see it.
    private long mixed(long value) {
        return Math.unsignedMultiplyHigh(value, factor) ^ value * factor;
    }

    /// Whether there may be records of a type beside a CNAME (RFC 4035 §2.5), or it asks for the
    /// CNAME.
    private static boolean besideAlias(int type) {
        return type == Type.CNAME || type == Type.RRSIG || type == Type.NSEC || type == Type.ANY;
    }

    private static boolean bogus(Entry entry) {
        return entry.security() == Security.BOGUS;
    }

    /// Whether what is kept under CNAME is one.
    private static boolean aliases(Entry entry) {
        return entry.kind() == Finding.Kind.ALIAS || entry.kind() == Finding.Kind.RECORDS;
    }

    private static Entry later(Entry one, Entry other) {
        return other.stored() > one.stored() ? other : one;
    }
}
