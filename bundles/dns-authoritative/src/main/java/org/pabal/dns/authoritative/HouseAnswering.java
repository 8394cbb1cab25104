package org.pabal.dns.authoritative;

import org.pabal.dns.Authority;
import org.pabal.dns.Responder;
import org.pabal.dns.server.FaultLog;
import org.pabal.dns.server.Query;
import org.pabal.protocol.Peer;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Answers the local name server of this node, without a packet: by the readable path, as a client
/// over a stream would be answered, and without the limits that are there because of strangers.
final class HouseAnswering implements Authority {

    /// Whom a plugged-in responder sees.
    private static final Peer HOUSE =
            new Peer(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), "own zones");

    private final Supplier<ServedZones> zones;
    private final Reply replies;
    private final FaultLog faults =
            new FaultLog(LoggerFactory.getLogger(AuthoritativeServer.class)::error);

    /// @param zones the view of the moment
    HouseAnswering(Supplier<ServedZones> zones, Reply replies) {
        this.zones = zones;
        this.replies = replies;
    }

    /// Who looks for the DS of a zone that is ours has to ask its parent, and when that is not ours
    /// we have nothing to say (RFC 4035 §3.1.4.1). A client over the network is told what the child
    /// knows, because it chose to ask here; the local name server can ask elsewhere.
    @Override
    public Optional<Name> zone(Name name, int type) {
        ServedZones current = zones.get();
        boolean above = type == Type.DS && name.labels() > 1;
        for (int label = above ? 1 : 0; label < name.labels(); label++) {
            Name origin = label == 0 ? name : new Name(name, label);
            if (current.serves(origin)) {
                return Optional.of(origin);
            }
        }
        return Optional.empty();
    }

    @Override
    public Message answer(Message query) {
        byte[] octets = query.toWire();
        Query read =
                Query.read(octets)
                        .orElseThrow(() -> new IllegalArgumentException("not a query: " + query));
        try {
            return parsed(reply(read, query));
        } catch (IOException | RuntimeException e) {
            faults.note(HOUSE, e);
            return parsed(replies.write(read, Answer.bare(Rcode.SERVFAIL), true));
        }
    }

    private byte[] reply(Query query, Message message) throws IOException {
        if (query.fault() != Rcode.NOERROR) {
            return bare(query, query.fault());
        }
        if (query.opcode() != Opcode.QUERY || query.transfer()) {
            return bare(query, Rcode.NOTIMP);
        }
        if (query.question().orElseThrow().getDClass() != DClass.IN) {
            return bare(query, Rcode.REFUSED);
        }
        ServedZones current = zones.get();
        ServedZones.Source source = current.source(query.name(), query.type()).orElse(null);
        return switch (source) {
            case ServedZones.Unavailable gone -> bare(query, Rcode.SERVFAIL);
            case ServedZones.Plugged plugged -> plugged(plugged.responder(), query, message);
            case ServedZones.OfZone zone -> found(current, query);
            case null -> bare(query, Rcode.REFUSED);
        };
    }

    private byte[] found(ServedZones current, Query query) {
        return replies.write(
                query, ZoneLookup.find(current, query.name(), query.type(), query.dnssec()), true);
    }

    private byte[] plugged(Responder responder, Query query, Message message) throws IOException {
        try (Stream<Message> answers = responder.respond(message.clone(), HOUSE)) {
            return answers.findFirst()
                    .map(answer -> replies.write(query, answer, true))
                    .orElseThrow(() -> new IOException("the responder says nothing"));
        }
    }

    private byte[] bare(Query query, int rcode) {
        return replies.write(query, Answer.bare(rcode), true);
    }

    private static Message parsed(byte[] octets) {
        try {
            return new Message(octets);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
