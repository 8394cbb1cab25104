package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.server.Edges;
import org.pabal.dns.server.EdnsAnswering;
import org.pabal.dns.server.Query;
import org.pabal.dns.server.Statistics;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MemoryZoneKeyStore;
import org.pabal.testkit.MemoryZoneStore;
import org.pabal.testkit.MovableClock;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// A server with zones in memory. Every query that is asked here goes both ways, and both have to
/// say the same.
final class Node implements AutoCloseable {

    static final String SOA = "@ 3600 SOA ns1 hostmaster 1 7200 3600 1209600 300\n";

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    final MovableClock clock = new MovableClock(Instant.parse("2026-11-01T12:00:00Z"));
    final MemoryZoneKeyStore zoneKeys = new MemoryZoneKeyStore();
    final MemoryZoneStore store;
    final AuthoritativeServer server;

    /// The sender of a [TestDatagram], who has no limit here.
    static final ByteBuffer ADDRESS = ByteBuffer.wrap(new byte[] {(byte) 192, 0, 2, 53});

    static final Map<String, Object> UNLIMITED = Map.of("rate-limit", "0");

    private final Edges edges = new Edges(ServerSettings.of(UNLIMITED).edges(), clock);
    private final WireLookup fast = new WireLookup(edges);
    private final EdnsAnswering options = new EdnsAnswering(edges);
    private final Reply replies = new Reply(1232);
    private ServedZones zones = ServedZones.NONE;

    /// How many queries the fast path answered.
    int fastAnswers;

    Node(Zone... first) {
        store =
                new MemoryZoneStore(
                        new ZoneObserver() {
                            @Override
                            public void published(Zone current) {
                                zones =
                                        zones.with(
                                                new ServedZones.OfZone(
                                                        current,
                                                        Optional.of(WireZone.of(current))));
                                server().published(current);
                            }

                            @Override
                            public void changed(Zone current, List<ZoneChange> steps) {
                                WireZone before =
                                        zones.zone(current.origin())
                                                .orElseThrow()
                                                .wire()
                                                .orElseThrow();
                                zones =
                                        zones.with(
                                                new ServedZones.OfZone(
                                                        current,
                                                        Optional.of(before.with(current, steps))));
                                server().changed(current, steps);
                            }

                            @Override
                            public void withdrawn(Name origin) {
                                zones = zones.without(origin);
                                server().withdrawn(origin);
                            }
                        });
        server = new AuthoritativeServer(store, zoneKeys, clock, UNLIMITED);
        for (Zone zone : first) {
            store.publish(zone);
        }
    }

    private AuthoritativeServer server() {
        return server;
    }

    /// Zones from their origin and master file, in turn.
    static Node serving(String... originsAndFiles) {
        Zone[] zones = new Zone[originsAndFiles.length / 2];
        for (int i = 0; i < zones.length; i++) {
            zones[i] = MemoryZone.of(originsAndFiles[2 * i], originsAndFiles[2 * i + 1]);
        }
        return new Node(zones);
    }

    ServedZones zones() {
        return zones;
    }

    static Name name(String text) {
        return Name.fromConstantString(text.endsWith(".") ? text : text + ".");
    }

    static Message query(String name, int type) {
        return Message.newQuery(Record.newRecord(name(name), type, DClass.IN));
    }

    static Message edns(Message query, int size, int flags) {
        query.addRecord(new OPTRecord(size, 0, 0, flags), Section.ADDITIONAL);
        return query;
    }

    /// Asks with EDNS, without DO, so that answers are not cut.
    String ask(String name, int type) {
        return text(answer(edns(query(name, type), 4096, 0)));
    }

    Message answer(Message query) {
        return parsed(octets(query.toWire()).orElseThrow());
    }

