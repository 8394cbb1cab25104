package org.pabal.dns.recursive;

import org.pabal.dns.server.Edges;
import org.pabal.dns.server.Networks;
import org.pabal.dns.server.Statistics;
import org.pabal.settings.Settings;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Message;
import org.xbill.DNS.Type;

import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Measures what an answer from the octets of the cache costs, without sockets. Not a test; started
/// by hand.
///
/// ```
/// java -cp … org.pabal.dns.recursive.AnswerBenchmark [NAMES] [ROUNDS]
/// ```
final class AnswerBenchmark {

    private static final PrintStream OUT = System.out;
    private static final int QUERIES = 100_000;

    private AnswerBenchmark() {}

    public static void main(String[] arguments) {
        int names = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 10_000;
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20;
        InstantSource clock = InstantSource.system();
        RecordCache cache =
                new RecordCache(
                        CacheSettings.of(Settings.of(Map.of("cache-size", "256 MB"))), clock);
        for (int i = 0; i < names; i++) {
            cache.keep(Kept.address("n" + i + ".example.org.", 86_400, "192.0.2.1"));
        }
        cache.keep(
                ServedClients.alias(
                        Type.A,
                        Security.INSECURE,
                        "alias.example.org 86400 CNAME n1.example.org."));
        cache.keep(
                ServedClients.finding(
                        new Question(Kept.name("no.example.org."), Type.A),
                        Finding.Kind.NO_NAME,
                        Security.SECURE,
                        ServedClients.SOA));
        ServiceSettings settings = ServiceSettings.of(Settings.of(Map.of("rate-limit", "0")));
        Edges edges = new Edges(settings.edges(), clock);
        CacheAnswering answering =
                new CacheAnswering(
                        edges,
                        settings.allow(),
                        new QueryTrace(
                                Networks.of(List.of()),
                                LoggerFactory.getLogger(AnswerBenchmark.class)),
                        List::of);
        Serving serving =
                new Serving(
                        new PolicedRecursor((question, request) -> never(), List::of, false),
                        cache,
                        Routes.FROM_THE_ROOT,
                        type -> false,
                        question -> {});
        Random random = new Random(5);
        String[] asked = new String[QUERIES];
        for (int i = 0; i < asked.length; i++) {
            asked[i] = "n" + random.nextInt(names) + ".example.org";
        }
        double[] least = {1e9, 1e9, 1e9, 1e9};
        ByteBuffer[][] kinds = {
            queries(asked, false),
            queries(asked, true),
            queries(new String[] {"alias.example.org"}, false),
            queries(new String[] {"a.b.no.example.org"}, false)
        };
        for (int round = 0; round < rounds; round++) {
            for (int kind = 0; kind < kinds.length; kind++) {
                least[kind] = Math.min(least[kind], once(answering, serving, kinds[kind]));
            }
        }
        OUT.println(
                "ns an answer: address %.0f, with DO %.0f, alias %.0f, below no name %.0f"
                        .formatted(least[0], least[1], least[2], least[3]));
    }

    private static Answer never() {
        throw new IllegalStateException("not in the cache");
    }

    private static ByteBuffer[] queries(String[] names, boolean dnssec) {
        ByteBuffer[] queries = new ByteBuffer[QUERIES];
        for (int i = 0; i < queries.length; i++) {
            Message query = ServedClients.query(names[i % names.length], Type.A);
            byte[] octets = dnssec ? ServedClients.edns(query, 0x8000).toWire() : query.toWire();
            queries[i] = ByteBuffer.allocateDirect(octets.length).put(octets).flip();
        }
        return queries;
    }

    private static double once(CacheAnswering answering, Serving serving, ByteBuffer[] queries) {
        ByteBuffer out = ByteBuffer.allocateDirect(4096);
        ByteBuffer client = ByteBuffer.wrap(InetAddress.ofLiteral("127.0.0.1").getAddress());
        long start = now();
        for (ByteBuffer query : queries) {
            if (answering.answer(serving, query, out.clear(), client, Statistics.UDP)
                    != CacheAnswering.ANSWERED) {
                throw new IllegalStateException("not an ordinary query");
            }
        }
        return (double) (now() - start) / queries.length;
    }

    /// The processor's time that we had: others may be at work here.
    private static long now() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
