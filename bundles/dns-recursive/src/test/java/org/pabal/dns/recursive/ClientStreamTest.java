package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dns.recursive.ServedClients.edns;
import static org.pabal.dns.recursive.ServedClients.name;
import static org.pabal.dns.recursive.ServedClients.parsed;
import static org.pabal.dns.recursive.ServedClients.query;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pabal.dns.DnsFraming;
import org.pabal.dns.ResponsePolicy;
import org.pabal.dns.Ruling;
import org.pabal.testkit.TestConnection;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.TcpKeepaliveOption;
import org.xbill.DNS.Type;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Streams (RFC 7766). Security row D18.
@Timeout(60)
class ClientStreamTest {

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final CountDownLatch open = new CountDownLatch(1);

    @AfterEach
    void stop() {
        open.countDown();
        threads.close();
    }

    private ServedClients slow(String... settings) {
        ServedClients clients = new ServedClients(settings);
        clients.recursor.gates.put(name("slow.example.org"), request -> open.await());
        return clients;
    }

    private Future<?> converse(ServedClients clients, TestConnection connection) {
        return threads.submit(
                () -> {
                    try {
                        clients.server.converse(connection);
                    } finally {
                        connection.finish();
                    }
                    return null;
                });
    }

    private static byte[] framed(int id, String name) throws IOException {
        Message query = query(name, Type.A);
        query.getHeader().setID(id);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DnsFraming.write(out, query.toWire());
        return out.toByteArray();
    }

    private static int nextId(TestConnection connection) throws IOException {
        return parsed(DnsFraming.read(connection.fromServer()).orElseThrow()).getHeader().getID();
    }

    @Test
    void nobodyWaitsForAnotherQuery() throws Exception {
        try (ServedClients clients = slow()) {
            TestConnection connection = new TestConnection();
            Future<?> conversation = converse(clients, connection);
            connection.toServer().write(framed(1, "slow.example.org"));
            connection.toServer().write(framed(2, "b.example.org"));
            assertEquals(2, nextId(connection), "the first is still being looked up");
            connection.toServer().write(framed(3, "c.example.org"));
            assertEquals(3, nextId(connection));
            open.countDown();
            assertEquals(1, nextId(connection));
            connection.close();
            conversation.get();
        }
    }

    @Test
    void readsNoMoreWhileTooManyAreOnTheirWay() throws Exception {
        try (ServedClients clients = slow("tcp-in-flight", "100")) {
            TestConnection connection = new TestConnection();
            Future<?> conversation = converse(clients, connection);
            ByteArrayOutputStream batch = new ByteArrayOutputStream();
            for (int id = 0; id < 150; id++) {
                batch.write(framed(id, "slow.example.org"));
            }
            batch.write(framed(1000, "fast.example.org"));
            connection.toServer().write(batch.toByteArray());
            while (clients.recursor.asked.get() < 100) {
                Thread.onSpinWait();
            }
            assertEquals(100, clients.recursor.asked.get());
            open.countDown();
            for (int i = 0; i < 151; i++) {
                nextId(connection);
            }
            assertEquals(151, clients.recursor.asked.get());
            connection.close();
            conversation.get();
        }
    }

    /// A client that sends a part of a query and nothing more is let go by the patience.
    @Test
    void aStreamThatIsSilentEnds() throws Exception {
        try (ServedClients clients = slow()) {
            TestConnection connection = new TestConnection();
            Future<?> conversation = converse(clients, connection);
            connection.toServer().write(new byte[] {0, 40, 1});
            connection.expire();
            ExecutionException end = assertThrows(ExecutionException.class, conversation::get);
            assertTrue(end.getCause() instanceof SocketTimeoutException, end.toString());
        }
    }

    @Test
    void aStreamHasSoManyQueries() throws Exception {
        try (ServedClients clients = slow("tcp-queries", "3")) {
            TestConnection connection = new TestConnection();
            for (int id = 0; id < 5; id++) {
                connection.toServer().write(framed(id, "n" + id + ".example.org"));
            }
            Future<?> conversation = converse(clients, connection); // it ends before the fifth
            conversation.get();
            assertEquals(3, clients.recursor.asked.get());
        }
    }

