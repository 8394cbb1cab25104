package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneFreshness;
import org.pabal.dns.ZoneStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Keeps [Secondaries], [Notifier] and catalogs going: a thread looks several times a second for
/// what the administrator has changed, which zones have come and gone, and what is due.
///
/// What observers are told is only noted here: they must be quick, and hold the store's lock.
final class ExchangeWork implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ExchangeWork.class);
    private static final long PAUSE_MILLIS = 200;

    private final ZoneStore store;
    private final ZoneFreshness freshness;
    private final Supplier<Administration> settings;
    private final Secondaries secondaries;
    private final Notifier notifier;
    private final CatalogMembers members;
    private final CatalogProducer producer;

    private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
    private final CountDownLatch closed = new CountDownLatch(1);
    private Optional<Thread> thread = Optional.empty();

    /// Zones of which there is a new version, by their origins.
    private final Map<Name, Zone> changed = new ConcurrentHashMap<>();

    private final Set<Name> known = ConcurrentHashMap.newKeySet();
    private volatile boolean comeOrGone = true;

    /// From here on: used by the thread that looks.
    private Administration seen = Administration.NONE;

    private Set<InetAddress> own = Set.of();
    private String trouble = "";

    ExchangeWork(
            ZoneStore store,
            ZoneFreshness freshness,
            InstantSource clock,
            Supplier<Administration> settings,
            ZoneEditor editor,
            Consumer<Set<Name>> unavailable) {
        this.store = store;
        this.freshness = freshness;
        this.settings = settings;
        this.producer = new CatalogProducer(store, editor);
        this.members = new CatalogMembers(this::isOurs);
        this.secondaries =
                new Secondaries(
                        store,
                        freshness,
                        new PrimaryTransfers(
                                store,
                                name -> settings.get().key(name),
                                zone -> settings.get().of(zone.origin()).signing().wrong(zone)),
                        clock,
                        new SecureRandom()::nextLong,
                        this::execute,
                        unavailable);
        this.notifier =
                new Notifier(
                        store::find,
                        settings,
                        address -> own.contains(address),
                        clock,
                        this::execute,
                        Notifier::tell);
    }

    /// What comes when we are closing is not begun.
    private void execute(Runnable task) {
        try {
            workers.execute(task);
        } catch (RejectedExecutionException e) {
            // We are closing, and it would be ended at once.
        }
    }

    Secondaries secondaries() {
        return secondaries;
    }

    RequestHandler notifies(Reply replies) {
        return new NotifyAnswering(secondaries, replies, store::find);
    }

    /// Begins; every zone counts as new, because others may have missed what we said last.
    void start() {
        try (Stream<Zone> zones = store.zones()) {
            zones.forEach(this::changed);
        }
        thread = Optional.of(Thread.ofPlatform().daemon().name("zone-exchange").start(this::run));
    }

    void changed(Zone current) {
        changed.put(current.origin(), current);
        if (known.add(current.origin())) {
            comeOrGone = true;
        }
    }

    void withdrawn(Name origin) {
        changed.remove(origin);
        known.remove(origin);
        comeOrGone = true;
        secondaries.withdrawn(origin);
    }

    private void run() {
        try {
            do {
                try {
                    look();
                    trouble = "";
                } catch (RuntimeException e) {
                    if (!trouble.equals(e.toString())) {
                        LOG.error("dns: zones of other servers cannot be looked after", e);
                    }
                    trouble = e.toString();
                }
            } while (!closed.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// One look at everything.
    void look() {
        Administration now = settings.get();
        boolean configure = now != seen;
        seen = now;
        Map<Name, ZoneSources> named = now.secondaries();
        Map<Name, Zone> news = new HashMap<>();
        for (Name origin : Set.copyOf(changed.keySet())) {
            Optional.ofNullable(changed.remove(origin)).ifPresent(z -> news.put(origin, z));
        }
        configure |= readCatalogs(named, news);
        if (configure) {
            secondaries.configure(all(named));
        }
        if (!news.isEmpty()) {
            own = ownAddresses();
            news.values().forEach(z -> notifier.changed(z, secondaries.primaries(z.origin())));
        }
        if (comeOrGone || configure) {
            comeOrGone = false;
            produce(now);
        }
        secondaries.look();
        notifier.look();
    }

    /// @return whether some zone is to come or to go
    private boolean readCatalogs(Map<Name, ZoneSources> named, Map<Name, Zone> news) {
        Map<Name, ZoneSources> consumed = new HashMap<>(named);
        consumed.values().removeIf(each -> each.catalog() != ZoneSources.CatalogRole.CONSUMER);
        members.keepOnly(consumed.keySet());
        boolean some = false;
        for (Map.Entry<Name, ZoneSources> each : consumed.entrySet()) {
            Optional<Zone> catalog = store.find(each.getKey());
            if (catalog.isPresent()
                    && (news.containsKey(each.getKey()) || !members.knows(each.getKey()))) {
                members.read(catalog.get(), each.getValue().maxMembers())
                        .forEach(secondaries::reset);
                some = true;
            }
        }
        return some;
    }

    private Map<Name, ZoneSources> all(Map<Name, ZoneSources> named) {
        Map<Name, ZoneSources> all = new HashMap<>();
        members.all().forEach((member, catalog) -> all.put(member, named.get(catalog).ofMember()));
        all.putAll(named);
        return all;
    }

    /// RFC 9432 §5.2: a zone that is ours by other means than a catalog.
    private boolean isOurs(Name origin) {
        return seen.secondaries().containsKey(origin)
                || store.find(origin).isPresent() && freshness.confirmed(origin).isEmpty();
    }

    private void produce(Administration now) {
        Set<Name> produced = new HashSet<>();
        for (ZoneSettings each : now.zones()) {
            for (Name catalog : each.named()) {
                ZoneSources sources = now.of(catalog).sources();
                if (sources.catalog() == ZoneSources.CatalogRole.PRODUCER
                        && produced.add(catalog)) {
                    try {
                        producer.bringUpToDate(catalog, sources.catalogZones());
                    } catch (IOException | IllegalArgumentException e) {
                        LOG.error("catalog {}: cannot be kept: {}", catalog, e.getMessage());
                    }
                }
            }
        }
    }

    private static Set<InetAddress> ownAddresses() {
        try (Stream<NetworkInterface> interfaces = NetworkInterface.networkInterfaces()) {
            return interfaces
                    .flatMap(NetworkInterface::inetAddresses)
                    .collect(Collectors.toUnmodifiableSet());
        } catch (SocketException e) {
            return Set.of(InetAddress.getLoopbackAddress());
        }
    }

    @Override
    public void close() {
        closed.countDown();
        try {
            if (thread.isPresent()) {
                thread.get().join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        workers.shutdownNow();
        workers.close();
    }
}
