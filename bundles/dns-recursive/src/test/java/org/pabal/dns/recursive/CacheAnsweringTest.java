package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dns.recursive.ServedClients.alias;
import static org.pabal.dns.recursive.ServedClients.edns;
import static org.pabal.dns.recursive.ServedClients.finding;
import static org.pabal.dns.recursive.ServedClients.found;
import static org.pabal.dns.recursive.ServedClients.name;
import static org.pabal.dns.recursive.ServedClients.parsed;
import static org.pabal.dns.recursive.ServedClients.query;
import static org.pabal.dns.recursive.ServedClients.set;
import static org.pabal.dns.recursive.ServedClients.signature;

import com.sun.management.ThreadMXBean;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.dns.Authority;
import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.Ruling;
import org.pabal.dns.server.Edges;
import org.pabal.dns.server.EdnsAnswering;
import org.pabal.dns.server.Networks;
import org.pabal.dns.server.Query;
import org.pabal.dns.server.Statistics;
import org.pabal.settings.Settings;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;

/// What the fast path says is what the readable one says; and it makes no objects.
class CacheAnsweringTest {

    private static final ByteBuffer CLIENT =
            ByteBuffer.wrap(InetAddress.ofLiteral("127.0.0.1").getAddress());

    private final ServedClients clients = new ServedClients();
    private final RecordCache cache = clients.cache;
    private Routes routes = Routes.FROM_THE_ROOT;
    private final List<Question> refreshed = new ArrayList<>();
    private final AtomicReference<List<ResponsePolicy>> policies = new AtomicReference<>(List.of());
    private final ServiceSettings settings = ServiceSettings.of(Settings.of(Map.of()));
    private final Edges edges = new Edges(settings.edges(), clients.clock);
    private final EdnsAnswering options = new EdnsAnswering(edges);
    private final AnswerMessage messages = new AnswerMessage(1232);
    private final CacheAnswering fast =
            new CacheAnswering(
                    edges,
                    settings.allow(),
                    new QueryTrace(
                            Networks.of(List.of()),
                            LoggerFactory.getLogger(CacheAnsweringTest.class)),
                    policies::get);
    private final Serving serving =
            new Serving(
                    new PolicedRecursor(clients.recursor, policies::get, false),
                    cache,
                    question -> routes.route(question),
                    type -> type == Type.PTR,
                    refreshed::add);

    @BeforeEach
    void fill() {
        cache.keep(
                found(
                        Security.SECURE,
                        "www.example.org 300 A 192.0.2.1",
                        "www.example.org 300 A 192.0.2.2",
                        signature("www.example.org", "A")));
        cache.keep(found(Security.INSECURE, "mx.example.org 300 MX 10 www.example.org."));
        cache.keep(found(Security.INSECURE, "ptr.example.org 300 PTR www.example.org."));
        cache.keep(
                alias(
                        Type.A,
                        Security.SECURE,
                        "a.example.org 60 CNAME b.example.net.",
                        signature("a.example.org", "CNAME")));
        cache.keep(alias(Type.A, Security.INSECURE, "b.example.net 90 CNAME www.example.org."));
        cache.keep(alias(Type.A, Security.SECURE, "away.example.org 60 CNAME gone.example.net."));
        cache.keep(
                finding(
                        new Question(name("www.example.org"), Type.AAAA),
                        Finding.Kind.NO_RECORD,
                        Security.SECURE,
                        ServedClients.SOA,
                        "www.example.org. 300 NSEC x.example.org. A RRSIG NSEC"));
        cache.keep(
                finding(
                        new Question(name("no.example.org"), Type.A),
                        Finding.Kind.NO_NAME,
                        Security.SECURE,
                        ServedClients.SOA,
                        "example.org. 300 NSEC www.example.org. A RRSIG NSEC"));
        cache.keep(
                new Finding(
                        new Question(name("x.old.example.org"), Type.A),
                        Finding.Kind.ALIAS,
                        List.of(
                                set("old.example.org 120 DNAME example.org."),
                                set("x.old.example.org 120 CNAME www.example.org.")),
                        List.of(),
                        name("example.org"),
                        Security.INSECURE,
                        Optional.empty(),
                        120,
                        false));
        String[] big = new String[60];
        for (int i = 0; i < big.length; i++) {
            big[i] = "big.example.org 300 TXT " + "t".repeat(40) + i;
        }
        cache.keep(found(Security.INSECURE, big));
    }

