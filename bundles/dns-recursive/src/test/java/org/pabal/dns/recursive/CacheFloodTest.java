package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.settings.Settings;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Type;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// The cache when it is full, and when many use it at once. Security row D5: who asks for names
/// that do not exist cannot flush it.
class CacheFloodTest {

    private static final int WARM = 10_000;
    private static final int FLOOD = 1_000_000;

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-23T12:00:00Z"));
    private final Random random = new Random(5);

    private RecordCache cache(String size) {
        return new RecordCache(CacheSettings.of(Settings.of(Map.of("cache-size", size))), clock);
    }

    private static Question warm(int i) {
        return Kept.question("warm" + i + ".example.org.", Type.A);
    }

    private static void warmUp(RecordCache cache) {
        for (int i = 0; i < WARM; i++) {
            cache.keep(Kept.address("warm" + i + ".example.org.", 3600, "192.0.2.1"));
        }
        ask(cache);
        ask(cache);
    }

    private static int ask(RecordCache cache) {
        int found = 0;
        for (int i = 0; i < WARM; i++) {
            found += cache.find(warm(i)).isPresent() ? 1 : 0;
        }
        return found;
    }

    /// What is random differs in its first label only, so that the test is fast.
    private Finding random(Finding like) {
        return new Finding(
                Kept.question(Long.toHexString(random.nextLong()) + ".example.com.", Type.A),
                like.kind(),
                like.records(),
                like.proof(),
                like.zone(),
                like.security(),
                like.reason(),
                like.ttl(),
                false);
    }

    @Test
    void aMillionNamesThatDoNotExistPushNothingOutThatIsAskedFor() {
        RecordCache cache = cache("10 MB");
        warmUp(cache);
        Finding none = Kept.nothing(Finding.Kind.NO_NAME, Security.INSECURE, warm(0), 3600);
        for (int i = 0; i < FLOOD; i++) {
            cache.keep(random(none));
            if (i % 10_000 == 0) {
                assertTrue(cache.counts().octets() <= cache.counts().limit());
            }
        }
        assertEquals(WARM, ask(cache));
        assertTrue(cache.counts().evictions() > FLOOD * 9 / 10);
        assertTrue(cache.counts().octets() > cache.counts().limit() * 9 / 10);
    }

    /// Who asks for each of his names several times gets them into the main queue; what is asked
    /// for by others stays there too.
    @Test
    void namesThatAreAskedForAgainAndAgainPushNothingOutThatIsAskedFor() {
        RecordCache cache = cache("10 MB");
        warmUp(cache);
        Finding none = Kept.nothing(Finding.Kind.NO_NAME, Security.INSECURE, warm(0), 3600);
        int missed = 0;
        for (int i = 0; i < FLOOD / 5; i++) {
            Finding evil = random(none);
            cache.keep(evil);
            cache.find(evil.question());
            cache.find(evil.question());
            if (i % 10_000 == 9_999) {
                missed += WARM - ask(cache);
            }
        }
        assertEquals(0, missed);
    }

    @Test
    void whatNobodyWantsAnyMoreMakesRoom() {
        RecordCache cache = cache("3 MB");
        warmUp(cache);
        for (int i = 0; i < 100_000; i++) {
            String name = "new" + i % 10_000 + ".example.org.";
            if (cache.find(Kept.question(name, Type.A)).isEmpty()) {
                cache.keep(Kept.address(name, 3600, "192.0.2.1"));
            }
        }
        long found = 0;
        for (int i = 0; i < 10_000; i++) {
            Question question = Kept.question("new" + i + ".example.org.", Type.A);
            found += cache.find(question).isPresent() ? 1 : 0;
        }
        assertEquals(10_000, found);
    }

