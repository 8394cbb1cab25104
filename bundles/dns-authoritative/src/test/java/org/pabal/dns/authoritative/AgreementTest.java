package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;

import org.junit.jupiter.api.Test;
import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.server.Edges;
import org.pabal.dns.server.Statistics;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.ZoneGenerator;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// Both paths say the same about any question to any zone. Zones are made of few labels, so that
/// names meet: cuts above and below wildcards, DNAMEs above glue, chains, empty non-terminals.
class AgreementTest {

    private static final String[] LABELS = {
        "a", "b", "*", "c", "nS", "very-long-label-to-fill-the-message"
    };
    private static final int[] TYPES = {
        Type.A,
        Type.AAAA,
        Type.MX,
        Type.NS,
        Type.TXT,
        Type.CNAME,
        Type.SOA,
        Type.SRV,
        Type.PTR,
        Type.DS,
        Type.DNAME,
        Type.ANY,
        Type.RRSIG,
        Type.HTTPS,
        4711
    };

    @Test
    void bothPathsSayTheSameOverGeneratedZones() {
        long seed = Long.getLong("pabal.agreement.seed", 20261122);
        Random random = new Random(seed);
        int fast = 0;
        int asked = 0;
        for (int round = 0; round < 150; round++) {
            MemoryZone[] zones = {zone(random, "t."), zone(random, "a.t."), zone(random, "u.")};
            Node node = new Node(zones);
            for (int i = 0; i < 60; i++) {
                Message query =
                        Node.query(
                                name(random) + (random.nextBoolean() ? "t." : "a.t."),
                                TYPES[random.nextInt(TYPES.length)]);
                switch (random.nextInt(5)) {
                    case 0 -> {}
                    case 1 -> Node.edns(query, 512 + random.nextInt(1000), 0);
                    case 2 -> Node.edns(query, 1232, ExtendedFlags.DO);
                    case 3 ->
                            query.addRecord(
                                    new OPTRecord(512, 0, 0, 0, options(random)),
                                    Section.ADDITIONAL);
                    default -> Node.edns(query, random.nextInt(65536), 0);
                }
                byte[] octets = query.toWire();
                try {
                    assertTrue(node.octets(octets).isPresent());
                } catch (AssertionError e) {
                    throw new AssertionError(
                            "seed "
                                    + seed
                                    + " round "
                                    + round
                                    + " asked "
                                    + query
                                    + "\nzones:\n"
                                    + String.join("\n", texts(zones)),
                            e);
                }
                asked++;
            }
            fast += node.fastAnswers;
            node.close();
        }
        assertTrue(fast > asked / 3, "only " + fast + " of twice " + asked + " went the fast way");
    }

    /// The zones that NSD and Knot DNS are asked about too, and some that they would not load.
    @Test
    void bothPathsSayTheSameOverNastyZones() {
        long seed = Long.getLong("pabal.agreement.seed", 20261123);
        Random random = new Random(seed);
        int fast = 0;
        int asked = 0;
        for (int round = 0; round < 300; round++) {
            ZoneGenerator generator = new ZoneGenerator(random, round % 2 == 0);
            ZoneGenerator.World world = generator.world(round % 10 == 0 ? "." : "w.test.", 50);
            MemoryZone[] zones =
                    world.zones().entrySet().stream()
                            .map(zone -> MemoryZone.of(zone.getKey(), zone.getValue()))
                            .toArray(MemoryZone[]::new);
            Node node = new Node(zones);
            for (Message question : world.questions()) {
                try {
                    assertTrue(node.octets(question.toWire()).isPresent());
                } catch (AssertionError e) {
                    throw new AssertionError(
                            "seed %d round %d asked %s\nzones:\n%s"
                                    .formatted(seed, round, question, world.zones()),
                            e);
                }
                asked++;
            }
            fast += node.fastAnswers;
            node.close();
        }
        assertTrue(fast > asked / 3, "only " + fast + " of twice " + asked + " went the fast way");
    }

