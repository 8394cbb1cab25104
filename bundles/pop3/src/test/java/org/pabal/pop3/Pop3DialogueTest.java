package org.pabal.pop3;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.pabal.testkit.Dialogue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;

/// Conversations as files, each in a house of its own.
class Pop3DialogueTest {

    @TestFactory
    Stream<DynamicTest> speaksAsTheDialoguesSay() throws IOException {
        return Dialogue.tests(
                Path.of("src/test/resources/dialogues"), () -> new House().protocol());
    }
}