    @Test
    void staysWithinItsMemoryWhateverItIsGiven() {
        RecordCache cache = cache("1 MB");
        String text = " 300 TXT " + "t".repeat(250);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            lines.add("big.example.org." + text + i);
        }
        Finding big = Kept.records(Security.INSECURE, lines.toArray(String[]::new));
        for (int i = 0; i < 100; i++) {
            cache.keep(random(big));
            cache.keep(Kept.delegation("z" + i + ".example.org.", 300, "ns.example.org."));
            cache.keep(Kept.failure(warm(i), 300));
            assertTrue(cache.counts().octets() <= 1_000_000);
        }
        List<String> tooBig = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            tooBig.add("huge.example.org." + text + i);
        }
        cache.keep(Kept.records(Security.INSECURE, tooBig.toArray(String[]::new)));
        assertEquals(Optional.empty(), cache.find(Kept.question("huge.example.org.", Type.TXT)));
        assertTrue(cache.find(warm(99)).isPresent());
    }

    @Test
    void everyNameKeepsItsOwnAnswerWhenTheTableGrowsAndLosesEntries() {
        RecordCache cache = cache("256 MB");
        for (int i = 0; i < 10_000; i++) {
            cache.keep(
                    Kept.address(
                            "n" + i + ".example.org.", 300, "10.0." + i / 250 + "." + i % 250));
            if (i % 31 == 0) {
                cache.flush(Kept.name("n" + i / 2 + ".example.org."));
            }
            i += i % 3;
        }
        AtomicLong entries = new AtomicLong();
        cache.forEach(
                entry -> {
                    entries.incrementAndGet();
                    Finding finding = entry.finding(cache.now());
                    assertEquals(finding, cache.find(finding.question()).orElseThrow());
                    String number = finding.question().name().getLabelString(0).substring(1);
                    int i = Integer.parseInt(number);
                    assertEquals(
                            "10.0." + i / 250 + "." + i % 250,
                            finding.set().first().rdataToString());
                });
        assertEquals(cache.counts().entries(), entries.get());
    }

    @Test
    void manyMayUseItAtOnce() throws InterruptedException {
        RecordCache cache = cache("1 MB");
        Finding steady = Kept.address("steady.example.org.", 3600, "192.0.2.1");
        cache.keep(steady);
        AtomicInteger wrong = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            int seed = t;
            threads.add(
                    Thread.ofVirtual()
                            .unstarted(
                                    () -> {
                                        try {
                                            work(cache, steady, new Random(seed), wrong);
                                        } catch (RuntimeException e) {
                                            e.printStackTrace();
                                            wrong.incrementAndGet();
                                        }
                                    }));
        }
        Thread reader =
                Thread.ofPlatform()
                        .unstarted(
                                () -> {
                                    while (!over.get()) {
                                        if (cache.find(steady.question()).isEmpty()) {
                                            wrong.incrementAndGet();
                                        }
                                    }
                                });
        reader.start();
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        over.set(true);
        reader.join();
        assertEquals(0, wrong.get());
        AtomicLong entries = new AtomicLong();
        cache.forEach(entry -> entries.incrementAndGet());
        assertEquals(cache.counts().entries(), entries.get());
        assertTrue(cache.counts().octets() <= cache.counts().limit());
        cache.flush(Kept.name("."));
        assertEquals(0, cache.counts().entries());
    }

    private static void work(
            RecordCache cache, Finding steady, Random random, AtomicInteger wrong) {
        for (int i = 0; i < 15_000; i++) {
            int number = random.nextInt(8_000);
            String name = "n" + number + ".example.org.";
            switch (random.nextInt(100)) {
                case 0 -> cache.keep(steady);
                case 1 -> cache.flush(Kept.name(name));
                case 2 -> cache.keep(Kept.delegation(name, 60, "ns.example.org."));
                case 3 ->
                        cache.keep(
                                Kept.nothing(
                                        Finding.Kind.NO_NAME,
                                        Security.INSECURE,
                                        Kept.question(name, Type.A),
                                        60));
                default -> {
                    Optional<Finding> found = cache.find(Kept.question(name, Type.A));
                    if (found.isEmpty()) {
                        cache.keep(
                                Kept.address(
                                        name, 60, "10.0." + number / 250 + "." + number % 250));
                    } else if (found.get().kind() == Finding.Kind.RECORDS
                            && !found.get()
                                    .set()
                                    .first()
                                    .rdataToString()
                                    .equals("10.0." + number / 250 + "." + number % 250)) {
                        wrong.incrementAndGet();
                    }
                }
            }
        }
    }
}
