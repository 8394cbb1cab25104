package org.pabal.dns.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.dns.PackedZone;
import org.pabal.dns.Ruling;
import org.pabal.dns.ZoneChange;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

class PolicyZoneTest {

    private static final InetAddress CLIENT = InetAddress.ofLiteral("192.0.2.7");
    private static final String SOA =
            "@ 60 SOA ns.example. who.example. 1 60 60 60 60\n@ NS ns.example.\n";

    /// One of each trigger and action.
    private static final String ZONE =
            SOA
                    + """
                    nxdomain.example CNAME .
                    nodata.example CNAME *.
                    pass.example CNAME rpz-passthru.
                    oldpass.example CNAME oldpass.example.
                    drop.example CNAME rpz-drop.
                    tcp.example CNAME rpz-tcp-only.
                    later.example CNAME rpz-something-new.
                    garden.example CNAME walled.example.net.
                    local.example 300 A 192.0.2.80
                    local.example 300 A 192.0.2.81
                    local.example MX 10 mail.example.net.
                    *.wild.example CNAME .
                    exact.wild.example CNAME rpz-passthru.
                    *.subst.example CNAME *.garden.example.net.
                    deep.below.ent.example CNAME .
                    24.0.2.0.192.rpz-client-ip CNAME rpz-drop.
                    32.9.2.0.192.rpz-client-ip CNAME rpz-passthru.
                    48.zz.db8.2001.rpz-client-ip CNAME rpz-drop.
                    8.0.0.0.10.rpz-ip CNAME .
                    16.0.0.1.10.rpz-ip CNAME rpz-passthru.
                    32.zz.bad.rpz-ip A 192.0.2.99
                    128.1.zz.bad8.2001.rpz-ip CNAME *.
                    ns.example.rpz-nsdname CNAME .
                    """;

    private final PolicyZone zone = zone(ZONE, Action.GIVEN);

    private static PolicyZone zone(String text, Action action) {
        return PolicyZone.of(MemoryZone.of("rpz.example.org", text), action, "policy test");
    }

    private static Name name(String text) {
        return Name.fromConstantString(text + '.');
    }

    private static Ruling ruling(PolicyZone zone, String name, int type) {
        return zone.question(name(name), type, InetAddress.ofLiteral("198.51.100.1"))
                .map(Match::ruling)
                .orElse(Ruling.NONE);
    }

    private Ruling ruling(String name) {
        return ruling(zone, name, Type.A);
    }

    private static RRset set(String owner, int type, String... data) throws IOException {
        RRset set = new RRset();
        for (String each : data) {
            set.addRR(Record.fromString(name(owner), type, DClass.IN, 300, each, Name.root));
        }
        return set;
    }

    @Test
    void obeysEachAction() {
        assertEquals(new Ruling.NoName("policy test"), ruling("nxdomain.example"));
        assertEquals(new Ruling.NoRecord("policy test"), ruling("nodata.example"));
        assertEquals(new Ruling.Pass(), ruling("pass.example"));
        assertEquals(new Ruling.Pass(), ruling("oldpass.example"));
        assertEquals(new Ruling.Drop("policy test"), ruling("drop.example"));
        assertEquals(new Ruling.OverTcp("policy test"), ruling("tcp.example"));
        assertEquals(Ruling.NONE, ruling("later.example"));
        assertEquals(Ruling.NONE, ruling("other.example"));
    }

    @Test
    void answersWithLocalData() throws IOException {
        Ruling.Instead a = assertInstanceOf(Ruling.Instead.class, ruling("LOCAL.example"));
        assertEquals(set("local.example", Type.A, "192.0.2.80", "192.0.2.81"), a.records());
        assertEquals(300, a.records().getTTL());
        assertEquals(new Ruling.NoRecord("policy test"), ruling(zone, "local.example", Type.AAAA));
        Ruling.Instead mx =
                assertInstanceOf(Ruling.Instead.class, ruling(zone, "local.example", Type.MX));
        assertEquals(set("local.example", Type.MX, "10 mail.example.net."), mx.records());
        assertInstanceOf(Ruling.Instead.class, ruling(zone, "local.example", Type.ANY));
    }

    @Test
    void leadsIntoAWalledGarden() throws IOException {
        Ruling.Instead alias = assertInstanceOf(Ruling.Instead.class, ruling("garden.example"));
        assertEquals(set("garden.example", Type.CNAME, "walled.example.net."), alias.records());
    }

    @Test
    void aWildcardAliasTakesTheNameAlong() throws IOException {
        Ruling.Instead alias = assertInstanceOf(Ruling.Instead.class, ruling("a.b.subst.example"));
        assertEquals(
                set("a.b.subst.example", Type.CNAME, "a.b.subst.example.garden.example.net."),
                alias.records());
        String tooLong = ("a".repeat(60) + '.').repeat(3) + "a".repeat(50) + ".subst.example";
        assertEquals(new Ruling.NoName("policy test"), ruling(tooLong));
    }

