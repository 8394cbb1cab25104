package org.pabal.launcher;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Carries out the shell commands of `etc/first-start`, once: what a new node begins with is kept
/// by a store, and only the running store knows its own format. The file is deleted afterwards,
/// since it may hold passwords.
final class FirstStart {

    private static final Logger log = LoggerFactory.getLogger(FirstStart.class);

    private final NodeDirectory directory;
    private final Readiness readiness;
    private final Duration patience;

    FirstStart(NodeDirectory directory, Readiness readiness, Duration patience) {
        this.directory = directory;
        this.readiness = readiness;
        this.patience = patience;
    }

    /// @return why not everything could be done, in one line; what is left stays in the file for
    ///     the next start
    Optional<String> carryOut() throws InterruptedException {
        if (!Files.exists(directory.firstStart())) {
            return Optional.empty();
        }
        try {
            List<String> commands =
                    Files.readAllLines(directory.firstStart()).stream()
                            .map(String::strip)
                            .filter(c -> !c.isEmpty() && !c.startsWith("#"))
                            .toList();
            for (int done = 0; done < commands.size(); done++) {
                Optional<String> failure = carryOut(commands.get(done));
                if (failure.isPresent()) {
                    NodeDirectory.writePrivate(
                            directory.firstStart(),
                            String.join("\n", commands.subList(done, commands.size())) + "\n");
                    return failure;
                }
            }
            Files.delete(directory.firstStart());
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of("etc/first-start: " + Lines.reason(e));
        }
    }

    private Optional<String> carryOut(String command) throws IOException, InterruptedException {
        String verb = command.split("\\s", 2)[0]; // the rest may be a password
        String scope = verb.split(":", 2)[0];
        if (!readiness.awaitCommands(scope, patience)) {
            return Optional.of("etc/first-start waits for the command " + verb);
        }
        try (ShellClient shell = ShellClient.connect(directory)) {
            ShellClient.End end = shell.execute(command, new ByteArrayOutputStream());
            if (end.status() != 0) {
                return Optional.of("etc/first-start: " + verb + ": " + end.reason());
            }
            log.info("first start: {} done", verb);
            return Optional.empty();
        } catch (Trouble e) {
            return Optional.of("etc/first-start: " + e.getMessage());
        }
    }
}
