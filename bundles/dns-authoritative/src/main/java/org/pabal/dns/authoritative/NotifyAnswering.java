package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.pabal.dns.server.Query;
import org.pabal.dns.server.SparingLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/// Answers NOTIFY, RFC 1996: a primary says that a zone has changed, and the zone is asked for.
///
/// Only a zone's primaries are heard, by their address or, where a key is set for one, by that key
/// alone; over UDP an address proves little, so what can be had by it is one request to the real
/// primary a second (security row D20).
final class NotifyAnswering implements RequestHandler {

    private static final Logger LOG = LoggerFactory.getLogger(NotifyAnswering.class);

    private final Secondaries secondaries;
    private final Reply replies;
    private final Function<Name, Optional<Zone>> zones;
    private final SparingLog refusals = new SparingLog(LOG::warn);

    /// @param zones those of ours
    NotifyAnswering(Secondaries secondaries, Reply replies, Function<Name, Optional<Zone>> zones) {
        this.secondaries = secondaries;
        this.replies = replies;
        this.zones = zones;
    }

    @Override
    public Stream<byte[]> answer(Request request) {
        return Stream.of(
                replies.write(
                        request.query(), Answer.acknowledged(rcode(request)), request.stream()));
    }

    private int rcode(Request request) {
        Query query = request.query();
        if (query.type() != Type.SOA) {
            return Rcode.FORMERR; // RFC 1996 §3.7: the only type that it defines
        }
        Name origin = query.name();
        List<RemoteServer> primaries = secondaries.primaries(origin);
        if (primaries.isEmpty() && zones.apply(origin).isEmpty()) {
            return Rcode.NOTAUTH;
        }
        Optional<Long> serial;
        try {
            serial = serial(origin, request.octets());
        } catch (IOException e) {
            return Rcode.FORMERR;
        }
        if (primaries.stream().noneMatch(primary -> isFrom(primary, request))) {
            refuse(request, origin, primaries);
            return Rcode.REFUSED;
        }
        secondaries.notified(origin, request.from().address(), serial);
        return Rcode.NOERROR;
    }

    private static boolean isFrom(RemoteServer primary, Request request) {
        InetAddress from = request.from().address().getAddress();
        return primary.key()
                .map(key -> request.key().equals(Optional.of(key)))
                .orElseGet(() -> primary.address().getAddress().equals(from));
    }

    private void refuse(Request request, Name origin, List<RemoteServer> primaries) {
        refusals.say(
                "zone "
                        + origin
                        + ": NOTIFY from "
                        + request.from().address().getAddress().getHostAddress()
                        + " refused: "
                        + (primaries.isEmpty()
                                ? "the zone is made here"
                                : "expected one of its primaries, signed where a key is set for"
                                        + " it"));
    }

    private static Optional<Long> serial(Name origin, byte[] octets) throws IOException {
        Message message;
        try {
            message = new Message(octets);
        } catch (RuntimeException e) {
            throw new IOException(e);
        }
        return message.getSection(Section.ANSWER).stream()
                .filter(record -> record.getName().equals(origin))
                .filter(SOARecord.class::isInstance)
                .map(record -> ((SOARecord) record).getSerial())
                .findFirst();
    }
}
