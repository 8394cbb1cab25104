package org.pabal.dns.recursive;

import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/// Other name servers, asked by the network.
///
/// ```
/// ask ─ the same question is out already → waits for that reply               SharedExchanges
///     ─ the server is dead, or too many questions are out → said at once      ServerMemory, OutgoingLimit
///     ─ by TLS if it has a name for that, and by nothing else                 StreamPool, StrictTls
///     ─ else by UDP; by TCP if that was truncated or somebody may be guessing DatagramExchange
///     ─ FORMERR, NOTIMP: the same without options, then without EDNS          Dialect
/// ```
/// What is learned of the server on the way is remembered.
final class NetworkUpstream implements Upstream, AutoCloseable {

    /// Dialects, cookies and streams together: a server that always finds something is broken.
    private static final int MAX_ATTEMPTS = 6;

    /// Another resolver may have to walk before it can answer.
    private static final Duration LEAST_RECURSIVE = Duration.ofMillis(500);

    /// A server that takes longer is not asked twice: others may be faster.
    private static final Duration FAST = Duration.ofMillis(400);

    /// For connecting, handshake, and a large answer.
    private static final Duration STREAM = Duration.ofSeconds(4);

    private final UpstreamSettings settings;
    private final InstantSource clock;
    private final ServerMemory memory;
    private final UpstreamCookies cookies;
    private final OutgoingLimit limit;
    private final OpenSockets sockets = new OpenSockets();
    private final SharedExchanges shared = new SharedExchanges();
    private final SecureRandom chance = new SecureRandom();
    private final DatagramExchange datagrams;
    private final StreamPool streams;

    NetworkUpstream(UpstreamSettings settings, InstantSource clock) {
        this(settings, clock, StreamPool.IDLE);
    }

    /// @param idle how long a stream is kept that nobody uses
    NetworkUpstream(UpstreamSettings settings, InstantSource clock, Duration idle) {
        this.settings = settings;
        this.clock = clock;
        this.memory = new ServerMemory(clock, new Ipv6Route(settings.ipv6())::leadsTo, chance);
        this.cookies = new UpstreamCookies(clock);
        this.limit = new OutgoingLimit(settings.maxOutgoing());
        this.datagrams = new DatagramExchange(settings, cookies, sockets);
        this.streams = new StreamPool(sockets, new StrictTls(settings.tlsCertificates()), idle);
    }

    @Override
    public Reply ask(
            Server server, Name zone, Question question, boolean recursive, Request request)
            throws IOException {
        return shared.reply(
                new SharedExchanges.Key(server.address(), server.tls(), question, recursive),
                request.quota(),
                () -> new Conversation(server, zone, question, recursive, request.quota()).reply());
    }

    @Override
    public List<Server> order(Name zone, List<Server> servers) {
        return memory.order(zone, servers);
    }

    @Override
    public void lame(Server server, Name zone, Duration howLong) {
        memory.lame(server.address(), zone, howLong);
    }

    /// What is known of servers.
    ServerMemory memory() {
        return memory;
    }

    /// Sockets that are open now: one for each question that is out, and idle streams.
    int openSockets() {
        return sockets.size();
    }

    int idleStreams() {
        return streams.idleStreams();
    }

    /// Whoever waits for an answer hears that this is being stopped.
    @Override
    public void close() {
        sockets.close();
        streams.close();
    }

    /// All that is said with one server about one question.
    private final class Conversation {

        private final Server server;
        private final InetSocketAddress address;
        private final Name zone;
        private final Question question;
        private final boolean recursive;
        private final Quota quota;
        private final long began = System.nanoTime();

        private final Dialect usual;
        private Dialect dialect;
        private boolean stream;
        private boolean newCookie;
        private Reply.Transport transport = Reply.Transport.UDP;

        Conversation(Server server, Name zone, Question question, boolean recursive, Quota quota) {
            this.server = server;
            this.zone = zone;
            this.address = server.address();
            this.question = question;
            this.recursive = recursive;
            this.quota = quota;
            Remembered known = memory.of(address);
            Dialect remembered = known.manners().dialect(clock.instant());
            // RFC 8906 §3.2.3: some drop what has options that they do not know
            boolean neverHeard =
                    !known.pace().roundTrip().known() && known.pace().failures() % 2 == 1;
            this.dialect = neverHeard && remembered == Dialect.OPTIONS ? Dialect.EDNS : remembered;
            this.usual = remembered;
            this.stream = server.tls().isPresent();
        }

        Reply reply() throws IOException {
            if (!memory.admits(address, zone)) {
                throw new IOException("not asked: " + memory.line(address));
            }
            OutgoingLimit.Place place = limit.enter(address);
            try {
                AnswerOctets answer = answer();
                memory.spoke(address, zone);
                return new Reply(
                        server,
                        answer.message().orElseThrow(),
                        transport,
                        Duration.ofNanos(System.nanoTime() - began));
            } catch (QuotaSpent | OutgoingLimit.Full e) {
                throw e; // says nothing of the server
            } catch (IOException e) {
                if (sockets.closed()) {
                    throw new IOException("this resolver is being stopped", e);
                }
                if (quota.over()) {
                    throw new QuotaSpent(quota); // it may have been about to answer
                }
                if (!Thread.currentThread().isInterrupted()) {
                    memory.silent(address, zone, began);
                }
                throw e;
            } finally {
                place.leave();
            }
        }

