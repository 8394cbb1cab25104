package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pabal.dns.Authority;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Walks through an internet in a map.
class RecursionTest {

    private static final String ROOT = "192.0.2.1";
    private static final String ORG = "192.0.2.2";
    private static final String EXAMPLE = "192.0.2.3";

    private final MovableClock clock = new MovableClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final ScriptedInternet internet = internet();
    private MapCache cache = new MapCache(clock);
    private Validator validator = new NoValidator();
    private Routes routes = Routes.FROM_THE_ROOT;
    private boolean minimise = true;
    private boolean privateUpstreams;
    private Duration staleTimer = Duration.ofSeconds(2);
    private int maxWalks = 100;
    private Optional<Recursion> started = Optional.empty();

    /// Proves nothing, and needs no proof.
    static class NoValidator implements Validator {
        @Override
        public Finding judge(Finding finding, Fetch fetch, Request request) {
            return finding.judged(Security.INSECURE, Optional.empty());
        }

        @Override
        public boolean cares(Name name) {
            return false;
        }
    }

    private static ScriptedInternet internet() {
        return new ScriptedInternet()
                .serve(
                        ROOT,
                        ".",
                        """
                        . NS a.root.
                        a.root. A 192.0.2.1
                        org. NS a.org.
                        a.org. A 192.0.2.2
                        """)
                .serve(
                        ORG,
                        "org.",
                        """
                        @ NS a.org.
                        a A 192.0.2.2
                        example 7200 NS ns.example
                        ns.example 7200 A 192.0.2.3
                        """)
                .serve(
                        EXAMPLE,
                        "example.org.",
                        """
                        @ NS ns
                        ns A 192.0.2.3
                        www 600 A 198.51.100.1
                        alias 600 CNAME www
                        away CNAME www.example.org.
                        a.b.c TXT deep
                        old DNAME new
                        www.new A 198.51.100.7
                        """);
    }

    @AfterEach
    void stop() {
        started.ifPresent(Recursion::close);
    }

    private Recursion recursion() {
        if (started.isEmpty()) {
            WalkSettings settings =
                    new WalkSettings(
                            minimise, privateUpstreams, 53, false, true, staleTimer, maxWalks, 2);
            started =
                    Optional.of(
                            new Recursion(
                                    cache,
                                    internet,
                                    validator,
                                    routes,
                                    hints("a.root.", ROOT),
                                    settings,
                                    finding -> finding,
                                    clock));
        }
        return started.get();
    }

