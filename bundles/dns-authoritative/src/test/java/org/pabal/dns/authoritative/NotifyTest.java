package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.dns.Zone;
import org.pabal.dns.server.Query;
import org.pabal.protocol.Peer;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MemoryZoneFreshness;
import org.pabal.testkit.MemoryZoneStore;
import org.pabal.testkit.MovableClock;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// NOTIFY both ways, RFC 1996.
class NotifyTest {

    private static final Name ORIGIN = Node.name("example.org");
    private static final String FILE =
            """
            @ 3600 SOA ns1 hostmaster 5 7200 900 1209600 300
            @ NS ns1
            @ NS ns2
            @ NS ns3
            @ NS ns.example.com.
            ns1 A 192.0.2.1
            ns2 A 192.0.2.2
            ns2 AAAA 2001:db8::2
            ns3 A 192.0.2.3
            """;

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-01T12:00:00Z"));
    private final MemoryZoneStore store = new MemoryZoneStore();

    // ---- in

    private final List<Runnable> begun = new ArrayList<>();
    private final Secondaries secondaries =
            new Secondaries(
                    store,
                    new MemoryZoneFreshness(),
                    new PrimaryTransfers(store, name -> Optional.empty()),
                    clock,
                    bound -> bound - 1,
                    begun::add,
                    origins -> {});
    private final NotifyAnswering answering =
            new NotifyAnswering(secondaries, new Reply(1232), store::find);

    @Test
    void primaryIsHeardByItsAddress() {
        secondary("192.0.2.53");
        Message answer = answer(notify(6), "192.0.2.53", Optional.empty());
        assertEquals(Rcode.NOERROR, answer.getRcode());
        assertEquals(Opcode.NOTIFY, answer.getHeader().getOpcode());
        assertTrue(answer.getHeader().getFlag(Flags.QR) && answer.getHeader().getFlag(Flags.AA));
        assertEquals(ORIGIN, answer.getQuestion().getName());
        assertEquals(1, begun.size());
    }

    @Test
    void strangerIsRefused() {
        secondary("192.0.2.53");
        assertEquals(Rcode.REFUSED, answer(notify(6), "192.0.2.54", Optional.empty()).getRcode());
        assertEquals(0, begun.size());
    }

    @Test
    void keyIsRequiredWhereOneIsSet() {
        secondary("192.0.2.53 key transfer.example.org");
        Name key = Node.name("transfer.example.org");
        for (Optional<Name> wrong :
                List.of(Optional.<Name>empty(), Optional.of(Node.name("other.example.org")))) {
            assertEquals(Rcode.REFUSED, answer(notify(6), "192.0.2.53", wrong).getRcode());
        }
        assertEquals(0, begun.size());
        assertEquals(Rcode.NOERROR, answer(notify(6), "198.51.100.1", Optional.of(key)).getRcode());
        assertEquals(1, begun.size());
    }

    @Test
    void zoneThatIsNotHereIsNotAuthAndOneOfOursRefused() {
        assertEquals(Rcode.NOTAUTH, answer(notify(6), "192.0.2.53", Optional.empty()).getRcode());
        store.publish(MemoryZone.of("example.org", FILE));
        assertEquals(Rcode.REFUSED, answer(notify(6), "192.0.2.53", Optional.empty()).getRcode());
    }

    @Test
    void onlySoaIsAType() {
        secondary("192.0.2.53");
        Message message = notify(6);
        message.removeAllRecords(Section.QUESTION);
        message.addRecord(Record.newRecord(ORIGIN, Type.A, DClass.IN), Section.QUESTION);
        assertEquals(Rcode.FORMERR, answer(message, "192.0.2.53", Optional.empty()).getRcode());
    }

    @Test
    void notifyPassesTheReaderAndMalformedOnesDoNot() {
        assertEquals(Rcode.NOERROR, Query.read(notify(6).toWire()).orElseThrow().fault());
        byte[] cut = notify(6).toWire();
        byte[] scrap = Arrays.copyOf(cut, cut.length - 3);
        assertEquals(Rcode.FORMERR, Query.read(scrap).orElseThrow().fault());
    }

