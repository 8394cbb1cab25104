package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.server.SparingLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Tells other servers of new versions of our zones: NOTIFY, RFC 1996.
///
/// One news for each zone and server waits at a time, the newest. It is told until it is answered,
/// five times with growing pauses (RFC 1996 §3.6); then the others find out by their timers.
final class Notifier {

    private static final Logger LOG = LoggerFactory.getLogger(Notifier.class);

    static final int MAX_TRIES = 5;

    /// The first pause; each is three times the one before: 5, 15, 45, 135 s.
    static final Duration FIRST_PAUSE = Duration.ofSeconds(5);

    static final int MAX_WAITING = 100_000;
    private static final int MAX_AT_ONCE = 100;
    private static final Duration PATIENCE = Duration.ofSeconds(3);

    /// Sends a NOTIFY and waits for the answer.
    interface Telling {

        /// @return the rcode of the answer
        /// @throws IOException when there is none
        int tell(RemoteServer server, Optional<TSIG> key, Message notify, ZoneSources settings)
                throws IOException;
    }

    private record About(Name origin, RemoteServer server) {}

    /// Guarded by the lock.
    private static final class News {
        final About about;
        Instant due;
        int tries;
        boolean telling;
        boolean again;

        News(About about, Instant due) {
            this.about = about;
            this.due = due;
        }
    }

    private final Function<Name, Optional<Zone>> zones;
    private final Supplier<Administration> administration;
    private final Predicate<InetAddress> own;
    private final InstantSource clock;
    private final Executor workers;
    private final Telling telling;

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<About, News> all = new HashMap<>();
    private final TreeSet<News> waiting =
            new TreeSet<>(
                    Comparator.comparing((News news) -> news.due)
                            .thenComparing(news -> news.about.origin())
                            .thenComparing(news -> news.about.server().toString()));
    private int running;
    private final SparingLog full = new SparingLog(LOG::warn);

    /// @param zones our zones by their origins
    /// @param own our own addresses
    /// @param workers where NOTIFYs are sent
    Notifier(
            Function<Name, Optional<Zone>> zones,
            Supplier<Administration> administration,
            Predicate<InetAddress> own,
            InstantSource clock,
            Executor workers,
            Telling telling) {
        this.zones = zones;
        this.administration = administration;
        this.own = own;
        this.clock = clock;
        this.workers = workers;
        this.telling = telling;
    }

    /// Asks over the network.
    static int tell(RemoteServer server, Optional<TSIG> key, Message notify, ZoneSources settings)
            throws IOException {
        return new RemoteQuery(server, key, notify)
                .answer(settings.tlsTrust(), PATIENCE)
                .getRcode();
    }

