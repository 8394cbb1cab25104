package org.pabal.dns.authoritative;

import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.pabal.dns.Responder;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;
import org.pabal.protocol.Connection;
import org.pabal.protocol.Datagram;
import org.pabal.protocol.DatagramProtocol;
import org.pabal.protocol.StreamProtocol;
import org.pabal.settings.Settings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/// The doorway: protocol `dns` on datagrams and streams, and the view of all zones that
/// [QueryAnswering] answers from.
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

    private final QueryAnswering answering;
    private final ZoneEditor editor;
    private final InstantSource clock;

    /// Replaced as a whole; its changes are guarded by this object.
    private volatile ServedZones zones = ServedZones.NONE;

    /// Replaced as a whole; its changes, and these lists, are guarded by this object.
    private volatile Administration administration = Administration.NONE;

    private final List<ZoneSettings> settingsOfZones = new ArrayList<>();
    private final List<TsigKey> keys = new ArrayList<>();

    @Activate
    public AuthoritativeServer(
            @Reference ZoneStore store,
            @Reference InstantSource clock,
            Map<String, Object> properties) {
        Settings settings = Settings.of(properties);
        int udpSize = (int) settings.number("udp-size", 1232, 512, 1232); // security rows D3, D13
        Duration tcpIdle =
                settings.duration("tcp-idle", Duration.ofSeconds(10)); // security row D18
        int tcpQueries = (int) settings.number("tcp-queries", 10_000, 1, Integer.MAX_VALUE);
        settings.noOthers();
        Map<Name, ServedZones.OfZone> first = new HashMap<>();
        try (Stream<Zone> all = store.zones()) {
            all.forEach(zone -> first.put(zone.origin(), laidOut(zone)));
        }
        this.zones = zones.with(first);
        this.clock = clock;
        this.editor = new ZoneEditor(store);
        this.answering = new QueryAnswering(() -> zones, udpSize, tcpIdle, tcpQueries);
        LOG.info("dns: answers for {} zones", first.size());
    }

    @Deactivate
    public void stop() {
        answering.close();
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
        ServedZones.OfZone next = laidOut(current);
        synchronized (this) {
            zones = zones.with(Map.of(current.origin(), next));
        }
    }

    @Override
    public synchronized void withdrawn(Name origin) {
        zones = zones.without(origin);
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
    }

    public synchronized void unbindZoneSettings(ZoneSettings settings) {
        settingsOfZones.remove(settings);
        administration = new Administration(settingsOfZones, keys);
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
