package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.dns.server.Edges;
import org.pabal.dns.server.Query;
import org.pabal.dns.server.Statistics;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;
import org.xbill.DNS.Message;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// RFC 1794: which address comes first, the same on both paths.
class AddressOrderTest {

    private static final int QUERIES = 9_000;

    private static final String[] ADDRESSES = {"192.0.2.9", "192.0.2.1", "192.0.2.5"};

    private static final String FILE =
            Node.SOA
                    + """
                    @ 3600 NS ns1
                    ns1 3600 A 192.0.2.53
                    www 60 A 192.0.2.9
                    www 60 A 192.0.2.1
                    www 60 A 192.0.2.5
                    www 60 AAAA 2001:db8::9
                    www 60 AAAA 2001:db8::1
                    *.any 60 A 192.0.2.9
                    *.any 60 A 192.0.2.1
                    *.any 60 A 192.0.2.5
                    alias 60 CNAME www
                    """;

    private final Node node = Node.serving("example.org.", FILE);

    @AfterEach
    void stop() {
        node.close();
    }

    private static ZoneSettings settings(String... keysAndValues) {
        Map<String, Object> properties = new HashMap<>(Map.of("zones", "example.org"));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            properties.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return new ZoneSettings(properties);
    }

    private List<String> answer(String name, int type) {
        return node.answer(Node.query(name, type)).getSection(Section.ANSWER).stream()
                .filter(record -> record.getType() == type)
                .map(Record::rdataToString)
                .toList();
    }

    /// The fast path; `node.answer` compares both, but as sets.
    private Message fast(String name, int type) {
        WireLookup fast =
                new WireLookup(
                        new Edges(
                                ServerSettings.of(Map.of("rate-limit", "0")).edges(), node.clock));
        ByteBuffer out = ByteBuffer.allocate(4096);
        byte[] query = Node.query(name, type).toWire();
        assertEquals(
                WireLookup.ANSWERED,
                fast.answer(
                        node.zones(), ByteBuffer.wrap(query), out, Node.ADDRESS, Statistics.UDP));
        byte[] octets = new byte[out.position()];
        out.get(0, octets);
        return Node.parsed(octets);
    }

    /// How often each address came first on the fast path and on the readable one.
    private List<Map<String, Integer>> firsts(ZoneSettings settings, String name, int type) {
        AnswerPolicy policy = new AnswerPolicy(settings.order(), Map.of());
        node.zones().policies(origin -> true, zone -> policy);
        Reply replies = new Reply(1232, owner -> node.zones().order(owner));
        return List.of(
                firsts(query -> fast(name, type)),
                firsts(
                        query ->
                                Node.parsed(
                                        replies.write(
                                                query,
                                                ZoneLookup.find(
                                                        node.zones(), Node.name(name), type, false),
                                                false))));
    }

    private static Map<String, Integer> firsts(Function<Query, Message> path) {
        Query query = Query.read(Node.query("www.example.org", Type.A).toWire()).orElseThrow();
        Map<String, Integer> counts = new HashMap<>();
        for (int i = 0; i < QUERIES; i++) {
            String first = path.apply(query).getSection(Section.ANSWER).getFirst().rdataToString();
            counts.merge(first, 1, Integer::sum);
        }
        return counts;
    }

    /// Seven standard deviations: once in a hundred thousand million runs by chance.
    private static void assertAbout(double share, Map<String, Integer> counts, String address) {
        double deviation = Math.sqrt(QUERIES * share * (1 - share));
        assertEquals(
                QUERIES * share, counts.getOrDefault(address, 0), 7 * deviation, counts::toString);
    }

