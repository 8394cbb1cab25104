package org.pabal.itests.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Node;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Kills the node with SIGKILL while zones are updated (security row D22).
///
/// Every update adds two records to a name of its own. In the end every name whose update got its
/// NOERROR has both, and every other name has both or none.
class UpdateCrashTest {

    private static final int CRASHES = Integer.getInteger("pabal.crashes", 6);
    private static final int CLIENTS = 4;
    private static final Name ZONE = Name.fromConstantString("example.test.");
    private static final byte[] SECRET = "not a secret at all, thirty-two.".getBytes();

    @TempDir Path scratch;

    private final Set<Integer> acknowledged = ConcurrentHashMap.newKeySet();
    private final AtomicInteger sent = new AtomicInteger();

    @Test
    void keepsEveryUpdateThatWasSaidToBeMade() throws Exception {
        long seed = Long.getLong("pabal.seed", new Random().nextLong());
        System.out.println("update crash test: " + CRASHES + " crashes, -Dpabal.seed=" + seed);
        Random random = new Random(seed);
        try (Node node = Node.init(scratch.resolve("node"))) {
            node.set("org.pabal.zone~example.test.cfg", "zones", "example.test");
            node.set("org.pabal.zone~example.test.cfg", "update", "crash.example.test");
            node.set(
                    "org.pabal.tsig~crash.example.test.cfg",
                    "secret",
                    Base64.getEncoder().encodeToString(SECRET));
            for (int crash = 0; crash < CRASHES; crash++) {
                node.start();
                updateUntilKilled(node, 1 + random.nextInt(300));
            }
            node.start();
            compare(node.address("dns"));
            assertEquals(0, node.stop());
        }
    }

    private void updateUntilKilled(Node node, int acknowledgements) throws Exception {
        InetSocketAddress dns = node.address("dns");
        CountDownLatch moment = new CountDownLatch(acknowledgements);
        Thread[] clients = new Thread[CLIENTS];
        for (int i = 0; i < CLIENTS; i++) {
            clients[i] = Thread.ofVirtual().start(() -> updateUntilKilled(dns, moment));
        }
        assertTrue(
                moment.await(2, TimeUnit.MINUTES),
                () -> "the node took no updates; it said:\n" + node.output());
        node.kill();
        for (Thread client : clients) {
            client.join();
        }
    }

    private void updateUntilKilled(InetSocketAddress dns, CountDownLatch moment) {
        SimpleResolver server = server(dns);
        server.setTSIGKey(
                new TSIG(TSIG.HMAC_SHA256, Name.fromConstantString("crash.example.test."), SECRET));
        try {
            while (true) {
                int number = sent.incrementAndGet();
                Update update = new Update(ZONE);
                update.absent(name(number));
                update.add(name(number), Type.A, 60, "192.0.2.1");
                update.add(name(number), Type.TXT, 60, "\"" + number + "\"");
                if (server.send(update).getRcode() == Rcode.NOERROR) {
                    acknowledged.add(number);
                    moment.countDown();
                }
            }
        } catch (IOException e) {
            // The node was killed.
        }
    }

    private void compare(InetSocketAddress dns) throws IOException {
        SimpleResolver server = server(dns);
        for (int number = 1; number <= sent.get(); number++) {
            int address = answers(server, name(number), Type.A);
            int text = answers(server, name(number), Type.TXT);
            assertEquals(address, text, "half an update: " + name(number));
            if (acknowledged.contains(number)) {
                assertEquals(1, address, "lost: " + name(number));
            }
        }
        System.out.printf(
                "update crash test: %d updates sent, %d acknowledged%n",
                sent.get(), acknowledged.size());
    }

    private static int answers(SimpleResolver server, Name name, int type) throws IOException {
        Message query = Message.newQuery(Record.newRecord(name, type, DClass.IN));
        return server.send(query).getSection(Section.ANSWER).size();
    }

    private static SimpleResolver server(InetSocketAddress dns) {
        SimpleResolver server = new SimpleResolver(dns);
        server.setTCP(true);
        server.setTimeout(Duration.ofSeconds(10));
        return server;
    }

    private static Name name(int number) {
        return Name.fromConstantString("u" + number + ".example.test.");
    }
}
