package org.pabal.launcher;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.Console;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/// Speaks with the shell of a running node over its unix domain socket; the other end is the bundle
/// `org.pabal.shell`.
///
/// ```
/// C: one command, UTF-8, in one line
/// S: O 42            42 octets of output follow; any number of times
/// S: …
/// S: E 0             the command is over; E 1 and the reason when it failed
/// ```
final class ShellClient implements Closeable {

    private static final int LONGEST_LINE = 8_192;

    /// How a command ended.
    ///
    /// @param status 0 when it did what it should
    /// @param reason why not, in one line
    record End(int status, String reason) {}

    private final SocketChannel channel;
    private final InputStream input;

    private ShellClient(SocketChannel channel) {
        this.channel = channel;
        this.input = new BufferedInputStream(Channels.newInputStream(channel));
    }

    /// @throws Trouble when the node does not run
    static ShellClient connect(NodeDirectory directory) throws Trouble {
        Path socket = directory.shellSocket();
        try {
            // The path of a socket has room for some hundred octets: in a deeper directory it is a
            // link to the real one.
            Path real = Files.isSymbolicLink(socket) ? Files.readSymbolicLink(socket) : socket;
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                channel.connect(UnixDomainSocketAddress.of(real));
            } catch (IOException e) {
                channel.close();
                throw e;
            }
            return new ShellClient(channel);
        } catch (IOException e) {
            String why = Files.exists(socket) ? ": " + Lines.reason(e) : "";
            throw new Trouble(
                    directory.home()
                            + ": the node does not run, or its shell bundle is stopped"
                            + why
                            + "; start it, for example pabal run "
                            + directory.home());
        }
    }

    /// Makes a command line of words as the calling shell parted them. A single word is taken as it
    /// is: it may be a pipeline. All but the first are quoted, since the node's shell would make a
    /// number of the password 007.
    static String commandLine(List<String> words) {
        return words.getFirst()
                + words.stream()
                        .skip(1)
                        .map(w -> " '" + w.replace("'", "'\\''") + "'")
                        .collect(Collectors.joining());
    }

    /// Carries out one command.
    End execute(String command, OutputStream output) throws IOException {
        ByteBuffer line =
                StandardCharsets.UTF_8.encode(
                        command.replaceAll("\\s*\\R\\s*", " ").strip() + "\n");
        while (line.hasRemaining()) {
            channel.write(line);
        }
        while (true) {
            String said = line();
            if (said.startsWith("O ")) {
                output.write(input.readNBytes(Integer.parseInt(said.substring(2))));
                output.flush();
            } else if (said.startsWith("E ")) {
                String[] words = said.split(" ", 3);
                return new End(Integer.parseInt(words[1]), words.length > 2 ? words[2] : "");
            } else {
                throw new IOException("the node's shell said something unexpected");
            }
        }
    }

    /// Carries out commands that are typed or piped in, until `exit` or the end of the input.
    int interactive(NodeDirectory directory) throws IOException {
        Console console = System.console();
        if (console != null && console.isTerminal()) {
            System.out.println(
                    "Commands of the node in "
                            + directory.home()
                            + "; help lists them, exit leaves.");
            while (true) {
                String command = console.readLine("%s", "pabal> ");
                if (command == null || !interactive(command)) {
                    return 0;
                }
            }
        }
        BufferedReader commands =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        int status = 0;
        for (String command = commands.readLine(); command != null; command = commands.readLine()) {
            if (command.isBlank()) {
                continue;
            }
            End end = execute(command, System.out);
            if (end.status != 0) {
                System.err.println("pabal: " + end.reason);
                status = end.status;
            }
        }
        return status;
    }

    private boolean interactive(String command) throws IOException {
        if (command.strip().equals("exit") || command.strip().equals("quit")) {
            return false;
        }
        if (!command.isBlank()) {
            End end = execute(command, System.out);
            if (end.status != 0) {
                System.out.println(end.reason);
            }
        }
        return true;
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int octet = input.read(); octet != '\n'; octet = input.read()) {
            if (octet < 0) {
                throw new EOFException("the node's shell closed the connection");
            }
            if (line.size() >= LONGEST_LINE) {
                throw new IOException("the node's shell said too long a line");
            }
            line.write(octet);
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
