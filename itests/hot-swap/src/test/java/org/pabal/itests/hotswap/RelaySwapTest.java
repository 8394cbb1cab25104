package org.pabal.itests.hotswap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Conversations;
import org.pabal.itests.node.Node;
import org.pabal.itests.node.TextClient;
import org.pabal.testkit.ScriptedMailServer;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Swaps delivery, dns-recursive, smtp and storage-file of a running node from `deploy/` while mail
/// goes through it to another server, whose MX is looked up for each message.
///
/// Every message that got its 250 arrives there, and none twice: who is asked to stop finishes what
/// is under way. The bundle that went leaves no connection behind.
class RelaySwapTest {

    private static final int UPDATES = Integer.getInteger("pabal.relay.updates", 1);
    private static final int SENDERS = 3;
    private static final int BETWEEN = 40;
    private static final List<String> BUNDLES =
            List.of(
                    "org.pabal.delivery",
                    "org.pabal.dns.recursive",
                    "org.pabal.smtp",
                    "org.pabal.storage.file");
    private static final Pattern SUBJECT = Pattern.compile("(?m)^Subject: (m\\d+)\r?$");

    @TempDir Path scratch;

    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    private final AtomicInteger numbers = new AtomicInteger();
    private final AtomicInteger goodbyes = new AtomicInteger();
    private final AtomicInteger dumps = new AtomicInteger();
    private volatile boolean over;

    @Test
    void losesAndRepeatsNothingWhileMailGoesOut() throws Exception {
        try (Node node = Node.init(scratch.resolve("node"));
                ScriptedMailServer other =
                        new ScriptedMailServer().keywords("PIPELINING", "8BITMIME", "CHUNKING")) {
            String delivery = "org.pabal.delivery.cfg";
            node.set(delivery, "private-destinations", "true");
            node.set(delivery, "remote-port", "" + other.port());
            // No message is tried twice here unless it was cut off.
            node.set(delivery, "retry", "1s");
            node.set("org.pabal.smtp.cfg", "account-messages-per-hour", "0");
            node.set("org.pabal.smtp.cfg", "account-recipients-per-hour", "0");
            Files.writeString(
                    node.directory().resolve("data/zones/example.test.zone"),
                    """
                    $TTL 60
                    @ SOA ns h 1 7200 900 1209600 60
                    @ NS ns
                    ns A 127.0.0.1
                    far MX 10 mail.far
                    mail.far A 127.0.0.1
                    """);
            node.start();
            node.shell("account:add", "alice@example.test", "pabal");
            InetSocketAddress submission = node.addressAtStart("submission");

            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < SENDERS; i++) {
                clients.add(Thread.ofVirtual().start(() -> sendUntilOver(submission)));
            }
            other.awaitMails(BETWEEN);
            assertTrue(deliveryThreads(node) > 0, "threads of the bundle can be seen");
            for (int update = 1; update <= UPDATES; update++) {
                for (String bundle : BUNDLES) {
                    Deployment.deploy(node, bundle, update);
                    Deployment.awaitActive(node, bundle, update);
                    other.awaitMails(other.mails().size() + BETWEEN);
                }
            }
            over = true;
            for (Thread client : clients) {
                client.join();
            }
            node.awaitEmptyQueue();
            System.out.println(
                    "relay swap test: "
                            + UPDATES
                            + " updates of 4 bundles, "
                            + acknowledged.size()
                            + " messages, "
                            + goodbyes
                            + " goodbyes, "
                            + other.connections()
                            + " connections, wrong: "
                            + wrong.size());
            assertEquals(List.of(), List.copyOf(wrong));
            compare(other.mails());

            node.shell("stop", "org.pabal.delivery");
            assertTrue(other.sessions().stream().allMatch(ScriptedMailServer.Session::over));
            assertEquals(0, deliveryThreads(node), "threads that the bundle left behind");
            assertEquals(0, node.stop());
        }
    }

    private void sendUntilOver(InetSocketAddress submission) {
        String plain =
                Base64.getEncoder()
                        .encodeToString("\0alice\0pabal".getBytes(StandardCharsets.UTF_8));
        while (!over) {
            try (TextClient client = new TextClient(submission)) {
                Conversations.expect(client.reply(), "220");
                Conversations.expect(client.ask("EHLO client.example.org"), "250");
                Conversations.expect(client.ask("AUTH PLAIN " + plain), "235");
                while (!over) {
                    String name = "m" + numbers.incrementAndGet();
                    Conversations.sendMail(
                            client,
                            "alice@example.test",
                            "bob@far.example.test",
                            "From: <alice@example.test>\r\nSubject: "
                                    + name
                                    + "\r\n\r\nHello.\r\n");
                    acknowledged.add(name);
                }
            } catch (Conversations.Goodbye e) {
                goodbyes.incrementAndGet();
            } catch (IOException e) {
                wrong.add(e.toString());
            }
        }
    }

    private void compare(List<ScriptedMailServer.Mail> mails) {
        Map<String, Integer> found = new HashMap<>();
        for (ScriptedMailServer.Mail mail : mails) {
            Matcher subject = SUBJECT.matcher(mail.text());
            assertTrue(subject.find(), mail.text());
            found.merge(subject.group(1), 1, Integer::sum);
        }
        Set<String> lost = new TreeSet<>(acknowledged);
        lost.removeAll(found.keySet());
        assertEquals(Set.of(), lost, "lost after 250");
        found.values().removeIf(times -> times == 1);
        assertEquals(Map.of(), found, "sent more than once");
    }

    /// How many threads that carry mail a node has, as its virtual machine tells.
    private long deliveryThreads(Node node) throws IOException, InterruptedException {
        Path dump = scratch.resolve("threads" + dumps.incrementAndGet());
        Process jcmd =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin/jcmd").toString(),
                                "" + node.handle().pid(),
                                "Thread.dump_to_file",
                                dump.toString())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, jcmd.waitFor(), said);
        try (Stream<String> lines = Files.lines(dump)) {
            return lines.filter(line -> line.matches("#\\d+ \"(delivery|tls reports).*")).count();
        }
    }
}
