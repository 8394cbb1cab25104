package org.pabal.dns.authoritative;

import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.server.Edges;
import org.pabal.dns.server.Statistics;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// Measures a zone of the benchmark in memory, without sockets: loading, laying out, queries (80 %
/// hits and 20 % NXDOMAIN in random order) and changes. Not a test; started by hand.
///
/// ```
/// java -cp … org.pabal.dns.authoritative.LayoutBenchmark ZONEFILE NAMES [SECONDS]
/// ```
final class LayoutBenchmark {

    private static final Name ORIGIN = Name.fromConstantString("bench.test.");
    private static final int QUERIES = 200_000;
    private static final PrintStream OUT = System.out;

    private LayoutBenchmark() {}

    public static void main(String[] arguments) throws IOException {
        Path file = Path.of(arguments[0]);
        int names = Integer.parseInt(arguments[1]);
        int seconds = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 5;
        long start = now();
        PackedZone zone = load(file, names);
        tell("read and packed in %.2f s: %,d names", since(start), zone.nameCount());
        memory();
        start = now();
        WireZone wire = WireZone.of(zone);
        tell("laid out in %.2f s", since(start));
        memory();
        ServedZones zones = ServedZones.NONE.with(new ServedZones.OfZone(zone, Optional.of(wire)));
        queries(zones, names, seconds);
        System.gc();
        memory();
        changes(zone, wire, names);
        memory();
        start = now();
        long count = zone.names().count();
        tell("%,d names sorted in %.2f s", count, since(start));
        changes(zone, wire, names);
    }

    private static PackedZone load(Path file, int names) throws IOException {
        PackedZone.Builder builder = PackedZone.builder(ORIGIN, names);
        try (Master master = new Master(Files.newInputStream(file), ORIGIN)) {
            for (Record record = master.nextRecord();
                    record != null;
                    record = master.nextRecord()) {
                builder.add(record);
            }
        }
        return builder.build();
    }

    private static void queries(ServedZones zones, int names, int seconds) {
        Random random = new Random(7);
        ByteBuffer[] queries = new ByteBuffer[QUERIES];
        ByteBuffer room = ByteBuffer.allocateDirect(QUERIES * 64);
        for (int i = 0; i < QUERIES; i++) {
            int dice = random.nextInt(100);
            String name =
                    dice < 20
                            ? "nope%07d".formatted(random.nextInt(10_000_000))
                            : "host%07d".formatted(random.nextInt(names));
            int type = dice < 65 ? Type.A : dice < 90 ? Type.AAAA : Type.MX;
            byte[] octets =
                    org.xbill.DNS.Message.newQuery(
                                    Record.newRecord(
                                            Name.fromConstantString(name + ".bench.test."),
                                            type,
                                            DClass.IN))
                            .toWire();
            queries[i] = room.slice(64 * i, octets.length).put(octets).flip();
        }
        WireLookup lookup =
                new WireLookup(
                        new Edges(
                                ServerSettings.of(Map.of("rate-limit", "0")).edges(),
                                InstantSource.system()));
        ByteBuffer out = ByteBuffer.allocateDirect(4096);
        double least = Double.MAX_VALUE;
        for (long end = System.nanoTime() + seconds * 1_000_000_000L; System.nanoTime() < end; ) {
            long start = now();
            for (ByteBuffer query : queries) {
                if (lookup.answer(zones, query, out.clear(), Node.ADDRESS, Statistics.UDP)
                        != WireLookup.ANSWERED) {
                    throw new IllegalStateException("not an ordinary query");
                }
            }
            least = Math.min(least, (double) (now() - start) / QUERIES);
        }
        tell("%.0f ns a query", least);
    }

    private static void changes(PackedZone first, WireZone firstWire, int names)
            throws IOException {
        Random random = new Random(9);
        Zone zone = first;
        WireZone wire = firstWire;
        int count = 20_000;
        double[] each = new double[5];
        for (int part = 0; part < each.length; part++) {
            long start = now();
            for (int i = 0; i < count / each.length; i++) {
                SOARecord from = ZoneChange.soa(zone);
                SOARecord to =
                        new SOARecord(
                                ORIGIN,
                                DClass.IN,
                                from.getTTL(),
                                from.getHost(),
                                from.getAdmin(),
                                from.getSerial() + 1,
                                7200,
                                3600,
                                1209600,
                                3600);
                Name name =
                        Name.fromConstantString(
                                "host%07d.bench.test.".formatted(random.nextInt(names)));
                List<Record> removed = new ArrayList<>();
                zone.records(name, Type.A).ifPresent(set -> removed.addAll(set.rrs(false)));
                Record added =
                        new ARecord(
                                name,
                                DClass.IN,
                                300,
                                InetAddress.getByAddress(
                                        new byte[] {
                                            10, (byte) (i >> 16), (byte) (i >> 8), (byte) i
                                        }));
                ZoneChange step = new ZoneChange(from, to, removed, List.of(added));
                zone = zone.with(step);
                wire = wire.with(zone, List.of(step));
            }
            each[part] = since(start) * 1e6 / (count / each.length);
        }
        tell(
                "%,d changes, µs each: %.1f %.1f %.1f %.1f %.1f",
                count, each[0], each[1], each[2], each[3], each[4]);
    }

    private static void memory() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS") || line.startsWith("VmHWM")) {
                OUT.println("  " + line.replaceAll("\\s+", " "));
            }
        }
    }

    /// The processor's time that we had: others may be at work here.
    private static long now() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static double since(long start) {
        return (now() - start) / 1e9;
    }

    private static void tell(String format, Object... what) {
        OUT.println(format.formatted(what));
    }
}
