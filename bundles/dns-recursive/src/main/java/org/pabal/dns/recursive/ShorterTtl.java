package org.pabal.dns.recursive;

import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;

import java.io.IOException;
import java.nio.ByteBuffer;

/// A set that is kept no longer than something that it depends on.
final class ShorterTtl {

    private static final int TYPE_AND_CLASS = 4;

    private ShorterTtl() {}

    /// The same set, with TTLs of at most so many seconds.
    static RRset of(RRset set, long ttl) {
        if (set.rrs(false).stream().allMatch(record -> record.getTTL() <= ttl)
                && set.sigs().stream().allMatch(record -> record.getTTL() <= ttl)) {
            return set;
        }
        RRset shorter = new RRset();
        set.rrs(false).forEach(record -> shorter.addRR(of(record, ttl)));
        set.sigs().forEach(record -> shorter.addRR(of(record, ttl)));
        return shorter;
    }

    /// By way of the wire, which keeps upper and lower case as they are.
    private static Record of(Record record, long ttl) {
        byte[] wire = record.toWire(Section.ANSWER);
        ByteBuffer.wrap(wire)
                .putInt(
                        record.getName().length() + TYPE_AND_CLASS,
                        (int) Math.min(ttl, record.getTTL()));
        try {
            return Record.fromWire(wire, Section.ANSWER);
        } catch (IOException e) {
            throw new IllegalStateException(record.getName() + ": cannot be read back", e);
        }
    }
}
