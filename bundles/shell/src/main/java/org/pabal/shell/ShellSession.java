package org.pabal.shell;

import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// One administrator at the door, from the first command to the end of the connection.
///
/// ```
/// C: one command, UTF-8, in one line
/// S: O 42            42 octets of output follow; any number of times
/// S: E 0             the command is over; E 1 and the reason when it failed
/// ```
final class ShellSession {

    private static final int LONGEST_COMMAND = 65_536;
    private static final int LONGEST_REASON = 1_000;

    /// What Gogo says, in its own terms, to arguments that no form of a command takes.
    private static final Pattern OTHER_ARGUMENTS =
            Pattern.compile("Cannot coerce .*\\) to any of \\[.*]");

    private final SocketChannel channel;
    private final CommandProcessor processor;
    private final Thread thread;

    /// @param over called when the session has ended
    ShellSession(SocketChannel channel, CommandProcessor processor, Consumer<ShellSession> over) {
        this.channel = channel;
        this.processor = processor;
        this.thread =
                Thread.ofVirtual()
                        .name("shell session")
                        .unstarted(
                                () -> {
                                    try {
                                        converse();
                                    } catch (IOException e) {
                                        // The client has gone, or the bundle stops: nobody is left
                                        // to be told.
                                    } finally {
                                        close();
                                        over.accept(this);
                                    }
                                });
    }

    void start() {
        thread.start();
    }

    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // It is gone either way.
        }
        thread.interrupt();
    }

    void join() throws InterruptedException {
        thread.join();
    }

    /// Tells a client that came too much, and closes.
    static void refuse(SocketChannel channel, String why) throws IOException {
        try (channel) {
            write(channel, StandardCharsets.UTF_8.encode("E 1 " + why + "\n"));
        }
    }

    private void converse() throws IOException {
        InputStream input = new BufferedInputStream(Channels.newInputStream(channel));
        try (PrintStream output = new PrintStream(new Frames(), true, StandardCharsets.UTF_8);
                CommandSession session =
                        processor.createSession(InputStream.nullInputStream(), output, output)) {
            session.put("TERM", "dumb");
            // in `*@example.org` the asterisk is no pattern for files that happen to be here
            session.put(CommandSession.OPTION_NO_GLOB, true);
            for (String command = line(input); command != null; command = line(input)) {
                String reason = execute(session, command, output);
                output.flush();
                write(
                        channel,
                        StandardCharsets.UTF_8.encode(
                                reason.isEmpty() ? "E 0\n" : "E 1 " + reason + "\n"));
            }
        }
    }

    /// @return why the command failed, in one line; empty when it did not
    private static String execute(CommandSession session, String command, PrintStream output) {
        try {
            Object result = session.execute(command);
            if (result instanceof Object[] many) {
                result = Arrays.asList(many);
            }
            if (result instanceof Collection<?> lines
                    && lines.stream().allMatch(String.class::isInstance)) {
                lines.forEach(output::println);
            } else if (result != null) {
                output.println(
                        session.format(result, Converter.INSPECT).toString().stripTrailing());
            }
            return "";
        } catch (Exception e) {
            String reason = reason(e);
            return OTHER_ARGUMENTS.matcher(reason).matches() ? otherArguments(command) : reason;
        }
    }

    private static String otherArguments(String command) {
        String name = command.strip().split("\\s", 2)[0];
        return name + ": takes other arguments; an example: help " + name;
    }

    /// What an administrator reads: the innermost message that a command gave.
    static String reason(Throwable failure) {
        Throwable cause = failure;
        while (cause.getMessage() == null && cause.getCause() != null) {
            cause = cause.getCause();
        }
        String message =
                cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        String line =
                message.lines()
                        .map(String::strip)
                        .filter(l -> !l.isEmpty())
                        .collect(Collectors.joining(" "));
        return line.length() <= LONGEST_REASON ? line : line.substring(0, LONGEST_REASON) + "…";
    }

    private static String line(InputStream input) throws IOException {
        byte[] line = new byte[256];
        int length = 0;
        for (int octet = input.read(); octet != '\n'; octet = input.read()) {
            if (octet < 0) {
                return null;
            }
            if (length == LONGEST_COMMAND) {
                throw new IOException("a command of more than " + LONGEST_COMMAND + " octets");
            }
            if (length == line.length) {
                line = Arrays.copyOf(line, length * 2);
            }
            line[length++] = (byte) octet;
        }
        return new String(line, 0, length, StandardCharsets.UTF_8);
    }

    private static void write(SocketChannel channel, ByteBuffer octets) throws IOException {
        while (octets.hasRemaining()) {
            channel.write(octets);
        }
    }

    /// Output in frames, so that no output can be taken for the end of a command.
    private final class Frames extends OutputStream {

        @Override
        public void write(int octet) throws IOException {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] octets, int from, int length) throws IOException {
            if (length > 0) {
                byte[] head = ("O " + length + "\n").getBytes(StandardCharsets.US_ASCII);
                ByteBuffer frame = ByteBuffer.allocate(head.length + length);
                ShellSession.write(channel, frame.put(head).put(octets, from, length).flip());
            }
        }
    }
}
