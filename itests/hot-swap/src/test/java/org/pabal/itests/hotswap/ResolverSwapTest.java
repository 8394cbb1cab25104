package org.pabal.itests.hotswap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Node;
import org.pabal.testkit.ScriptedNameServer;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// Swaps dns-recursive under dnsperf, while other clients ask for names that take their time.
///
/// What was in flight when the old version was told to leave is answered, by the one or by the
/// other; and what the old version knew the new one knows, so that nobody is asked again.
class ResolverSwapTest {

    private static final int UPDATES = Integer.getInteger("pabal.resolver.updates", 5);
    private static final int QUERIES_PER_SECOND = 5_000;
    private static final int SECONDS_PER_UPDATE = 3;
    private static final int NAMES = 2_000;
    private static final int SLOW_CLIENTS = 4;
    private static final long SLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(300);
    private static final String BUNDLE = "org.pabal.dns.recursive";
    private static final Name LOAD = Name.fromConstantString("load.test.");

    @TempDir Path scratch;

    private final AtomicInteger askedUpstream = new AtomicInteger();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private final AtomicInteger slowAnswers = new AtomicInteger();
    private volatile boolean over;

    @Test
    void answersWhatIsInFlightAndKeepsItsCacheWhileTheBundleIsSwapped() throws Exception {
        Dnsperf.need();
        try (ScriptedNameServer upstream =
                        ScriptedNameServer.answering("127.0.0.1", 0, this::upstream);
                Node node = Node.init(scratch.resolve("node"))) {
            configure(node, upstream.address());
            node.start();
            InetSocketAddress resolver = node.address("resolver");
            warm(resolver);
            assertEquals(NAMES, askedUpstream.get(), "asked when the cache was filled");

            long dropsBefore = Dnsperf.drops();
            Process load =
                    Dnsperf.start(
                            resolver,
                            writeQueries(scratch.resolve("queries")),
                            QUERIES_PER_SECOND,
                            10,
                            SECONDS_PER_UPDATE * UPDATES);
            List<Thread> slow =
                    Stream.iterate(0, i -> i + 1)
                            .limit(SLOW_CLIENTS)
                            .map(i -> Thread.ofVirtual().start(() -> askSlowNames(i, resolver)))
                            .toList();
            for (int update = 1; update <= UPDATES; update++) {
                Deployment.deploy(node, BUNDLE, update);
                Deployment.awaitActive(node, BUNDLE, update);
            }
            over = true;
            for (Thread client : slow) {
                client.join();
            }
            String said = new String(load.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(load.waitFor(60, TimeUnit.SECONDS), said);
            long sent = Dnsperf.number(said, "Queries sent:\\s+(\\d+)");
            long lost = Dnsperf.number(said, "Queries lost:\\s+(\\d+)");
            long dropped = Dnsperf.drops() - dropsBefore;
            System.out.printf(
                    "swap test of the resolver: %d updates, %d queries, %d lost, %d of them dropped"
                            + " by a full socket, %d slow ones answered, wrong: %d%n",
                    UPDATES, sent, lost, dropped, slowAnswers.get(), wrong.size());
            assertTrue(lost <= dropped, said + "\ndropped by the kernel: " + dropped);
            assertTrue(sent > 1_000L * UPDATES, "too little load:\n" + said);
            assertEquals(sent - lost, Dnsperf.number(said, "NOERROR (\\d+)"), said);
            assertEquals(List.of(), List.copyOf(wrong));
            assertTrue(slowAnswers.get() > UPDATES, "too few slow questions");

            warm(resolver);
            assertEquals(NAMES, askedUpstream.get(), "the cache did not survive");
            assertEquals(0, node.stop());
        }
    }

    private static void configure(Node node, InetSocketAddress upstream) throws IOException {
        String file = BUNDLE + ".cfg";
        Files.writeString(node.directory().resolve("etc/no-anchors"), "");
        node.set(file, "trust-anchors", "etc/no-anchors");
        node.set(file, "private-upstreams", "yes");
        node.set(
                file,
                "forward",
                ". " + upstream.getAddress().getHostAddress() + "@" + upstream.getPort());
    }

    /// Every name below load.test. has an address; those that begin with `s` take 300 ms.
    private Optional<Message> upstream(Message query) {
        Record question = query.getQuestion();
        Message answer = new Message(query.getHeader().getID());
        answer.getHeader().setFlag(Flags.QR);
        answer.getHeader().setFlag(Flags.RD);
        answer.getHeader().setFlag(Flags.RA);
        answer.addRecord(question, Section.QUESTION);
        Name name = question.getName();
        if (question.getType() != Type.A || !name.subdomain(LOAD) || name.equals(LOAD)) {
            return Optional.of(answer);
        }
        String host = name.getLabelString(0).toLowerCase(java.util.Locale.ROOT);
        if (host.startsWith("s")) {
            LockSupport.parkNanos(SLOW_NANOS);
        } else {
            askedUpstream.incrementAndGet();
        }
        answer.addRecord(
                new ARecord(
                        name,
                        DClass.IN,
                        3600,
                        InetAddress.ofLiteral(address(Integer.parseInt(host.substring(1))))),
                Section.ANSWER);
        return Optional.of(answer);
    }

    /// Asks for every name once.
    private void warm(InetSocketAddress resolver) throws IOException {
        SimpleResolver client = client(resolver);
        for (int i = 0; i < NAMES; i++) {
            check(i, client.send(query("h" + i)));
        }
        assertEquals(List.of(), List.copyOf(wrong));
    }

    /// Names that nobody has asked for, so that each question is in flight for a while.
    private void askSlowNames(int number, InetSocketAddress resolver) {
        SimpleResolver client = client(resolver);
        client.setTCP(number % 2 == 1);
        for (int i = number; !over; i += SLOW_CLIENTS) {
            try {
                check(i, client.send(query("s" + i)));
                slowAnswers.incrementAndGet();
            } catch (IOException e) {
                wrong.add("s" + i + (number % 2 == 1 ? " over TCP: " : ": ") + e);
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

    private static SimpleResolver client(InetSocketAddress resolver) {
        SimpleResolver client = new SimpleResolver(resolver);
        client.setTimeout(Duration.ofSeconds(10));
        return client;
    }

    private static Message query(String host) throws IOException {
        return Message.newQuery(Record.newRecord(new Name(host, LOAD), Type.A, DClass.IN));
    }

    private static String address(int host) {
        return "198.18." + host / 250 % 250 + "." + (host % 250 + 1);
    }

    private static Path writeQueries(Path file) throws IOException {
        StringBuilder queries = new StringBuilder();
        for (int i = 0; i < NAMES; i++) {
            queries.append("h" + i + ".load.test A\n");
        }
        return Files.writeString(file, queries);
    }
}
