package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.itests.interop.Hierarchy.addresses;
import static org.pabal.itests.interop.Hierarchy.ask;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Node;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// The hierarchy of the lecture: a host asks its local name server for mail.naver.test, and that
/// asks the root, the servers of test., and those of naver.test. Every one of them is a node.
class LectureHierarchyTest {

    @TempDir static Path scratch;

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static Hierarchy hierarchy;
    private static Node local;
    private static InetSocketAddress server;

    @BeforeAll
    static void startServers() throws Exception {
        hierarchy = new Hierarchy(scratch);
        local = hierarchy.local;
        server = local.address("resolver");
    }

    @BeforeEach
    void forget() throws Exception {
        local.shell("resolver:flush");
    }

    @AfterAll
    static void stopServers() throws Exception {
        hierarchy.close();
    }

    @Test
    void iteratedQueryTakesEightSteps() throws Exception {
        // At first the root is asked who it is (RFC 9609), which the lecture does not draw.
        local.shell("resolver:lookup", "cafe.daum.test", "A");
        local.shell("resolver:flush", "test");
        String trace = local.shell("resolver:trace", "mail.naver.test", "A");
        System.out.println(trace);
        List<String> numbers =
                trace.lines()
                        .map(line -> line.stripLeading().split(" ")[0])
                        .filter(word -> word.matches("\\d+(-\\d+)?"))
                        .toList();
        // 1 and 8 are between the one who asks and us.
        assertEquals(List.of("1", "2-3", "4-5", "6-7", "8"), numbers, trace);
        String steps = trace.toLowerCase(Locale.ROOT);
        int root = steps.indexOf(Hierarchy.ROOT);
        int tld = steps.indexOf(Hierarchy.TLD, root);
        int naver = steps.indexOf(Hierarchy.NAVER, tld);
        assertTrue(root >= 0 && tld > root && naver > tld, trace);
        assertTrue(steps.indexOf("referral", root) > 0, trace);
        assertTrue(steps.indexOf("referral", tld) > 0, trace);
        assertTrue(steps.indexOf("answer", naver) > 0, trace);
        assertTrue(trace.contains("192.0.2.10"), trace);

        local.shell("resolver:flush");
        String json = local.shell("resolver:trace", "mail.naver.test", "A", "--json");
        assertTrue(json.strip().startsWith("{") || json.strip().startsWith("["), json);
        for (String address : List.of(Hierarchy.ROOT, Hierarchy.TLD, Hierarchy.NAVER)) {
            assertTrue(json.contains(address), json);
        }

        Message answer = ask(server, "mail.naver.test", Type.A);
        assertEquals(List.of("192.0.2.10"), addresses(answer));
        assertTrue(answer.getHeader().getFlag(Flags.RA));
        assertFalse(answer.getHeader().getFlag(Flags.AA));
    }

    /// As a mail server asks: whose mail server is it, and where is that?
    @Test
    void theWayOfMailIsTwoWalksTheSecondOfThemShort() throws Exception {
        String mail = local.shell("resolver:trace", "naver.test", "MX");
        System.out.println(mail);
        assertTrue(mail.contains("10 mx1.naver.test."), mail);
        String address = local.shell("resolver:trace", "mx1.naver.test", "A");
        System.out.println(address);
        assertTrue(address.contains("192.0.2.25"), address);
        assertTrue(address.contains(Hierarchy.NAVER), address);
        assertFalse(
                address.contains(Hierarchy.ROOT) || address.contains(Hierarchy.TLD),
                "known already: " + address);
    }