    @AfterEach
    void stop() {
        clients.close();
    }

    private Optional<byte[]> fast(byte[] query, int transport) {
        ByteBuffer out = ByteBuffer.allocate(4096 + 2).position(2);
        if (fast.answer(serving, ByteBuffer.wrap(query), out, CLIENT, transport)
                != CacheAnswering.ANSWERED) {
            return Optional.empty();
        }
        byte[] octets = new byte[out.position() - 2];
        out.get(2, octets);
        return Optional.of(octets);
    }

    private byte[] readable(byte[] octets, int transport) {
        Query query = options.considered(Query.read(octets).orElseThrow(), CLIENT, transport);
        List<Finding> chain = new ArrayList<>();
        Question at = new Question(query.name(), query.type());
        while (chain.isEmpty()
                || chain.getLast().kind() == Finding.Kind.ALIAS && query.type() != Type.CNAME) {
            chain.add(cache.find(at).orElseThrow());
            if (chain.getLast().kind() == Finding.Kind.ALIAS && query.type() != Type.CNAME) {
                at = new Question(chain.getLast().target(), query.type());
            }
        }
        Answer answer = new Answer(new Question(query.name(), query.type()), chain);
        return messages.write(query, answer, transport != Statistics.UDP);
    }

    /// Everything in a message, sections sorted; TTLs too.
    private static String exact(byte[] octets) {
        Message message = parsed(octets);
        StringBuilder text = new StringBuilder(message.getHeader().toString());
        for (int section = 0; section < 4; section++) {
            text.append(
                    message.getSection(section).stream()
                            .map(Record::toString)
                            .sorted()
                            .collect(Collectors.joining("\n", "\n" + section + ":", "")));
        }
        return text.toString().toLowerCase(Locale.ROOT);
    }

    private static final List<String> ASKED =
            List.of(
                    "www.example.org A",
                    "wWw.Example.ORG A",
                    "www.example.org AAAA",
                    "mx.example.org MX",
                    "a.example.org A",
                    "a.example.org CNAME",
                    "b.example.net A",
                    "no.example.org A",
                    "no.example.org TXT",
                    "deep.below.no.example.org A",
                    "x.old.example.org A");

    private static List<Message> variants(String asked) {
        String[] words = asked.split(" ");
        List<Message> all = new ArrayList<>();
        for (boolean authentic : new boolean[] {false, true}) {
            for (int i = 0; i < 4; i++) {
                Message query = query(words[0], Type.value(words[1]));
                if (authentic) {
                    query.getHeader().setFlag(Flags.AD);
                }
                EDNSOption[] cookie =
                        i < 3
                                ? new EDNSOption[0]
                                : new EDNSOption[] {
                                    new GenericEDNSOption(
                                            EDNSOption.Code.COOKIE,
                                            HexFormat.of().parseHex("0102030405060708"))
                                };
                all.add(i == 0 ? query : edns(query, i == 1 ? 0 : ExtendedFlags.DO, cookie));
            }
        }
        return all;
    }

    @Test
    void saysWhatTheReadablePathSays() {
        clients.clock.advance(Duration.ofSeconds(17));
        edges.tick.look();
        for (String asked : ASKED) {
            for (Message query : variants(asked)) {
                for (int transport : new int[] {Statistics.UDP, Statistics.TCP}) {
                    byte[] octets = query.toWire();
                    byte[] answer =
                            fast(octets, transport).orElseThrow(() -> new AssertionError(asked));
                    assertEquals(exact(readable(octets, transport)), exact(answer), asked);
                    assertEquals(
                            query.getQuestion().getName().toString(),
                            parsed(answer).getQuestion().getName().toString(),
                            "upper and lower case are the client's");
                }
            }
        }
    }