    /// There is a new version.
    ///
    /// @param primaries from where it came; they know
    void changed(Zone zone, List<RemoteServer> primaries) {
        Set<RemoteServer> targets = targets(zone, primaries);
        if (targets.isEmpty()) {
            return;
        }
        lock.lock();
        try {
            Instant now = clock.instant();
            for (RemoteServer target : targets) {
                About about = new About(zone.origin(), target);
                News news = all.get(about);
                if (news == null && all.size() >= MAX_WAITING) {
                    full.say(
                            "zone "
                                    + zone.origin()
                                    + ": "
                                    + target.address()
                                    + " is not told of serial "
                                    + zone.serial()
                                    + ": "
                                    + MAX_WAITING
                                    + " NOTIFYs wait already; it finds out by its refresh timer");
                    return;
                }
                if (news == null) {
                    news = new News(about, now);
                    all.put(about, news);
                    waiting.add(news);
                } else if (news.telling) {
                    news.again = true;
                } else {
                    waiting.remove(news);
                    news.due = now;
                    news.tries = 0;
                    waiting.add(news);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /// Those that the administrator named, and the addresses of the zone's name servers that stand
    /// in our own zones, without the primary that the SOA names and without us (RFC 1996 §2.1).
    private Set<RemoteServer> targets(Zone zone, List<RemoteServer> primaries) {
        ZoneSources settings = administration.get().of(zone.origin()).sources();
        Set<RemoteServer> targets = new LinkedHashSet<>(settings.notified());
        if (!settings.notifyNameServers()) {
            return targets;
        }
        Name primary = ZoneChange.soa(zone).getHost();
        zone.records(zone.origin(), Type.NS).stream()
                .flatMap(set -> set.rrs(false).stream())
                .map(record -> ((NSRecord) record).getTarget())
                .filter(host -> !host.equals(primary))
                .flatMap(this::addresses)
                .filter(address -> !own.test(address))
                .filter(address -> primaries.stream().noneMatch(each -> is(each, address)))
                .filter(address -> targets.stream().noneMatch(each -> is(each, address)))
                .map(
                        address ->
                                new RemoteServer(
                                        new InetSocketAddress(address, 53),
                                        Optional.empty(),
                                        Optional.empty()))
                .toList()
                .forEach(targets::add);
        return targets;
    }

    private static boolean is(RemoteServer server, InetAddress address) {
        return server.address().getAddress().equals(address);
    }

    private Stream<InetAddress> addresses(Name host) {
        for (int labels = 0; labels < host.labels(); labels++) {
            Optional<Zone> zone = zones.apply(labels == 0 ? host : new Name(host, labels));
            if (zone.isPresent()) {
                return Stream.of(Type.A, Type.AAAA)
                        .map(type -> zone.get().records(host, type))
                        .flatMap(Optional::stream)
                        .map(RRset::rrs)
                        .flatMap(List::stream)
                        .map(
                                record ->
                                        record instanceof ARecord a
                                                ? a.getAddress()
                                                : ((AAAARecord) record).getAddress());
            }
        }
        return Stream.empty();
    }

    /// Tells what is due.
    void look() {
        while (true) {
            News next;
            lock.lock();
            try {
                if (running >= MAX_AT_ONCE
                        || waiting.isEmpty()
                        || waiting.first().due.isAfter(clock.instant())) {
                    return;
                }
                next = waiting.pollFirst();
                next.telling = true;
                next.tries++;
                running++;
            } finally {
                lock.unlock();
            }
            News news = next;
            workers.execute(() -> tell(news));
        }
    }

    private void tell(News news) {
        boolean over = true;
        try {
            over = told(news);
        } catch (RuntimeException e) {
            LOG.error("zone {}: NOTIFY failed", news.about.origin(), e);
        } finally {
            lock.lock();
            try {
                running--;
                news.telling = false;
                if (news.again) {
                    news.again = false;
                    news.tries = 0;
                    news.due = clock.instant();
                    waiting.add(news);
                } else if (over) {
                    all.remove(news.about);
                } else {
                    news.due = clock.instant().plus(pause(news.tries));
                    waiting.add(news);
                }
            } finally {
                lock.unlock();
            }
        }
        look();
    }

    private static Duration pause(int tries) {
        return FIRST_PAUSE.multipliedBy((long) Math.pow(3, tries - 1));
    }

    /// Tells once; true when it is not to be told again.
    private boolean told(News news) {
        Name origin = news.about.origin();
        RemoteServer server = news.about.server();
        Optional<Zone> zone = zones.apply(origin);
        if (zone.isEmpty()) {
            return true;
        }
        Optional<TsigKey> key = server.key().flatMap(name -> administration.get().key(name));
        if (server.key().isPresent() && key.isEmpty()) {
            LOG.warn(
                    "zone {}: {} is not told of serial {}: key {} is not known here; expected a"
                            + " file etc/org.pabal.tsig~NAME.cfg with it",
                    origin,
                    server.address(),
                    zone.get().serial(),
                    server.key().get());
            return true;
        }
        try {
            int rcode =
                    telling.tell(
                            server,
                            key.map(TsigKey::tsig),
                            message(zone.get()),
                            administration.get().of(origin).sources());
            if (rcode != Rcode.NOERROR) {
                LOG.warn(
                        "zone {}: {} was told of serial {} and answers {}; expected it to have us"
                                + " as a primary",
                        origin,
                        server.address(),
                        zone.get().serial(),
                        Rcode.string(rcode));
            }
            return true;
        } catch (IOException e) {
            if (news.tries < MAX_TRIES) {
                return false;
            }
            LOG.warn(
                    "zone {}: {} could not be told of serial {} in {} tries ({}); it finds out by"
                            + " its refresh timer",
                    origin,
                    server.address(),
                    zone.get().serial(),
                    MAX_TRIES,
                    e.getMessage());
            return true;
        }
    }

    /// RFC 1996 §3.7: the new SOA goes with it, as a hint.
    private static Message message(Zone zone) {
        Message notify = Message.newQuery(Record.newRecord(zone.origin(), Type.SOA, DClass.IN));
        notify.getHeader().setOpcode(Opcode.NOTIFY);
        notify.getHeader().unsetFlag(Flags.RD);
        notify.getHeader().setFlag(Flags.AA);
        notify.addRecord(ZoneChange.soa(zone), Section.ANSWER);
        return notify;
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

    /// How many zones and servers wait for their news.
    int size() {
        lock.lock();
        try {
            return all.size();
        } finally {
            lock.unlock();
        }
    }
}
