package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.settings.Settings;
import org.pabal.testkit.Fuzz;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Type;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

/// What was known is known after a restart; what is broken is not believed.
class CacheFileTest {

    private static final Question WWW = Kept.question("www.example.org.", Type.A);

    @TempDir private Path folder;

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-23T12:00:00Z"));

    private RecordCache cache() {
        return new RecordCache(CacheSettings.of(Settings.of(Map.of("cache-size", "8 MB"))), clock);
    }

    private CacheFile file() {
        return new CacheFile(folder.resolve("cache"));
    }

    /// One of each kind.
    static void fill(RecordCache cache) {
        cache.keep(
                Kept.records(
                        Security.SECURE,
                        "www.example.org. 300 A 192.0.2.1",
                        "www.example.org. 300 A 192.0.2.2",
                        "www.example.org. 300 RRSIG A" + Kept.SIGNATURE));
        cache.keep(
                Kept.alias(
                        Kept.question("a.old.example.org.", Type.A),
                        "old.example.org. 600 DNAME new.example.com.",
                        "a.old.example.org. 600 CNAME a.new.example.com."));
        cache.keep(
                Kept.nothing(
                        Finding.Kind.NO_NAME,
                        Security.SECURE,
                        Kept.question("no.example.org.", Type.ANY),
                        900));
        cache.keep(
                Kept.nothing(
                        Finding.Kind.NO_RECORD,
                        Security.INSECURE,
                        Kept.question("www.example.org.", Type.MX),
                        900));
        cache.keep(Kept.delegation("example.org.", 3600, "ns.example.org.", "ns.example.com."));
    }

    @Test
    void whatWasKnownIsKnownAfterARestart() throws IOException {
        RecordCache before = cache();
        fill(before);
        before.keep(Kept.failure(Kept.question("dead.example.org.", Type.A), 300));
        assertEquals(5, file().save(before), "all but failures");
        clock.advance(Duration.ofSeconds(100));
        RecordCache after = cache();
        assertEquals(5, file().load(after));
        assertEquals(before.find(WWW), after.find(WWW));
        assertEquals(200, after.find(WWW).orElseThrow().ttl());
        assertEquals(Security.SECURE, after.find(WWW).orElseThrow().security());
        Question below = Kept.question("below.no.example.org.", Type.A);
        assertEquals(before.find(below), after.find(below));
        assertEquals(before.delegation(Kept.ORG), after.delegation(Kept.ORG));
        assertEquals(
                Finding.Kind.ALIAS,
                after.find(Kept.question("a.old.example.org.", Type.A)).orElseThrow().kind());
    }

    @Test
    void timeGoesOnWhileTheNodeIsDown() throws IOException {
        RecordCache before = cache();
        fill(before);
        file().save(before);
        clock.advance(Duration.ofSeconds(700));
        RecordCache after = cache();
        assertEquals(5, file().load(after), "what is stale is of use");
        assertEquals(Optional.empty(), after.find(WWW));
        assertTrue(after.stale(WWW).isPresent());
        clock.advance(Duration.ofDays(2));
        RecordCache late = cache();
        assertEquals(0, file().load(late));
        assertEquals(0, late.counts().entries());
    }

    @Test
    void whatIsNewerStays() throws IOException {
        RecordCache before = cache();
        fill(before);
        file().save(before);
        RecordCache after = cache();
        clock.advance(Duration.ofSeconds(1));
        after.keep(Kept.address("www.example.org.", 60, "192.0.2.99"));
        assertEquals(4, file().load(after));
        assertEquals("192.0.2.99", after.find(WWW).orElseThrow().set().first().rdataToString());
        clock.advance(Duration.ofSeconds(60));
        assertEquals(0, file().load(after), "also when the newer is over");
    }

