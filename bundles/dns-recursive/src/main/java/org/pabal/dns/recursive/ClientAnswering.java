package org.pabal.dns.recursive;

import org.pabal.dns.NameHash;
import org.pabal.dns.ResponsePolicy;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/// Takes queries from datagrams and streams and answers them.
///
/// ```
/// query ──┬─ CacheAnswering: told at once from the octets of the cache
///         └─ who asks, what for ──┬─ told at once: refusals, faults, ourselves
///                                 └─ a seat in the WaitingRoom ── virtual thread ── recursor ── told
/// ```
final class ClientAnswering implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RecursiveServer.class);

    /// What is looked up when the bundle stops is waited for so long.
    private static final Duration LAST_ANSWERS = Duration.ofSeconds(5);

    /// Of a query for all types these are tried, until one is there (RFC 8482 §4.1).
    private static final List<Integer> ANY = List.of(Type.A, Type.AAAA, Type.MX);

    /// RFC 9520 §1: clients ask again soon, which is why this is told at once and not looked up.
    private static final Reason CROWDED =
            new Reason(ExtendedErrorCodeOption.OTHER, "too many queries wait");

    private static final Reason TOO_MANY =
            new Reason(ExtendedErrorCodeOption.PROHIBITED, "too many queries");

    private static final Reason NOT_ALLOWED =
            new Reason(ExtendedErrorCodeOption.PROHIBITED, "not allowed");

    private static final Reason NOT_SUPPORTED =
            new Reason(ExtendedErrorCodeOption.NOT_SUPPORTED, "");

    private static final Reason NOT_IN_CACHE =
            new Reason(ExtendedErrorCodeOption.NOT_AUTHORITATIVE, "not in the cache");

    /// What becomes of a query.
    private sealed interface Taken {

        /// It deserves no answer (security row D25).
        record Ignored() implements Taken {}

        /// It is answered at once.
        record Now(Query query, byte[] reply) implements Taken {}

        /// It is withheld an answer because its network asks for too much.
        record Limited(Query query) implements Taken {}

        /// It has to be looked up, and has a seat.
        record Later(Query query, int seat, Supplier<byte[]> lookup) implements Taken {}
    }

    private final ServiceSettings settings;
    private final Edges edges;
    private final ServiceStatistics statistics;
    private final EdnsAnswering options;
    private final AnswerMessage messages;
    private final Function<ByteBuffer, Serving> servings;
    private final RateLimit misses;
    private final WaitingRoom waiting;
    private final QueryTrace traces;
    private final CacheAnswering fast;
    private final FaultLog faults = new FaultLog(LOG::error);
    private final ExecutorService waiters =
            Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("resolver query").factory());

    /// @param servings who serves a client, by its address in network order
    /// @param policies at this moment
    ClientAnswering(
            ServiceSettings settings,
            Edges edges,
            ServiceStatistics statistics,
            Function<ByteBuffer, Serving> servings,
            Supplier<List<ResponsePolicy>> policies) {
        this.settings = settings;
        this.edges = edges;
        this.statistics = statistics;
        this.options = new EdnsAnswering(edges);
        this.messages = new AnswerMessage(settings.edges().udpSize());
        this.servings = servings;
        SecureRandom random = new SecureRandom();
        this.misses =
                new RateLimit(
                        settings.missesPerSecond(),
                        settings.edges().rateLimitAccounts(),
                        0,
                        settings.edges().rateLimitExempt(),
                        random.nextLong());
        this.waiting =
                new WaitingRoom(
                        settings.maxWaiting(), settings.maxWaitingOfOne(), random.nextLong());
        this.traces = new QueryTrace(settings.traced(), LOG);
        this.fast = new CacheAnswering(edges, settings.allow(), traces, policies);
    }

    /// One datagram, on the receiving thread.
    void received(Datagram datagram) {
        ByteBuffer address = datagram.address();
        try {
            int outcome =
                    fast.answer(
                            servings.apply(address),
                            datagram.payload(),
                            datagram.answer(),
                            address,
                            Statistics.UDP);
            if (outcome == CacheAnswering.ANSWERED) {
                datagram.send();
                return;
            }
            if (outcome == CacheAnswering.WITHHELD) {
                edges.statistics.dropped();
                return;
            }
        } catch (RuntimeException e) {
            faults.note(datagram.peer(), e);
            datagram.answer().position(0);
        }
        byte[] octets = new byte[datagram.payload().remaining()];
        datagram.payload().get(datagram.payload().position(), octets);
        switch (taken(octets, address, datagram.peer(), Statistics.UDP)) {
            case Taken.Ignored ignored -> edges.statistics.ignored();
            case Taken.Now(Query query, byte[] reply) -> send(datagram, query, reply);
            case Taken.Limited(Query query) -> {
                // Whose address is forged is sent nothing (security row D13).
                if (proved(query)) {
                    send(datagram, query, refused(query, false));
                } else {
                    edges.statistics.dropped();
                }
            }
            case Taken.Later later -> {
                Datagram detached = datagram.detach();
                later(
                        later,
                        octets,
                        detached.peer(),
                        false,
                        reply -> {
                            if (reply.length > 0) {
                                send(detached, later.query(), reply);
                            }
                        });
            }
        }
    }

    /// One stream.
    void converse(Connection connection) throws IOException {
        int transport = connection.tls().isPresent() ? Statistics.TLS : Statistics.TCP;
        Peer peer = connection.peer();
        ByteBuffer address = ByteBuffer.wrap(peer.address().getAddress().getAddress());
        new ClientStream(
                        connection,
                        settings.edges().tcpIdle(),
                        settings.edges().tcpQueries(),
                        settings.inFlight())
                .converse((octets, done) -> take(octets, address, peer, transport, done));
    }

    /// One query of a stream.
    ///
    private void take(
            byte[] octets, ByteBuffer address, Peer peer, int transport, Consumer<byte[]> done) {
        ByteBuffer out = ByteBuffer.allocate(Datagram.ANSWER_LIMIT);
        try {
            ByteBuffer query = ByteBuffer.wrap(octets);
            if (fast.answer(servings.apply(address), query, out, address, transport)
                    == CacheAnswering.ANSWERED) {
                done.accept(Arrays.copyOf(out.array(), out.position()));
                return;
            }
        } catch (RuntimeException e) {
            faults.note(peer, e);
        }
        switch (taken(octets, address, peer, transport)) {
            case Taken.Ignored ignored -> {
                edges.statistics.ignored();
                done.accept(ClientStream.NO_ANSWER);
            }
            case Taken.Now(Query query, byte[] reply) -> {
                count(transport, reply, query.fault());
                done.accept(reply);
            }
            case Taken.Limited(Query query) -> {
                byte[] reply = refused(query, true);
                count(transport, reply, Rcode.REFUSED);
                done.accept(reply);
            }
            case Taken.Later later ->
                    later(
                            later,
                            octets,
                            peer,
                            true,
                            reply -> {
                                if (reply.length > 0) {
                                    count(transport, reply, later.query().fault());
                                }
                                done.accept(reply);
                            });
        }
    }

    private void later(
            Taken.Later later, byte[] octets, Peer peer, boolean stream, Consumer<byte[]> done) {
        try {
            waiters.execute(
                    () -> {
                        byte[] reply;
                        try {
                            reply = later.lookup().get();
                        } catch (RuntimeException e) {
                            faults.note(peer, e);
                            reply = Writing.failure(octets);
                        } finally {
                            waiting.leave(later.seat());
                        }
                        done.accept(reply);
                    });
        } catch (RejectedExecutionException e) {
            // The bundle stops.
            waiting.leave(later.seat());
            done.accept(messages.bare(later.query(), Rcode.SERVFAIL, Optional.empty(), stream));
        }
    }

    private Taken taken(byte[] octets, ByteBuffer address, Peer peer, int transport) {
        Optional<Query> read =
                Query.read(octets).map(query -> options.considered(query, address, transport));
        if (read.isEmpty()) {
            return new Taken.Ignored();
        }
        Query query = read.get();
        boolean stream = transport != Statistics.UDP;
        try {
            Optional<byte[]> reply = atOnce(query, address, stream);
            if (reply.isPresent()) {
                return new Taken.Now(query, reply.get());
            }
            long now = edges.tick.millis();
            if (misses.account(address, RateLimit.POSITIVE, 0, now) != RateLimit.SEND) {
                statistics.limited().increment();
                return new Taken.Limited(query);
            }
            int seat = waiting.enter(address);
            if (seat == WaitingRoom.FULL) {
                statistics.crowded().increment();
                return new Taken.Now(
                        query, messages.bare(query, Rcode.SERVFAIL, Optional.of(CROWDED), stream));
            }
            Serving serving = servings.apply(address);
            // The buffer is the listener's and has another client's address when it is our turn.
            ByteBuffer kept = ByteBuffer.wrap(peer.address().getAddress().getAddress());
            return new Taken.Later(
                    query,
                    seat,
                    () -> looked(query, serving, kept, peer.address().getAddress(), stream));
        } catch (RuntimeException e) {
            faults.note(peer, e);
            return new Taken.Now(query, Writing.failure(octets));
        }
    }

    /// What needs no recursor; else empty.
    private Optional<byte[]> atOnce(Query query, ByteBuffer address, boolean stream) {
        if (!settings.allow().contain(address)) {
            statistics.strangers().increment();
            return bare(query, Rcode.REFUSED, NOT_ALLOWED, stream);
        }
        if (query.opcode() == Opcode.QUERY
                && query.fault() == Rcode.REFUSED
                && query.question().isPresent()
                && query.question().get().getDClass() == DClass.CHAOS) {
            return Optional.of(
                    ourselves(query)
                            .map(text -> messages.text(query, text, stream))
                            .orElseGet(
                                    () -> bare(query, Rcode.REFUSED, NOT_ALLOWED, stream).get()));
        }
        if (query.fault() != Rcode.NOERROR || query.cookieOnly()) {
            return query.fault() == Rcode.REFUSED
                    ? bare(query, Rcode.REFUSED, NOT_SUPPORTED, stream)
                    : Optional.of(messages.bare(query, query.fault(), Optional.empty(), stream));
        }
        if (query.opcode() != Opcode.QUERY) {
            return bare(query, Rcode.NOTIMP, NOT_SUPPORTED, stream); // RFC 1035 §4.1.1
        }
        int fault = typeFault(query.type());
        if (fault != Rcode.NOERROR) {
            return bare(query, fault, NOT_SUPPORTED, stream);
        }
        if (!query.recursionDesired()) {
            return Optional.of(snooped(query, address, stream));
        }
        return Optional.empty();
    }

    private Optional<byte[]> bare(Query query, int rcode, Reason reason, boolean stream) {
        return Optional.of(messages.bare(query, rcode, Optional.of(reason), stream));
    }

    /// Types that are no type of records. RFC 1035 §3.2.3, RFC 6895 §3.1: those from 128 on say
    /// what is to be done, or stand in messages; of them only ANY is a question.
    private static int typeFault(int type) {
        if (type == Type.AXFR || type == Type.IXFR) {
            return Rcode.REFUSED; // RFC 5936 §2.2.1: that is for who has the zone
        }
        if (type == Type.MAILA || type == Type.MAILB) {
            return Rcode.NOTIMP;
        }
        boolean meta = type == 0 || type == Type.OPT || type >= 128 && type < Type.ANY;
        return meta ? Rcode.FORMERR : Rcode.NOERROR;
    }

    /// The names by which servers are asked about themselves, RFC 4892 §3.
    private Optional<String> ourselves(Query query) {
        if (query.type() != Type.TXT && query.type() != Type.ANY) {
            return Optional.empty();
        }
        return switch (query.name().toString().toLowerCase(Locale.ROOT)) {
            case "version.bind.", "version.server." -> settings.version();
            case "hostname.bind.", "id.server." -> settings.identity();
            default -> Optional.empty();
        };
    }

    /// The answer to who wants no recursion: what is in the cache, for who may know that (security
    /// row D13).
    private byte[] snooped(Query query, ByteBuffer address, boolean stream) {
        if (!settings.snoop().contain(address)) {
            return bare(query, Rcode.REFUSED, NOT_ALLOWED, stream).get();
        }
        Cache cache = servings.apply(address).cache();
        Question question = new Question(query.name(), query.type());
        return cache.find(question)
                // what nobody has checked is for who checks himself (CD)
                .filter(
                        finding ->
                                finding.security() != Security.UNCHECKED
                                        || finding.kind() == Finding.Kind.FAILURE
                                        || query.checkingDisabled())
                .map(
                        finding ->
                                messages.write(
                                        query, new Answer(question, List.of(finding)), stream))
                .or(() -> cache.delegation(query.name()).map(d -> messages.write(query, d, stream)))
                .orElseGet(() -> bare(query, Rcode.REFUSED, NOT_IN_CACHE, stream).get());
    }

    /// Asks the recursor; on a thread that may wait.
    private byte[] looked(
            Query query, Serving serving, ByteBuffer address, InetAddress client, boolean stream) {
        statistics.looked().increment();
        Question question = new Question(query.name(), query.type());
        Request request =
                Request.of(
                        query.checkingDisabled()
                                ? Request.Wish.CHECKING_DISABLED
                                : Request.Wish.NOTHING,
                        traces.of(address, client, question));
        PolicedRecursor.Client who = new PolicedRecursor.Client(client, stream, query.dnssec());
        return switch (outcome(question, request, who, serving)) {
            case Outcome.Told(Answer answer) -> {
                if (answer.security() == Security.BOGUS) {
                    statistics.bogus().increment();
                }
                if (answer.stale()) {
                    statistics.stale().increment();
                }
                yield messages.write(query, answer, stream);
            }
            case Outcome.Drop drop -> ClientStream.NO_ANSWER;
            case Outcome.OverTcp tcp -> messages.overTcp(query);
        };
    }

    private static Outcome outcome(
            Question question, Request request, PolicedRecursor.Client who, Serving serving) {
        if (question.type() != Type.ANY) {
            return serving.recursor().answer(question, request, who);
        }
        // RFC 8482 §4.1: one of the sets will do, and nobody wants all of them (security row D13)
        Outcome outcome = Outcome.DROP;
        for (int type : ANY) {
            outcome = serving.recursor().answer(new Question(question.name(), type), request, who);
            if (!(outcome instanceof Outcome.Told(Answer answer))
                    || answer.chain().getFirst().kind() != Finding.Kind.NO_RECORD) {
                return outcome;
            }
        }
        return outcome;
    }

    private byte[] refused(Query query, boolean stream) {
        return messages.bare(query, Rcode.REFUSED, Optional.of(TOO_MANY), stream);
    }

    /// Sends an answer, if the client does not get too many.
    private void send(Datagram datagram, Query query, byte[] reply) {
        byte[] sent = reply;
        if (!proved(query)) {
            int kind = kind(reply);
            int verdict =
                    edges.limit.account(
                            datagram.address(), kind, account(query, kind), edges.tick.millis());
            if (verdict == RateLimit.DROP) {
                edges.statistics.dropped();
                return;
            }
            if (verdict == RateLimit.SLIP) {
                edges.statistics.slipped();
                sent = messages.withheld(query);
            }
        }
        count(Statistics.UDP, sent, sent == reply ? query.fault() : Rcode.BADCOOKIE);
        datagram.answer().put(sent);
        datagram.send();
    }

    /// Whether a client has shown that its address is its own (security row D13).
    private static boolean proved(Query query) {
        return query.edns().map(edns -> edns.answered().known()).orElse(false);
    }

    private static int kind(byte[] reply) {
        return switch (reply[3] & 0xF) {
            case Rcode.NXDOMAIN -> RateLimit.NO_NAME;
            case Rcode.NOERROR ->
                    (reply[6] | reply[7]) != 0 ? RateLimit.POSITIVE : RateLimit.NO_DATA;
            default -> RateLimit.ERROR;
        };
    }

    /// A client cannot choose among accounts by making up names.
    private static int account(Query query, int kind) {
        if (kind == RateLimit.NO_NAME || kind == RateLimit.ERROR || query.question().isEmpty()) {
            return 0;
        }
        byte[] name = query.name().toWireCanonical();
        return NameHash.of(name, 0, name.length);
    }

    private void count(int transport, byte[] reply, int whole) {
        int low = reply[3] & 0xF;
        int rcode = (whole & 0xF) == low ? whole : low;
        edges.statistics.answered(transport, false, rcode, (reply[2] & 0x02) != 0);
    }

    /// Waits for what is being looked up, for some seconds.
    @Override
    public void close() {
        waiters.shutdown();
        try {
            if (!waiters.awaitTermination(LAST_ANSWERS.toNanos(), TimeUnit.NANOSECONDS)) {
                waiters.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        waiters.shutdownNow();
        waiters.close();
    }
}
