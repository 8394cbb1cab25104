package org.pabal.dns.authoritative;

import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.pabal.dns.Authority;
import org.pabal.dns.Resolver;
import org.pabal.dns.Responder;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneKeyStore;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;
import org.pabal.dns.server.Edges;
import org.pabal.dns.server.SparingLog;
import org.pabal.dns.server.Statistics;
import org.pabal.dns.server.Tick;
import org.pabal.protocol.Connection;
import org.pabal.protocol.Datagram;
import org.pabal.protocol.DatagramProtocol;
import org.pabal.protocol.StreamProtocol;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.Stream;

/// The doorway: protocol `dns` on datagrams and streams, and the view of all zones that
/// [QueryAnswering] answers from.
///
/// We use the house's [Resolver], and that uses our [Authority], which Declarative Services would
/// call a circle. So the authority is no service of this component: it is registered as soon as it
/// can answer, before a resolver is looked at.
@Component(
        service = {
            StreamProtocol.class,
            DatagramProtocol.class,
            ZoneObserver.class,
            AuthoritativeServer.class
        },
        configurationPid = "org.pabal.dns.authoritative",
        configurationPolicy = ConfigurationPolicy.REQUIRE,
        property = StreamProtocol.NAME + "=dns")
public final class AuthoritativeServer implements StreamProtocol, DatagramProtocol, ZoneObserver {

    private static final Logger LOG = LoggerFactory.getLogger(AuthoritativeServer.class);

    /// A machine that takes longer is as good as away.
    private static final Duration CHECK_PATIENCE = Duration.ofSeconds(3);

    private final Edges edges;
    private final Thread ticking;
    private final QueryAnswering answering;
    private final ZoneEditor editor;
    private final InstantSource clock;
    private final Prober prober = new Prober(CHECK_PATIENCE);
    private final ExecutorService keepers = Executors.newVirtualThreadPerTaskExecutor();
    private final KeptSets kept;
    private final ParallelSigning signatures = new ParallelSigning();
    private final ZoneSigner signer;
    private final SigningKeeper keeper;
    private final HouseAnswering house;
    private Optional<ServiceRegistration<Authority>> registration = Optional.empty();
    private volatile Optional<Resolver> resolver = Optional.empty();

    /// Replaced as a whole; its changes are guarded by this object.
    private volatile ServedZones zones = ServedZones.NONE;

    /// Replaced as a whole; its changes, and these lists, are guarded by this object.
    private volatile Administration administration = Administration.NONE;

    private final List<ZoneSettings> settingsOfZones = new ArrayList<>();
    private final List<TsigKey> keys = new ArrayList<>();

    @Activate
    public AuthoritativeServer(
            BundleContext context,
            @Reference ZoneStore store,
            @Reference ZoneKeyStore zoneKeys,
            @Reference InstantSource clock,
            Map<String, Object> properties) {
        this(store, zoneKeys, clock, properties);
        registration =
                Optional.of(context.registerService(Authority.class, house, new Hashtable<>()));
    }

