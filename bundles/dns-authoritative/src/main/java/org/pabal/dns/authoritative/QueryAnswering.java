package org.pabal.dns.authoritative;

import org.pabal.dns.DnsFraming;
import org.pabal.dns.Responder;
import org.pabal.protocol.Connection;
import org.pabal.protocol.Datagram;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Message;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Takes queries from datagrams and streams and answers them.
///
/// A query goes one of two ways. [WireLookup] answers the ordinary one from prepared octets;
/// everything else is read by [Query], answered by [ZoneLookup] or a plugged-in [Responder], and
/// written by [Reply].
final class QueryAnswering implements AutoCloseable {

    /// Datagrams that may wait for plugged-in responders at one time; who comes then gets SERVFAIL.
    private static final int MAX_WAITING = 1000;

    /// DNS has no word for goodbye: a stream that has to end still answers what is on its way to
    /// us, and RFC 7766 §6.2.4 has clients ask again when a stream ends before an answer.
    private static final Duration LAST_QUERIES = Duration.ofMillis(300);

    private final Supplier<ServedZones> zones;
    private final Duration tcpIdle;
    private final int tcpQueries;
    private final WireLookup fast;
    private final Reply replies;
    private final FaultLog faults =
            new FaultLog(LoggerFactory.getLogger(AuthoritativeServer.class));
    private final ExecutorService waiters = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore waiting = new Semaphore(MAX_WAITING);

    /// Answers NOTIFY.
    private volatile RequestHandler notifies =
            request ->
                    Stream.of(
                            replies()
                                    .write(
                                            request.query(),
                                            Answer.bare(Rcode.NOTIMP),
                                            request.stream()));

    /// @param zones the view of the moment
    /// @param udpLimit the largest answer over UDP
    /// @param tcpIdle how long a stream may be silent
    /// @param tcpQueries after how many queries a stream is closed
    QueryAnswering(Supplier<ServedZones> zones, int udpLimit, Duration tcpIdle, int tcpQueries) {
        this.zones = zones;
        this.tcpIdle = tcpIdle;
        this.tcpQueries = tcpQueries;
        this.fast = new WireLookup(udpLimit);
        this.replies = new Reply(udpLimit);
    }

    void notifies(RequestHandler handler) {
        notifies = handler;
    }

    Reply replies() {
        return replies;
    }

    /// One datagram, on the receiving thread.
    void received(Datagram datagram) {
        try {
            if (fast.answer(zones.get(), datagram.payload(), datagram.answer(), false)) {
                datagram.send();
                return;
            }
        } catch (RuntimeException e) {
            faults.note(datagram.peer(), e);
        }
        datagram.answer().position(0);
        byte[] octets = octets(datagram.payload());
        Optional<Query> read = Query.read(octets);
        if (read.isEmpty()) {
            return;
        }
        Request request =
                new Request(read.get(), octets, datagram.peer(), false, false, Optional.empty());
        Optional<RequestHandler> handler = handler(request);
        if (handler.isEmpty()) {
            send(datagram, answer(request));
        } else if (waiting.tryAcquire()) {
            later(datagram.detach(), request, handler.get());
        } else {
            send(datagram, replies.write(request.query(), Answer.bare(Rcode.SERVFAIL), false));
        }
    }

    /// A handler may wait for something, the receiving thread may not.
    private void later(Datagram datagram, Request request, RequestHandler handler) {
        waiters.execute(
                () -> {
                    try (Stream<byte[]> answers = handler.answer(request)) {
                        answers.limit(1).forEach(reply -> send(datagram, reply));
                    } catch (IOException | RuntimeException e) {
                        faults.note(request.from(), e);
                        datagram.answer().position(0);
                        send(
                                datagram,
                                replies.write(request.query(), Answer.bare(Rcode.SERVFAIL), false));
                    } finally {
                        waiting.release();
                    }
                });
    }

    /// One stream. RFC 7766 §6.2.1.1: a client may send queries without waiting; they are answered
    /// one after the other, in its order, and the transport sends the answers to a batch together.
    void converse(Connection connection) throws IOException {
        connection.patience(tcpIdle);
        int queries = 0;
        while (queries < tcpQueries && connection.awaitInput() && answerNext(connection)) {
            queries++;
        }
        if (connection.draining()) {
            connection.patience(LAST_QUERIES);
            try {
                while (queries < tcpQueries && answerNext(connection)) {
                    queries++;
                }
            } catch (SocketTimeoutException e) {
                // Nothing more was on its way.
            }
        }
    }

