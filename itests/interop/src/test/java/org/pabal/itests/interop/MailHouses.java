package org.pabal.itests.interop;

import org.pabal.itests.node.Conversations;
import org.pabal.itests.node.Node;
import org.pabal.itests.node.TextClient;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Two mail domains on one machine: `one.test` with alice at 127.0.0.2 and `two.test` with bob at
/// 127.0.0.3, each a node with a name server of its own, and each finding the other by DNS.
///
/// Mail goes to one and the same port at all addresses, which both nodes have in place of 25; so a
/// third host on that port can be anything that a test wants.
final class MailHouses implements AutoCloseable {

    static final String ONE = "127.0.0.2";
    static final String TWO = "127.0.0.3";

    /// Where other hosts of a test may be.
    static final String THIRD = "127.0.0.4";

    /// Nobody listens there.
    static final String DEAD = "127.0.0.5";

    /// For a host that is there and never answers.
    static final String SILENT = "127.0.0.6";

    /// Records live long: what a house knows of the other it knows while that one is down.
    private static final String HEAD =
            "$TTL 3600\n@ SOA ns h 1 7200 900 1209600 60\n@ NS ns\nns A %1$s\nmx A %1$s\n";

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /// The port that stands for 25.
    final int mailPort;

    final Node one;
    final Node two;
    final int dnsPort;
    private final int submissionPort;
    private final int pop3Port;
    private final WatchService arrivals;

