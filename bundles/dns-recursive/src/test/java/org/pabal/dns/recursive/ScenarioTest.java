package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Plays the scenarios of a folder that need no DNSSEC, without sockets:
/// `-Dpabal.scenarios=FOLDER`.
class ScenarioTest {

    @TestFactory
    Stream<DynamicTest> playsAsItIsWritten() throws IOException {
        String folder = System.getProperty("pabal.scenarios", "");
        assumeTrue(!folder.isEmpty(), "say where the scenarios are with -Dpabal.scenarios");
        Path listed = Path.of(folder).resolveSibling("unbound-passes.txt");
        List<String> names = Files.readAllLines(listed);
        return names.stream()
                .map(name -> Path.of(folder, name))
                .filter(ScenarioTest::needsNoDnssec)
                .map(
                        path ->
                                DynamicTest.dynamicTest(
                                        path.getFileName().toString(), () -> play(path)));
    }

    private static boolean needsNoDnssec(Path file) {
        try {
            String text = Files.readString(file, StandardCharsets.ISO_8859_1);
            return !text.contains("\nRAW")
                    && !text.contains("HEX_")
                    && Scenario.read(file).anchors.isEmpty();
        } catch (IOException | RuntimeException e) {
            throw new IllegalStateException(file + ": " + e.getMessage(), e);
        }
    }

    private static void play(Path file) throws IOException {
        MovableClock clock = new MovableClock(Instant.parse("2026-01-01T00:00:00Z"));
        Validator none =
                new Validator() {
                    @Override
                    public Finding judge(Finding finding, Fetch fetch, Request request) {
                        return finding.judged(Security.INSECURE, Optional.empty());
                    }

                    @Override
                    public boolean cares(Name name) {
                        return false;
                    }
                };
        ScenarioPlayer player = new ScenarioPlayer(Scenario.read(file), none, clock);
        assertEquals("", player.play().orElse(""));
    }
}