    private boolean answerNext(Connection connection) throws IOException {
        Optional<byte[]> octets = DnsFraming.read(connection.input());
        if (octets.isPresent()) {
            answer(connection, octets.get());
        }
        return octets.isPresent();
    }

    private void answer(Connection connection, byte[] octets) throws IOException {
        ByteBuffer out = ByteBuffer.allocate(2 + WireLookup.MAX_ANSWER);
        try {
            if (fast.answer(zones.get(), ByteBuffer.wrap(octets), out.position(2), true)) {
                out.putShort(0, (short) (out.position() - 2));
                connection.output().write(out.array(), 0, out.position());
                return;
            }
        } catch (RuntimeException e) {
            faults.note(connection.peer(), e);
        }
        Optional<Query> read = Query.read(octets);
        if (read.isEmpty()) {
            return;
        }
        Request request =
                new Request(
                        read.get(),
                        octets,
                        connection.peer(),
                        true,
                        connection.tls().isPresent(),
                        Optional.empty());
        Optional<RequestHandler> handler = handler(request);
        if (handler.isEmpty()) {
            DnsFraming.write(connection.output(), answer(request));
            return;
        }
        try (Stream<byte[]> answers = handler.get().answer(request)) {
            for (byte[] reply : (Iterable<byte[]>) answers::iterator) {
                DnsFraming.write(connection.output(), reply);
            }
        } catch (RuntimeException e) {
            faults.note(connection.peer(), e);
            DnsFraming.write(
                    connection.output(),
                    replies.write(request.query(), Answer.bare(Rcode.SERVFAIL), true));
        }
    }

    /// The readable path. Whatever goes wrong in it is one query's SERVFAIL and never the end of a
    /// worker.
    private byte[] answer(Request request) {
        try {
            return replies.write(request.query(), answer(request.query()), request.stream());
        } catch (RuntimeException e) {
            faults.note(request.from(), e);
            return Reply.failure(request.octets());
        }
    }

    private Answer answer(Query query) {
        if (query.fault() != Rcode.NOERROR) {
            return Answer.bare(query.fault());
        }
        if (query.opcode() != Opcode.QUERY) {
            return Answer.bare(Rcode.NOTIMP); // RFC 1035 §4.1.1
        }
        if (unavailable(query)) {
            return Answer.bare(Rcode.SERVFAIL);
        }
        if (query.transfer()) {
            return Answer.bare(
                    Rcode.REFUSED); // nobody is allowed to transfer yet (security row D20)
        }
        return ZoneLookup.find(zones.get(), query.name(), query.type(), query.dnssec());
    }

    private boolean unavailable(Query query) {
        return zones.get().source(query.name(), query.type()).orElse(null)
                instanceof ServedZones.Unavailable;
    }

    /// Who answers a request that may take its time; empty for all that are answered at once.
    private Optional<RequestHandler> handler(Request request) {
        Query query = request.query();
        if (query.fault() == Rcode.NOERROR && query.opcode() == Opcode.NOTIFY) {
            return Optional.of(notifies);
        }
        // RFC 5936 §4.2: AXFR is not for UDP.
        if (query.fault() != Rcode.NOERROR
                || query.opcode() != Opcode.QUERY
                || !request.stream() && query.type() == Type.AXFR
                || unavailable(query)) {
            return Optional.empty();
        }
        return zones.get()
                .source(query.name(), query.type())
                .flatMap(
                        source ->
                                source instanceof ServedZones.Plugged plugged
                                        ? Optional.of(plugged(plugged.responder()))
                                        : Optional.empty());
    }

    private RequestHandler plugged(Responder responder) {
        return request -> {
            Query query = request.query();
            boolean stream = request.stream();
            Message message;
            try {
                message = new Message(request.octets());
            } catch (IOException e) {
                return Stream.of(replies.write(query, Answer.bare(Rcode.FORMERR), stream));
            }
            return responder
                    .respond(message, request.from())
                    .map(reply -> replies.write(query, reply, stream));
        };
    }

    private static byte[] octets(ByteBuffer payload) {
        byte[] octets = new byte[payload.remaining()];
        payload.get(payload.position(), octets);
        return octets;
    }

    private static void send(Datagram datagram, byte[] reply) {
        datagram.answer().put(reply);
        datagram.send();
    }

    @Override
    public void close() {
        waiters.shutdownNow();
        waiters.close();
    }
}
