package org.pabal.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/// A mail server that takes what comes and says what a test wants, however wrong: SMTP or LMTP, on
/// a port of a loopback address, one virtual thread a connection.
///
/// It listens from construction on; what it says may be changed at any time.
///
/// ```java
/// try (var server = new ScriptedMailServer("127.0.0.2", 0)
///         .keywords("PIPELINING", "8BITMIME")
///         .reply("RCPT TO:<nobody@", "550 5.1.1 no such mailbox")
///         .reply("MAIL", "451 4.7.1 come again", "250 2.1.0 ok")) {
///     …
///     server.awaitMails(1).getFirst().text();
/// }
/// ```
/// Without a rule everything is accepted. The words for which replies can be set are the commands
/// as they came, and three more: the empty one for the greeting; `.` for the end of a message, of
/// DATA or of BDAT; and with LMTP, `. <bob@example.org>` for what the end is for one recipient.
public final class ScriptedMailServer implements AutoCloseable {

    /// A line of a reply that closes the connection there.
    public static final String HANG_UP = "(hang up)";

    /// A reply that is never sent.
    public static final String SILENCE = "";

    private static final Duration LONGEST = Duration.ofSeconds(60);

    /// Says more than a table can.
    @FunctionalInterface
    public interface Script {

        /// @return lines parted by LF, without CR; empty to let the table answer
        Optional<String> reply(Session session, String command) throws Exception;
    }

    /// A message that was accepted.
    ///
    /// @param from what followed `MAIL FROM:`, parameters included
    /// @param to what followed `RCPT TO:`, of each accepted recipient
    /// @param octets as the sender meant them: without the dots that DATA adds, with CR LF as they
    ///     came
    /// @param chunked whether it came by BDAT
    /// @param tls whether it came over TLS
    public record Mail(String from, List<String> to, byte[] octets, boolean chunked, boolean tls) {

        /// The octets as UTF-8.
        public String text() {
            return new String(octets, UTF_8);
        }
    }

    private record Rule(String prefix, String[] replies, AtomicInteger used) {

        String next() {
            return replies[Math.min(used.getAndIncrement(), replies.length - 1)];
        }
    }

    private final ServerSocket listening;
    private final List<Rule> rules = new CopyOnWriteArrayList<>();
    private final List<Script> scripts = new CopyOnWriteArrayList<>();
    private final List<Session> sessions = new CopyOnWriteArrayList<>();
    private final List<Mail> mails = new ArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private volatile List<String> keywords = List.of();
    private volatile boolean lmtp;
    private volatile Duration greetingDelay = Duration.ZERO;
    private volatile Optional<SSLContext> tls = Optional.empty();
    private volatile boolean tlsAtOnce;

    /// On a free port of 127.0.0.1.
    public ScriptedMailServer() throws IOException {
        this("127.0.0.1", 0);
    }

    /// @param address of loopback, e.g. `127.0.0.2`
    /// @param port 0 for any that is free
    public ScriptedMailServer(String address, int port) throws IOException {
        this.listening = new ServerSocket(port, 1_024, InetAddress.ofLiteral(address));
        // A virtual thread now and then sleeps on when the socket it waits at is closed.
        Thread.ofPlatform().daemon().name("scripted mail server").start(this::accept);
    }

    /// What EHLO or LHLO announces, one keyword with its parameters each.
    public ScriptedMailServer keywords(String... announced) {
        keywords = List.of(announced);
        return this;
    }

    /// Says LMTP, RFC 2033: LHLO, and a reply for each recipient after a message.
    public ScriptedMailServer lmtp() {
        lmtp = true;
        return this;
    }

    /// Offers STARTTLS.
    public ScriptedMailServer startTls(SSLContext context) {
        tls = Optional.of(context);
        return this;
    }

    /// Begins with TLS, as on port 465.
    public ScriptedMailServer tlsAtOnce(SSLContext context) {
        tls = Optional.of(context);
        tlsAtOnce = true;
        return this;
    }