    /// @param records of `two.test` beyond its own host: what other domains a test needs, below it
    MailHouses(Path scratch, String records) throws Exception {
        mailPort = Hierarchy.freePort(ONE, TWO, THIRD, DEAD, SILENT);
        dnsPort = Hierarchy.freePort(ONE, TWO, DEAD);
        submissionPort = Hierarchy.freePort(ONE, TWO);
        pop3Port = Hierarchy.freePort(ONE, TWO);
        arrivals = scratch.getFileSystem().newWatchService();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Node> first =
                    threads.submit(() -> house(scratch, "one.test", ONE, "@ MX 10 mx\n"));
            two = house(scratch, "two.test", TWO, "@ MX 10 mx\n" + records);
            one = first.get();
        }
        find(one, "two.test", TWO);
        find(two, "one.test", ONE);
        watch(one, "one.test", "alice");
        watch(two, "two.test", "bob");
    }

    /// Nothing above these domains is there, so nothing can prove that they are not signed. The
    /// name server of three.test is never there.
    private void find(Node node, String domain, String nameServer) throws IOException {
        String file = "org.pabal.dns.recursive.cfg";
        node.set(
                file,
                "stub",
                "%s %s@%d, three.test %s@%d".formatted(domain, nameServer, dnsPort, DEAD, dnsPort));
        node.set(file, "negative-anchors", domain + ", three.test");
    }

    private Node house(Path scratch, String domain, String address, String records)
            throws Exception {
        Node node = Node.init(scratch.resolve(domain), domain, "mx." + domain);
        Map<String, Integer> listeners =
                Map.of(
                        "smtp",
                        mailPort,
                        "dns",
                        dnsPort,
                        "submission",
                        submissionPort,
                        "pop3",
                        pop3Port);
        for (Map.Entry<String, Integer> listener : listeners.entrySet()) {
            String file = "org.pabal.listener~" + listener.getKey() + ".cfg";
            node.set(file, "address", address);
            node.set(file, "port", "" + listener.getValue());
        }
        node.set("org.pabal.smtp.cfg", "account-messages-per-hour", "0");
        node.set("org.pabal.smtp.cfg", "account-recipients-per-hour", "0");
        node.set("org.pabal.delivery.cfg", "private-destinations", "true");
        node.set("org.pabal.delivery.cfg", "remote-port", "" + mailPort);
        node.set("org.pabal.delivery.cfg", "retry", "1s 2s 5s 1m");
        Files.writeString(
                node.directory().resolve("data/zones/" + domain + ".zone"),
                HEAD.formatted(address) + records);
        return node;
    }

    /// A mailbox that is a Maildir already is taken over as it is.
    private void watch(Node node, String domain, String account) throws IOException {
        Path maildir = maildir(node, domain, account);
        for (String part : List.of("new", "cur", "tmp")) {
            Files.createDirectories(maildir.resolve(part));
        }
        maildir.resolve("new").register(arrivals, StandardWatchEventKinds.ENTRY_CREATE);
    }

    /// Where the mail of an account is.
    static Path maildir(Node node, String domain, String account) {
        return node.directory().resolve("data/mail/" + domain + "/" + account + "/Maildir");
    }

    /// Starts both at the same time, and gives alice and bob their accounts.
    void start() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> first =
                    threads.submit(
                            () -> {
                                one.start();
                                return shell(one, "account:add alice@one.test pabal");
                            });
            two.start();
            shell(two, "account:add bob@two.test pabal");
            first.get();
        } catch (ExecutionException e) {
            close();
            throw e;
        }
    }

    /// Runs a command at a node's shell, by its socket: `pabal shell` is a virtual machine for
    /// each.
    static String shell(Node node, String command) throws IOException {
        Path door = node.directory().resolve("run/shell.sock");
        Path socket = Files.isSymbolicLink(door) ? Files.readSymbolicLink(door) : door;
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
                InputStream in = new BufferedInputStream(Channels.newInputStream(channel))) {
            channel.write(StandardCharsets.UTF_8.encode(command + "\n"));
            ByteArrayOutputStream output = new ByteArrayOutputStream();
            while (true) {
                String said = line(in);
                if (said.startsWith("O ")) {
                    output.write(in.readNBytes(Integer.parseInt(said.substring(2))));
                } else if (said.equals("E 0")) {
                    return output.toString(StandardCharsets.UTF_8);
                } else {
                    throw new IOException(command + ": " + said + "; " + output);
                }
            }
        }
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int octet = in.read(); octet != '\n'; octet = in.read()) {
            if (octet < 0) {
                throw new IOException("the shell closed after: " + line);
            }
            line.write(octet);
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    /// Where other hosts bring mail for one.test.
    InetSocketAddress door() {
        return new InetSocketAddress(InetAddress.ofLiteral(ONE), mailPort);
    }

    /// Alice hands a message to her own server, signed in, over TLS, as curl does it.
    void aliceSends(Path scratch, String message, String... to) throws Exception {
        Path file = Files.createTempFile(scratch, "message", ".eml");
        Files.writeString(file, message.replace("\n", "\r\n"));
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "curl",
                                "--silent",
                                "--show-error",
                                "--ssl-reqd",
                                "--insecure",
                                "--url",
                                "smtp://" + ONE + ":" + submissionPort,
                                "--user",
                                "alice:pabal",
                                "--mail-from",
                                "alice@one.test",
                                "-T",
                                file.toString()));
        for (String recipient : to) {
            command.add("--mail-rcpt");
            command.add(recipient);
        }
        Tool.Result result = Tool.run(scratch, Map.of(), command);
        if (result.exit() != 0) {
            throw new IOException("curl: exit " + result.exit() + ": " + result.output());
        }
    }

    /// A conversation in which alice has signed in at her own server, for what curl does not know.
    TextClient alice() throws IOException {
        TextClient client =
                new TextClient(new InetSocketAddress(InetAddress.ofLiteral(ONE), submissionPort));
        try {
            Conversations.expect(client.reply(), "220");
            Conversations.expect(client.ask("EHLO [" + ONE + "]"), "250");
            byte[] proof = "\0alice\0pabal".getBytes(StandardCharsets.UTF_8);
            Conversations.expect(
                    client.ask("AUTH PLAIN " + Base64.getEncoder().encodeToString(proof)), "235");
            return client;
        } catch (IOException | RuntimeException e) {
            client.close();
            throw e;
        }
    }

    /// Alice hands a message in, with parameters.
    ///
    /// @param wishes of the message, after MAIL
    /// @param ofRecipient what is wished for the recipient, after RCPT
    /// @return its id in the queue
    String aliceSubmits(String message, String wishes, String to, String ofRecipient)
            throws IOException {
        try (TextClient client = alice()) {
            return submit(client, message, wishes, to, ofRecipient);
        }
    }

    static String submit(
            TextClient client, String message, String wishes, String to, String ofRecipient)
            throws IOException {
        client.send(
                "MAIL FROM:<alice@one.test>"
                        + wishes
                        + "\r\nRCPT TO:<"
                        + to
                        + ">"
                        + ofRecipient
                        + "\r\nDATA");
        Conversations.expect(client.reply(), "250");
        Conversations.expect(client.reply(), "250");
        Conversations.expect(client.reply(), "354");
        String text = message.replace("\n", "\r\n").replace("\r\n.", "\r\n..");
        String accepted = Conversations.expect(client.ask(text + "."), "250");
        return accepted.substring(accepted.lastIndexOf(' ') + 1);
    }

    /// The id of the message that waits for somebody.
    static String idOf(Node node, String recipient) throws Exception {
        Pattern line = Pattern.compile("(?m)^([0-9A-Z]+) .* to <" + Pattern.quote(recipient) + ">");
        Matcher id = line.matcher(shell(node, "queue:list"));
        if (!id.find()) {
            throw new IOException("nothing waits for " + recipient);
        }
        return id.group(1);
    }

    List<String> alicesMail() throws Exception {
        return mail(ONE, "alice");
    }

    List<String> bobsMail() throws Exception {
        return mail(TWO, "bob");
    }

    List<String> mail(String house, String login) throws Exception {
        return Conversations.readMail(
                new InetSocketAddress(InetAddress.ofLiteral(house), pop3Port), login, "pabal");
    }

    /// The message with a text in it, as soon as it is in a mailbox.
    String arrived(String text, Mailbox mailbox) throws Exception {
        return until(
                mail -> mail.contains(text),
                text,
                () ->
                        mailbox.read().stream()
                                .filter(mail -> mail.contains(text))
                                .findFirst()
                                .orElse(""));
    }

    /// Returns when the queue of a node is empty.
    void awaitEmptyQueue(Node node) throws Exception {
        until(
                list -> list.contains("the queue is empty"),
                "an empty queue",
                () -> shell(node, "queue:list"));
    }

    /// What is said of a message that waits, as soon as it has been tried.
    String awaitTried(Node node, String id) throws Exception {
        return until(
                shown -> shown.contains("\ntried      "),
                "a try of " + id,
                () -> shell(node, "queue:show " + id));
    }

    /// Whatever a question answers, as soon as it is what is wanted: asked whenever mail arrives
    /// for alice or bob, and now and then.
    String until(Predicate<String> wanted, String what, Question question) throws Exception {
        try {
            return await(
                    wanted,
                    what,
                    () -> {
                        WatchKey changed = arrivals.poll(100, TimeUnit.MILLISECONDS);
                        if (changed != null) {
                            changed.pollEvents();
                            changed.reset();
                        }
                        return question.ask();
                    },
                    question.ask());
        } catch (IOException e) {
            throw new IOException(
                    "%s\nthe first house said:\n%s\nthe second:\n%s"
                            .formatted(e.getMessage(), one.output(), two.output()),
                    e);
        }
    }

    /// Whatever a question answers, as soon as it says what is wanted.
    static String await(String wanted, Question question) throws Exception {
        return await(answer -> answer.contains(wanted), wanted, question, question.ask());
    }

    private static String await(
            Predicate<String> wanted, String what, Question question, String first)
            throws Exception {
        long end = System.nanoTime() + PATIENCE.toNanos();
        String last = first;
        while (!wanted.test(last)) {
            if (System.nanoTime() > end) {
                throw new IOException("never came: " + what + "; the last answer was:\n" + last);
            }
            last = question.ask();
        }
        return last;
    }

    @FunctionalInterface
    interface Mailbox {
        List<String> read() throws Exception;
    }

    @FunctionalInterface
    interface Question {
        String ask() throws Exception;
    }

    @Override
    public void close() throws IOException {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> first =
                    threads.submit(
                            () -> {
                                one.close();
                                return null;
                            });
            two.close();
            first.get();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            arrivals.close();
        }
    }
}
