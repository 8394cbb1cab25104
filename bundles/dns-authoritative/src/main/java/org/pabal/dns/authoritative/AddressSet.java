package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The addresses of one type that a name should have in its zone.
///
/// @param records none when it should have none
record AddressSet(Name owner, int type, List<Record> records) {

    AddressSet {
        records = List.copyOf(records);
    }

    /// @param data of each record: the octets of an address
    static AddressSet of(Name owner, int type, long ttl, Stream<byte[]> data) {
        return new AddressSet(
                owner,
                type,
                data.map(octets -> Record.newRecord(owner, type, DClass.IN, ttl, octets)).toList());
    }

    /// Whether the zone has exactly these, in whatever order.
    boolean isIn(Zone zone) {
        return same(
                zone.records(owner, type).stream()
                        .flatMap(set -> set.rrs(false).stream())
                        .toList());
    }

    /// Makes the zone have them. Signatures of what was there before go with it.
    ///
    /// @return whether the zone had others
    /// @throws IllegalArgumentException when it cannot; one line for an administrator
    boolean write(ZoneEditor editor, Name origin) throws IOException {
        boolean[] changed = {false};
        editor.edit(
                origin,
                current -> {
                    changed[0] = false;
                    if (isIn(current)) {
                        return Optional.empty();
                    }
                    ZoneEdit edit = new ZoneEdit(current);
                    edit.remove(owner, type);
                    records.forEach(edit::add);
                    Optional<ZoneChange> change = edit.change();
                    changed[0] = change.isPresent();
                    return change;
                });
        return changed[0];
    }

    private boolean same(List<Record> others) {
        return others.size() == records.size()
                && records.stream()
                        .allMatch(
                                wanted ->
                                        others.stream().anyMatch(o -> ZoneChange.same(o, wanted)));
    }
}
