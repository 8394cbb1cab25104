package org.pabal.itests.interop;

import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A client program of this machine.
final class Tool {

    /// How it ended and what it printed.
    record Result(int exit, String output) {}

    private Tool() {}

    /// Skips the test, with the reason, where a program is not installed.
    static void need(String program) {
        boolean found =
                List.of(System.getenv("PATH").split(":")).stream()
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
        if (!found) {
            System.out.println(
                    "skipped: "
                            + program
                            + " is not installed (Debian: apt-get install "
                            + (program.equals("dig") ? "bind9-dnsutils" : program)
                            + ")");
        }
        Assumptions.assumeTrue(found, program + " is not installed");
    }

    static Result run(Path folder, Map<String, String> environment, List<String> command)
            throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(
                                true); // its input stays open and silent, like a person who waits
        builder.environment().putAll(environment);
        Process process = builder.start();
        Thread watch = Thread.ofVirtual().start(() -> endAfterAMinute(process));
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exit = process.waitFor();
        watch.interrupt();
        return new Result(exit, output);
    }

    private static void endAfterAMinute(Process process) {
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            // It has ended by itself.
        }
    }
}
