package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;

import org.junit.jupiter.api.Test;
import org.pabal.dns.PackedZone;
import org.pabal.dns.Responder;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Many zones, large zones, and changes to one of them.
class ServedZonesTest {

    private static final Name ORIGIN = Node.name("example.org");

    @Test
    void findsEachOfManyZonesAndReplacesOne() {
        List<ServedZones.OfZone> many = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            many.add(new ServedZones.OfZone(zone("z" + i + ".example."), Optional.empty()));
        }
        ServedZones before = ServedZones.NONE.with(many);
        Zone next = zone("z77.example.");
        ServedZones after =
                before.with(new ServedZones.OfZone(next, Optional.empty()))
                        .without(Node.name("z78.example"));
        for (int i = 0; i < 10_000; i++) {
            Name name = Node.name("www.z" + i + ".example");
            assertSame(many.get(i).zone(), before.nearest(name, Type.A).orElseThrow());
            Optional<Zone> found = after.nearest(name, Type.A);
            if (i == 78) {
                assertTrue(found.isEmpty());
            } else {
                assertSame(i == 77 ? next : many.get(i).zone(), found.orElseThrow());
            }
        }
        assertTrue(before.nearest(Node.name("example"), Type.A).isEmpty());
    }

    @Test
    void aResponderStandsBeforeAZoneUntilItGoes() {
        Responder responder = (query, from) -> Stream.empty();
        ServedZones zones =
                ServedZones.NONE.with(
                        new ServedZones.OfZone(zone("example.org."), Optional.empty()));
        ServedZones plugged = zones.with(ORIGIN, responder);
        assertEquals(
                Optional.of(new ServedZones.Plugged(responder)), plugged.source(ORIGIN, Type.A));
        assertTrue(plugged.nearest(ORIGIN, Type.A).isEmpty());
        assertTrue(plugged.without(ORIGIN, responder).nearest(ORIGIN, Type.A).isPresent());
        assertTrue(plugged.without(ORIGIN).source(ORIGIN, Type.A).isPresent());
        assertTrue(
                plugged.without(ORIGIN)
                        .without(ORIGIN, responder)
                        .source(ORIGIN, Type.A)
                        .isEmpty());
    }

    /// A thousand changes a second are to be a small part of one processor: a change makes as much
    /// garbage in a large zone as in a small one.
    @Test
    void aChangeMakesAsMuchGarbageInALargeZoneAsInASmallOne() throws UnknownHostException {
        long small = garbageOfAChange(10);
        long large = garbageOfAChange(50_000);
        assertTrue(large < small + 20_000, small + " and " + large + " octets");
    }

    private static long garbageOfAChange(int names) throws UnknownHostException {
        StringBuilder file = new StringBuilder(Node.SOA + "@ 60 NS ns1\n@ 60 MX 1 host1\n");
        for (int i = 0; i < names; i++) {
            file.append("host").append(i).append(" 60 A 192.0.2.1\n");
            file.append("host").append(i).append(" 60 MX 1 host1\n");
        }
        Zone zone = PackedZone.of(MemoryZone.of("example.org.", file.toString()));
        WireZone wire = WireZone.of(zone);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 50; i++) {
            SOARecord from = ZoneChange.soa(zone);
            SOARecord to =
                    new SOARecord(
                            ORIGIN,
                            DClass.IN,
                            3600,
                            from.getHost(),
                            from.getAdmin(),
                            from.getSerial() + 1,
                            1,
                            1,
                            1,
                            1);
            // The host that all others name.
            Record removed =
                    zone.records(Node.name("host1.example.org"), Type.A).orElseThrow().first();
            Record added =
                    new ARecord(
                            removed.getName(),
                            DClass.IN,
                            60,
                            InetAddress.getByAddress(new byte[] {(byte) 192, 0, 2, (byte) i}));
            ZoneChange step = new ZoneChange(from, to, List.of(removed), List.of(added));
            if (removed.equals(added)) {
                continue;
            }
            long before = threads.getCurrentThreadAllocatedBytes();
            zone = zone.with(step);
            wire = wire.with(zone, List.of(step));
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }

    @Test
    void anAnswerShowsTheNewAddressOfTheHostThatItNames() {
        Node node =
                Node.serving(
                        "example.org.",
                        Node.SOA
                                + """
                                @ 3600 NS ns1
                                @ 3600 MX 10 mx1
                                @ 3600 MX 20 mx1
                                _imap._tcp 3600 SRV 0 0 143 mx1
                                sub 3600 NS ns.sub
                                ns.sub 3600 A 192.0.2.5
                                ns1 3600 A 192.0.2.1
                                mx1 3600 A 192.0.2.2
                                """);
        Zone zone = node.store.find(ORIGIN).orElseThrow();
        MemoryZone wanted =
                MemoryZone.of(
                        "example.org.",
                        Node.SOA.replace(" 1 7200", " 2 7200")
                                + """
                                @ 3600 NS ns1
                                @ 3600 MX 10 mx1
                                @ 3600 MX 20 mx1
                                _imap._tcp 3600 SRV 0 0 143 mx1
                                sub 3600 NS ns.sub
                                ns.sub 3600 A 192.0.2.6
                                ns1 3600 A 192.0.2.1
                                mx1 3600 A 192.0.2.3
                                mx1 3600 AAAA 2001:db8::3
                                """);
        assertTrue(node.store.change(List.of(ZoneChange.between(zone, wanted))).isPresent());
        String hosts =
                "\n+ mx1.example.org. 3600 A 192.0.2.3\n"
                        + "+ mx1.example.org. 3600 AAAA 2001:db8:0:0:0:0:0:3";
        assertEquals(
                "NOERROR aa\nexample.org. 3600 MX 10 mx1.example.org.\n"
                        + "example.org. 3600 MX 20 mx1.example.org."
                        + hosts,
                node.ask("example.org", Type.MX));
        assertEquals(
                "NOERROR aa\n_imap._tcp.example.org. 3600 SRV 0 0 143 mx1.example.org." + hosts,
                node.ask("_imap._tcp.example.org", Type.SRV));
        assertEquals(
                "NOERROR\n? sub.example.org. 3600 NS ns.sub.example.org.\n"
                        + "+ ns.sub.example.org. 3600 A 192.0.2.6",
                node.ask("www.sub.example.org", Type.A));
        assertEquals(6, node.fastAnswers, "all of them the fast way");
        node.close();
    }

    private static Zone zone(String origin) {
        return MemoryZone.of(origin, Node.SOA + "@ 3600 NS ns1\n");
    }
}