    @Test
    void serverWithoutExchangeAnswersNotImp() {
        try (Node node = Node.serving("example.org", FILE)) {
            assertEquals(Rcode.NOTIMP, node.answer(notify(6)).getRcode());
        }
    }

    private void secondary(String primary) {
        secondaries.configure(Map.of(ORIGIN, settings(Map.of("primaries", primary)).sources()));
    }

    private Message answer(Message notify, String from, Optional<Name> key) {
        byte[] octets = notify.toWire();
        Request request =
                new Request(
                        Query.read(octets).orElseThrow(),
                        octets,
                        new Peer(new InetSocketAddress(from, 4053), "test"),
                        false,
                        false,
                        key);
        return Node.parsed(answering.answer(request).findFirst().orElseThrow());
    }

    private static Message notify(long serial) {
        Message message = Message.newQuery(Record.newRecord(ORIGIN, Type.SOA, DClass.IN));
        message.getHeader().setOpcode(Opcode.NOTIFY);
        message.getHeader().setFlag(Flags.AA);
        message.addRecord(
                new SOARecord(ORIGIN, DClass.IN, 60, ORIGIN, ORIGIN, serial, 1, 1, 1, 1),
                Section.ANSWER);
        return message;
    }

    // ---- out

    private final List<String> told = new ArrayList<>();
    private Notifier.Telling telling = this::note;
    private Administration administration = Administration.NONE;
    private final Notifier notifier =
            new Notifier(
                    store::find,
                    () -> administration,
                    address -> address.getHostAddress().equals("192.0.2.3"),
                    clock,
                    Runnable::run,
                    (server, key, notify, sources) -> telling.tell(server, key, notify, sources));

    @Test
    void nameServersOfOurZonesAreToldButNotThePrimaryAndNotWe() throws IOException {
        changed(5);
        assertEquals(List.of("192.0.2.2 5", "2001:db8:0:0:0:0:0:2 5"), told);
        assertEquals(0, notifier.size());
    }

    @Test
    void namedServersAreToldWithTheirKeys() throws IOException {
        administration =
                new Administration(
                        List.of(
                                settings(
                                        Map.of(
                                                "notify",
                                                "192.0.2.9@5353 key transfer.example.org,"
                                                        + " 192.0.2.2@5353",
                                                "notify-name-servers",
                                                "no"))),
                        List.of(
                                new TsigKey(
                                        Map.of(
                                                "name",
                                                "transfer.example.org",
                                                "secret",
                                                "c2VjcmV0IG9mIHR3byBzZXJ2ZXJz"))));
        changed(5);
        assertEquals(List.of("192.0.2.9 5 signed", "192.0.2.2 5"), told.reversed());
    }

    @Test
    void primaryFromWhichAZoneCameIsNotTold() throws IOException {
        Zone zone = MemoryZone.of("example.org", FILE);
        store.publish(zone);
        notifier.changed(zone, List.of(RemoteServer.parse("192.0.2.2@5353")));
        notifier.look();
        assertEquals(List.of("2001:db8:0:0:0:0:0:2 5"), told);
    }

    @Test
    void silentServerIsToldFiveTimesWithGrowingPauses() throws IOException {
        telling =
                (server, key, notify, sources) -> {
                    note(server, key, notify, sources);
                    throw new SocketTimeoutException("no answer by UDP");
                };
        administration = only("192.0.2.9");
        changed(5);
        for (int pause : new int[] {5, 15, 45, 135}) {
            int before = told.size();
            clock.advance(Duration.ofSeconds(pause - 1));
            notifier.look();
            assertEquals(before, told.size());
            clock.advance(Duration.ofSeconds(1));
            notifier.look();
            assertEquals(before + 1, told.size());
        }
        assertEquals(5, told.size());
        assertEquals(0, notifier.size());
        clock.advance(Duration.ofDays(1));
        notifier.look();
        assertEquals(5, told.size());
    }

    @Test
    void refusalEndsIt() throws IOException {
        telling =
                (server, key, notify, sources) -> {
                    note(server, key, notify, sources);
                    return Rcode.REFUSED;
                };
        administration = only("192.0.2.9");
        changed(5);
        clock.advance(Duration.ofDays(1));
        notifier.look();
        assertEquals(List.of("192.0.2.9 5"), told);
    }

