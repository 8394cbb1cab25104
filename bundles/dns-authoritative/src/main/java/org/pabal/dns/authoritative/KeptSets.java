package org.pabal.dns.authoritative;

import org.pabal.dns.Resolver;
import org.pabal.dns.Zone;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// All address sets that Pabal keeps: aliases, and addresses with health checks.
///
/// ```
///   etc/org.pabal.zone~NAME.cfg          Timetable
///        alias, check  --> KeptSets  -->  AliasKeeper  <-- AliasTargets (our zones, Resolver)
///                                         HealthKeeper <-- Prober
///                                              |
///                                          ZoneEditor --> zone, journal, signatures, transfers
/// ```
/// What comes out is an ordinary record set of the zone, so that both ways of answering, signatures
/// and secondaries need to know nothing of it (platform/decisions/0010).
final class KeptSets implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(KeptSets.class);

    /// Security row D26: lookups at one time.
    private static final int MAX_LOOKUPS = 16;

    private static final int MAX_CHECKS = 256;

    /// What a kept set is told of: where it is, and who else has a say.
    ///
    /// @param zones the view of the moment
    /// @param administration what the administrator set, at this moment
    /// @param transferred whether a zone comes from elsewhere, so that it is not ours to edit
    /// @param resolver of the house, if it runs
    record House(
            Supplier<? extends Zones> zones,
            Supplier<Administration> administration,
            Predicate<Name> transferred,
            Supplier<Optional<Resolver>> resolver) {}

    private final House house;
    private final AliasKeeper aliases;
    private final HealthKeeper health;
    private final Timetable<KeptSet.Alias> lookups;
    private final Timetable<Object> checks;

    /// Why sets are not kept, as it was last told of.
    private final Map<KeptSet, String> elsewhere = new ConcurrentHashMap<>();

    /// Replaced as a whole.
    private volatile Map<Name, KeptSet> byOwner = Map.of();

    /// @param executor runs what waits for others
    /// @param policyChanged told the zone in which other sets are withheld than before
    KeptSets(
            House house,
            ZoneEditor editor,
            Prober.Probe probe,
            InstantSource clock,
            Executor executor,
            Consumer<Name> policyChanged) {
        this.house = house;
        AliasTargets targets = new AliasTargets(house.zones(), house.resolver(), clock);
        aliases = new AliasKeeper(targets, editor, clock, this::home, this::keepsIn, policyChanged);
        health = new HealthKeeper(probe, editor, clock, this::home);
        lookups =
                new Timetable<>(
                        "dns aliases",
                        clock,
                        executor,
                        MAX_LOOKUPS,
                        alias -> {
                            tellWhere(alias);
                            return aliases.keep(alias);
                        });
        checks =
                new Timetable<>(
                        "dns health checks",
                        clock,
                        executor,
                        MAX_CHECKS,
                        what -> {
                            if (what instanceof HealthKeeper.Place place) {
                                return health.check(place);
                            }
                            KeptSet.Checked set = (KeptSet.Checked) what;
                            tellWhere(set);
                            return health.keep(set);
                        });
    }

    /// Takes what the administrator set now.
    synchronized void administered() {
        Map<Name, KeptSet> next = new HashMap<>();
        Set<KeptSet.Alias> allAliases = new HashSet<>();
        Set<KeptSet.Checked> allChecked = new HashSet<>();
        Set<Object> toCheck = new HashSet<>();
        for (ZoneSettings settings : house.administration().get().zones()) {
            for (KeptSet set : settings.kept()) {
                if (allAliases.size() == KeptSet.MAX_ALIASES
                        || toCheck.size() >= 2 * KeptSet.MAX_CHECKED) {
                    LOG.error(
                            "{}: is not kept, there are more than {} aliases or checked addresses"
                                    + " in all files",
                            set.setting(),
                            KeptSet.MAX_ALIASES);
                    continue;
                }
                KeptSet other = next.putIfAbsent(set.owner(), set);
                if (other != null) {
                    if (!other.equals(set)) {
                        LOG.error(
                                "{}: is not kept, another file has {}",
                                set.setting(),
                                other.setting());
                    }
                    continue;
                }
                switch (set) {
                    case KeptSet.Alias alias -> allAliases.add(alias);
                    case KeptSet.Checked checked -> {
                        allChecked.add(checked);
                        toCheck.add(checked);
                        checked.addresses()
                                .forEach(
                                        address ->
                                                toCheck.add(
                                                        new HealthKeeper.Place(checked, address)));
                    }
                }
            }
        }
        byOwner = Map.copyOf(next);
        elsewhere.keySet().retainAll(next.values());
        aliases.aliases(allAliases);
        health.sets(allChecked);
        lookups.tasks(allAliases);
        checks.tasks(toCheck);
    }

    /// Starts what is due.
    void tend() {
        lookups.tend();
        checks.tend();
    }

    /// Does that by itself from now on.
    void start() {
        lookups.start();
        checks.start();
    }

    /// Hears that a zone has changed, perhaps at what we keep. Quick.
    void published(Name origin) {
        lookups.hurry(alias -> alias.owner().subdomain(origin) || alias.target().subdomain(origin));
        checks.hurry(
                what ->
                        what instanceof KeptSet.Checked checked
                                && checked.owner().subdomain(origin));
    }

    /// Hears that the house's resolver came. Quick.
    void resolverCame() {
        lookups.hurry(alias -> true);
    }

    /// The sets of a zone that cannot be answered at this moment.
    Map<Name, Set<Integer>> withheld(Zone zone) {
        return aliases.withheld(zone);
    }

    /// What keeps the records of a name and type.
    Optional<KeptSet> keeper(Name name, int type) {
        return Optional.ofNullable(byOwner.get(name))
                .filter(set -> (set.keeps(type) || type == Type.ANY) && home(set).isPresent());
    }

    /// What is kept, in the order of names: for each the setting, and how it is.
    List<String> explain(Predicate<KeptSet> which) {
        return byOwner.values().stream()
                .filter(which)
                .sorted((one, other) -> one.owner().compareTo(other.owner()))
                .flatMap(
                        set ->
                                home(set).isEmpty()
                                        ? List.of(set.setting() + ": " + elsewhere(set)).stream()
                                        : switch (set) {
                                            case KeptSet.Alias alias ->
                                                    List.of(line(alias)).stream();
                                            case KeptSet.Checked checked ->
                                                    health.explain(checked).stream();
                                        })
                .toList();
    }

    private String line(KeptSet.Alias alias) {
        return alias.owner() + " alias of " + alias.target() + ": " + aliases.explain(alias);
    }

    /// Logs once why a set is not kept.
    private void tellWhere(KeptSet set) {
        if (home(set).isPresent()) {
            elsewhere.remove(set);
        } else {
            String why = elsewhere(set);
            if (!why.equals(elsewhere.put(set, why))) {
                LOG.warn("{}: is not kept: {}", set.setting(), why);
            }
        }
    }

    private String elsewhere(KeptSet set) {
        Optional<Zone> zone = house.zones().get().nearest(set.owner(), Type.A);
        if (zone.isEmpty()) {
            return "in no zone of ours";
        }
        Name origin = zone.get().origin();
        if (house.transferred().test(origin)) {
            return "zone " + origin + " comes from its primaries";
        }
        return zone.get().records(set.owner(), Type.CNAME).isPresent()
                ? "zone " + origin + " has a CNAME there"
                : "another file counts for zone " + origin;
    }

    /// The zone in which a set is kept. Security row D26: never one that comes from elsewhere, and
    /// only by the file that counts for the zone.
    private Optional<Zone> home(KeptSet set) {
        return house.zones().get().nearest(set.owner(), Type.A).filter(zone -> keepsIn(set, zone));
    }

    private boolean keepsIn(KeptSet set, Zone zone) {
        return set.owner().subdomain(zone.origin())
                && zone.records(set.owner(), Type.CNAME).isEmpty()
                && !house.transferred().test(zone.origin())
                && house.administration().get().of(zone.origin()).kept().contains(set);
    }

    /// Returns when everything under way is done.
    @Override
    public void close() {
        lookups.close();
        checks.close();
    }
}