    /// `lan.` does not exist for the world, and `printer.lan.` does for us.
    @Test
    void whatTheWorldDeniesSaysNothingOfWhatIsOurs() {
        byte[] below = query("deep.below.no.example.org", Type.A).toWire();
        assertTrue(fast(below, Statistics.UDP).isPresent());
        Name ours = name("below.no.example.org");
        for (Route route :
                List.of(
                        new Route.Own(new NoAuthority(), ours),
                        new Route.Local(found(Security.INSECURE, "a.b 300 A 192.0.2.1")),
                        new Route.Stub(ours, List.of()),
                        new Route.Forward(ours, List.of()))) {
            routes = question -> route;
            clients.clock.advance(Duration.ofSeconds(1));
            edges.tick.look();
            assertTrue(fast(below, Statistics.UDP).isEmpty(), route.toString());
        }
        routes = question -> new Route.Forward(Name.root, List.of());
        assertTrue(fast(below, Statistics.UDP).isPresent(), "the forwarder has said it");
    }

    private static final class NoAuthority implements Authority {
        @Override
        public Optional<Name> zone(Name name, int type) {
            return Optional.empty();
        }

        @Override
        public Message answer(Message query) {
            throw new AssertionError("not asked");
        }
    }

    @Test
    void ttlsCountDown() {
        byte[] query = query("www.example.org", Type.A).toWire();
        clients.clock.advance(Duration.ofSeconds(100));
        edges.tick.look();
        parsed(fast(query, Statistics.UDP).orElseThrow())
                .getSection(Section.ANSWER)
                .forEach(record -> assertEquals(200, record.getTTL()));
        clients.clock.advance(Duration.ofSeconds(200));
        edges.tick.look();
        assertTrue(fast(query, Statistics.UDP).isEmpty(), "over");
    }

    @Test
    void addressesTakeTurns() {
        byte[] query = query("www.example.org", Type.A).toWire();
        List<String> first = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            first.add(
                    parsed(fast(query, Statistics.UDP).orElseThrow())
                            .getSection(Section.ANSWER)
                            .getFirst()
                            .rdataToString());
        }
        assertEquals(first.get(0), first.get(2));
        assertEquals(first.get(1), first.get(3));
        assertFalse(first.get(0).equals(first.get(1)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "unknown.example.org A",
                "away.example.org A",
                "www.example.org ANY",
                "www.example.org RRSIG",
                "ptr.example.org PTR",
                "big.example.org TXT"
            })
    void leavesToTheReadablePath(String asked) {
        Message query = variants(asked).getFirst();
        assertTrue(fast(query.toWire(), Statistics.UDP).isEmpty());
    }

    @Test
    void leavesWhatIsOddToTheReadablePath() {
        Message checking = query("www.example.org", Type.A);
        checking.getHeader().setFlag(Flags.CD);
        assertTrue(fast(checking.toWire(), Statistics.UDP).isEmpty());
        Message iterated = query("www.example.org", Type.A);
        iterated.getHeader().unsetFlag(Flags.RD);
        assertTrue(fast(iterated.toWire(), Statistics.UDP).isEmpty(), "security row D13");
        byte[] padded = query("www.example.org", Type.A).toWire();
        assertTrue(
                fast(java.util.Arrays.copyOf(padded, padded.length + 1), Statistics.UDP).isEmpty());
        ByteBuffer stranger = ByteBuffer.wrap(new byte[] {(byte) 192, 0, 2, 1});
        assertEquals(
                CacheAnswering.NOT_HERE,
                fast.answer(
                        serving,
                        ByteBuffer.wrap(query("www.example.org", Type.A).toWire()),
                        ByteBuffer.allocate(4096),
                        stranger,
                        Statistics.UDP),
                "security row D13");
    }

