package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// Makes the next version of a zone: the records of the one before without some, with others, and a
/// new serial.
final class ZoneEdit {

    private ZoneEdit() {}

    /// @param gone which record sets are left out, with their signatures
    /// @param added records that come in
    static Zone next(Zone before, Predicate<RRset> gone, List<? extends Record> added) {
        List<Record> records = new ArrayList<>();
        before.all()
                .filter(gone.negate())
                .forEach(
                        set -> {
                            set.rrs(false)
                                    .forEach(
                                            record ->
                                                    records.add(
                                                            record instanceof SOARecord soa
                                                                    ? next(soa)
                                                                    : record));
                            records.addAll(set.sigs());
                        });
        records.addAll(added);
        return new MasterZone(before.origin(), records);
    }

    /// RFC 1982 §3.1: the serial after 4294967295 is 0, and that is an increase.
    private static SOARecord next(SOARecord soa) {
        Name name = soa.getName();
        long serial = soa.getSerial() + 1 & 0xFFFFFFFFL;
        return new SOARecord(
                name,
                DClass.IN,
                soa.getTTL(),
                soa.getHost(),
                soa.getAdmin(),
                serial,
                soa.getRefresh(),
                soa.getRetry(),
                soa.getExpire(),
                soa.getMinimum());
    }
}