    AuthoritativeServer(
            ZoneStore store,
            ZoneKeyStore zoneKeys,
            InstantSource clock,
            Map<String, Object> properties) {
        ServerSettings settings = ServerSettings.of(properties);
        this.signer = new ZoneSigner(zoneKeys, this::signing, signatures, clock);
        List<ServedZones.OfZone> first;
        try (Stream<Zone> all = store.zones()) {
            first =
                    all.filter(zone -> signer.servable(zone, false))
                            .map(AuthoritativeServer::laidOut)
                            .toList();
        }
        this.zones = zones.with(first);
        this.clock = clock;
        this.editor = new ZoneEditor(store, signer);
        this.edges = new Edges(settings.edges(), clock);
        this.ticking = Thread.ofVirtual().name("dns tick").start(edges.tick);
        Reply replies = new Reply(settings.edges().udpSize(), name -> zones.order(name));
        this.house = new HouseAnswering(() -> zones, replies);
        SparingLog refusals = new SparingLog(LOG::warn);
        this.answering =
                new QueryAnswering(
                        () -> zones,
                        edges,
                        replies,
                        new Signatures(() -> administration, clock, refusals),
                        new Updates(
                                store,
                                editor,
                                () -> administration,
                                new KeyRecords(clock),
                                replies,
                                refusals),
                        new Transfers(
                                store,
                                origin -> zones.zone(origin).map(ServedZones.OfZone::zone),
                                () -> administration,
                                replies,
                                refusals,
                                settings.maxTransfers()));
        this.kept =
                new KeptSets(
                        new KeptSets.House(
                                () -> zones,
                                () -> administration,
                                this::transferred,
                                () -> resolver),
                        editor,
                        prober::answers,
                        clock,
                        keepers,
                        this::policyChanged);
        this.keeper =
                new SigningKeeper(
                        store,
                        zoneKeys,
                        editor,
                        signer,
                        new DsAtParent(store, () -> resolver),
                        clock);
        keeper.start();
        LOG.info("dns: answers for {} zones", first.size());
    }

    @Deactivate
    public void stop() {
        registration.ifPresent(ServiceRegistration::unregister);
        signatures.stop();
        keeper.close();
        signatures.close();
        answering.close();
        edges.tick.end(ticking);
        prober.close();
        kept.close();
        keepers.close();
    }

    /// The time as queries see it.
    Tick tick() {
        return edges.tick;
    }

    /// What the local name server of this node asks.
    Authority house() {
        return house;
    }

    /// What was answered, for the shell.
    Statistics statistics() {
        return edges.statistics;
    }

    /// The address sets that Pabal keeps, for the shell.
    KeptSets kept() {
        return kept;
    }

    /// The time, which a test may move.
    InstantSource clock() {
        return clock;
    }

    /// What the administrator set, at this moment.
    Administration administration() {
        return administration;
    }

    /// Says who answers NOTIFY.
    void notifies(Function<Reply, RequestHandler> handler) {
        answering.notifies(handler.apply(answering.replies()));
    }

    /// Says which zones are not to be served, all of them: they come from elsewhere, and have
    /// expired or not come yet.
    synchronized void unavailable(Set<Name> origins) {
        zones = zones.withUnavailable(origins);
    }

    /// The way by which zones are edited, for the shell.
    ZoneEditor editor() {
        return editor;
    }

    /// What keeps zones signed, for the shell.
    SigningKeeper keeper() {
        return keeper;
    }

    @Override
    public void received(Datagram datagram) {
        answering.received(datagram);
    }

    @Override
    public void converse(Connection connection) throws IOException {
        answering.converse(connection);
    }

    @Override
    public void published(Zone current) {
        if (!servable(current)) {
            return;
        }
        ServedZones.OfZone next = laidOut(current);
        synchronized (this) {
            serve(current, next);
        }
        kept.published(current.origin());
    }

    /// Whether a zone comes from another server, and is edited and signed there.
    private boolean transferred(Name origin) {
        return editor != null && editor.transferred().source(origin).isPresent();
    }

    private SigningSettings signing(Name origin) {
        return (transferred(origin) ? ZoneSettings.NONE : administration.of(origin)).signing();
    }

    /// A version of a zone of ours that came without its signatures waits for them.
    private boolean servable(Zone current) {
        boolean ours = editor.makes(current.origin());
        boolean servable = signer.servable(current, ours);
        if (!ours) {
            keeper.wake(current.origin());
        }
        if (!servable) {
            LOG.info(
                    "zone {}: serial {} is served when it is signed",
                    current.origin(),
                    current.serial());
        }
        return servable;
    }

    private void serve(Zone current, ServedZones.OfZone next) {
        next.wire().ifPresent(wire -> wire.policy(policy(current)));
        zones = zones.with(next);
    }