    @Test
    void whatIsNotProvedIsForTheRecursor() {
        for (Security security : new Security[] {Security.BOGUS, Security.UNCHECKED}) {
            cache.flush(name("www.example.org"));
            cache.keep(
                    found(security, "www.example.org 300 A 192.0.2.1")
                            .judged(
                                    security,
                                    Optional.of(
                                            new Reason(
                                                    ExtendedErrorCodeOption.DNSSEC_BOGUS, "no"))));
            assertTrue(fast(query("www.example.org", Type.A).toWire(), Statistics.UDP).isEmpty());
        }
    }

    @Test
    void policiesHaveTheirWord() {
        List<Name> heard = new ArrayList<>();
        AtomicReference<Ruling> ruling = new AtomicReference<>(Ruling.NONE);
        policies.set(
                List.of(
                        (question, type, client) -> {
                            heard.add(question);
                            return ruling.get();
                        }));
        byte[] query = query("www.example.org", Type.A).toWire();
        assertTrue(fast(query, Statistics.UDP).isPresent());
        ruling.set(new Ruling.NoName("list"));
        assertTrue(fast(query, Statistics.UDP).isEmpty());
        assertEquals(2, heard.size());
    }

    @Test
    void whatIsNearlyOverIsFetchedAgainOnce() {
        byte[] query = query("www.example.org", Type.A).toWire();
        fast(query, Statistics.UDP);
        assertEquals(List.of(), refreshed);
        clients.clock.advance(Duration.ofSeconds(271));
        edges.tick.look();
        for (int i = 0; i < 5; i++) {
            assertTrue(fast(query, Statistics.UDP).isPresent());
        }
        assertEquals(List.of(new Question(name("www.example.org"), Type.A)), refreshed);
    }

    /// Security row D13, on the fast path too.
    @Test
    void answersToUnprovedAddressesAreLimited() {
        try (ServedClients many = new ServedClients("allow", "192.0.2.0/24", "rate-limit", "10")) {
            many.cache.keep(found(Security.INSECURE, "www.example.org 300 A 192.0.2.1"));
            byte[] query = query("www.example.org", Type.A).toWire();
            int whole = 0;
            for (int i = 0; i < 1000; i++) {
                whole +=
                        many.send("192.0.2.53", query)
                                .sent()
                                .filter(a -> !parsed(a).getHeader().getFlag(Flags.TC))
                                .map(a -> 1)
                                .orElse(0);
            }
            assertTrue(whole <= 11, whole + " answers");
            assertEquals(0, many.recursor.asked.get());
        }
    }

    @Test
    void theDoorwayUsesIt() {
        clients.ask(query("www.example.org", Type.A));
        Message over = parsed(clients.stream(false, query("www.example.org", Type.A).toWire()));
        assertEquals(Rcode.NOERROR, over.getRcode());
        assertEquals(0, clients.recursor.asked.get());
        assertEquals(2, clients.server.statistics().answers().answeredFast());
    }

    @Test
    void makesNoObjects() {
        List<ByteBuffer> queries = new ArrayList<>();
        for (String asked : ASKED) {
            for (Message query : variants(asked)) {
                byte[] octets = query.toWire();
                queries.add(ByteBuffer.allocateDirect(octets.length).put(octets).flip());
            }
        }
        ByteBuffer out = ByteBuffer.allocateDirect(4096);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 4_000; i++) {
                for (int q = 0; q < queries.size(); q++) {
                    int outcome =
                            fast.answer(
                                    serving, queries.get(q), out.clear(), CLIENT, Statistics.UDP);
                    assertTrue(outcome == CacheAnswering.ANSWERED);
                }
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertTrue(least < 10_000, least + " octets for 350,000 queries");
    }
}
