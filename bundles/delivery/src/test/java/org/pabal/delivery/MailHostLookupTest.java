package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.pabal.mail.Status;
import org.pabal.testkit.CannedResolver;
import org.pabal.testkit.Fuzz;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

class MailHostLookupTest {

    private static final Predicate<InetAddress> ALL = address -> true;
    private static final Predicate<InetAddress> NONE = address -> false;

    private final MovableClock clock = new MovableClock(House.NOON);
    private Predicate<InetAddress> own = NONE;
    private Predicate<InetAddress> allowed = ALL;
    private Predicate<InetAddress> routed = ALL;
    private long seed = 1;

    private MailHosts find(Resolver resolver, NextHop hop) {
        return new MailHostLookup(
                        resolver,
                        Set.of("MX.Example.test"),
                        own,
                        allowed,
                        routed,
                        new Random(seed),
                        clock)
                .find(hop);
    }

    private MailHosts find(Resolver resolver) {
        return find(resolver, new NextHop.Exchangers("example.org", 25));
    }

    private MailHosts find(String zone) {
        return find(new CannedResolver(zone));
    }

    private static MailHosts.Found found(MailHosts hosts) {
        return assertInstanceOf(MailHosts.Found.class, hosts);
    }

    private static List<String> names(MailHosts hosts) {
        return found(hosts).hosts().stream().map(MailHost::name).toList();
    }

    private static List<String> addresses(MailHosts hosts) {
        return found(hosts).hosts().stream()
                .flatMap(host -> host.addresses().stream())
                .map(InetAddress::getHostAddress)
                .toList();
    }

    private static void assertNobody(int code, String enhanced, String words, MailHosts hosts) {
        Status why = assertInstanceOf(MailHosts.Nobody.class, hosts).why();
        assertEquals(code + " " + enhanced, why.code() + " " + why.enhanced());
        assertTrue(why.text().contains(words), why::text);
    }

    private static void assertUnknown(String enhanced, String words, MailHosts hosts) {
        Status why = assertInstanceOf(MailHosts.Unknown.class, hosts).why();
        assertEquals("451 " + enhanced, why.code() + " " + why.enhanced());
        assertTrue(why.text().contains(words), why::text);
    }

    @Test
    void triesHostsByPreferenceAndSixBeforeFour() {
        MailHosts hosts =
                find(
                        """
                        example.org.   300 IN MX   20 b.example.org.
                        example.org.   300 IN MX   10 A.Example.org.
                        a.example.org. 300 IN A    192.0.2.1
                        a.example.org. 300 IN AAAA 2001:db8::1
                        b.example.org. 300 IN A    192.0.2.2
                        """);
        assertEquals(List.of("a.example.org", "b.example.org"), names(hosts));
        assertEquals(List.of("2001:db8:0:0:0:0:0:1", "192.0.2.1", "192.0.2.2"), addresses(hosts));
        assertEquals(25, found(hosts).hosts().getFirst().port());
        assertFalse(found(hosts).secure());
        assertFalse(found(hosts).hosts().getFirst().secure());
        assertEquals(List.of(), found(hosts).hosts().getFirst().tlsaNames());
    }

    @Test
    void triesWhatItHasNoWayToLast() {
        routed = address -> address.getAddress().length == 4;
        MailHosts hosts =
                find(
                        """
                        example.org. 300 IN AAAA 2001:db8::1
                        example.org. 300 IN AAAA 2002:c000:0201::1
                        example.org. 300 IN A    192.0.2.1
                        """);
        assertEquals(
                List.of("192.0.2.1", "2001:db8:0:0:0:0:0:1", "2002:c000:201:0:0:0:0:1"),
                addresses(hosts));
        routed = ALL;
        assertEquals(
                List.of("192.0.2.1", "2002:c000:201:0:0:0:0:1"),
                addresses(
                        find(
                                """
                                example.org. 300 IN AAAA 2002:c000:0201::1
                                example.org. 300 IN A    192.0.2.1
                                """)));
    }

    @Test
    void mixesHostsOfTheSamePreference() {
        String zone =
                """
                example.org.   300 IN MX 10 a.example.org.
                example.org.   300 IN MX 10 b.example.org.
                example.org.   300 IN MX 10 c.example.org.
                example.org.   300 IN MX 20 d.example.org.
                a.example.org. 300 IN A  192.0.2.1
                b.example.org. 300 IN A  192.0.2.2
                c.example.org. 300 IN A  192.0.2.3
                d.example.org. 300 IN A  192.0.2.4
                """;
        List<String> once = names(find(zone));
        List<String> again = once;
        for (; seed < 50 && again.equals(once); seed++) {
            again = names(find(zone));
        }
        assertNotEquals(once, again);
        assertEquals("d.example.org", again.getLast());
        assertEquals(Set.copyOf(once), Set.copyOf(again));
    }

