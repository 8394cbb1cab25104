package org.pabal.itests.interop;

import org.pabal.itests.node.Node;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A tree of name servers on loopback: the root, the servers of `test.`, of `naver.test.` and of
/// `daum.test.`, each a node at an address of its own and all at one port.
///
/// Each has a resolver beside its zone, at a second port, that hands questions on to the next.
final class Hierarchy implements AutoCloseable {

    static final String ROOT = "127.0.53.1";
    static final String TLD = "127.0.53.2";
    static final String NAVER = "127.0.53.3";
    static final String DAUM = "127.0.53.4";
    static final String KEY = "admin.naver.test";
    static final String SECRET = "bm90IGEgc2VjcmV0IGF0IGFsbCwgdGhpcnR5LXR3by4=";

    private static final Duration PATIENCE = Duration.ofSeconds(12);
    private static final String HEAD = "$TTL 3600\n@ SOA %1$s h.%1$s 1 7200 900 1209600 60\n";

    final int port;
    private final int recursivePort;
    private final Path scratch;
    private final List<Node> nodes = new ArrayList<>();

    /// One name server of the tree.
    final Node root;

    final Node tld;
    final Node naver;
    final Node daum;

    Hierarchy(Path scratch) throws Exception {
        this.scratch = scratch;
        port = freePort(ROOT, TLD, NAVER, DAUM);
        recursivePort = freePort(ROOT, TLD, NAVER, DAUM);
        Files.writeString(scratch.resolve("hints"), ". NS a.root.\na.root. A " + ROOT + "\n");
        Files.writeString(scratch.resolve("no-anchors"), "");
        root =
                server(
                        "@",
                        ROOT,
                        "test. " + TLD + "@" + recursivePort,
                        HEAD.formatted("a.root.")
                                + "@ NS a.root.\na.root. A "
                                + ROOT
                                + "\ntest. NS ns.test.\nns.test. A "
                                + TLD
                                + "\n");
        tld =
                server(
                        "test",
                        TLD,
                        "naver.test. %s@%d, daum.test. %s@%d"
                                .formatted(NAVER, recursivePort, DAUM, recursivePort),
                        HEAD.formatted("ns.test.")
                                + "@ NS ns\nns A "
                                + TLD
                                + "\nnaver NS ns.naver\nns.naver A "
                                + NAVER
                                + "\ndaum NS ns.daum\nns.daum A "
                                + DAUM
                                + "\n");
        naver =
                server(
                        "naver.test",
                        NAVER,
                        "",
                        HEAD.formatted("ns.naver.test.")
                                + "@ NS ns\n@ MX 10 mx1\n@ MX 20 mx2\nns A "
                                + NAVER
                                + "\n"
                                + "mx1 60 A 192.0.2.25\n"
                                + "mx2 60 A 192.0.2.26\n"
                                + "mail 60 A 192.0.2.10\n"
                                + "changing 60 A 192.0.2.11\n"
                                + "blog 60 CNAME cafe.daum.test.\n"
                                + "www 60 A 192.0.2.81\n"
                                + "www 60 A 192.0.2.82\n"
                                + "www 60 A 192.0.2.83\n");
        naver.set("org.pabal.zone~naver.cfg", "zones", "naver.test");
        naver.set("org.pabal.zone~naver.cfg", "update", KEY);
        naver.set("org.pabal.tsig~" + KEY + ".cfg", "secret", SECRET);
        daum =
                server(
                        "daum.test",
                        DAUM,
                        "",
                        HEAD.formatted("ns.daum.test.")
                                + "@ NS ns\nns A "
                                + DAUM
                                + "\ncafe 60 A 192.0.2.20\n");
        for (Node node : nodes) {
            node.start();
        }
    }

