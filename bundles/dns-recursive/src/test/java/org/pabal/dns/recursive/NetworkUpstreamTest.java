package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pabal.testkit.ScriptedNameServer;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/// One server is asked, and does what it likes.
class NetworkUpstreamTest {

    private static final Question QUESTION = UpstreamAnswers.question("www.example.org");

    private final NetworkUpstream upstream = upstream(true);
    private Optional<ScriptedNameServer> scripted = Optional.empty();

    private static NetworkUpstream upstream(boolean useCaps) {
        UpstreamSettings defaults = UpstreamSettings.DEFAULTS;
        return new NetworkUpstream(
                new UpstreamSettings(useCaps, defaults.udpSize(), defaults.ipv6(), 64, List.of()),
                UpstreamAnswers.CLOCK);
    }

    @AfterEach
    void close() throws IOException {
        upstream.close();
        assertEquals(0, upstream.openSockets());
        if (scripted.isPresent()) {
            scripted.get().close();
        }
    }

    private Server server(ScriptedNameServer.Script script) throws IOException {
        scripted = Optional.of(new ScriptedNameServer("127.0.0.1", 0, script));
        return new Server(Name.root, scripted.get().address());
    }

    private List<byte[]> queries() {
        return scripted.orElseThrow().queries();
    }

    private Reply ask(Server server) throws IOException {
        return upstream.ask(
                server, UpstreamAnswers.ZONE, QUESTION, false, UpstreamAnswers.request());
    }

    @Test
    void answerIsRead() throws IOException {
        Server server = server((query, stream) -> addresses(query));
        Reply reply = ask(server);
        assertEquals(1, reply.message().getSection(Section.ANSWER).size());
        assertEquals(Reply.Transport.UDP, reply.transport());
        assertEquals(server, reply.server());
        assertTrue(reply.took().isPositive());
    }

    private static List<byte[]> addresses(byte[] query) {
        return UpstreamAnswers.octets(UpstreamAnswers.address(query));
    }

    /// Security row D1.
    @Test
    void portsAndIdsOfTwoThousandQueriesHaveNoPattern() throws Exception {
        Server server = server((query, stream) -> addresses(query));
        for (int i = 0; i < 2000; i++) {
            upstream.ask(
                    server,
                    UpstreamAnswers.ZONE,
                    UpstreamAnswers.question("n" + i + ".example.org"),
                    false,
                    UpstreamAnswers.request());
        }
        List<Integer> ports =
                scripted.orElseThrow().clients().stream().map(InetSocketAddress::getPort).toList();
        List<Integer> ids = queries().stream().map(q -> (q[0] & 0xFF) << 8 | q[1] & 0xFF).toList();
        assertEquals(2000, ports.size());
        looksRandom(ports, 2048);
        looksRandom(ids, 0);
    }

    /// What a pattern would break: few values twice, all parts of the range, no order, no parity,
    /// no steps.
    private static void looksRandom(List<Integer> numbers, int least) {
        Set<Integer> distinct = new HashSet<>(numbers);
        assertTrue(distinct.size() > numbers.size() * 0.9, distinct.size() + " distinct");
        int[] parts = new int[16];
        int odd = 0;
        int rising = 0;
        Set<Integer> steps = new HashSet<>();
        for (int i = 0; i < numbers.size(); i++) {
            int number = numbers.get(i);
            assertTrue(number >= least, "" + number);
            parts[(number - least) * 16 / (0x10000 - least)]++;
            odd += number & 1;
            if (i > 0) {
                rising += number > numbers.get(i - 1) ? 1 : 0;
                steps.add(number - numbers.get(i - 1));
            }
        }
        // each with a chance of less than one in a million to fail by itself
        for (int part : parts) {
            assertTrue(part > 60 && part < 200, Arrays.toString(parts));
        }
        assertTrue(odd > 880 && odd < 1120, odd + " odd");
        assertTrue(rising > 860 && rising < 1140, rising + " rising");
        assertTrue(steps.size() > 1800, steps.size() + " steps");
    }

