package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Scripted scenarios of other resolvers' projects, played against the resolver of the image: mock
/// servers, the steps of a client, the answers expected.
///
/// `-Dpabal.scenarios=DIR` names the folder with the runner, `run.py`; `-Dpabal.scenarios.only=all`
/// plays all of `unbound-passes.txt`, another regular expression those that it finds.
class ResolverScenariosTest {

    private static final int HANDFUL = 6;

    @TempDir Path scratch;

    @Test
    void passesWhatUnboundPasses() throws Exception {
        Path folder =
                Path.of(System.getProperty("pabal.scenarios", "../../../shared/resolver-scenarios"))
                        .toAbsolutePath()
                        .normalize();
        Path runner = folder.resolve("run.py");
        need(Files.isReadable(runner), "there is no " + runner + " (-Dpabal.scenarios=DIR)");
        need("root".equals(System.getProperty("user.name")), "only root makes network namespaces");
        Tool.need("unshare");
        Tool.need("ip");
        need(
                succeeds("/usr/bin/python3", "-c", "import dns.dnssec"),
                "python3-dnspython is not installed (Debian: apt-get install python3-dnspython)");
        need(succeeds("unshare", "-n", "true"), "no network namespace may be made here");

        String only = System.getProperty("pabal.scenarios.only", "");
        List<Path> scenarios = scenarios(folder, only);
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "/usr/bin/python3",
                                runner.toString(),
                                "--keep",
                                scratch.resolve("logs").toString(),
                                "-j",
                                "2",
                                "--cmd",
                                Path.of("resolver-start").toAbsolutePath()
                                        + " {dir} {addr} {hints} {anchors} '{forward}' {qmin}"
                                        + " '{insecure}'"));
        scenarios.forEach(scenario -> command.add(scenario.toString()));
        Process process =
                new ProcessBuilder(command)
                        .directory(scratch.toFile())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exit = process.waitFor();
        forgetLinks(scratch);
        assertEquals(0, exit, said);
        // the runner skips those that want settings of one resolver only
        assertTrue(said.contains(" passed, 0 failed, "), said);
        assertFalse(said.lines().anyMatch(line -> line.startsWith("0 passed")), said);
        System.out.println("resolver scenarios: " + said.strip());
    }

    /// Takes the links to the image away, so that nobody who cleans up follows them.
    private static void forgetLinks(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path link : files.filter(Files::isSymbolicLink).toList()) {
                Files.delete(link);
            }
        }
    }

    private static List<Path> scenarios(Path folder, String only) throws IOException {
        List<String> known = Files.readAllLines(folder.resolve("unbound-passes.txt"));
        try (Stream<Path> files = Files.list(folder.resolve("scenarios"))) {
            List<Path> all =
                    files.filter(file -> known.contains(file.getFileName().toString()))
                            .filter(
                                    file ->
                                            only.isEmpty()
                                                    || only.equals("all")
                                                    || file.getFileName()
                                                            .toString()
                                                            .matches(".*(?:" + only + ").*"))
                            .sorted()
                            .toList();
            int step = only.isEmpty() ? Math.max(1, all.size() / HANDFUL) : 1;
            return Stream.iterate(0, i -> i < all.size(), i -> i + step).map(all::get).toList();
        }
    }

    private boolean succeeds(String... command) throws IOException, InterruptedException {
        return Files.isExecutable(Path.of("/usr/bin/python3"))
                && Tool.run(scratch, Map.of(), List.of(command)).exit() == 0;
    }

    private static void need(boolean there, String reason) {
        if (!there) {
            System.out.println("skipped: " + reason);
        }
        Assumptions.assumeTrue(there, reason);
    }
}
