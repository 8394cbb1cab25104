package org.pabal.dns.authoritative;

import org.pabal.dns.DnsFraming;
import org.pabal.dns.Responder;
import org.pabal.dns.server.Edges;
import org.pabal.dns.server.EdnsAnswering;
import org.pabal.dns.server.FaultLog;
import org.pabal.dns.server.Query;
import org.pabal.dns.server.RateLimit;
import org.pabal.dns.server.Statistics;
import org.pabal.dns.server.Writing;
import org.pabal.protocol.Connection;
import org.pabal.protocol.Datagram;
import org.pabal.protocol.Peer;
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
import java.util.concurrent.locks.LockSupport;
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

    /// After so many queries a stream that never has to wait lets others have its processor:
    /// virtual threads are not taken off it.
    private static final int TURN = 1000;

    private final Supplier<ServedZones> zones;
    private final Edges edges;
    private final Duration tcpIdle;
    private final int tcpQueries;
    private final WireLookup fast;
    private final EdnsAnswering options;
    private final Reply replies;
    private final Signatures signatures;
    private final RequestHandler updates;
    private final RequestHandler transfers;
    private final FaultLog faults =
            new FaultLog(LoggerFactory.getLogger(AuthoritativeServer.class)::error);
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
    QueryAnswering(
            Supplier<ServedZones> zones,
            Edges edges,
            Reply replies,
            Signatures signatures,
            RequestHandler updates,
            RequestHandler transfers) {
        this.zones = zones;
        this.edges = edges;
        this.tcpIdle = edges.settings.tcpIdle();
        this.tcpQueries = edges.settings.tcpQueries();
        this.fast = new WireLookup(edges);
        this.options = new EdnsAnswering(edges);
        this.replies = replies;
        this.signatures = signatures;
        this.updates = updates;
        this.transfers = transfers;
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
            int outcome =
                    fast.answer(
                            zones.get(),
                            datagram.payload(),
                            datagram.answer(),
                            datagram.address(),
                            Statistics.UDP);
            if (outcome == WireLookup.ANSWERED) {
                datagram.send();
                return;
            }
            if (outcome == WireLookup.WITHHELD) {
                edges.statistics.dropped();
                return;
            }
        } catch (RuntimeException e) {
            faults.note(datagram.peer(), e);
        }
        datagram.answer().position(0);
        byte[] octets = octets(datagram.payload());
        Optional<Query> read =
                Query.read(octets)
                        .map(
                                query ->
                                        options.considered(
                                                query, datagram.address(), Statistics.UDP));
        if (read.isEmpty()) {
            edges.statistics.ignored();
            return;
        }
        Signature signature = signature(read.get(), octets, datagram.peer());
        Request request =
                new Request(read.get(), octets, datagram.peer(), false, false, signature.key());
        Optional<RequestHandler> handler = handler(request, signature);
        if (handler.isEmpty()) {
            send(datagram, request, sign(request, signature, answer(request, signature)));
        } else if (waiting.tryAcquire()) {
            later(datagram.detach(), request, signature, handler.get());
        } else {
            send(datagram, request, sign(request, signature, failed(request)));
        }
    }

    /// A handler may wait for something, the receiving thread may not.
    private void later(
            Datagram datagram, Request request, Signature signature, RequestHandler handler) {
        waiters.execute(
                () -> {
                    try (Stream<byte[]> answers = handler.answer(request)) {
                        answers.limit(1)
                                .forEach(
                                        reply ->
                                                send(
                                                        datagram,
                                                        request,
                                                        sign(request, signature, reply)));
                    } catch (IOException | RuntimeException e) {
                        faults.note(request.from(), e);
                        datagram.answer().position(0);
                        send(datagram, request, sign(request, signature, failed(request)));
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
            if (queries % TURN == 0) {
                // A stream that never has to wait for its client. Thread.yield() would give way to
                // those only that the same carrier thread has begun already.
                LockSupport.parkNanos(1);
            }
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
        int transport = connection.tls().isPresent() ? Statistics.TLS : Statistics.TCP;
        ByteBuffer address = ByteBuffer.wrap(connection.peer().address().getAddress().getAddress());
        ByteBuffer out = ByteBuffer.allocate(2 + WireLookup.MAX_ANSWER);
        try {
            int outcome =
                    fast.answer(
                            zones.get(),
                            ByteBuffer.wrap(octets),
                            out.position(2),
                            address,
                            transport);
            if (outcome == WireLookup.ANSWERED) {
                out.putShort(0, (short) (out.position() - 2));
                connection.output().write(out.array(), 0, out.position());
                return;
            }
        } catch (RuntimeException e) {
            faults.note(connection.peer(), e);
        }
        Optional<Query> read =
                Query.read(octets).map(query -> options.considered(query, address, transport));
        if (read.isEmpty()) {
            edges.statistics.ignored();
            return;
        }
        Signature signature = signature(read.get(), octets, connection.peer());
        Request request =
                new Request(
                        read.get(),
                        octets,
                        connection.peer(),
                        true,
                        transport == Statistics.TLS,
                        signature.key());
        Optional<RequestHandler> handler = handler(request, signature);
        if (handler.isEmpty()) {
            write(connection, request, sign(request, signature, answer(request, signature)));
            return;
        }
        Stream<byte[]> answers;
        try {
            answers = handler.get().answer(request);
        } catch (IOException | RuntimeException e) {
            faults.note(connection.peer(), e);
            DnsFraming.write(connection.output(), sign(request, signature, failed(request)));
            return;
        }
        try (answers) {
            for (byte[] reply : (Iterable<byte[]>) answers::iterator) {
                write(connection, request, sign(request, signature, reply));
            }
        } catch (RuntimeException e) {
            faults.note(connection.peer(), e);
            write(connection, request, sign(request, signature, failed(request)));
        }
    }

    private void write(Connection connection, Request request, byte[] reply) throws IOException {
        int transport = request.encrypted() ? Statistics.TLS : Statistics.TCP;
        count(transport, reply, request.query().fault());
        DnsFraming.write(connection.output(), reply);
    }

    private Signature signature(Query query, byte[] octets, Peer from) {
        return query.fault() == Rcode.FORMERR ? Signature.NONE : signatures.of(query, octets, from);
    }

    private byte[] sign(Request request, Signature signature, byte[] reply) {
        return signature.sign(reply, replies.limit(request.query(), request.stream()));
    }

    private byte[] failed(Request request) {
        return replies.write(request.query(), Answer.bare(Rcode.SERVFAIL), request.stream());
    }

    /// The readable path. Whatever goes wrong in it is one query's SERVFAIL and never the end of a
    /// worker.
    private byte[] answer(Request request, Signature signature) {
        try {
            Answer answer =
                    signature.fault() == Rcode.NOERROR
                            ? answer(request.query())
                            : Answer.bare(signature.fault());
            return replies.write(request.query(), answer, request.stream());
        } catch (RuntimeException e) {
            faults.note(request.from(), e);
            return Writing.failure(request.octets());
        }
    }

    private Answer answer(Query query) {
        if (query.fault() != Rcode.NOERROR || query.cookieOnly()) {
            return Answer.bare(query.fault());
        }
        if (query.opcode() != Opcode.QUERY) {
            return Answer.bare(Rcode.NOTIMP); // RFC 1035 §4.1.1
        }
        if (unavailable(query)) {
            return Answer.bare(Rcode.SERVFAIL);
        }
        if (query.transfer()) {
            return Answer.bare(Rcode.NOTIMP); // RFC 5936 §4.2: not by UDP; NSD and Knot say so too
        }
        return ZoneLookup.find(zones.get(), query.name(), query.type(), query.dnssec());
    }

    private boolean unavailable(Query query) {
        return zones.get().source(query.name(), query.type()).orElse(null)
                instanceof ServedZones.Unavailable;
    }

    /// Who answers a request that may take its time; empty for all that are answered at once.
    private Optional<RequestHandler> handler(Request request, Signature signature) {
        Query query = request.query();
        if (query.fault() != Rcode.NOERROR || signature.fault() != Rcode.NOERROR) {
            return Optional.empty();
        }
        if (query.opcode() == Opcode.UPDATE) {
            return Optional.of(updates);
        }
        if (query.opcode() == Opcode.NOTIFY) {
            return Optional.of(notifies);
        }
        // RFC 5936 §4.2: AXFR is not for UDP.
        if (query.cookieOnly()
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
                                        : Optional.<RequestHandler>empty())
                .or(() -> query.transfer() ? Optional.of(transfers) : Optional.empty());
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

    /// Sends an answer of the readable path, if the client does not get too many.
    private void send(Datagram datagram, Request request, byte[] reply) {
        byte[] sent = reply;
        if (!proved(request)) {
            int kind = ReplyAccount.kind(reply);
            int name = ReplyAccount.name(zones.get(), request.query(), kind);
            int verdict = edges.limit.account(datagram.address(), kind, name, edges.tick.millis());
            if (verdict == RateLimit.DROP) {
                edges.statistics.dropped();
                return;
            }
            if (verdict == RateLimit.SLIP) {
                edges.statistics.slipped();
                sent = replies.withheld(request.query());
            }
        }
        count(Statistics.UDP, sent, sent == reply ? request.query().fault() : Rcode.BADCOOKIE);
        datagram.answer().put(sent);
        datagram.send();
    }

    /// Whether a client has shown that its address is its own (security row D13).
    private static boolean proved(Request request) {
        return request.key().isPresent()
                || request.query().edns().map(edns -> edns.answered().known()).orElse(false);
    }

    /// @param whole the rcode with its upper half, if it is that of the reply: the half is in the
    ///     OPT record, and only a fault can have one
    private void count(int transport, byte[] reply, int whole) {
        int low = reply[3] & 0xF;
        int rcode = (whole & 0xF) == low ? whole : low;
        edges.statistics.answered(transport, false, rcode, (reply[2] & 0x02) != 0);
    }

    @Override
    public void close() {
        waiters.shutdownNow();
        waiters.close();
    }
}
