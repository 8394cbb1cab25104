package org.pabal.dns.authoritative;

import org.pabal.dns.PackedZone;
import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneStore;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Type;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Stream;

/// Brings a zone up to date from one of its primaries: asks for the SOA, then for the steps (IXFR),
/// then for the whole zone (AXFR), whichever is needed and is to be had.
final class PrimaryTransfers {

    private static final Duration SOA_PATIENCE = Duration.ofSeconds(3);

    private final ZoneStore store;
    private final Function<Name, Optional<TsigKey>> keys;
    private final Function<Zone, Optional<String>> wrong;

    PrimaryTransfers(ZoneStore store, Function<Name, Optional<TsigKey>> keys) {
        this(store, keys, zone -> Optional.empty());
    }

    /// @param wrong what is wrong with a zone as it came, by its own digest
    PrimaryTransfers(
            ZoneStore store,
            Function<Name, Optional<TsigKey>> keys,
            Function<Zone, Optional<String>> wrong) {
        this.store = store;
        this.keys = keys;
        this.wrong = wrong;
    }

    /// @param wanted asked before anything is published: the zone may not be ours any more
    /// @throws TransferFault when the primary could be reached and does not help
    /// @throws IOException when it could not be reached, or the zone could not be kept
    Refresh refresh(Name origin, ZoneSources sources, RemoteServer primary, BooleanSupplier wanted)
            throws IOException {
        Optional<TSIG> key = key(primary);
        Optional<Zone> ours = store.find(origin);
        if (ours.isEmpty()) {
            return publish(whole(origin, sources, primary, key), origin, sources, "AXFR", wanted);
        }
        Optional<Long> theirs = serial(origin, sources, primary, key);
        if (theirs.isPresent() && !wants(theirs.get(), ours.get(), sources)) {
            return theirs.get() == ours.get().serial()
                    ? new Refresh.Current()
                    : new Refresh.Older(theirs.get());
        }
        String trouble;
        try {
            Transfer steps = steps(origin, sources, primary, key, ZoneChange.soa(ours.get()));
            if (steps instanceof Transfer.Current current && theirs.isEmpty()) {
                return current.serial() == ours.get().serial()
                        ? new Refresh.Current()
                        : new Refresh.Older(current.serial());
            }
            if (steps instanceof Transfer.Steps some) {
                check(some.steps(), ours.get(), sources);
                Zone after = ours.get();
                for (ZoneChange step : some.steps()) {
                    after = after.with(step);
                }
                requireRight(after);
                requireWanted(wanted);
                Optional<Zone> next = store.change(some.steps());
                if (next.isPresent()) {
                    return new Refresh.Newer(next.get(), "IXFR, steps: " + some.steps().size());
                }
            } else if (steps instanceof Transfer.Whole) {
                return publish(steps, origin, sources, "IXFR, whole", wanted);
            }
            trouble = "no steps";
        } catch (TransferFault | IllegalArgumentException e) {
            trouble = e.getMessage();
        }
        // RFC 1995 §4: who cannot do with the steps asks for the whole zone.
        return publish(
                whole(origin, sources, primary, key),
                origin,
                sources,
                "AXFR (IXFR: " + trouble + ")",
                wanted);
    }

    private static boolean wants(long serial, Zone ours, ZoneSources sources) {
        return Serial.follows(serial, ours.serial())
                || sources.rollback() && serial != ours.serial();
    }

    private Optional<TSIG> key(RemoteServer primary) throws TransferFault {
        if (primary.key().isEmpty()) {
            return Optional.empty();
        }
        Name name = primary.key().get();
        return Optional.of(
                keys.apply(name)
                        .orElseThrow(
                                () ->
                                        new TransferFault(
                                                "key "
                                                        + name
                                                        + " is not known here; expected a file"
                                                        + " etc/org.pabal.tsig~NAME.cfg with it"))
                        .tsig());
    }

    /// The primary's serial, by UDP or TLS; empty when there is no answer that way, which need not
    /// mean that there is none by TCP.
    private static Optional<Long> serial(
            Name origin, ZoneSources sources, RemoteServer primary, Optional<TSIG> key)
            throws IOException {
        Message question = Message.newQuery(Record.newRecord(origin, Type.SOA, DClass.IN));
        question.getHeader().unsetFlag(Flags.RD);
        Message answer;
        try {
            answer =
                    new RemoteQuery(primary, key, question)
                            .answer(sources.tlsTrust(), SOA_PATIENCE);
        } catch (SocketTimeoutException e) {
            return Optional.empty();
        }
        if (answer.getHeader().getFlag(Flags.TC)) {
            return Optional.empty();
        }
        if (answer.getRcode() != Rcode.NOERROR) {
            throw new TransferFault("SOA refused with " + Rcode.string(answer.getRcode()));
        }
        // RFC 1034 §4.3.5: an answer that is not authoritative is from one who expired it himself.
        return Optional.of(
                answer.getSection(Section.ANSWER).stream()
                        .filter(record -> record.getName().equals(origin))
                        .filter(SOARecord.class::isInstance)
                        .filter(record -> answer.getHeader().getFlag(Flags.AA))
                        .map(record -> ((SOARecord) record).getSerial())
                        .findFirst()
                        .orElseThrow(() -> new TransferFault("does not have the zone")));
    }

