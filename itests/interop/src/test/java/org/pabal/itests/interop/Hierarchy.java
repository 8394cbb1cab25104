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
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A tree of name servers on loopback: the root, the servers of `test.`, of `naver.test.` and of
/// `daum.test.`, each a node at an address of its own and all at one port; and the local name
/// servers of those who ask. All are started at the same time, once for all tests.
///
/// Each server of the tree has a resolver beside its zone, at a second port, that hands questions
/// on to the next. All zones are signed, but for `daum.test.`, and `lies.test.`, which beside it
/// is not signed although `test.` says that it is.
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
    private final List<Node> nodes = new CopyOnWriteArrayList<>();
    private volatile Path offset = Path.of("none yet");
    private int passed;

    /// One name server of the tree.
    final Node root;

    final Node tld;
    final Node naver;
    final Node daum;

    /// A local name server that begins at our root.
    final Node local;

    /// A local name server that asks the root's resolver, which asks that of the next level.
    final Node handingOn;

    Hierarchy(Path scratch) throws Exception {
        this.scratch = scratch;
        port = freePort(ROOT, TLD, NAVER, DAUM);
        recursivePort = freePort(ROOT, TLD, NAVER, DAUM);
        Files.writeString(scratch.resolve("hints"), ". NS a.root.\na.root. A " + ROOT + "\n");
        Files.writeString(scratch.resolve("no-anchors"), "");
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Node> rootServer = threads.submit(this::startRoot);
            Future<Node> tldServer = threads.submit(this::startTld);
            Future<Node> naverServer = threads.submit(this::startNaver);
            Future<Node> daumServer = threads.submit(this::startDaum);
            Future<Node> iterating = threads.submit(this::startLocal);
            Future<Node> recursive = threads.submit(this::startHandingOn);
            root = rootServer.get();
            tld = tldServer.get();
            naver = naverServer.get();
            daum = daumServer.get();
            local = iterating.get();
            handingOn = recursive.get();
        } catch (ExecutionException e) {
            close();
            throw e;
        }
    }

    private Node startRoot() throws Exception {
        Node node =
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
        return signing(node, "root", ".");
    }

    private Node startTld() throws Exception {
        Node node =
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
                                + "\nlies NS ns.daum\nlies DS 1 13 2 "
                                + "ab".repeat(32)
                                + "\n");
        return signing(node, "test", "test");
    }

    private Node startNaver() throws Exception {
        Node node =
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
        node.set("org.pabal.zone~naver.cfg", "update", KEY);
        node.set("org.pabal.tsig~" + KEY + ".cfg", "secret", SECRET);
        return signing(node, "naver", "naver.test");
    }

    private Node startDaum() throws Exception {
        Node node =
                server(
                        "daum.test",
                        DAUM,
                        "",
                        HEAD.formatted("ns.daum.test.")
                                + "@ NS ns\nns A "
                                + DAUM
                                + "\ncafe 60 A 192.0.2.20\n");
        Files.writeString(
                node.directory().resolve("data/zones/lies.test.zone"),
                HEAD.formatted("ns.daum.test.") + "@ NS ns.daum.test.\nwww A 192.0.2.66\n");
        node.start();
        return node;
    }

    private static Node signing(Node node, String file, String zone) throws Exception {
        node.set("org.pabal.zone~" + file + ".cfg", "zones", zone);
        node.set("org.pabal.zone~" + file + ".cfg", "sign", "yes");
        node.start();
        return node;
    }

    private Node startLocal() throws Exception {
        Node node = local("local");
        offset = node.withClock();
        node.start();
        return node;
    }

    private Node startHandingOn() throws Exception {
        Node node = local("handing on");
        node.set("org.pabal.dns.recursive.cfg", "forward", ". " + ROOT + "@" + recursivePort);
        node.start();
        return node;
    }

    /// Has the local name server that begins at our root believe that so many seconds have passed.
    void pass(int seconds) throws IOException {
        passed += seconds;
        Path next = offset.resolveSibling("offset.new");
        Files.writeString(next, "" + passed);
        Files.move(
                next, offset, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /// A local name server that trusts the root's key, and so what is signed below it: `test.` and
    /// `naver.test.`, but not `daum.test.`, which is not signed.
    Node startValidating() throws Exception {
        tellParent(naver, "naver.test", tld);
        tellParent(tld, "test", root);
        Path anchors = scratch.resolve("anchors");
        Files.writeString(anchors, String.join(" ", signer(root, ".")) + "\n");
        Node node = local("validating");
        node.set("org.pabal.dns.recursive.cfg", "trust-anchors", anchors.toString());
        node.start();
        return node;
    }

    private static void tellParent(Node child, String zone, Node parent) throws Exception {
        List<String> ds = signer(child, zone);
        List<String> command = new ArrayList<>(List.of("zone:set", zone, "3600", "DS"));
        command.addAll(ds.subList(4, ds.size()));
        parent.shell(command.toArray(String[]::new));
    }

    /// The words of a zone's DS record, once the zone is signed.
    private static List<String> signer(Node node, String zone) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!node.shell("zone:show", zone, zone).contains("RRSIG")) {
            if (System.nanoTime() > end) {
                throw new IOException(zone + " is not signed:\n" + node.output());
            }
        }
        String first = node.shell("zone:ds", zone).lines().findFirst().orElseThrow();
        return List.of(first.split("\\s+"));
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

    private Node local(String name) throws IOException, InterruptedException {
        Node node = Node.init(scratch.resolve(name));
        nodes.add(node);
        keepListeners(node, Set.of("resolver"));
        configure(node, "");
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
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            nodes.forEach(node -> threads.submit(Executors.callable(() -> close(node))));
        }
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
