package org.pabal.dns.authoritative;

import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.pabal.dns.server.Query;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;

/// A node whose kept sets are tended when a test says so, in the test's thread and time.
final class Keeping implements AutoCloseable {

    final Node node;
    final KeptSets kept;
    final ZoneHealthShell shell;

    /// Zones that come from elsewhere.
    final Set<Name> transferred = new HashSet<>();

    /// What the house's resolver was asked.
    final List<String> asked = new ArrayList<>();

    /// Addresses at which nobody is.
    final Set<String> down = new HashSet<>();

    /// How often an address was checked.
    final Map<String, Integer> checks = new HashMap<>();

    /// Tasks that have been started and are not done, when [#holding].
    final Queue<Runnable> held = new ArrayDeque<>();

    boolean holding;

    private Administration administration = Administration.NONE;
    private Optional<Resolver> resolver = Optional.empty();

    Keeping(Node node) {
        this.node = node;
        kept =
                new KeptSets(
                        new KeptSets.House(
                                node::zones,
                                () -> administration,
                                transferred::contains,
                                () -> resolver.map(this::noted)),
                        new ZoneEditor(node.store),
                        (address, check, host) -> {
                            checks.merge(address.getHostAddress(), 1, Integer::sum);
                            return !down.contains(address.getHostAddress());
                        },
                        node.clock,
                        task -> {
                            if (holding) {
                                held.add(task);
                            } else {
                                task.run();
                            }
                        },
                        origin -> policies());
        shell = new ZoneHealthShell(kept);
    }

    private Resolver noted(Resolver present) {
        return (name, type) -> {
            asked.add(name + " " + Type.string(type));
            return present.resolve(name, type);
        };
    }

    /// As the doorway does.
    private void policies() {
        node.zones()
                .policies(
                        origin -> true,
                        zone -> new AnswerPolicy(AddressOrder.CYCLIC, kept.withheld(zone)));
    }

    static ZoneSettings settings(String... keysAndValues) {
        Map<String, Object> properties = new HashMap<>(Map.of("zones", "*"));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            properties.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return new ZoneSettings(properties);
    }

    Keeping set(String... keysAndValues) {
        return administer(settings(keysAndValues));
    }

    Keeping administer(ZoneSettings... all) {
        administration = new Administration(List.of(all), List.of());
        kept.administered();
        policies();
        return this;
    }

    Keeping resolver(Resolver next) {
        resolver = Optional.of(next);
        kept.resolverCame();
        return this;
    }

    void withoutResolver() {
        resolver = Optional.empty();
    }

    /// A resolver that cannot find anything.
    static Resolver broken(String why) {
        return (name, type) -> new Resolution.Unavailable(why);
    }

    /// Moves the clock on and does what is due.
    Keeping after(Duration time) {
        node.clock.advance(time);
        return tend();
    }

    Keeping tend() {
        kept.tend();
        return this;
    }

    /// What the zone has, for example `192.0.2.1 192.0.2.2`, sorted.
    String addresses(String owner, int type) {
        Set<String> found = new TreeSet<>();
        node
                .zones()
                .nearest(Node.name(owner), type)
                .flatMap(zone -> zone.records(Node.name(owner), type))
                .stream()
                .flatMap(set -> set.rrs(false).stream())
                .forEach(record -> found.add(record.rdataToString()));
        return String.join(" ", found);
    }

    long ttl(String owner, int type) {
        return node.zones()
                .nearest(Node.name(owner), type)
                .flatMap(zone -> zone.records(Node.name(owner), type))
                .map(RRset::getTTL)
                .orElse(-1L);
    }

    long serial(String origin) {
        return node.store.find(Node.name(origin)).orElseThrow().serial();
    }

    /// The rcode and records by the readable path, after the fast one had its chance to differ.
    String ask(String name, int type) {
        byte[] query = Node.query(name, type).toWire();
        node.assertAgree(query, true);
        Query read = Query.read(query).orElseThrow();
        return Node.text(
                Node.parsed(
                        new Reply(1232)
                                .write(
                                        read,
                                        ZoneLookup.find(node.zones(), read.name(), type, false),
                                        true)));
    }

    @Override
    public void close() {
        node.close();
    }
}
