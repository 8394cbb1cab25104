package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Gives names the addresses of the names that they are aliases of, as long as those can be found.
///
/// When they cannot be found, the last known ones are answered until their TTL and the grace have
/// ended; after that SERVFAIL, because the truth is that we do not know (RFC 2308 §7.1), and "has
/// no address" would be believed by caches. The zone keeps the last known ones for secondaries.
final class AliasKeeper {

    private static final Logger LOG = LoggerFactory.getLogger(AliasKeeper.class);
    private static final int[] TYPES = {Type.A, Type.AAAA};

    /// What is known of one alias. Guarded by itself.
    private static final class State {
        /// Until when what the zone has may be answered, for each type.
        final Map<Integer, Instant> believed = new TreeMap<>();

        final Set<Integer> withheld = ConcurrentHashMap.newKeySet();
        /// How many addresses were found last.
        final Map<Integer, Integer> found = new TreeMap<>();

        String trouble = "";
    }

    private final AliasTargets targets;
    private final ZoneEditor editor;
    private final InstantSource clock;
    private final Function<KeptSet, Optional<Zone>> home;
    private final BiPredicate<KeptSet, Zone> keepsIn;
    private final Consumer<Name> policyChanged;
    private final Map<KeptSet.Alias, State> states = new ConcurrentHashMap<>();

    /// Replaced as a whole.
    private volatile Map<Name, KeptSet.Alias> aliases = Map.of();

    /// @param home the zone in which a set is kept, if it is to be kept
    /// @param keepsIn whether a set is to be kept in a zone, or in one below that is nearer
    /// @param policyChanged told the zone in which other sets are withheld than before
    AliasKeeper(
            AliasTargets targets,
            ZoneEditor editor,
            InstantSource clock,
            Function<KeptSet, Optional<Zone>> home,
            BiPredicate<KeptSet, Zone> keepsIn,
            Consumer<Name> policyChanged) {
        this.targets = targets;
        this.editor = editor;
        this.clock = clock;
        this.home = home;
        this.keepsIn = keepsIn;
        this.policyChanged = policyChanged;
    }

    /// @param all no two with the same owner
    void aliases(Collection<KeptSet.Alias> all) {
        aliases = all.stream().collect(Collectors.toMap(KeptSet.Alias::owner, each -> each));
        states.keySet().retainAll(aliases.values());
    }

    /// Looks one alias up and edits its zone. Waits for other machines and for the disk.
    ///
    /// @return how long until the next time
    Duration keep(KeptSet.Alias alias) {
        Optional<Zone> zone = home.apply(alias);
        if (zone.isEmpty()) {
            return AliasTargets.LATEST; // a zone that comes is told of
        }
        State state = state(alias, zone.get());
        Duration next = AliasTargets.LATEST;
        Set<String> troubles = new LinkedHashSet<>();
        for (int type : TYPES) {
            AliasTargets.Target target =
                    targets.find(alias, type, owner -> Optional.ofNullable(aliases.get(owner)));
            switch (target) {
                case AliasTargets.Target.Unknown unknown -> troubles.add(unknown.why());
                case AliasTargets.Target.None none ->
                        write(alias, zone.get(), type, List.of(), 0, state, troubles);
                case AliasTargets.Target.Found found ->
                        write(
                                alias,
                                zone.get(),
                                type,
                                found.addresses(),
                                found.ttl(),
                                state,
                                troubles);
            }
            Duration pause = AliasTargets.pause(target);
            next = pause.compareTo(next) < 0 ? pause : next;
        }
        tell(alias, zone.get(), state, troubles);
        return next;
    }