    /// The answer to a datagram, by the doorway; and compared on both paths.
    Optional<byte[]> octets(byte[] query) {
        TestDatagram datagram = new TestDatagram(query);
        server.received(datagram);
        assertAgree(query, false);
        assertAgree(query, true);
        // some are answered by another thread, and all but scraps and answers are
        boolean deserves = query.length >= 12 && (query[2] & 0x80) == 0;
        return deserves ? datagram.sent(PATIENCE) : datagram.sent();
    }

    /// What the fast path says, if it says anything.
    String fastText(ServedZones zones, byte[] query) {
        ByteBuffer out = ByteBuffer.allocate(4096);
        if (fast.answer(zones, ByteBuffer.wrap(query), out, ADDRESS, Statistics.TCP)
                != WireLookup.ANSWERED) {
            return "left to the readable path";
        }
        byte[] octets = new byte[out.position()];
        out.get(0, octets);
        return exact(parsed(octets));
    }

    void assertAgree(byte[] query, boolean stream) {
        ByteBuffer out = ByteBuffer.allocate(4096);
        int transport = stream ? Statistics.TCP : Statistics.UDP;
        if (fast.answer(zones, ByteBuffer.wrap(query), out, ADDRESS, transport)
                == WireLookup.NOT_HERE) {
            return;
        }
        fastAnswers++;
        byte[] octets = new byte[out.position()];
        out.get(0, octets);
        Query read = options.considered(Query.read(query).orElseThrow(), ADDRESS, transport);
        assertEquals(Rcode.NOERROR, read.fault(), "the fast path took what the readable refuses");
        byte[] slow =
                replies.write(
                        read,
                        ZoneLookup.find(zones, read.name(), read.type(), read.dnssec()),
                        stream);
        assertEquals(exact(parsed(slow)), exact(parsed(octets)));
        assertEquals(read.name().toString(), parsed(octets).getQuestion().getName().toString());
        assertTrue(stream || octets.length <= replies.limit(read, false));
    }

    static Message parsed(byte[] octets) {
        try {
            return new Message(octets);
        } catch (IOException e) {
            throw new AssertionError("an answer that cannot be read", e);
        }
    }

    /// Everything in a message, sections sorted. In lower case: a name that points to the question
    /// has the question's case, and which names do is for each writer to choose.
    static String exact(Message message) {
        Header header = message.getHeader();
        StringBuilder text = new StringBuilder();
        text.append(header.getID())
                .append(' ')
                .append(header.printFlags())
                .append(' ')
                .append(message.getRcode());
        for (int section = 0; section < 4; section++) {
            text.append(
                    message.getSection(section).stream()
                            .map(record -> record.toString().toLowerCase(Locale.ROOT))
                            .sorted()
                            .collect(Collectors.joining("\n", "\n" + section + ":", "")));
        }
        return text.toString().toLowerCase(Locale.ROOT);
    }

    /// The message as tests write it: rcode and flags, then a line a record, `?` for the authority
    /// section and `+` for the additional one. The answer section stays in its order.
    static String text(Message message) {
        List<String> lines = new ArrayList<>();
        lines.add(
                Rcode.string(message.getRcode())
                        + (message.getHeader().getFlag(Flags.AA) ? " aa" : "")
                        + (message.getHeader().getFlag(Flags.TC) ? " tc" : ""));
        message.getSection(Section.ANSWER).forEach(record -> lines.add(text(record)));
        message.getSection(Section.AUTHORITY).stream()
                .map(r -> "? " + text(r))
                .sorted()
                .forEach(lines::add);
        message.getSection(Section.ADDITIONAL).stream()
                .filter(record -> record.getType() != Type.OPT)
                .map(r -> "+ " + text(r))
                .sorted()
                .forEach(lines::add);
        return String.join("\n", lines);
    }

    private static String text(Record record) {
        String data = record.getType() == Type.SOA ? "" : " " + record.rdataToString();
        return record.getName()
                + " "
                + record.getTTL()
                + " "
                + Type.string(record.getType())
                + data;
    }

    @Override
    public void close() {
        server.stop();
    }
}
