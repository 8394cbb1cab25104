package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pabal.dns.Resolver;
import org.pabal.testkit.CannedResolver;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.Message;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Kept sets in the doorway, with threads of their own.
@Timeout(60)
class KeptSetsTest {

    private static final String ORG = Node.SOA + "@ 3600 NS ns1\nns1 3600 A 192.0.2.53\n";

    private static Message answer(AuthoritativeServer server, String name, int type) {
        TestDatagram datagram = new TestDatagram(Node.query(name, type).toWire());
        server.received(datagram);
        return Node.parsed(datagram.sent().orElseThrow());
    }

    private static Optional<RRset> zoneHas(Node node, String name) {
        return node.store
                .find(Node.name("example.org"))
                .orElseThrow()
                .records(Node.name(name), Type.A);
    }

    /// Whoever receives never waits for the lookup
    @Test
    void anAliasIsLookedUpBesideTheReceivingThread() throws Exception {
        Node node = Node.serving("example.org.", ORG);
        node.server.bindZoneSettings(
                new ZoneSettings(
                        Map.of("zones", "example.org", "alias", "example.org www.cdn.test")));
        assertEquals(Rcode.SERVFAIL, answer(node.server, "example.org", Type.A).getRcode());
        assertEquals(Rcode.NOERROR, answer(node.server, "ns1.example.org", Type.A).getRcode());

        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Resolver canned = new CannedResolver("www.cdn.test. 60 IN A 198.51.100.1\n");
        node.server.bindResolver(
                (name, type) -> {
                    asked.countDown();
                    try {
                        assertTrue(go.await(60, TimeUnit.SECONDS));
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return canned.resolve(name, type);
                });
        node.clock.advance(Duration.ofSeconds(31));
        node.server.kept().resolverCame();
        asked.await();
        assertEquals(Rcode.SERVFAIL, answer(node.server, "example.org", Type.A).getRcode());
        go.countDown();
        node.server.stop(); // waits for what is under way
        assertTrue(zoneHas(node, "example.org").isPresent());
        assertEquals(Rcode.NOERROR, answer(node.server, "example.org", Type.A).getRcode());
        assertEquals(Rcode.NOERROR, answer(node.server, "example.org", Type.AAAA).getRcode());
    }

    @Test
    void settingsThatGoTakeTheirAliasesWithThem() {
        Node node = Node.serving("example.org.", ORG);
        ZoneSettings settings =
                new ZoneSettings(
                        Map.of("zones", "example.org", "alias", "example.org www.cdn.test"));
        node.server.bindZoneSettings(settings);
        assertEquals(Rcode.SERVFAIL, answer(node.server, "example.org", Type.A).getRcode());
        node.server.unbindZoneSettings(settings);
        assertEquals(Rcode.NOERROR, answer(node.server, "example.org", Type.A).getRcode());
        node.close();
    }

    @Test
    void addressesAreCheckedByThemselves() throws Exception {
        Node node = Node.serving("example.org.", ORG);
        try (ServerSocket there = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            node.server.bindZoneSettings(
                    new ZoneSettings(
                            Map.of(
                                    "zones",
                                    "example.org",
                                    "check",
                                    "www.example.org 127.0.0.1 tcp " + there.getLocalPort(),
                                    "check-private",
                                    "yes")));
            there.accept().close();
        }
        node.server.stop();
        assertTrue(node.server.kept().explain(set -> true).getFirst().contains(" up since "));
    }
}