    @Override
    public void changed(Zone current, List<ZoneChange> steps) {
        if (!servable(current)) {
            return;
        }
        ServedZones.OfZone next =
                zones.zone(current.origin())
                        .filter(of -> of.zone().serial() == steps.getFirst().from().getSerial())
                        .flatMap(ServedZones.OfZone::wire)
                        .flatMap(wire -> laidOut(wire, current, steps))
                        .orElseGet(() -> laidOut(current));
        synchronized (this) {
            serve(current, next);
        }
        kept.published(current.origin());
    }

    @Override
    public synchronized void withdrawn(Name origin) {
        zones = zones.without(origin);
        signer.forget(origin);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    public synchronized void bindResponder(Responder responder, Map<String, Object> properties) {
        origin(properties).ifPresent(origin -> zones = zones.with(origin, responder));
    }

    public synchronized void unbindResponder(Responder responder, Map<String, Object> properties) {
        origin(properties).ifPresent(origin -> zones = zones.without(origin, responder));
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public synchronized void bindZoneSettings(ZoneSettings settings) {
        settingsOfZones.add(settings);
        administration = new Administration(settingsOfZones, keys);
        administered(settings);
        keeper.wake();
    }

    public synchronized void unbindZoneSettings(ZoneSettings settings) {
        settingsOfZones.remove(settings);
        administration = new Administration(settingsOfZones, keys);
        administered(settings);
        keeper.wake();
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public synchronized void bindTsigKey(TsigKey key) {
        keys.add(key);
        administration = new Administration(settingsOfZones, keys);
    }

    public synchronized void unbindTsigKey(TsigKey key) {
        keys.remove(key);
        administration = new Administration(settingsOfZones, keys);
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public synchronized void bindResolver(Resolver found) {
        resolver = Optional.of(found);
        kept.resolverCame();
    }

    public synchronized void unbindResolver(Resolver gone) {
        if (resolver.filter(present -> present == gone).isPresent()) {
            resolver = Optional.empty();
        }
    }

    /// The settings that came or went count for the answers of some zones, and tell which address
    /// sets are kept. Holds this object's lock.
    private void administered(ZoneSettings settings) {
        kept.administered();
        zones.policies(origin -> settings.closeness(origin) > 0, this::policy);
        kept.start();
    }

    private synchronized void policyChanged(Name origin) {
        zones.policies(origin::equals, this::policy);
    }

    private AnswerPolicy policy(Zone zone) {
        return new AnswerPolicy(administration.of(zone.origin()).order(), kept.withheld(zone));
    }

    private static ServedZones.OfZone laidOut(Zone zone) {
        try {
            return new ServedZones.OfZone(zone, Optional.of(WireZone.of(zone)));
        } catch (RuntimeException e) {
            LOG.warn(
                    "dns: zone {} is answered record by record, which is slower: {}",
                    zone.origin(),
                    e.toString());
            return new ServedZones.OfZone(zone, Optional.empty());
        }
    }

    /// Empty when the zone has to be laid out anew, which says what is wrong with it.
    private static Optional<ServedZones.OfZone> laidOut(
            WireZone before, Zone current, List<ZoneChange> steps) {
        try {
            return Optional.of(
                    new ServedZones.OfZone(current, Optional.of(before.with(current, steps))));
        } catch (RuntimeException e) {
            LOG.warn("dns: zone {} is laid out anew: {}", current.origin(), e.toString());
            return Optional.empty();
        }
    }

    private static Optional<Name> origin(Map<String, Object> properties) {
        String origin = String.valueOf(properties.get(Responder.ORIGIN));
        try {
            return Optional.of(Name.fromString(origin, Name.root));
        } catch (TextParseException e) {
            LOG.error(
                    "dns: a responder is not asked: {} = {}: expected a name, for example"
                            + " lab.example.",
                    Responder.ORIGIN,
                    origin);
            return Optional.empty();
        }
    }
}