    @Test
    void takesADomainWithoutMxForItsOwnHost() {
        assertEquals(List.of("example.org"), names(find("example.org. 300 IN A 192.0.2.1")));
        assertNobody(550, "5.4.4", "has an address", find("example.org. 300 IN TXT x"));
    }

    @Test
    void bouncesWhereThereIsNoDomainOrNoMail() {
        assertNobody(550, "5.1.2", "does not exist", find("example.com. 300 IN A 192.0.2.1"));
        assertNobody(556, "5.1.10", "null MX", find("example.org. 300 IN MX 0 ."));
    }

    @Test
    void ignoresANullMxBesideOthers() {
        assertEquals(
                List.of("a.example.org"),
                names(
                        find(
                                """
                                example.org.   300 IN MX 0  .
                                example.org.   300 IN MX 10 a.example.org.
                                a.example.org. 300 IN A  192.0.2.1
                                """)));
    }

    @Test
    void waitsWhenDnsCannotSay() {
        assertUnknown(
                "4.4.3",
                "timed out",
                find(new CannedResolver("").unavailable("example.org.", "timed out")));
        assertUnknown(
                "4.4.3",
                "a.example.org: bogus",
                find(
                        new CannedResolver(
                                        """
                                        example.org. 300 IN MX 10 a.example.org.
                                        example.org. 300 IN MX 20 gone.example.org.
                                        """)
                                .unavailable("a.example.org.", "bogus")));
    }

    @Test
    void takesTheOtherHostWhenOneCannotBeFound() {
        assertEquals(
                List.of("b.example.org"),
                names(
                        find(
                                new CannedResolver(
                                                """
                                                example.org.   300 IN MX 10 a.example.org.
                                                example.org.   300 IN MX 20 b.example.org.
                                                b.example.org. 300 IN A  192.0.2.2
                                                """)
                                        .unavailable("a.example.org.", "bogus"))));
    }

    @Test
    void takesTheOtherFamilyWhenOneCannotBeFound() {
        Resolver canned = new CannedResolver("example.org. 300 IN A 192.0.2.1");
        MailHosts hosts =
                find(
                        (name, type) ->
                                type == Type.AAAA
                                        ? new Resolution.Unavailable("timed out")
                                        : canned.resolve(name, type));
        assertEquals(List.of("192.0.2.1"), addresses(hosts));
    }

    @Test
    void skipsNamesThatNoHostCanHave() {
        assertEquals(
                List.of("a_b.example.org"),
                names(
                        find(
                                """
                                example.org.     300 IN MX 1 192.0.2.1.
                                example.org.     300 IN MX 2 a\\032b.example.org.
                                example.org.     300 IN MX 3 \\200.example.org.
                                example.org.     300 IN MX 4 a_b.example.org.
                                192.0.2.1.       300 IN A  192.0.2.1
                                a_b.example.org. 300 IN A  192.0.2.4
                                """)));
        assertNobody(550, "5.4.4", "no MX record", find("example.org. 300 IN MX 1 192.0.2.1."));
    }

    @Test
    void followsAnMxThatIsAnAlias() {
        String zone =
                """
                example.org.    300 IN MX    10 mx.example.org.
                mx.example.org. 300 IN CNAME a.example.net.
                a.example.net.  300 IN CNAME b.example.net.
                b.example.net.  300 IN A     192.0.2.1
                """;
        MailHost host = found(find(zone)).hosts().getFirst();
        assertEquals("mx.example.org", host.name());
        assertEquals(List.of(), host.tlsaNames());
        MailHosts.Found proved = found(find(new CannedResolver(zone, true)));
        assertTrue(proved.secure());
        assertTrue(proved.hosts().getFirst().secure());
        // RFC 7672 §2.2.3: where the aliases lead, then where they begin
        assertEquals(
                List.of("b.example.net", "mx.example.org"), proved.hosts().getFirst().tlsaNames());
    }

    @Test
    void looksForTlsaBeforeAProvedAliasThatLeadsToTheUnproved() {
        CannedResolver canned =
                new CannedResolver(
                        """
                        example.org.    300 IN MX    10 mx.example.org.
                        mx.example.org. 300 IN CNAME a.example.net.
                        a.example.net.  300 IN A     192.0.2.1
                        """);
        MailHost host =
                found(
                                find(
                                        (name, type) ->
                                                canned.resolve(name, type)
                                                                instanceof
                                                                Resolution.Found(
                                                                        var records,
                                                                        var no)
                                                        ? new Resolution.Found(
                                                                records,
                                                                no
                                                                        || type == Type.MX
                                                                        || type == Type.CNAME)
                                                        : canned.resolve(name, type)))
                        .hosts()
                        .getFirst();
        assertFalse(host.secure());
        assertEquals(List.of("mx.example.org"), host.tlsaNames());
    }