    /// A layout that came by changes answers as one that was made anew: random changes of zones,
    /// all of what one looks up asked of the other.
    @Test
    void aChangedLayoutAnswersAsAFreshOne() {
        long seed = Long.getLong("pabal.agreement.seed", 20261123);
        Random random = new Random(seed);
        int fast = 0;
        int changes = 0;
        for (int round = 0; round < 40; round++) {
            Name origin = Node.name("t");
            Node node = new Node(PackedZone.of(zone(random, "t.")));
            for (int step = 0; step < 30; step++) {
                Zone before = node.store.find(origin).orElseThrow();
                MemoryZone wanted =
                        zone(random, "t.", Integer.toString(step + 2), random.nextInt(30));
                ZoneChange whole = ZoneChange.between(before, wanted);
                // A part of the way, so that most of the zone stays.
                ZoneChange part =
                        new ZoneChange(
                                whole.from(),
                                whole.to(),
                                some(whole.removed(), random),
                                some(whole.added(), random));
                try {
                    before.with(part);
                } catch (IllegalArgumentException e) {
                    continue;
                }
                assertTrue(node.store.change(List.of(part)).isPresent());
                changes++;
                Zone now = node.store.find(origin).orElseThrow();
                WireZone fresh = WireZone.of(PackedZone.of(new MemoryZone(origin, records(now))));
                ServedZones freshZones =
                        ServedZones.NONE.with(new ServedZones.OfZone(now, Optional.of(fresh)));
                for (int i = 0; i < 20; i++) {
                    byte[] query =
                            Node.query(name(random) + "t.", TYPES[random.nextInt(TYPES.length)])
                                    .toWire();
                    try {
                        assertTrue(node.octets(query).isPresent());
                        assertEquals(
                                node.fastText(freshZones, query),
                                node.fastText(node.zones(), query));
                    } catch (AssertionError e) {
                        throw new AssertionError(
                                "seed " + seed + " round " + round + " step " + step + "\n" + part,
                                e);
                    }
                }
            }
            fast += node.fastAnswers;
            node.close();
        }
        assertTrue(changes > 300, "only " + changes + " changes could be made");
        assertTrue(fast > changes * 10, "only " + fast + " answers went the fast way");
    }

    private static List<Record> some(List<Record> records, Random random) {
        int most = random.nextInt(4);
        return records.stream().filter(record -> random.nextInt(4) < most).toList();
    }

    private static List<Record> records(Zone zone) {
        return zone.all().flatMap(set -> set.rrs(false).stream()).toList();
    }

