package org.pabal.itests.crash;

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
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Kills the node with SIGKILL while it hands mail to another server (security row S30).
///
/// The moment falls anywhere in accepting, leasing, sending and settling. In the end the other
/// server has every message that got its 250; and of those that it has twice there are no more than
/// were under way on the connections when the node was killed.
class RelayCrashTest {

    private static final int CRASHES = Integer.getInteger("pabal.crashes", 5);
    private static final int SENDERS = 4;
    private static final int CONNECTIONS = 2;
    private static final Pattern SUBJECT = Pattern.compile("(?m)^Subject: (m\\d+)\r?$");

    @TempDir Path scratch;

    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    private final AtomicInteger sent = new AtomicInteger();

    @Test
    void losesNothingAndRepeatsOnlyWhatWasUnderWay() throws Exception {
        long seed = Long.getLong("pabal.seed", new Random().nextLong());
        System.out.println("relay crash test: " + CRASHES + " crashes, -Dpabal.seed=" + seed);
        Random random = new Random(seed);
        try (Node node = Node.init(scratch.resolve("node"));
                ScriptedMailServer other =
                        new ScriptedMailServer().keywords("PIPELINING", "8BITMIME", "CHUNKING")) {
            node.set(
                    "org.pabal.delivery.cfg",
                    "smart-host",
                    "127.0.0.1:" + other.address().getPort());
            node.set("org.pabal.delivery.cfg", "connections-per-destination", "" + CONNECTIONS);
            node.set("org.pabal.smtp.cfg", "account-messages-per-hour", "0");
            node.set("org.pabal.smtp.cfg", "account-recipients-per-hour", "0");
            node.start();
            node.shell("account:add", "alice@example.test", "pabal");
            for (int crash = 0; crash < CRASHES; crash++) {
                if (crash > 0) {
                    node.start();
                }
                killInTheMiddle(node, other, 1 + random.nextInt(300));
            }
            node.start();
            node.shell("queue:retry", "all");
            node.awaitEmptyQueue();
            compare(other);
            assertEquals(0, node.stop());
        }
    }

    private void killInTheMiddle(Node node, ScriptedMailServer other, int messages)
            throws Exception {
        InetSocketAddress submission = node.address("submission");
        int before = other.mails().size();
        Thread[] clients = new Thread[SENDERS];
        for (int i = 0; i < SENDERS; i++) {
            clients[i] = Thread.ofVirtual().start(() -> sendUntilKilled(submission));
        }
        other.awaitMails(before + messages);
        node.kill();
        for (Thread client : clients) {
            client.join();
        }
    }

    private void sendUntilKilled(InetSocketAddress submission) {
        String plain =
                Base64.getEncoder()
                        .encodeToString("\0alice\0pabal".getBytes(StandardCharsets.UTF_8));
        try (TextClient client = new TextClient(submission)) {
            Conversations.expect(client.reply(), "220");
            Conversations.expect(client.ask("EHLO client.example.org"), "250");
            Conversations.expect(client.ask("AUTH PLAIN " + plain), "235");
            while (true) {
                String name = "m" + sent.incrementAndGet();
                Conversations.sendMail(
                        client,
                        "alice@example.test",
                        "far@example.org",
                        "From: <alice@example.test>\r\nSubject: " + name + "\r\n\r\nGood day.\r\n");
                acknowledged.add(name);
            }
        } catch (IOException e) {
            // The node was killed.
        }
    }

    private void compare(ScriptedMailServer other) {
        Map<String, Integer> arrived = new HashMap<>();
        for (ScriptedMailServer.Mail mail : other.mails()) {
            Matcher subject = SUBJECT.matcher(mail.text());
            assertTrue(subject.find(), mail::text);
            arrived.merge(subject.group(1), 1, Integer::sum);
        }
        Set<String> lost = new TreeSet<>(acknowledged);
        lost.removeAll(arrived.keySet());
        assertEquals(Set.of(), lost, "of " + acknowledged.size() + " acknowledged");
        long repeated = arrived.values().stream().mapToLong(times -> times - 1).sum();
        System.out.println(
                "relay crash test: "
                        + acknowledged.size()
                        + " acknowledged, "
                        + repeated
                        + " of them sent again after "
                        + CRASHES
                        + " crashes");
        // On each connection one is being sent, and one sent a moment ago may not be settled yet.
        assertTrue(
                repeated <= 2L * CONNECTIONS * CRASHES,
                repeated + " were sent twice in " + CRASHES + " crashes");
    }
}
