package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.pabal.testkit.CannedResolver;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

class FetchedStsPoliciesTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final String POLICY =
            "version: STSv1\nmode: enforce\nmx: mail.example.org\nmax_age: 604800\n";

    @TempDir Path directory;

    private final MovableClock clock = new MovableClock(NOON);
    private final Zone zone = new Zone();
    private final Site site = new Site();
    private final Ledger ledger = new Ledger();
    private StsPolicies policies;

    @BeforeEach
    void start() {
        policies = node();
    }

    @Test
    void policyIsFetchedOnceAndRemembered() {
        zone.txt("v=STSv1; id=1");
        site.page(200, "text/plain", POLICY);
        StsPolicy policy = policies.find("Example.ORG.").orElseThrow();
        assertEquals("1", policy.id());
        assertTrue(policy.names("mail.example.org"));
        assertEquals(policy, policies.find("example.org").orElseThrow());
        assertEquals(1, zone.asked.get());
        clock.advance(Duration.ofHours(3));
        assertEquals(policy, policies.find("example.org").orElseThrow());
        assertEquals(List.of("https://mta-sts.example.org/.well-known/mta-sts.txt"), site.asked);
        assertEquals(List.of(), ledger.failures);
    }

    @Test
    void domainWithoutRecordIsNotAskedForAPolicy() {
        assertEquals(Optional.empty(), policies.find("example.org"));
        assertEquals(Optional.empty(), policies.find("example.org"));
        assertEquals(Optional.empty(), policies.find("[192.0.2.1]"));
        assertEquals(Optional.empty(), policies.find("x".repeat(300)));
        assertEquals(Optional.empty(), policies.find(""));
        assertEquals(1, zone.asked.get());
        assertEquals(List.of(), site.asked);
    }

    @Test
    void internationalDomainIsAskedForInItsAsciiForm() {
        zone.txt("v=STSv1; id=1");
        policies.find("파발.example");
        assertEquals(
                List.of("https://mta-sts.xn--ih3bl33b.example/.well-known/mta-sts.txt"),
                site.asked);
    }

    @Test
    void newIdBringsANewPolicy() {
        knowTheFirst();
        zone.txt("v=STSv1; id=2");
        site.page(200, "text/plain", POLICY.replace("enforce", "testing"));
        clock.advance(Duration.ofMinutes(10));
        StsPolicy policy = policies.find("example.org").orElseThrow();
        assertEquals("2", policy.id());
        assertEquals(StsPolicy.Mode.TESTING, policy.mode());
    }

    // RFC 8461 §5.1
    @Test
    void policyIsObeyedUntilItExpiresWhateverDnsSays() {
        knowTheFirst();
        zone.nothing();
        clock.advance(Duration.ofDays(3));
        assertTrue(policies.find("example.org").isPresent());
        zone.unavailable();
        clock.advance(Duration.ofDays(3));
        assertTrue(policies.find("example.org").isPresent());
        clock.advance(Duration.ofDays(1));
        assertEquals(Optional.empty(), policies.find("example.org"));
        assertEquals(1, site.asked.size());
    }

    // RFC 8461 §3.3, §5.1
    @Test
    void policyIsObeyedWhileTheNextCannotBeFetched() {
        knowTheFirst();
        zone.txt("v=STSv1; id=2");
        site.page(404, "text/html", "");
        clock.advance(Duration.ofMinutes(10));
        assertEquals("1", policies.find("example.org").orElseThrow().id());
        assertEquals(1, ledger.failures.size());
        clock.advance(Duration.ofDays(8));
        assertEquals(Optional.empty(), policies.find("example.org"));
    }

    // RFC 8461 §5, §8.3
    @Test
    void policyOfNoneEndsTheOneBefore() {
        knowTheFirst();
        zone.txt("v=STSv1; id=2");
        site.page(200, "text/plain", "version: STSv1\nmode: none\nmax_age: 86400\n");
        clock.advance(Duration.ofMinutes(10));
        assertEquals(Optional.empty(), policies.find("example.org"));
        assertEquals(Optional.empty(), node().find("example.org"));
    }

    @ParameterizedTest
    @CsvSource({
        "404, text/plain, true, STS_POLICY_FETCH_ERROR",
        "301, text/plain, true, STS_POLICY_FETCH_ERROR",
        "204, text/plain, true, STS_POLICY_FETCH_ERROR",
        "200, text/html, true, STS_POLICY_FETCH_ERROR",
        "200, text/plain, false, STS_POLICY_INVALID",
    })
    void whatIsNoPolicyIsReported(int status, String type, boolean valid, TlsResult result) {
        zone.txt("v=STSv1; id=1");
        site.page(status, type, valid ? POLICY : "version: STSv9\n");
        assertEquals(Optional.empty(), policies.find("example.org"));
        assertEquals(List.of("sts example.org " + result), ledger.failures);
    }

    @Test
    void failureIsRememberedForFiveMinutesButNotForAnotherVersion() {
        zone.txt("v=STSv1; id=1");
        site.page(404, "text/plain", "");
        policies.find("example.org");
        clock.advance(Duration.ofMinutes(4));
        policies.find("example.org");
        assertEquals(1, site.asked.size());
        clock.advance(Duration.ofMinutes(2));
        policies.find("example.org");
        assertEquals(2, site.asked.size());
        zone.txt("v=STSv1; id=2");
        clock.advance(Duration.ofMinutes(1));
        policies.find("example.org");
        assertEquals(3, site.asked.size());
    }

    // RFC 8461 §10.2
    @Test
    void policyInUseIsFetchedAnewEveryDay() {
        knowTheFirst();
        clock.advance(Duration.ofHours(25));
        policies.find("example.org");
        assertEquals(2, site.asked.size());
        site.page(404, "text/plain", "");
        clock.advance(Duration.ofDays(6));
        assertTrue(policies.find("example.org").isPresent());
        clock.advance(Duration.ofDays(2));
        assertTrue(policies.find("example.org").isEmpty());
    }

    @Test
    void policySurvivesARestart() throws IOException {
        knowTheFirst();
        zone.unavailable();
        assertEquals(policies.find("example.org"), node().find("example.org"));
        assertEquals(1, site.asked.size());
        assertEquals(
                "id: 1\nfetched: 2026-11-22T12:00:00Z\n\n" + POLICY,
                Files.readString(directory.resolve("sts/example.org")));
        clock.advance(Duration.ofDays(7));
        assertEquals(Optional.empty(), node().find("example.org"));
    }

    @Test
    void fileThatSomebodySpoiltIsFetchedAgain() throws IOException {
        knowTheFirst();
        for (String spoilt : List.of("", "id: 1\n", "id: 1\nfetched: noon\n\n" + POLICY)) {
            Files.writeString(directory.resolve("sts/example.org"), spoilt);
            assertTrue(node().find("example.org").isPresent());
        }
        assertEquals(4, site.asked.size());
    }

    @Test
    void diskHoldsAsManyAsItMayAndTheLatest() throws IOException {
        StsCache cache = new StsCache(directory.resolve("few"), 20);
        StsPolicy policy = StsPolicy.parse("1", POLICY.getBytes(StandardCharsets.UTF_8));
        for (int i = 0; i < 100; i++) {
            cache.write("d" + i + ".example", new StsCache.Kept(policy, NOON.plusSeconds(i)));
            try (var files = Files.list(directory.resolve("few"))) {
                assertTrue(files.count() <= 20);
            }
        }
        for (int i = 90; i < 100; i++) {
            assertTrue(cache.read("d" + i + ".example").isPresent());
        }
    }

    @Test
    void manyDomainsAreForgottenAgain() {
        for (int i = 0; i < 10_500; i++) {
            policies.find("d" + i + ".example");
            clock.advance(Duration.ofMillis(1));
        }
        zone.asked.set(0);
        policies.find("d10499.example");
        assertEquals(0, zone.asked.get());
        policies.find("d0.example");
        assertEquals(1, zone.asked.get());
    }

    @Test
    void whoComesMeanwhileWaitsForTheSameFetch() throws Exception {
        zone.txt("v=STSv1; id=1");
        site.page(200, "text/plain", POLICY);
        site.gate = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Optional<StsPolicy>>> found = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                found.add(threads.submit(() -> policies.find("example.org")));
            }
            assertTrue(site.entered.await(60, TimeUnit.SECONDS));
            site.gate.countDown();
            for (Future<Optional<StsPolicy>> each : found) {
                assertEquals("1", each.get(60, TimeUnit.SECONDS).orElseThrow().id());
            }
        }
        assertEquals(1, site.asked.size());
    }

    @Test
    void whoKnowsAPolicyDoesNotWaitForTheNext() throws Exception {
        knowTheFirst();
        zone.txt("v=STSv1; id=2");
        clock.advance(Duration.ofMinutes(10));
        site.gate = new CountDownLatch(1);
        site.entered = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Optional<StsPolicy>> fetching =
                    threads.submit(() -> policies.find("example.org"));
            assertTrue(site.entered.await(60, TimeUnit.SECONDS));
            assertEquals("1", policies.find("example.org").orElseThrow().id());
            site.gate.countDown();
            assertEquals("2", fetching.get(60, TimeUnit.SECONDS).orElseThrow().id());
        }
    }

    @Test
    void whoIsInterruptedBlamesNobody() {
        knowTheFirst();
        zone.txt("v=STSv1; id=2");
        clock.advance(Duration.ofMinutes(10));
        site.interrupts = true;
        assertEquals("1", policies.find("example.org").orElseThrow().id());
        assertTrue(Thread.interrupted());
        assertEquals(List.of(), ledger.failures);
        site.interrupts = false;
        assertEquals("2", policies.find("example.org").orElseThrow().id());
    }

    /// With a real server: RFC 8461 §3.3.
    @ParameterizedTest
    @CsvSource({
        "good, true, ''",
        "expired, false, STS_WEBPKI_INVALID",
        "other, false, STS_WEBPKI_INVALID",
        "common, false, STS_WEBPKI_INVALID",
    })
    void policyHostProvesWhoItIs(String certificate, boolean found, String failure)
            throws Exception {
        zone.txt("v=STSv1; id=1");
        Resolver resolver =
                (name, type) ->
                        name.toString().startsWith("_mta-sts")
                                ? zone.resolve(name, type)
                                : new CannedResolver("mta-sts.example.org. 60 IN A 127.0.0.1\n")
                                        .resolve(name, type);
        try (var server = new TestWebServer(certificate, TestWebServer.plain(POLICY))) {
            var web =
                    new HttpsClient(
                            resolver,
                            address -> true,
                            TestWebServer.authorities(),
                            Duration.ofSeconds(60));
            StsPolicies real =
                    new FetchedStsPolicies(
                            resolver,
                            web,
                            new StsCache(directory.resolve("real")),
                            clock,
                            ledger,
                            server.port());
            assertEquals(found, real.find("example.org").isPresent());
            assertEquals(
                    failure.isEmpty() ? List.of() : List.of("sts example.org " + failure),
                    ledger.failures);
        }
    }

    private void knowTheFirst() {
        zone.txt("v=STSv1; id=1");
        site.page(200, "text/plain", POLICY);
        assertEquals("1", policies.find("example.org").orElseThrow().id());
    }

    private StsPolicies node() {
        return new FetchedStsPolicies(
                zone,
                site,
                new StsCache(directory.resolve("sts")),
                clock,
                ledger,
                FetchedStsPolicies.HTTPS);
    }

    /// One TXT record for whoever asks, and it changes.
    private static final class Zone implements Resolver {

        final AtomicInteger asked = new AtomicInteger();
        private volatile Resolution answer = new Resolution.NoSuchName(false);

        void txt(String text) {
            answer =
                    new CannedResolver("example.org. 60 IN TXT \"" + text + "\"\n")
                            .resolve(Name.fromConstantString("example.org."), Type.TXT);
        }

        void nothing() {
            answer = new Resolution.NoSuchName(false);
        }

        void unavailable() {
            answer = new Resolution.Unavailable("timed out");
        }

        @Override
        public Resolution resolve(Name name, int type) {
            asked.incrementAndGet();
            return answer;
        }
    }

    /// One page for whoever asks, and it changes.
    private static final class Site implements WebClient {

        final List<String> asked = new ArrayList<>();
        volatile CountDownLatch gate = new CountDownLatch(0);
        volatile CountDownLatch entered = new CountDownLatch(1);
        volatile boolean interrupts;
        private volatile Answer answer = new Answer(404, "", new byte[0]);

        void page(int status, String type, String body) {
            answer = new Answer(status, type, body.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public Answer get(URI uri) throws IOException {
            synchronized (asked) {
                asked.add(uri.toString());
            }
            entered.countDown();
            if (interrupts) {
                Thread.currentThread().interrupt();
                throw new IOException("closed by interrupt");
            }
            try {
                gate.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            return answer;
        }

        @Override
        public Answer post(URI uri, String type, byte[] body) throws IOException {
            throw new IOException("nobody posts");
        }
    }

    private static final class Ledger implements TlsLedger {

        final List<String> failures = new ArrayList<>();

        @Override
        public void succeeded(TlsPolicy policy) {
            failures.add("no: succeeded");
        }

        @Override
        public void failed(
                TlsPolicy policy, TlsResult result, String host, String address, String detail) {
            failures.add(policy.type() + " " + policy.domain() + " " + result);
        }
    }
}
