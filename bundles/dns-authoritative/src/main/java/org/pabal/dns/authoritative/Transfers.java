package org.pabal.dns.authoritative;

import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneStore;
import org.pabal.dns.server.Query;
import org.pabal.dns.server.SparingLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// Gives copies of zones to those who may have them: AXFR (RFC 5936) and IXFR (RFC 1995), with the
/// permissions of [TransferPolicy].
///
/// A transfer is of the version that was current when it began, and is made message by message as
/// the client takes it.
final class Transfers implements RequestHandler {

    private static final Logger LOG = LoggerFactory.getLogger(AuthoritativeServer.class);

    /// What a TSIG takes at most: two names and a MAC.
    private static final int TSIG_ROOM = 255 + 255 + 26 + 64;

    /// No record is shorter.
    private static final int SMALLEST = 12;

    /// Records of a message, before names are compressed: a pointer reaches 16,384 octets, and a
    /// record may be as long as three more of these.
    private static final int MESSAGE = 16_000;

    private final ZoneStore store;
    private final Function<Name, Optional<Zone>> served;
    private final Supplier<Administration> administration;
    private final Reply replies;
    private final SparingLog refusals;
    private final int maxTransfers;
    private final Semaphore room;

    /// @param maxTransfers how many may go on at one time; who comes then gets SERVFAIL, and tries
    ///     again
    Transfers(
            ZoneStore store,
            Function<Name, Optional<Zone>> served,
            Supplier<Administration> administration,
            Reply replies,
            SparingLog refusals,
            int maxTransfers) {
        this.store = store;
        this.served = served;
        this.administration = administration;
        this.replies = replies;
        this.refusals = refusals;
        this.maxTransfers = maxTransfers;
        this.room = new Semaphore(maxTransfers);
    }

    @Override
    public Stream<byte[]> answer(Request request) throws IOException {
        Query query = request.query();
        Optional<Zone> zone = served.apply(query.name());
        if (zone.isEmpty()) {
            return bare(request, Rcode.NOTAUTH); // RFC 5936 §2.2.1
        }
        if (!administration.get().of(query.name()).transfer().allows(request)) {
            return refused(request, Rcode.REFUSED, "no transfer grant allows it");
        }
        Optional<SOARecord> had = Optional.empty();
        if (query.type() == Type.IXFR) {
            had = had(request);
            if (had.isEmpty()) {
                return bare(request, Rcode.FORMERR);
            }
        }
        if (!room.tryAcquire()) {
            return refused(
                    request, Rcode.SERVFAIL, "max-transfers = " + maxTransfers + " are going on");
        }
        try {
            return messages(request, zone.get(), had).onClose(room::release);
        } catch (IOException | RuntimeException e) {
            room.release();
            throw e;
        }
    }

    /// The steps to the version that is served, which need not be the last that is kept: that one
    /// may wait for its signatures.
    private Optional<List<ZoneChange>> steps(Zone zone, long since) throws IOException {
        return store.changes(zone.origin(), since)
                .filter(
                        steps ->
                                !steps.isEmpty()
                                        && steps.getLast().to().getSerial() == zone.serial());
    }

    private Stream<byte[]> messages(Request request, Zone zone, Optional<SOARecord> had)
            throws IOException {
        Optional<List<ZoneChange>> steps = Optional.empty();
        if (had.isPresent()) {
            long serial = had.get().getSerial();
            // RFC 1995 §2: who has this version, or a newer one, gets the SOA alone.
            boolean behind = Serial.follows(zone.serial(), serial);
            steps = behind ? steps(zone, serial) : Optional.of(List.of());
            if (steps.filter(List::isEmpty).isPresent()) {
                return Stream.of(single(request, zone));
            }
        }
        if (!request.stream()) {
            return Stream.of(
                    steps.flatMap(some -> datagram(request, some))
                            .orElseGet(() -> single(request, zone)));
        }
        // RFC 1995 §2, §5: the whole zone when that is shorter
        Optional<List<ZoneChange>> brief = steps.filter(some -> shorter(some, zone));
        LOG.info(
                "zone {}: {} to {}",
                zone.origin(),
                brief.map(some -> "changes since serial " + some.getFirst().from().getSerial())
                        .orElse("all of serial " + zone.serial()),
                client(request));
        Stream<Record> records = brief.map(Transfers::records).orElseGet(() -> records(zone));
        return StreamSupport.stream(
                        Spliterators.spliteratorUnknownSize(
                                new Messages(request.query(), records.iterator()),
                                Spliterator.ORDERED | Spliterator.NONNULL),
                        false)
                .onClose(records::close);
    }