    @Test
    void whatComesFromTheFutureIsLeftOut() throws IOException {
        RecordCache before = cache();
        fill(before);
        file().save(before);
        clock.advance(Duration.ofDays(-10));
        assertEquals(0, file().load(cache()));
    }

    @Test
    void noFileIsNoTrouble() {
        assertEquals(0, file().load(cache()));
    }

    @Test
    void anEmptyCacheIsAFileToo() throws IOException {
        assertEquals(0, file().save(cache()));
        assertEquals(0, file().load(cache()));
    }

    @Test
    void aFileThatIsCutGivesWhatIsWholeAndNothingElse() throws IOException {
        RecordCache before = cache();
        for (int i = 0; i < 3000; i++) {
            before.keep(Kept.address("n" + i + ".example.org.", 300, "192.0.2.1"));
        }
        file().save(before);
        byte[] octets = Files.readAllBytes(folder.resolve("cache"));
        for (int length : new int[] {0, 7, 8, 12, 16, 1000, octets.length - 9, octets.length - 1}) {
            Files.write(folder.resolve("cache"), Arrays.copyOf(octets, length));
            RecordCache after = cache();
            long loaded = file().load(after);
            assertEquals(loaded, after.counts().entries());
            assertEquals(length < octets.length - 8, loaded < 3000);
            after.forEach(entry -> entry.finding(after.now()));
        }
        octets[octets.length / 2] ^= 1;
        Files.write(folder.resolve("cache"), octets);
        assertTrue(file().load(cache()) < 3000);
    }

    @Test
    void aFileOfAnotherKindIsIgnored() throws IOException {
        Files.writeString(folder.resolve("cache"), "www.example.org. 300 IN A 192.0.2.1\n");
        assertEquals(0, file().load(cache()));
        Files.createDirectory(folder.resolve("folder"));
        assertEquals(0, new CacheFile(folder.resolve("folder")).load(cache()));
    }

    @Test
    void whatCannotBeSavedLeavesTheOldFile() throws IOException {
        RecordCache before = cache();
        fill(before);
        file().save(before);
        Files.createDirectory(folder.resolve("cache.new"));
        try {
            file().save(cache());
            throw new AssertionError("it could not");
        } catch (IOException e) {
            assertFalse(e.getMessage().isEmpty());
        }
        assertEquals(5, file().load(cache()));
    }

    /// Also with checksums that are right, so that what is behind them is tried: whatever is
    /// taken can be read and sent.
    @Test
    void readsOrRefusesWhateverIsThere() throws Exception {
        Fuzz.run(
                Path.of("src/test/resources/fuzz/cache-file"),
                input -> {
                    load(input);
                    load(summed(input));
                });
    }

    private void load(byte[] input) throws IOException {
        RecordCache cache = cache();
        CacheFile.load(cache, new ByteArrayInputStream(input));
        ByteBuffer out = ByteBuffer.allocate(1 << 20);
        cache.forEach(
                entry -> {
                    int at = entry.copyAnswers(out, 0, 1, 7, 0);
                    at = entry.copySignatures(out, at, 1, 7);
                    at = entry.copyAuthority(out, at, 0, 7);
                    entry.copyProof(out, at, 0, 7);
                    if (entry.keyType() == Entry.DELEGATION) {
                        entry.delegation(cache.now());
                    } else {
                        Finding finding = entry.finding(cache.now());
                        cache.find(finding.question());
                        cache.stale(finding.question());
                    }
                });
    }

    private static byte[] summed(byte[] input) {
        byte[] summed = input.clone();
        ByteBuffer buffer = ByteBuffer.wrap(summed);
        int at = 8;
        while (at + 8 <= summed.length) {
            int length = buffer.getInt(at);
            if (length < 0 || length > summed.length - at - 8) {
                break;
            }
            CRC32C crc = new CRC32C();
            crc.update(summed, at + 8, length);
            buffer.putInt(at + 4, (int) crc.getValue());
            at += 8 + length;
        }
        return summed;
    }
}