    @Test
    void aWildcardIsForWhatIsBelowIt() {
        assertEquals(new Ruling.NoName("policy test"), ruling("a.wild.example"));
        assertEquals(new Ruling.NoName("policy test"), ruling("a.b.c.wild.example"));
        assertEquals(new Ruling.Pass(), ruling("exact.wild.example"));
        assertEquals(new Ruling.NoName("policy test"), ruling("below.exact.wild.example"));
        assertEquals(Ruling.NONE, ruling("wild.example"));
    }

    @Test
    void namesBetweenAreNoRules() {
        assertEquals(Ruling.NONE, ruling("below.ent.example"));
        assertEquals(Ruling.NONE, ruling("ent.example"));
        assertEquals(new Ruling.NoName("policy test"), ruling("deep.below.ent.example"));
    }

    @Test
    void whatStandsForSomethingElseIsNoName() {
        assertEquals(Ruling.NONE, ruling("8.0.0.0.10.rpz-ip"));
        assertEquals(Ruling.NONE, ruling("24.0.2.0.192.rpz-client-ip"));
        assertEquals(Ruling.NONE, ruling("ns.example.rpz-nsdname"));
        assertEquals(
                Optional.empty(),
                zone.question(Name.root, Type.SOA, InetAddress.ofLiteral("2001:db9::1")));
    }

