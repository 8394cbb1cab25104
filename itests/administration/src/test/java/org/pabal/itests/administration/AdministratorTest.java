package org.pabal.itests.administration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Conversations;
import org.pabal.itests.node.Node;
import org.pabal.itests.node.Node.Result;
import org.pabal.itests.node.TextClient;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.function.Predicate;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/// What an administrator does, and what an administrator is told when something is wrong: one line
/// that names the thing, what was expected, and an example.
class AdministratorTest {

    @TempDir Path scratch;

    @Test
    void startsAsksAndStops() throws Exception {
        try (Node node = Node.init(scratch.resolve("node"))) {
            node.start();
            assertFalse(node.shell("lb").contains("Installed"), "a bundle that is not active");
            assertFalse(node.shell("lb").contains("Resolved"), "a bundle that is not active");
            assertTrue(
                    node.shell("account:add", "carol@example.test").length() > 8,
                    "makes a password when none is given");
            assertTrue(node.shell("account:list").contains("carol@example.test"));
            assertTrue(node.shell("zone:show", "example.test").contains("SOA"));
            assertEquals(0, node.stop());
        }
    }

    @Test
    void saysWhyACommandFailedAndExitsOtherThanZero() throws Exception {
        try (Node node = Node.init(scratch.resolve("node"))) {
            node.start();
            for (List<String> command :
                    List.of(
                            List.of("account:add", "carol@elsewhere.example", "secret"),
                            List.of("account:remove", "nobody@example.test"),
                            List.of("queue:show", "NoSuchId"),
                            List.of("zone:show", "elsewhere.example"),
                            List.of("no:such"))) {
                Result result = node.tryShell(command.toArray(String[]::new));
                assertNotEquals(0, result.exit(), command.toString());
                assertEquals(
                        1,
                        result.output().strip().lines().count(),
                        command + ":\n" + result.output());
            }
        }
        Result result = Node.pabal(List.of("shell", scratch.resolve("node").toString(), "lb"));
        assertNotEquals(0, result.exit(), "the node is not running");
        assertEquals(1, result.output().strip().lines().count(), result.output());
    }

    @Test
    void refusesASecondStartOnTheSameDirectory() throws Exception {
        try (Node node = Node.init(scratch.resolve("node"))) {
            node.start();
            Result second = Node.pabal(List.of("run", node.directory().toString()));
            assertNotEquals(0, second.exit());
            assertTrue(second.output().contains(node.directory().toString()), second.output());
            assertEquals(1, second.output().strip().lines().count(), second.output());
            assertTrue(node.shell("lb").contains("Active"), "the first goes on");
        }
    }

    @Test
    void namesThePortThatIsTaken() throws Exception {
        try (Node node = Node.init(scratch.resolve("node"));
                ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            node.set("org.pabal.listener~smtp.cfg", "port", "" + taken.getLocalPort());
            Result result = Node.pabal(List.of("run", node.directory().toString()));
            assertNotEquals(0, result.exit(), result.output());
            assertTrue(result.output().contains("smtp"), result.output());
            assertTrue(result.output().contains("" + taken.getLocalPort()), result.output());
        }
    }

    @Test
    void namesADirectoryThatIsNoNode() throws Exception {
        Result result = Node.pabal(List.of("run", scratch.resolve("nothing").toString()));
        assertNotEquals(0, result.exit());
        assertTrue(result.output().contains("nothing"), result.output());
        assertEquals(1, result.output().strip().lines().count(), result.output());
        Path file = Files.writeString(scratch.resolve("file"), "");
        Result unwritable =
                Node.pabal(
                        List.of(
                                "init",
                                file.resolve("node").toString(),
                                "--domain",
                                "example.test",
                                "--host",
                                "mx.example.test"));
        assertNotEquals(0, unwritable.exit());
        assertEquals(1, unwritable.output().strip().lines().count(), unwritable.output());
    }

    @Test
    void aBadSettingOfTheResolverIsOneLineAndIsMendedWhileTheNodeRuns() throws Exception {
        try (Node node = Node.init(scratch.resolve("node"))) {
            node.start();
            node.shell("resolver:cache");
            Path log = node.directory().resolve("log/pabal.log");
            long before = Files.readAllLines(log).size();
            node.set("org.pabal.dns.recursive.cfg", "forward", ". nowhere");
            String line = awaitLog(node, l -> l.contains("nowhere"));
            assertTrue(line.contains("org.pabal.dns.recursive.cfg: forward = . nowhere"), line);
            assertTrue(line.contains("for example forward = "), line);
            node.set("org.pabal.dns.recursive.cfg", "forward", ". 127.0.0.1@1");
            while (node.tryShell("resolver:cache").exit() != 0) {
                assertTrue(node.handle().isAlive()); // each try takes a moment
            }
            List<String> complaints =
                    Files.readAllLines(log).stream()
                            .skip(before)
                            .filter(l -> l.contains(" ERROR ") || l.contains(" WARN "))
                            .toList();
            assertEquals(1, complaints.size(), String.join("\n", complaints));
        }
    }

