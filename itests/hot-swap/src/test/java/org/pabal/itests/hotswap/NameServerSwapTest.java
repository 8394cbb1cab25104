package org.pabal.itests.hotswap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Node;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/// Swaps dns-authoritative under dnsperf at twenty thousand queries a second.
///
/// While the one version leaves and the other comes, queries wait in the socket. What the socket
/// has no room for the kernel drops, and counts; no other query may be lost, and none answered
/// wrongly.
class NameServerSwapTest {

    private static final int UPDATES = Integer.getInteger("pabal.updates", 20);
    private static final int QUERIES_PER_SECOND = 20_000;
    private static final int SECONDS_PER_UPDATE = 2;
    private static final int NAMES = 5_000;
    private static final String BUNDLE = "org.pabal.dns.authoritative";

    @TempDir Path scratch;

    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private volatile boolean over;

    @Test
    void losesNoQueryWhileTheBundleIsSwapped() throws Exception {
        Dnsperf.need();
        try (Node node = Node.init(scratch.resolve("node"))) {
            writeZone(node.directory().resolve("data/zones/load.test.zone"));
            node.start();
            InetSocketAddress dns = node.address("dns");
            long dropsBefore = Dnsperf.drops();
            Process load =
                    Dnsperf.start(
                            dns,
                            writeQueries(scratch.resolve("queries")),
                            QUERIES_PER_SECOND,
                            5,
                            SECONDS_PER_UPDATE * UPDATES);
            Thread reader = Thread.ofVirtual().start(() -> askAgainAndAgain(dns));
            for (int update = 1; update <= UPDATES; update++) {
                Deployment.deploy(node, BUNDLE, update);
                Deployment.awaitActive(node, BUNDLE, update);
            }
            over = true;
            reader.join();
            boolean loaded = load.isAlive();
            String said = new String(load.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(load.waitFor(60, TimeUnit.SECONDS), said);
            if (!loaded) {
                System.out.println("swap test of dns: the load was over before the last update");
            }
            long sent = Dnsperf.number(said, "Queries sent:\\s+(\\d+)");
            long lost = Dnsperf.number(said, "Queries lost:\\s+(\\d+)");
            long dropped = Dnsperf.drops() - dropsBefore;
            System.out.printf(
                    "swap test of dns: %d updates, %d queries at %s/s, %d lost, %d of them dropped"
                            + " by a full socket, wrong: %d%n",
                    UPDATES,
                    sent,
                    Dnsperf.find(said, "Queries per second:\\s+([\\d.]+)"),
                    lost,
                    dropped,
                    wrong.size());
            assertTrue(lost <= dropped, said + "\ndropped by the kernel: " + dropped);
            assertTrue(sent > 1_000L * UPDATES, "too little load:\n" + said);
            // Four of five questions are for names that are there.
            long noError = Dnsperf.number(said, "NOERROR (\\d+)");
            long noName = Dnsperf.number(said, "NXDOMAIN (\\d+)");
            assertEquals(sent - lost, noError + noName, said);
            assertEquals(0.8, (double) noError / (noError + noName), 0.01, said);
            assertEquals(List.of(), List.copyOf(wrong));
            assertEquals(0, node.stop());
        }
    }

    private void askAgainAndAgain(InetSocketAddress dns) {
        SimpleResolver resolver = new SimpleResolver(dns);
        resolver.setTimeout(Duration.ofSeconds(2));
        for (int i = 0; !over; i = (i + 7) % NAMES) {
            try {
                check(i, resolver.send(query("h" + i)));
            } catch (IOException e) {
                // Dropped perhaps: dnsperf and the kernel count those.
            }
        }
    }

    private void check(int host, Message answer) {
        List<Record> records = answer.getSection(Section.ANSWER);
        if (answer.getRcode() != Rcode.NOERROR
                || records.size() != 1
                || !(records.getFirst() instanceof ARecord a)
                || !a.getAddress().getHostAddress().equals(address(host))) {
            wrong.add(answer.toString());
        }
    }

    private static Message query(String host) throws IOException {
        return Message.newQuery(
                Record.newRecord(Name.fromString(host + ".load.test."), Type.A, DClass.IN));
    }

    private static String address(int host) {
        return "198.18." + host / 250 + "." + (host % 250 + 1);
    }

    private static void writeZone(Path file) throws IOException {
        StringBuilder zone =
                new StringBuilder("$TTL 300\n@ SOA ns1 h 1 7200 900 1209600 300\n@ NS ns1\n")
                        .append("ns1 A 192.0.2.1\n");
        for (int i = 0; i < NAMES; i++) {
            zone.append("h" + i + " A " + address(i) + "\n");
        }
        Files.createDirectories(file.getParent());
        Files.writeString(file, zone);
    }

    private static Path writeQueries(Path file) throws IOException {
        StringBuilder queries = new StringBuilder();
        for (int i = 0; i < NAMES; i++) {
            queries.append((i % 5 == 0 ? "x" : "h") + i + ".load.test A\n");
        }
        return Files.writeString(file, queries);
    }
}
