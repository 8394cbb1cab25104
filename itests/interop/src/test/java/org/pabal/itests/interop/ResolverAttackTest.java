package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.itests.interop.Hierarchy.addresses;
import static org.pabal.itests.interop.LyingServers.a;
import static org.pabal.itests.interop.LyingServers.addressOfAll;
import static org.pabal.itests.interop.LyingServers.honest;
import static org.pabal.itests.interop.LyingServers.lower;
import static org.pabal.itests.interop.LyingServers.name;
import static org.pabal.itests.interop.LyingServers.ns;
import static org.pabal.itests.interop.LyingServers.reply;
import static org.pabal.itests.interop.LyingServers.script;
import static org.pabal.itests.interop.LyingServers.text;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.testkit.ScriptedNameServer;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/// What strangers try with a resolver, from both sides: servers that lie and clients that push. The
/// names of the rows are those of our list of attacks, D1 to D30.
@Timeout(120)
class ResolverAttackTest {

    private static final int PATIENCE_MILLIS = 15_000;

    /// More than any one question may cost, whatever the servers answer.
    private static final int MOST_FETCHES = 100;

    /// Queries of the flood of row D5, each for 800 octets: more than the cache has room for. A
    /// million by `-Pfull`.
    private static final int FLOOD = Integer.getInteger("pabal.flood", 3_000);

    private static final int POPULAR = 100;

    @TempDir static Path scratch;

    private static LyingServers servers;
    private static InetSocketAddress resolver;

    @BeforeAll
    static void start() throws Exception {
        servers = new LyingServers(scratch, "", Map.of("cache-size", "1 MB"));
        resolver = servers.node.address("resolver");
    }

    @AfterAll
    static void stop() throws Exception {
        servers.close();
    }

    /// Row D1.
    @Test
    void everyQueryHasAPortAndAnIdThatNobodyCanGuess() throws Exception {
        ScriptedNameServer server = servers.zone("d1", addressOfAll("d1", "192.0.2.1"));
        for (int i = 0; i < 300; i++) {
            assertEquals(List.of("192.0.2.1"), addresses(ask("n" + i + ".d1")));
        }
        List<Integer> ports = server.clients().stream().map(InetSocketAddress::getPort).toList();
        List<Integer> ids =
                server.queries().stream()
                        .map(query -> ByteBuffer.wrap(query).getShort() & 0xffff)
                        .toList();
        for (List<Integer> numbers : List.of(ports, ids)) {
            int sent = numbers.size();
            assertTrue(sent >= 300, "" + sent);
            // 300 of 28,000 at least: one or two come twice.
            assertTrue(Set.copyOf(numbers).size() > sent * 0.95, numbers.toString());
            assertTrue(Collections.max(numbers) - Collections.min(numbers) > 20_000);
            long neighbours =
                    IntStream.range(1, sent)
                            .filter(i -> Math.abs(numbers.get(i) - numbers.get(i - 1)) < 16)
                            .count();
            assertTrue(neighbours < sent / 20, "in sequence: " + numbers);
            // Not one sequence for each thread either: no number follows an earlier one closely.
            int[] sorted = numbers.stream().mapToInt(Integer::intValue).sorted().toArray();
            long adjoining =
                    IntStream.range(1, sent).filter(i -> sorted[i] - sorted[i - 1] == 1).count();
            assertTrue(adjoining < sent / 10, "in rows: " + Arrays.toString(sorted));
        }
    }