    @Test
    void stopsTheBundleWithABadSettingAndNotTheHouse() throws Exception {
        try (Node node = Node.init(scratch.resolve("node"))) {
            node.start();
            node.shell("account:add", "bob@example.test", "pabal");
            node.set("org.pabal.smtp.cfg", "maxsize", "50 MB");
            String line = awaitLog(node, l -> l.contains("maxsize"));
            assertTrue(line.contains("org.pabal.smtp.cfg: maxsize: no such setting"), line);
            assertTrue(line.contains("for example max-size"), line);
            try (TextClient pop3 = Conversations.signIn(node.address("pop3"), "bob", "pabal")) {
                assertTrue(pop3.ask("STAT").startsWith("+OK"), "pop3 goes on");
            }
            Path settings = node.directory().resolve("etc/org.pabal.smtp.cfg");
            Path next =
                    Files.writeString(
                            settings.resolveSibling(".next"),
                            Files.readString(settings).replace("maxsize", "max-size"));
            Files.move(next, settings, StandardCopyOption.ATOMIC_MOVE);
            Conversations.sendMail(
                    node.address("smtp"),
                    "alice@example.org",
                    "bob@example.test",
                    "Subject: again\r\n\r\nHello.\r\n");
            assertEquals(0, node.stop());
        }
    }

    @Test
    void opensOneListenerElsewhereAndLeavesTheOthers() throws Exception {
        try (Node node = Node.init(scratch.resolve("node"))) {
            node.start();
            node.set("org.pabal.listener~pop3s.cfg", "address", "127.0.0.2");
            String list = "";
            for (int tries = 0; tries < 60 && !list.contains("127.0.0.2:"); tries++) {
                list = node.shell("listener:list");
            }
            for (String listener : List.of("pop3 ", "pop3s ", "smtp ")) {
                String wanted =
                        list.lines().filter(l -> l.startsWith(listener)).findFirst().orElse(list);
                assertTrue(wanted.endsWith("accepting"), wanted);
            }
        }
    }

    @Test
    void saysWhichPackageABundleMisses() throws Exception {
        try (Node node = Node.init(scratch.resolve("node"))) {
            node.start();
            Manifest manifest = new Manifest();
            Attributes main = manifest.getMainAttributes();
            main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
            main.putValue("Bundle-ManifestVersion", "2");
            main.putValue("Bundle-SymbolicName", "org.example.lost");
            main.putValue("Bundle-Version", "1.0.0");
            main.putValue("Import-Package", "org.example.nowhere");
            Path part = node.directory().resolve("part");
            try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(part), manifest)) {
                jar.finish();
            }
            Files.move(
                    part,
                    node.directory().resolve("deploy/lost.jar"),
                    StandardCopyOption.ATOMIC_MOVE);
            String line = awaitLog(node, l -> l.contains("org.example.nowhere"));
            assertTrue(line.contains("lost.jar"), line);
            Files.delete(node.directory().resolve("deploy/lost.jar"));
            assertEquals(0, node.stop());
        }
    }

    // Security row S29
    @Test
    void keepsFilesToItself() throws Exception {
        try (Node node = Node.init(scratch.resolve("node"))) {
            node.start();
            node.shell("account:add", "bob@example.test", "pabal");
            Conversations.sendMail(
                    node.address("smtp"),
                    "alice@example.org",
                    "bob@example.test",
                    "Subject: private\r\n\r\nHello.\r\n");
            node.awaitEmptyQueue();
            try (Stream<Path> files = Files.walk(node.directory())) {
                List<String> open =
                        files.filter(f -> !Files.isSymbolicLink(f))
                                .filter(AdministratorTest::openToOthers)
                                .map(Path::toString)
                                .toList();
                assertEquals(List.of(), open);
            }
            assertFalse(
                    Files.readString(node.directory().resolve("log/pabal.log"))
                            .contains("pabal\n"));
        }
    }

    @Test
    void explainsMistakesOnTheCommandLine() throws Exception {
        for (List<String> arguments :
                List.of(
                        List.of("nonsense"),
                        List.of("init"),
                        List.of("init", scratch.resolve("x").toString(), "--domain"),
                        List.of(
                                "init",
                                scratch.resolve("x").toString(),
                                "--domain",
                                "not a domain",
                                "--host",
                                "mx.example.test"),
                        List.of(
                                "init",
                                scratch.resolve("x").toString(),
                                "--domain",
                                "example.test",
                                "--host",
                                "mx.example.test",
                                "--offset",
                                "many"))) {
            Result result = Node.pabal(arguments);
            assertNotEquals(0, result.exit(), arguments.toString());
            assertFalse(result.output().contains("\tat "), result.output());
            assertFalse(Files.exists(scratch.resolve("x")), arguments.toString());
        }
        assertEquals(0, Node.pabal(List.of("--help")).exit());
        assertThrows(
                IOException.class,
                () -> Node.init(scratch.resolve("y"), "example.test", "not a host"));
    }

    private static boolean openToOthers(Path file) {
        try {
            String permissions = PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
            return !permissions.endsWith("------");
        } catch (IOException e) {
            return false; // gone meanwhile
        }
    }

    /// Waits for a line in the node's log.
    private static String awaitLog(Node node, Predicate<String> wanted) throws Exception {
        for (int tries = 0; tries < 60; tries++) {
            for (String line : node.output().split("\n")) {
                if (wanted.test(line)) {
                    return line;
                }
            }
            node.shell("lb"); // time passes
        }
        throw new AssertionError("no such line in the log:\n" + node.output());
    }
}