    private static Transfer steps(
            Name origin,
            ZoneSources sources,
            RemoteServer primary,
            Optional<TSIG> key,
            SOARecord ours)
            throws IOException {
        Message question = Message.newQuery(Record.newRecord(origin, Type.IXFR, DClass.IN));
        question.addRecord(ours, Section.AUTHORITY);
        return transfer(origin, sources, primary, key, question, Optional.of(ours));
    }

    private static Transfer whole(
            Name origin, ZoneSources sources, RemoteServer primary, Optional<TSIG> key)
            throws IOException {
        Message question = Message.newQuery(Record.newRecord(origin, Type.AXFR, DClass.IN));
        return transfer(origin, sources, primary, key, question, Optional.empty());
    }

    private static Transfer transfer(
            Name origin,
            ZoneSources sources,
            RemoteServer primary,
            Optional<TSIG> key,
            Message question,
            Optional<SOARecord> ours)
            throws IOException {
        question.getHeader().unsetFlag(Flags.RD);
        RemoteQuery query = new RemoteQuery(primary, key, question);
        TransferReader reader =
                new TransferReader(
                        origin, query.id(), ours, sources.maxRecords(), sources.maxOctets());
        try (ServerStream stream =
                ServerStream.open(primary, sources.tlsTrust(), sources.transferTime())) {
            stream.send(query.octets());
            return read(reader, stream::read, key, query);
        }
    }

    /// Where messages come from.
    interface Messages {
        byte[] next() throws IOException;
    }

    /// Reads messages to the last. Every one is checked when there is a key (security row D21);
    /// what was read counts only then.
    static Transfer read(
            TransferReader reader, Messages messages, Optional<TSIG> key, RemoteQuery query)
            throws IOException {
        Optional<TSIG.StreamVerifier> verifier =
                key.map(tsig -> new TSIG.StreamVerifier(tsig, query.signature().orElseThrow()));
        boolean last = false;
        while (!last) {
            byte[] octets;
            try {
                octets = messages.next();
            } catch (EOFException e) {
                // Some close the stream where they should say that they do not know IXFR.
                throw new TransferFault("the stream ended before the transfer did");
            }
            Message message = RemoteQuery.parsed(octets);
            TransferFault fault = null;
            try {
                last = reader.accept(message, octets.length);
            } catch (TransferFault e) {
                fault = e;
                last = true;
            }
            if (verifier.isPresent()) {
                Optional<String> bad =
                        RemoteQuery.fault(verifier.get().verify(message, octets, last), message);
                if (bad.isPresent()) {
                    throw new TransferFault(bad.get());
                }
            }
            if (fault != null) {
                throw fault;
            }
        }
        return reader.transfer();
    }

    private Refresh publish(
            Transfer transfer, Name origin, ZoneSources sources, String how, BooleanSupplier wanted)
            throws IOException {
        Transfer.Whole whole = (Transfer.Whole) transfer;
        PackedZone next;
        try {
            next = new PackedZone(origin, whole.records());
        } catch (IllegalArgumentException e) {
            throw new TransferFault("cannot be served: " + e.getMessage());
        }
        Optional<Zone> ours = store.find(origin);
        if (ours.isPresent() && !wants(next.serial(), ours.get(), sources)) {
            return next.serial() == ours.get().serial()
                    ? new Refresh.Current()
                    : new Refresh.Older(next.serial());
        }
        requireRight(next);
        requireWanted(wanted);
        try {
            store.publish(next);
        } catch (IllegalArgumentException e) {
            throw new TransferFault("cannot be served: " + e.getMessage());
        }
        String dropped =
                whole.dropped() == 0
                        ? ""
                        : ", " + whole.dropped() + " records that do not belong to it dropped";
        return new Refresh.Newer(next, how + ", " + next.size() + " records" + dropped);
    }

    private void requireRight(Zone next) throws TransferFault {
        Optional<String> why = wrong.apply(next);
        if (why.isPresent()) {
            throw new TransferFault(why.get());
        }
    }

    private static void requireWanted(BooleanSupplier wanted) throws TransferFault {
        if (!wanted.getAsBoolean()) {
            throw new TransferFault("the zone is not wanted any more");
        }
    }

    /// Steps that do not fit to our version would make one that nobody has. TTLs are passed over:
    /// a set here has one (RFC 2181 §5.2), there perhaps several.
    private static void check(List<ZoneChange> steps, Zone ours, ZoneSources sources)
            throws TransferFault {
        Map<Record, Boolean> there = new HashMap<>();
        long size = size(ours);
        for (ZoneChange step : steps) {
            for (Record record : step.removed()) {
                Boolean known = there.put(record, false);
                if (!(known == null ? ZoneChange.has(ours, record) : known)) {
                    throw new TransferFault("a step removes what we do not have: " + record);
                }
                size--;
            }
            for (Record record : step.added()) {
                there.put(record, true);
                size++;
            }
        }
        if (size > sources.maxRecords()) {
            throw new TransferFault(
                    "more than " + sources.maxRecords() + " records, see max-zone-records");
        }
    }

    private static long size(Zone zone) {
        if (zone instanceof PackedZone packed) {
            return packed.size();
        }
        try (Stream<RRset> all = zone.all()) {
            return all.mapToLong(set -> set.size() + set.sigSize()).sum();
        }
    }
}
