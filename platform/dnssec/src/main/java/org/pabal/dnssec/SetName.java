package org.pabal.dnssec;

import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;

/// What names a record set.
public record SetName(Name name, int type) {

    static SetName of(Record record) {
        return new SetName(record.getName(), record.getRRsetType());
    }

    static SetName of(RRset set) {
        return new SetName(set.getName(), set.getType());
    }
}
