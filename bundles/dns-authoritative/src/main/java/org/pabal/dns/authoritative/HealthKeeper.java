package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// Takes addresses out of the zone while nobody is there, and puts them back.
///
/// Three failures in a row are needed for one, two successes for the other. When all addresses of a
/// type are down, all are answered: a check that is wrong must not take a service from the net.
final class HealthKeeper {

    private static final Logger LOG = LoggerFactory.getLogger(HealthKeeper.class);

    private static final int FALL = 3;
    private static final int RISE = 2;

    /// One address, as its checks went.
    ///
    /// @param against how many checks in a row said the contrary
    record Health(boolean up, int against, Instant since) {

        Health after(boolean answered, Instant now) {
            if (answered == up) {
                return new Health(up, 0, since);
            }
            return against + 1 == (up ? FALL : RISE)
                    ? new Health(answered, 0, now)
                    : new Health(up, against + 1, since);
        }
    }

    /// One address to check.
    record Place(KeptSet.Checked set, InetAddress address) {}

    private final Prober.Probe probe;
    private final ZoneEditor editor;
    private final InstantSource clock;
    private final Function<KeptSet, Optional<Zone>> home;

    /// The maps inside are guarded by themselves, in the order of the file.
    private final Map<KeptSet.Checked, Map<InetAddress, Health>> states = new ConcurrentHashMap<>();

    /// @param home the zone in which a set is kept, if it is to be kept
    HealthKeeper(
            Prober.Probe probe,
            ZoneEditor editor,
            InstantSource clock,
            Function<KeptSet, Optional<Zone>> home) {
        this.probe = probe;
        this.editor = editor;
        this.clock = clock;
        this.home = home;
    }

    void sets(Collection<KeptSet.Checked> all) {
        states.keySet().retainAll(all);
    }

    /// Makes the zone have what it should have. Waits for the disk.
    ///
    /// @return how long until the next time
    Duration keep(KeptSet.Checked set) {
        home.apply(set).ifPresent(zone -> write(set, zone));
        return AliasTargets.LATEST; // a zone that changes is told of
    }

    /// Checks one address. Waits for it, and for the disk.
    ///
    /// @return how long until the next time
    Duration check(Place place) {
        KeptSet.Checked set = place.set();
        Optional<Zone> zone = home.apply(set);
        if (zone.isPresent()) {
            boolean answered = probe.answers(place.address(), set.check(), set.owner());
            Map<InetAddress, Health> state = state(set, zone.get());
            Health before;
            Health after;
            long up;
            synchronized (state) {
                before = state.get(place.address());
                after = before.after(answered, clock.instant());
                state.put(place.address(), after);
                up = state.values().stream().filter(Health::up).count();
            }
            if (after.up() != before.up()) {
                LOG.warn(
                        "zone {}: {} {} is {} ({}), {} of {} addresses are up",
                        zone.get().origin(),
                        set.owner(),
                        place.address().getHostAddress(),
                        after.up() ? "up" : "down",
                        set.check(),
                        up,
                        set.addresses().size());
                write(set, zone.get());
            }
        }
        return set.check().every();
    }

    private void write(KeptSet.Checked set, Zone zone) {
        for (int type : new int[] {Type.A, Type.AAAA}) {
            if (!set.keeps(type)) {
                continue;
            }
            AddressSet wanted =
                    AddressSet.of(
                            set.owner(),
                            type,
                            set.ttl().toSeconds(),
                            answered(set, zone, type).stream().map(InetAddress::getAddress));
            try {
                if (!wanted.isIn(zone) && wanted.write(editor, zone.origin())) {
                    LOG.info(
                            "zone {}: {} {} has {} of its {} addresses by its check",
                            zone.origin(),
                            set.owner(),
                            Type.string(type),
                            wanted.records().size(),
                            set.addresses().stream()
                                    .filter(address -> KeptSet.type(address) == type)
                                    .count());
                }
            } catch (IOException | IllegalArgumentException e) {
                LOG.warn("zone {}: {}: {}", zone.origin(), set.setting(), e.getMessage());
            }
        }
    }

    private List<InetAddress> answered(KeptSet.Checked set, Zone zone, int type) {
        Map<InetAddress, Health> state = state(set, zone);
        synchronized (state) {
            List<InetAddress> all =
                    set.addresses().stream().filter(a -> KeptSet.type(a) == type).toList();
            List<InetAddress> up = all.stream().filter(a -> state.get(a).up()).toList();
            return up.isEmpty() ? all : up;
        }
    }

    /// Begins with what the zone has, perhaps from before a restart: what is not in it has to prove
    /// itself first. Of a type that it does not have at all, everybody is believed.
    private Map<InetAddress, Health> state(KeptSet.Checked set, Zone zone) {
        return states.computeIfAbsent(
                set,
                each -> {
                    Instant now = clock.instant();
                    Map<InetAddress, Health> state = new LinkedHashMap<>();
                    for (InetAddress address : set.addresses()) {
                        List<byte[]> there = octets(zone, set.owner(), KeptSet.type(address));
                        boolean none =
                                set.addresses().stream()
                                        .filter(a -> a.getClass() == address.getClass())
                                        .noneMatch(a -> contains(there, a));
                        state.put(address, new Health(none || contains(there, address), 0, now));
                    }
                    return state;
                });
    }

    private static List<byte[]> octets(Zone zone, Name owner, int type) {
        return zone.records(owner, type).stream()
                .flatMap(set -> set.rrs(false).stream())
                .map(record -> record.rdataToWireCanonical())
                .toList();
    }

    private static boolean contains(List<byte[]> octets, InetAddress address) {
        return octets.stream().anyMatch(each -> Arrays.equals(each, address.getAddress()));
    }

    /// The state of each address, a line each.
    List<String> explain(KeptSet.Checked set) {
        Map<InetAddress, Health> state = states.getOrDefault(set, Map.of());
        synchronized (state) {
            return set.addresses().stream()
                    .map(
                            address ->
                                    set.owner()
                                            + " "
                                            + address.getHostAddress()
                                            + " "
                                            + Optional.ofNullable(state.get(address))
                                                    .map(HealthKeeper::text)
                                                    .orElse("not checked yet")
                                            + " ("
                                            + set.check()
                                            + ")")
                    .toList();
        }
    }

    private static String text(Health health) {
        return (health.up() ? "up" : "down")
                + " since "
                + health.since().truncatedTo(ChronoUnit.SECONDS);
    }
}
