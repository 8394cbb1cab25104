package org.pabal.storage.file;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The steps of a zone as octets, and what comes out of several of them.
///
/// ```
///  step   = length(4) from to removed(4) added(4) record*      length counts what follows it
///  record = length(4) name type class ttl rdlength rdata       RFC 1035 §4.1.3, no name compressed
/// ```
final class ZoneSteps {

    private ZoneSteps() {}

    static byte[] octets(List<ZoneChange> steps) {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        for (ZoneChange step : steps) {
            byte[] one = octets(step);
            octets.writeBytes(ByteBuffer.allocate(4).putInt(one.length).array());
            octets.writeBytes(one);
        }
        return octets.toByteArray();
    }

    private static byte[] octets(ZoneChange step) {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(octets)) {
            put(out, step.from());
            put(out, step.to());
            out.writeInt(step.removed().size());
            out.writeInt(step.added().size());
            for (Record record : step.removed()) {
                put(out, record);
            }
            for (Record record : step.added()) {
                put(out, record);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail
        }
        return octets.toByteArray();
    }

    private static void put(DataOutputStream out, Record record) throws IOException {
        byte[] wire = record.toWire(Section.ANSWER);
        out.writeInt(wire.length);
        out.write(wire);
    }

    /// @throws IOException when these are no steps
    static List<ZoneChange> read(ByteBuffer octets) throws IOException {
        List<ZoneChange> steps = new ArrayList<>();
        try {
            while (octets.hasRemaining()) {
                int length = octets.getInt();
                ByteBuffer one = octets.slice(octets.position(), length);
                octets.position(octets.position() + length);
                SOARecord from = (SOARecord) record(one);
                SOARecord to = (SOARecord) record(one);
                int removed = one.getInt();
                int added = one.getInt();
                steps.add(new ZoneChange(from, to, records(one, removed), records(one, added)));
            }
            return steps;
        } catch (BufferUnderflowException
                | IndexOutOfBoundsException
                | ClassCastException
                | IllegalArgumentException e) {
            throw new IOException("no steps of a zone: " + e, e);
        }
    }

    private static List<Record> records(ByteBuffer octets, int count) throws IOException {
        List<Record> records = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            records.add(record(octets));
        }
        return records;
    }

    private static Record record(ByteBuffer octets) throws IOException {
        int length = octets.getInt();
        if (length < 0 || length > octets.remaining()) {
            throw new IOException("a record of " + length + " octets");
        }
        byte[] wire = new byte[length];
        octets.get(wire);
        return Record.fromWire(wire, Section.ANSWER);
    }

    /// The one step that does what these do one after the other, or empty when they lead back to
    /// where they began.
    static Optional<ZoneChange> joined(List<ZoneChange> steps) {
        SOARecord from = steps.getFirst().from();
        SOARecord to = steps.getLast().to();
        if (steps.size() == 1) {
            return Optional.of(steps.getFirst());
        }
        if (from.getSerial() == to.getSerial()) {
            return Optional.empty();
        }
        Map<Record, Record> removed = new LinkedHashMap<>(); // records are equal with any TTL
        Map<Record, Record> added = new LinkedHashMap<>();
        for (ZoneChange step : steps) {
            for (Record record : step.removed()) {
                added.remove(record);
                removed.putIfAbsent(record, record);
            }
            step.added().forEach(record -> added.put(record, record));
        }
        return Optional.of(
                new ZoneChange(
                        from, to, List.copyOf(removed.values()), List.copyOf(added.values())));
    }

    /// Whether a zone is one that these steps could have begun with: it has their first SOA and all
    /// that they remove, and nothing of what they add.
    static boolean fit(Zone zone, List<ZoneChange> steps) {
        if (!ZoneChange.same(ZoneChange.soa(zone), steps.getFirst().from())) {
            return false;
        }
        Map<Record, Boolean> touched = new HashMap<>();
        for (ZoneChange step : steps) {
            for (Record record : step.removed()) {
                if (!touched.getOrDefault(record, ZoneChange.has(zone, record))) {
                    return false;
                }
                touched.put(record, false);
            }
            for (Record record : step.added()) {
                if (touched.getOrDefault(record, ZoneChange.has(zone, record))) {
                    return false;
                }
                touched.put(record, true);
            }
        }
        return true;
    }

    /// How many of the records that steps touch are not in a zone as the steps leave them.
    static long missing(Zone zone, List<ZoneChange> steps) {
        Map<Record, Boolean> touched = new HashMap<>();
        for (ZoneChange step : steps) {
            step.removed().forEach(record -> touched.put(record, false));
            step.added().forEach(record -> touched.put(record, true));
        }
        return touched.entrySet().stream()
                .filter(each -> ZoneChange.has(zone, each.getKey()) != each.getValue())
                .count();
    }

    /// How many records two versions do not have in common, without the SOA.
    static long differing(Zone one, Zone other) {
        return notIn(one, other) + notIn(other, one);
    }

    private static long notIn(Zone here, Zone there) {
        try (Stream<RRset> all = here.all()) {
            return all.filter(set -> set.getType() != Type.SOA)
                    .mapToLong(
                            set ->
                                    ZoneChange.records(set).stream()
                                            .filter(record -> !ZoneChange.has(there, record))
                                            .count())
                    .sum();
        }
    }
}