    @Test
    void aClientThatHasSaidAllGetsItsAnswers() throws Exception {
        try (ServedClients clients = slow()) {
            TestConnection connection = new TestConnection();
            connection.toServer().write(framed(1, "slow.example.org"));
            connection.toServer().write(framed(2, "b.example.org"));
            connection.toServer().close();
            Future<?> conversation = converse(clients, connection);
            assertEquals(2, nextId(connection));
            open.countDown();
            assertEquals(1, nextId(connection));
            conversation.get();
        }
    }

    @Test
    void answersWhatIsOnItsWayWhenItIsReplaced() throws Exception {
        try (ServedClients clients = slow()) {
            TestConnection connection = new TestConnection();
            Future<?> conversation = converse(clients, connection);
            connection.toServer().write(framed(1, "slow.example.org"));
            while (clients.recursor.asked.get() == 0) {
                Thread.onSpinWait();
            }
            connection.drain();
            open.countDown();
            assertEquals(1, nextId(connection));
            conversation.get();
            assertTrue(connection.isLeft(), "the client stays connected");
        }
    }

    @Test
    void aSilentClientIsLeftToTheSuccessorWithWhatItSaysNext() throws Exception {
        try (ServedClients clients = slow();
                ServedClients successor = slow()) {
            TestConnection connection = new TestConnection();
            connection.toServer().write(framed(1, "a.example.org"));
            Future<?> conversation =
                    threads.submit(
                            () -> {
                                clients.server.converse(connection);
                                return null;
                            });
            assertEquals(1, nextId(connection));
            connection.drain();
            connection.toServer().write(framed(2, "b.example.org"));
            conversation.get();
            assertTrue(connection.isLeft());
            assertEquals(1, clients.recursor.asked.get());
            connection.passOn();
            Future<?> next = converse(successor, connection);
            assertEquals(2, nextId(connection));
            connection.close();
            next.get();
        }
    }

    /// RFC 7766 §6.2.3: only who waits for nothing is idle.
    @Test
    void whoWaitsForAnAnswerMayBeSilent() throws Exception {
        try (ServedClients clients = slow()) {
            TestConnection connection = new TestConnection();
            Future<?> conversation = converse(clients, connection);
            connection.toServer().write(framed(1, "slow.example.org"));
            while (clients.recursor.asked.get() == 0) {
                Thread.onSpinWait();
            }
            connection.expire();
            while (connection.isExpiring()) {
                Thread.onSpinWait();
            }
            open.countDown();
            assertEquals(1, nextId(connection));
            connection.close();
            conversation.get();
        }
    }

    @Test
    void aDroppedQueryEndsItsStream() throws Exception {
        ResponsePolicy drops =
                new ResponsePolicy() {
                    @Override
                    public Ruling question(Name name, int type, InetAddress client) {
                        return new Ruling.Drop("list");
                    }
                };
        try (ServedClients clients = new ServedClients(List.of(drops))) {
            TestConnection connection = new TestConnection();
            Future<?> conversation = converse(clients, connection);
            connection.toServer().write(framed(1, "a.example.org"));
            conversation.get();
            assertTrue(DnsFraming.read(connection.fromServer()).isEmpty());
        }
    }

    /// RFC 7828 and RFC 7830, RFC 8467
    @Test
    void tellsItsPatienceAndPadsWhatIsEncrypted() throws Exception {
        try (ServedClients clients = new ServedClients()) {
            Message query =
                    edns(
                            query("a.example.org", Type.A),
                            0,
                            new GenericEDNSOption(EDNSOption.Code.TCP_KEEPALIVE, new byte[0]),
                            new GenericEDNSOption(EDNSOption.Code.PADDING, new byte[8]));
            byte[] octets = clients.stream(true, query.toWire());
            assertEquals(0, octets.length % 468);
            Message answer = parsed(octets);
            assertEquals(Rcode.NXDOMAIN, answer.getRcode());
            TcpKeepaliveOption patience =
                    (TcpKeepaliveOption)
                            answer.getOPT().getOptions(EDNSOption.Code.TCP_KEEPALIVE).getFirst();
            assertEquals(100, patience.getTimeout().orElseThrow(), "tenths of a second");
            assertTrue(clients.stream(false, query.toWire()).length < 468, "in the clear");
        }
    }
}