    private static RootHints hints(String name, String address) {
        String file = ". 3600000 NS " + name + "\n" + name + " 3600000 A " + address + "\n";
        try {
            return RootHints.read(
                    new ByteArrayInputStream(file.getBytes(StandardCharsets.US_ASCII)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Question question(String name, int type) {
        return new Question(Name.fromConstantString(name), type);
    }

    private Answer ask(String name, int type) {
        return ask(name, type, Request.Wish.NOTHING);
    }

    private Answer ask(String name, int type, Request.Wish wish) {
        return recursion().answer(question(name, type), Request.of(wish, Request.Trace.NONE));
    }

    private static String data(Answer answer) {
        return answer.records().stream()
                .flatMap(set -> set.rrs(false).stream())
                .map(record -> Type.string(record.getType()) + " " + record.rdataToString())
                .collect(Collectors.joining(", "));
    }

    private List<String> asked() {
        return internet.asked.stream().map(ScriptedInternet.Asked::toString).toList();
    }

    // ---- the way

    @Test
    void walksFromTheRootAndTellsNobodyMoreThanNeeded() {
        assertEquals("A 198.51.100.1", data(ask("www.example.org.", Type.A)));
        assertEquals(
                List.of(
                        ROOT + " . NS",
                        ROOT + " org. A",
                        ORG + " example.org. A",
                        EXAMPLE + " www.example.org. A"),
                asked());
    }

    @Test
    void asksForTheWholeNameWhenMinimisationIsOff() {
        minimise = false;
        ask("www.example.org.", Type.A);
        assertEquals(
                List.of(
                        ROOT + " . NS",
                        ROOT + " www.example.org. A",
                        ORG + " www.example.org. A",
                        EXAMPLE + " www.example.org. A"),
                asked());
    }

    @Test
    void asksNobodyForWhatItRemembers() {
        ask("www.example.org.", Type.A);
        internet.asked.clear();
        assertEquals("A 198.51.100.1", data(ask("www.example.org.", Type.A)));
        assertEquals(List.of(), asked());
        clock.advance(Duration.ofSeconds(601));
        ask("www.example.org.", Type.A);
        assertEquals(List.of(EXAMPLE + " www.example.org. A"), asked(), "the way is still known");
    }

    @Test
    void stopsMinimisingAfterTenQuestions() {
        String labels = "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22";
        ask(labels + ".example.org.", Type.A);
        assertTrue(internet.asked.size() <= 14, "asked " + internet.asked.size());
    }

    @Test
    void findsNamesBelowEmptyOnesThatAServerDenies() {
        internet.lying(
                EXAMPLE,
                (question, honest) ->
                        question.name().labels() < 6
                                ? ScriptedInternet.saying(
                                        question,
                                        Rcode.NXDOMAIN,
                                        "authority example.org. SOA ns. h. 1 1 1 1 60")
                                : honest);
        assertEquals("TXT deep", data(ask("a.b.c.example.org.", Type.TXT)));
    }

    @Test
    void findsNamesAtServersThatChokeOnPartsOfThem() {
        internet.lying(
                EXAMPLE,
                (question, honest) ->
                        question.name().labels() < 6
                                ? ScriptedInternet.saying(question, Rcode.SERVFAIL)
                                : honest);
        assertEquals("TXT deep", data(ask("a.b.c.example.org.", Type.TXT)));
    }

    @Test
    void tellsNoNameFromNoRecordAndKeepsBothAsLongAsTheZoneSays() {
        Answer noName = ask("none.example.org.", Type.A);
        assertEquals(Rcode.NXDOMAIN, noName.rcode());
        Answer noRecord = ask("www.example.org.", Type.MX);
        assertEquals(Finding.Kind.NO_RECORD, noRecord.last().kind());
        // RFC 2308 §5: the lesser of the TTL of the SOA, 3600, and its minimum, 300
        assertEquals(300, noName.last().ttl());
        assertEquals(300, noRecord.last().ttl());
    }

    @Test
    void everyStepIsTraced() {
        Request.Trace.Kept trace = new Request.Trace.Kept();
        recursion()
                .answer(
                        question("alias.example.org.", Type.A),
                        Request.of(Request.Wish.NOTHING, trace));
        List<Step.What> steps = trace.steps().stream().map(Step::what).toList();
        assertEquals(
                List.of(
                        Step.What.ANSWER, // priming
                        Step.What.REFERRAL,
                        Step.What.REFERRAL,
                        Step.What.ALIAS,
                        Step.What.VALIDATED,
                        Step.What.VALIDATED),
                steps);
    }

    @Test
    void primesOnceAndAgainWhenThatIsOver() {
        ask("www.example.org.", Type.A);
        ask("nowhere.", Type.A);
        assertEquals(1, asked().stream().filter((ROOT + " . NS")::equals).count());
        clock.advance(Duration.ofHours(2));
        ask("elsewhere.", Type.A);
        assertEquals(2, asked().stream().filter((ROOT + " . NS")::equals).count());
    }

    @Test
    void theParentIsAskedForDelegationSigners() {
        Answer answer = ask("example.org.", Type.DS);
        assertEquals(Finding.Kind.NO_RECORD, answer.last().kind());
        assertEquals(ORG + " example.org. DS", asked().getLast());
        assertEquals(Name.fromConstantString("org."), answer.last().zone());
    }

    // ---- RFC 1034 §6.2 and §6.3

    private void arpanet() {
        internet.serve(
                ROOT,
                ".",
                """
                . NS c.isi.edu.
                c.isi.edu. A 192.0.2.1
                SRI-NIC.ARPA. A 192.0.2.73
                SRI-NIC.ARPA. MX 0 SRI-NIC.ARPA.
                USC-ISIC.ARPA. CNAME C.ISI.EDU.
                MIL. NS SRI-NIC.ARPA.
                BRL.MIL. NS BRL-AOS.ARPA.
                BRL-AOS.ARPA. A 192.0.2.82
                EDU. NS c.isi.edu.
                """);
        internet.serve(
                ROOT,
                "EDU.",
                """
                @ NS c.isi.edu.
                isi NS vaxa.isi
                vaxa.isi A 192.0.2.27
                """);
        internet.serve(
                "192.0.2.27",
                "ISI.EDU.",
                """
                @ NS vaxa
                @ MX 10 venera
                vaxa A 192.0.2.27
                venera A 192.0.2.32
                C A 192.0.2.52
                """);
    }

    @Test
    void answersTheQueriesOfRfc1034() {
        arpanet();
        assertEquals("A 192.0.2.73", data(ask("SRI-NIC.ARPA.", Type.A)));
        assertEquals("MX 0 SRI-NIC.ARPA.", data(ask("SRI-NIC.ARPA.", Type.MX)));
        assertEquals(Rcode.NXDOMAIN, ask("SIR-NIC.ARPA.", Type.A).rcode());
        assertEquals("CNAME C.ISI.EDU., A 192.0.2.52", data(ask("USC-ISIC.ARPA.", Type.A)));
        assertEquals("CNAME C.ISI.EDU.", data(ask("USC-ISIC.ARPA.", Type.CNAME)));
        assertEquals("MX 10 venera.ISI.EDU.", data(ask("ISI.EDU.", Type.MX)));
    }

    // ---- aliases

    @Test
    void followsAliasesAcrossZonesAndRemembersEachLink() {
        internet.serve(
                ORG,
                "org.",
                """
                @ NS a
                a A 192.0.2.2
                example NS ns.example
                ns.example A 192.0.2.3
                other NS ns.other
                ns.other A 192.0.2.4
                """);
        internet.serve("192.0.2.4", "other.org.", "@ NS ns\nw CNAME alias.example.org.\n");
        String wanted = "CNAME alias.example.org., CNAME www.example.org., A 198.51.100.1";
        assertEquals(wanted, data(ask("w.other.org.", Type.A)));
        internet.asked.clear();
        assertEquals("A 198.51.100.1", data(ask("www.example.org.", Type.A)));
        assertEquals(wanted, data(ask("w.other.org.", Type.A)));
        assertEquals(List.of(), asked());
    }

    @Test
    void synthesizesAliasesFromARememberedDname() {
        assertEquals(
                "DNAME new.example.org., CNAME www.new.example.org., A 198.51.100.7",
                data(ask("www.old.example.org.", Type.A)));
        internet.asked.clear();
        Answer other = ask("none.old.example.org.", Type.A);
        assertEquals(Rcode.NXDOMAIN, other.rcode());
        assertEquals(EXAMPLE + " none.new.example.org. A", asked().getLast());
        assertTrue(asked().stream().noneMatch(ask -> ask.contains("old.example.org.")));
    }

    /// RFC 6672 §2.2; the second time from the DNAME that is remembered.
    @Test
    void aNameThatADnameMakesTooLongIsSaidToBe() {
        String label = "l".repeat(60);
        String to = String.join(".", label, label, label, "example.org.");
        internet.serve(EXAMPLE, "example.org.", "@ NS ns\nlong DNAME " + to + "\n");
        Answer first = ask(label + ".long.example.org.", Type.A);
        assertEquals(Rcode.YXDOMAIN, first.rcode());
        assertEquals("DNAME " + to, data(first));
        internet.asked.clear();
        Answer second = ask(label + ".long.example.org.", Type.MX);
        assertEquals(Rcode.YXDOMAIN, second.rcode());
        assertEquals("DNAME " + to, data(second));
        assertEquals(List.of(), asked());
    }

    @Test
    void aLoopOfAliasesEnds() {
        internet.serve(EXAMPLE, "example.org.", "@ NS ns\na CNAME b\nb CNAME a\ns CNAME s\n");
        assertEquals(Rcode.SERVFAIL, ask("a.example.org.", Type.A).rcode());
        assertEquals(Rcode.SERVFAIL, ask("s.example.org.", Type.A).rcode());
        assertTrue(internet.asked.size() < 10, "asked " + internet.asked.size());
    }

    /// Security row D24: at most 16 aliases, and no more queries than that.
    @Test
    void sixteenAliasesAreFollowedAndNoMore() {
        String zone =
                IntStream.range(0, 30)
                        .mapToObj(i -> "c" + i + " CNAME c" + (i + 1) + "\n")
                        .collect(Collectors.joining());
        internet.serve(EXAMPLE, "example.org.", "@ NS ns\n" + zone + "c30 A 198.51.100.9\n");
        assertEquals("A 198.51.100.9", data(ask("c14.example.org.", Type.A)).split(", ")[16]);
        Answer answer = ask("c1.example.org.", Type.A);
        assertEquals(Rcode.SERVFAIL, answer.rcode());
        assertEquals(17, answer.chain().size() - 1, "aliases");
        assertTrue(internet.asked.size() <= 12, "asked " + internet.asked.size());
    }

    // ---- who is asked

    @Test
    void aLameServerIsReportedAndTheNextOneAsked() {
        internet.serve(
                ORG,
                "org.",
                """
                @ NS a
                example NS lame.example
                example NS ns.example
                lame.example A 192.0.2.9
                ns.example A 192.0.2.3
                """);
        internet.lying(
                "192.0.2.9",
                (question, honest) ->
                        ScriptedInternet.saying(
                                question, Rcode.NOERROR, "authority org. NS a.org."));
        assertEquals("A 198.51.100.1", data(ask("www.example.org.", Type.A)));
        assertEquals(List.of("192.0.2.9 example.org."), internet.lame);
    }

    @Test
    void aServerThatLosesOnePacketIsAskedAgain() {
        AtomicInteger times = new AtomicInteger();
        internet.before =
                () -> {
                    if (internet.asked.getLast().address().equals(EXAMPLE)) {
                        if (times.getAndIncrement() == 0) {
                            internet.silent(EXAMPLE);
                        } else {
                            internet.speaking(EXAMPLE);
                        }
                    }
                };
        assertEquals("A 198.51.100.1", data(ask("www.example.org.", Type.A)));
    }

    @Test
    void nobodyAnswersIsAFailureThatIsRememberedForFiveSeconds() {
        internet.silent(EXAMPLE);
        Answer answer = ask("www.example.org.", Type.A);
        assertEquals(Rcode.SERVFAIL, answer.rcode());
        assertEquals(ExtendedErrorCodeOption.NETWORK_ERROR, answer.reason().orElseThrow().code());
        internet.asked.clear();
        ask("www.example.org.", Type.A);
        assertEquals(List.of(), asked());
        clock.advance(Duration.ofSeconds(6));
        internet.speaking(EXAMPLE);
        assertEquals("A 198.51.100.1", data(ask("www.example.org.", Type.A)));
    }

    @Test
    void serversAtPrivateAddressesAreNotAskedUnlessItIsSaid() throws Exception {
        for (String address :
                List.of(
                        "127.0.0.1",
                        "10.1.2.3",
                        "192.168.1.1",
                        "172.16.0.1",
                        "169.254.1.1",
                        "100.64.0.1",
                        "0.0.0.0",
                        "240.0.0.1",
                        "255.255.255.255",
                        "::1",
                        "fe80::1",
                        "fd00::1",
                        // a translator or a tunnel leads from these to private ones
                        "::10.1.2.3",
                        "2002:a01:203::1",
                        "64:ff9b::a01:203")) {
            assertTrue(WalkSettings.isPrivate(InetAddress.ofLiteral(address)), address);
        }
        assertFalse(WalkSettings.isPrivate(InetAddress.ofLiteral("192.0.2.1")));
        assertFalse(WalkSettings.isPrivate(InetAddress.ofLiteral("2001:db8::1")));
        internet.serve(ORG, "org.", "@ NS a\nexample NS ns.example\nns.example A 127.0.0.1\n");
        internet.serve("127.0.0.1", "example.org.", "@ NS ns\nwww A 198.51.100.1\n");
        assertEquals(Rcode.SERVFAIL, ask("www.example.org.", Type.A).rcode());
        assertTrue(asked().stream().noneMatch(ask -> ask.startsWith("127.")));
        started.ifPresent(Recursion::close);
        started = Optional.empty();
        cache = new MapCache(clock);
        privateUpstreams = true;
        assertEquals("A 198.51.100.1", data(ask("www.example.org.", Type.A)));
    }

    @Test
    void parentAndChildMayDisagreeAboutAddresses() {
        internet.serve(
                ORG,
                "org.",
                "@ NS a\nexample NS ns.other\nother NS ns.other\nns.other A 192.0.2.4\n");
        internet.serve("192.0.2.4", "other.org.", "@ NS ns\nns A 192.0.2.5\n");
        internet.serve("192.0.2.4", "example.org.", "@ NS ns.other.org.\nwww A 198.51.100.2\n");
        assertEquals("A 198.51.100.2", data(ask("www.example.org.", Type.A)));
    }

    // ---- security rows

    /// Row D4: records outside of the zone that was asked are dropped, in every section.
    @Test
    void whatIsNotOfTheZoneIsDropped() {
        internet.lying(
                EXAMPLE,
                (question, honest) ->
                        ScriptedInternet.saying(
                                question,
                                Rcode.NOERROR,
                                "answer www.example.org. A 198.51.100.1",
                                "answer www.bank.org. A 203.0.113.66",
                                "authority bank.org. NS ns.example.org.",
                                "authority org. NS ns.example.org.",
                                "additional a.org. A 203.0.113.66",
                                "additional www.bank.org. A 203.0.113.66"));
        assertEquals("A 198.51.100.1", data(ask("www.example.org.", Type.A)));
        assertTrue(cache.find(question("www.bank.org.", Type.A)).isEmpty());
        assertTrue(cache.find(question("a.org.", Type.A)).isEmpty());
        assertTrue(
                cache.delegation(Name.fromConstantString("www.bank.org."))
                        .filter(d -> d.zone().labels() > 2)
                        .isEmpty());
    }

    /// Row D4: glue for a server of another zone is not used.
    @Test
    void glueOfOtherZonesIsNotUsed() {
        internet.lying(
                ORG,
                (question, honest) ->
                        ScriptedInternet.saying(
                                question,
                                Rcode.NOERROR,
                                "authority example.org. NS ns.bank.test.",
                                "additional ns.bank.test. A 203.0.113.66"));
        assertEquals(Rcode.SERVFAIL, ask("www.example.org.", Type.A).rcode());
        assertTrue(asked().stream().noneMatch(ask -> ask.startsWith("203.0.113.66")));
    }

    /// Row D4: an alias out of the zone is followed, but what the server says of its target is not
    /// believed.
    @Test
    void targetsOfAliasesAreAskedOfTheirOwnServers() {
        internet.serve("192.0.2.4", "bank.org.", "@ NS ns\nwww A 198.51.100.99\n");
        internet.serve(
                ORG,
                "org.",
                """
                @ NS a
                example NS ns.example
                ns.example A 192.0.2.3
                bank NS ns.bank
                ns.bank A 192.0.2.4
                """);
        internet.lying(
                EXAMPLE,
                (question, honest) ->
                        ScriptedInternet.saying(
                                question,
                                Rcode.NOERROR,
                                "answer x.example.org. CNAME www.bank.org.",
                                "answer www.bank.org. A 203.0.113.66"));
        assertEquals("CNAME www.bank.org., A 198.51.100.99", data(ask("x.example.org.", Type.A)));
    }

    /// Row D5: however often the child is asked, and whatever it says of itself, the delegation is
    /// over when the parent's TTL of 7200 s is.
    @Test
    void aChildDoesNotKeepItselfAlive() {
        internet.serve(
                EXAMPLE,
                "example.org.",
                "@ 604800 NS ns\nns 604800 A 192.0.2.3\nwww 60 A 198.51.100.1\n");
        ask("www.example.org.", Type.A);
        for (int i = 0; i < 10; i++) {
            clock.advance(Duration.ofSeconds(700));
            ask("www.example.org.", Type.A);
            ask("example.org.", Type.NS);
            ask("ns.example.org.", Type.A);
        }
        internet.serve(ORG, "org.", "@ NS a\n"); // it has been taken out of the parent
        clock.advance(Duration.ofSeconds(201)); // 7201 s
        assertEquals(Rcode.NXDOMAIN, ask("www.example.org.", Type.A).rcode());
    }

    private void nameServers(int count, String suffix) {
        String servers =
                IntStream.range(0, count)
                        .mapToObj(i -> "victim NS ns" + i + "." + suffix + "\n")
                        .collect(Collectors.joining());
        internet.serve(
                ORG, "org.", "@ NS a\nexample NS ns.example\nns.example A 192.0.2.3\n" + servers);
    }

    /// Row D6, NXNSAttack: of 40 name servers without glue no more than 5 are looked up.
    @Test
    void nameServersWithoutGlueCostFiveLookups() {
        nameServers(40, "example.org.");
        assertEquals(Rcode.SERVFAIL, ask("www.victim.org.", Type.A).rcode());
        long lookups = asked().stream().filter(ask -> ask.startsWith(EXAMPLE + " ns")).count();
        assertEquals(5, lookups);
    }

    /// Row D7, NRDelegation: a referral with 1,500 name servers that do not answer costs less than
    /// 20 queries.
    @Test
    void aReferralOfFifteenHundredNameServersCostsFewQueries() {
        nameServers(1_500, "example.org.");
        assertEquals(Rcode.SERVFAIL, ask("www.victim.org.", Type.A).rcode());
        assertTrue(internet.asked.size() < 20, "asked " + internet.asked.size());
    }

    /// Row D7: name servers whose names need name servers whose names need name servers…: all of it
    /// has one quota.
    @Test
    void aTreeOfDelegationsHasOneQuota() {
        StringBuilder org = new StringBuilder("@ NS a\n");
        for (int zone = 0; zone < 300; zone++) {
            for (int i = 0; i < 10; i++) {
                int next = zone * 10 + i + 1;
                org.append("z%d NS ns.z%d\n".formatted(zone, next % 3_000));
            }
        }
        internet.serve(ORG, "org.", org.toString());
        assertEquals(Rcode.SERVFAIL, ask("www.z0.org.", Type.A).rcode());
        assertTrue(internet.asked.size() <= Quota.FETCHES, "asked " + internet.asked.size());
    }

    /// Row D7: who spends the quota of a request has not made others fail.
    @Test
    void whatFailsForLackOfQuotaIsNotRememberedOfOthers() {
        nameServers(5, "example.org.");
        Request request = Request.of(Request.Wish.NOTHING, Request.Trace.NONE);
        for (int i = 0; i < Quota.FETCHES - 4; i++) {
            request.quota().fetch();
        }
        recursion().answer(question("www.victim.org.", Type.A), request);
        for (int i = 0; i < 5; i++) {
            Optional<Finding> found = cache.find(question("ns" + i + ".example.org.", Type.A));
            assertTrue(
                    found.isEmpty() || found.get().kind() != Finding.Kind.FAILURE,
                    "ns" + i + " " + found);
        }
    }

    /// Row D7: nor has he when the others are what his names are aliases of, which would let
    /// anybody make a name fail for everybody.
    @Test
    void aTargetThatFailsForLackOfQuotaIsNotRemembered() {
        internet.serve(EXAMPLE, "example.org.", "@ NS ns\nns A 192.0.2.3\nx CNAME www.bank.org.\n");
        Request request = Request.of(Request.Wish.NOTHING, Request.Trace.NONE);
        for (int i = 0; i < Quota.FETCHES - 4; i++) {
            request.quota().fetch();
        }
        Answer answer = recursion().answer(question("x.example.org.", Type.A), request);
        assertEquals(Rcode.SERVFAIL, answer.rcode());
        assertEquals("www.bank.org.", answer.last().question().name().toString());
        assertTrue(cache.find(question("www.bank.org.", Type.A)).isEmpty());
    }

    /// Row D9, TsuNAME: two zones that are served from each other cost few queries, and then none
    /// for 5 s.
    @Test
    void cyclicDelegationsEndAndAreRemembered() {
        String one =
                IntStream.range(0, 10)
                        .mapToObj(i -> "one NS ns" + i + ".two\ntwo NS ns" + i + ".one\n")
                        .collect(Collectors.joining());
        internet.serve(ORG, "org.", "@ NS a\n" + one);
        assertEquals(Rcode.SERVFAIL, ask("www.one.org.", Type.A).rcode());
        assertTrue(internet.asked.size() <= 10, "asked " + internet.asked.size());
        assertEquals(
                Recursion.FAILURE_TTL,
                cache.find(question("www.one.org.", Type.A)).orElseThrow().ttl());
        internet.asked.clear();
        ask("www.one.org.", Type.A);
        ask("mail.one.org.", Type.A);
        assertEquals(List.of(), asked());
    }

    /// Row D9: what fails only because somebody waits for it is not said to fail.
    @Test
    void aDetourAroundACycleIsFound() {
        internet.serve(
                ORG,
                "org.",
                """
                @ NS a
                one NS ns.two
                one NS ns.example
                two NS ns.one
                example NS ns.example
                ns.example A 192.0.2.3
                """);
        internet.serve(
                EXAMPLE, "one.org.", "@ NS ns.example.org.\nwww A 198.51.100.1\nns A 192.0.2.3\n");
        internet.serve(EXAMPLE, "two.org.", "@ NS ns.one.org.\nns A 192.0.2.3\n");
        assertEquals("A 198.51.100.1", data(ask("www.one.org.", Type.A)));
        assertEquals("A 192.0.2.3", data(ask("ns.two.org.", Type.A)));
    }

    /// Row D11: what was bogus stays bogus when it is stale.
    @Test
    void staleAnswersKeepTheirSecurity() {
        cache.keep(
                new Finding(
                        question("www.example.org.", Type.A),
                        Finding.Kind.RECORDS,
                        ask("www.example.org.", Type.A).records(),
                        List.of(),
                        Name.root,
                        Security.SECURE,
                        Optional.empty(),
                        10,
                        false));
        clock.advance(Duration.ofSeconds(20));
        internet.silent(EXAMPLE);
        Answer answer = ask("www.example.org.", Type.A);
        assertTrue(answer.stale());
        assertEquals(Security.SECURE, answer.security());
    }

    // ---- stale, merged, renewed

    @Test
    void somethingStaleIsBetterThanNothing() {
        ask("www.example.org.", Type.A);
        ask("none.example.org.", Type.A);
        internet.silent(EXAMPLE);
        clock.advance(Duration.ofSeconds(3600));
        Answer answer = ask("www.example.org.", Type.A);
        assertEquals("A 198.51.100.1", data(answer));
        assertTrue(answer.stale());
        assertEquals(3, answer.reason().orElseThrow().code());
        Answer none = ask("none.example.org.", Type.A);
        assertEquals(Rcode.NXDOMAIN, none.rcode());
        assertEquals(19, none.reason().orElseThrow().code());
        internet.asked.clear();
        ask("www.example.org.", Type.A);
        assertEquals(List.of(), asked(), "the failure is remembered");
    }

    @Test
    void somethingStaleIsGivenWhileTheWalkGoesOn() throws Exception {
        staleTimer = Duration.ofMillis(1);
        ask("www.example.org.", Type.A);
        clock.advance(Duration.ofSeconds(700));
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        internet.before = () -> await(go);
        Answer answer = ask("www.example.org.", Type.A);
        assertTrue(answer.stale());
        go.countDown();
        recursion().close(); // waits for the walk
        done.countDown();
        assertFalse(cache.find(question("www.example.org.", Type.A)).orElseThrow().stale());
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(10, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void identicalQuestionsAreLookedUpOnce() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        internet.before = () -> await(go);
        recursion();
        List<Answer> answers = new CopyOnWriteArrayList<>();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            clients.add(
                    Thread.ofVirtual().start(() -> answers.add(ask("www.example.org.", Type.A))));
        }
        go.countDown();
        for (Thread client : clients) {
            client.join();
        }
        assertEquals(50, answers.size());
        answers.forEach(answer -> assertEquals("A 198.51.100.1", data(answer)));
        assertEquals(4, internet.asked.size());
    }

    @Test
    void tooManyWalksAreRefusedWithAReason() throws Exception {
        maxWalks = 1;
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        internet.before =
                () -> {
                    busy.countDown();
                    await(go);
                };
        recursion();
        Thread first = Thread.ofVirtual().start(() -> ask("www.example.org.", Type.A));
        await(busy);
        Answer answer = ask("other.example.org.", Type.A);
        assertEquals(Rcode.SERVFAIL, answer.rcode());
        assertTrue(answer.reason().orElseThrow().text().contains("too many"));
        go.countDown();
        first.join();
    }

    @Test
    void renewsInTheBackgroundWhatIsStillThere() {
        ask("www.example.org.", Type.A);
        internet.serve(EXAMPLE, "example.org.", "@ NS ns\nwww 600 A 198.51.100.200\n");
        recursion().refresh(question("www.example.org.", Type.A));
        recursion().close();
        assertEquals(
                "198.51.100.200",
                cache.find(question("www.example.org.", Type.A))
                        .orElseThrow()
                        .set()
                        .first()
                        .rdataToString());
    }

    @Test
    void closingDoesNotWaitForServersThatAreSilentAndRemembersNothingOfThem() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        internet.silent(EXAMPLE);
        internet.before =
                () -> {
                    asked.countDown();
                    await(never);
                };
        recursion();
        Thread client = Thread.ofVirtual().start(() -> ask("www.example.org.", Type.A));
        await(asked);
        recursion().close();
        client.join(); // which would take ten seconds else
        assertEquals(Optional.empty(), cache.find(question("www.example.org.", Type.A)));
    }

    // ---- other routes

    @Test
    void forwardersAreAskedToDoTheWalk() {
        Server one = new Server(Name.root, new InetSocketAddress("127.0.0.1", 53));
        Server two = new Server(Name.root, new InetSocketAddress("127.0.0.2", 53));
        routes = question -> new Route.Forward(Name.root, List.of(one, two));
        internet.lying(
                "127.0.0.1",
                (question, honest) -> ScriptedInternet.saying(question, Rcode.SERVFAIL));
        internet.lying(
                "127.0.0.2",
                (question, honest) ->
                        question.name().toString().startsWith("x.")
                                ? ScriptedInternet.saying(
                                        question,
                                        Rcode.NOERROR,
                                        "answer x.example.org. CNAME y.example.net.")
                                : ScriptedInternet.saying(
                                        question,
                                        Rcode.NOERROR,
                                        "answer " + question.name() + " A 198.51.100.5"));
        assertEquals("CNAME y.example.net., A 198.51.100.5", data(ask("x.example.org.", Type.A)));
        assertTrue(internet.asked.stream().allMatch(ScriptedInternet.Asked::recursive));
        internet.silent("127.0.0.1").silent("127.0.0.2");
        assertEquals(Rcode.SERVFAIL, ask("z.example.org.", Type.A).rcode());
    }

    @Test
    void aStubBeginsAtItsServers() {
        Server stub = new Server(Name.root, new InetSocketAddress("10.0.0.1", 53));
        Name zone = Name.fromConstantString("corp.test.");
        routes =
                question ->
                        question.name().subdomain(zone)
                                ? new Route.Stub(zone, List.of(stub))
                                : new Route.Walk();
        internet.serve(
                "10.0.0.1",
                "corp.test.",
                "@ NS ns\nwww A 198.51.100.3\nsub NS s.sub\ns.sub A 192.0.2.44\n");
        internet.serve("192.0.2.44", "sub.corp.test.", "@ NS s\nwww A 198.51.100.4\n");
        assertEquals("A 198.51.100.3", data(ask("www.corp.test.", Type.A)));
        assertEquals("A 198.51.100.4", data(ask("www.sub.corp.test.", Type.A)));
    }

    /// A resolver outside cannot know what the house calls its own: a stranger's alias would else
    /// have it deny that, for everybody.
    @Test
    void whatAForwarderSaysOfATargetThatIsRoutedElsewhereIsNotBelieved() {
        Server outside = new Server(Name.root, new InetSocketAddress("127.0.0.1", 53));
        Server inside = new Server(Name.root, new InetSocketAddress("10.0.0.1", 53));
        Name zone = Name.fromConstantString("corp.test.");
        routes =
                question ->
                        question.name().subdomain(zone)
                                ? new Route.Stub(zone, List.of(inside))
                                : new Route.Forward(Name.root, List.of(outside));
        internet.serve("10.0.0.1", "corp.test.", "@ NS ns\ndb A 198.51.100.3\n");
        internet.lying(
                "127.0.0.1",
                (question, honest) ->
                        ScriptedInternet.saying(
                                question,
                                Rcode.NXDOMAIN,
                                "answer x.example.org. CNAME db.corp.test.",
                                "authority . SOA a. b. 1 1 1 1 3600"));
        assertEquals("CNAME db.corp.test., A 198.51.100.3", data(ask("x.example.org.", Type.A)));
        assertEquals("A 198.51.100.3", data(ask("db.corp.test.", Type.A)));
    }

    /// What the world says of a name says nothing of the names below it for which an administrator
    /// has named other servers.
    @Test
    void aDnameAboveAStubDoesNotLeadAway() {
        Server inside = new Server(Name.root, new InetSocketAddress("10.0.0.1", 53));
        Name zone = Name.fromConstantString("corp.old.example.org.");
        internet.serve("10.0.0.1", "corp.old.example.org.", "@ NS ns\ndb A 198.51.100.3\n");
        Route stub = new Route.Stub(zone, List.of(inside));
        Route forward = new Route.Forward(zone, List.of(inside));
        for (Route route : List.of(stub, forward)) {
            routes = question -> question.name().subdomain(zone) ? route : new Route.Walk();
            started.ifPresent(Recursion::close);
            started = Optional.empty();
            cache = new MapCache(clock);
            assertEquals(
                    "DNAME new.example.org., CNAME www.new.example.org., A 198.51.100.7",
                    data(ask("www.old.example.org.", Type.A)));
            assertEquals("A 198.51.100.3", data(ask("db.corp.old.example.org.", Type.A)));
        }
    }

    @Test
    void thatTheWorldHasNoSuchNameSaysNothingOfWhatIsAskedElsewhere() {
        RecordCache known = new RecordCache(CacheSettings.defaults(), clock);
        Question test = question("test.", Type.A);
        known.keep(
                new Finding(
                        test,
                        Finding.Kind.NO_NAME,
                        List.of(),
                        Kept.sets(". 300 SOA a.root. h.root. 1 7200 900 604800 300"),
                        Name.root,
                        Security.SECURE,
                        Optional.empty(),
                        300,
                        false));
        Server server = new Server(Name.root, new InetSocketAddress("10.0.0.1", 53));
        Name zone = Name.fromConstantString("corp.test.");
        internet.serve("10.0.0.1", "corp.test.", "@ NS ns\nwww A 198.51.100.3\n");
        for (Route route :
                List.of(
                        new Route.Stub(zone, List.of(server)),
                        new Route.Forward(zone, List.of(server)))) {
            try (Recursion recursion =
                    new Recursion(
                            known,
                            internet,
                            validator,
                            asked -> asked.name().subdomain(zone) ? route : new Route.Walk(),
                            hints("a.root.", ROOT),
                            new WalkSettings(true, true, 53, false, true, staleTimer, maxWalks, 2),
                            finding -> finding,
                            clock)) {
                Request request = Request.of(Request.Wish.NOTHING, Request.Trace.NONE);
                Answer answer = recursion.answer(question("www.corp.test.", Type.A), request);
                assertEquals("A 198.51.100.3", data(answer), route.toString());
            }
            known.flush(zone);
        }
    }

    @Test
    void ourOwnZonesAnswerWithoutAPacketAndTheirDelegationsLeadOn() {
        MemoryZone zone =
                MemoryZone.of(
                        "own.test.",
                        """
                        @ SOA ns h 1 1 1 1 60
                        @ NS ns
                        www A 198.51.100.8
                        sub NS s.sub
                        s.sub A 192.0.2.45
                        """);
        Authority authority =
                new Authority() {
                    @Override
                    public Optional<Name> zone(Name name, int type) {
                        return Optional.of(zone.origin()).filter(name::subdomain);
                    }

                    @Override
                    public Message answer(Message query) {
                        Record asked = query.getQuestion();
                        return ScriptedInternet.answer(
                                List.of(zone), new Question(asked.getName(), asked.getType()));
                    }
                };
        routes =
                question ->
                        authority
                                .zone(question.name(), question.type())
                                .<Route>map(own -> new Route.Own(authority, own))
                                .orElse(new Route.Walk());
        internet.serve("192.0.2.45", "sub.own.test.", "@ NS s\nwww A 198.51.100.9\n");
        assertEquals("A 198.51.100.8", data(ask("www.own.test.", Type.A)));
        assertEquals(Rcode.NXDOMAIN, ask("none.own.test.", Type.A).rcode());
        assertEquals(List.of(), asked());
        assertEquals("A 198.51.100.9", data(ask("www.sub.own.test.", Type.A)));
    }

    @Test
    void localDataIsGivenAsItIs() {
        Finding local =
                new Finding(
                        question("printer.", Type.A),
                        Finding.Kind.NO_NAME,
                        List.of(),
                        List.of(),
                        Name.root,
                        Security.INSECURE,
                        Optional.empty(),
                        10,
                        false);
        routes = question -> new Route.Local(local);
        assertEquals(local, ask("printer.", Type.A).last());
        assertTrue(cache.find(question("printer.", Type.A)).isEmpty());
    }

    // ---- judged

    /// Bogus, as long as the record says so.
    private static final class Suspicious extends NoValidator {
        @Override
        public Finding judge(Finding finding, Fetch fetch, Request request) {
            boolean bad =
                    finding.records().stream()
                            .anyMatch(set -> set.toString().contains("203.0.113.66"));
            return bad
                    ? finding.judged(
                            Security.BOGUS,
                            Optional.of(
                                    new Reason(ExtendedErrorCodeOption.DNSSEC_BOGUS, "it lies")))
                    : finding.judged(Security.SECURE, Optional.empty());
        }
    }

    @Test
    void anotherServerIsAskedWhenOneLies() {
        validator = new Suspicious();
        internet.serve(
                ORG,
                "org.",
                """
                @ NS a
                example NS bad.example
                example NS ns.example
                bad.example A 192.0.2.9
                ns.example A 192.0.2.3
                """);
        internet.serve("192.0.2.9", "example.org.", "@ NS ns\nwww A 203.0.113.66\n");
        Answer answer = ask("www.example.org.", Type.A);
        assertEquals("A 198.51.100.1", data(answer));
        assertEquals(Security.SECURE, answer.security());
    }

    @Test
    void whatEverybodyLiesAboutFailsWithItsReasonButForWhoChecksHimself() {
        validator = new Suspicious();
        internet.serve(EXAMPLE, "example.org.", "@ NS ns\nwww A 203.0.113.66\n");
        Answer answer = ask("www.example.org.", Type.A);
        assertEquals(Rcode.SERVFAIL, answer.rcode());
        assertEquals("it lies", answer.reason().orElseThrow().text());
        assertTrue(answer.last().ttl() <= 60);
        int before = internet.asked.size();
        assertEquals(Rcode.SERVFAIL, ask("www.example.org.", Type.A).rcode());
        assertEquals(before, internet.asked.size(), "it is remembered");
    }

    @Test
    void aValidatorMayFetchWhatItJudges() {
        validator =
                new NoValidator() {
                    @Override
                    public Finding judge(Finding finding, Fetch fetch, Request request) {
                        Finding same = fetch.fetch(finding.question(), request.inner());
                        Request fresh =
                                new Request(Request.Wish.REFRESH, request.quota(), request.trace());
                        Finding again = fetch.fetch(finding.question(), fresh);
                        boolean agree =
                                same.records().equals(finding.records())
                                        && again.records().equals(finding.records());
                        return finding.judged(
                                agree ? Security.SECURE : Security.BOGUS,
                                Optional.of(new Reason(6, "differs")));
                    }
                };
        assertEquals(Security.SECURE, ask("www.example.org.", Type.A).security());
        assertEquals(2, asked().stream().filter((EXAMPLE + " www.example.org. A")::equals).count());
    }

    @Test
    void whatProvesBogusLaterIsFetchedOnceMore() {
        validator = new Suspicious();
        internet.serve(
                ORG,
                "org.",
                """
                @ NS a
                example NS bad.example
                example NS ns.example
                bad.example A 192.0.2.9
                ns.example A 192.0.2.3
                """);
        internet.serve("192.0.2.9", "example.org.", "@ NS ns\nwww A 203.0.113.66\n");
        Answer unchecked = ask("www.example.org.", Type.A, Request.Wish.CHECKING_DISABLED);
        assertEquals("A 203.0.113.66", data(unchecked));
        assertEquals("A 198.51.100.1", data(ask("www.example.org.", Type.A)));
    }

    @Test
    void whatWasFetchedUncheckedIsJudgedForWhoWantsThat() {
        validator = new Suspicious();
        internet.serve(EXAMPLE, "example.org.", "@ NS ns\nwww A 203.0.113.66\n");
        Answer unchecked = ask("www.example.org.", Type.A, Request.Wish.CHECKING_DISABLED);
        assertEquals(Security.UNCHECKED, unchecked.security());
        assertEquals("A 203.0.113.66", data(unchecked));
        assertEquals(Rcode.SERVFAIL, ask("www.example.org.", Type.A).rcode());
    }
}
