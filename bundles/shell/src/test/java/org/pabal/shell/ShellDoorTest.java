package org.pabal.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.gogo.runtime.threadio.ThreadIOImpl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.mail.MailAddress;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;
import org.pabal.testkit.MemoryDirectory;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;

@Timeout(30)
class ShellDoorTest {

    @TempDir Path home;

    private final ThreadIOImpl streams = new ThreadIOImpl();
    private final CommandProcessorImpl processor = new CommandProcessorImpl(streams);
    private final MemoryDirectory directory = new MemoryDirectory("example.org");

    @BeforeEach
    void addCommands() {
        streams.start();
        DomainShell domains = new DomainShell(directory, directory);
        AccountShell accounts = new AccountShell(directory, directory);
        AliasShell aliases = new AliasShell(directory);
        for (String name : List.of("add", "remove", "list")) {
            processor.addCommand("domain", domains, name);
            processor.addCommand("account", accounts, name);
            processor.addCommand("alias", aliases, name);
        }
        processor.addCommand("account", accounts, "password");
    }

    @AfterEach
    void removeCommands() {
        processor.stop();
        streams.stop();
    }

    @Test
    void onlyTheOwnerMayEnter() throws Exception {
        // Security row S27: no port; the file system decides.
        ShellDoor door = open(home, Map.of());
        try {
            assertEquals("rwx------", permissions(home.resolve("run")));
            assertEquals("rw-------", permissions(home.resolve("run/shell.sock")));
        } finally {
            door.close();
        }
    }

    @Test
    void aCommandsOutputComesBeforeItsEnd() throws Exception {
        ShellDoor door = open(home, Map.of());
        try (Client client = new Client(home)) {
            assertEquals(new Answer("example.org\n", "E 0"), client.ask("domain:list"));
            assertEquals(
                    new Answer("", "E 0"),
                    client.ask("alias:add sales@example.org 'bob@example.org' eve@example.net"));
            assertEquals(
                    new Answer("sales@example.org bob@example.org eve@example.net\n", "E 0"),
                    client.ask("alias:list"));
        } finally {
            door.close();
        }
    }

    @Test
    void aCatchAllIsAnAliasLikeOthers() throws Exception {
        ShellDoor door = open(home, Map.of());
        try (Client client = new Client(home)) {
            for (String from : List.of("'*@example.org'", "*@example.org")) {
                assertEquals(
                        new Answer("", "E 0"),
                        client.ask("alias:add " + from + " bob@example.org"));
                assertEquals(
                        new Answer("*@example.org bob@example.org\n", "E 0"),
                        client.ask("alias:list"));
                assertEquals(new Answer("", "E 0"), client.ask("alias:remove " + from));
            }
            assertTrue(client.ask("account:add '*@example.org' x").end.startsWith("E 1 "));
        } finally {
            door.close();
        }
    }

    @Test
    void aCommandThatFailsSaysWhyInOneLine() throws Exception {
        ShellDoor door = open(home, Map.of());
        try (Client client = new Client(home)) {
            assertEquals(
                    new Answer("", "E 1 bob: expected an address, for example bob@example.org"),
                    client.ask("account:remove bob"));
            assertEquals(
                    new Answer("", "E 1 Command not found: nobody:knows"),
                    client.ask("nobody:knows"));
            assertEquals(
                    new Answer(
                            "",
                            "E 1 domain:add: takes other arguments; an example: help domain:add"),
                    client.ask("domain:add a b c"));
            assertEquals(new Answer("example.org\n", "E 0"), client.ask("domain:list"));
        } finally {
            door.close();
        }
    }

    @Test
    void aQuotedPasswordIsTakenToTheLetter() throws Exception {
        // Gogo would make a number of an unquoted 007.
        ShellDoor door = open(home, Map.of());
        try (Client client = new Client(home)) {
            for (String password : List.of("007", "true", "null", "a $b | c", "it's", "\\n\"")) {
                String quoted = "'" + password.replace("'", "'\\''") + "'";
                assertEquals("E 0", client.ask("account:add 'p@example.org' " + quoted).end);
                assertTrue(
                        directory
                                .authenticate(
                                        "p@example.org",
                                        new org.pabal.directory.Proof.Password(
                                                password.toCharArray()))
                                .isPresent(),
                        password);
                assertEquals("E 0", client.ask("account:remove p@example.org").end);
            }
        } finally {
            door.close();
        }
    }