    @Test
    void aSignedChainIsSecureFromOurRootDown() throws Exception {
        try (Node validating = hierarchy.startValidating()) {
            InetSocketAddress secured = validating.address("resolver");
            String found = validating.shell("resolver:lookup", "mail.naver.test", "A");
            assertTrue(found.lines().anyMatch("secure"::equals), found);
            String none = validating.shell("resolver:lookup", "nobody.naver.test", "A");
            assertTrue(none.contains("no such name, secure"), none);
            String unsigned = validating.shell("resolver:lookup", "cafe.daum.test", "A");
            assertTrue(unsigned.lines().anyMatch("insecure"::equals), unsigned);
            String alias = validating.shell("resolver:lookup", "blog.naver.test", "A");
            assertTrue(alias.lines().anyMatch("insecure"::equals), "as its end is: " + alias);

            assertTrue(authentic(secured, "mail.naver.test"));
            assertFalse(authentic(secured, "cafe.daum.test"));
            assertFalse(authentic(secured, "blog.naver.test"));
            assertFalse(authentic(server, "mail.naver.test"), "no anchor, no proof");

            Node.Result bogus = validating.tryShell("resolver:lookup", "www.lies.test", "A");
            assertTrue(bogus.exit() != 0 && bogus.output().contains("bogus"), bogus.output());
            assertEquals(Rcode.SERVFAIL, ask(secured, "www.lies.test", Type.A).getRcode());
            Message unproved = ask(server, "www.lies.test", Type.A);
            assertEquals(List.of("192.0.2.66"), addresses(unproved), "for who trusts no key");
        }
    }

    /// RFC 6840 §5.7: who sets AD in a query wants to know.
    private static boolean authentic(InetSocketAddress server, String name) throws Exception {
        Message query =
                Message.newQuery(Record.newRecord(Name.fromString(name + "."), Type.A, DClass.IN));
        query.getHeader().setFlag(Flags.AD);
        Message answer = new SimpleResolver(server).send(query);
        assertEquals(Rcode.NOERROR, answer.getRcode(), answer::toString);
        return answer.getHeader().getFlag(Flags.AD);
    }

    @Test
    void anAliasLeadsToTheOtherServer() throws Exception {
        Message answer = ask(server, "blog.naver.test", Type.A);
        assertEquals(List.of("cafe.daum.test."), Hierarchy.data(answer, Type.CNAME));
        assertEquals(List.of("192.0.2.20"), addresses(answer));
        assertEquals(Rcode.NXDOMAIN, ask(server, "nobody.daum.test", Type.A).getRcode());
    }

    @Test
    void secondAskIsAnsweredFromTheCacheWithoutAPacketUntilTheTtlIsOver() throws Exception {
        Message first = ask(server, "mail.naver.test", Type.A);
        assertEquals(60, ttl(first));
        long packets = hierarchy.answered();
        hierarchy.pass(20);
        Message second = awaitTtlBelow(server, "mail.naver.test", 41);
        assertEquals(addresses(first), addresses(second));
        assertTrue(ttl(second) >= 30, second.toString());
        assertEquals(packets, hierarchy.answered(), "a packet was sent");
        String trace = local.shell("resolver:trace", "mail.naver.test", "A");
        assertTrue(trace.toLowerCase(Locale.ROOT).contains("cache"), trace);

        hierarchy.pass(61);
        Message third = awaitTtlAbove(server, "mail.naver.test", 41);
        assertEquals(addresses(first), addresses(third));
        assertTrue(hierarchy.answered() > packets, "nobody was asked");
    }

    @Test
    void aRecordChangedByUpdateIsSeenAfterItsTtl() throws Exception {
        assertEquals(List.of("192.0.2.11"), addresses(ask(server, "changing.naver.test", Type.A)));

        Update update = new Update(Name.fromString("naver.test."));
        update.replace(Name.fromString("changing.naver.test."), Type.A, 60, "192.0.2.12");
        SimpleResolver authority =
                new SimpleResolver(
                        new InetSocketAddress(
                                InetAddress.ofLiteral(Hierarchy.NAVER), hierarchy.port));
        authority.setTCP(true);
        authority.setTSIGKey(new TSIG(TSIG.HMAC_SHA256, Hierarchy.KEY + ".", Hierarchy.SECRET));
        assertEquals(Rcode.NOERROR, authority.send(update).getRcode());

        assertEquals(List.of("192.0.2.11"), addresses(ask(server, "changing.naver.test", Type.A)));
        hierarchy.pass(61);
        Message after = ask(server, "changing.naver.test", Type.A);
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (addresses(after).contains("192.0.2.11") && System.nanoTime() < end) {
            after = ask(server, "changing.naver.test", Type.A);
        }
        assertEquals(List.of("192.0.2.12"), addresses(after));
    }

