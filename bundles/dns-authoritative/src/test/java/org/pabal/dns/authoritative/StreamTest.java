package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pabal.dns.DnsFraming;
import org.pabal.dns.Responder;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.MemoryZoneKeyStore;
import org.pabal.testkit.TestConnection;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/// Streams (RFC 7766), plugged-in responders, settings.
class StreamTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Node node =
            Node.serving(
                    "example.org.", Node.SOA + "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\n" + many());
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    private static String many() {
        StringBuilder file = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            file.append("many 3600 A 192.0.2.")
                    .append(i % 250 + 1)
                    .append("\nmany 3600 TXT \"")
                    .append(i)
                    .append("\"\n");
        }
        return file.toString();
    }

    @AfterEach
    void stop() {
        threads.close();
        node.close();
    }

    private Future<?> converse(AuthoritativeServer server, TestConnection connection) {
        return threads.submit(
                () -> {
                    try {
                        server.converse(connection);
                    } finally {
                        connection.finish();
                    }
                    return null;
                });
    }

    private static Message read(InputStream in) throws IOException {
        return new Message(DnsFraming.read(in).orElseThrow());
    }

    @Test
    void answersAPipelineInItsOrder() throws Exception {
        TestConnection connection = new TestConnection();
        Future<?> conversation = converse(node.server, connection);
        ByteArrayOutputStream batch = new ByteArrayOutputStream();
        for (int id = 0; id < 200; id++) {
            Message query =
                    Node.query(
                            id % 3 == 0 ? "nope.example.org" : "ns1.example.org",
                            id % 5 == 0 ? Type.ANY : Type.A);
            query.getHeader().setID(id);
            DnsFraming.write(batch, query.toWire());
        }
        connection.toServer().write(batch.toByteArray());
        InputStream answers = connection.fromServer();
        for (int id = 0; id < 200; id++) {
            Message answer = read(answers);
            assertEquals(id, answer.getHeader().getID());
            assertEquals(id % 3 == 0 ? Rcode.NXDOMAIN : Rcode.NOERROR, answer.getRcode());
        }
        connection.close();
        conversation.get();
    }

    @Test
    void neverTruncatesOnAStreamAndAnswersOddThingsToo() throws Exception {
        TestConnection connection = new TestConnection();
        Future<?> conversation = converse(node.server, connection);
        InputStream answers = connection.fromServer();
        DnsFraming.write(connection.toServer(), Node.query("many.example.org", Type.A).toWire());
        assertEquals(250, read(answers).getSection(Section.ANSWER).size());
        DnsFraming.write(connection.toServer(), Node.query("many.example.org", Type.TXT).toWire());
        assertEquals(300, read(answers).getSection(Section.ANSWER).size());
        // AXFR is refused, an answer is ignored, a scrap is ignored, a broken query is a FORMERR
        DnsFraming.write(connection.toServer(), Node.query("example.org", Type.AXFR).toWire());
        assertEquals(Rcode.REFUSED, read(answers).getRcode());
        Message response = Node.query("ns1.example.org", Type.A);
        response.getHeader().setFlag(Flags.QR);
        DnsFraming.write(connection.toServer(), response.toWire());
        DnsFraming.write(connection.toServer(), new byte[3]);
        DnsFraming.write(connection.toServer(), new byte[12]);
        assertEquals(Rcode.FORMERR, read(answers).getRcode());
        connection.close();
        conversation.get();
    }

    /// Security row D18: a client that says nothing, and one that says half a message
    @Test
    void leavesAClientWhoseTimeIsUp() throws Exception {
        for (byte[] sent : new byte[][] {{}, {0}, {0, 30, 1, 2}}) {
            TestConnection connection = new TestConnection();
            Future<?> conversation = converse(node.server, connection);
            connection.toServer().write(sent);
            connection.expire();
            ExecutionException end = assertThrows(ExecutionException.class, conversation::get);
            assertTrue(end.getCause() instanceof SocketTimeoutException, end.toString());
        }
    }

    /// Security row D18: octet by octet is slow, and no fault
    @Test
    void takesAQueryOctetByOctet() throws Exception {
        TestConnection connection = new TestConnection();
        Future<?> conversation = converse(node.server, connection);
        ByteArrayOutputStream query = new ByteArrayOutputStream();
        DnsFraming.write(query, Node.query("ns1.example.org", Type.A).toWire());
        for (int round = 0; round < 3; round++) {
            for (byte octet : query.toByteArray()) {
                connection.toServer().write(octet);
                connection.toServer().flush();
            }
            assertEquals(Rcode.NOERROR, read(connection.fromServer()).getRcode());
        }
        connection.close();
        conversation.get();
    }

    /// Security row D18: who has said all it will say still gets its answers
    @Test
    void answersAHalfClosedStreamAndEnds() throws Exception {
        TestConnection connection = new TestConnection();
        for (int i = 0; i < 10; i++) {
            DnsFraming.write(connection.toServer(), Node.query("ns1.example.org", Type.A).toWire());
        }
        connection.toServer().close();
        converse(node.server, connection).get();
        for (int i = 0; i < 10; i++) {
            assertEquals(Rcode.NOERROR, read(connection.fromServer()).getRcode());
        }
        assertTrue(DnsFraming.read(connection.fromServer()).isEmpty());
    }

    /// Streams that never have to wait for their client, more than there are processors, leave room
    /// for one that asks once. Security row D18.
    @Test
    void greedyStreamsDoNotStarveOthers() throws Exception {
        AuthoritativeServer patient =
                new AuthoritativeServer(
                        node.store,
                        new MemoryZoneKeyStore(),
                        InstantSource.system(),
                        Map.of("tcp-queries", "" + Integer.MAX_VALUE));
        AtomicBoolean enough = new AtomicBoolean();
        int greedy = 2 * Runtime.getRuntime().availableProcessors() + 2;
        CountDownLatch busy = new CountDownLatch(greedy);
        byte[] query = Node.query("ns1.example.org", Type.A).toWire();
        for (int i = 0; i < greedy; i++) {
            threads.submit(
                    () -> {
                        patient.converse(new GreedyConnection(query, enough, busy));
                        return null;
                    });
        }
        try {
            assertTrue(busy.await(30, TimeUnit.SECONDS), "some never had a turn");
            TestConnection honest = new TestConnection();
            Future<?> conversation = converse(patient, honest);
            DnsFraming.write(honest.toServer(), query);
            assertEquals(Rcode.NOERROR, read(honest.fromServer()).getRcode());
            honest.close();
            conversation.get();
        } finally {
            enough.set(true);
            patient.stop();
        }
    }

    /// Security row D18: a number of queries, then the client has to come again
    @Test
    void closesAfterTheAgreedNumberOfQueries() throws Exception {
        AuthoritativeServer brief =
                new AuthoritativeServer(
                        node.store,
                        new MemoryZoneKeyStore(),
                        InstantSource.system(),
                        Map.of("tcp-queries", "3"));
        TestConnection connection = new TestConnection();
        for (int i = 0; i < 4; i++) {
            DnsFraming.write(connection.toServer(), Node.query("ns1.example.org", Type.A).toWire());
        }
        Future<?> conversation = converse(brief, connection);
        conversation.get();
        InputStream answers = connection.fromServer();
        for (int i = 0; i < 3; i++) {
            assertEquals(Rcode.NOERROR, read(answers).getRcode());
        }
        assertTrue(DnsFraming.read(answers).isEmpty());
        brief.stop();
    }

    @Test
    void endsBetweenTwoMessagesWhenItIsReplaced() throws Exception {
        TestConnection connection = new TestConnection();
        Future<?> conversation = converse(node.server, connection);
        DnsFraming.write(connection.toServer(), Node.query("ns1.example.org", Type.A).toWire());
        assertEquals(Rcode.NOERROR, read(connection.fromServer()).getRcode());
        connection.drain();
        conversation.get();
    }

    @Test
    void asksAPluggedInResponder() throws Exception {
        Record text = new TXTRecord(Node.name("x.lab.example.org"), DClass.IN, 60, "from the lab");
        Responder lab =
                (query, from) -> {
                    Message answer = new Message(query.getHeader().getID());
                    answer.addRecord(query.getQuestion(), Section.QUESTION);
                    answer.addRecord(text, Section.ANSWER);
                    return query.getQuestion().getType() == Type.AXFR
                            ? Stream.of(answer, answer.clone())
                            : Stream.of(answer);
                };
        Map<String, Object> properties = Map.of(Responder.ORIGIN, "lab.example.org.");
        node.server.bindResponder(lab, properties);
        TestDatagram datagram =
                new TestDatagram(Node.query("x.lab.example.org", Type.TXT).toWire());
        node.server.received(datagram);
        Message answer = new Message(datagram.sent(PATIENCE).orElseThrow());
        assertEquals(text, answer.getSection(Section.ANSWER).getFirst());

        TestConnection connection = new TestConnection();
        Future<?> conversation = converse(node.server, connection);
        DnsFraming.write(connection.toServer(), Node.query("lab.example.org", Type.AXFR).toWire());
        assertEquals(text, read(connection.fromServer()).getSection(Section.ANSWER).getFirst());
        assertEquals(text, read(connection.fromServer()).getSection(Section.ANSWER).getFirst());
        connection.close();
        conversation.get();

        node.server.unbindResponder(lab, properties);
        assertEquals(
                "NXDOMAIN aa\n? example.org. 300 SOA", node.ask("x.lab.example.org", Type.TXT));
    }

    /// Whatever a responder throws is one SERVFAIL; and the receiving thread does not wait for a
    /// slow one.
    @Test
    void survivesABadResponder() throws Exception {
        CountDownLatch hold = new CountDownLatch(1);
        node.server.bindResponder(
                (query, from) -> {
                    throw new IllegalStateException("broken on purpose");
                },
                Map.of(Responder.ORIGIN, "bad.example.org."));
        node.server.bindResponder(
                (query, from) -> {
                    try {
                        hold.await();
                    } catch (InterruptedException e) {
                        throw new UncheckedIOException(new IOException(e));
                    }
                    return Stream.empty();
                },
                Map.of(Responder.ORIGIN, "slow.example.org."));
        TestDatagram slow = new TestDatagram(Node.query("slow.example.org", Type.A).toWire());
        node.server.received(slow);
        TestDatagram bad = new TestDatagram(Node.query("bad.example.org", Type.A).toWire());
        node.server.received(bad);
        assertEquals(Rcode.SERVFAIL, new Message(bad.sent(PATIENCE).orElseThrow()).getRcode());
        assertEquals(Optional.empty(), slow.sent());
        node.close(); // interrupts what waits, and returns
        hold.countDown();
    }

    @Test
    void namesWhatIsWrongInItsSettings() {
        for (Map<String, Object> wrong :
                List.<Map<String, Object>>of(
                        Map.of("udp-size", "4096"),
                        Map.of("tcp-idle", "soon"),
                        Map.of("tcp-querys", "3"))) {
            BadSetting bad =
                    assertThrows(
                            BadSetting.class,
                            () ->
                                    new AuthoritativeServer(
                                            node.store,
                                            new MemoryZoneKeyStore(),
                                            InstantSource.system(),
                                            wrong));
            assertTrue(bad.getMessage().contains(wrong.keySet().iterator().next()));
            assertFalse(bad.getMessage().contains("\n"));
        }
    }
}
