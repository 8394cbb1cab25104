package org.pabal.dns.recursive;

import org.pabal.settings.Settings;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// Measures the cache with many names of one address each: memory, keeping, finding, copying an
/// answer, saving and loading. Not a test; started by hand.
///
/// ```
/// java -cp … org.pabal.dns.recursive.CacheBenchmark [NAMES] [FILE]
/// ```
final class CacheBenchmark {

    private static final PrintStream OUT = System.out;
    private static final int ROUNDS = 7;

    private CacheBenchmark() {}

    public static void main(String[] arguments) throws IOException {
        int names = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000;
        RecordCache cache = cache();
        memory();
        long heap = heap();
        long start = now();
        for (int i = 0; i < names; i++) {
            cache.keep(finding(i));
        }
        tell("%,d names kept, %.0f ns each", names, since(start) / names);
        RecordCache.Counts counts = cache.counts();
        tell(
                "%,d entries, %,d octets by our own count: %.1f each; %d evictions",
                counts.entries(),
                counts.octets(),
                (double) counts.octets() / counts.entries(),
                counts.evictions());
        tell("%.1f octets of heap each", (double) (heap() - heap) / counts.entries());
        memory();
        wire(cache, names);
        contract(cache, names);
        memory();
        if (arguments.length > 1) {
            file(cache, Path.of(arguments[1]));
        }
    }

    private static RecordCache cache() {
        return new RecordCache(
                CacheSettings.of(Settings.of(Map.of("cache-size", "256 MB"))),
                InstantSource.system());
    }

    private static Name name(int i) {
        return Kept.name("n%07d.example.org.".formatted(i));
    }

    private static Finding finding(int i) throws IOException {
        Name name = name(i);
        byte[] address = {10, (byte) (i >> 16), (byte) (i >> 8), (byte) i};
        return new Finding(
                new Question(name, Type.A),
                Finding.Kind.RECORDS,
                List.of(
                        new RRset(
                                new ARecord(
                                        name,
                                        DClass.IN,
                                        86_400,
                                        InetAddress.getByAddress(address)))),
                List.of(),
                Kept.ORG,
                Security.INSECURE,
                Optional.empty(),
                86_400,
                false);
    }

    /// As the fast path does it: a name in an array, an answer into a buffer.
    private static void wire(RecordCache cache, int names) {
        int queries = Math.min(names, 200_000);
        byte[][] hits = new byte[queries][];
        byte[][] misses = new byte[queries][];
        Random random = new Random(3);
        for (int i = 0; i < queries; i++) {
            hits[i] = name(random.nextInt(names)).toWireCanonical();
            misses[i] = Kept.name("x" + random.nextInt() + ".example.org.").toWireCanonical();
        }
        ByteBuffer out = ByteBuffer.allocateDirect(4096);
        tell(
                "%.0f ns a find by octets, random names",
                best(queries, () -> ask(cache, hits, out, false)));
        tell("%.0f ns with its answer copied", best(queries, () -> ask(cache, hits, out, true)));
        tell("%.0f ns a miss", best(queries, () -> ask(cache, misses, out, false)));
        byte[][] warm = new byte[queries][];
        for (int i = 0; i < queries; i++) {
            warm[i] = name(random.nextInt(Math.min(names, 10_000))).toWireCanonical();
        }
        tell("%.0f ns a find, of 10,000 names", best(queries, () -> ask(cache, warm, out, false)));
        tell("%.0f ns with its answer copied", best(queries, () -> ask(cache, warm, out, true)));
    }

    private static long ask(RecordCache cache, byte[][] names, ByteBuffer out, boolean copy) {
        long now = cache.now();
        long found = 0;
        for (byte[] name : names) {
            Entry entry =
                    cache.entry(
                            name, 0, name.length, Type.A, cache.hash(name, 0, name.length), now);
            if (entry.live(now)) {
                found += copy ? entry.copyAnswers(out, 40, 0, (int) entry.left(now), 0) : 1;
            }
        }
        return found;
    }

    private static void contract(RecordCache cache, int names) {
        Random random = new Random(4);
        int queries = Math.min(names, 200_000);
        Question[] questions = new Question[queries];
        for (int i = 0; i < queries; i++) {
            questions[i] = new Question(name(random.nextInt(names)), Type.A);
        }
        tell(
                "%.0f ns a find of a finding",
                best(
                        queries,
                        () -> {
                            long found = 0;
                            for (Question question : questions) {
                                found += cache.find(question).isPresent() ? 1 : 0;
                            }
                            return found;
                        }));
    }

    private interface Round {
        long run();
    }

    private static double best(int queries, Round round) {
        double least = Double.MAX_VALUE;
        long sum = 0;
        for (int i = 0; i < ROUNDS; i++) {
            long start = now();
            sum += round.run();
            least = Math.min(least, since(start) / queries);
        }
        if (sum < 0) {
            throw new IllegalStateException("never");
        }
        return least;
    }

    private static void file(RecordCache cache, Path path) throws IOException {
        CacheFile file = new CacheFile(path);
        long start = now();
        long saved = file.save(cache);
        tell("%,d saved in %.2f s, %,d octets", saved, since(start) / 1e9, Files.size(path));
        RecordCache other = cache();
        start = now();
        long loaded = file.load(other);
        tell("%,d loaded in %.2f s", loaded, since(start) / 1e9);
    }

    private static long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static void memory() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS") || line.startsWith("VmHWM")) {
                OUT.println("  " + line.replaceAll("\\s+", " "));
            }
        }
    }

    private static long now() {
        return System.nanoTime();
    }

    private static double since(long start) {
        return now() - start;
    }

    private static void tell(String format, Object... what) {
        OUT.println(format.formatted(what));
    }
}
