package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dns.authoritative.ScriptedPrimary.saying;
import static org.pabal.dns.authoritative.ScriptedPrimary.serving;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pabal.dns.DnsFraming;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneObserver;
import org.pabal.protocol.Peer;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MemoryZoneFreshness;
import org.pabal.testkit.MemoryZoneKeyStore;
import org.pabal.testkit.MemoryZoneStore;
import org.pabal.testkit.MovableClock;
import org.pabal.testkit.TestConnection;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// All of it together, with its own thread, and a primary on loopback.
class ZoneExchangeTest {

    private static final Name CATZ = Node.name("catz.example.org");
    private static final Name MEMBER = Node.name("member.example");

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-01T12:00:00Z"));
    private final List<ZoneObserver> observers = new CopyOnWriteArrayList<>();
    private final LinkedBlockingQueue<String> news = new LinkedBlockingQueue<>();
    private final MemoryZoneStore store =
            new MemoryZoneStore(
                    new ZoneObserver() {
                        @Override
                        public void published(Zone current) {
                            observers.forEach(each -> each.published(current));
                            news.add(current.origin() + " " + current.serial());
                        }

                        @Override
                        public void withdrawn(Name origin) {
                            observers.forEach(each -> each.withdrawn(origin));
                            news.add(origin + " withdrawn");
                        }
                    });
    private final MemoryZoneFreshness freshness = new MemoryZoneFreshness();
    private final Map<Name, Zone[]> versions = new ConcurrentHashMap<>();
    private final AuthoritativeServer server =
            new AuthoritativeServer(store, new MemoryZoneKeyStore(), clock, Map.of());
    private ScriptedPrimary primary;
    private ZoneExchange exchange;

    @BeforeEach
    void begin() throws IOException {
        primary =
                new ScriptedPrimary(
                        query -> {
                            Zone[] zones = versions.get(query.getQuestion().getName());
                            return query.getHeader().getOpcode() == Opcode.NOTIFY
                                    ? saying(query, Rcode.NOERROR)
                                    : zones == null
                                            ? saying(query, Rcode.REFUSED)
                                            : serving(zones).answer(query);
                        });
        observers.add(server);
        exchange = new ZoneExchange(store, freshness, clock, server);
        observers.add(exchange);
    }

    @AfterEach
    void end() throws IOException {
        exchange.stop();
        server.stop();
        primary.close();
    }

    @Test
    void settingsMakeASecondaryAndNotifyBringsItsNextVersion() throws Exception {
        versions.put(MEMBER, new Zone[] {zone(1)});
        server.bindZoneSettings(settings("zones", "member.example", "primaries", primary.text()));
        assertEquals("member.example. 1", next());
        versions.put(MEMBER, new Zone[] {zone(1), zone(2)});
        clock.advance(Duration.ofMinutes(1));
        assertEquals(Rcode.NOERROR, notified("127.0.0.1"));
        assertEquals("member.example. 2", nextInHalfAMinute());
        assertEquals(Rcode.REFUSED, notified("192.0.2.1"));
    }

    @Test
    void notifyOverAStreamIsCheckedToo() throws Exception {
        versions.put(MEMBER, new Zone[] {zone(1)});
        server.bindZoneSettings(settings("zones", "member.example", "primaries", primary.text()));
        assertEquals("member.example. 1", next());
        assertEquals(Rcode.NOERROR, notifiedByStream("127.0.0.1"));
        assertEquals(Rcode.REFUSED, notifiedByStream("192.0.2.1"));
    }

    @Test
    void patternMakesNoSecondary() throws Exception {
        server.bindZoneSettings(settings("zones", "*", "primaries", primary.text()));
        versions.put(MEMBER, new Zone[] {zone(1)});
        server.bindZoneSettings(settings("zones", "member.example", "primaries", primary.text()));
        assertEquals("member.example. 1", next());
        assertEquals(List.of(MEMBER), server.editor().transferred().origins());
    }

