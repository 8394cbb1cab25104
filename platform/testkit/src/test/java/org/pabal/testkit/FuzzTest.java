package org.pabal.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

class FuzzTest {

    @TempDir Path corpus;

    @Test
    void triesTheCorpusFirst() throws Exception {
        Files.writeString(corpus.resolve("a"), "first");
        Files.writeString(corpus.resolve("b"), "second");
        Set<String> seen = ConcurrentHashMap.newKeySet();
        Fuzz.run(
                corpus,
                Duration.ZERO,
                input -> seen.add(new String(input, StandardCharsets.UTF_8)));
        assertEquals(Set.of("first", "second"), seen);
    }

    @Test
    void findsAndKeepsWhatThrows() throws Exception {
        Files.writeString(corpus.resolve("a"), "HELO example.org\r\n");
        assertThrows(
                AssertionError.class,
                () ->
                        Fuzz.run(
                                corpus,
                                Duration.ofSeconds(30),
                                input -> {
                                    String text = new String(input, StandardCharsets.ISO_8859_1);
                                    if (text.indexOf('{') >= 0 && text.startsWith("HELO")) {
                                        throw new IllegalStateException("found");
                                    }
                                }));
        byte[] kept = Files.readAllBytes(crash());
        String text = new String(kept, StandardCharsets.ISO_8859_1);
        assertTrue(text.startsWith("HELO") && text.contains("{"));
        assertThrows(
                AssertionError.class,
                () ->
                        Fuzz.run(
                                corpus,
                                Duration.ZERO,
                                input -> {
                                    if (java.util.Arrays.equals(kept, input)) {
                                        throw new IllegalStateException("found again");
                                    }
                                }));
        assertArrayEquals(kept, Files.readAllBytes(crash()));
    }

    @Test
    void refusesAnEmptyCorpus() {
        assertThrows(IOException.class, () -> Fuzz.run(corpus, input -> {}));
    }

    private Path crash() throws IOException {
        try (Stream<Path> files = Files.list(corpus)) {
            List<Path> crashes =
                    files.filter(f -> f.getFileName().toString().startsWith("crash-")).toList();
            assertEquals(1, crashes.size());
            return crashes.getFirst();
        }
    }
}
