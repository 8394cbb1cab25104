package org.pabal.dns.authoritative;

import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Keeps a catalog of our zones (RFC 9432): lists those that have come and drops those that have
/// gone. What stands beside, and labels that an administrator chose, it leaves as they are.
final class CatalogProducer {

    private static final Logger LOG = LoggerFactory.getLogger(CatalogProducer.class);

    private final ZoneStore store;
    private final ZoneEditor editor;

    CatalogProducer(ZoneStore store, ZoneEditor editor) {
        this.store = store;
        this.editor = editor;
    }

    /// Brings a catalog up to date, and makes it when it is not there.
    ///
    /// @param listed which zones it lists
    void bringUpToDate(Name catalog, List<ZoneSources.Pattern> listed) throws IOException {
        if (store.find(catalog).isEmpty()) {
            store.publish(new PackedZone(catalog, Catalog.empty(catalog)));
            LOG.info("catalog {}: made", catalog);
        }
        editor.edit(catalog, current -> change(current, listed));
    }

    private Optional<ZoneChange> change(Zone current, List<ZoneSources.Pattern> listed) {
        Name origin = current.origin();
        Set<Name> wanted;
        try (Stream<Zone> zones = store.zones()) {
            wanted =
                    zones.map(Zone::origin)
                            .filter(zone -> !zone.equals(origin))
                            .filter(zone -> listed.stream().anyMatch(p -> p.matches(zone)))
                            .collect(Collectors.toCollection(HashSet::new));
        }
        ZoneEdit edit = new ZoneEdit(current);
        Catalog.of(current, Integer.MAX_VALUE)
                .members()
                .forEach(
                        (member, entry) -> {
                            if (!wanted.remove(member)) {
                                drop(current, edit, entry.label());
                            }
                        });
        for (Name zone : wanted) {
            PTRRecord entry = Catalog.entry(origin, zone);
            edit.remove(entry.getName(), Type.PTR);
            edit.add(entry);
        }
        return edit.change();
    }

    /// The entry and its properties, which stand below it.
    private static void drop(Zone current, ZoneEdit edit, Name label) {
        Name entry = Catalog.entryName(current.origin(), label);
        try (Stream<RRset> all = current.all()) {
            all.filter(set -> set.getName().subdomain(entry))
                    .map(RRset::first)
                    .map(Record.class::cast)
                    .forEach(record -> edit.remove(record.getName(), record.getRRsetType()));
        }
    }
}