    @Test
    void aPasswordIsGeneratedWhenItIsLeftOut() throws Exception {
        ShellDoor door = open(home, Map.of());
        try (Client client = new Client(home)) {
            Answer answer = client.ask("account:add bob@example.org");
            assertTrue(answer.output.matches("password: [a-z2-9]{20}\n"), answer.toString());
            char[] password = answer.output.substring("password: ".length()).strip().toCharArray();
            assertTrue(
                    directory
                            .authenticate(
                                    "bob@example.org",
                                    new org.pabal.directory.Proof.Password(password))
                            .isPresent());
            assertEquals(
                    MailAddress.parse("bob@example.org").orElseThrow(),
                    directory.accounts().findFirst().orElseThrow().address());
        } finally {
            door.close();
        }
    }

    @Test
    void moreSessionsThanTheLimitAreRefusedWithTheReason() throws Exception {
        ShellDoor door = open(home, Map.of("max-sessions", "1"));
        try (Client first = new Client(home)) {
            assertEquals("E 0", first.ask("domain:list").end);
            try (Client second = new Client(home)) {
                assertEquals(
                        "E 1 there are 1 shell sessions already (max-sessions)",
                        second.answer().end);
            }
        } finally {
            door.close();
        }
    }

    @Test
    void aStoppedDoorLeavesNothingBehindAndCanBeOpenedAgain() throws Exception {
        ShellDoor door = open(home, Map.of());
        try (Client client = new Client(home)) {
            assertEquals("E 0", client.ask("domain:list").end);
            door.close();
            assertThrows(IOException.class, () -> client.ask("domain:list"));
        }
        assertFalse(Files.exists(home.resolve("run/shell.sock")));
        open(home, Map.of()).close();
    }

    @Test
    void aDeepDirectoryGetsALinkToAShortPlace() throws Exception {
        Path deep = Files.createDirectories(home.resolve("d".repeat(60)).resolve("e".repeat(60)));
        ShellDoor door = open(deep, Map.of());
        Path socket = Files.readSymbolicLink(deep.resolve("run/shell.sock"));
        try (Client client = new Client(deep)) {
            assertEquals("rwx------", permissions(socket.getParent()));
            assertEquals("E 0", client.ask("domain:list").end);
        } finally {
            door.close();
        }
        assertFalse(Files.exists(socket.getParent()));
    }

    @Test
    void anUnknownSettingIsRefused() {
        assertThrows(BadSetting.class, () -> open(home, Map.of("max-session", "1")));
    }

    private ShellDoor open(Path where, Map<String, String> settings) throws IOException {
        return new ShellDoor(where, processor, Settings.of(settings));
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private record Answer(String output, String end) {}

    private static final class Client implements AutoCloseable {

        private final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        private final InputStream input;

        Client(Path home) throws IOException {
            Path socket = home.resolve("run/shell.sock");
            channel.connect(
                    UnixDomainSocketAddress.of(
                            Files.isSymbolicLink(socket)
                                    ? Files.readSymbolicLink(socket)
                                    : socket));
            input = new BufferedInputStream(Channels.newInputStream(channel));
        }

        Answer ask(String command) throws IOException {
            ByteBuffer line = StandardCharsets.UTF_8.encode(command + "\n");
            while (line.hasRemaining()) {
                channel.write(line);
            }
            return answer();
        }

        Answer answer() throws IOException {
            StringBuilder output = new StringBuilder();
            while (true) {
                String line = line();
                if (!line.startsWith("O ")) {
                    return new Answer(output.toString(), line);
                }
                byte[] frame = input.readNBytes(Integer.parseInt(line.substring(2)));
                output.append(new String(frame, StandardCharsets.UTF_8));
            }
        }

        private String line() throws IOException {
            StringBuilder line = new StringBuilder();
            for (int octet = input.read(); octet != '\n'; octet = input.read()) {
                if (octet < 0) {
                    throw new IOException("closed");
                }
                line.append((char) octet);
            }
            return line.toString();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
