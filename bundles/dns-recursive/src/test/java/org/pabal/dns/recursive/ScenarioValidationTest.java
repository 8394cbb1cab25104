package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.testkit.MovableClock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Plays scripted scenarios of resolvers through the validator, when there are any: the system
/// property `pabal.scenarios` names a directory of `.rpl` files.
class ScenarioValidationTest {

    /// Those in which there is more to be done than to validate.
    private static final Pattern OTHERS = Pattern.compile("(iter_(?!validate)|module_).*");

    @TempDir Path directory;

    @TestFactory
    List<DynamicTest> judgesAsTheScenariosWantIt() throws IOException {
        Optional<Path> directory =
                Optional.ofNullable(System.getProperty("pabal.scenarios")).map(Path::of);
        Assumptions.assumeTrue(
                directory.filter(Files::isDirectory).isPresent(),
                "no scenarios: -Dpabal.scenarios names a directory of them");
        try (Stream<Path> files = Files.list(directory.orElseThrow())) {
            return files.filter(file -> file.toString().endsWith(".rpl"))
                    .filter(file -> !OTHERS.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .map(file -> DynamicTest.dynamicTest("" + file.getFileName(), () -> play(file)))
                    .toList();
        }
    }

    private void play(Path file) throws IOException {
        ScriptedAnswers answers = ScriptedAnswers.read(file);
        Path anchors = Files.writeString(directory.resolve("anchors"), answers.anchors);
        ChainValidator validator =
                new ChainValidator(
                        TrustAnchors.read(anchors),
                        new ValidationSettings(
                                Optional.empty(),
                                false,
                                Path.of("unused"),
                                new HashSet<>(answers.negative),
                                true,
                                ValidationSettings.MAX_ITERATIONS),
                        new MovableClock(answers.now));
        for (ScriptedAnswers.Step step : answers.steps) {
            answers.step = step.number();
            Answer answer = answers.answer(step.question(), validator, step.checkingDisabled());
            assertEquals(
                    step.expected().unless(step.hidden()),
                    new ScriptedAnswers.Expected(
                                    answer.rcode(), answer.security() == Security.SECURE)
                            .unless(step.hidden()),
                    () ->
                            step.number()
                                    + " "
                                    + step.question()
                                    + ": "
                                    + answer.security()
                                    + " "
                                    + answer.reason()
                                    + " "
                                    + answer.chain());
        }
    }
}
