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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Kills the node with SIGKILL while it hands mail to another server (security row S30).
///
/// Some of the mail goes out as it is, some is refused over there, so that a report is written, and
/// some is for an alias, so that it is put into the queue anew with a sender of ours. The moment
/// falls anywhere in accepting, leasing, sending, reporting, forwarding and settling. In the end
/// whatever got its 250 is where it belongs; and what is there twice is no more than was under way
/// when the node was killed.
class RelayCrashTest {

    private static final int CRASHES = Integer.getInteger("pabal.crashes", 5);
    private static final int CONNECTIONS = 2;
    private static final Pattern SUBJECT = Pattern.compile("(?m)^Subject: ([mrf]\\d+)\r?$");
    private static final String ALICE = "alice@example.test";

    /// What a client sends again and again.
    ///
    /// @param mark the first letter of its subjects
    /// @param to how many copies the other server gets, or none when a report comes back
    private record Load(String mark, String from, String to, int copies) {}

    private static final Load PLAIN = new Load("m", ALICE, "far@example.org", 1);
    private static final Load REFUSED = new Load("r", ALICE, "refused@example.org", 0);
    private static final Load FORWARDED =
            new Load("f", "stranger@example.net", "club@example.test", 2);

    @TempDir Path scratch;

    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    private final AtomicInteger sent = new AtomicInteger();
    private final List<String> wrong = new CopyOnWriteArrayList<>();

    /// How many messages the other server had at each kill.
    private final List<Integer> kills = new ArrayList<>();

    @Test
    void losesNothingAndRepeatsOnlyWhatWasUnderWay() throws Exception {
        long seed = Long.getLong("pabal.seed", new Random().nextLong());
        System.out.println("relay crash test: " + CRASHES + " crashes, -Dpabal.seed=" + seed);
        Random random = new Random(seed);
        try (Node node = Node.init(scratch.resolve("node"));
                ScriptedMailServer other =
                        new ScriptedMailServer()
                                .keywords("PIPELINING", "8BITMIME", "CHUNKING")
                                .reply("RCPT TO:<refused@", "550 5.1.1 nobody of that name")) {
            node.set(
                    "org.pabal.delivery.cfg",
                    "smart-host",
                    "127.0.0.1:" + other.address().getPort());
            node.set("org.pabal.delivery.cfg", "connections-per-destination", "" + CONNECTIONS);
            node.set("org.pabal.smtp.cfg", "account-messages-per-hour", "0");
            node.set("org.pabal.smtp.cfg", "account-recipients-per-hour", "0");
            node.start();
            node.shell("account:add", ALICE, "pabal");
            node.shell("alias:add", FORWARDED.to(), "away@example.org", "further@example.org");
            for (int crash = 0; crash < CRASHES; crash++) {
                if (crash > 0) {
                    node.start();
                }
                killInTheMiddle(node, other, 1 + random.nextInt(300));
            }
            node.start();
            node.shell("queue:retry", "all");
            node.awaitEmptyQueue();
            compare(other, node.addressAtStart("pop3"));
            assertEquals(0, node.stop());
        }
    }

    private void killInTheMiddle(Node node, ScriptedMailServer other, int messages)
            throws Exception {
        InetSocketAddress smtp = node.addressAtStart("smtp");
        InetSocketAddress submission = node.addressAtStart("submission");
        int before = other.mails().size();
        List<Thread> clients = new ArrayList<>();
        for (Load load : List.of(PLAIN, PLAIN, REFUSED, FORWARDED)) {
            InetSocketAddress to = load == FORWARDED ? smtp : submission;
            clients.add(Thread.ofVirtual().start(() -> sendUntilKilled(load, to)));
        }
        other.awaitMails(before + messages);
        node.kill();
        for (Thread client : clients) {
            client.join();
        }
        // What was on the wire has arrived when its connection has ended.
        while (other.sessions().stream().anyMatch(session -> !session.over())) {
            Thread.onSpinWait();
        }
        kills.add(other.mails().size());
    }

