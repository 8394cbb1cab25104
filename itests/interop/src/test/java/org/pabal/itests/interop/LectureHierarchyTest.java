package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.itests.interop.Hierarchy.addresses;
import static org.pabal.itests.interop.Hierarchy.ask;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Node;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
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

    @BeforeAll
    static void startServers() throws Exception {
        hierarchy = new Hierarchy(scratch);
    }

    @AfterAll
    static void stopServers() throws Exception {
        hierarchy.close();
    }

    @Test
    void iteratedQueryTakesEightSteps() throws Exception {
        try (Node local = hierarchy.local("iterated")) {
            local.start();
            InetSocketAddress server = local.address("resolver");
            // Steps 2 and 3, 4 and 5, 6 and 7; 1 and 8 are between the one who asks and us.
            String trace = local.shell("resolver:trace", "mail.naver.test", "A");
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
    }

    @Test
    void anAliasLeadsToTheOtherServer() throws Exception {
        try (Node local = hierarchy.local("alias")) {
            local.start();
            InetSocketAddress server = local.address("resolver");
            Message answer = ask(server, "blog.naver.test", Type.A);
            assertEquals(List.of("cafe.daum.test."), Hierarchy.data(answer, Type.CNAME));
            assertEquals(List.of("192.0.2.20"), addresses(answer));
            assertEquals(Rcode.NXDOMAIN, ask(server, "nobody.daum.test", Type.A).getRcode());
        }
    }

    @Test
    void secondAskIsAnsweredFromTheCacheWithoutAPacketUntilTheTtlIsOver() throws Exception {
        try (Node local = hierarchy.local("cached")) {
            Path offset = local.withClock();
            local.start();
            InetSocketAddress server = local.address("resolver");
            Message first = ask(server, "mail.naver.test", Type.A);
            assertEquals(60, ttl(first));
            long packets = hierarchy.answered();
            pass(offset, 20);
            Message second = awaitTtlBelow(server, "mail.naver.test", 41);
            assertEquals(addresses(first), addresses(second));
            assertTrue(ttl(second) >= 30, second.toString());
            assertEquals(packets, hierarchy.answered(), "a packet was sent");
            String trace = local.shell("resolver:trace", "mail.naver.test", "A");
            assertTrue(trace.toLowerCase(Locale.ROOT).contains("cache"), trace);

            pass(offset, 61);
            Message third = awaitTtlAbove(server, "mail.naver.test", 41);
            assertEquals(addresses(first), addresses(third));
            assertTrue(hierarchy.answered() > packets, "nobody was asked");
        }
    }

    @Test
    void aRecordChangedByUpdateIsSeenAfterItsTtl() throws Exception {
        try (Node local = hierarchy.local("update")) {
            Path offset = local.withClock();
            local.start();
            InetSocketAddress server = local.address("resolver");
            assertEquals(
                    List.of("192.0.2.11"), addresses(ask(server, "changing.naver.test", Type.A)));

            Update update = new Update(Name.fromString("naver.test."));
            update.replace(Name.fromString("changing.naver.test."), Type.A, 60, "192.0.2.12");
            SimpleResolver authority =
                    new SimpleResolver(
                            new InetSocketAddress(
                                    InetAddress.ofLiteral(Hierarchy.NAVER), hierarchy.port));
            authority.setTCP(true);
            authority.setTSIGKey(new TSIG(TSIG.HMAC_SHA256, Hierarchy.KEY + ".", Hierarchy.SECRET));
            assertEquals(Rcode.NOERROR, authority.send(update).getRcode());

            assertEquals(
                    List.of("192.0.2.11"), addresses(ask(server, "changing.naver.test", Type.A)));
            pass(offset, 61);
            Message after = ask(server, "changing.naver.test", Type.A);
            long end = System.nanoTime() + PATIENCE_NANOS;
            while (addresses(after).contains("192.0.2.11") && System.nanoTime() < end) {
                after = ask(server, "changing.naver.test", Type.A);
            }
            assertEquals(List.of("192.0.2.12"), addresses(after));
        }
    }

    @Test
    void theSameByRecursiveQueriesEachLevelAskingTheNext() throws Exception {
        try (Node local = hierarchy.handingOn("recursive")) {
            local.start();
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
    }

    @Test
    void aNewDomainIsReachableOnceTheTldHasItsNameServerAndGlue() throws Exception {
        try (Node local = hierarchy.local("new domain")) {
            Path offset = local.withClock();
            local.start();
            InetSocketAddress server = local.address("resolver");
            assertEquals(Rcode.NXDOMAIN, ask(server, "www.kakao.test", Type.A).getRcode());

            Path file =
                    Files.writeString(
                            scratch.resolve("kakao"),
                            "$TTL 60\n@ SOA ns h 1 7200 900 1209600 60\n@ NS ns\nns A "
                                    + Hierarchy.DAUM
                                    + "\nwww A 192.0.2.30\n");
            hierarchy.daum.shell("zone:load", "kakao.test", file.toString());
            hierarchy.tld.shell("zone:delegate", "kakao.test", "ns.kakao.test", Hierarchy.DAUM);
            pass(offset, 61); // that there is none was remembered for 60 s, RFC 2308 §5
            Message answer = ask(server, "www.kakao.test", Type.A);
            long end = System.nanoTime() + PATIENCE_NANOS;
            while (answer.getRcode() != Rcode.NOERROR && System.nanoTime() < end) {
                answer = ask(server, "www.kakao.test", Type.A);
            }
            assertEquals(List.of("192.0.2.30"), addresses(answer), answer::toString);
            String trace = local.shell("resolver:trace", "www.kakao.test", "A");
            assertTrue(trace.contains("192.0.2.30"), trace);
        }
    }

    @Test
    void mailServersComeInOrderAndAddressesInTurn() throws Exception {
        try (Node local = hierarchy.local("turns")) {
            local.start();
            InetSocketAddress server = local.address("resolver");
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
    }

    /// Has that many seconds pass since the start, for the local name server alone.
    private static void pass(Path offset, int seconds) throws Exception {
        Path next = offset.resolveSibling("offset.new");
        Files.writeString(next, "" + seconds);
        Files.move(
                next,
                offset,
                java.nio.file.StandardCopyOption.ATOMIC_MOVE,
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
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
