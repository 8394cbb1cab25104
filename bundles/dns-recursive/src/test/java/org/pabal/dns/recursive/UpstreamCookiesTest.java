package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pabal.testkit.MovableClock;
import org.pabal.testkit.ScriptedNameServer;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// Cookies of servers, RFC 7873 §5.3.
class UpstreamCookiesTest {

    private static final Question QUESTION = UpstreamAnswers.question("www.example.org");
    private static final byte[] THEIRS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

    private final NetworkUpstream upstream =
            new NetworkUpstream(UpstreamSettings.DEFAULTS, UpstreamAnswers.CLOCK);
    private Optional<ScriptedNameServer> scripted = Optional.empty();

    @AfterEach
    void close() throws IOException {
        upstream.close();
        if (scripted.isPresent()) {
            scripted.get().close();
        }
    }

    private Server server(ScriptedNameServer.Script script) throws IOException {
        scripted = Optional.of(new ScriptedNameServer("127.0.0.1", 0, script));
        return new Server(Name.root, scripted.get().address());
    }

    private Reply ask(Server server) throws IOException {
        return upstream.ask(
                server, UpstreamAnswers.ZONE, QUESTION, false, UpstreamAnswers.request());
    }

    private static byte[] cookie(byte[] query) {
        return UpstreamAnswers.message(query).getOPT().getOptions(EDNSOption.Code.COOKIE).stream()
                .map(
                        option -> {
                            byte[] wire = option.toWire();
                            return Arrays.copyOfRange(wire, 4, wire.length);
                        })
                .findFirst()
                .orElse(new byte[0]);
    }

    private byte[] sent(int query) {
        return cookie(scripted.orElseThrow().queries().get(query));
    }

    private static byte[] both(byte[] client, byte[] server) {
        byte[] both = Arrays.copyOf(client, 8 + server.length);
        System.arraycopy(server, 0, both, 8, server.length);
        return both;
    }

    private static byte[] answer(byte[] query, int rcode, byte[] cookie) {
        Message answer = UpstreamAnswers.address(query);
        answer.getHeader().setRcode(rcode & 0xF);
        answer.addRecord(
                new OPTRecord(
                        1232,
                        rcode >> 4,
                        0,
                        0,
                        new GenericEDNSOption(EDNSOption.Code.COOKIE, cookie)),
                Section.ADDITIONAL);
        return answer.toWire();
    }

    private static byte[] good(byte[] query) {
        return answer(query, Rcode.NOERROR, both(cookie(query), THEIRS));
    }

    @Test
    void cookieOfTheServerIsSentFromThenOn() throws IOException {
        Server server = server((query, stream) -> List.of(good(query)));
        ask(server);
        ask(server);
        assertEquals(8, sent(0).length);
        assertArrayEquals(both(sent(0), THEIRS), sent(1));
        assertTrue(upstream.memory().line(server.address()).contains("cookie"));
    }

    @Test
    void oursIsAnotherForEachServerAndEachDay() {
        MovableClock clock = new MovableClock(Instant.parse("2026-11-23T00:00:00Z"));
        UpstreamCookies cookies = new UpstreamCookies(clock);
        InetAddress local = InetAddress.ofLiteral("192.0.2.1");
        InetAddress one = InetAddress.ofLiteral("192.0.2.53");
        InetAddress other = InetAddress.ofLiteral("2001:db8::53");
        byte[] first = cookies.data(local, one, Optional.empty());
        assertArrayEquals(first, cookies.data(local, one, Optional.empty()));
        assertFalse(Arrays.equals(first, cookies.data(local, other, Optional.empty())));
        assertFalse(Arrays.equals(first, cookies.data(one, one, Optional.empty())));
        clock.advance(Duration.ofDays(1));
        byte[] next =
                cookies.data(local, one, Optional.of(new UpstreamCookies.Cookie(first, THEIRS)));
        assertEquals(8, next.length); // theirs belonged to the one of yesterday
        assertFalse(Arrays.equals(first, next));
    }

    @Test
    void answerWithACookieThatIsNotOursIsIgnored() throws IOException {
        Server server =
                server(
                        (query, stream) -> {
                            byte[] forged = cookie(query);
                            forged[0]++;
                            return List.of(
                                    answer(query, Rcode.NXDOMAIN, both(forged, THEIRS)),
                                    answer(query, Rcode.NXDOMAIN, new byte[0]),
                                    answer(query, Rcode.NXDOMAIN, Arrays.copyOf(cookie(query), 9)),
                                    answer(query, Rcode.NXDOMAIN, new byte[41]),
                                    good(query));
                        });
        Reply reply = ask(server);
        assertEquals(Rcode.NOERROR, reply.message().getRcode());
        assertEquals(Reply.Transport.UDP, reply.transport());
    }

    @Test
    void serverWithCookiesIsNotBelievedWithoutOne() throws IOException {
        AtomicBoolean forging = new AtomicBoolean();
        Server server =
                server(
                        (query, stream) ->
                                forging.get() && !stream
                                        ? UpstreamAnswers.octets(
                                                UpstreamAnswers.rcode(query, Rcode.NXDOMAIN))
                                        : List.of(good(query)));
        ask(server);
        forging.set(true);
        Reply reply = ask(server);
        assertEquals(Rcode.NOERROR, reply.message().getRcode());
        assertEquals(Reply.Transport.TCP, reply.transport());
    }

    @Test
    void serverThatHasNoneAnyMoreIsBelievedByTcpAndThenByUdp() throws IOException {
        AtomicBoolean over = new AtomicBoolean();
        Server server =
                server(
                        (query, stream) ->
                                over.get()
                                        ? UpstreamAnswers.octets(UpstreamAnswers.address(query))
                                        : List.of(good(query)));
        ask(server);
        over.set(true);
        assertEquals(Reply.Transport.TCP, ask(server).transport());
        assertEquals(Reply.Transport.UDP, ask(server).transport());
    }

    @Test
    void badCookieIsAskedAgainWithTheNewOne() throws IOException {
        Server server =
                server(
                        (query, stream) ->
                                List.of(
                                        cookie(query).length == 8
                                                ? answer(
                                                        query,
                                                        Rcode.BADCOOKIE,
                                                        both(cookie(query), THEIRS))
                                                : good(query)));
        Reply reply = ask(server);
        assertEquals(Rcode.NOERROR, reply.message().getRcode());
        assertEquals(Reply.Transport.UDP, reply.transport());
        assertEquals(24, sent(1).length);
    }

    @Test
    void badCookieAgainAndAgainLeadsToTcp() throws IOException {
        Server server =
                server(
                        (query, stream) ->
                                List.of(
                                        stream
                                                ? good(query)
                                                : answer(
                                                        query,
                                                        Rcode.BADCOOKIE,
                                                        both(cookie(query), THEIRS))));
        assertEquals(Reply.Transport.TCP, ask(server).transport());
        assertEquals(3, scripted.orElseThrow().queries().size());
    }
}
