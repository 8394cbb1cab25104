package org.pabal.dns.authoritative;

import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneStore;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// Looks what the parent of a zone has: the parent is a zone of ours, or a resolver is asked.
///
/// A resolver is believed only when DNSSEC proved what it says: on what we believe here depends
/// which keys are thrown away.
final class DsAtParent {

    private final ZoneStore store;
    private final Supplier<Optional<Resolver>> resolver;

    DsAtParent(ZoneStore store, Supplier<Optional<Resolver>> resolver) {
        this.store = store;
        this.resolver = resolver;
    }

    /// The parent, when it is a zone of ours that delegates this one.
    Optional<Zone> parent(Name origin) {
        return IntStream.range(1, Math.max(1, origin.labels()))
                .mapToObj(labels -> store.find(new Name(origin, labels)))
                .flatMap(Optional::stream)
                .findFirst()
                .filter(zone -> zone.records(origin, Type.NS).isPresent());
    }

    /// The DS records of a zone; empty when it cannot be found out. May take some seconds.
    Optional<List<DSRecord>> look(Name origin) {
        Optional<Zone> parent = parent(origin);
        if (parent.isPresent()) {
            return Optional.of(
                    parent.get()
                            .records(origin, Type.DS)
                            .map(DsAtParent::records)
                            .orElse(List.of()));
        }
        return resolver.get()
                .flatMap(
                        asked ->
                                switch (asked.resolve(origin, Type.DS)) {
                                    case Resolution.Found found when found.secure() ->
                                            found.records().stream()
                                                    .filter(set -> set.getType() == Type.DS)
                                                    .filter(set -> set.getName().equals(origin))
                                                    .map(DsAtParent::records)
                                                    .findFirst();
                                    case Resolution.NoSuchRecord none when none.secure() ->
                                            Optional.of(List.of());
                                    default -> Optional.empty();
                                });
    }

    private static List<DSRecord> records(RRset set) {
        return set.rrs(false).stream().map(DSRecord.class::cast).toList();
    }
}
