package org.pabal.smtp;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.pabal.testkit.Dialogue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;

/// Plays the conversations of `src/test/resources/dialogues`, each on a fresh node.
final class DialoguesTest {

    private static final Path FOLDER = Path.of("src/test/resources/dialogues");

    @TestFactory
    Stream<DynamicTest> receivesAsStandardsSay() throws IOException {
        return Dialogue.tests(FOLDER.resolve("smtp"), () -> new TestNode().as(Role.SMTP));
    }

    @TestFactory
    Stream<DynamicTest> takesSubmissionsAsStandardsSay() throws IOException {
        return Dialogue.tests(
                FOLDER.resolve("submission"), () -> new TestNode().as(Role.SUBMISSION));
    }

    @TestFactory
    Stream<DynamicTest> takesDeliveriesAsStandardsSay() throws IOException {
        return Dialogue.tests(FOLDER.resolve("lmtp"), () -> new TestNode().as(Role.LMTP));
    }
}
