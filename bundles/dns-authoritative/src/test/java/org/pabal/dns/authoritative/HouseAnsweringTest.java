package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.pabal.dns.Responder;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/// What the local name server of the node hears from its zones.
class HouseAnsweringTest {

    private static final String PARENT =
            Node.SOA
                    + """
                    @ 3600 NS ns1
                    ns1 3600 A 192.0.2.1
                    www 3600 A 192.0.2.2
                    sub 3600 NS ns1
                    sub 3600 DS 1 8 2 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20
                    away 3600 NS ns.away
                    ns.away 3600 A 192.0.2.3
                    """;
    private static final String CHILD = Node.SOA + "@ 3600 NS ns1\nwww 3600 A 192.0.2.4\n";

    private final Node node =
            Node.serving("example.org.", PARENT, "sub.example.org.", CHILD, "example.net.", CHILD);

    @AfterEach
    void stop() {
        node.close();
    }

    private String zone(String name, int type) {
        return node.server.house().zone(Node.name(name), type).map(Name::toString).orElse("");
    }

    private Message answer(Message query) {
        return node.server.house().answer(query);
    }

    @ParameterizedTest
    @CsvSource({
        "www.example.org, A, example.org.",
        "WWW.EXAMPLE.ORG, A, example.org.",
        "example.org, NS, example.org.",
        "www.sub.example.org, A, sub.example.org.",
        "sub.example.org, A, sub.example.org.",
        "sub.example.org, DS, example.org.",
        "www.sub.example.org, DS, sub.example.org.",
        "x.away.example.org, A, example.org.",
        "example.org, DS, ''",
        "example.com, A, ''",
        "org, A, ''"
    })
    void namesTheZoneThatSpeaksForAName(String name, String type, String zone) {
        assertEquals(zone, zone(name, Type.value(type)).toLowerCase(Locale.ROOT));
    }

    @ParameterizedTest
    @CsvSource({
        "www.example.org, A",
        "x.away.example.org, A",
        "sub.example.org, DS",
        "no.example.org, A",
        "example.com, A"
    })
    void answersAsOverTheNetwork(String name, String type) {
        Message query = Node.edns(Node.query(name, Type.value(type)), 4096, 0);
        assertEquals(Node.exact(node.answer(query)), Node.exact(answer(query)));
    }

    @Test
    void refersToServersOfADelegatedZone() {
        Message answer = answer(Node.query("x.away.example.org", Type.A));
        assertFalse(answer.getHeader().getFlag(Flags.AA));
        assertEquals(
                """
                NOERROR
                ? away.example.org. 3600 NS ns.away.example.org.
                + ns.away.example.org. 3600 A 192.0.2.3\
                """,
                Node.text(answer));
    }

    @Test
    void answersMoreThanADatagramHolds() {
        StringBuilder many = new StringBuilder(CHILD);
        for (int i = 0; i < 2000; i++) {
            many.append("big 3600 A 10.0.")
                    .append(i / 250)
                    .append('.')
                    .append(i % 250)
                    .append('\n');
        }
        node.store.publish(MemoryZone.of("big.example.", many.toString()));
        Message answer = answer(Node.query("big.big.example", Type.A));
        assertEquals(2000, answer.getSection(Section.ANSWER).size());
        assertFalse(answer.getHeader().getFlag(Flags.TC));
    }

    @Test
    void saysThatAZoneIsUnavailableAndDoesNotLeaveItToItsParent() {
        node.server.unavailable(Set.of(Node.name("sub.example.org")));
        assertEquals("sub.example.org.", zone("www.sub.example.org", Type.A));
        assertEquals(Rcode.SERVFAIL, answer(Node.query("www.sub.example.org", Type.A)).getRcode());
    }

    @Test
    void asksAPluggedInResponder() {
        Responder responder =
                (query, from) -> {
                    assertTrue(from.address().getAddress().isLoopbackAddress());
                    Message reply = new Message(query.getHeader().getID());
                    reply.addRecord(query.getQuestion(), Section.QUESTION);
                    reply.getHeader().setFlag(Flags.AA);
                    return Stream.of(reply);
                };
        node.server.bindResponder(responder, Map.of(Responder.ORIGIN, "lab.example."));
        assertEquals("lab.example.", zone("x.lab.example", Type.A));
        assertEquals("NOERROR aa", Node.text(answer(Node.query("x.lab.example", Type.A))));
    }

    @Test
    void turnsTheFaultOfAResponderIntoOneServfail() {
        Responder broken =
                (query, from) -> {
                    throw new IllegalStateException("broken");
                };
        node.server.bindResponder(broken, Map.of(Responder.ORIGIN, "lab.example."));
        assertEquals(Rcode.SERVFAIL, answer(Node.query("x.lab.example", Type.A)).getRcode());
        node.server.bindResponder(
                (query, from) -> Stream.empty(), Map.of(Responder.ORIGIN, "mute.example."));
        assertEquals(Rcode.SERVFAIL, answer(Node.query("x.mute.example", Type.A)).getRcode());
    }

    @Test
    void answersNothingButQueriesOfClassIn() {
        Message update = Node.query("example.org", Type.SOA);
        update.getHeader().setOpcode(Opcode.UPDATE);
        assertEquals(Rcode.NOTIMP, answer(update).getRcode());
        assertEquals(Rcode.NOTIMP, answer(Node.query("example.org", Type.AXFR)).getRcode());
        Message chaos =
                Message.newQuery(Record.newRecord(Node.name("www.example.org"), Type.A, DClass.CH));
        assertEquals(Rcode.REFUSED, answer(chaos).getRcode());
    }

    @Test
    void isOfferedFromTheStartToTheStop() {
        List<String> services = new ArrayList<>();
        ServiceRegistration<?> registration =
                fake(
                        ServiceRegistration.class,
                        (method, arguments) ->
                                method.equals("unregister") ? services.removeFirst() : null);
        BundleContext context =
                fake(
                        BundleContext.class,
                        (method, arguments) -> {
                            services.add(method + " " + ((Class<?>) arguments[0]).getSimpleName());
                            return registration;
                        });
        AuthoritativeServer server =
                new AuthoritativeServer(
                        context, node.store, node.zoneKeys, node.clock, Node.UNLIMITED);
        assertEquals(List.of("registerService Authority"), services);
        server.stop();
        assertEquals(List.of(), services);
    }

    private static <T> T fake(Class<T> type, BiFunction<String, Object[], Object> behaviour) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (self, method, arguments) -> behaviour.apply(method.getName(), arguments)));
    }
}