    public ScriptedMailServer greetingDelay(Duration delay) {
        greetingDelay = delay;
        return this;
    }

    /// Answers commands that begin so, in any case. The newest rule that fits counts.
    ///
    /// @param replies one for each time, the last for ever; lines parted by LF; see [#HANG_UP] and
    ///     [#SILENCE]
    public ScriptedMailServer reply(String prefix, String... replies) {
        rules.addFirst(new Rule(prefix, replies.clone(), new AtomicInteger()));
        return this;
    }

    /// Is asked before the table; the newest first.
    public ScriptedMailServer script(Script script) {
        scripts.addFirst(script);
        return this;
    }

    public InetSocketAddress address() {
        return new InetSocketAddress(listening.getInetAddress(), listening.getLocalPort());
    }

    public int port() {
        return listening.getLocalPort();
    }

    /// All connections, in the order in which they came.
    public List<Session> sessions() {
        return List.copyOf(sessions);
    }

    public int connections() {
        return sessions.size();
    }

    /// All commands of all sessions.
    public List<String> commands() {
        return sessions.stream().flatMap(session -> session.commands().stream()).toList();
    }

    /// The accepted messages in the order in which they came.
    public List<Mail> mails() {
        synchronized (mails) {
            return List.copyOf(mails);
        }
    }

    /// Waits until there are so many accepted messages.
    public List<Mail> awaitMails(int number) throws InterruptedException {
        long end = System.nanoTime() + LONGEST.toNanos();
        synchronized (mails) {
            while (mails.size() < number) {
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (left <= 0) {
                    throw new AssertionError(
                            number + " mails were awaited, " + mails.size() + " came");
                }
                mails.wait(left);
            }
            return List.copyOf(mails);
        }
    }

