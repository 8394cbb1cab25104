package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Our resolver and Unbound answer alike in worlds that are made of numbers: signed and unsigned
/// zones, aliases, and what servers get wrong.
///
/// `-Dpabal.worlds=1,2,3` plays these worlds, `-Dpabal.worlds.questions=300` asks so many questions
/// in each, `-Dpabal.worlds.minimise=no` does so without QNAME minimisation.
class ResolverAgreementTest {

    @TempDir Path scratch;

    @Test
    void answersAsUnboundDoes() throws Exception {
        need(Files.isExecutable(Path.of("/usr/sbin/unbound")), "there is no /usr/sbin/unbound");
        need("root".equals(System.getProperty("user.name")), "only root makes network namespaces");
        Tool.need("unshare");
        Tool.need("ip");
        need(
                Tool.run(scratch, Map.of(), List.of("unshare", "-n", "true")).exit() == 0,
                "no network namespace may be made here");

        List<String> command =
                new ArrayList<>(
                        List.of(
                                "unshare",
                                "-n",
                                "sh",
                                "-c",
                                "ip link set lo up && exec \"$@\"",
                                "sh",
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty(
                                        "surefire.test.class.path",
                                        System.getProperty("java.class.path")),
                                ResolverAgreement.class.getName(),
                                scratch.toString(),
                                Path.of("resolver-start").toAbsolutePath().toString(),
                                System.getProperty("pabal.worlds.questions", "100"),
                                System.getProperty("pabal.worlds.minimise", "yes")));
        command.addAll(List.of(System.getProperty("pabal.worlds", "1").split(",")));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        System.out.println("resolver agreement: " + said.strip());
    }

    private static void need(boolean there, String reason) {
        if (!there) {
            System.out.println("skipped: " + reason);
        }
        Assumptions.assumeTrue(there, reason);
    }
}
