package org.pabal.dns.recursive;

import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.pabal.dns.Authority;
import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.server.Edges;
import org.pabal.protocol.Connection;
import org.pabal.protocol.Datagram;
import org.pabal.protocol.DatagramProtocol;
import org.pabal.protocol.StreamProtocol;
import org.pabal.settings.Settings;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// The doorway: protocol `resolver` on datagrams and streams, and the resolver of the house.
@Component(
        service = {
            StreamProtocol.class,
            DatagramProtocol.class,
            Resolver.class,
            ZoneObserver.class,
            RecursiveServer.class
        },
        configurationPid = "org.pabal.dns.recursive",
        configurationPolicy = ConfigurationPolicy.REQUIRE,
        property = StreamProtocol.NAME + "=resolver")
public final class RecursiveServer
        implements StreamProtocol, DatagramProtocol, Resolver, ZoneObserver {

    /// A policy and where it stands among the others.
    private record Ranked(ResponsePolicy policy, int ranking, long id) {

        /// OSGi Core §5.2.5: the higher ranking first, then the lower id.
        private boolean before(Ranked other) {
            return ranking != other.ranking ? ranking > other.ranking : id < other.id;
        }
    }

    private final Edges edges;
    private final Thread ticking;
    private final ServiceStatistics statistics;
    private final Rooms rooms;
    private final ClientAnswering answering;
    private volatile Optional<Authority> authority = Optional.empty();

    /// Replaced as a whole; its changes are guarded by this object.
    private volatile List<ResponsePolicy> policies = List.of();

    private final List<Ranked> ranked = new ArrayList<>();
    private final List<ViewSettings> views = new ArrayList<>();
    private final Set<Name> own = ConcurrentHashMap.newKeySet();

    @Activate
    public RecursiveServer(
            BundleContext context,
            @Reference(policyOption = ReferencePolicyOption.GREEDY) InstantSource clock,
            Map<String, Object> properties) {
        this(home(context), clock, properties, ConfiguredRooms::new);
    }

    RecursiveServer(
            Path home, InstantSource clock, Map<String, Object> properties, Rooms.Plan plan) {
        Settings settings = Settings.of(properties);
        ServiceSettings service = ServiceSettings.of(settings);
        Rooms.House house = new Rooms.House(clock, () -> authority, () -> policies);
        this.rooms = plan.build(settings, home, house);
        this.edges = new Edges(service.edges(), clock);
        this.statistics = new ServiceStatistics(edges.statistics);
        this.answering =
                new ClientAnswering(service, edges, statistics, rooms::serving, () -> policies);
        this.ticking = Thread.ofVirtual().name("dns tick").start(edges.tick);
    }

    @Deactivate
    public void stop() {
        answering.close();
        edges.tick.end(ticking);
        rooms.close();
    }

    /// What was answered, for the shell.
    ServiceStatistics statistics() {
        return statistics;
    }

    /// Who finds answers, for the shell.
    Recursor recursor() {
        return rooms.recursor();
    }

    /// What is remembered, for the shell.
    RecordCache cache() {
        return rooms.cache();
    }

    /// Forgets what is known at and below a name, in every view; for the shell.
    int forget(Name name) {
        return rooms.forget(name);
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
    public Resolution resolve(Name name, int type) {
        Request request = Request.of(Request.Wish.NOTHING, Request.Trace.NONE);
        Answer answer = rooms.recursor().answer(new Question(name, type), request);
        boolean secure = answer.security() == Security.SECURE;
        if (answer.security() == Security.BOGUS) {
            return unavailable(answer);
        }
        return switch (answer.last().kind()) {
            case RECORDS -> new Resolution.Found(answer.records(), secure);
            case NO_RECORD -> new Resolution.NoSuchRecord(secure);
            case NO_NAME -> new Resolution.NoSuchName(secure);
            case ALIAS, FAILURE, TOO_LONG -> unavailable(answer);
        };
    }

    /// What others said of a zone counts no longer when it becomes ours.
    @Override
    public void published(Zone current) {
        if (own.add(current.origin())) {
            rooms.forget(current.origin());
        }
    }

    @Override
    public void withdrawn(Name origin) {
        own.remove(origin);
    }

    private static Resolution unavailable(Answer answer) {
        return new Resolution.Unavailable(
                answer.reason().map(Reason::text).orElse(answer.question() + ": no answer"));
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public synchronized void bindAuthority(Authority found) {
        authority = Optional.of(found);
    }

    public synchronized void unbindAuthority(Authority gone) {
        if (authority.filter(present -> present == gone).isPresent()) {
            authority = Optional.empty();
        }
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public synchronized void bindResponsePolicy(
            ResponsePolicy policy, Map<String, Object> properties) {
        int ranking = properties.get("service.ranking") instanceof Integer given ? given : 0;
        long id = properties.get("service.id") instanceof Long given ? given : 0;
        Ranked next = new Ranked(policy, ranking, id);
        int place = 0;
        while (place < ranked.size() && ranked.get(place).before(next)) {
            place++;
        }
        ranked.add(place, next);
        policies = ranked.stream().map(Ranked::policy).toList();
    }

    public synchronized void unbindResponsePolicy(ResponsePolicy policy) {
        ranked.removeIf(each -> each.policy() == policy);
        policies = ranked.stream().map(Ranked::policy).toList();
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public synchronized void bindViewSettings(ViewSettings view) {
        views.add(view);
        rooms.views(views);
    }

    public synchronized void unbindViewSettings(ViewSettings view) {
        views.remove(view);
        rooms.views(views);
    }

    private static Path home(BundleContext context) {
        return Path.of(Objects.requireNonNullElse(context.getProperty("pabal.home"), "."));
    }
}