    @Test
    void versionsThatComeBetweenAreOneNews() throws IOException {
        telling =
                (server, key, notify, sources) -> {
                    note(server, key, notify, sources);
                    throw new SocketTimeoutException("no answer by UDP");
                };
        administration = only("192.0.2.9");
        changed(5);
        telling = this::note;
        changed(6);
        for (int serial = 7; serial < 20; serial++) {
            Zone zone = zone(serial);
            store.publish(zone);
            notifier.changed(zone, List.of());
        }
        notifier.look();
        assertEquals(List.of("192.0.2.9 5", "192.0.2.9 6", "192.0.2.9 19"), told);
    }

    @Test
    void queueHasALimit() {
        administration =
                only(
                        IntStream.range(0, 1000)
                                .mapToObj(i -> "192.0.2.9@" + (2000 + i))
                                .collect(Collectors.joining(", ")));
        for (int i = 0; i <= Notifier.MAX_WAITING / 1000; i++) {
            notifier.changed(
                    MemoryZone.of("z" + i + ".example.net", Node.SOA + "@ NS ns1\n"), List.of());
        }
        assertEquals(Notifier.MAX_WAITING, notifier.size());
    }

    @Test
    void notifyGoesOverTheNetworkAndItsAnswerIsChecked() throws IOException {
        try (ScriptedPrimary other =
                new ScriptedPrimary(query -> ScriptedPrimary.saying(query, Rcode.NOERROR))) {
            telling = Notifier::tell;
            administration = only(other.text());
            changed(5);
            assertEquals(List.of("NOTIFY"), other.asked);
            assertEquals(0, notifier.size());
        }
    }

    private void changed(long serial) throws IOException {
        store.publish(zone(serial));
        notifier.changed(zone(serial), List.of());
        notifier.look();
    }

    private static Zone zone(long serial) {
        return MemoryZone.of("example.org", FILE.replace(" 5 7200", " " + serial + " 7200"));
    }

    private int note(
            RemoteServer server, Optional<TSIG> key, Message notify, ZoneSources settings) {
        InetAddress address = server.address().getAddress();
        SOARecord soa = (SOARecord) notify.getSection(Section.ANSWER).getFirst();
        told.add(
                address.getHostAddress()
                        + " "
                        + soa.getSerial()
                        + (key.isPresent() ? " signed" : ""));
        return Rcode.NOERROR;
    }

    private static Administration only(String server) {
        return new Administration(
                List.of(
                        new ZoneSettings(
                                Map.of(
                                        "zones",
                                        "*",
                                        "notify",
                                        server,
                                        "notify-name-servers",
                                        "no"))),
                List.of());
    }

    private static ZoneSettings settings(Map<String, Object> more) {
        Map<String, Object> all = new HashMap<>(more);
        all.put("zones", "example.org");
        return new ZoneSettings(all);
    }

    @Test
    void expiredZoneIsServfailAndItsParentSaysNothing() {
        try (Node node =
                Node.serving(
                        "example.org",
                        Node.SOA + "@ NS ns1\nns1 A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.5\n",
                        "sub.example.org",
                        Node.SOA + "@ NS ns\nwww A 192.0.2.7\n")) {
            assertEquals("NOERROR aa", node.ask("www.sub.example.org", Type.A).split("\n")[0]);
            node.server.unavailable(Set.of(Node.name("sub.example.org")));
            Message query = Node.query("www.sub.example.org", Type.A);
            assertEquals(Rcode.SERVFAIL, served(node, query).getRcode());
            assertEquals(
                    Rcode.NOERROR, served(node, Node.query("ns1.example.org", Type.A)).getRcode());
            node.server.unavailable(Set.of());
            assertEquals(Rcode.NOERROR, served(node, query).getRcode());
        }
    }

    private static Message served(Node node, Message query) {
        TestDatagram datagram = new TestDatagram(query.toWire());
        node.server.received(datagram);
        return Node.parsed(datagram.sent().orElseThrow());
    }
}