    @Test
    void aWildcardAtTheTopIsForAllNames() {
        PolicyZone all = zone(SOA + "* CNAME .\ngood.example CNAME rpz-passthru.\n", Action.GIVEN);
        assertEquals(new Ruling.NoName("policy test"), ruling(all, "any.thing", Type.A));
        assertEquals(new Ruling.NoName("policy test"), ruling(all, "com", Type.A));
        assertEquals(new Ruling.Pass(), ruling(all, "good.example", Type.A));
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.7, Drop",
        "192.0.2.9, Pass",
        "192.0.3.9, none",
        "2001:db8:0:1::5, Drop",
        "2001:db9::5, none",
        "10.0.0.1, none"
    })
    void theSmallestNetworkOfTheClientCounts(String client, String expected) {
        Optional<Match> match =
                zone.question(name("other.example"), Type.A, InetAddress.ofLiteral(client));
        assertEquals(
                expected, match.map(m -> m.ruling().getClass().getSimpleName()).orElse("none"));
    }

    @Test
    void theClientComesBeforeTheName() {
        Optional<Match> match = zone.question(name("nxdomain.example"), Type.A, CLIENT);
        assertEquals(new Ruling.Drop("policy test"), match.orElseThrow().ruling());
        assertEquals("client 24.0.2.0.192.rpz-client-ip", match.orElseThrow().trigger());
    }

    @Test
    void judgesTheAddressesOfAnswers() throws IOException {
        Name asked = name("www.example.com");
        assertEquals(
                new Ruling.NoName("policy test"),
                answer(asked, set("www.example.com", Type.A, "192.0.2.1", "10.2.0.1")));
        assertEquals(
                new Ruling.Pass(), // the smaller network
                answer(asked, set("www.example.com", Type.A, "10.2.0.1", "10.1.0.1")));
        assertEquals(
                new Ruling.NoRecord("policy test"),
                answer(asked, set("www.example.com", Type.AAAA, "2001:bad8::1")));
        assertEquals(Ruling.NONE, answer(asked, set("www.example.com", Type.A, "11.0.0.1")));
    }

    private Ruling answer(Name asked, RRset... sets) {
        return zone.answer(asked, sets[sets.length - 1].getType(), List.of(sets))
                .map(Match::ruling)
                .orElse(Ruling.NONE);
    }

    @Test
    void judgesWhereAliasesLead() throws IOException {
        RRset alias = set("www.example.com", Type.CNAME, "local.example.");
        Ruling.Instead local =
                assertInstanceOf(
                        Ruling.Instead.class,
                        answer(
                                name("www.example.com"),
                                alias,
                                set("local.example", Type.A, "198.51.100.9")));
        assertEquals(name("local.example"), local.records().getName());
    }

    @Test
    void anActionInPlaceOfAllOthers() {
        for (String name : List.of("nodata.example", "drop.example", "local.example")) {
            assertEquals(
                    new Ruling.NoName("policy test"),
                    ruling(zone(ZONE, Action.NXDOMAIN), name, Type.A));
            assertEquals(
                    new Ruling.NoRecord("policy test"),
                    ruling(zone(ZONE, Action.NODATA), name, Type.A));
            assertEquals(new Ruling.Pass(), ruling(zone(ZONE, Action.PASSTHRU), name, Type.A));
            assertEquals(
                    new Ruling.Drop("policy test"), ruling(zone(ZONE, Action.DROP), name, Type.A));
        }
    }

    @Test
    void rulesAboutNameServersAreCounted() {
        assertEquals(1, zone.leftOut());
    }

    @Test
    void aChangeIsSeenWithoutReadingTheZoneAgain() throws IOException {
        PackedZone before = PackedZone.of(MemoryZone.of("rpz.example.org", ZONE));
        PolicyZone first = PolicyZone.of(before, Action.GIVEN, "policy test");
        ZoneChange change =
                change(
                        before,
                        List.of("nxdomain.example CNAME .", "8.0.0.0.10.rpz-ip CNAME ."),
                        List.of(
                                "new.example CNAME .",
                                "8.0.0.0.11.rpz-ip CNAME .",
                                "32.1.100.51.198.rpz-client-ip CNAME rpz-drop.",
                                "32.1.100.51.198.rpz-nsip CNAME rpz-drop."));
        PolicyZone next = first.with(before.with(change), List.of(change));
        Name asked = name("www.example.com");
        assertEquals(new Ruling.NoName("policy test"), ruling(first, "nxdomain.example", Type.A));
        InetAddress other = InetAddress.ofLiteral("198.51.100.2");
        assertTrue(next.question(name("nxdomain.example"), Type.A, other).isEmpty());
        assertTrue(next.question(name("new.example"), Type.A, other).isPresent());
        assertInstanceOf(Ruling.Drop.class, ruling(next, "new.example", Type.A));
        RRset ten = set("www.example.com", Type.A, "10.2.0.1");
        RRset eleven = set("www.example.com", Type.A, "11.2.0.1");
        assertTrue(first.answer(asked, Type.A, List.of(ten)).isPresent());
        assertTrue(next.answer(asked, Type.A, List.of(ten)).isEmpty());
        assertTrue(first.answer(asked, Type.A, List.of(eleven)).isEmpty());
        assertTrue(next.answer(asked, Type.A, List.of(eleven)).isPresent());
        assertEquals(2, next.leftOut());
    }

    @Test
    void aVersionThatDoesNotFollowIsReadAnew() throws IOException {
        PackedZone before = PackedZone.of(MemoryZone.of("rpz.example.org", ZONE));
        ZoneChange one = change(before, List.of(), List.of("one.example CNAME ."));
        PackedZone second = before.with(one);
        ZoneChange two = change(second, List.of(), List.of("8.0.0.0.12.rpz-ip CNAME ."));
        PolicyZone next =
                PolicyZone.of(before, Action.GIVEN, "policy test")
                        .with(second.with(two), List.of(two));
        assertTrue(
                next.answer(
                                name("www.example.com"),
                                Type.A,
                                List.of(set("www.example.com", Type.A, "12.0.0.1")))
                        .isPresent());
    }

    private static ZoneChange change(PackedZone from, List<String> removed, List<String> added)
            throws IOException {
        SOARecord soa = ZoneChange.soa(from);
        SOARecord next =
                new SOARecord(
                        soa.getName(),
                        DClass.IN,
                        60,
                        soa.getHost(),
                        soa.getAdmin(),
                        soa.getSerial() + 1,
                        60,
                        60,
                        60,
                        60);
        return new ZoneChange(soa, next, records(from, removed), records(from, added));
    }

    private static List<Record> records(PackedZone zone, List<String> lines) throws IOException {
        return lines.stream()
                .map(line -> line.split(" ", 3))
                .map(
                        words -> {
                            try {
                                return Record.fromString(
                                        Name.fromString(words[0], zone.origin()),
                                        Type.value(words[1]),
                                        DClass.IN,
                                        3600,
                                        words[2],
                                        Name.root);
                            } catch (IOException e) {
                                throw new IllegalArgumentException(e);
                            }
                        })
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "24.0.2.0.192, true",
        "32.7.2.0.192, true",
        "33.7.2.0.192, false",
        "24.7.2.0.192, false",
        "0.0.0.0.0, false",
        "24.0.256.0.192, false",
        "24.0.-1.0.192, false",
        "24.0.2.192, false",
        "48.zz.db8.2001, true",
        "128.1.zz, true",
        "128.zz.1, true",
        "128.1.2.3.4.5.6.7.8, true",
        "128.1.2.3.4.5.6.7, false",
        "128.zz.1.zz, false",
        "zz.1.2, false",
        "129.zz.1, false",
        "16.zz.db8.2001, false",
        "128.10000.zz.1, false",
        "128.1.2.3.4.5.6.7.8.9, false"
    })
    void readsNetworksBackwards(String text, boolean good) {
        Name name = name(text);
        assertEquals(good, TriggerNetwork.parse(name, name.labels() - 1).isPresent());
    }

    @Test
    void aNetworkOfSixIsNotOneOfFour() {
        assertFalse(
                TriggerNetwork.parse(name("128.1.2.0.192.zz"), 6)
                        .equals(TriggerNetwork.parse(name("32.1.2.0.192"), 5)));
    }
}
