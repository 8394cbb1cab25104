package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pabal.dns.server.EdnsOptions;
import org.pabal.testkit.MemoryZoneKeyStore;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Cookies as a client sees them, on both paths: RFC 7873 §5.2, security rows D13, D14, D15.
class CookieTest {

    private static final String ZONE =
            Node.SOA + "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\nalias 3600 CNAME ns1\n";

    /// What the fast path answers, and what the readable one does.
    private static final List<String> BOTH = List.of("ns1.example.org", "alias.example.org");

    private static final String HALF = "2464c4abcf10c957";

    private final Node node = Node.serving("example.org.", ZONE);
    private final List<AuthoritativeServer> servers = new ArrayList<>();

    @AfterEach
    void stop() {
        servers.forEach(AuthoritativeServer::stop);
        node.close();
    }

    private AuthoritativeServer server(String... settings) {
        Map<String, Object> all =
                new HashMap<>(Map.of("cookie-secret", "e5e973e5a6b2a43f48e7dc849e37bfcf"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        AuthoritativeServer server =
                new AuthoritativeServer(node.store, new MemoryZoneKeyStore(), node.clock, all);
        servers.add(server);
        return server;
    }

    private static Message query(String name, String cookie) {
        return Ask.query(name, Type.A, Ask.option(EdnsOptions.COOKIE, cookie));
    }

    private static Message ask(AuthoritativeServer server, String client, Message query) {
        return Ask.datagram(server, client, query.toWire()).orElseThrow();
    }

    private static String cookie(Message answer) {
        List<String> options = Ask.options(answer);
        assertEquals(1, options.size(), options.toString());
        assertTrue(options.getFirst().startsWith("10=" + HALF), options.getFirst());
        return options.getFirst().substring(3);
    }

    @Test
    void givesACookieAndKnowsItAgain() {
        AuthoritativeServer server = server();
        for (String name : BOTH) {
            Message first = ask(server, "192.0.2.1", query(name, HALF));
            assertEquals(Rcode.NOERROR, first.getRcode());
            assertFalse(first.getSection(Section.ANSWER).isEmpty());
            String cookie = cookie(first);
            assertEquals(48, cookie.length());
            assertEquals(cookie, cookie(ask(server, "192.0.2.1", query(name, cookie))));

            // half an hour later it gets another one, and a bad one is as good as none
            node.clock.advance(Duration.ofMinutes(31));
            server.tick().look();
            assertNotEquals(cookie, cookie(ask(server, "192.0.2.1", query(name, cookie))));
            Message answer = ask(server, "192.0.2.1", query(name, HALF + "00".repeat(16)));
            assertEquals(Rcode.NOERROR, answer.getRcode());
            assertNotEquals(HALF + "00".repeat(16), cookie(answer));
        }
    }

    @Test
    void goesTheFastWay() {
        AuthoritativeServer server = server();
        ask(server, "192.0.2.1", query("ns1.example.org", HALF));
        assertEquals(1, server.statistics().answeredFast());
    }

    /// Security row D14: what a client got at one address is worth nothing at another
    @Test
    void bindsACookieToTheAddress() {
        AuthoritativeServer server = server("require-cookies", "yes");
        for (String name : BOTH) {
            String cookie = cookie(ask(server, "192.0.2.1", query(name, HALF)));
            assertEquals(Rcode.NOERROR, ask(server, "192.0.2.1", query(name, cookie)).getRcode());
            for (String other : List.of("192.0.2.2", "2001:db8::1")) {
                Message refused = ask(server, other, query(name, cookie));
                assertEquals(Rcode.BADCOOKIE, refused.getRcode());
                assertTrue(refused.getSection(Section.ANSWER).isEmpty());
                assertEquals(
                        Rcode.NOERROR, ask(server, other, query(name, cookie(refused))).getRcode());
            }
        }
    }

    /// Security row D14: the peer of a stream is who a trusted proxy says it is
    @Test
    void knowsACookieOfAStreamByUdp() {
        AuthoritativeServer server = server("require-cookies", "yes");
        for (String name : BOTH) {
            byte[] query = query(name, HALF).toWire();
            String cookie = cookie(Node.parsed(Ask.stream(server, "192.0.2.7", true, query)));
            assertEquals(Rcode.NOERROR, ask(server, "192.0.2.7", query(name, cookie)).getRcode());
            assertEquals(Rcode.BADCOOKIE, ask(server, "192.0.2.8", query(name, cookie)).getRcode());
        }
    }

    /// RFC 7873 §5.2.3: only over UDP, and only from those who speak cookies
    @Test
    void wantsCookiesOverUdpAlone() {
        AuthoritativeServer server = server("require-cookies", "yes");
        for (String name : BOTH) {
            Message refused = ask(server, "192.0.2.1", query(name, HALF));
            assertEquals(Rcode.BADCOOKIE, refused.getRcode());
            assertFalse(refused.getHeader().getFlag(Flags.AA));
            Message byStream = Node.parsed(Ask.stream(server, false, query(name, HALF)));
            assertEquals(Rcode.NOERROR, byStream.getRcode());
            cookie(byStream);
            assertEquals(
                    Rcode.NOERROR, ask(server, "192.0.2.1", Ask.query(name, Type.A)).getRcode());
            assertEquals(
                    Rcode.NOERROR, ask(server, "192.0.2.1", Node.query(name, Type.A)).getRcode());
        }
    }

    /// RFC 7873 §5.2.2
    @Test
    void saysFormerrToOtherLengths() {
        AuthoritativeServer server = server();
        for (String name : BOTH) {
            for (int length : new int[] {0, 1, 7, 9, 15, 41, 60}) {
                Message query = query(name, "00".repeat(length));
                assertEquals(
                        Rcode.FORMERR, ask(server, "192.0.2.1", query).getRcode(), "" + length);
            }
            for (int length : new int[] {8, 16, 23, 25, 40}) {
                Message query = query(name, HALF + "00".repeat(length - 8));
                Message answer = ask(server, "192.0.2.1", query);
                assertEquals(Rcode.NOERROR, answer.getRcode(), "" + length);
                assertEquals(48, cookie(answer).length());
            }
        }
    }

    /// Security row D15; RFC 7873 §5.2: the first counts, and one is answered
    @Test
    void answersTheFirstOfMany() {
        AuthoritativeServer server = server();
        for (String name : BOTH) {
            Message query =
                    Ask.query(
                            name,
                            Type.A,
                            Ask.option(EdnsOptions.COOKIE, HALF),
                            Ask.option(EdnsOptions.COOKIE, "ff".repeat(8)),
                            Ask.option(EdnsOptions.COOKIE, "ff".repeat(3)));
            cookie(ask(server, "192.0.2.1", query));
        }
    }

    /// RFC 7873 §5.4
    @Test
    void givesACookieToWhoAsksForNothingElse() {
        AuthoritativeServer server = server();
        Message query = query("x", HALF);
        query.removeAllRecords(Section.QUESTION);
        Message answer = ask(server, "192.0.2.1", query);
        assertEquals(Rcode.NOERROR, answer.getRcode());
        String cookie = cookie(answer);
        Message again = query("x", cookie);
        again.removeAllRecords(Section.QUESTION);
        assertEquals(Rcode.NOERROR, ask(server, "192.0.2.1", again).getRcode());
        Message elsewhere = ask(server, "192.0.2.2", again);
        assertEquals(Rcode.BADCOOKIE, elsewhere.getRcode());
        assertNotEquals(cookie, cookie(elsewhere));
        Message none = Ask.query("x", Type.A);
        none.removeAllRecords(Section.QUESTION);
        assertEquals(Rcode.FORMERR, ask(server, "192.0.2.1", none).getRcode());
    }

    /// Security row D13: a flood that carries no cookie of ours is cut down, a client with one is
    /// not
    @Test
    void sparesWhoShowedACookieFromTheLimit() {
        AuthoritativeServer server = server("rate-limit", "10", "rate-limit-slip", "2");
        for (String name : BOTH) {
            String cookie = cookie(ask(server, "192.0.2.1", query(name, HALF)));
            int answered = 0;
            int truncated = 0;
            byte[] flood = Ask.query(name, Type.A).toWire();
            for (int i = 0; i < 100; i++) {
                Optional<Message> answer = Ask.datagram(server, "192.0.2.99", flood);
                if (answer.isPresent() && answer.get().getHeader().getFlag(Flags.TC)) {
                    assertTrue(answer.get().getSection(Section.ANSWER).isEmpty());
                    truncated++;
                } else if (answer.isPresent()) {
                    answered++;
                }
            }
            assertEquals(9, answered); // one went to whoever asked for the cookie
            assertEquals(45, truncated, 1);
            for (int i = 0; i < 100; i++) {
                Message answer = ask(server, "192.0.2.1", query(name, cookie));
                assertFalse(answer.getSection(Section.ANSWER).isEmpty());
            }
            // RFC 7873 §5.2.3: who speaks cookies and has none is told to come with one
            Optional<Message> first =
                    Ask.datagram(server, "192.0.2.98", query(name, HALF).toWire());
            Message told =
                    first.or(() -> Ask.datagram(server, "192.0.2.98", query(name, HALF).toWire()))
                            .orElseThrow();
            assertEquals(Rcode.BADCOOKIE, told.getRcode());
            String fresh = cookie(told);
            assertEquals(Rcode.NOERROR, ask(server, "192.0.2.98", query(name, fresh)).getRcode());
            assertEquals(
                    Rcode.NOERROR,
                    ask(server, "203.0.113.1", Ask.query(name, Type.A)).getRcode(),
                    "another network");
        }
    }

    /// Security row D13: names that somebody makes up are one account, whatever path answers
    @Test
    void limitsMadeUpNames() {
        AuthoritativeServer server = server("rate-limit", "10", "rate-limit-slip", "0");
        for (int type : new int[] {Type.A, Type.ANY}) {
            for (String zone : List.of("example.org", "example.com")) {
                int answered = 0;
                for (int i = 0; i < 50; i++) {
                    byte[] query = Node.query("x" + i + "." + type + "." + zone, type).toWire();
                    answered += Ask.datagram(server, "192.0.2.1", query).isPresent() ? 1 : 0;
                }
                assertTrue(answered <= 10, answered + " of " + zone);
            }
        }
        assertEquals(
                Rcode.NOERROR,
                ask(server, "192.0.2.1", Node.query("ns1.example.org", Type.A)).getRcode());
    }

    @Test
    void countsWhatItDoes() {
        AuthoritativeServer server = server("rate-limit", "5");
        for (int i = 0; i < 15; i++) {
            Ask.datagram(server, "192.0.2.1", Node.query("ns1.example.org", Type.A).toWire());
        }
        ask(server, "192.0.2.1", query("nope.example.org", HALF));
        ask(server, "192.0.2.1", query("nope.example.com", HALF));
        Ask.stream(server, true, Ask.query("ns1.example.org", Type.A));
        assertEquals(
                List.of(
                        "answered 13",
                        "answered over udp 12",
                        "answered over tcp 0",
                        "answered over tls 1",
                        "answered from prepared octets 12",
                        "answered NOERROR 11",
                        "answered NXDOMAIN 1",
                        "answered REFUSED 1",
                        "truncated 5",
                        "ignored 0",
                        "rate limit: dropped 5",
                        "rate limit: slipped 5",
                        "cookies malformed 0",
                        "cookies client only 2",
                        "cookies bad 0",
                        "cookies ageing 0",
                        "cookies good 0"),
                new StatisticsShell(server).statistics());
    }
}
