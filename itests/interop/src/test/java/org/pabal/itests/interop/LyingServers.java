package org.pabal.itests.interop;

import org.pabal.itests.node.Node;
import org.pabal.testkit.ScriptedNameServer;
import org.pabal.testkit.ScriptedNameServer.Script;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Stream;

/// A root of our own on loopback, below which every test has its zone and its lies, and a node
/// whose resolver begins at that root.
///
/// All servers have one port and each an address: 127.0.54.1 is the root's.
final class LyingServers implements AutoCloseable {

    private static final String ADDRESSES = "127.0.54.";
    private static final int ATTEMPTS = 50;

    final Node node;
    final Path offset;
    private final int port;
    private final List<ScriptedNameServer> servers = new ArrayList<>();
    private final Map<Name, Delegated> delegations = new ConcurrentHashMap<>();
    private final Map<String, Integer> rootQueries = new ConcurrentHashMap<>();

    private record Delegated(List<Name> servers, Optional<InetAddress> glue, long ttl) {}

    /// @param anchors DS or DNSKEY records to be trusted; none: nothing is validated
    LyingServers(Path scratch, String anchors) throws Exception {
        this(scratch, anchors, Map.of());
    }

    /// @param settings more of them, for the resolver
    LyingServers(Path scratch, String anchors, Map<String, String> settings) throws Exception {
        servers.add(openRoot());
        port = servers.getFirst().address().getPort();
        Files.writeString(scratch.resolve("hints"), ". NS a.root.\na.root. A " + ADDRESSES + "1\n");
        Files.writeString(scratch.resolve("anchors"), anchors);
        node = Node.init(scratch.resolve("node"));
        try (Stream<Path> files = Files.list(node.directory().resolve("etc"))) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.startsWith("org.pabal.listener~") && !name.contains("~resolver")) {
                    Files.delete(file);
                }
            }
        }
        String file = "org.pabal.dns.recursive.cfg";
        node.set(file, "root-hints", scratch.resolve("hints").toString());
        node.set(file, "trust-anchors", scratch.resolve("anchors").toString());
        node.set(file, "private-upstreams", "yes");
        node.set(file, "upstream-port", "" + port);
        for (Map.Entry<String, String> setting : settings.entrySet()) {
            node.set(file, setting.getKey(), setting.getValue());
        }
        offset = node.withClock();
        node.start();
    }

    private ScriptedNameServer openRoot() throws IOException {
        IOException last = new IOException("not tried");
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try {
                int free = Hierarchy.freePort(addresses());
                return new ScriptedNameServer(ADDRESSES + "1", free, script(this::root));
            } catch (IOException e) {
                last = e;
            }
        }
        throw last;
    }

    private static String[] addresses() {
        return Stream.iterate(1, i -> i <= 60, i -> i + 1)
                .map(i -> ADDRESSES + i)
                .toArray(String[]::new);
    }

    /// One more server, at the next address.
    ScriptedNameServer server(Script script) throws IOException {
        synchronized (servers) {
            ScriptedNameServer server =
                    new ScriptedNameServer(ADDRESSES + (servers.size() + 1), port, script);
            servers.add(server);
            return server;
        }
    }

    /// One more server, for a zone below the root.
    ScriptedNameServer zone(String zone, Script script) throws IOException {
        ScriptedNameServer server = server(script);
        delegate(zone, server, 3600);
        return server;
    }

    /// One more server, for a zone below the root, that answers messages by messages.
    ScriptedNameServer zone(String zone, Function<Message, Optional<Message>> script)
            throws IOException {
        return zone(zone, script(script));
    }

    void delegate(String zone, ScriptedNameServer server, long ttl) {
        Name name = name(zone);
        delegations.put(
                name,
                new Delegated(
                        List.of(name("ns." + zone)),
                        Optional.of(server.address().getAddress()),
                        ttl));
    }

    /// A zone below the root whose name servers have no glue.
    void delegate(String zone, List<Name> glueless) {
        delegations.put(name(zone), new Delegated(glueless, Optional.empty(), 3600));
    }

    void undelegate(String zone) {
        delegations.remove(name(zone));
    }

    /// How often the root was asked about a zone.
    int rootQueries(String zone) {
        return rootQueries.getOrDefault(zone, 0);
    }

    private Optional<Message> root(Message query) {
        Name name = query.getQuestion().getName();
        Message answer = reply(query);
        if (name.equals(Name.root)) {
            answer.getHeader().setFlag(Flags.AA);
            if (query.getQuestion().getType() == Type.NS) {
                answer.addRecord(ns(Name.root, name("a.root"), 3600), Section.ANSWER);
                answer.addRecord(a("a.root", ADDRESSES + "1"), Section.ADDITIONAL);
            } else {
                answer.addRecord(soa(Name.root), Section.AUTHORITY);
            }
            return Optional.of(answer);
        }
        Name top = new Name(name, name.labels() - 2);
        rootQueries.merge(text(top), 1, Integer::sum);
        Delegated delegated = delegations.get(lower(top));
        if (name.equals(name("a.root"))) {
            answer.getHeader().setFlag(Flags.AA);
            answer.addRecord(a("a.root", ADDRESSES + "1"), Section.ANSWER);
        } else if (delegated == null) {
            answer.getHeader().setFlag(Flags.AA);
            answer.getHeader().setRcode(Rcode.NXDOMAIN);
            answer.addRecord(soa(Name.root), Section.AUTHORITY);
        } else {
            for (Name server : delegated.servers) {
                answer.addRecord(ns(top, server, delegated.ttl), Section.AUTHORITY);
                delegated.glue.ifPresent(
                        address ->
                                answer.addRecord(
                                        new ARecord(server, DClass.IN, delegated.ttl, address),
                                        Section.ADDITIONAL));
            }
        }
        return Optional.of(answer);
    }

    /// The script of a server that answers messages by messages, with ids that match.
    static Script script(Function<Message, Optional<Message>> answers) {
        return (octets, stream) -> {
            Message query = new Message(octets);
            Optional<Message> answer = answers.apply(query);
            answer.ifPresent(message -> message.getHeader().setID(query.getHeader().getID()));
            return answer.map(Message::toWire).stream().toList();
        };
    }

    /// A server that tells an address of every name, and its zone's own records.
    static Function<Message, Optional<Message>> addressOfAll(String zone, String address) {
        return query -> Optional.of(honest(query, zone, address));
    }

    static Message honest(Message query, String zone, String address) {
        Message answer = reply(query);
        answer.getHeader().setFlag(Flags.AA);
        Record question = query.getQuestion();
        if (question.getType() == Type.A) {
            answer.addRecord(
                    new ARecord(question.getName(), DClass.IN, 300, InetAddress.ofLiteral(address)),
                    Section.ANSWER);
        } else if (question.getType() == Type.NS && lower(question.getName()).equals(name(zone))) {
            answer.addRecord(ns(name(zone), name("ns." + zone), 3600), Section.ANSWER);
        } else {
            answer.addRecord(soa(name(zone)), Section.AUTHORITY);
        }
        return answer;
    }

    /// The beginning of an answer: the question, and nothing else.
    static Message reply(Message query) {
        Message answer = new Message(query.getHeader().getID());
        answer.getHeader().setFlag(Flags.QR);
        if (query.getHeader().getFlag(Flags.RD)) {
            answer.getHeader().setFlag(Flags.RD);
        }
        answer.addRecord(query.getQuestion(), Section.QUESTION);
        return answer;
    }

    static Record a(String name, String address) {
        return new ARecord(name(name), DClass.IN, 300, InetAddress.ofLiteral(address));
    }

    static Record ns(Name zone, Name server, long ttl) {
        return new NSRecord(zone, DClass.IN, ttl, server);
    }

    static Record soa(Name zone) {
        Name host = zone.equals(Name.root) ? name("a.root") : name("ns." + text(zone));
        return new SOARecord(zone, DClass.IN, 300, host, host, 1, 7200, 900, 1209600, 60);
    }

    static Name name(String text) {
        try {
            return Name.fromString(text.endsWith(".") ? text : text + ".");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Without the last dot, and in lower case.
    static String text(Name name) {
        return lower(name).toString(true);
    }

    static Name lower(Name name) {
        return name.canonicalize();
    }

    /// The names that a server was asked for.
    static Set<String> names(ScriptedNameServer server) throws IOException {
        Set<String> names = new java.util.TreeSet<>();
        for (byte[] query : server.queries()) {
            names.add(text(new Message(query).getQuestion().getName()));
        }
        return names;
    }

    @Override
    public void close() throws IOException {
        try {
            node.close();
        } finally {
            for (ScriptedNameServer server : servers) {
                server.close();
            }
        }
    }
}
