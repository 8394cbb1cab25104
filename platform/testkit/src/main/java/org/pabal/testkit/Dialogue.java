package org.pabal.testkit;

import org.junit.jupiter.api.DynamicTest;
import org.pabal.protocol.Peer;
import org.pabal.protocol.StreamProtocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A conversation as RFCs print them, in plain text, played against a protocol in this process or
/// against a server.
///
/// ```
/// # RFC 5321 §D.2
/// S: 220 mx.example.org ESMTP
/// C: EHLO client.example.org
/// S* 250 .*
/// C: QUIT
/// S: 221 2.0.0 bye
/// -- close
/// ```
///
/// | line | what it means |
/// | --- | --- |
/// | `C: text` | the client sends the text and CR LF; lines that follow one another leave in one write |
/// | `C! text` | the client sends exactly this; `\r \n \t \0 \\ \xHH` stand for octets, `\{C*3}` for `CCC` |
/// | `S: text` | the server says exactly this line |
/// | `S~ regex` | the server says a line that matches as a whole |
/// | `S* regex` | the server says any lines, up to the first that matches as a whole |
/// | `-- close` | the server closes the connection |
/// | `-- hangup` | the client closes the connection |
/// | `-- starttls` | TLS begins here, after the server has agreed to it |
/// | `-- tls` | at the head: TLS from the first octet on |
/// | `-- allow starttls` | at the head: the listener allows STARTTLS (in-process only) |
/// | `-- peer ADDRESS` | at the head: where the client is (in-process only) |
/// | `-- listener NAME` | at the head: by which listener it came (in-process only) |
/// | `-- drain` | the protocol is being replaced (in-process only) |
/// | `-- expire` | the client's time is up (in-process only) |
/// | `# text` | for the reader; so are empty lines |
///
/// Text is UTF-8. When the file ends and the server has not closed, the client hangs up; in-process
/// the protocol has then to return.
public final class Dialogue {

    /// Octets of one line of a server, at most.
    private static final int MAX_LINE = 1_000_000;

    private static final Pattern REPEAT = Pattern.compile("\\\\\\{(.*?)\\*(\\d+)\\}");

    /// One line of the file.
    private record Step(int line, String sign, String text) {}

    private final String name;
    private final List<Step> head = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private String lastLine = "";

    private Dialogue(String name, String text) {
        this.name = name;
        int number = 0;
        for (String line : text.split("\r?\n")) {
            number++;
            if (!line.isBlank() && !line.startsWith("#")) {
                Step step = step(number, line);
                boolean aboutTheConnection =
                        step.sign.equals("--")
                                && step.text.matches("tls|allow starttls|peer .*|listener .*");
                (aboutTheConnection ? head : steps).add(step);
            }
        }
    }

    /// A dialogue in the text of a test.
    public static Dialogue of(String text) {
        return new Dialogue("dialogue", text);
    }

    public static Dialogue read(Path file) throws IOException {
        return new Dialogue(file.getFileName().toString(), Files.readString(file));
    }

    /// Plays a file against a protocol in this process.
    public static void play(Path file, StreamProtocol protocol) throws Exception {
        read(file).play(protocol);
    }

    /// Plays a file against a server.
    public static void play(Path file, InetSocketAddress server) throws Exception {
        read(file).play(server);
    }

    /// A test for each `*.dialogue` file of a folder, each against a protocol of its own. For a
    /// method with `@TestFactory`.
    public static Stream<DynamicTest> tests(Path folder, Supplier<StreamProtocol> protocol)
            throws IOException {
        return files(folder).stream()
                .map(
                        file ->
                                DynamicTest.dynamicTest(
                                        nameOf(file),
                                        file.toUri(),
                                        () -> play(file, protocol.get())));
    }

