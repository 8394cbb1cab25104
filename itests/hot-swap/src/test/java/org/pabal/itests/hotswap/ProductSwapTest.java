package org.pabal.itests.hotswap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Conversations;
import org.pabal.itests.node.Node;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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

/// Swaps smtp, pop3 and dns-authoritative of a running node from `deploy/` while eight clients talk
/// to them.
///
/// A client may be sent home with the goodbye of its protocol and comes again; a refused or broken
/// connection, a message that got its 250 and is not there exactly once, a query without its
/// answer: none of these may happen once.
class ProductSwapTest {

    private static final int UPDATES = Integer.getInteger("pabal.updates", 20);
    private static final Pattern SUBJECT = Pattern.compile("(?m)^Subject: (m\\d+)\r?$");

    @TempDir Path scratch;

    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    private final AtomicInteger numbers = new AtomicInteger();
    private final AtomicInteger goodbyes = new AtomicInteger();
    private final AtomicInteger reads = new AtomicInteger();
    private final AtomicInteger queries = new AtomicInteger();
    private volatile boolean over;

    @Test
    void losesNothingWhileBundlesAreSwapped() throws Exception {
        try (Node node = Node.init(scratch.resolve("node"))) {
            node.start();
            node.shell("account:add", "bob@example.test", "pabal");
            node.shell("account:add", "carol@example.test", "pabal");
            InetSocketAddress smtp = node.address("smtp");
            InetSocketAddress pop3 = node.address("pop3");
            InetSocketAddress dns = node.address("dns");
            Conversations.sendMail(
                    smtp,
                    "alice@example.org",
                    "carol@example.test",
                    "Subject: m0\r\n\r\nHello.\r\n");

            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                clients.add(Thread.ofVirtual().start(() -> again(() -> send(smtp))));
                clients.add(Thread.ofVirtual().start(() -> again(() -> read(pop3))));
            }
            clients.add(Thread.ofVirtual().start(() -> again(() -> askByUdp(dns))));
            clients.add(Thread.ofVirtual().start(() -> again(() -> askByTcp(dns))));

            for (int update = 1; update <= UPDATES; update++) {
                for (String bundle :
                        new String[] {
                            "org.pabal.smtp", "org.pabal.pop3", "org.pabal.dns.authoritative"
                        }) {
                    Deployment.deploy(node, bundle, update);
                }
                for (String bundle :
                        new String[] {
                            "org.pabal.smtp", "org.pabal.pop3", "org.pabal.dns.authoritative"
                        }) {
                    Deployment.awaitActive(node, bundle, update);
                }
            }
            over = true;
            for (Thread client : clients) {
                client.join();
            }
            node.awaitEmptyQueue();
            System.out.println(
                    "swap test: "
                            + UPDATES
                            + " updates of 3 bundles, "
                            + acknowledged.size()
                            + " messages, "
                            + reads
                            + " mailboxes read, "
                            + queries
                            + " queries, "
                            + goodbyes
                            + " goodbyes, wrong: "
                            + wrong.size());
            assertEquals(List.of(), List.copyOf(wrong));
            compare(Conversations.readMail(pop3, "bob@example.test", "pabal"));
            assertTrue(
                    acknowledged.size() > UPDATES
                            && reads.get() > UPDATES
                            && queries.get() > UPDATES,
                    "too little load");
            assertEquals(0, node.stop());
        }
    }

    private interface Conversation {
        void hold() throws Exception;
    }

    private void again(Conversation conversation) {
        while (!over) {
            try {
                conversation.hold();
            } catch (Conversations.Goodbye e) {
                goodbyes.incrementAndGet();
            } catch (Exception e) {
                wrong.add(conversation + ": " + e);
            }
        }
    }

    private void send(InetSocketAddress smtp) throws IOException {
        String name = "m" + numbers.incrementAndGet();
        Conversations.sendMail(
                smtp,
                "alice@example.org",
                "bob@example.test",
                "Subject: " + name + "\r\n\r\nHello.\r\n");
        acknowledged.add(name);
    }

    private void read(InetSocketAddress pop3) throws IOException {
        List<String> messages;
        try {
            messages = Conversations.readMail(pop3, "carol@example.test", "pabal");
        } catch (IOException e) {
            if (e.getMessage().contains("[IN-USE]")) {
                return; // another of our readers holds the maildrop, RFC 1939 §4
            }
            throw e;
        }
        if (messages.size() != 1 || !messages.getFirst().contains("Subject: m0")) {
            wrong.add("carol reads " + messages);
        }
        reads.incrementAndGet();
    }

    private void askByUdp(InetSocketAddress dns) throws IOException {
        SimpleResolver resolver = new SimpleResolver(dns);
        resolver.setTimeout(Duration.ofSeconds(30));
        check(resolver.send(query()));
    }

    /// A connection that is cut before it has brought every answer counts as wrong.
    private void askByTcp(InetSocketAddress dns) throws IOException {
        try (Socket socket = new Socket(dns.getAddress(), dns.getPort())) {
            socket.setSoTimeout(30_000);
            DataOutputStream out =
                    new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
            DataInputStream in = new DataInputStream(socket.getInputStream());
            for (int i = 0; i < 2; i++) {
                byte[] octets = query().toWire();
                out.writeShort(octets.length);
                out.write(octets);
            }
            out.flush();
            for (int i = 0; i < 2; i++) {
                check(new Message(in.readNBytes(in.readUnsignedShort())));
            }
        }
    }

    private static Message query() throws IOException {
        Name name = Name.fromString("mx.example.test.");
        return Message.newQuery(Record.newRecord(name, Type.A, DClass.IN));
    }

    private void check(Message answer) {
        List<Record> records = answer.getSection(Section.ANSWER);
        boolean right =
                answer.getRcode() == Rcode.NOERROR
                        && answer.getHeader().getFlag(Flags.AA)
                        && records.size() == 1
                        && records.getFirst() instanceof ARecord a
                        && a.getAddress().getHostAddress().equals("127.0.0.1");
        if (!right) {
            wrong.add("answer: " + answer);
        }
        queries.incrementAndGet();
    }

    private void compare(List<String> messages) {
        Map<String, Integer> found = new HashMap<>();
        for (String message : messages) {
            Matcher subject = SUBJECT.matcher(message);
            assertTrue(subject.find(), message);
            found.merge(subject.group(1), 1, Integer::sum);
        }
        Set<String> lost = new TreeSet<>(acknowledged);
        lost.removeAll(found.keySet());
        assertEquals(Set.of(), lost, "lost after 250");
        assertTrue(found.values().stream().allMatch(times -> times == 1), "delivered twice");
    }
}
