package org.pabal.dns.policy;

import org.xbill.DNS.Name;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/// Measures a list of a million names: how long it takes to read, how much memory it needs, and
/// what a lookup costs.
///
/// Not a test; started by hand, with a heap that is there from the beginning:
///
/// ```
/// java -Xms512m -Xmx512m -XX:+AlwaysPreTouch -cp … org.pabal.dns.policy.ListBenchmark
/// ```
final class ListBenchmark {

    private static final int NAMES = 1_000_000;
    private static final int LOOKUPS = 4_000_000;

    private ListBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        Random random = new Random(1);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < NAMES; i++) {
            text.append("||").append(name(random)).append("^\n");
        }
        byte[] octets = text.toString().getBytes(StandardCharsets.US_ASCII);
        long resident = resident();
        BlockedNames names = read(octets);
        System.out.printf(
                "memory for %d names: %.1f MB%n", names.size(), (resident() - resident) / 1e6);
        for (int round = 0; round < 3; round++) {
            read(octets);
        }
        List<Name> asked = new ArrayList<>();
        Random same = new Random(1);
        for (int i = 0; i < 100_000; i++) {
            asked.add(
                    Name.fromString(
                            i % 2 == 0 ? "www." + name(same) + '.' : name(random) + ".test."));
        }
        for (int round = 0; round < 5; round++) {
            int found = 0;
            long start = cpuNanos();
            for (int i = 0; i < LOOKUPS; i++) {
                found += names.blocks(asked.get(i % asked.size())).isPresent() ? 1 : 0;
            }
            System.out.printf(
                    "lookup: %.0f ns, %.0f %% of them blocked%n",
                    (cpuNanos() - start) / (double) LOOKUPS, 100.0 * found / LOOKUPS);
        }
    }

    private static BlockedNames read(byte[] octets) throws Exception {
        long start = cpuNanos();
        BlockedNames.Builder builder = new BlockedNames.Builder(octets.length / 20);
        new ListReader(builder, 2 * NAMES).read(new ByteArrayInputStream(octets));
        BlockedNames names = builder.done();
        System.out.printf(
                "read %.1f MB: %d ms%n", octets.length / 1e6, (cpuNanos() - start) / 1_000_000);
        return names;
    }

    private static String name(Random random) {
        StringBuilder name = new StringBuilder();
        int length = 6 + random.nextInt(14);
        for (int i = 0; i < length; i++) {
            name.append((char) ('a' + random.nextInt(26)));
        }
        return name + (random.nextBoolean() ? ".example.com" : ".example.net");
    }

    /// What this thread has used of a processor; others may want the machine too.
    private static long cpuNanos() throws IOException {
        return Long.parseLong(
                Files.readString(Path.of("/proc/thread-self/schedstat")).split(" ")[0]);
    }

    /// What the process has of the machine's memory, which the heap is a fixed part of.
    private static long resident() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .findFirst()
                    .orElseThrow();
        }
    }
}
