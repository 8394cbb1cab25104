package org.pabal.itests.interop;

import org.pabal.itests.node.Conversations;
import org.pabal.itests.node.Node;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

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

    static final String DEAD = "127.0.0.5";

    private static final String HEAD =
            "$TTL 60\n@ SOA ns h 1 7200 900 1209600 60\n@ NS ns\nns A %1$s\nmx A %1$s\n";

    /// The port that stands for 25.
    final int mailPort;

    final Node one;
    final Node two;
    final int dnsPort;

    /// @param records of `two.test` beyond its own host: what other domains a test needs, below it
    MailHouses(Path scratch, String records) throws Exception {
        mailPort = Hierarchy.freePort(ONE, TWO, THIRD, DEAD);
        dnsPort = Hierarchy.freePort(ONE, TWO);
        one = house(scratch, "one.test", ONE, "@ MX 10 mx\n");
        two = house(scratch, "two.test", TWO, "@ MX 10 mx\n" + records);
        find(one, "two.test", TWO);
        find(two, "one.test", ONE);
    }

    /// Nothing above these domains is there, so nothing can prove that they are not signed.
    private void find(Node node, String domain, String nameServer) throws IOException {
        String file = "org.pabal.dns.recursive.cfg";
        node.set(file, "stub", domain + " " + nameServer + "@" + dnsPort);
        node.set(file, "negative-anchors", domain);
    }

    private Node house(Path scratch, String domain, String address, String records)
            throws Exception {
        Node node = Node.init(scratch.resolve(domain), domain, "mx." + domain);
        for (String listener : List.of("smtp", "submission", "pop3", "dns")) {
            node.set("org.pabal.listener~" + listener + ".cfg", "address", address);
        }
        node.set("org.pabal.listener~smtp.cfg", "port", "" + mailPort);
        node.set("org.pabal.listener~dns.cfg", "port", "" + dnsPort);
        node.set("org.pabal.delivery.cfg", "private-destinations", "true");
        node.set("org.pabal.delivery.cfg", "remote-port", "" + mailPort);
        node.set("org.pabal.delivery.cfg", "retry", "1s 2s 5s 1m");
        Files.writeString(
                node.directory().resolve("data/zones/" + domain + ".zone"),
                HEAD.formatted(address) + records);
        return node;
    }

    /// Starts both at the same time, and gives alice and bob their accounts.
    void start() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> first =
                    threads.submit(
                            () -> {
                                one.start();
                                return one.shell("account:add", "alice@one.test", "pabal");
                            });
            two.start();
            two.shell("account:add", "bob@two.test", "pabal");
            first.get();
        } catch (ExecutionException e) {
            close();
            throw e;
        }
    }

    /// Alice hands a message to her own server, signed in, over TLS, as curl does it.
    void aliceSends(Path scratch, String message, String... to) throws Exception {
        Path file = Files.createTempFile(scratch, "message", ".eml");
        Files.writeString(file, message.replace("\n", "\r\n"));
        InetSocketAddress submission = one.address("submission");
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "curl",
                                "--silent",
                                "--show-error",
                                "--ssl-reqd",
                                "--insecure",
                                "--url",
                                "smtp://"
                                        + submission.getAddress().getHostAddress()
                                        + ":"
                                        + submission.getPort(),
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

    List<String> alicesMail() throws Exception {
        return Conversations.readMail(one.address("pop3"), "alice", "pabal");
    }

    List<String> bobsMail() throws Exception {
        return Conversations.readMail(two.address("pop3"), "bob", "pabal");
    }

    /// Whatever a question answers, as soon as it says what is wanted.
    static String await(String wanted, Question question) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        String last = "";
        while (System.nanoTime() < end) {
            last = question.ask();
            if (last.contains(wanted)) {
                return last;
            }
        }
        throw new IOException("never came: " + wanted + "; the last answer was:\n" + last);
    }

    /// Asked again and again: at the shell, or of a mailbox, which takes its time by itself.
    @FunctionalInterface
    interface Question {
        String ask() throws Exception;
    }

    @Override
    public void close() throws IOException {
        one.close();
        two.close();
    }
}