    /// Row D2: a birthday attack wants many queries for one name.
    @Test
    void identicalQuestionsInFlightAreOneQuery() throws Exception {
        ScriptedNameServer server =
                servers.zone(
                        "d2",
                        script(
                                query -> {
                                    // shorter than anybody waits before he asks again
                                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(250));
                                    return Optional.of(honest(query, "d2", "192.0.2.2"));
                                }));
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Message>> answers = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                answers.add(clients.submit(() -> ask("same.d2")));
            }
            for (Future<Message> answer : answers) {
                assertEquals(List.of("192.0.2.2"), addresses(answer.get()));
            }
        }
        long same =
                server.queries().stream()
                        .map(ResolverAttackTest::question)
                        .filter(record -> text(record.getName()).equals("same.d2"))
                        .filter(record -> record.getType() == Type.A)
                        .count();
        assertEquals(1, same);
    }

    /// Row D2: somebody guesses; over TCP there is nothing to guess.
    @Test
    void manyRepliesThatDoNotMatchMakeUsAskByTcp() throws Exception {
        AtomicInteger streams = new AtomicInteger();
        servers.zone(
                "d2b",
                (octets, stream) -> {
                    Message query = new Message(octets);
                    if (stream) {
                        streams.incrementAndGet();
                        return List.of(honest(query, "d2b", "192.0.2.2").toWire());
                    }
                    byte[] forged = honest(query, "d2b", "203.0.113.66").toWire();
                    List<byte[]> guesses = new ArrayList<>();
                    for (int guess = 1; guess <= 200; guess++) {
                        byte[] copy = forged.clone();
                        int id = (query.getHeader().getID() + guess) & 0xffff;
                        ByteBuffer.wrap(copy).putShort(0, (short) id);
                        guesses.add(copy);
                    }
                    return guesses;
                });
        assertEquals(List.of("192.0.2.2"), addresses(ask("guess.d2b")));
        assertTrue(streams.get() > 0, "never asked by TCP");
    }

    /// Row D3, upwards and downwards.
    @Test
    void nobodyIsAskedForOrGivenMoreThan1232Octets() throws Exception {
        ScriptedNameServer server =
                servers.zone(
                        "d3",
                        (octets, stream) -> {
                            Message query = new Message(octets);
                            if (query.getQuestion().getType() != Type.TXT) {
                                return List.of(honest(query, "d3", "192.0.2.3").toWire());
                            }
                            Message answer = reply(query);
                            answer.getHeader().setFlag(Flags.AA);
                            if (!stream) {
                                answer.getHeader().setFlag(Flags.TC);
                                return List.of(answer.toWire());
                            }
                            for (int i = 0; i < 10; i++) {
                                answer.addRecord(
                                        new TXTRecord(
                                                query.getQuestion().getName(),
                                                DClass.IN,
                                                300,
                                                i + "x".repeat(200)),
                                        Section.ANSWER);
                            }
                            return List.of(answer.toWire());
                        });
        Message query = query("big.d3", Type.TXT);
        query.addRecord(new OPTRecord(4096, 0, 0), Section.ADDITIONAL);
        byte[] answer = exchange(query.toWire()).orElseThrow();
        assertTrue(answer.length <= 1232, answer.length + " octets");
        assertTrue(new Message(answer).getHeader().getFlag(Flags.TC));
        assertEquals(10, askByTcp("big.d3", Type.TXT).getSection(Section.ANSWER).size());
        for (byte[] asked : server.queries()) {
            OPTRecord options = new Message(asked).getOPT();
            assertTrue(options == null || options.getPayloadSize() <= 1232);
        }
    }

    /// Row D4.
    @Test
    void recordsOfOtherZonesAreNotBelieved() throws Exception {
        ScriptedNameServer evil = servers.server(script(addressOfAll("d4", "203.0.113.66")));
        String evilAddress = evil.address().getAddress().getHostAddress();
        servers.zone("d4victim", addressOfAll("d4victim", "192.0.2.4"));
        servers.zone(
                "d4",
                query -> {
                    Message answer = honest(query, "d4", "192.0.2.40");
                    if (text(query.getQuestion().getName()).startsWith("alias")) {
                        answer = reply(query);
                        answer.getHeader().setFlag(Flags.AA);
                        answer.addRecord(
                                new CNAMERecord(
                                        query.getQuestion().getName(),
                                        DClass.IN,
                                        300,
                                        name("www.d4victim")),
                                Section.ANSWER);
                        answer.addRecord(a("www.d4victim", "203.0.113.66"), Section.ANSWER);
                    }
                    answer.addRecord(
                            ns(name("d4victim"), name("ns.d4evil"), 86400), Section.AUTHORITY);
                    answer.addRecord(ns(Name.root, name("ns.d4evil"), 86400), Section.AUTHORITY);
                    answer.addRecord(a("ns.d4evil", evilAddress), Section.ADDITIONAL);
                    answer.addRecord(a("ns.d4victim", evilAddress), Section.ADDITIONAL);
                    answer.addRecord(a("www.d4victim", "203.0.113.66"), Section.ADDITIONAL);
                    answer.addRecord(a("a.root", evilAddress), Section.ADDITIONAL);
                    return Optional.of(answer);
                });
        assertEquals(List.of("192.0.2.40"), addresses(ask("www.d4")));
        assertEquals(List.of("192.0.2.4"), addresses(ask("alias.d4")));
        assertEquals(List.of("192.0.2.4"), addresses(ask("www.d4victim")));
        assertEquals(List.of("192.0.2.4"), addresses(ask("other.d4victim")));
        assertEquals(Rcode.NXDOMAIN, ask("ns.d4evil").getRcode());
        assertEquals(List.of(), evil.queries(), "the liar was asked");
    }

    /// Row D5: a domain that its parent has taken away.
    @Test
    void aDelegationDoesNotOutliveWhatItsParentSaid() throws Exception {
        ScriptedNameServer ghost =
                servers.server(
                        script(
                                query -> {
                                    Message answer = honest(query, "d5", "192.0.2.5");
                                    answer.addRecord(
                                            ns(name("d5"), name("ns.d5"), 86400),
                                            Section.AUTHORITY);
                                    return Optional.of(answer);
                                }));
        servers.delegate("d5", ghost, 60);
        assertEquals(List.of("192.0.2.5"), addresses(ask("one.d5")));
        pass(50);
        assertEquals(List.of("192.0.2.5"), addresses(ask("two.d5")));
        assertEquals(List.of("192.0.2.5"), addresses(ask("ns.d5")));
        ask("d5", Type.NS);
        servers.undelegate("d5");
        pass(70);
        Message after = ask("three.d5");
        assertEquals(Rcode.NXDOMAIN, after.getRcode(), after::toString);
    }

    /// Row D5, CacheFlush: whoever can ask, and has a zone, fills the cache with names of his own;
    /// what others ask for all the time stays.
    @Test
    @Timeout(value = 30, unit = TimeUnit.MINUTES)
    void aFloodOfOnesOwnNamesDoesNotFlushWhatOthersAskFor() throws Exception {
        String filler = "x".repeat(250);
        servers.zone(
                "d5flood",
                query -> {
                    Message answer = honest(query, "d5flood", "192.0.2.66");
                    if (query.getQuestion().getType() == Type.TXT) {
                        answer = reply(query);
                        answer.getHeader().setFlag(Flags.AA);
                        answer.addRecord(
                                new TXTRecord(
                                        query.getQuestion().getName(),
                                        DClass.IN,
                                        86400,
                                        List.of(filler, filler, filler)),
                                Section.ANSWER);
                    }
                    return Optional.of(answer);
                });
        ScriptedNameServer victim =
                servers.zone("d5popular", addressOfAll("d5popular", "192.0.2.5"));
        for (int i = 0; i < 3 * POPULAR; i++) { // it is being asked for again that makes them so
            String popular = "p" + i % POPULAR + ".d5popular";
            assertEquals(List.of("192.0.2.5"), addresses(ask(popular)));
        }
        int asked = victim.queries().size();
        AtomicInteger next = new AtomicInteger();
        try (ExecutorService attackers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> threads = new ArrayList<>();
            for (int attacker = 0; attacker < 8; attacker++) {
                threads.add(
                        attackers.submit(
                                () -> {
                                    for (int i = next.getAndIncrement();
                                            i < FLOOD;
                                            i = next.getAndIncrement()) {
                                        ask("f" + i + ".d5flood", Type.TXT);
                                        if (i % 10 == 0) { // people go on to ask
                                            ask("p" + i / 10 % POPULAR + ".d5popular");
                                        }
                                    }
                                    return null;
                                }));
            }
            for (Future<?> thread : threads) {
                thread.get();
            }
        }
        assertTrue(evictions() > 0, "the flood was too small to need room");
        for (int i = 0; i < POPULAR; i++) {
            assertEquals(List.of("192.0.2.5"), addresses(ask("p" + i + ".d5popular")));
        }
        int again = victim.queries().size() - asked;
        assertTrue(again <= POPULAR / 20, again + " of " + POPULAR + " had to be asked for again");
    }

    private static long evictions() throws Exception {
        String counts = servers.node.shell("resolver:cache");
        return counts.lines()
                .filter(line -> line.startsWith("evictions"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .sum();
    }

    /// Row D6: one question must not become hundreds for somebody else.
    @Test
    void aReferralToManyNamesCostsTheirServerLittle() throws Exception {
        ScriptedNameServer victim =
                servers.zone(
                        "d6victim",
                        query -> {
                            Message answer = reply(query);
                            answer.getHeader().setFlag(Flags.AA);
                            answer.getHeader().setRcode(Rcode.NXDOMAIN);
                            answer.addRecord(LyingServers.soa(name("d6victim")), Section.AUTHORITY);
                            return Optional.of(answer);
                        });
        servers.zone(
                "d6",
                query -> {
                    Message referral = reply(query);
                    Name name = query.getQuestion().getName();
                    if (name.labels() < 3) {
                        return Optional.of(honest(query, "d6", "192.0.2.6"));
                    }
                    Name child = new Name(name, name.labels() - 3);
                    for (int i = 0; i < 100; i++) {
                        referral.addRecord(
                                ns(
                                        child,
                                        name(
                                                "n"
                                                        + i
                                                        + "."
                                                        + text(child).replace('.', '-')
                                                        + ".d6victim"),
                                        300),
                                Section.AUTHORITY);
                    }
                    return Optional.of(referral);
                });
        assertEquals(Rcode.SERVFAIL, ask("www.sub.d6").getRcode());
        long names = LyingServers.names(victim).stream().filter(n -> n.startsWith("n")).count();
        assertTrue(names <= 10, names + " names of one referral");
        assertTrue(victim.queries().size() <= MOST_FETCHES, victim.queries().size() + " queries");
    }

    /// Row D7.
    @Test
    void oneQuestionHasOneQuotaForAllThatItLeadsTo() throws Exception {
        ScriptedNameServer aliases =
                servers.zone(
                        "d7",
                        query -> {
                            Name name = query.getQuestion().getName();
                            if (query.getQuestion().getType() != Type.A || name.labels() < 3) {
                                return Optional.of(honest(query, "d7", "192.0.2.7"));
                            }
                            Message answer = reply(query);
                            answer.getHeader().setFlag(Flags.AA);
                            answer.addRecord(
                                    new CNAMERecord(
                                            name,
                                            DClass.IN,
                                            0,
                                            name("x" + text(name).hashCode() + ".d7")),
                                    Section.ANSWER);
                            return Optional.of(answer);
                        });
        Message endless = ask("start.d7");
        assertTrue(addresses(endless).isEmpty());
        assertTrue(aliases.queries().size() <= MOST_FETCHES, aliases.queries().size() + " queries");

        // A tree of delegations, each to two name servers in another such delegation.
        ScriptedNameServer tree =
                servers.zone(
                        "d7tree",
                        query -> {
                            Name name = query.getQuestion().getName();
                            if (name.labels() < 3) {
                                return Optional.of(honest(query, "d7tree", "192.0.2.7"));
                            }
                            Name child = new Name(name, name.labels() - 3);
                            Message referral = reply(query);
                            for (int i = 0; i < 5; i++) {
                                referral.addRecord(
                                        ns(
                                                child,
                                                name(
                                                        "ns.x"
                                                                + (text(child) + i).hashCode()
                                                                + ".d7tree"),
                                                300),
                                        Section.AUTHORITY);
                            }
                            return Optional.of(referral);
                        });
        assertEquals(Rcode.SERVFAIL, ask("www.a.d7tree").getRcode());
        assertTrue(tree.queries().size() <= MOST_FETCHES, tree.queries().size() + " queries");
    }

    /// Row D9.
    @Test
    void zonesThatWaitForOneAnotherAreAFailureThatIsRemembered() throws Exception {
        servers.delegate("d9a", List.of(name("ns.d9b")));
        servers.delegate("d9b", List.of(name("ns.d9a")));
        assertEquals(Rcode.SERVFAIL, ask("www.d9a").getRcode());
        int asked = servers.rootQueries("d9a") + servers.rootQueries("d9b");
        assertTrue(asked <= MOST_FETCHES, asked + " queries");
        for (int i = 0; i < 20; i++) {
            assertEquals(Rcode.SERVFAIL, ask("www.d9a").getRcode());
        }
        assertEquals(asked, servers.rootQueries("d9a") + servers.rootQueries("d9b"));
    }

    /// Row D10.
    @Test
    void aMalformedReplyIsPassedOverAndTheRightOneIsAwaited() throws Exception {
        servers.zone(
                "d10",
                (octets, stream) -> {
                    Message query = new Message(octets);
                    byte[] right = honest(query, "d10", "192.0.2.10").toWire();
                    if (stream) {
                        return List.of(right);
                    }
                    byte[] garbage = right.clone();
                    Arrays.fill(garbage, 12, garbage.length, (byte) 0xc3);
                    Message otherQuestion = reply(query("other.d10", Type.A));
                    otherQuestion.getHeader().setID(query.getHeader().getID());
                    otherQuestion.addRecord(a("other.d10", "203.0.113.66"), Section.ANSWER);
                    byte[] aQuery = right.clone();
                    aQuery[2] &= 0x7f;
                    byte[] counts = right.clone();
                    ByteBuffer.wrap(counts).putShort(6, (short) 0xffff);
                    return List.of(
                            new byte[0],
                            Arrays.copyOf(right, 5),
                            Arrays.copyOf(right, 11),
                            garbage,
                            otherQuestion.toWire(),
                            aQuery,
                            counts,
                            right);
                });
        for (int i = 0; i < 5; i++) {
            assertEquals(List.of("192.0.2.10"), addresses(ask("n" + i + ".d10")));
        }
        assertEquals(List.of("192.0.2.10"), addresses(ask("other.d10")));
    }

    /// Row D15, from clients and from servers.
    @Test
    void floodsOfOptionsAreRefusedAndOneOfAKindIsAnsweredOnce() throws Exception {
        servers.zone(
                "d15",
                query -> {
                    Message answer = honest(query, "d15", "192.0.2.15");
                    answer.addRecord(
                            new OPTRecord(1232, 0, 0, 0, options(300, 65001)), Section.ADDITIONAL);
                    return Optional.of(answer);
                });
        ask("www.d15"); // whatever is made of it, the next one is answered
        servers.zone("d15b", addressOfAll("d15b", "192.0.2.15"));
        Message flood = query("www.d15b", Type.A);
        flood.addRecord(new OPTRecord(1232, 0, 0, 0, options(60, 65001)), Section.ADDITIONAL);
        assertEquals(Rcode.FORMERR, new Message(exchange(flood.toWire()).orElseThrow()).getRcode());

        Message doubled = query("www.d15b", Type.A);
        List<EDNSOption> many = new ArrayList<>(options(10, EDNSOption.Code.NSID));
        for (int i = 0; i < 10; i++) {
            many.add(new GenericEDNSOption(EDNSOption.Code.COOKIE, new byte[8]));
        }
        doubled.addRecord(new OPTRecord(1232, 0, 0, 0, many), Section.ADDITIONAL);
        Message answer = new Message(exchange(doubled.toWire()).orElseThrow());
        OPTRecord options = answer.getOPT();
        if (options != null) {
            assertTrue(options.getOptions(EDNSOption.Code.COOKIE).size() <= 1);
            assertTrue(options.getOptions(EDNSOption.Code.NSID).size() <= 1);
        }
        assertEquals(List.of("192.0.2.15"), addresses(ask("www.d15b")));
    }

    private static List<EDNSOption> options(int count, int code) {
        return Collections.nCopies(count, (EDNSOption) new GenericEDNSOption(code, new byte[0]));
    }

    /// Row D16.
    @Test
    void compressionThatLoopsCostsNothing() throws Exception {
        servers.zone(
                "d16",
                (octets, stream) -> {
                    Message query = new Message(octets);
                    byte[] answer = honest(query, "d16", "203.0.113.66").toWire();
                    int owner = answer.length - 16; // of the one record: a pointer to the question
                    ByteBuffer wire = ByteBuffer.wrap(answer);
                    if (query.getQuestion().getType() == Type.A && owner > 12) {
                        boolean forwards = text(query.getQuestion().getName()).startsWith("f");
                        wire.putShort(owner, (short) (0xc000 | (forwards ? owner + 2 : owner)));
                    }
                    return List.of(answer);
                });
        Duration before = cpu();
        assertTrue(addresses(ask("loop.d16")).isEmpty());
        assertTrue(addresses(ask("forwards.d16")).isEmpty());

        byte[] query = query("www.d16b", Type.A).toWire();
        byte[] loop = Arrays.copyOf(query, 12 + 2 + 4);
        ByteBuffer.wrap(loop).putShort(12, (short) 0xc00c).putShort(14, (short) 1);
        loop[17] = 1;
        exchange(loop, 500).ifPresent(octets -> assertEquals(Rcode.FORMERR, octets[3] & 0x0f));
        assertTrue(cpu().minus(before).toSeconds() < 5, "spent " + cpu().minus(before));
        servers.zone("d16b", addressOfAll("d16b", "192.0.2.16"));
        assertEquals(List.of("192.0.2.16"), addresses(ask("www.d16b")));
    }

    /// Row D18.
    @Test
    void connectionsThatSayNothingKeepNobodyElseOut() throws Exception {
        servers.zone("d18", addressOfAll("d18", "192.0.2.18"));
        List<Socket> idle = new ArrayList<>();
        try {
            for (int i = 0; i < 300; i++) {
                Socket socket = new Socket();
                socket.bind(new InetSocketAddress("127.0.0.2", 0));
                socket.connect(resolver, PATIENCE_MILLIS);
                idle.add(socket);
                try {
                    socket.getOutputStream().write(0);
                } catch (IOException e) {
                    continue; // one too many
                }
            }
            assertEquals(List.of("192.0.2.18"), addresses(ask("udp.d18")));
            assertEquals(List.of("192.0.2.18"), addresses(askByTcp("tcp.d18", Type.A)));
            int closed = 0;
            for (Socket socket : idle) {
                socket.setSoTimeout(PATIENCE_MILLIS);
                try {
                    closed += socket.getInputStream().read() < 0 ? 1 : 0;
                } catch (java.net.SocketTimeoutException e) {
                    break;
                } catch (IOException e) {
                    closed++;
                }
            }
            assertEquals(300, closed, "connections that said nothing for 15 s");
        } finally {
            for (Socket socket : idle) {
                socket.close();
            }
        }
    }

    /// Row D30.
    @Test
    void manyNetworksOfClientsNeedNoMoreMemory() throws Exception {
        servers.zone("d30", addressOfAll("d30", "192.0.2.30"));
        ask("www.d30");
        byte[] query = query("www.d30", Type.A).toWire();
        flood(query, 0, 500);
        long before = residentKilobytes();
        flood(query, 500, 6_000);
        long grown = residentKilobytes() - before;
        assertTrue(grown < 64_000, "grown by " + grown + " kB");
        assertEquals(List.of("192.0.2.30"), addresses(ask("www.d30")));
    }

    /// A query from each of many networks 127.x.y.0/24.
    private static void flood(byte[] query, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
            InetAddress source =
                    InetAddress.ofLiteral("127." + (1 + i / 250) + "." + (i % 250) + ".1");
            try (DatagramSocket socket = new DatagramSocket(0, source)) {
                socket.send(new DatagramPacket(query, query.length, resolver));
            }
        }
    }

    private static long residentKilobytes() throws IOException {
        Path status = Path.of("/proc/" + servers.node.handle().pid() + "/status");
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .sum();
    }

    private static Duration cpu() {
        return servers.node.handle().info().totalCpuDuration().orElse(Duration.ZERO);
    }

    private static void pass(int seconds) throws IOException {
        Path next = servers.offset.resolveSibling("offset.new");
        Files.writeString(next, "" + seconds);
        Files.move(
                next,
                servers.offset,
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
        // The clock looks twenty times a second, and no later than at the second of these.
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(120));
    }

    private static Record question(byte[] query) {
        try {
            return new Message(query).getQuestion();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Message query(String name, int type) {
        return Message.newQuery(Record.newRecord(lower(name(name)), type, DClass.IN));
    }

    private static Message ask(String name) throws IOException {
        return ask(name, Type.A);
    }

    private static Message ask(String name, int type) throws IOException {
        Message query = query(name, type);
        Message answer = new Message(exchange(query.toWire()).orElseThrow());
        assertEquals(query.getHeader().getID(), answer.getHeader().getID());
        assertEquals(query.getQuestion(), answer.getQuestion());
        return answer;
    }

    private static Optional<byte[]> exchange(byte[] query) throws IOException {
        Optional<byte[]> answer = exchange(query, PATIENCE_MILLIS);
        assertFalse(answer.isEmpty(), "no answer");
        return answer;
    }

    private static Optional<byte[]> exchange(byte[] query, int millis) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(resolver);
            socket.setSoTimeout(millis);
            socket.send(new DatagramPacket(query, query.length));
            DatagramPacket answer = new DatagramPacket(new byte[65_535], 65_535);
            socket.receive(answer);
            return Optional.of(Arrays.copyOf(answer.getData(), answer.getLength()));
        } catch (java.net.SocketTimeoutException e) {
            return Optional.empty();
        }
    }

    private static Message askByTcp(String name, int type) throws IOException {
        byte[] query = query(name, type).toWire();
        try (Socket socket = new Socket()) {
            socket.connect(resolver, PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.getOutputStream()
                    .write(
                            ByteBuffer.allocate(query.length + 2)
                                    .putShort((short) query.length)
                                    .put(query)
                                    .array());
            java.io.DataInputStream in = new java.io.DataInputStream(socket.getInputStream());
            byte[] answer = new byte[in.readUnsignedShort()];
            in.readFully(answer);
            return new Message(answer);
        }
    }
}
