package org.pabal.storage.file;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// How long a zone of a million names takes, thousands of small ones, and changes: `mvn -o test
/// -Dtest=ZonesBenchmark`. Its name keeps it out of the ordinary build.
class ZonesBenchmark {

    private static final int NAMES = 1_000_000;
    private static final int SMALL = 5_000;

    @TempDir Path zones;

    @Test
    void loadsAndPublishesAMillionNames() throws IOException {
        StringBuilder text =
                new StringBuilder("@ 60 IN SOA ns1 h 7 7200 900 1209600 300\n@ 60 IN NS ns1\n");
        for (int i = 0; i < NAMES; i++) {
            text.append("host").append(i).append(" 60 IN A 192.0.2.").append(i % 256).append('\n');
        }
        Files.writeString(zones.resolve("example.org.zone"), text, StandardCharsets.ISO_8859_1);
        text = new StringBuilder();
        for (int round = 0; round < 3; round++) {
            long begun = System.nanoTime();
            Duration cpu = cpu();
            FileZoneStore store = new FileZoneStore(zones, InstantSource.system(), new Disk());
            Duration used = cpu().minus(cpu);
            long loaded = System.nanoTime();
            System.gc();
            long octets = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
            long before = System.nanoTime();
            store.publish(store.find(Name.fromConstantString("example.org.")).orElseThrow());
            System.out.printf(
                    "%,d names: loaded in %.1f s (%s of all processors), heap %d MB, published in"
                            + " %.1f s%n",
                    NAMES,
                    (loaded - begun) / 1e9,
                    used,
                    octets / 1_000_000,
                    (System.nanoTime() - before) / 1e9);
        }
    }

    /// What this process has had of the processors: other work on the machine does not count.
    private static Duration cpu() {
        return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
    }

    @Test
    void startsWithThousandsOfZones() throws IOException {
        String text =
                "$TTL 3600\n@ SOA ns1 h 7 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n"
                        + "@ MX 10 mail\nmail A 192.0.2.2\nwww A 192.0.2.3\n";
        for (int i = 0; i < SMALL; i++) {
            Files.writeString(zones.resolve("zone" + i + ".example.zone"), text);
        }
        for (int round = 0; round < 3; round++) {
            long begun = System.nanoTime();
            Duration cpu = cpu();
            FileZoneStore store = new FileZoneStore(zones, InstantSource.system(), new Disk());
            Duration used = cpu().minus(cpu);
            long loaded = System.nanoTime();
            store.scan();
            long before = System.nanoTime();
            store.scan();
            long looked = System.nanoTime();
            System.gc();
            long octets = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
            System.out.printf(
                    "%,d zones: loaded in %.2f s (%s of all processors), a look %.0f ms, heap %d"
                            + " MB%n",
                    store.zones().count(),
                    (loaded - begun) / 1e9,
                    used,
                    (looked - before) / 1e6,
                    octets / 1_000_000);
        }
    }

    @Test
    void changesASecond() throws Exception {
        for (int steps : new int[] {1, 50}) {
            for (int callers : new int[] {1, 8}) {
                for (int origins : new int[] {1, 8}) {
                    if (origins <= callers) {
                        measure(steps, callers, origins);
                    }
                }
            }
        }
    }

    private void measure(int steps, int callers, int origins) throws Exception {
        Path directory = Files.createTempDirectory(zones, "changes");
        FileZoneStore store = new FileZoneStore(directory, InstantSource.system(), new Disk());
        for (int i = 0; i < origins; i++) {
            store.publish(
                    MemoryZone.of(
                            "zone" + i + ".example.",
                            "@ 60 SOA ns1 h 1 7200 900 1209600 300\n@ 60 NS ns1\nns1 60 A"
                                    + " 192.0.2.1\n$GENERATE 1-100 h$ 60 A 192.0.2.$\n"));
        }
        AtomicLong made = new AtomicLong();
        long begun = System.nanoTime();
        long end = begun + TimeUnit.SECONDS.toNanos(4);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < callers; i++) {
                Name origin = Name.fromString("zone" + i % origins + ".example.");
                threads.submit(
                        () -> {
                            while (System.nanoTime() < end) {
                                Zone zone = store.find(origin).orElseThrow();
                                if (store.change(steps(zone, steps)).isPresent()) {
                                    made.addAndGet(steps);
                                }
                            }
                            return true;
                        });
            }
        }
        System.out.printf(
                "%d callers, %d zones, %d steps a call: %,.0f changes/s%n",
                callers, origins, steps, made.get() / ((System.nanoTime() - begun) / 1e9));
        store.close();
    }

    /// Steps that each put an address in the place of another.
    private static List<ZoneChange> steps(Zone zone, int count) throws IOException {
        List<ZoneChange> steps = new ArrayList<>();
        SOARecord soa = ZoneChange.soa(zone);
        Name name = Name.fromString("changed", zone.origin());
        List<Record> there =
                zone.records(name, Type.A)
                        .map(set -> List.copyOf(set.<Record>rrs(false)))
                        .orElse(List.of());
        for (int i = 0; i < count; i++) {
            SOARecord next =
                    new SOARecord(
                            soa.getName(),
                            soa.getDClass(),
                            soa.getTTL(),
                            soa.getHost(),
                            soa.getAdmin(),
                            soa.getSerial() + 1,
                            soa.getRefresh(),
                            soa.getRetry(),
                            soa.getExpire(),
                            soa.getMinimum());
            byte[] address = {10, 0, (byte) (next.getSerial() >> 8), (byte) next.getSerial()};
            Record record =
                    new ARecord(name, DClass.IN, 60, java.net.InetAddress.getByAddress(address));
            steps.add(new ZoneChange(soa, next, there, List.of(record)));
            there = List.of(record);
            soa = next;
        }
        return steps;
    }
}