    private Node server(String zone, String address, String forward, String records)
            throws IOException, InterruptedException {
        Node node = Node.init(scratch.resolve("at " + address));
        nodes.add(node);
        keepListeners(node, Set.of("dns", "resolver"));
        node.set("org.pabal.listener~dns.cfg", "address", address);
        node.set("org.pabal.listener~dns.cfg", "port", "" + port);
        node.set("org.pabal.listener~resolver.cfg", "address", address);
        node.set("org.pabal.listener~resolver.cfg", "port", "" + recursivePort);
        configure(node, forward);
        Path zones = node.directory().resolve("data/zones");
        Files.delete(zones.resolve("example.test.zone"));
        Files.writeString(zones.resolve(zone + ".zone"), records);
        return node;
    }

    /// A local name server that begins at our root, not started yet.
    Node local(String name) throws IOException, InterruptedException {
        Node node = Node.init(scratch.resolve(name));
        nodes.add(node);
        keepListeners(node, Set.of("resolver"));
        configure(node, "");
        return node;
    }

    /// A local name server that asks the root's resolver, which asks that of the next level.
    Node handingOn(String name) throws IOException, InterruptedException {
        Node node = local(name);
        node.set("org.pabal.dns.recursive.cfg", "forward", ". " + ROOT + "@" + recursivePort);
        return node;
    }

    private void configure(Node node, String forward) throws IOException {
        String file = "org.pabal.dns.recursive.cfg";
        node.set(file, "root-hints", scratch.resolve("hints").toString());
        node.set(file, "trust-anchors", scratch.resolve("no-anchors").toString());
        node.set(file, "private-upstreams", "yes");
        node.set(file, "upstream-port", "" + port);
        if (!forward.isEmpty()) {
            node.set(file, "forward", forward);
        }
    }

    private static void keepListeners(Node node, Set<String> names) throws IOException {
        try (Stream<Path> files = Files.list(node.directory().resolve("etc"))) {
            for (Path file : files.toList()) {
                Matcher listener =
                        Pattern.compile("org\\.pabal\\.listener~(.+)\\.cfg")
                                .matcher(file.getFileName().toString());
                if (listener.matches() && !names.contains(listener.group(1))) {
                    Files.delete(file);
                }
            }
        }
    }

    /// How many queries the servers of the tree have answered until now.
    long answered() throws IOException, InterruptedException {
        long sum = 0;
        for (Node node : List.of(root, tld, naver, daum)) {
            String said = node.shell("zone:statistics");
            Matcher line = Pattern.compile("(?m)^answered (\\d+)").matcher(said);
            if (!line.find()) {
                throw new IOException("no number of answers in:\n" + said);
            }
            sum += Long.parseLong(line.group(1));
        }
        return sum;
    }

    /// Asks a local name server as a client does.
    static Message ask(InetSocketAddress server, String name, int type) throws IOException {
        SimpleResolver client = new SimpleResolver(server);
        client.setTimeout(PATIENCE);
        return client.send(
                Message.newQuery(Record.newRecord(Name.fromString(name + "."), type, DClass.IN)));
    }

    /// The data of an answer's records of a type, in order.
    static List<String> data(Message answer, int type) {
        return answer.getSection(Section.ANSWER).stream()
                .filter(record -> record.getType() == type)
                .map(Record::rdataToString)
                .toList();
    }

    static List<String> addresses(Message answer) {
        return data(answer, Type.A);
    }

    /// A port that is free at all of these addresses, for UDP and TCP.
    static int freePort(String... addresses) throws IOException {
        IOException last = new IOException("no port was tried");
        for (int attempt = 0; attempt < 100; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
            try {
                for (String address : addresses) {
                    InetAddress local = InetAddress.ofLiteral(address);
                    new ServerSocket(port, 1, local).close();
                    new DatagramSocket(port, local).close();
                }
                return port;
            } catch (IOException e) {
                last = e;
            }
        }
        throw last;
    }

    @Override
    public void close() throws IOException {
        for (Node node : nodes.reversed()) {
            node.close();
        }
    }
}
