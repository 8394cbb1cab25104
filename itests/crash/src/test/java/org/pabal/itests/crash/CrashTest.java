package org.pabal.itests.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Conversations;
import org.pabal.itests.node.Node;
import org.pabal.itests.node.TextClient;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Kills the node with SIGKILL at random moments under load (security row S30).
///
/// Eight clients send mail without a pause; some messages are deleted by POP3 meanwhile. The node
/// is killed after a random number of acknowledgements, so that the moment falls anywhere in
/// accepting, committing, delivering and settling. In the end every message that got its 250 is
/// there exactly once, and none that was deleted has come back.
class CrashTest {

    private static final int CRASHES = Integer.getInteger("pabal.crashes", 6);
    private static final int SENDERS = 8;
    private static final Pattern SUBJECT = Pattern.compile("(?m)^Subject: (m\\d+)\r?$");

    @TempDir Path scratch;

    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    private final Set<String> deleted = ConcurrentHashMap.newKeySet();
    private final AtomicInteger sent = new AtomicInteger();

    @Test
    void keepsEveryAcknowledgedMessageExactlyOnce() throws Exception {
        long seed = Long.getLong("pabal.seed", new Random().nextLong());
        System.out.println("crash test: " + CRASHES + " crashes, -Dpabal.seed=" + seed);
        Random random = new Random(seed);
        try (Node node = Node.init(scratch.resolve("node"))) {
            node.start();
            node.shell("account:add", "bob@example.test", "pabal");
            for (int crash = 0; crash < CRASHES; crash++) {
                if (crash > 0) {
                    node.start();
                }
                loadUntilKilled(
                        node,
                        1 + random.nextInt(random.nextInt(10) == 0 ? 20 : 2_000),
                        crash % 3 == 1);
            }
            node.start();
            node.awaitEmptyQueue();
            compare(node.address("pop3"));
            assertEquals(0, node.stop());
        }
    }

    private void loadUntilKilled(Node node, int acknowledgements, boolean deleting)
            throws Exception {
        InetSocketAddress smtp = node.address("smtp");
        InetSocketAddress pop3 = node.address("pop3");
        CountDownLatch moment = new CountDownLatch(acknowledgements);
        Thread[] clients = new Thread[SENDERS + 1];
        for (int i = 0; i < SENDERS; i++) {
            boolean large = i == 0;
            clients[i] = Thread.ofVirtual().start(() -> sendUntilKilled(smtp, moment, large));
        }
        clients[SENDERS] =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    if (deleting) {
                                        deleteSome(pop3);
                                    }
                                });
        assertTrue(
                moment.await(2, TimeUnit.MINUTES),
                () -> "the node took no mail; it said:\n" + node.output());
        node.kill();
        for (Thread client : clients) {
            client.join();
        }
    }

    /// One client: a session with many messages, until the connection breaks.
    private void sendUntilKilled(InetSocketAddress smtp, CountDownLatch moment, boolean large) {
        try (TextClient client = new TextClient(smtp)) {
            Conversations.expect(client.reply(), "220");
            Conversations.expect(client.ask("EHLO client.example.org"), "250");
            while (true) {
                String name = "m" + sent.incrementAndGet();
                String message =
                        "From: <alice@example.org>\r\nSubject: "
                                + name
                                + "\r\n\r\n"
                                + "All work and no play.\r\n".repeat(large ? 20_000 : 150);
                Conversations.sendMail(client, "alice@example.org", "bob@example.test", message);
                acknowledged.add(name);
                moment.countDown();
            }
        } catch (IOException e) {
            // The node was killed.
        }
    }

    private void deleteSome(InetSocketAddress pop3) {
        Set<String> marked = new TreeSet<>();
        try (TextClient client = Conversations.signIn(pop3, "bob@example.test", "pabal")) {
            int count = Math.min(20, Integer.parseInt(client.ask("STAT").split(" ")[1]));
            for (int number = 1; number <= count; number++) {
                Conversations.expect(client.ask("TOP " + number + " 0"), "+OK");
                marked.add(subject(client.lines()));
                Conversations.expect(client.ask("DELE " + number), "+OK");
            }
            Conversations.expect(client.ask("QUIT"), "+OK");
            deleted.addAll(marked);
        } catch (IOException e) {
            // Killed before the answer: these may be gone or not.
            acknowledged.removeAll(marked);
        }
    }

    private void compare(InetSocketAddress pop3) throws IOException {
        Map<String, Integer> found = new HashMap<>();
        Conversations.readMail(
                pop3,
                "bob@example.test",
                "pabal",
                message -> {
                    assertTrue(
                            message.endsWith("All work and no play.\r\n"),
                            () -> "half a message:\n" + message);
                    found.merge(subject(message), 1, Integer::sum);
                });
        Set<String> twice = new TreeSet<>();
        found.forEach(
                (name, times) -> {
                    if (times > 1) {
                        twice.add(name);
                    }
                });
        Set<String> lost = new TreeSet<>(acknowledged);
        lost.removeAll(found.keySet());
        lost.removeAll(deleted);
        Set<String> back = new TreeSet<>(deleted);
        back.retainAll(found.keySet());
        System.out.println(
                "crash test: "
                        + acknowledged.size()
                        + " acknowledged, "
                        + deleted.size()
                        + " deleted, "
                        + found.size()
                        + " found, lost "
                        + lost
                        + ", twice "
                        + twice
                        + ", back again "
                        + back);
        assertEquals(Set.of(), lost, "lost after 250");
        assertEquals(Set.of(), twice, "delivered twice");
        assertEquals(Set.of(), back, "deleted, and back again");
    }

    private static String subject(String message) {
        Matcher matcher = SUBJECT.matcher(message);
        assertTrue(matcher.find(), () -> "no subject in:\n" + message);
        return matcher.group(1);
    }
}
