package org.pabal.dns.recursive;

import org.pabal.dns.DnsFraming;
import org.pabal.dns.ResponsePolicy;
import org.pabal.protocol.Peer;
import org.pabal.settings.Settings;
import org.pabal.testkit.MovableClock;
import org.pabal.testkit.TestConnection;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/// A local name server whose recursor knows what a test tells it, and clients that ask it.
final class ServedClients implements AutoCloseable {

    /// A type that is not answered from the cache.
    static final int MADE = Type.PTR;

    static final Duration PATIENCE = Duration.ofSeconds(30);

    final MovableClock clock = new MovableClock(Instant.parse("2026-11-01T12:00:00Z"));
    final Told recursor = new Told();
    final RecordCache cache = new RecordCache(CacheSettings.defaults(), clock);
    volatile Routes routes = Routes.FROM_THE_ROOT;
    final List<Question> refreshed = new CopyOnWriteArrayList<>();
    final RecursiveServer server;

    ServedClients(String... settings) {
        this(List.of(), settings);
    }

    ServedClients(List<ResponsePolicy> policies, String... settings) {
        Map<String, Object> properties = new HashMap<>();
        for (int i = 0; i < settings.length; i += 2) {
            properties.put(settings[i], settings[i + 1]);
        }
        server =
                new RecursiveServer(
                        Path.of("."), clock, properties, (read, home, house) -> rooms(read, house));
        int ranking = policies.size();
        for (ResponsePolicy policy : policies) {
            server.bindResponsePolicy(policy, Map.of("service.ranking", ranking--));
        }
    }

    private Rooms rooms(Settings settings, Rooms.House house) {
        settings.noOthers();
        Serving serving =
                new Serving(
                        new PolicedRecursor(recursor, house.policies(), false),
                        cache,
                        question -> routes.route(question),
                        type -> type == MADE,
                        refreshed::add);
        return new Rooms() {
            @Override
            public int forget(Name name) {
                return 0;
            }

            @Override
            public Serving serving(ByteBuffer address) {
                return serving;
            }

            @Override
            public Recursor recursor() {
                return recursor;
            }

            @Override
            public RecordCache cache() {
                return cache;
            }

            @Override
            public void views(Collection<ViewSettings> settings) {
                throw new AssertionError("there are no views");
            }

            @Override
            public void close() {
                recursor.closed = true;
            }
        };
    }

    /// Says what it was told; what it was not told does not exist.
    static final class Told implements Recursor {

        /// Something that a question waits for, or that it shows.
        interface Gate {
            void pass(Request request) throws InterruptedException;
        }

        final Map<Question, Answer> answers = new ConcurrentHashMap<>();
        final Map<Name, Gate> gates = new ConcurrentHashMap<>();
        final AtomicInteger asked = new AtomicInteger();
        volatile boolean closed;

        void knows(Finding... chain) {
            answers.put(chain[0].question(), new Answer(chain[0].question(), List.of(chain)));
        }

        @Override
        public Answer answer(Question question, Request request) {
            asked.incrementAndGet();
            try {
                gates.getOrDefault(question.name(), r -> {}).pass(request);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return answers.getOrDefault(
                    question,
                    new Answer(
                            question,
                            List.of(
                                    finding(
                                            question,
                                            Finding.Kind.NO_NAME,
                                            Security.INSECURE,
                                            SOA))));
        }
    }

    static final String SOA = "example.org. 300 SOA ns1 hostmaster 1 7200 3600 1209600 300";
    private static final String UNTIL = " 20360101000000 20260101000000 1 example.org. AAAA";

    static Name name(String text) {
        return Name.fromConstantString(text.endsWith(".") ? text : text + ".");
    }

    /// A signature of a set, which nobody verifies here.
    static String signature(String owner, String type) {
        return owner + " 300 RRSIG " + type + " 13 3 300" + UNTIL;
    }

    static Record record(String line) {
        String[] words = line.split(" ", 4);
        try {
            return Record.fromString(
                    name(words[0]),
                    Type.value(words[2]),
                    DClass.IN,
                    Long.parseLong(words[1]),
                    words[3],
                    name("example.org"));
        } catch (IOException e) {
            throw new AssertionError(line, e);
        }
    }

    /// One set of records and signatures.
    static RRset set(String... lines) {
        RRset set = new RRset();
        Arrays.stream(lines).map(ServedClients::record).forEach(set::addRR);
        return set;
    }

    static Finding found(Security security, String... lines) {
        RRset set = set(lines);
        return new Finding(
                new Question(set.getName(), set.getType()),
                Finding.Kind.RECORDS,
                List.of(set),
                List.of(),
                name("example.org"),
                security,
                Optional.empty(),
                set.getTTL(),
                false);
    }

    static Finding alias(int type, Security security, String... lines) {
        RRset set = set(lines);
        return new Finding(
                new Question(set.getName(), type),
                Finding.Kind.ALIAS,
                List.of(set),
                List.of(),
                name("example.org"),
                security,
                Optional.empty(),
                set.getTTL(),
                false);
    }

    static Finding finding(
            Question question, Finding.Kind kind, Security security, String... proof) {
        return new Finding(
                question,
                kind,
                List.of(),
                Arrays.stream(proof).map(ServedClients::set).toList(),
                name("example.org"),
                security,
                Optional.empty(),
                300,
                false);
    }

    static Message query(String name, int type) {
        return Message.newQuery(Record.newRecord(name(name), type, DClass.IN));
    }

    static Message edns(Message query, int flags, EDNSOption... options) {
        query.addRecord(new OPTRecord(4096, 0, 0, flags, options), Section.ADDITIONAL);
        return query;
    }

    static Message parsed(byte[] octets) {
        try {
            return new Message(octets);
        } catch (IOException e) {
            throw new AssertionError("an answer that cannot be read", e);
        }
    }

    TestDatagram send(String client, byte[] query) {
        InetSocketAddress from = new InetSocketAddress(InetAddress.ofLiteral(client), 5353);
        TestDatagram datagram = new TestDatagram(new Peer(from, "test"), query);
        server.received(datagram);
        return datagram;
    }

    /// From loopback.
    Message ask(Message query) {
        return ask("127.0.0.1", query);
    }

    Message ask(String client, Message query) {
        return parsed(send(client, query.toWire()).sent(PATIENCE).orElseThrow());
    }

    /// Over a stream of its own.
    byte[] stream(boolean tls, byte[] query) {
        TestConnection connection = new TestConnection();
        if (tls) {
            connection.withTls();
        }
        try {
            DnsFraming.write(connection.toServer(), query);
            connection.toServer().close();
            server.converse(connection);
            connection.output().flush();
            return DnsFraming.read(connection.fromServer()).orElseThrow();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// The INFO-CODEs of an answer, RFC 8914.
    static List<Integer> reasons(Message answer) {
        OPTRecord opt = answer.getOPT();
        return opt == null
                ? List.of()
                : opt.getOptions(EDNSOption.Code.EDNS_EXTENDED_ERROR).stream()
                        .map(option -> ((ExtendedErrorCodeOption) option).getErrorCode())
                        .toList();
    }

    @Override
    public void close() {
        server.stop();
    }
}