    /// Security row D2.
    @Test
    void aHundredThreadsThatAskTheSameSendOnePacket() throws Exception {
        List<Thread> threads = new CopyOnWriteArrayList<>();
        CountDownLatch started = new CountDownLatch(1);
        Server server =
                server(
                        (query, stream) -> {
                            await(started);
                            while (threads.stream()
                                    .anyMatch(t -> t.getState() != Thread.State.TIMED_WAITING)) {
                                Thread.yield();
                            }
                            return addresses(query);
                        });
        List<Integer> rcodes = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 100; i++) {
            threads.add(
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try {
                                            rcodes.add(ask(server).message().getRcode());
                                        } catch (IOException e) {
                                            rcodes.add(Rcode.SERVFAIL);
                                        }
                                    }));
        }
        started.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(Collections.nCopies(100, Rcode.NOERROR), rcodes);
        assertEquals(1, queries().size());
    }

    @Test
    void whoSharesAnExchangeSharesItsFailure() throws Exception {
        SharedExchanges shared = new SharedExchanges();
        CountDownLatch second = new CountDownLatch(1);
        SharedExchanges.Key key =
                new SharedExchanges.Key(
                        new InetSocketAddress("127.0.0.1", 53), Optional.empty(), QUESTION, false);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Thread> follower = new CopyOnWriteArrayList<>();
            Future<IOException> leading =
                    threads.submit(
                            () ->
                                    assertThrows(
                                            IOException.class,
                                            () ->
                                                    shared.reply(
                                                            key,
                                                            new Quota(),
                                                            () -> {
                                                                second.countDown();
                                                                while (follower.isEmpty()
                                                                        || follower.getFirst()
                                                                                        .getState()
                                                                                != Thread.State
                                                                                        .TIMED_WAITING) {
                                                                    Thread.yield();
                                                                }
                                                                throw new IOException("no");
                                                            })));
            Future<IOException> following =
                    threads.submit(
                            () -> {
                                second.await();
                                follower.add(Thread.currentThread());
                                return assertThrows(
                                        IOException.class,
                                        () ->
                                                shared.reply(
                                                        key,
                                                        new Quota(),
                                                        () -> {
                                                            throw new AssertionError("second");
                                                        }));
                            });
            assertEquals("no", leading.get().getMessage());
            assertEquals("no", following.get().getMessage());
        }
        assertEquals(0, shared.size());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Security row D3.
    @Test
    void payloadIs1232AndDnssecIsWanted() throws IOException {
        ask(server((query, stream) -> addresses(query)));
        OPTRecord opt = UpstreamAnswers.message(queries().getFirst()).getOPT();
        assertEquals(1232, opt.getPayloadSize());
        assertEquals(ExtendedFlags.DO, opt.getFlags());
        assertEquals(0, opt.getVersion());
    }

    @Test
    void recursionIsDesiredOfOtherResolversOnly() throws IOException {
        Server server = server((query, stream) -> addresses(query));
        ask(server);
        upstream.ask(server, UpstreamAnswers.ZONE, QUESTION, true, UpstreamAnswers.request());
        assertFalse(flag(0, Flags.RD) || flag(0, Flags.CD));
        assertTrue(flag(1, Flags.RD) && flag(1, Flags.CD));
    }

    private boolean flag(int query, int flag) {
        return UpstreamAnswers.message(queries().get(query)).getHeader().getFlag(flag);
    }

    /// Security row D10.
    @Test
    void whatDoesNotFitIsIgnoredWhileTheTimeRuns() throws IOException {
        Server server =
                server(
                        (query, stream) -> {
                            byte[] good = addresses(query).getFirst();
                            byte[] otherId = good.clone();
                            otherId[0]++;
                            byte[] noAnswer = good.clone();
                            noAnswer[2] &= 0x7F;
                            byte[] update = good.clone();
                            update[2] |= 5 << 3;
                            byte[] otherType = typed(query);
                            byte[] manyRecords = good.clone();
                            manyRecords[7] = 9;
                            byte[] bareServfail = Arrays.copyOf(good, 12);
                            bareServfail[3] = Rcode.SERVFAIL;
                            bareServfail[5] = bareServfail[7] = 0;
                            return List.of(
                                    new byte[0],
                                    new byte[] {1, 2, 3},
                                    otherId,
                                    noAnswer,
                                    update,
                                    otherType,
                                    manyRecords,
                                    bareServfail,
                                    Arrays.copyOf(good, good.length - 5),
                                    good);
                        });
        Reply reply = ask(server);
        assertEquals(Reply.Transport.UDP, reply.transport());
        assertEquals(1, reply.message().getSection(Section.ANSWER).size());
        assertEquals(1, queries().size());
    }

    private static byte[] typed(byte[] query) {
        byte[] other = query.clone();
        int type = 12 + UpstreamAnswers.message(query).getQuestion().getName().length();
        other[type + 1] = 28;
        return UpstreamAnswers.octets(UpstreamAnswers.address(other)).getFirst();
    }

    /// Security row D2.
    @Test
    void whoGuessesIdsSendsUsToTcp() throws IOException {
        Server server =
                server(
                        (query, stream) -> {
                            List<byte[]> guesses = new ArrayList<>();
                            for (int i = 1; !stream && i <= 20; i++) {
                                byte[] guess = addresses(query).getFirst();
                                guess[1] += (byte) i;
                                guesses.add(guess);
                            }
                            return stream ? addresses(query) : guesses;
                        });
        assertEquals(Reply.Transport.TCP, ask(server).transport());
    }

    /// Security row D2.
    @Test
    void icmpIsNoAnswer() throws IOException {
        int port;
        try (DatagramSocket closed = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        Server server =
                new Server(
                        Name.root, new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        long began = System.nanoTime();
        IOException silence = assertThrows(SocketTimeoutException.class, () -> ask(server));
        assertTrue(System.nanoTime() - began >= RoundTrip.GUESS.toNanos());
        assertTrue(silence.getMessage().startsWith("timed out after "), silence.getMessage());
        assertTrue(silence.getMessage().contains("ms, UDP"), silence.getMessage());
    }

    @Test
    void lettersAreSentInRandomCaseAndComeBackAsAsked() throws IOException {
        Server server = server((query, stream) -> addresses(query));
        Question longName =
                UpstreamAnswers.question("abcdefghijklmnopqrstuvwxyz.ABCDEFGHIJKLM.example.org");
        Reply reply =
                upstream.ask(
                        server, UpstreamAnswers.ZONE, longName, false, UpstreamAnswers.request());
        String sent =
                UpstreamAnswers.message(queries().getFirst()).getQuestion().getName().toString();
        assertFalse(sent.equals(longName.name().toString()));
        assertTrue(sent.equalsIgnoreCase(longName.name().toString()));
        assertEquals(
                longName.name().toString(), reply.message().getQuestion().getName().toString());
        assertEquals(
                longName.name().toString(),
                reply.message().getSection(Section.ANSWER).getFirst().getName().toString());
    }

    @Test
    void serverThatFoldsCaseIsAskedByTcpAndThenAsWritten() throws IOException {
        Server server = server((query, stream) -> addresses(stream ? query : lower(query)));
        Question longName = UpstreamAnswers.question("abcdefghijklmnopqrstuvwxyz.example.org");
        assertEquals(
                Reply.Transport.TCP,
                upstream.ask(
                                server,
                                UpstreamAnswers.ZONE,
                                longName,
                                false,
                                UpstreamAnswers.request())
                        .transport());
        assertEquals(
                Reply.Transport.UDP,
                upstream.ask(
                                server,
                                UpstreamAnswers.ZONE,
                                longName,
                                false,
                                UpstreamAnswers.request())
                        .transport());
        assertTrue(upstream.memory().line(server.address()).contains("folds case"));
    }

    private static byte[] lower(byte[] query) {
        byte[] lower = query.clone();
        byte[] name = UpstreamAnswers.message(query).getQuestion().getName().toWireCanonical();
        System.arraycopy(name, 0, lower, 12, name.length);
        return lower;
    }

    @Test
    void caseStaysWhereSettingsSaySo() throws IOException {
        Server server = server((query, stream) -> addresses(query));
        try (NetworkUpstream plain = upstream(false)) {
            plain.ask(
                    server,
                    UpstreamAnswers.ZONE,
                    UpstreamAnswers.question("abcdefghijklmnopqrstuvwxyz.example.org"),
                    false,
                    UpstreamAnswers.request());
        }
        String sent =
                UpstreamAnswers.message(queries().getFirst()).getQuestion().getName().toString();
        assertEquals(sent.toLowerCase(Locale.ROOT), sent);
    }

    @Test
    void truncatedAnswerIsFetchedByTcp() throws IOException {
        Server server =
                server(
                        (query, stream) -> {
                            Message answer = UpstreamAnswers.address(query);
                            if (!stream) {
                                answer.getHeader().setFlag(Flags.TC);
                            }
                            return UpstreamAnswers.octets(answer);
                        });
        Reply reply = ask(server);
        assertEquals(Reply.Transport.TCP, reply.transport());
        assertEquals(1, reply.message().getSection(Section.ANSWER).size());
    }

    @Test
    void serverWithoutEdnsIsAskedWithoutAndRemembered() throws IOException {
        Server server =
                server(
                        (query, stream) ->
                                UpstreamAnswers.message(query).getOPT() == null
                                        ? addresses(query)
                                        : UpstreamAnswers.octets(
                                                UpstreamAnswers.rcode(query, Rcode.FORMERR)));
        assertEquals(Rcode.NOERROR, ask(server).message().getRcode());
        assertEquals(3, queries().size()); // with a cookie, without, without EDNS
        assertEquals(Rcode.NOERROR, ask(server).message().getRcode());
        assertEquals(4, queries().size());
        assertTrue(upstream.memory().line(server.address()).contains("no EDNS"));
    }

    @Test
    void serverThatAnswersEdnsWithAHeaderIsAskedWithout() throws IOException {
        Server server =
                server(
                        (query, stream) -> {
                            if (UpstreamAnswers.message(query).getOPT() == null) {
                                return addresses(query);
                            }
                            return List.of(
                                    new byte[] {
                                        query[0],
                                        query[1],
                                        (byte) 0x80,
                                        Rcode.NOTIMP,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0
                                    });
                        });
        assertEquals(Rcode.NOERROR, ask(server).message().getRcode());
    }

    @Test
    void serverThatTakesNoOptionsKeepsEdns() throws IOException {
        Server server =
                server(
                        (query, stream) ->
                                UpstreamAnswers.message(query).getOPT().getOptions().isEmpty()
                                        ? addresses(query)
                                        : UpstreamAnswers.octets(
                                                UpstreamAnswers.rcode(query, Rcode.FORMERR)));
        ask(server);
        ask(server);
        assertEquals(3, queries().size());
        assertTrue(upstream.memory().line(server.address()).contains("EDNS without options"));
    }

    @Test
    void formerrForWhateverWeSayIsTheAnswer() throws IOException {
        Server server =
                server(
                        (query, stream) ->
                                UpstreamAnswers.octets(
                                        UpstreamAnswers.rcode(query, Rcode.FORMERR)));
        assertEquals(Rcode.FORMERR, ask(server).message().getRcode());
        assertFalse(upstream.memory().line(server.address()).contains("no EDNS"));
    }

    @Test
    void fastServerIsAskedAgainWhenAPacketIsLost() throws IOException {
        AtomicInteger count = new AtomicInteger();
        Server server =
                server(
                        (query, stream) ->
                                count.incrementAndGet() == 2 ? List.of() : addresses(query));
        ask(server);
        ask(server);
        assertEquals(3, queries().size());
        assertTrue(Arrays.equals(queries().get(1), queries().get(2)));
    }

    @Test
    void answerThatDoesNotFitIntoADatagramIsFetchedByTcp() throws IOException {
        Server server =
                server(
                        (query, stream) -> {
                            Message answer = UpstreamAnswers.address(query);
                            for (int i = 0; i < 20; i++) {
                                answer.addRecord(
                                        new TXTRecord(
                                                QUESTION.name(), DClass.IN, i, "x".repeat(240)),
                                        Section.ADDITIONAL);
                            }
                            return UpstreamAnswers.octets(answer);
                        });
        Reply reply = ask(server);
        assertEquals(Reply.Transport.TCP, reply.transport());
        assertEquals(20, reply.message().getSection(Section.ADDITIONAL).size());
    }

    @Test
    void whyTcpWasNeededIsSaidWhenItFails() throws IOException {
        Server server =
                server(
                        (query, stream) -> {
                            Message answer = UpstreamAnswers.address(query);
                            answer.getHeader().setFlag(Flags.TC);
                            return stream ? List.of() : UpstreamAnswers.octets(answer);
                        });
        assertEquals(
                "a truncated answer, and by TCP: the server closed the stream without an answer",
                assertThrows(IOException.class, () -> ask(server)).getMessage());
    }

    @Test
    void deadServerIsNotAsked() throws IOException {
        Server server = server((query, stream) -> List.of());
        upstream.memory().heard(new InetSocketAddress("192.0.2.53", 53), Optional.empty());
        for (int i = 0; i < Remembered.DEAD_AFTER; i++) {
            upstream.memory().silent(server.address(), UpstreamAnswers.ZONE, System.nanoTime());
        }
        IOException dead = assertThrows(IOException.class, () -> ask(server));
        assertTrue(
                dead.getMessage().endsWith("silent 4 times in a row, left alone for 5 s"),
                dead.getMessage());
        assertTrue(queries().isEmpty());
    }

    @Test
    void everyPacketCountsAgainstTheQuota() throws IOException {
        Server server =
                server(
                        (query, stream) -> {
                            Message answer = UpstreamAnswers.address(query);
                            answer.getHeader().setFlag(Flags.TC);
                            return UpstreamAnswers.octets(answer);
                        });
        Request request = UpstreamAnswers.request();
        for (int i = 0; i < Quota.FETCHES / 2; i++) {
            upstream.ask(server, UpstreamAnswers.ZONE, QUESTION, false, request);
        }
        assertEquals(Quota.FETCHES, queries().size());
        IOException spent =
                assertThrows(
                        QuotaSpent.class,
                        () -> upstream.ask(server, UpstreamAnswers.ZONE, QUESTION, false, request));
        assertEquals("the request has sent all its 100 queries", spent.getMessage());
        assertFalse(upstream.memory().line(server.address()).contains("silent"));
    }

    @Test
    void limitOfQuestionsThatAreOutIsSaid() throws Exception {
        CountDownLatch free = new CountDownLatch(1);
        CountDownLatch out = new CountDownLatch(16);
        Server server =
                server(
                        (query, stream) -> {
                            out.countDown();
                            await(free);
                            return addresses(query);
                        });
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 16; i++) {
                Question question = UpstreamAnswers.question("n" + i + ".example.org");
                threads.submit(
                        () ->
                                upstream.ask(
                                        server,
                                        UpstreamAnswers.ZONE,
                                        question,
                                        true,
                                        UpstreamAnswers.request()));
            }
            out.await();
            IOException full = assertThrows(OutgoingLimit.Full.class, () -> ask(server));
            assertTrue(full.getMessage().startsWith("16 questions are out at this server"));
            free.countDown();
        }
        assertEquals(Rcode.NOERROR, ask(server).message().getRcode());
    }

    @Test
    void whoWaitsWhenItIsClosedHearsSo() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        Server server =
                server(
                        (query, stream) -> {
                            asked.countDown();
                            return List.of();
                        });
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<IOException> waiting =
                    threads.submit(() -> assertThrows(IOException.class, () -> ask(server)));
            asked.await();
            upstream.close();
            assertEquals("this resolver is being stopped", waiting.get().getMessage());
        }
    }
}