    private void write(
            KeptSet.Alias alias,
            Zone zone,
            int type,
            List<byte[]> addresses,
            long ttl,
            State state,
            Set<String> troubles) {
        long bounded = Math.min(ttl, alias.ttl().toSeconds());
        AddressSet wanted = AddressSet.of(alias.owner(), type, bounded, addresses.stream());
        try {
            if (!wanted.isIn(zone) && wanted.write(editor, zone.origin())) {
                LOG.debug(
                        "zone {}: {} {} is set to {} addresses by its alias",
                        zone.origin(),
                        alias.owner(),
                        Type.string(type),
                        addresses.size());
            }
        } catch (IOException | IllegalArgumentException e) {
            troubles.add(String.valueOf(e.getMessage()));
            return;
        }
        synchronized (state) {
            state.believed.put(type, clock.instant().plusSeconds(ttl).plus(alias.grace()));
            state.found.put(type, addresses.size());
        }
    }

    /// Says what has changed: in the log once, and to those who answer.
    private void tell(KeptSet.Alias alias, Zone zone, State state, Set<String> troubles) {
        String trouble = String.join("; ", troubles);
        boolean changed;
        String before;
        synchronized (state) {
            before = state.trouble;
            state.trouble = trouble;
            changed = withhold(state);
        }
        if (changed) {
            policyChanged.accept(zone.origin());
        }
        if (!trouble.isEmpty() && before.isEmpty() || !trouble.isEmpty() && changed) {
            LOG.warn(
                    "zone {}: {} cannot be looked up, {}: {}",
                    zone.origin(),
                    alias.setting(),
                    state.withheld.isEmpty()
                            ? "the last known addresses are answered"
                            : "queries for its addresses get SERVFAIL",
                    trouble);
        } else if (trouble.isEmpty() && (!before.isEmpty() || changed)) {
            LOG.info("zone {}: {} is looked up", zone.origin(), alias.setting());
        }
    }

    private boolean withhold(State state) {
        Set<Integer> before = Set.copyOf(state.withheld);
        Instant now = clock.instant();
        state.believed.forEach(
                (type, until) -> {
                    if (now.isBefore(until)) {
                        state.withheld.remove(type);
                    } else {
                        state.withheld.add(type);
                    }
                });
        return !before.equals(state.withheld);
    }

    /// The state of an alias that begins with what its zone has, perhaps from before a restart. If
    /// it has nothing, nothing is known.
    private State state(KeptSet.Alias alias, Zone zone) {
        return states.computeIfAbsent(
                alias,
                each -> {
                    State state = new State();
                    boolean known = false;
                    for (int type : TYPES) {
                        known |= zone.records(alias.owner(), type).isPresent();
                    }
                    Instant now = clock.instant();
                    Instant until = known ? now.plus(alias.ttl()).plus(alias.grace()) : now;
                    for (int type : TYPES) {
                        state.believed.put(type, until);
                    }
                    withhold(state);
                    return state;
                });
    }

    /// The sets of a zone that cannot be answered at this moment.
    Map<Name, Set<Integer>> withheld(Zone zone) {
        Map<Name, Set<Integer>> withheld = new HashMap<>();
        for (KeptSet.Alias alias : aliases.values()) {
            if (keepsIn.test(alias, zone)) {
                Set<Integer> types = Set.copyOf(state(alias, zone).withheld);
                if (!types.isEmpty()) {
                    withheld.put(alias.owner(), types);
                }
            }
        }
        return withheld;
    }

    /// Whether all is well with an alias, in one line for an administrator.
    String explain(KeptSet.Alias alias) {
        State state = states.get(alias);
        if (state == null) {
            return "not looked up yet";
        }
        synchronized (state) {
            if (state.trouble.isEmpty()) {
                return state.found.isEmpty()
                        ? "not looked up yet"
                        : state.found.entrySet().stream()
                                .map(each -> each.getValue() + " " + Type.string(each.getKey()))
                                .collect(Collectors.joining(", "));
            }
            return (state.withheld.isEmpty() ? "last known addresses" : "SERVFAIL")
                    + ", cannot be looked up: "
                    + state.trouble;
        }
    }
}
