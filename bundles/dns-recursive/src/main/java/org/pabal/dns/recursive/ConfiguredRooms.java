package org.pabal.dns.recursive;

import org.pabal.settings.Settings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/// The rooms behind the doorway, as the administrator wants them: one suite for everybody, and one
/// for each view, with a cache and a validator of its own (security row D28). All ask others by the
/// same upstream.
final class ConfiguredRooms implements Rooms {

    private static final Logger LOG = LoggerFactory.getLogger(ConfiguredRooms.class);

    /// When the node is killed, no more than this is forgotten.
    private static final Duration SAVE_EVERY = Duration.ofMinutes(15);

    /// So long nobody is answered while what was known before is read. When the bundle is replaced
    /// under load, thousands of questions wait in the socket: with an empty cache all of them would
    /// be asked of others. A cache that is larger is read on behind the answers.
    private static final Duration READ_FIRST = Duration.ofSeconds(1);

    /// A view has so much less memory for its cache.
    private static final int VIEW_PART = 8;

    /// Where answers come from.
    private record Suite(RecordCache cache, Recursion recursion, Serving serving) {}

    private final House house;
    private final CacheSettings cacheSettings;
    private final ValidationSettings validation;
    private final WalkSettings walk;
    private final RootHints hints;
    private final boolean breakDnssec;
    private final TrustAnchors anchors;
    private final NetworkUpstream upstream;
    private final Suite main;
    private final Optional<AnchorKeeper> keeper;
    private final Path file;
    private final CountDownLatch read = new CountDownLatch(1);
    private final Thread saver;
    private final Map<ViewSettings, Suite> ofViews = new IdentityHashMap<>();

    /// Replaced as a whole; its changes are guarded by this object.
    private volatile Views<Serving> views;

    private volatile boolean closed;

    ConfiguredRooms(Settings settings, Path home, House house) {
        this.house = house;
        this.cacheSettings = CacheSettings.of(settings);
        this.validation = ValidationSettings.of(settings, home);
        this.walk = WalkSettings.of(settings);
        this.hints = WalkSettings.hints(settings, home);
        this.breakDnssec = PolicySettings.of(settings).breakDnssec();
        RouteSettings routes = RouteSettings.of(settings, home);
        Dns64Settings dns64 = Dns64Settings.of(settings);
        RebindingSettings rebinding = RebindingSettings.of(settings);
        UpstreamSettings asking = UpstreamSettings.of(settings, home);
        this.file = home.resolve("cache/resolver");
        this.anchors = validation.anchors(settings);
        settings.noOthers();
        // From here on nothing is wrong any more, so what is begun is also ended.
        this.upstream = new NetworkUpstream(asking, house.clock());
        this.main = suite(cacheSettings, routes, dns64, rebinding);
        this.views = Views.of(main.serving());
        this.keeper = keeper();
        this.saver = Thread.ofVirtual().name("resolver cache").start(this::keepFile);
        awaitWhatWasKnown();
    }

    private void awaitWhatWasKnown() {
        try {
            if (!read.await(READ_FIRST.toNanos(), TimeUnit.NANOSECONDS)) {
                LOG.info("resolver: answers already while the cache is read");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Suite suite(
            CacheSettings size,
            RouteSettings routes,
            Dns64Settings dns64,
            RebindingSettings rebinding) {
        InstantSource clock = house.clock();
        RecordCache cache = new RecordCache(size, clock);
        UnaryOperator<Finding> screen =
                rebinding.protection()
                        ? new Rebinding(rebinding, routes, house.authority())
                        : UnaryOperator.identity();
        Routes ways =
                new ConfiguredRoutes(
                        routes,
                        house.authority(),
                        ConfiguredRoutes.forgetting(cache),
                        System::nanoTime);
        Recursion recursion =
                new Recursion(
                        cache,
                        upstream,
                        new ChainValidator(anchors, validation, clock),
                        ways,
                        hints,
                        walk,
                        screen,
                        clock);
        Recursor told = dns64.prefix().isPresent() ? new Dns64(recursion, dns64) : recursion;
        Serving serving =
                new Serving(
                        new PolicedRecursor(told, house.policies(), breakDnssec),
                        cache,
                        ways,
                        type -> Dns64.concerns(dns64, type),
                        recursion::refresh);
        return new Suite(cache, recursion, serving);
    }

    private Optional<AnchorKeeper> keeper() {
        if (!validation.updates()) {
            return Optional.empty();
        }
        try {
            Files.createDirectories(validation.state().getParent());
            return Optional.of(
                    new AnchorKeeper(anchors, validation, main.recursion(), house.clock()).start());
        } catch (IOException e) {
            LOG.error(
                    "resolver: {}: {}; trust anchors do not follow their zones",
                    validation.state(),
                    e.toString());
            return Optional.empty();
        }
    }

    @Override
    public Serving serving(ByteBuffer address) {
        return views.serving(address);
    }

    @Override
    public Recursor recursor() {
        return main.recursion();
    }

    @Override
    public RecordCache cache() {
        return main.cache();
    }

    @Override
    public synchronized int forget(Name name) {
        return main.recursion().forget(name)
                + ofViews.values().stream().mapToInt(suite -> suite.recursion().forget(name)).sum();
    }

    @Override
    public synchronized void views(Collection<ViewSettings> settings) {
        Set<ViewSettings> gone = new HashSet<>(ofViews.keySet());
        gone.removeAll(settings);
        views = Views.of(main.serving(), settings, view -> ofView(view).serving());
        for (ViewSettings view : gone) {
            ofViews.remove(view).recursion().close();
        }
    }

    private Suite ofView(ViewSettings view) {
        return ofViews.computeIfAbsent(
                view,
                each ->
                        suite(
                                new CacheSettings(
                                        cacheSettings.octets() / VIEW_PART,
                                        cacheSettings.minTtl(),
                                        cacheSettings.maxTtl(),
                                        cacheSettings.maxNegativeTtl(),
                                        cacheSettings.staleLimit()),
                                each.routes(),
                                each.dns64(),
                                each.rebinding()));
    }

    /// Reads what an earlier run remembered, and writes it now and then.
    private void keepFile() {
        long entries = new CacheFile(file).load(main.cache());
        if (closed) {
            return; // perhaps before all was read
        }
        read.countDown();
        if (entries > 0) {
            LOG.info("resolver: {} entries of the cache are known from before", entries);
        }
        while (!closed) {
            try {
                Thread.sleep(SAVE_EVERY);
            } catch (InterruptedException e) {
                return;
            }
            save();
        }
    }

    private void save() {
        try {
            Files.createDirectories(file.getParent());
            new CacheFile(file).save(main.cache());
        } catch (IOException e) {
            LOG.warn("resolver: {}: the cache is not kept: {}", file, e.toString());
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        saver.interrupt();
        try {
            saver.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        keeper.ifPresent(AnchorKeeper::close);
        main.recursion().close();
        ofViews.values().forEach(suite -> suite.recursion().close());
        upstream.close();
        if (read.getCount() == 0) {
            save(); // else the file knows more than we do
        }
    }
}