    @Test
    void theSameByRecursiveQueriesEachLevelAskingTheNext() throws Exception {
        Node local = hierarchy.handingOn;
        InetSocketAddress server = local.address("resolver");
        for (Node level : List.of(hierarchy.root, hierarchy.tld)) {
            level.shell("resolver:flush");
        }
        String trace = local.shell("resolver:trace", "mail.naver.test", "A");
        assertTrue(trace.contains(Hierarchy.ROOT), trace);
        assertFalse(trace.contains(Hierarchy.TLD) || trace.contains(Hierarchy.NAVER), trace);
        assertEquals(List.of("192.0.2.10"), addresses(ask(server, "mail.naver.test", Type.A)));
        assertEquals(List.of("192.0.2.20"), addresses(ask(server, "cafe.daum.test", Type.A)));
        for (Node level : List.of(hierarchy.root, hierarchy.tld)) {
            String cache = level.shell("resolver:cache", "mail.naver.test");
            assertTrue(cache.contains("192.0.2.10"), cache);
        }
        String next = hierarchy.root.shell("resolver:trace", "www.naver.test", "A");
        assertTrue(next.contains(Hierarchy.TLD) && !next.contains(Hierarchy.NAVER), next);
    }

    @Test
    void aNewDomainIsReachableOnceTheTldHasItsNameServerAndGlue() throws Exception {
        assertEquals(Rcode.NXDOMAIN, ask(server, "www.kakao.test", Type.A).getRcode());

        Path file =
                Files.writeString(
                        scratch.resolve("kakao"),
                        "$TTL 60\n@ SOA ns h 1 7200 900 1209600 60\n@ NS ns\nns A "
                                + Hierarchy.DAUM
                                + "\nwww A 192.0.2.30\n");
        hierarchy.daum.shell("zone:load", "kakao.test", file.toString());
        hierarchy.tld.shell("zone:delegate", "kakao.test", "ns.kakao.test", Hierarchy.DAUM);
        hierarchy.pass(61); // that there is none was remembered for 60 s, RFC 2308 §5
        Message answer = ask(server, "www.kakao.test", Type.A);
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (answer.getRcode() != Rcode.NOERROR && System.nanoTime() < end) {
            answer = ask(server, "www.kakao.test", Type.A);
        }
        assertEquals(List.of("192.0.2.30"), addresses(answer), answer::toString);
        String trace = local.shell("resolver:trace", "www.kakao.test", "A");
        assertTrue(trace.contains("192.0.2.30"), trace);
    }

    @Test
    void mailServersComeInOrderAndAddressesInTurn() throws Exception {
        Message mail = ask(server, "naver.test", Type.MX);
        assertEquals(
                Set.of("10 mx1.naver.test.", "20 mx2.naver.test."),
                Set.copyOf(Hierarchy.data(mail, Type.MX)));
        assertEquals(List.of("192.0.2.25"), addresses(ask(server, "mx1.naver.test", Type.A)));
        Set<String> first = new HashSet<>();
        for (int i = 0; i < 30; i++) {
            List<String> all = addresses(ask(server, "www.naver.test", Type.A));
            assertEquals(Set.of("192.0.2.81", "192.0.2.82", "192.0.2.83"), Set.copyOf(all));
            first.add(all.getFirst());
        }
        assertEquals(3, first.size(), "the same one always came first: " + first);
    }

    private static long ttl(Message answer) {
        return answer.getSection(Section.ANSWER).getFirst().getTTL();
    }

    /// The clock looks at its file twenty times a second.
    private static Message awaitTtlBelow(InetSocketAddress server, String name, long ttl)
            throws Exception {
        Message answer = ask(server, name, Type.A);
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (ttl(answer) >= ttl && System.nanoTime() < end) {
            answer = ask(server, name, Type.A);
        }
        return answer;
    }

    private static Message awaitTtlAbove(InetSocketAddress server, String name, long ttl)
            throws Exception {
        Message answer = ask(server, name, Type.A);
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (ttl(answer) <= ttl && System.nanoTime() < end) {
            answer = ask(server, name, Type.A);
        }
        assertTrue(ttl(answer) > ttl, answer.toString());
        assertEquals(DClass.IN, answer.getQuestion().getDClass());
        return answer;
    }
}
