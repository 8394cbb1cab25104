package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.pabal.mail.Attempt;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.smtp.client.ClientPatience;
import org.pabal.smtp.client.Login;
import org.pabal.testkit.CannedResolver;
import org.pabal.testkit.MemoryContent;
import org.pabal.testkit.MovableClock;
import org.pabal.testkit.ScriptedMailServer;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/// What hosts to which mail goes, their DNS and those who send through us may try, by the rows of
/// the list of attacks. What each row wants of one part alone is with the tests of that part.
@Timeout(60)
class SecurityTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final MailAddress DAVE = new MailAddress("dave", "example.net");
    private static final MailAddress ERIN = new MailAddress("erin", "example.org");
    private static final Map<String, String> NOTHING = Map.of();

    /// Mail to hosts of `example.net` goes over TLS that is verified, or not at all.
    private static final StsPolicies ENFORCED =
            domain ->
                    Optional.of(
                            new StsPolicy(
                                    "1",
                                    StsPolicy.Mode.ENFORCE,
                                    List.of("mx.example.net"),
                                    Duration.ofDays(1),
                                    List.of()));

    private static final CannedResolver NAMES =
            new CannedResolver(
                    """
                    example.net.     60 IN MX 10 mx.example.net.
                    mx.example.net.  60 IN A 127.0.0.3
                    relay.example.   60 IN A 127.0.0.3
                    relay.example.   60 IN A 0.0.0.0
                    """);

    @TempDir Path folder;

    private final MovableClock clock = new MovableClock(NOON);
    private final List<Attempt> history = new CopyOnWriteArrayList<>();
    private final AtomicInteger ids = new AtomicInteger();
    private ScriptedMailServer server;
    private Lanes lanes;

    @BeforeEach
    void listen() throws Exception {
        server = new ScriptedMailServer("127.0.0.3", 0).keywords("PIPELINING", "8BITMIME");
        lanes = new Lanes(new Lanes.Limits(20, 100, 100, 0, Duration.ofSeconds(30)));
    }

    @AfterEach
    void close() throws Exception {
        lanes.close();
        server.close();
    }

    // ---- S24: in the clear against policy

    @Test
    void sendsNothingOverAConnectionThatAnotherMessageTookWithoutProof() throws Exception {
        RemoteCourier courier = courier(toExchangers(), ENFORCED);
        Outcome waived = deliver(courier, "TLS-Required: No\n\nTLS is broken.\n", NOTHING, DAVE);
        assertInstanceOf(Outcome.Delivered.class, waived);
        Outcome usual = deliver(courier, "Subject: secret\n\nsecret\n", NOTHING, DAVE);
        assertEquals("4.7.5", ((Outcome.Deferred) usual).why().enhanced(), history::toString);
        assertEquals(1, server.mails().size());
        assertFalse(server.mails().getFirst().text().contains("secret"));
    }

    @Test
    void givesItsPasswordToNobodyUnproved() throws Exception {
        NextHop.Server relay =
                new NextHop.Server(
                        "relay.example",
                        server.port(),
                        false,
                        Optional.of(new Login("us", "correct horse")));
        server.keywords("AUTH PLAIN").reply("AUTH", "235 2.7.0 welcome");
        RemoteCourier courier =
                courier(new Routes(Map.of(), Optional.of(relay), 25), StsPolicies.NONE);
        Outcome outcome = deliver(courier, "TLS-Required: No\n\nHello.\n", NOTHING, DAVE);
        assertInstanceOf(Outcome.Deferred.class, outcome);
        assertTrue(
                server.commands().stream().noneMatch(line -> line.startsWith("AUTH")),
                () -> server.commands().toString());
    }

    @Test
    void keepsApartWhoSignedInAndWhoDidNot() throws Exception {
        server.keywords("AUTH PLAIN").reply("AUTH", "235 2.7.0 welcome");
        NextHop.Server unknown =
                new NextHop.Server("127.0.0.3", server.port(), false, Optional.empty());
        NextHop.Server known =
                new NextHop.Server(
                        "127.0.0.3",
                        server.port(),
                        false,
                        Optional.of(new Login("us", "correct horse")));
        RemoteCourier courier =
                courier(
                        new Routes(Map.of("example.net", unknown), Optional.of(known), 25),
                        StsPolicies.NONE);
        assertInstanceOf(
                Outcome.Delivered.class, deliver(courier, "\nto a partner\n", NOTHING, DAVE));
        assertInstanceOf(
                Outcome.Delivered.class, deliver(courier, "\nto all others\n", NOTHING, ERIN));
        List<Boolean> signedIn =
                server.sessions().stream()
                        .map(s -> s.commands().stream().anyMatch(line -> line.startsWith("AUTH")))
                        .toList();
        assertEquals(List.of(false, true), signedIn);
    }

    @Test
    void letsNoDemandOfOneMessageKeepOthersBack() throws Exception {
        clock.advance(Duration.ofMinutes(1));
        // its name is its domain's own, so that TLS is tried, which it has not
        CannedResolver names = new CannedResolver("example.net. 60 IN A 127.0.0.3\n");
        RemoteCourier courier = courier(names, toExchangers(), StsPolicies.NONE);
        lanes.with(
                new NextHop.Exchangers("example.net", server.port()),
                lane -> {
                    Outcome demanding =
                            deliver(courier, "\nHello.\n", Map.of("REQUIRETLS", ""), DAVE);
                    assertInstanceOf(Outcome.Failed.class, demanding);
                    Outcome usual = deliver(courier, "\nHello.\n", NOTHING, DAVE);
                    assertInstanceOf(Outcome.Delivered.class, usual, history::toString);
                });
    }

    // ---- S24: DNS of strangers

    @Test
    void looksAtFewOfAThousandAddresses() throws Exception {
        Name mx = Name.fromString("mx.example.net.");
        AtomicInteger looks = new AtomicInteger();
        RRset flood = new RRset();
        for (int i = 0; i < 4_000; i++) {
            byte[] address = {10, 0, (byte) (i >> 8), (byte) i};
            flood.addRR(new ARecord(mx, DClass.IN, 60, InetAddress.getByAddress(address)));
        }
        Resolver resolver =
                (name, type) ->
                        name.equals(mx)
                                ? type == Type.A
                                        ? new Resolution.Found(List.of(flood), false)
                                        : new Resolution.NoSuchRecord(false)
                                : NAMES.resolve(name, type);
        MailHosts hosts =
                new MailHostLookup(
                                resolver,
                                Set.of("mx.example.test"),
                                address -> {
                                    looks.incrementAndGet();
                                    return false;
                                },
                                clock)
                        .find(new NextHop.Exchangers("example.net", 25));
        assertInstanceOf(MailHosts.Nobody.class, hosts);
        assertTrue(looks.get() < 200, () -> looks + " looks");
    }

    @Test
    void keepsFewLongPoliciesInMemory() throws Exception {
        String longest =
                "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: mx.example.net\n"
                        + ("x: " + "x".repeat(1_000) + "\n").repeat(60);
        WebClient.Answer policy =
                new WebClient.Answer(200, "text/plain", longest.getBytes(StandardCharsets.UTF_8));
        Resolver records =
                (name, type) -> {
                    RRset answer = new RRset();
                    answer.addRR(new TXTRecord(name, DClass.IN, 60, "v=STSv1; id=1;"));
                    return new Resolution.Found(List.of(answer), false);
                };
        AtomicInteger fetches = new AtomicInteger();
        FetchedStsPolicies policies =
                new FetchedStsPolicies(
                        records,
                        new WebClient() {
                            @Override
                            public Answer get(URI uri) {
                                fetches.incrementAndGet();
                                return policy;
                            }

                            @Override
                            public Answer post(URI uri, String type, byte[] body) {
                                throw new AssertionError("nothing is posted");
                            }
                        },
                        new StsCache(folder.resolve("sts")),
                        clock,
                        TlsLedger.NONE,
                        443);
        int many = FetchedStsPolicies.MAX_LONG + 20;
        for (int i = 0; i < many; i++) {
            assertTrue(policies.find("d" + i + ".example").isPresent());
            clock.advance(Duration.ofMillis(1));
        }
        assertTrue(policies.longOnes() <= FetchedStsPolicies.MAX_LONG, () -> "all in memory");
        // who is forgotten is still protected
        assertEquals(
                StsPolicy.Mode.ENFORCE, policies.find("d0.example").map(StsPolicy::mode).get());
        assertEquals(many, fetches.get());
    }

    // ---- S12: what goes into the log

    @Test
    void saysWhatACertificateHasInOneLine() throws Exception {
        Minted root = Minted.of("Root").authority().mint();
        Minted forger =
                Minted.of("x")
                        .named("a\r\nq7F3K from=<> to=<you@example.org> delivered")
                        .by(root)
                        .mint();
        Path anchors = Files.writeString(folder.resolve("root.pem"), root.pem());
        ClientTls tls = new ClientTls(ClientTls.authorities(Optional.of(anchors)));
        MailHost host =
                new MailHost(
                        "mx.example.net",
                        25,
                        List.of(InetAddress.getLoopbackAddress()),
                        true,
                        List.of());
        TlsRule byName = new TlsRule.Verified("mx.example.net", "mta-sts");
        try (TlsServer evil = new TlsServer(forger);
                Socket plain = evil.connect()) {
            TlsFailure failure =
                    assertThrows(TlsFailure.class, () -> tls.secure(plain, host, byName));
            assertTrue(failure.getMessage().contains("q7F3K"), failure::getMessage);
            assertTrue(failure.getMessage().chars().noneMatch(c -> c < ' '), failure::getMessage);
        }
    }

    // ---- S29: secrets

    @Test
    void writesItsPasswordNowhereWhateverTheOtherSideRepeats() throws Exception {
        byte[] plain = "\0us\0correct horse".getBytes(StandardCharsets.UTF_8);
        String secret = Base64.getEncoder().encodeToString(plain);
        server.keywords("AUTH PLAIN").reply("AUTH", "535 5.7.8 AUTH PLAIN " + secret + "?");
        Login login = new Login("us", "correct horse");
        NextHop.Server relay =
                new NextHop.Server("127.0.0.3", server.port(), false, Optional.of(login));
        Outcome outcome =
                deliver(
                        courier(new Routes(Map.of(), Optional.of(relay), 25), StsPolicies.NONE),
                        "\nHello.\n",
                        NOTHING,
                        DAVE);
        assertInstanceOf(Outcome.Deferred.class, outcome);
        String written = history + " " + outcome + " " + relay + " " + relay.name();
        assertTrue(written.contains("does not let us in"), written);
        assertFalse(written.contains("horse") || written.contains(secret), written);
    }

    private Routes toExchangers() {
        return new Routes(Map.of(), Optional.empty(), server.port());
    }

    private RemoteCourier courier(Routes routes, StsPolicies sts) throws Exception {
        return courier(NAMES, routes, sts);
    }

    private RemoteCourier courier(Resolver names, Routes routes, StsPolicies sts) throws Exception {
        Dialer dialer =
                new Dialer(
                        new MailHostLookup(
                                names, Set.of("mx.example.test"), address -> true, clock),
                        new TlsPolicies(names, sts),
                        new ClientTls(ClientTls.authorities(Optional.empty())),
                        TlsLedger.NONE,
                        new Dialer.Manner(
                                "mx.example.test",
                                List.of(),
                                Duration.ofSeconds(10),
                                ClientPatience.DEFAULT,
                                100));
        return new RemoteCourier(routes, lanes, dialer, clock);
    }

    private Outcome deliver(
            RemoteCourier courier, String text, Map<String, String> parameters, MailAddress to)
            throws IOException {
        QueueEntry entry =
                new QueueEntry(
                        new QueueId("Q" + ids.incrementAndGet()),
                        new Envelope(
                                Optional.of(new MailAddress("alice", "example.test")),
                                parameters,
                                List.of(new Recipient(to))),
                        MemoryContent.of(text),
                        NOON,
                        0,
                        NOON,
                        false,
                        Map.of());
        return courier.deliver(entry, entry.envelope().recipients(), history::add).get(to);
    }
}