    private void sendUntilKilled(Load load, InetSocketAddress to) {
        String plain =
                Base64.getEncoder()
                        .encodeToString("\0alice\0pabal".getBytes(StandardCharsets.UTF_8));
        try (TextClient client = new TextClient(to)) {
            Conversations.expect(client.reply(), "220");
            Conversations.expect(client.ask("EHLO client.example.org"), "250");
            if (load != FORWARDED) {
                Conversations.expect(client.ask("AUTH PLAIN " + plain), "235");
            }
            while (true) {
                String name = load.mark() + sent.incrementAndGet();
                Conversations.sendMail(
                        client,
                        load.from(),
                        load.to(),
                        "From: <"
                                + load.from()
                                + ">\r\nSubject: "
                                + name
                                + "\r\n\r\nGood day.\r\n");
                acknowledged.add(name);
            }
        } catch (IOException e) {
            if (e.getMessage() != null && e.getMessage().startsWith("expected")) {
                wrong.add(e.getMessage());
            }
            // Otherwise: the node was killed.
        }
    }

    private void compare(ScriptedMailServer other, InetSocketAddress pop3) throws IOException {
        Map<String, Integer> arrived = new HashMap<>();
        int[] again = new int[CRASHES];
        int[] forwardedAgain = new int[CRASHES];
        Set<String> seen = new HashSet<>();
        List<ScriptedMailServer.Mail> mails = other.mails();
        for (int i = 0; i < mails.size(); i++) {
            String name = subject(mails.get(i).text());
            for (String to : mails.get(i).to()) {
                arrived.merge(name, 1, Integer::sum);
                if (!seen.add(name + to)) {
                    int number = i;
                    int kill = (int) kills.stream().filter(k -> k <= number).count() - 1;
                    (name.startsWith("f") ? forwardedAgain : again)[kill]++;
                }
            }
        }
        Map<String, Integer> reported = new HashMap<>();
        Conversations.readMail(
                pop3, ALICE, "pabal", report -> reported.merge(subject(report), 1, Integer::sum));
        int reportsAgain = reported.values().stream().mapToInt(n -> n - 1).sum();
        System.out.printf(
                "relay crash test: %d acknowledged, %d of them refused over there, %d forwarded%n",
                acknowledged.size(), count("r"), count("f"));
        System.out.println(
                "  sent again after each crash: "
                        + Arrays.toString(again)
                        + ", forwarded again: "
                        + Arrays.toString(forwardedAgain));
        System.out.println("  reports more than refusals: " + reportsAgain);
        assertEquals(List.of(), wrong);
        Set<String> lost = new TreeSet<>();
        for (String name : acknowledged) {
            boolean there =
                    switch (name.charAt(0)) {
                        case 'm' -> arrived.containsKey(name);
                        case 'f' -> arrived.getOrDefault(name, 0) >= FORWARDED.copies();
                        default -> reported.containsKey(name);
                    };
            if (!there) {
                lost.add(name);
            }
        }
        assertEquals(Set.of(), lost, "of " + acknowledged.size() + " acknowledged");
        // One is being sent on each connection when the node is killed.
        assertTrue(Arrays.stream(again).sum() <= CONNECTIONS * CRASHES, "sent again");
        // The same, and one may have been put into the queue anew and not yet be settled.
        assertTrue(
                Arrays.stream(forwardedAgain).sum()
                        <= FORWARDED.copies() * (CONNECTIONS + 1) * CRASHES,
                "forwarded again");
        assertTrue(reportsAgain <= (CONNECTIONS + 1) * CRASHES, "reported again");
    }

    private long count(String mark) {
        return acknowledged.stream().filter(name -> name.startsWith(mark)).count();
    }

    private static String subject(String message) {
        Matcher subject = SUBJECT.matcher(message);
        assertTrue(subject.find(), message);
        return subject.group(1);
    }
}