    /// The `*.dialogue` files of a folder and those below it, sorted; at least one.
    public static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> dialogues =
                    files.filter(f -> f.toString().endsWith(".dialogue")).sorted().toList();
            if (dialogues.isEmpty()) {
                throw new IOException(folder + ": holds no *.dialogue file");
            }
            return dialogues;
        }
    }

    /// Plays against a protocol in this process.
    public void play(StreamProtocol protocol) throws Exception {
        play(protocol, new TestConnection());
    }

    /// The same on a connection that the test has prepared.
    public void play(StreamProtocol protocol, TestConnection connection) throws Exception {
        for (Step step : head) {
            prepare(step, connection);
        }
        CompletableFuture<IOException> trouble = new CompletableFuture<>();
        Thread conversation =
                Thread.ofVirtual()
                        .name("conversation of " + name)
                        .start(
                                () -> {
                                    try {
                                        try {
                                            protocol.converse(connection);
                                            trouble.complete(new IOException("returned"));
                                        } catch (IOException e) {
                                            trouble.complete(e);
                                        }
                                        connection.finish();
                                    } catch (IOException e) {
                                        trouble.complete(e);
                                    } catch (Throwable e) {
                                        trouble.completeExceptionally(e);
                                        connection.close();
                                    }
                                });
        try {
            play(new Here(connection));
        } catch (AssertionError | IOException e) {
            if (trouble.isCompletedExceptionally()) {
                e.addSuppressed(trouble.exceptionNow());
            }
            throw e;
        } finally {
            connection.close();
        }
        try {
            trouble.get(TestConnection.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError(name + ": the protocol threw " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            AssertionError hangs =
                    new AssertionError(
                            name + ": the protocol did not return when the client was gone");
            hangs.setStackTrace(conversation.getStackTrace());
            conversation.interrupt();
            throw hangs;
        }
    }

    /// Plays against a server. What can only be done in-process throws [IllegalStateException].
    public void play(InetSocketAddress server) throws Exception {
        boolean tls = head.stream().anyMatch(step -> step.text.equals("tls"));
        try (WireClient client = new WireClient(server, tls)) {
            play(client);
        }
    }

    /// The client's end of a connection, wherever the server is.
    interface Client {
        OutputStream output() throws IOException;

        InputStream input() throws IOException;

        void startTls() throws Exception;

        void hangUp() throws IOException;

        /// Drain or expire.
        void happen(String event);
    }

    private record Here(TestConnection connection) implements Client {
        @Override
        public OutputStream output() {
            return connection.toServer();
        }

        @Override
        public InputStream input() {
            return connection.fromServer();
        }

        @Override
        public void startTls() throws Exception {
            if (!connection.awaitTls()) {
                throw new AssertionError("the server did not start TLS");
            }
        }

        @Override
        public void hangUp() {
            connection.close();
        }

        @Override
        public void happen(String event) {
            if (event.equals("drain")) {
                connection.drain();
            } else {
                connection.expire();
            }
        }
    }

    private void play(Client client) throws Exception {
        ByteArrayOutputStream unsent = new ByteArrayOutputStream();
        for (Step step : steps) {
            if (!step.sign.startsWith("C") && unsent.size() > 0) {
                send(client, step, unsent);
            }
            switch (step.sign) {
                case "C:" ->
                        unsent.writeBytes((step.text + "\r\n").getBytes(StandardCharsets.UTF_8));
                case "C!" -> unsent.writeBytes(unescaped(step));
                case "S:" -> expect(step, step.text.equals(line(client, step)), step.text);
                case "S~" -> expect(step, line(client, step).matches(step.text), step.text);
                case "S*" -> skipTo(client, step);
                default -> direct(client, step);
            }
        }
        if (unsent.size() > 0) {
            send(client, steps.getLast(), unsent);
        }
    }

    private void direct(Client client, Step step) throws Exception {
        switch (step.text) {
            case "close" -> {
                int octet = client.input().read();
                if (octet >= 0) {
                    byte[] more = client.input().readNBytes(client.input().available());
                    throw failure(
                            step,
                            "the server goes on instead of closing: "
                                    + (char) octet
                                    + new String(more, StandardCharsets.UTF_8));
                }
            }
            case "hangup" -> client.hangUp();
            case "starttls" -> client.startTls();
            case "drain", "expire" -> client.happen(step.text);
            default -> throw failure(step, "nobody knows `-- " + step.text + "`");
        }
    }

    private void send(Client client, Step step, ByteArrayOutputStream unsent) throws IOException {
        try {
            client.output().write(unsent.toByteArray());
            client.output().flush();
        } catch (IOException e) {
            // A server that has said its last word may have closed already; what it said is still
            // to be read.
            if (steps.subList(steps.indexOf(step), steps.size()).stream()
                    .noneMatch(s -> s.text.equals("close"))) {
                throw e;
            }
        }
        unsent.reset();
    }

    private void skipTo(Client client, Step step) throws IOException {
        List<String> seen = new ArrayList<>();
        while (true) {
            String line;
            try {
                line = line(client, step);
            } catch (AssertionError e) {
                throw failure(step, "no line matched among " + seen + "; then " + e.getMessage());
            }
            if (line.matches(step.text)) {
                return;
            }
            seen.add(line);
        }
    }

    private String line(Client client, Step step) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        InputStream in = client.input();
        int before = 0;
        for (int octet = read(in, step); ; octet = read(in, step)) {
            if (octet < 0) {
                throw failure(
                        step,
                        "the server closed"
                                + (line.size() > 0
                                        ? " after " + line.toString(StandardCharsets.UTF_8)
                                        : ""));
            }
            if (octet == '\n' && before == '\r') {
                String all = line.toString(StandardCharsets.UTF_8);
                lastLine = all.substring(0, all.length() - 1);
                return lastLine;
            }
            line.write(octet);
            before = octet;
            if (line.size() > MAX_LINE) {
                throw failure(step, "the server's line does not end");
            }
        }
    }

    private int read(InputStream in, Step step) throws IOException {
        try {
            return in.read();
        } catch (SocketTimeoutException e) {
            throw failure(step, "the server says nothing");
        }
    }

    private void expect(Step step, boolean fits, String wanted) {
        if (!fits) {
            throw failure(step, "expected `" + wanted + "` but the server said `" + lastLine + "`");
        }
    }

    private AssertionError failure(Step step, String why) {
        return new AssertionError(
                name + " line " + step.line + " (" + step.sign + " " + step.text + "): " + why);
    }

    private void prepare(Step step, TestConnection connection) {
        String[] words = step.text.split(" ", 2);
        Peer peer = connection.peer();
        switch (words[0]) {
            case "tls" -> connection.withTls();
            case "allow" -> connection.allowStartTls();
            case "listener" -> connection.from(new Peer(peer.address(), words[1].strip()));
            default ->
                    connection.from(
                            new Peer(
                                    new InetSocketAddress(
                                            InetAddress.ofLiteral(words[1].strip()), 40_000),
                                    peer.listener()));
        }
    }

    private Step step(int number, String line) {
        String sign = line.length() < 2 ? line : line.substring(0, 2);
        String text = line.length() < 3 ? "" : line.substring(3);
        if (!List.of("C:", "C!", "S:", "S~", "S*", "--").contains(sign)
                || line.length() > 2 && line.charAt(2) != ' ') {
            throw new IllegalArgumentException(
                    name
                            + " line "
                            + number
                            + ": begins with none of"
                            + " `C: `, `C! `, `S: `, `S~ `, `S* `, `-- `, `#`: "
                            + line);
        }
        return new Step(number, sign, sign.equals("--") ? text.strip() : text);
    }

    private byte[] unescaped(Step step) {
        String text =
                REPEAT.matcher(step.text)
                        .replaceAll(
                                m ->
                                        Matcher.quoteReplacement(
                                                m.group(1).repeat(Integer.parseInt(m.group(2)))));
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\') {
                int codePoint = text.codePointAt(i);
                octets.writeBytes(Character.toString(codePoint).getBytes(StandardCharsets.UTF_8));
                i += Character.charCount(codePoint) - 1;
                continue;
            }
            i++;
            char what = i < text.length() ? text.charAt(i) : ' ';
            switch (what) {
                case 'r' -> octets.write('\r');
                case 'n' -> octets.write('\n');
                case 't' -> octets.write('\t');
                case '0' -> octets.write(0);
                case '\\' -> octets.write('\\');
                case 'x' -> {
                    octets.write(Integer.parseInt(text.substring(i + 1, i + 3), 16));
                    i += 2;
                }
                default -> throw failure(step, "unknown escape \\" + what);
            }
        }
        return octets.toByteArray();
    }

    private static String nameOf(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.length() - ".dialogue".length()).replace('-', ' ');
    }
}