    @Test
    void neverGoesToHostsBehindItself() {
        String others =
                """
                a.example.org.   300 IN A 192.0.2.1
                b.example.org.   300 IN A 192.0.2.2
                mx.example.test. 300 IN A 192.0.2.3
                """;
        assertEquals(
                List.of("a.example.org"),
                names(
                        find(
                                """
                                example.org. 300 IN MX 10 a.example.org.
                                example.org. 300 IN MX 20 mx.example.test.
                                example.org. 300 IN MX 20 b.example.org.
                                example.org. 300 IN MX 30 c.example.org.
                                """
                                        + others)));
        assertNobody(
                554,
                "5.4.6",
                "loops back",
                find(
                        """
                        example.org. 300 IN MX 10 mx.example.test.
                        example.org. 300 IN MX 20 b.example.org.
                        """
                                + others));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void knowsItselfByAddressToo(long seed) {
        this.seed = seed;
        own = address -> address.getHostAddress().equals("192.0.2.3");
        String zone =
                """
                example.org.   300 IN MX %d a.example.org.
                example.org.   300 IN MX 20 b.example.org.
                example.org.   300 IN MX 20 alias.example.org.
                example.org.   300 IN MX 30 c.example.org.
                a.example.org. 300 IN A 192.0.2.1
                b.example.org. 300 IN A 192.0.2.2
                c.example.org. 300 IN A 192.0.2.2
                alias.example.org. 300 IN A 192.0.2.3
                """;
        assertEquals(List.of("a.example.org"), names(find(zone.formatted(10))));
        assertNobody(554, "5.4.6", "loops back", find(zone.formatted(20)));
        assertNobody(
                554,
                "5.4.6",
                "loops back",
                find(new CannedResolver(""), new NextHop.Exchangers("[192.0.2.3]", 25)));
    }

    @Test
    void waitsForAHostThatIsPreferredToUs() {
        assertUnknown(
                "4.4.3",
                "timed out",
                find(
                        new CannedResolver(
                                        """
                                        example.org. 300 IN MX 10 a.example.org.
                                        example.org. 300 IN MX 20 mx.example.test.
                                        """)
                                .unavailable("a.example.org.", "timed out")));
    }

    @Test
    void neverConnectsToWhatIsNotAllowed() {
        allowed = new ReachableAddresses(false);
        assertEquals(
                List.of("198.41.0.4"),
                addresses(
                        find(
                                """
                                example.org.   300 IN MX 10 a.example.org.
                                example.org.   300 IN MX 20 b.example.org.
                                a.example.org. 300 IN A  127.0.0.1
                                b.example.org. 300 IN A  10.0.0.1
                                b.example.org. 300 IN A  198.41.0.4
                                """)));
        assertNobody(
                550,
                "5.4.4",
                "only 127.0.0.1 (private-destinations",
                find("example.org. 300 IN A 127.0.0.1"));
        for (String disguised : List.of("::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1")) {
            assertNobody(550, "5.4.4", "public", find("example.org. 300 IN AAAA " + disguised));
        }
        assertUnknown(
                "4.4.3",
                "bogus",
                find(
                        new CannedResolver(
                                        """
                                        example.org.   300 IN MX 10 a.example.org.
                                        example.org.   300 IN MX 20 b.example.org.
                                        a.example.org. 300 IN A  127.0.0.1
                                        """)
                                .unavailable("b.example.org.", "bogus")));
    }

    @Test
    void looksAtNoMoreHostsThanItMay() {
        StringBuilder zone = new StringBuilder();
        for (int i = 0; i < 1000; i++) {
            zone.append("example.org. 300 IN MX " + i + " m" + i + ".example.org.\n");
        }
        CannedResolver canned = new CannedResolver(zone.toString());
        AtomicInteger questions = new AtomicInteger();
        Resolver counting =
                (name, type) -> {
                    questions.incrementAndGet();
                    return canned.resolve(name, type);
                };
        assertNobody(550, "5.4.4", "has an address", find(counting));
        assertEquals(1 + 2 * MailHostLookup.MAX_EXCHANGERS, questions.get());
    }

    @Test
    void takesNoMoreAddressesThanItMay() {
        StringBuilder zone = new StringBuilder();
        for (int i = 0; i < 50; i++) {
            zone.append("example.org. 300 IN MX " + i + " m" + i + ".example.org.\n");
            for (int j = 0; j < 30; j++) {
                zone.append("m" + i + ".example.org. 300 IN A 192.0.2." + (100 + j) + "\n");
            }
        }
        MailHosts hosts = find(zone.toString());
        assertEquals(List.of("m0.example.org", "m1.example.org", "m2.example.org"), names(hosts));
        assertEquals(MailHostLookup.MAX_ADDRESSES, addresses(hosts).size());
    }

    @Test
    void givesUpLookingWhenThatTakesTooLong() {
        StringBuilder zone = new StringBuilder();
        for (int i = 0; i < 50; i++) {
            zone.append("example.org. 300 IN MX " + i + " m" + i + ".example.org.\n");
        }
        CannedResolver canned = new CannedResolver(zone.toString());
        MailHosts hosts =
                find(
                        (name, type) -> {
                            clock.advance(Duration.ofSeconds(3));
                            return canned.resolve(name, type);
                        });
        assertUnknown("4.4.3", "took too long", hosts);
    }

    @ParameterizedTest
    @CsvSource({
        "[192.0.2.25], [192.0.2.25], 192.0.2.25",
        "[IPv6:2001:DB8::1], [2001:db8:0:0:0:0:0:1], 2001:db8:0:0:0:0:0:1",
        "[ipv6:::ffff:192.0.2.1], [192.0.2.1], 192.0.2.1",
    })
    void takesAnAddressLiteralAtItsWord(String domain, String name, String address) {
        MailHosts hosts = find(new CannedResolver(""), new NextHop.Exchangers(domain, 25));
        assertEquals(List.of(name), names(hosts));
        assertEquals(List.of(address), addresses(hosts));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[",
                "[]",
                "[127.1]",
                "[1]",
                "[256.0.0.1]",
                "[IPv6:]",
                "[IPv6:fe80::1%eth0]",
                "[x:y]",
                "[192.0.2.1",
                "..",
                ".",
                "a..b",
                "-\u0000",
                "192.0.2.1",
                "a b",
                "\u200B",
            })
    void bouncesWhatIsNoDomain(String domain) {
        assertNobody(
                550,
                "5.1.2",
                "not a",
                find(new CannedResolver(""), new NextHop.Exchangers(domain, 25)));
    }

    @Test
    void asksForAnInternationalDomainInItsAsciiForm() {
        MailHosts hosts =
                find(
                        new CannedResolver("xn--bcher-kva.example. 300 IN A 192.0.2.1"),
                        new NextHop.Exchangers("Bücher.example", 25));
        assertEquals(List.of("xn--bcher-kva.example"), names(hosts));
    }

    @Test
    void findsAServerThatTheAdministratorNamedWhereverItIs() {
        allowed = NONE;
        own = ALL;
        CannedResolver dns = new CannedResolver("mail.example.net. 300 IN A 10.0.0.1", true);
        MailHosts hosts = find(dns, server("mail.example.net"));
        assertEquals(List.of("10.0.0.1"), addresses(hosts));
        assertEquals(587, found(hosts).hosts().getFirst().port());
        assertEquals(List.of("mail.example.net"), found(hosts).hosts().getFirst().tlsaNames());
        assertEquals(List.of("127.0.0.1"), addresses(find(dns, server("127.0.0.1"))));
        assertEquals(List.of("[0:0:0:0:0:0:0:1]"), names(find(dns, server("::1"))));
        assertEquals("127.0.0.1", addresses(find(dns, server("localhost"))).getFirst());
    }

    @Test
    void waitsForAServerThatTheAdministratorNamedWrongly() {
        CannedResolver dns = new CannedResolver("").unavailable("slow.example.", "timed out");
        assertUnknown("4.4.4", "has no address", find(dns, server("gone.example")));
        assertUnknown("4.4.3", "timed out", find(dns, server("slow.example")));
        assertUnknown("4.4.4", "no valid name", find(dns, server("a b")));
    }

    private static NextHop.Server server(String host) {
        return new NextHop.Server(host, 587, false, Optional.empty());
    }

    @Test
    void bearsAnyDomain() throws Exception {
        CannedResolver dns = new CannedResolver("example.org. 300 IN A 192.0.2.1");
        Fuzz.run(
                Path.of("src/test/resources/fuzz/domain"),
                input -> {
                    String domain = new String(input, StandardCharsets.UTF_8);
                    find(dns, new NextHop.Exchangers(domain, 25));
                    find(dns, server(domain));
                });
    }
}