    private static List<EDNSOption> options(Random random) {
        List<EDNSOption> options = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            int length = random.nextInt(3) == 0 ? random.nextInt(45) : 8;
            options.add(Ask.option(9 + random.nextInt(5), "5a".repeat(length)));
        }
        return options;
    }

    private static List<String> texts(MemoryZone... zones) {
        List<String> lines = new ArrayList<>();
        for (MemoryZone zone : zones) {
            zone.all()
                    .flatMap(set -> set.rrs(false).stream())
                    .forEach(record -> lines.add(record.toString()));
        }
        return lines;
    }

    private static String name(Random random) {
        StringBuilder name = new StringBuilder();
        for (int labels = random.nextInt(4); labels > 0; labels--) {
            name.append(LABELS[random.nextInt(LABELS.length)]).append('.');
        }
        return name.toString();
    }

    private static MemoryZone zone(Random random, String origin) {
        return zone(random, origin, "1", random.nextInt(30));
    }

    private static MemoryZone zone(Random random, String origin, String serial, int records) {
        StringBuilder file =
                new StringBuilder(
                        Node.SOA.replace(" 1 7200", " " + serial + " 7200") + "@ 3600 NS nS\n");
        List<String> aliased = new ArrayList<>();
        List<String> redirected = new ArrayList<>();
        List<String> other = new ArrayList<>(List.of(origin));
        for (int i = records; i > 0; i--) {
            String owner = name(random) + origin;
            String target = name(random) + (random.nextInt(4) == 0 ? "u." : "t.");
            int kind = random.nextInt(16);
            if (aliased.contains(owner)
                    || kind == 0 && other.contains(owner)
                    || kind == 1 && redirected.contains(owner)) {
                continue;
            }
            if (kind == 1) {
                redirected.add(owner); // RFC 6672 §2.4: at most one
            }
            (kind == 0 ? aliased : other).add(owner);
            file.append(owner)
                    .append(" 3600 ")
                    .append(
                            switch (kind) {
                                case 0 -> "CNAME " + target;
                                case 1 -> owner.equals(origin) ? "TXT apex" : "DNAME " + target;
                                case 2, 3 -> "NS " + target;
                                case 4, 5 -> "MX 10 " + target;
                                case 6 -> "SRV 0 0 1 " + target;
                                case 7 -> "PTR " + target;
                                case 8 ->
                                        random.nextInt(3) > 0
                                                ? "TXT x"
                                                : "DS 1 13 2"
                                                      + " 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF";
                                case 9 -> "TXT " + "y".repeat(random.nextInt(200) + 1);
                                case 10, 11 -> "AAAA 2001:db8::" + i;
                                default -> "A 192.0.2." + i;
                            })
                    .append('\n');
        }
        return MemoryZone.of(origin, file.toString());
    }

    /// The speed of the fast path rests on it: an ordinary query makes no garbage.
    @Test
    void makesNoObjectForAnOrdinaryQuery() {
        Node node =
                Node.serving(
                        "example.org.",
                        Node.SOA
                                + """
                                @ 3600 NS ns1
                                ns1 3600 A 192.0.2.1
                                @ 3600 MX 10 ns1
                                sub 3600 NS ns.sub
                                ns.sub 3600 A 192.0.2.2
                                *.wild 3600 A 192.0.2.3
                                many 3600 A 192.0.2.4
                                many 3600 A 192.0.2.5
                                """);
        WireLookup fast = new WireLookup(new Edges(ServerSettings.defaults().edges(), node.clock));
        List<ByteBuffer> queries = new ArrayList<>();
        for (String name : new String[] {"ns1.", "nope.", "x.sub.", "x.wild.", "many.", ""}) {
            int type = name.isEmpty() ? Type.MX : Type.A;
            String owner = name + "example.org";
            byte[] plain = Node.edns(Node.query(owner, type), 1232, ExtendedFlags.DO).toWire();
            queries.add(ByteBuffer.allocateDirect(plain.length).put(plain).flip());
            for (String cookie : new String[] {"0102030405060708", "01".repeat(24)}) {
                byte[] query = Ask.query(owner, type, Ask.option(10, cookie)).toWire();
                queries.add(ByteBuffer.allocateDirect(query.length).put(query).flip());
            }
        }
        ByteBuffer out = ByteBuffer.allocateDirect(4096);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 20_000; i++) {
                for (int q = 0; q < queries.size(); q++) {
                    out.clear();
                    int outcome =
                            fast.answer(
                                    node.zones(),
                                    queries.get(q),
                                    out,
                                    Node.ADDRESS,
                                    Statistics.UDP);
                    assertTrue(outcome != WireLookup.NOT_HERE);
                }
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertTrue(least < 10_000, least + " octets for 300,000 queries");
    }

    @Test
    void hashesEverySuffixAsTheNameItIs() {
        Node node =
                Node.serving(
                        "example.org.", Node.SOA + "@ 3600 NS ns1\na.b.c.d.e 3600 A 192.0.2.1\n");
        assertEquals(
                "NOERROR aa\na.b.c.d.e.example.org. 3600 A 192.0.2.1",
                node.ask("a.b.c.d.e.example.org", Type.A));
        assertEquals(2, node.fastAnswers);
        assertEquals("NOERROR aa\n? example.org. 300 SOA", node.ask("c.d.e.example.org", Type.A));
        assertEquals(4, node.fastAnswers);
    }
}
