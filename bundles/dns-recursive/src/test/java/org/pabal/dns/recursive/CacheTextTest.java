package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.settings.Settings;
import org.pabal.testkit.Fuzz;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The cache as text, there and back.
class CacheTextTest {

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-23T12:00:00Z"));
    private final RecordCache cache = cache();

    private RecordCache cache() {
        return new RecordCache(CacheSettings.of(Settings.of(Map.of("cache-size", "8 MB"))), clock);
    }

    private static String text(RecordCache cache, String above) throws IOException {
        StringBuilder out = new StringBuilder();
        new CacheText(cache).write(out, Kept.name(above));
        return out.toString();
    }

    private CacheText.Imported read(String... lines) throws IOException {
        return new CacheText(cache).read(new StringReader(String.join("\n", lines)));
    }

    @Test
    void writesWhatIsLeftOfAFinding() throws IOException {
        cache.keep(
                Kept.records(
                        Security.SECURE,
                        "www.example.org. 300 A 192.0.2.1",
                        "www.example.org. 300 RRSIG A" + Kept.SIGNATURE));
        clock.advance(Duration.ofSeconds(1));
        assertEquals(
                """
                ;; www.example.org. A records secure example.org. 299
                www.example.org. 299 IN A 192.0.2.1
                www.example.org. 299 IN RRSIG A 13 3 3600 20360101000000 20260101000000 1 \
                example.org. AAAA
                """,
                text(cache, "."));
        clock.advance(Duration.ofSeconds(299));
        assertEquals("", text(cache, "."));
    }

    @Test
    void writesWhatIsNotThere() throws IOException {
        cache.keep(
                Kept.nothing(
                        Finding.Kind.NO_NAME,
                        Security.INSECURE,
                        Kept.question("no.example.org.", Type.A),
                        60));
        assertEquals(
                """
                ;; no.example.org. ANY no-name insecure example.org. 60
                ;authority
                example.org. 60 IN SOA ns.example.org. admin.example.org. 1 2 3 4 60
                """,
                text(cache, "."));
        cache.flush(Name.root);
        cache.keep(Kept.failure(Kept.question("dead.example.org.", Type.A), 17));
        assertEquals(
                ";; dead.example.org. A failure unchecked example.org. 17 22 nobody answers\n",
                text(cache, "."));
        cache.flush(Name.root);
        cache.keep(Kept.delegation("example.org.", 3600, "ns.example.org."));
        assertEquals(
                """
                ;; example.org. delegation 3600
                example.org. 3600 IN NS ns.example.org.
                ;glue
                ns.example.org. 3600 IN A 192.0.2.1
                """,
                text(cache, "."));
    }

    @Test
    void writesAtAndBelowAName() throws IOException {
        cache.keep(Kept.address("a.example.org.", 60, "192.0.2.1"));
        cache.keep(Kept.address("a.example.com.", 60, "192.0.2.1"));
        assertEquals(2, text(cache, "EXAMPLE.org.").lines().count());
        assertEquals(4, text(cache, ".").lines().count());
        assertEquals(0, text(cache, "b.example.org.").lines().count());
    }

    @Test
    void readsWhatItWroteAndJudgesNothing() throws IOException {
        CacheFileTest.fill(cache);
        String text = text(cache, ".");
        RecordCache other = cache();
        CacheText.Imported imported = new CacheText(other).read(new StringReader(text));
        assertEquals(List.of(), imported.faults());
        assertEquals(5, imported.kept());
        assertEquals(
                sorted(
                        text.replace(" secure ", " unchecked ")
                                .replace(" insecure ", " unchecked ")),
                sorted(text(other, ".")));
    }

    private static List<String> sorted(String text) {
        return Arrays.stream(text.split("(?=;; )")).sorted().toList();
    }

    @Test
    void namesAndTextsWithOddCharactersComeBack() throws IOException {
        cache.keep(
                Kept.records(
                        Security.INSECURE,
                        "a\\032b\\;c\\.d.example.org. 60 TXT \"x; y\\\"z\" \"\\000\""));
        String text = text(cache, ".");
        RecordCache other = cache();
        assertEquals(1, new CacheText(other).read(new StringReader(text)).kept(), text);
        assertEquals(text.replace("insecure", "unchecked"), text(other, "."));
    }

    @Test
    void aVerdictOfOthersIsNotBelieved() throws IOException {
        CacheText.Imported imported =
                read(
                        ";; www.example.org. A records secure example.org. 60",
                        "www.example.org. 60 IN A 192.0.2.1",
                        ";; dead.example.org. A failure unchecked . 60 22 nobody",
                        ";; evil.example.org. A records bogus . 60 6 no",
                        "evil.example.org. 60 IN A 192.0.2.1");
        assertEquals(new CacheText.Imported(2, List.of()), imported);
        for (String name : List.of("www.example.org.", "evil.example.org.")) {
            assertEquals(
                    Optional.of(Security.UNCHECKED),
                    cache.find(Kept.question(name, Type.A)).map(Finding::security));
        }
    }

    @Test
    void saysWhichLinesAreWrong() throws IOException {
        CacheText.Imported imported =
                read(
                        "; a comment",
                        "lost.example.org. 60 IN A 192.0.2.1",
                        ";; a.example.org. A records insecure example.org. 60",
                        "a.example.org. 60 IN A 192.0.2.256",
                        ";; b.example.org. A records insecure example.org. 60",
                        "c.example.org. 60 IN A 192.0.2.1",
                        ";; d.example.org. A wrong insecure example.org. 60",
                        "d.example.org. 60 IN A 192.0.2.1",
                        ";; e.example.org. A alias insecure example.org. 60",
                        ";; f.example.org. A records insecure example.org. soon",
                        ";; g.example.org. delegation 60",
                        ";; h.example.org. A records insecure example.org. 60",
                        "h.example.org. IN A 192.0.2.1",
                        "",
                        ";; i.example.org. A records insecure example.org. 60",
                        "i.example.org. 60 IN A 192.0.2.1");
        assertEquals(1, imported.kept());
        assertEquals(
                List.of(2, 4, 5, 7, 9, 10, 11, 13),
                imported.faults().stream()
                        .map(f -> Integer.valueOf(f.substring(5, f.indexOf(':'))))
                        .toList(),
                imported.faults()::toString);
        assertTrue(imported.faults().contains("line 10: soon: not a number of seconds"));
        assertEquals(1, cache.counts().entries());
    }

    @Test
    void readsOrReportsWhateverIsWritten() throws Exception {
        Fuzz.run(
                Path.of("src/test/resources/fuzz/cache-text"),
                input -> {
                    RecordCache some = cache();
                    new CacheText(some)
                            .read(new StringReader(new String(input, StandardCharsets.ISO_8859_1)));
                    String text = text(some, ".");
                    RecordCache other = cache();
                    CacheText.Imported again = new CacheText(other).read(new StringReader(text));
                    assertEquals(List.of(), again.faults());
                    assertEquals(sorted(text), sorted(text(other, ".")));
                });
    }
}
