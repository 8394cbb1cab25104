package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.directory.Sasl;
import org.pabal.directory.SaslExchange;
import org.pabal.directory.SignInLimits;
import org.pabal.mail.MailAddress;
import org.pabal.testkit.Fuzz;
import org.pabal.testkit.MovableClock;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;

class SaslFuzzTest {

    @TempDir Path node;

    /// Inputs are a mechanism, then the client's messages, a line each.
    @Test
    void answersAnyMessages() throws Exception {
        MovableClock clock = new MovableClock(Instant.parse("2026-11-22T12:00:00Z"));
        InetAddress from = InetAddress.getLoopbackAddress();
        PasswordCost least = new PasswordCost(8, 1, 1, 4_096);
        try (FileDirectory directory =
                new FileDirectory(node, "example.test", clock, "+", least, new Disk())) {
            directory.addAccount(
                    new MailAddress("bob", "example.test"), "correct horse".toCharArray());
            Sasl sasl = new Sasl(directory, new SignInLimits(clock));
            Fuzz.run(
                    Path.of("src/test/resources/fuzz/sasl"),
                    input -> {
                        clock.advance(Duration.ofDays(1));
                        String[] lines =
                                new String(input, StandardCharsets.ISO_8859_1).split("\n", -1);
                        Optional<SaslExchange> exchange =
                                sasl.begin(lines[0], from, Optional.empty());
                        if (exchange.isEmpty()) {
                            return;
                        }
                        for (String line : Arrays.copyOfRange(lines, 1, lines.length)) {
                            byte[] message = line.getBytes(StandardCharsets.ISO_8859_1);
                            SaslExchange.Step step = exchange.get().step(Optional.of(message));
                            assertFalse(
                                    step instanceof SaslExchange.Step.Success,
                                    "nobody said the password");
                            if (step instanceof SaslExchange.Step.Failure) {
                                return;
                            }
                        }
                    });
        }
    }
}