    /// RFC 1995 §4: the SOA of the newest version, each step as it was made, and the SOA again.
    private static Stream<Record> records(List<ZoneChange> steps) {
        SOARecord newest = steps.getLast().to();
        Stream<Record> body =
                steps.stream()
                        .flatMap(
                                step ->
                                        Stream.of(
                                                        Stream.of(step.from()),
                                                        step.removed().stream(),
                                                        Stream.of(step.to()),
                                                        step.added().stream())
                                                .flatMap(each -> each));
        return Stream.concat(Stream.concat(Stream.of(newest), body), Stream.of(newest));
    }

    /// RFC 5936 §2.2: the SOA first and last, and only there.
    private static Stream<Record> records(Zone zone) {
        SOARecord soa = ZoneChange.soa(zone);
        Stream<Record> body =
                zone.all()
                        .flatMap(set -> ZoneChange.records(set).stream())
                        .filter(record -> record.getType() != Type.SOA);
        return Stream.concat(Stream.concat(Stream.of(soa), body), Stream.of(soa));
    }

    private static boolean shorter(List<ZoneChange> steps, Zone zone) {
        long records = count(steps);
        try (Stream<RRset> all = zone.all()) {
            return all.mapToLong(set -> set.size() + set.sigSize()).limit(records).sum() >= records;
        }
    }

    private static long count(List<ZoneChange> steps) {
        return steps.stream()
                .mapToLong(step -> 2 + step.removed().size() + step.added().size())
                .sum();
    }

    /// RFC 1995 §2: over UDP the changes, when they fit into one packet.
    private Optional<byte[]> datagram(Request request, List<ZoneChange> steps) {
        int limit = replies.limit(request.query(), false);
        if (request.query().tsig()) {
            limit -= TSIG_ROOM;
        }
        if (count(steps) * SMALLEST > limit) {
            return Optional.empty();
        }
        Message message = message(request.query());
        records(steps).forEach(record -> message.addRecord(record, Section.ANSWER));
        byte[] octets = written(request.query(), message);
        return octets.length > limit ? Optional.empty() : Optional.of(octets);
    }

    private byte[] single(Request request, Zone zone) {
        Message message = message(request.query());
        message.addRecord(ZoneChange.soa(zone), Section.ANSWER);
        return written(request.query(), message);
    }

    private static Message message(Query query) {
        Message message = new Message(query.id());
        message.getHeader().setFlag(Flags.QR);
        message.getHeader().setFlag(Flags.AA);
        message.addRecord(query.question().orElseThrow(), Section.QUESTION);
        return message;
    }

    private byte[] written(Query query, Message message) {
        byte[] octets = replies.write(query, message, true);
        if ((octets[2] & 0x02) != 0) {
            throw new IllegalStateException(
                    "zone " + query.name() + ": a record that fits into no message");
        }
        return octets;
    }

    /// The version that the client has: the SOA in the authority section, RFC 1995 §3.
    private static Optional<SOARecord> had(Request request) {
        try {
            return new Message(request.octets())
                    .getSection(Section.AUTHORITY).stream()
                            .filter(record -> record.getName().equals(request.query().name()))
                            .filter(record -> record instanceof SOARecord)
                            .map(record -> (SOARecord) record)
                            .findFirst();
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    private Stream<byte[]> refused(Request request, int rcode, String why) {
        refusals.say(
                "zone "
                        + request.query().name()
                        + ": a transfer to "
                        + client(request)
                        + " is refused: "
                        + why);
        return bare(request, rcode);
    }

    private Stream<byte[]> bare(Request request, int rcode) {
        return Stream.of(replies.write(request.query(), Answer.bare(rcode), request.stream()));
    }

    private static String client(Request request) {
        return request.from().address().getAddress().getHostAddress()
                + request.key().map(key -> " by key " + key.toString(true)).orElse("")
                + (request.encrypted() ? " over TLS" : "");
    }

    /// Makes messages of records, each when it is asked for.
    private final class Messages implements Iterator<byte[]> {

        private final Query query;
        private final Iterator<Record> records;
        private boolean first = true;

        Messages(Query query, Iterator<Record> records) {
            this.query = query;
            this.records = records;
        }

        @Override
        public boolean hasNext() {
            return records.hasNext();
        }

        @Override
        public byte[] next() {
            Message message = message(query);
            if (!first) {
                message.removeAllRecords(Section.QUESTION); // RFC 5936 §2.2.2: may be empty
            }
            first = false;
            int octets = 0;
            while (octets < MESSAGE && records.hasNext()) {
                Record record = records.next();
                message.addRecord(record, Section.ANSWER);
                octets += record.toWire(Section.ANSWER).length;
            }
            return written(query, message);
        }
    }
}
