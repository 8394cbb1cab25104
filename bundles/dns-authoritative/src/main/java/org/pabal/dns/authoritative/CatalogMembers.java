package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/// Which zones we have because a catalog of another server lists them: the consumer of RFC 9432.
///
/// Used by one thread.
final class CatalogMembers {

    private static final Logger LOG = LoggerFactory.getLogger(CatalogMembers.class);

    private record Owner(Name catalog, Name label) {}

    private final Predicate<Name> taken;

    /// The last version of each that was not broken.
    private final Map<Name, Catalog> catalogs = new TreeMap<>();

    private final Map<Name, Owner> owners = new HashMap<>();
    private final Map<Name, String> complaints = new HashMap<>();

    /// @param taken whether a zone is ours by other means, and no catalog may have it (§5.2)
    CatalogMembers(Predicate<Name> taken) {
        this.taken = taken;
    }

    /// Takes over the present version of a catalog. A broken one changes nothing (§5.1).
    ///
    /// @return zones that have to be taken away before anything else is done about them: listed no
    ///     more, or listed as another zone of the same name (§5.3, §5.4)
    Set<Name> read(Zone zone, int maxMembers) {
        Catalog catalog;
        try {
            catalog = Catalog.of(zone, maxMembers);
        } catch (IllegalArgumentException e) {
            complain(
                    zone.origin(),
                    e.getMessage() + "; the zones that it listed before stay as they are");
            return Set.of();
        }
        complaints.remove(zone.origin());
        Optional<Catalog> before = Optional.ofNullable(catalogs.put(zone.origin(), catalog));
        Set<Name> gone = new HashSet<>();
        // Whoever changes to another catalog does so before the old one drops it.
        for (Catalog each : List.copyOf(catalogs.values())) {
            each.members().forEach((member, entry) -> list(each, member, entry, gone));
        }
        owners.entrySet()
                .removeIf(
                        entry -> {
                            boolean dropped =
                                    entry.getValue().catalog().equals(zone.origin())
                                            && !catalog.members().containsKey(entry.getKey());
                            if (dropped) {
                                gone.add(entry.getKey());
                            }
                            return dropped;
                        });
        if (!gone.isEmpty()) {
            // Another catalog may have listed what this one had.
            for (Catalog each : List.copyOf(catalogs.values())) {
                each.members().forEach((member, entry) -> list(each, member, entry, gone));
            }
        }
        int change = catalog.members().size() - before.map(c -> c.members().size()).orElse(0);
        LOG.info(
                "catalog {}: serial {} lists {} zones ({})",
                zone.origin(),
                zone.serial(),
                catalog.members().size(),
                change < 0 ? "" + change : "+" + change);
        return gone;
    }

    private void list(Catalog catalog, Name member, Catalog.Member entry, Set<Name> gone) {
        Owner next = new Owner(catalog.origin(), entry.label());
        Owner owner = owners.get(member);
        if (next.equals(owner)) {
            return;
        }
        if (owner == null) {
            if (member.equals(catalog.origin()) || !gone.contains(member) && taken.test(member)) {
                complain(
                        member,
                        "catalog "
                                + catalog.origin()
                                + " lists zone "
                                + member
                                + ", which is ours already and stays so");
                return;
            }
            owners.put(member, next);
        } else if (owner.catalog().equals(next.catalog()) || mayChange(member, owner, next)) {
            owners.put(member, next);
            if (!owner.label().equals(next.label())) {
                gone.add(member); // §5.4: another label means another zone
            }
        } else {
            complain(
                    member,
                    "catalog "
                            + catalog.origin()
                            + " lists zone "
                            + member
                            + ", which catalog "
                            + owner.catalog()
                            + " has; it stays there");
            return;
        }
        complaints.remove(member);
    }

    /// §4.4.1: the old catalog has to say so.
    private boolean mayChange(Name member, Owner owner, Owner next) {
        return Optional.ofNullable(catalogs.get(owner.catalog()))
                .map(catalog -> catalog.members().get(member))
                .flatMap(Catalog.Member::goesTo)
                .filter(next.catalog()::equals)
                .isPresent();
    }

    /// Forgets catalogs that are none any more; their zones stay where they are, and are ours.
    void keepOnly(Set<Name> consumed) {
        List<Name> left = new ArrayList<>(catalogs.keySet());
        left.removeAll(consumed);
        for (Name catalog : left) {
            catalogs.remove(catalog);
            owners.values().removeIf(owner -> owner.catalog().equals(catalog));
            LOG.info("catalog {}: is none any more; its zones stay as they are", catalog);
        }
    }

    boolean knows(Name catalog) {
        return catalogs.containsKey(catalog);
    }

    /// The zones that catalogs list, each with its catalog.
    Map<Name, Name> all() {
        Map<Name, Name> all = new HashMap<>();
        owners.forEach((member, owner) -> all.put(member, owner.catalog()));
        return all;
    }

    private void complain(Name about, String what) {
        if (!what.equals(complaints.put(about, what))) {
            LOG.error(what);
        }
    }
}
