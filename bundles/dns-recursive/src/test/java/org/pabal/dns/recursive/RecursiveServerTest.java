package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dns.recursive.ServedClients.alias;
import static org.pabal.dns.recursive.ServedClients.finding;
import static org.pabal.dns.recursive.ServedClients.found;
import static org.pabal.dns.recursive.ServedClients.name;
import static org.pabal.dns.recursive.ServedClients.parsed;
import static org.pabal.dns.recursive.ServedClients.query;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.dns.Resolution;
import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.Ruling;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/// The doorway: the resolver of the house, policies, settings, the end.
@Timeout(60)
class RecursiveServerTest {

    private static final Question QUESTION = new Question(name("www.example.org"), Type.A);

    private static Resolution resolve(Finding... chain) {
        try (ServedClients clients = new ServedClients()) {
            clients.recursor.knows(chain);
            Question asked = chain[0].question();
            return clients.server.resolve(asked.name(), asked.type());
        }
    }

    @Test
    void theHouseIsToldTheWholeChain() {
        Finding alias = alias(Type.A, Security.SECURE, "a.example.org 60 CNAME www.example.org.");
        Resolution.Found found =
                assertInstanceOf(
                        Resolution.Found.class,
                        resolve(alias, found(Security.SECURE, "www.example.org 300 A 192.0.2.1")));
        assertEquals(2, found.records().size());
        assertTrue(found.secure());
        assertEquals(
                new Resolution.Found(found.records(), false).secure(),
                ((Resolution.Found)
                                resolve(
                                        alias,
                                        found(
                                                Security.INSECURE,
                                                "www.example.org 300 A 192.0.2.1")))
                        .secure());
    }

    @ParameterizedTest
    @CsvSource({"SECURE, true", "INSECURE, false"})
    void whatIsNotThereIsSecureOrNot(Security security, boolean secure) {
        assertEquals(
                new Resolution.NoSuchName(secure),
                resolve(finding(QUESTION, Finding.Kind.NO_NAME, security, ServedClients.SOA)));
        assertEquals(
                new Resolution.NoSuchRecord(secure),
                resolve(finding(QUESTION, Finding.Kind.NO_RECORD, security, ServedClients.SOA)));
    }

    /// Security row D12: the house is not told what is bogus.
    @Test
    void whatCannotBeTrustedIsUnavailable() {
        Reason why = new Reason(ExtendedErrorCodeOption.DNSSEC_BOGUS, "no key matches");
        assertEquals(
                new Resolution.Unavailable("no key matches"),
                resolve(
                        found(Security.BOGUS, "www.example.org 300 A 192.0.2.1")
                                .judged(Security.BOGUS, Optional.of(why))));
        assertEquals(
                new Resolution.Unavailable("no key matches"),
                resolve(Finding.failure(QUESTION, Name.root, 5, why)));
    }

    private static ResponsePolicy noting(String name, List<String> heard) {
        return new ResponsePolicy() {
            @Override
            public Ruling question(Name asked, int type, InetAddress client) {
                heard.add(name);
                return Ruling.NONE;
            }
        };
    }

    @Test
    void policiesAreAskedByTheirRanking() {
        List<String> heard = new ArrayList<>();
        try (ServedClients clients = new ServedClients()) {
            ResponsePolicy gone = noting("gone", heard);
            clients.server.bindResponsePolicy(
                    noting("late", heard), Map.of("service.ranking", -1, "service.id", 1L));
            clients.server.bindResponsePolicy(gone, Map.of("service.id", 2L));
            clients.server.bindResponsePolicy(noting("second", heard), Map.of("service.id", 4L));
            clients.server.bindResponsePolicy(noting("first", heard), Map.of("service.id", 3L));
            clients.server.bindResponsePolicy(
                    noting("chief", heard), Map.of("service.ranking", 7, "service.id", 9L));
            clients.server.unbindResponsePolicy(gone);
            clients.ask(query("www.example.org", Type.A));
        }
        assertEquals(List.of("chief", "first", "second", "late"), heard);
    }

    @Test
    void queriesInFlightAreAnsweredWhenItStops() throws Exception {
        CountDownLatch open = new CountDownLatch(1);
        ServedClients clients = new ServedClients();
        clients.recursor.gates.put(QUESTION.name(), request -> open.await());
        TestDatagram datagram =
                clients.send("127.0.0.1", query("www.example.org", Type.A).toWire());
        Thread stopping = Thread.ofVirtual().start(clients.server::stop);
        open.countDown();
        stopping.join();
        assertEquals(Rcode.NXDOMAIN, parsed(datagram.sent().orElseThrow()).getRcode());
        assertTrue(clients.recursor.closed, "the rooms are closed after that");
        TestDatagram late = clients.send("127.0.0.1", query("x.example.org", Type.A).toWire());
        assertEquals(Rcode.SERVFAIL, parsed(late.sent().orElseThrow()).getRcode());
    }

    @Test
    void stepsOfChosenClientsGoToTheLog() {
        try (ServedClients clients = new ServedClients("trace-clients", "127.0.0.0/8")) {
            List<Boolean> traced = new ArrayList<>();
            clients.recursor.gates.put(
                    QUESTION.name(),
                    request -> traced.add(!request.trace().equals(Request.Trace.NONE)));
            for (int i = 0; i < 61; i++) {
                clients.ask(query("www.example.org", Type.A));
            }
            assertEquals(60, traced.stream().filter(each -> each).count(), "some a minute");
            assertEquals(false, traced.getLast());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "allow, 192.0.2.0/33",
        "allow-snoop, example.org",
        "max-waiting, 0",
        "client-rate-limit, many",
        "version, 'ü'",
        "tcp-in-flight, 0",
        "trace-clients, me",
        "nonsense, 1"
    })
    void namesWhatIsWrongInItsSettings(String key, String value) {
        BadSetting bad =
                assertThrows(
                        BadSetting.class,
                        () -> {
                            Settings settings = Settings.of(Map.of(key, value));
                            ServiceSettings.of(settings);
                            settings.noOthers();
                        });
        assertTrue(bad.getMessage().contains(key), bad.getMessage());
    }
}