    @Test
    void zonesOfACatalogComeAndGo() throws Exception {
        versions.put(MEMBER, new Zone[] {zone(1)});
        versions.put(CATZ, new Zone[] {catz(1, "u1.zones PTR member.example.\n")});
        server.bindZoneSettings(
                settings(
                        "zones",
                        "catz.example.org",
                        "primaries",
                        primary.text(),
                        "catalog",
                        "consumer"));
        assertEquals("catz.example.org. 1", next());
        assertEquals("member.example. 1", next());
        versions.put(CATZ, new Zone[] {catz(2, "u2.zones PTR member.example.\n")});
        assertTrue(server.editor().transferred().refresh(CATZ).contains("serial 2"));
        assertEquals("catz.example.org. 2", next());
        assertEquals("member.example. withdrawn", next());
        assertEquals("member.example. 1", next());
        versions.put(CATZ, new Zone[] {catz(3, "")});
        server.editor().transferred().refresh(CATZ);
        assertEquals("catz.example.org. 3", next());
        assertEquals("member.example. withdrawn", next());
        await(() -> freshness.confirmed(MEMBER).isEmpty());
    }

    @Test
    void newVersionsAreToldAndListed() throws Exception {
        server.bindZoneSettings(
                settings("zones", "catz.example.org", "catalog", "producer", "catalog-zones", "*"));
        assertEquals("catz.example.org. 1", next());
        server.bindZoneSettings(
                settings("zones", "*", "notify", primary.text(), "notify-name-servers", "no"));
        store.publish(zone(1));
        assertEquals("member.example. 1", next());
        assertEquals("catz.example.org. 2", next());
        await(() -> primary.asked.contains("NOTIFY"));
        assertTrue(Catalog.of(store.find(CATZ).orElseThrow(), 9).members().containsKey(MEMBER));
    }

    @Test
    void nothingOfItIsLeftWhenItStops() {
        server.bindZoneSettings(settings("zones", "member.example", "primaries", primary.text()));
        exchange.stop();
        assertFalse(
                Thread.getAllStackTraces().keySet().stream()
                        .anyMatch(thread -> thread.getName().equals("zone-exchange")));
        assertEquals(Rcode.NOTIMP, notified("127.0.0.1"));
    }

    private int notified(String from) {
        Message notify = Message.newQuery(Record.newRecord(MEMBER, Type.SOA, DClass.IN));
        notify.getHeader().setOpcode(Opcode.NOTIFY);
        TestDatagram datagram =
                new TestDatagram(
                        new Peer(new InetSocketAddress(from, 4053), "test"), notify.toWire());
        server.received(datagram);
        return Node.parsed(datagram.sent(Duration.ofSeconds(10)).orElseThrow()).getRcode();
    }

    private int notifiedByStream(String from) throws IOException {
        Message notify = Message.newQuery(Record.newRecord(MEMBER, Type.SOA, DClass.IN));
        notify.getHeader().setOpcode(Opcode.NOTIFY);
        try (TestConnection connection =
                new TestConnection().from(new Peer(new InetSocketAddress(from, 4053), "test"))) {
            DnsFraming.write(connection.toServer(), notify.toWire());
            connection.toServer().close();
            server.converse(connection);
            connection.finish();
            return Node.parsed(DnsFraming.read(connection.fromServer()).orElseThrow()).getRcode();
        }
    }

    /// A NOTIFY that comes before the last transfer is quite over is acted upon some seconds later;
    /// the zone's own timer is a minute away.
    private String nextInHalfAMinute() throws InterruptedException {
        for (int tries = 0; tries < 3; tries++) {
            String event = news.poll(1, TimeUnit.SECONDS);
            if (event != null) {
                return event;
            }
            clock.advance(Duration.ofSeconds(10));
        }
        return next();
    }

    private String next() throws InterruptedException {
        return news.poll(20, TimeUnit.SECONDS);
    }

    private interface Condition {
        boolean holds();
    }

    private static void await(Condition condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.holds()) {
            assertTrue(System.nanoTime() < end, "did not happen in 20 s");
            Thread.yield();
        }
    }

    private static ZoneSettings settings(String... keysAndValues) {
        Map<String, Object> settings = new HashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            settings.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return new ZoneSettings(settings);
    }

    private static Zone zone(long serial) {
        return MemoryZone.of(
                "member.example",
                "@ 3600 SOA ns1 hostmaster " + serial + " 7200 900 1209600 300\n@ NS ns1\n");
    }

    private static Zone catz(long serial, String entries) {
        return MemoryZone.of(
                "catz.example.org",
                "@ 0 SOA invalid. invalid. "
                        + serial
                        + " 3600 600 2147483646 0\n@ 0 NS invalid.\nversion 0 TXT \"2\"\n"
                        + entries);
    }
}
