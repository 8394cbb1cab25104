package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.dns.DnsFraming;
import org.pabal.dns.Zone;
import org.pabal.dns.server.Query;
import org.pabal.dns.server.SparingLog;
import org.pabal.protocol.Peer;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.TestConnection;
import org.pabal.testkit.TestDatagram;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import javax.crypto.spec.SecretKeySpec;

/// AXFR (RFC 5936), IXFR (RFC 1995), signed and not; security rows D20 and D21.
class TransferTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final byte[] SECRET = "not a secret at all, thirty-two.".getBytes();
    private static final Name ORIGIN = Node.name("example.org");
    private static final String FILE =
            Node.SOA
                    + """
                    @ 3600 NS ns1
                    ns1 3600 A 192.0.2.1
                    www 3600 A 192.0.2.2
                    www 3600 A 192.0.2.3
                    sub 3600 NS ns.sub
                    ns.sub 3600 A 192.0.2.4
                    mx 3600 MX 1 www
                    mx 3600 MX 2 www
                    mx 3600 MX 3 www
                    mx 3600 MX 4 www
                    mx 3600 MX 5 www
                    mx 3600 MX 6 www
                    mx 3600 MX 7 www
                    mx 3600 MX 8 www
                    www 3600 RRSIG A 13 3 3600 20360101000000 20260101000000 1 example.org. AAAA
                    """;

    private final Node node = Node.serving("example.org.", FILE, "example.net.", FILE);
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    TransferTest() {
        node.server.bindTsigKey(SignedRequestTest.key("copy.example.org", "hmac-sha256"));
        node.server.bindTsigKey(SignedRequestTest.key("other.example.org", "hmac-sha256"));
        allow("127.0.0.1, 192.0.2.53, key copy.example.org");
    }

    private void allow(String transfer) {
        node.server.bindZoneSettings(
                new ZoneSettings(Map.of("zones", "example.org", "transfer", transfer)));
    }

    @AfterEach
    void stop() {
        threads.close();
        node.close();
    }

    private TSIG tsig(String key) {
        return new TSIG(
                TSIG.HMAC_SHA256,
                Node.name(key),
                new SecretKeySpec(SECRET, "HmacSHA256"),
                Clock.fixed(node.clock.instant(), ZoneOffset.UTC));
    }

    private static Message axfr() {
        return Node.query("example.org", Type.AXFR);
    }

    private static Message ixfr(long serial) {
        Message query = Node.query("example.org", Type.IXFR);
        Name any = Name.root;
        query.addRecord(
                new SOARecord(ORIGIN, DClass.IN, 0, any, any, serial, 0, 0, 0, 0),
                Section.AUTHORITY);
        return query;
    }

    /// All messages of one answer: those before the answer to the next query of the stream.
    private List<byte[]> stream(TestConnection connection, Message query) throws Exception {
        Future<?> conversation =
                threads.submit(
                        () -> {
                            node.server.converse(connection);
                            connection.finish();
                            return null;
                        });
        Message next = Node.query("ns1.example.org", Type.A);
        next.getHeader().setID(query.getHeader().getID() ^ 1);
        DnsFraming.write(connection.toServer(), query.toWire());
        DnsFraming.write(connection.toServer(), next.toWire());
        List<byte[]> messages = new ArrayList<>();
        InputStream in = connection.fromServer();
        byte[] message = DnsFraming.read(in).orElseThrow();
        while (Node.parsed(message).getHeader().getID() == query.getHeader().getID()) {
            messages.add(message);
            message = DnsFraming.read(in).orElseThrow();
        }
        connection.close();
        conversation.get();
        return messages;
    }

    private List<byte[]> stream(Message query) throws Exception {
        return stream(new TestConnection(), query);
    }

    private static List<Record> answers(List<byte[]> messages) {
        List<Record> records = new ArrayList<>();
        messages.forEach(
                octets -> {
                    Message message = Node.parsed(octets);
                    assertEquals(Rcode.NOERROR, message.getRcode());
                    assertTrue(message.getHeader().getFlag(Flags.AA));
                    assertFalse(message.getHeader().getFlag(Flags.TC));
                    records.addAll(message.getSection(Section.ANSWER));
                });
        return records;
    }

    private static String rcode(List<byte[]> messages) {
        assertEquals(1, messages.size());
        Message message = Node.parsed(messages.getFirst());
        assertEquals(0, message.getSection(Section.ANSWER).size());
        return Rcode.string(message.getRcode());
    }

    /// `SOA 3 +www A 192.0.2.9`: the records in their order, serials of SOAs alone.
    private static String text(List<Record> records) {
        List<String> lines = new ArrayList<>();
        for (Record record : records) {
            lines.add(
                    record instanceof SOARecord soa
                            ? "SOA " + soa.getSerial()
                            : record.getName().relativize(ORIGIN)
                                    + " "
                                    + Type.string(record.getType())
                                    + " "
                                    + record.rdataToString());
        }
        return String.join(", ", lines);
    }

    private void set(String name, int type, String data) throws IOException {
        Record record =
                Record.fromString(
                        Node.name(name + ".example.org"), type, DClass.IN, 60, data, Name.root);
        node.server
                .editor()
                .edit(
                        ORIGIN,
                        zone -> {
                            ZoneEdit edit = new ZoneEdit(zone);
                            edit.remove(record.getName(), type);
                            edit.add(record);
                            return edit.change();
                        });
    }

    /// RFC 5936 §2.2: the SOA first and last, everything between once, glue and signatures too
    @Test
    void givesAllOfAZone() throws Exception {
        List<Record> records = answers(stream(axfr()));
        assertEquals(Type.SOA, records.getFirst().getType());
        assertEquals(Type.SOA, records.getLast().getType());
        List<Record> body = records.subList(1, records.size() - 1);
        assertEquals(15, body.size());
        assertEquals(15, new HashSet<>(body).size());
        assertTrue(text(body).contains("ns.sub A 192.0.2.4"));
        assertEquals(1, body.stream().filter(r -> r.getType() == Type.RRSIG).count());
    }

    /// D20: nobody by default; then by address, by key, over TLS, or by all of these together
    @ParameterizedTest
    @CsvSource({
        "'', 127.0.0.1, copy, true, false",
        "127.0.0.1, 127.0.0.1, '', false, true",
        "127.0.0.1, 192.0.2.7, '', false, false",
        "192.0.2.0/25, 192.0.2.127, '', false, true",
        "192.0.2.0/25, 192.0.2.128, '', false, false",
        "2001:db8::/32, 2001:db8:1::1, '', false, true",
        "2001:db8::/32, 192.0.2.7, '', false, false",
        "key copy.example.org, 192.0.2.7, copy, false, true",
        "key copy.example.org, 192.0.2.7, other, false, false",
        "key copy.example.org, 192.0.2.7, '', true, false",
        "key copy.example.org 192.0.2.7, 192.0.2.7, copy, false, true",
        "key copy.example.org 192.0.2.7, 192.0.2.8, copy, false, false",
        "key copy.example.org 192.0.2.7, 192.0.2.7, '', false, false",
        "192.0.2.7 tls, 192.0.2.7, '', true, true",
        "192.0.2.7 tls, 192.0.2.7, '', false, false",
        "tls key copy.example.org, 192.0.2.7, copy, true, true",
        "tls key copy.example.org, 192.0.2.7, copy, false, false",
    })
    void asksThePolicy(String policy, String address, String key, boolean tls, boolean given)
            throws Exception {
        for (Message query : List.of(axfr(), ixfr(0), ixfr(1))) {
            node.server.unbindZoneSettings(node.server.administration().zones().getFirst());
            allow(policy);
            if (!key.isEmpty()) {
                tsig(key + ".example.org").apply(query, null);
            }
            TestConnection connection =
                    new TestConnection()
                            .from(new Peer(new InetSocketAddress(address, 40_000), "test"));
            List<byte[]> messages = stream(tls ? connection.withTls() : connection, query);
            if (given) {
                assertEquals(Type.SOA, answers(messages).getFirst().getType());
            } else {
                assertEquals("REFUSED", rcode(messages));
            }
        }
    }

    @Test
    void refusesWhatIsNoZoneOfOurs() throws Exception {
        assertEquals("NOTAUTH", rcode(stream(Node.query("example.com", Type.AXFR))));
        assertEquals("NOTAUTH", rcode(stream(Node.query("www.example.org", Type.AXFR))));
        assertEquals("REFUSED", rcode(stream(Node.query("example.net", Type.AXFR))));
        assertEquals(
                "FORMERR", rcode(stream(Node.query("example.org", Type.IXFR))), "without an SOA");
    }

    /// RFC 8945 §5.3.1: every message is signed, the later ones with the timers only
    @Test
    void signsEveryMessageOfATransfer() throws Exception {
        node.store.publish(large(5_000));
        Message query = axfr();
        TSIG tsig = tsig("copy.example.org");
        tsig.apply(query, null);
        List<byte[]> messages =
                stream(
                        new TestConnection()
                                .from(new Peer(new InetSocketAddress("192.0.2.7", 40_000), "test")),
                        query);
        assertTrue(messages.size() > 3);
        TSIG.StreamVerifier verifier = new TSIG.StreamVerifier(tsig, query.getTSIG());
        for (int i = 0; i < messages.size(); i++) {
            Message message = Node.parsed(messages.get(i));
            assertTrue(message.getTSIG() != null, "message " + i);
            assertEquals(
                    Rcode.NOERROR,
                    verifier.verify(message, messages.get(i), i == messages.size() - 1));
        }
        assertEquals(10_004, answers(messages).size());
    }

    private static Zone large(int names) {
        StringBuilder file = new StringBuilder(Node.SOA + "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\n");
        for (int i = 0; i < names; i++) {
            file.append("host-").append(i).append(" 3600 A 192.0.2.9\n");
            file.append("host-").append(i).append(" 3600 TXT \"").append(i).append("\"\n");
        }
        return MemoryZone.of("example.org.", file.toString());
    }

    /// Messages of some size, one version, and no more in memory than the client takes
    @Test
    void makesTheMessagesAsTheyAreTaken() throws Exception {
        node.store.publish(large(5_000));
        List<byte[]> messages = stream(axfr());
        for (byte[] message : messages) {
            assertTrue(message.length <= 16_384 + 300, "octets: " + message.length);
        }
        assertTrue(messages.size() > 5);
        Set<Record> all = new HashSet<>(answers(messages));
        assertEquals(10_003, all.size());

        Transfers transfers = transfers(1);
        Request request = request(axfr());
        try (var taken = transfers.answer(request)) {
            var iterator = taken.iterator();
            Message first = Node.parsed(iterator.next());
            node.store.publish(large(1)); // of another version nothing is seen
            int records = first.getSection(Section.ANSWER).size();
            while (iterator.hasNext()) {
                records += Node.parsed(iterator.next()).getSection(Section.ANSWER).size();
            }
            assertEquals(10_004, records);
        }
    }

    private Transfers transfers(int max) {
        return new Transfers(
                node.store,
                node.store::find,
                () -> node.server.administration(),
                new Reply(1232),
                new SparingLog(LoggerFactory.getLogger(TransferTest.class)::warn),
                max);
    }

    private static Request request(Message query) {
        byte[] octets = query.toWire();
        return new Request(
                Query.read(octets).orElseThrow(),
                octets,
                new Peer(new InetSocketAddress("127.0.0.1", 40_000), "test"),
                true,
                false,
                Optional.empty());
    }

    @Test
    void givesNoMoreTransfersAtOneTimeThanAreSet() throws Exception {
        Transfers transfers = transfers(2);
        var one = transfers.answer(request(axfr()));
        var two = transfers.answer(request(ixfr(0)));
        assertEquals("SERVFAIL", rcode(transfers.answer(request(axfr())).toList()));
        two.close();
        var three = transfers.answer(request(axfr()));
        assertEquals(17, answers(three.toList()).size());
        three.close();
        one.close();
    }

    /// RFC 1995 §4: the newest SOA, then for each step the old SOA, what went, the new SOA, what
    /// came, and the newest SOA again
    @Test
    void givesTheStepsSinceASerial() throws Exception {
        set("www", Type.A, "192.0.2.9");
        set("new", Type.TXT, "x");
        assertEquals("SOA 3, SOA 2, SOA 3, new TXT x, SOA 3", text(answers(stream(ixfr(2)))));
        String both = text(answers(stream(ixfr(1))));
        assertTrue(both.startsWith("SOA 3, SOA 1, www A 192.0.2.2, www A 192.0.2.3, "), both);
        assertTrue(both.endsWith(", SOA 2, www A 192.0.2.9, SOA 2, SOA 3, new TXT x, SOA 3"), both);
    }

    /// RFC 1995 §2: up to date or ahead, not remembered
    @Test
    void givesTheSoaAloneOrTheWholeZone() throws Exception {
        set("www", Type.A, "192.0.2.9");
        assertEquals("SOA 2", text(answers(stream(ixfr(2)))));
        assertEquals("SOA 2", text(answers(stream(ixfr(3)))));
        assertEquals("SOA 2", text(answers(stream(ixfr(0x7FFFFFFFL)))));
        String whole = text(answers(stream(ixfr(0))));
        assertTrue(whole.startsWith("SOA 2, ") && !whole.startsWith("SOA 2, SOA"), whole);
        assertTrue(whole.endsWith(", SOA 2"), whole);
        assertTrue(
                text(answers(stream(ixfr(0xFFFFFFF0L)))).startsWith("SOA 2, "),
                "RFC 1982: it is behind");
    }

    @Test
    void givesTheWholeZoneWhenThatIsShorter() throws Exception {
        for (int i = 0; i < 20; i++) {
            set("www", Type.A, "192.0.2." + (100 + i));
        }
        String whole = text(answers(stream(ixfr(1))));
        assertFalse(whole.startsWith("SOA 21, SOA"), whole);
        assertTrue(text(answers(stream(ixfr(20)))).startsWith("SOA 21, SOA 20, "));
    }

    private Message datagram(Message query) {
        TestDatagram datagram = new TestDatagram(query.toWire());
        node.server.received(datagram);
        return Node.parsed(datagram.sent(PATIENCE).orElseThrow());
    }

    /// RFC 1995 §2: over UDP what fits into one packet, or else the SOA alone
    @Test
    void givesOverUdpWhatFits() throws Exception {
        set("new", Type.TXT, "x");
        assertEquals(
                "SOA 2, SOA 1, SOA 2, new TXT x, SOA 2",
                text(datagram(ixfr(1)).getSection(Section.ANSWER)));
        assertEquals("SOA 2", text(datagram(ixfr(2)).getSection(Section.ANSWER)));
        assertEquals("SOA 2", text(datagram(ixfr(0)).getSection(Section.ANSWER)));
        set("big", Type.TXT, "\"%s\" \"%s\"".formatted("x".repeat(255), "y".repeat(255)));
        assertEquals("SOA 3", text(datagram(ixfr(1)).getSection(Section.ANSWER)));
        assertEquals(
                6,
                datagram(Node.edns(ixfr(1), 1232, 0)).getSection(Section.ANSWER).size() - 2,
                "SOA 3, SOA 1, SOA 2, new, SOA 2, SOA 3, big, SOA 3");
        assertEquals("NOTIMP", Node.text(datagram(axfr())));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tls",
                "key",
                "192.0.2.0/33",
                "192.0.2.1 192.0.2.2",
                "key a key b",
                "ns1.example.org",
                "key copy.example.org tls tls",
                "any"
            })
    void saysWhatIsWrongInItsSettings(String transfer) {
        BadSetting bad = assertThrows(BadSetting.class, () -> allow(transfer));
        assertTrue(bad.getMessage().contains("transfer = "), bad.getMessage());
        assertTrue(bad.getMessage().contains("for example"), bad.getMessage());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a b",
                "dhcp.example.org:",
                "dhcp.example.org: NONSENSE",
                ": A",
                "dhcp.example.org: *.a..b"
            })
    void saysWhatIsWrongInUpdateGrants(String update) {
        BadSetting bad =
                assertThrows(
                        BadSetting.class,
                        () -> new ZoneSettings(Map.of("zones", "example.org", "update", update)));
        assertTrue(bad.getMessage().contains("update = "), bad.getMessage());
        assertTrue(bad.getMessage().contains("for example"), bad.getMessage());
    }
}