    private void took(Mail mail) {
        synchronized (mails) {
            mails.add(mail);
            mails.notifyAll();
        }
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Session session = new Session(listening.accept());
                sessions.add(session);
                threads.execute(session::run);
            } catch (IOException | RejectedExecutionException e) {
                return;
            }
        }
    }

    private Optional<String> told(Session session, String command) throws Exception {
        for (Script script : scripts) {
            Optional<String> said = script.reply(session, command);
            if (said.isPresent()) {
                return said;
            }
        }
        for (Rule rule : rules) {
            if (rule.prefix.isEmpty()
                    ? command.isEmpty()
                    : command.regionMatches(true, 0, rule.prefix, 0, rule.prefix.length())) {
                return Optional.of(rule.next());
            }
        }
        return Optional.empty();
    }

    @Override
    public void close() throws IOException {
        closed.countDown();
        listening.close();
        threads.shutdownNow();
        for (Session session : sessions) {
            session.connected.close();
        }
        threads.close();
    }

    /// One connection.
    public final class Session {

        private final Socket connected;
        private final List<String> commands = new CopyOnWriteArrayList<>();
        private final List<String> early = new CopyOnWriteArrayList<>();
        private final List<String> to = new ArrayList<>();
        private final ByteArrayOutputStream chunks = new ByteArrayOutputStream();
        private Socket socket;
        private InputStream in;
        private OutputStream out;
        private volatile Optional<SSLSession> secured = Optional.empty();
        private volatile boolean over;
        private Optional<String> from = Optional.empty();

        private Session(Socket socket) throws IOException {
            this.connected = socket;
            socket.setTcpNoDelay(true);
            on(socket);
        }

        /// The lines that came in a command's place, without their ends.
        public List<String> commands() {
            return List.copyOf(commands);
        }

        /// Those commands after which the client had sent more already when they were read.
        public List<String> pipelined() {
            return List.copyOf(early);
        }

        public Optional<SSLSession> tls() {
            return secured;
        }

        public InetSocketAddress client() {
            return (InetSocketAddress) connected.getRemoteSocketAddress();
        }

        /// Whether the connection has ended.
        public boolean over() {
            return over;
        }

        /// For scripts: says something and hears the next line, which is no command.
        public String ask(String said) throws IOException {
            say(said);
            return line();
        }

        /// For scripts: sends octets as they are, at once.
        public void send(String octets) throws IOException {
            out.write(octets.getBytes(UTF_8));
            out.flush();
        }

        /// For scripts: reads so many octets.
        public byte[] read(int number) throws IOException {
            return in.readNBytes(number);
        }

        private void run() {
            try (connected) {
                if (tlsAtOnce) {
                    secure();
                }
                closed.await(greetingDelay.toMillis(), TimeUnit.MILLISECONDS);
                boolean open = say(told(this, "").orElse("220 mail.example.org ready"));
                while (open) {
                    String command = line();
                    commands.add(command);
                    if (in.available() > 0) {
                        early.add(command);
                    }
                    open = answer(command);
                }
            } catch (Exception e) {
                // the client went away, or the script wants it so
            } finally {
                over = true;
            }
        }

        /// @return false when the connection is over
        private boolean answer(String command) throws Exception {
            String verb = command.toUpperCase(Locale.ROOT).split(" ", 2)[0];
            if (verb.equals("BDAT")) {
                return chunk(command);
            }
            Optional<String> told = told(this, command);
            String reply = told.orElseGet(() -> usual(command, verb));
            if (!say(reply)) {
                return false;
            }
            if (!reply.startsWith("2") && !reply.startsWith("3")) {
                return true;
            }
            switch (verb) {
                case "EHLO", "LHLO", "HELO", "RSET" -> reset();
                case "MAIL" -> from = Optional.of(argument(command));
                case "RCPT" -> to.add(argument(command));
                case "DATA" -> {
                    if (reply.startsWith("354")) {
                        return end(dotted(), false);
                    }
                }
                case "STARTTLS" -> {
                    if (tls.isPresent()) {
                        secure();
                        reset();
                    }
                }
                case "QUIT" -> {
                    return false;
                }
                default -> {}
            }
            return true;
        }

        private String usual(String command, String verb) {
            return switch (verb) {
                case "EHLO" -> lmtp ? "500 5.5.1 say LHLO" : hello();
                case "LHLO" -> lmtp ? hello() : "500 5.5.1 say EHLO";
                case "HELO" -> lmtp ? "500 5.5.1 say LHLO" : "250 mail.example.org";
                case "MAIL" -> from.isPresent() ? "503 5.5.1 nested MAIL" : "250 2.1.0 sender ok";
                case "RCPT" -> from.isPresent() ? "250 2.1.5 recipient ok" : "503 5.5.1 MAIL first";
                case "DATA" -> to.isEmpty() ? "503 5.5.1 no valid recipients" : "354 go ahead";
                case "RSET", "NOOP" -> "250 2.0.0 ok";
                case "QUIT" -> "221 2.0.0 bye";
                case "STARTTLS" ->
                        tls.isPresent() ? "220 2.0.0 ready for TLS" : "502 5.5.1 no TLS here";
                case "AUTH" -> "535 5.7.8 not with me";
                default -> "500 5.5.2 what is " + command;
            };
        }

        private String hello() {
            List<String> lines = new ArrayList<>(List.of("mail.example.org"));
            lines.addAll(keywords);
            if (tls.isPresent() && secured.isEmpty()) {
                lines.add("STARTTLS");
            }
            StringBuilder reply = new StringBuilder();
            for (int i = 0; i < lines.size(); i++) {
                boolean last = i == lines.size() - 1;
                reply.append("250").append(last ? " " : "-").append(lines.get(i));
                reply.append(last ? "" : "\n");
            }
            return reply.toString();
        }

        /// RFC 3030 §2: the octets are read whatever becomes of them.
        private boolean chunk(String command) throws Exception {
            String[] words = command.split(" +");
            byte[] octets = in.readNBytes(Integer.parseInt(words[1]));
            boolean last = words.length > 2 && words[2].equalsIgnoreCase("LAST");
            Optional<String> told = told(this, command);
            if (told.isPresent()) {
                if (last) {
                    reset();
                }
                return say(told.get());
            }
            if (to.isEmpty()) {
                return say("503 5.5.1 no valid recipients");
            }
            chunks.write(octets);
            return last
                    ? end(chunks.toByteArray(), true)
                    : say("250 2.0.0 " + octets.length + " octets received");
        }

        private boolean end(byte[] octets, boolean byChunks) throws Exception {
            List<String> taken = new ArrayList<>();
            String replies = "";
            if (lmtp) {
                for (String recipient : to) {
                    String path = recipient.split(" ")[0];
                    String reply = told(this, ". " + path).orElse("250 2.1.5 " + path + " ok");
                    replies += (replies.isEmpty() ? "" : "\n") + reply;
                    if (reply.startsWith("2")) {
                        taken.add(recipient);
                    }
                }
            } else {
                replies = told(this, ".").orElse("250 2.0.0 queued");
                if (replies.startsWith("2")) {
                    taken.addAll(to);
                }
            }
            if (!taken.isEmpty()) {
                took(
                        new Mail(
                                from.orElse(""),
                                List.copyOf(taken),
                                octets,
                                byChunks,
                                secured.isPresent()));
            }
            reset();
            return say(replies);
        }

        private byte[] dotted() throws IOException {
            ByteArrayOutputStream message = new ByteArrayOutputStream();
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            while (true) {
                int octet = octet();
                line.write(octet);
                if (octet != '\n' || !endsWithCrLf(line)) {
                    continue;
                }
                byte[] whole = line.toByteArray();
                if (whole.length == 3 && whole[0] == '.') {
                    return message.toByteArray();
                }
                int from = whole[0] == '.' ? 1 : 0;
                message.write(whole, from, whole.length - from);
                line.reset();
            }
        }

        private static boolean endsWithCrLf(ByteArrayOutputStream line) {
            byte[] octets = line.toByteArray();
            return octets.length > 1 && octets[octets.length - 2] == '\r';
        }

        private void reset() {
            from = Optional.empty();
            to.clear();
            chunks.reset();
        }

        private void secure() throws IOException {
            SSLSocket layered =
                    (SSLSocket)
                            tls.orElseThrow()
                                    .getSocketFactory()
                                    .createSocket(socket, null, socket.getPort(), false);
            layered.setUseClientMode(false);
            layered.startHandshake();
            secured = Optional.of(layered.getSession());
            on(layered);
        }

        private void on(Socket next) throws IOException {
            socket = next;
            in = new BufferedInputStream(next.getInputStream(), 65_536);
            out = new BufferedOutputStream(next.getOutputStream(), 65_536);
        }

        private String line() throws IOException {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            int octet;
            while ((octet = octet()) != '\n') {
                line.write(octet);
            }
            String text = line.toString(UTF_8);
            return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
        }

        private int octet() throws IOException {
            int octet = in.read();
            if (octet < 0) {
                throw new EOFException("the client hung up");
            }
            return octet;
        }

        private boolean say(String reply) throws IOException {
            if (reply.equals(SILENCE)) {
                return true;
            }
            boolean open = true;
            for (String line : reply.split("\n")) {
                open = !line.equals(HANG_UP);
                if (!open) {
                    break;
                }
                out.write((line + "\r\n").getBytes(UTF_8));
            }
            if (!open || in.available() == 0) {
                out.flush();
            }
            if (!open) {
                hangUp();
            }
            return open;
        }

        /// Reads on until the client has gone too: what it sends into a closed connection would
        /// take the last words away from it.
        private void hangUp() throws IOException {
            socket.shutdownOutput();
            in.transferTo(OutputStream.nullOutputStream());
        }

        private String argument(String command) {
            return command.substring(command.indexOf(':') + 1).strip();
        }
    }
}