    @Test
    void cyclicStartsWithEachInTurn() {
        for (Map<String, Integer> counts : firsts(settings(), "www.example.org", Type.A)) {
            for (String address : ADDRESSES) {
                assertEquals(QUERIES / 3, counts.get(address));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"www.example.org", "some.any.example.org"})
    void randomStartsWithEachEquallyOften(String name) {
        for (Map<String, Integer> counts : firsts(settings("rotate", "random"), name, Type.A)) {
            for (String address : ADDRESSES) {
                assertAbout(1.0 / 3, counts, address);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"www.example.org", "some.any.example.org"})
    void weightedStartsWithEachAsOftenAsItsWeightSays(String name) {
        ZoneSettings settings =
                settings("rotate", "weighted", "weights", "192.0.2.9 6, 192.0.2.1 0, 192.0.2.77 9");
        for (Map<String, Integer> counts : firsts(settings, name, Type.A)) {
            assertAbout(6.0 / 7, counts, "192.0.2.9");
            assertAbout(1.0 / 7, counts, "192.0.2.5"); // weighs 1, as nobody said anything else
            assertAbout(0, counts, "192.0.2.1");
        }
    }

    @Test
    void weightsAreForIpv6Too() {
        ZoneSettings settings = settings("rotate", "weighted", "weights", "2001:db8::1 3");
        for (Map<String, Integer> counts : firsts(settings, "www.example.org", Type.AAAA)) {
            assertAbout(3.0 / 4, counts, "2001:db8:0:0:0:0:0:1");
            assertAbout(1.0 / 4, counts, "2001:db8:0:0:0:0:0:9");
        }
    }

    @Test
    void whenAllWeighNothingEachIsAsGood() {
        ZoneSettings settings =
                settings(
                        "rotate", "weighted",
                        "weights", "192.0.2.9 0, 192.0.2.1 0, 192.0.2.5 0");
        for (Map<String, Integer> counts : firsts(settings, "www.example.org", Type.A)) {
            for (String address : ADDRESSES) {
                assertAbout(1.0 / 3, counts, address);
            }
        }
    }

    @Test
    void fixedKeepsTheOrderOfTheFile() {
        ZoneSettings settings = settings("rotate", "fixed");
        for (Map<String, Integer> counts : firsts(settings, "www.example.org", Type.A)) {
            assertEquals(Map.of(ADDRESSES[0], QUERIES), counts);
        }
        node.server.bindZoneSettings(settings);
        for (int i = 0; i < 10; i++) {
            assertEquals(List.of(ADDRESSES), answer("www.example.org", Type.A));
            assertEquals(List.of(ADDRESSES), answer("alias.example.org", Type.A));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"random", "fixed", "weighted"})
    void makesNoObject(String rotate) {
        ZoneSettings settings =
                rotate.equals("weighted")
                        ? settings("rotate", rotate, "weights", "192.0.2.9 3, 192.0.2.1 5")
                        : settings("rotate", rotate);
        AnswerPolicy policy = new AnswerPolicy(settings.order(), Map.of());
        node.zones().policies(origin -> true, zone -> policy);
        WireLookup fast =
                new WireLookup(
                        new Edges(
                                ServerSettings.of(Map.of("rate-limit", "0")).edges(), node.clock));
        ByteBuffer query = ByteBuffer.wrap(Node.query("www.example.org", Type.A).toWire());
        ByteBuffer out = ByteBuffer.allocate(4096);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 50_000; i++) {
                assertEquals(
                        WireLookup.ANSWERED,
                        fast.answer(
                                node.zones(), query, out.clear(), Node.ADDRESS, Statistics.UDP));
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertTrue(least < 10_000, least + " octets for 50,000 queries");
    }

    @Test
    void takesNewSettingsWhileRunning() {
        node.server.bindZoneSettings(
                settings(
                        "rotate",
                        "weighted",
                        "weights",
                        "192.0.2.1 255, 192.0.2.9 0, 192.0.2.5 0"));
        List<String> second = List.of("192.0.2.1", "192.0.2.5", "192.0.2.9");
        for (int i = 0; i < 10; i++) {
            assertEquals(second, answer("www.example.org", Type.A));
            assertEquals(second, answer("alias.example.org", Type.A));
        }
        node.server.published(node.store.find(Node.name("example.org")).orElseThrow());
        for (int i = 0; i < 10; i++) {
            assertEquals(second, answer("www.example.org", Type.A), "the next version too");
        }
    }

    @Test
    void onlyTheZonesThatAreNamedChange() {
        node.server.bindZoneSettings(
                new ZoneSettings(Map.of("zones", "*.example.org", "rotate", "fixed")));
        assertTrue(
                !answer("www.example.org", Type.A).equals(answer("www.example.org", Type.A)),
                "the zone itself is cyclic as before");
    }

    @Test
    void saysWhatIsWrong() {
        for (String weights : List.of("192.0.2.1", "192.0.2.1 256", "www 3", "192.0.2.1 3 4")) {
            BadSetting bad =
                    assertThrows(
                            BadSetting.class,
                            () -> settings("rotate", "weighted", "weights", weights));
            assertTrue(bad.getMessage().contains("192.0.2.1 3, 192.0.2.2 1"), bad.getMessage());
        }
        assertThrows(BadSetting.class, () -> settings("rotate", "weighted"));
        assertThrows(BadSetting.class, () -> settings("weights", "192.0.2.1 3"));
        assertThrows(
                BadSetting.class, () -> AddressOrder.of(Settings.of(Map.of("rotate", "round"))));
    }
}