        private AnswerOctets answer() throws IOException {
            for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
                AnswerOctets answer = stream ? byStream() : byDatagram();
                if (answer.rcode() == Rcode.BADCOOKIE && dialect == Dialect.OPTIONS) {
                    otherCookie();
                } else if (answer.asksForPlainer() && dialect != Dialect.PLAIN) {
                    // RFC 6891 §7; SERVFAIL says nothing of EDNS, Unbound thinks so too
                    dialect = dialect.plainer();
                } else {
                    if (dialect != Dialect.PLAIN && answer.edns() && answer.content()) {
                        memory.answersEdns(address);
                    }
                    if (dialect != usual && answer.content()) {
                        memory.speaks(address, dialect);
                    }
                    return answer;
                }
            }
            throw new IOException("does not understand us, whatever we say");
        }

        /// RFC 7873 §5.3: again with the cookie that came with the error, then by TCP.
        private void otherCookie() {
            if (stream) {
                dialect = dialect.plainer();
            } else if (newCookie) {
                stream = true;
            } else {
                newCookie = true;
            }
        }

        private AnswerOctets byDatagram() throws IOException {
            Remembered known = memory.of(address);
            DatagramExchange.Asked asked =
                    new DatagramExchange.Asked(
                            address,
                            question,
                            recursive,
                            dialect,
                            known.manners().foldsCase(clock.instant()),
                            known.manners().cookie(),
                            waits(known.pace()));
            return switch (datagrams.exchange(asked, quota)) {
                case DatagramExchange.Outcome.Heard(var answer, var took) -> {
                    memory.heard(address, took);
                    answer.cookie()
                            .flatMap(UpstreamCookies::given)
                            .ifPresent(given -> memory.cookie(address, Optional.of(given)));
                    yield answer;
                }
                case DatagramExchange.Outcome.Doubtful(var fit, var why) -> instead(fit, why);
            };
        }

        /// By TCP, because the answer by UDP could not be believed, or not be whole.
        private AnswerOctets instead(AnswerOctets.Fit fit, String why) throws IOException {
            stream = true;
            AnswerOctets answer;
            try {
                answer = byStream();
            } catch (QuotaSpent e) {
                throw e;
            } catch (IOException e) {
                throw new IOException(why + ", and by TCP: " + e.getMessage(), e);
            }
            if (fit == AnswerOctets.Fit.OTHER_CASE) {
                memory.foldsCase(address);
            }
            return answer;
        }

        private AnswerOctets byStream() throws IOException {
            boolean encrypted = server.tls().isPresent();
            transport = encrypted ? Reply.Transport.TLS : Reply.Transport.TCP;
            // The address from which a stream will come is not known yet: no cookie but by TCP to
            // who gave one.
            Optional<UpstreamCookies.Cookie> cookie =
                    encrypted ? Optional.empty() : memory.of(address).manners().cookie();
            QueryOctets query =
                    QueryOctets.of(
                            question,
                            new QueryOctets.Manner(
                                    chance.nextInt(0x10000),
                                    recursive,
                                    new byte[0],
                                    dialect,
                                    settings.udpSize(),
                                    cookie.map(UpstreamCookies.Cookie::both).orElse(new byte[0]),
                                    encrypted && dialect == Dialect.OPTIONS));
            AnswerOctets answer = streams.exchange(server, query, STREAM, quota);
            memory.heard(address, Optional.empty());
            if (cookie.isPresent() && dialect == Dialect.OPTIONS) {
                learn(query, answer);
            }
            return answer;
        }

        private void learn(QueryOctets query, AnswerOctets answer) {
            if (answer.cookie().isEmpty()) {
                memory.cookie(address, Optional.empty()); // it has none any more
            } else if (UpstreamCookies.fits(query.cookie(), answer.cookie().get())) {
                UpstreamCookies.given(answer.cookie().get())
                        .ifPresent(given -> memory.cookie(address, Optional.of(given)));
            }
        }

        /// How long is waited after each sending. A server of which no bad is known is asked twice:
        /// a packet may be lost. Another resolver has more to do than to answer.
        private List<Duration> waits(Remembered.Pace pace) {
            Duration once = pace.roundTrip().patience(pace.failures());
            if (recursive) {
                return List.of(
                        once.compareTo(LEAST_RECURSIVE) > 0 ? once : LEAST_RECURSIVE,
                        RoundTrip.MOST);
            }
            if (pace.failures() > 0 || once.compareTo(FAST) > 0) {
                return List.of(once);
            }
            return List.of(once, pace.roundTrip().known() ? once.multipliedBy(2) : once);
        }
    }
}
