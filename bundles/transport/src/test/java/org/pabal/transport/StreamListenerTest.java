package org.pabal.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pabal.protocol.Connection;
import org.pabal.protocol.StreamProtocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.SSLSocket;

@Timeout(60)
class StreamListenerTest {

    private StreamListener listener;

    private void open(ListenerSettings settings) throws IOException {
        listener =
                new StreamListener(
                        settings,
                        settings.keyFiles().isEmpty()
                                ? Optional.empty()
                                : Optional.of(new Credentials(settings.keyFiles().get())));
    }

    private StreamTenant speak(StreamProtocol protocol) {
        return listener.add(1, protocol, Optional.of("421 4.3.2 {}"));
    }

    private Client client() throws IOException {
        return new Client(listener.address());
    }

    @AfterEach
    void close() throws IOException {
        listener.tenants().forEach(listener::remove);
        listener.close();
    }

    @Test
    void answersAPipelinedBatchInOnePiece() throws IOException {
        open(Given.settings());
        speak(new LineEcho());
        try (SocketChannel client = SocketChannel.open(listener.address())) {
            ByteBuffer answer = ByteBuffer.allocate(100);
            client.read(answer);
            client.write(ByteBuffer.wrap("one\r\ntwo\r\nthree\r\n".getBytes()));
            answer.clear();
            client.read(answer);
            assertEquals(
                    "one\r\ntwo\r\nthree\r\n", new String(answer.array(), 0, answer.position()));
        }
    }

    @Test
    void carriesMuchDataBothWays() throws Exception {
        open(Given.settings());
        byte[] data = new byte[3_000_000];
        new Random(1).nextBytes(data);
        speak(
                connection -> {
                    byte[] got = connection.input().readAllBytes();
                    connection.output().write(got, 0, 1_000);
                    connection.output().write(got, 1_000, got.length - 1_000);
                });
        try (Client client = client()) {
            client.send(data);
            client.socket.shutdownOutput();
            assertEquals(
                    ByteBuffer.wrap(data),
                    ByteBuffer.wrap(client.socket.getInputStream().readAllBytes()));
        }
    }

    @Test
    void connectionWaitsForTheProtocolToCome() throws IOException {
        open(Given.settings());
        try (Client client = client()) {
            client.send("first\r\n");
            speak(new LineEcho("2 "));
            assertEquals("hello", client.line());
            assertEquals("2 first", client.line());
        }
    }

    @Test
    void saysGoodbyeWhenNoProtocolComesAndRemembersHowTheLastOneSaidIt() throws IOException {
        open(Given.settings("wait", "50 ms"));
        listener.remove(speak(new LineEcho()));
        try (Client client = client()) {
            assertEquals(
                    "421 4.3.2 the service is away for a moment, try again later", client.line());
            assertEquals("(end)", client.line());
        }
    }

    @Test
    void goodbyeOfTheSettingsComesFirst() throws IOException {
        open(Given.settings("wait", "50 ms", "goodbye", "-ERR {}"));
        try (Client client = client()) {
            assertEquals("-ERR the service is away for a moment, try again later", client.line());
        }
    }

    @Test
    void closesInSilenceWhenNobodyKnowsTheGoodbye() throws IOException {
        open(Given.settings("wait", "50 ms"));
        try (Client client = client()) {
            assertEquals("(end)", client.line());
        }
    }

    // S8, D18: connections in all
    @Test
    void refusesConnectionsBeyondTheLimitWithAReason() throws IOException {
        open(Given.settings("max-connections", "2"));
        speak(new LineEcho());
        try (Client one = client();
                Client two = client()) {
            assertEquals("hello", one.line());
            assertEquals("hello", two.line());
            try (Client three = client()) {
                assertEquals("421 4.3.2 too many connections here, try again later", three.line());
                assertEquals("(end)", three.line());
            }
            assertEquals("still here", one.send("still here\r\n").line());
        }
    }

    // S8, D18: connections of one client
    @Test
    void refusesConnectionsOfOneClientBeyondItsLimit() throws IOException {
        open(Given.settings("max-connections-per-address", "1"));
        speak(new LineEcho());
        try (Client one = client()) {
            assertEquals("hello", one.line());
            try (Client two = client()) {
                assertEquals(
                        "421 4.3.2 too many connections from your address, try again later",
                        two.line());
            }
            assertEquals("bye", one.send("quit\r\n").line());
            assertEquals("(end)", one.line());
        }
        String answer = "";
        while (!answer.equals(
                "hello")) { // its place is free once the server has noticed that it left
            try (Client again = client()) {
                answer = again.line();
            }
        }
    }

    // S8: nothing at all
    @Test
    void endsTheWaitForACommandWhenPatienceIsOver() throws Exception {
        open(Given.settings("patience", "300 ms"));
        CompletableFuture<Exception> thrown = new CompletableFuture<>();
        speak(
                connection -> {
                    try {
                        connection.awaitInput();
                    } catch (IOException e) {
                        thrown.complete(e);
                        LineEcho.say(connection, "421 time is up");
                    }
                });
        try (Client client = client()) {
            assertEquals("421 time is up", client.line());
            assertEquals(SocketTimeoutException.class, thrown.get().getClass());
        }
    }

    // S8, D18: an octet now and then
    @Test
    void patienceIsTheSumOfAllWaits() throws Exception {
        open(Given.settings());
        CountDownLatch over = new CountDownLatch(1);
        speak(
                connection -> {
                    connection.patience(Duration.ofMillis(400));
                    try {
                        while (connection.input().read() >= 0) {}
                    } catch (SocketTimeoutException e) {
                        over.countDown();
                    }
                });
        try (Client client = client()) {
            long begin = System.nanoTime();
            int sent = 0;
            do { // the drip
                client.send("x");
                sent++;
            } while (!over.await(30, TimeUnit.MILLISECONDS));
            assertTrue(System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(10));
            assertTrue(sent > 1);
        }
    }

    // D18: less time for the silent while places are scarce
    @Test
    void silentClientsHaveLessTimeInACrowd() throws IOException {
        open(Given.settings("max-connections", "4", "crowded-patience", "200 ms"));
        speak(new LineEcho());
        List<Client> crowd = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            crowd.add(client());
            assertEquals("hello", crowd.get(i).line());
        }
        assertEquals("(end)", crowd.getLast().line());
        for (Client client : crowd) {
            client.close();
        }
    }

    // S3: for the protocol that wants to know who talks before it was greeted
    @Test
    void availableTellsWhatTheClientSaidUnasked() throws IOException {
        open(Given.settings());
        speak(
                connection -> {
                    while (connection.input().available() == 0) {
                        Thread.onSpinWait();
                    }
                    LineEcho.say(connection, "early " + LineEcho.line(connection));
                });
        try (Client client = client()) {
            assertEquals("early bird", client.send("bird\r\n").line());
        }
    }

    // S8: a client that takes nothing
    @Test
    void givesUpOnAClientThatDoesNotRead() throws Exception {
        open(Given.settings("patience", "200 ms"));
        CompletableFuture<Exception> thrown = new CompletableFuture<>();
        speak(
                connection -> {
                    try {
                        while (true) {
                            connection.output().write(new byte[100_000]);
                        }
                    } catch (IOException e) {
                        thrown.complete(e);
                    }
                });
        try (SocketChannel client = SocketChannel.open()) {
            client.setOption(StandardSocketOptions.SO_RCVBUF, 4_096);
            client.connect(listener.address());
            assertEquals(SocketTimeoutException.class, thrown.get().getClass());
        }
    }

    @Test
    void awaitInputStartsThePatienceAnew() throws Exception {
        open(Given.settings("patience", "1 s"));
        speak(new LineEcho());
        try (Client client = client()) {
            long begin = System.nanoTime();
            while (System.nanoTime() - begin < TimeUnit.MILLISECONDS.toNanos(2_500)) {
                // LineEcho's answer comes at once, and our next line right after it
                assertTrue(client.send("x\r\n").line().matches("x|hello"));
            }
        }
    }

    @Test
    void drainWakesAWaitingConversationWhichCanStillSayGoodbye() throws Exception {
        open(Given.settings());
        LineEcho old = new LineEcho();
        StreamTenant tenant = speak(old);
        try (Client idle = client()) {
            assertEquals("hello", idle.line());
            assertEquals("x", idle.send("x\r\n").line());
            long begin = System.nanoTime();
            listener.remove(tenant);
            assertTrue(
                    System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(4),
                    "woken, not waited out");
            assertEquals(0, old.running.get());
            assertEquals("421 shutting down", idle.line());
            assertEquals("(end)", idle.line());
        }
    }

    @Test
    void drainWakesAConversationThatHasLongBeenIdle() throws Exception {
        open(Given.settings());
        CountDownLatch waiting = new CountDownLatch(1);
        StreamTenant tenant =
                speak(
                        new LineEcho() {
                            @Override
                            public void converse(Connection connection) throws IOException {
                                Thread self = Thread.currentThread();
                                Thread.ofVirtual()
                                        .start(
                                                () -> {
                                                    // Long idle: the thread stands at the
                                                    // doorkeeper.
                                                    while (Arrays.stream(self.getStackTrace())
                                                            .noneMatch(
                                                                    f ->
                                                                            f.getClassName()
                                                                                    .endsWith(
                                                                                            "Doorkeeper"))) {
                                                        Thread.yield();
                                                    }
                                                    waiting.countDown();
                                                });
                                super.converse(connection);
                            }
                        });
        try (Client idle = client()) {
            assertEquals("hello", idle.line());
            waiting.await();
            long begin = System.nanoTime();
            listener.remove(tenant);
            assertTrue(
                    System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(4),
                    "woken, not waited out");
            assertEquals("421 shutting down", idle.line());
        }
    }

    /// Answers lines, and leaves its client to whoever comes next.
    private static StreamProtocol stateless(String answer) {
        return connection -> {
            while (connection.awaitInput()) {
                LineEcho.say(connection, answer + LineEcho.line(connection));
            }
            if (connection.draining()) {
                connection.leaveToSuccessor();
            }
        };
    }

    @Test
    void aConnectionThatIsLeftGoesOnWithTheSuccessor() throws Exception {
        open(Given.settings());
        StreamTenant tenant = speak(stateless("old "));
        try (Client client = client()) {
            for (int swap = 0; swap < 5; swap++) {
                assertEquals("old 1", client.send("1\r\n").line());
                listener.remove(tenant);
                client.send("2\r\n");
                StreamTenant next = speak(stateless("new "));
                assertEquals("new 2", client.line());
                assertEquals("new 3", client.send("3\r\n").line());
                listener.remove(next);
                tenant = speak(stateless("old "));
            }
            assertEquals(1, listener.connections());
        }
        awaitConnections(0);
    }

    @Test
    void whatNobodyHasReadIsForTheSuccessor() throws Exception {
        open(Given.settings());
        BlockingQueue<String> first = new LinkedBlockingQueue<>();
        StreamTenant tenant =
                speak(
                        connection -> {
                            connection.awaitInput();
                            first.add(LineEcho.line(connection));
                            LineEcho.say(connection, "answered");
                            while (!connection.draining()) {
                                Thread.onSpinWait();
                            }
                            assertFalse(connection.awaitInput(), "it is not for us any more");
                            connection.leaveToSuccessor();
                        });
        try (Client client = client()) {
            client.send("one\r\ntwo\r\nthree\r\n");
            assertEquals("one", first.take());
            listener.remove(tenant);
            speak(stateless("new "));
            assertEquals("answered", client.line());
            assertEquals("new two", client.line());
            assertEquals("new three", client.line());
        }
    }

    @Test
    void aConnectionThatIsLeftKeepsItsTls() throws Exception {
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            open(Given.tlsSettings("implicit", "ec"));
            StreamTenant tenant = speak(stateless("old "));
            try (Client client = client()) {
                client.secure(version);
                assertEquals("old 1", client.send("1\r\n").line());
                listener.remove(tenant);
                client.send("2\r\n");
                speak(stateless("new "));
                assertEquals("new 2", client.line());
            }
            close();
        }
        open(Given.settings());
    }

    @Test
    void aConnectionThatIsLeftIsClosedWhenNobodyComesForIt() throws Exception {
        open(Given.settings("wait", "50 ms"));
        StreamTenant tenant = speak(stateless(""));
        try (Client client = client()) {
            assertEquals("1", client.send("1\r\n").line());
            listener.remove(tenant);
            assertEquals(
                    "421 4.3.2 the service is away for a moment, try again later", client.line());
            assertEquals("(end)", client.line());
        }
    }

    @Test
    void closingEndsConnectionsThatWereLeft() throws Exception {
        open(Given.settings());
        StreamTenant tenant = speak(stateless(""));
        try (Client client = client()) {
            assertEquals("1", client.send("1\r\n").line());
            listener.remove(tenant);
            listener.close();
            assertEquals(
                    "421 4.3.2 the service is away for a moment, try again later", client.line());
            assertEquals("(end)", client.line());
        }
    }

    @Test
    void newsOfAnotherThreadEndTheWaitForTheClient() throws Exception {
        open(Given.settings());
        BlockingQueue<String> news = new LinkedBlockingQueue<>();
        BlockingQueue<Connection> waiting = new LinkedBlockingQueue<>();
        speak(
                connection -> {
                    waiting.add(connection);
                    boolean gone = false;
                    while (!gone) {
                        if (connection.awaitInput(() -> !news.isEmpty())) {
                            LineEcho.say(connection, "client: " + LineEcho.line(connection));
                        } else {
                            gone = news.isEmpty();
                            for (String each = news.poll(); each != null; each = news.poll()) {
                                LineEcho.say(connection, "news: " + each);
                            }
                        }
                    }
                    waiting.add(connection);
                });
        try (Client client = client()) {
            Connection connection = waiting.take();
            for (int i = 0; i < 200; i++) {
                if (i % 3 == 0) {
                    assertEquals("client: " + i, client.send(i + "\r\n").line());
                }
                long begin = System.nanoTime();
                news.add("" + i);
                connection.wake();
                assertEquals("news: " + i, client.line());
                assertTrue(
                        System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(10),
                        "woken, not waited out");
            }
        }
        waiting.take(); // the client has gone, and that is told too
    }

    @Test
    void aWaitForNewsHasThePatienceThatWasAskedFor() throws Exception {
        open(Given.settings());
        CompletableFuture<Boolean> ended = new CompletableFuture<>();
        speak(
                connection -> {
                    connection.patience(Duration.ofMillis(50));
                    try {
                        connection.awaitInput(() -> false);
                        ended.complete(false);
                    } catch (SocketTimeoutException e) {
                        ended.complete(true);
                    }
                });
        try (Client client = client()) {
            assertTrue(ended.get());
            assertEquals("(end)", client.line());
        }
    }

    @Test
    void idleConnectionIsServedWhenItSpeaksAgain() throws Exception {
        open(Given.settings());
        BlockingQueue<Thread> threads = new LinkedBlockingQueue<>();
        speak(
                new LineEcho() {
                    @Override
                    public void converse(Connection connection) throws IOException {
                        threads.add(Thread.currentThread());
                        super.converse(connection);
                    }
                });
        try (Client client = client()) {
            assertEquals("hello", client.line());
            Thread conversation = threads.take();
            for (int i = 0; i < 5; i++) {
                while (Arrays.stream(conversation.getStackTrace())
                        .noneMatch(f -> f.getClassName().endsWith("Doorkeeper"))) {
                    Thread.yield();
                }
                assertEquals("again", client.send("again\r\n").line());
                assertEquals("at once", client.send("at once\r\n").line());
            }
        }
    }

    @Test
    void graceIsGivenToACommandAtHandAndThenTheConnectionIsBroken() throws Exception {
        open(Given.settings("grace", "100 ms"));
        CompletableFuture<Exception> thrown = new CompletableFuture<>();
        CountDownLatch begun = new CountDownLatch(1);
        StreamTenant tenant =
                speak(
                        connection -> {
                            begun.countDown();
                            try {
                                connection.input().readNBytes(10);
                            } catch (IOException e) {
                                thrown.complete(e);
                                throw e;
                            }
                        });
        try (Client client = client()) {
            client.send("12345");
            begun.await();
            listener.remove(tenant);
            assertTrue(thrown.isDone());
            assertEquals("(end)", client.line());
        }
    }

    @Test
    void removeReturnsThoughAProtocolDoesNotHeed() throws Exception {
        open(Given.settings("grace", "10 ms"));
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        StreamTenant tenant =
                speak(
                        connection -> {
                            begun.countDown();
                            try {
                                new CountDownLatch(1).await();
                            } catch (InterruptedException e) {
                                interrupted.countDown();
                            }
                        });
        try (Client client = client()) {
            begun.await();
            listener.remove(tenant);
            assertEquals(0, interrupted.getCount());
            assertEquals("(end)", client.line());
        }
    }

    @Test
    void successorOfHigherRankGetsNewConversationsWhileTheOldOneKeepsItsOwn() throws IOException {
        open(Given.settings());
        StreamTenant old = listener.add(1, new LineEcho("old "), Optional.empty());
        try (Client first = client()) {
            assertEquals("hello", first.line());
            listener.add(2, new LineEcho("new "), Optional.empty());
            try (Client second = client()) {
                assertEquals("hello", second.line());
                assertEquals("new x", second.send("x\r\n").line());
                assertEquals("old x", first.send("x\r\n").line());
                listener.remove(old);
                assertEquals("421 shutting down", first.line());
                assertEquals("new y", second.send("y\r\n").line());
            }
        }
    }

    @Test
    void conversationThatRemovesItsOwnProtocolDoesNotWaitForItself() throws Exception {
        open(Given.settings());
        CompletableFuture<StreamTenant> tenant = new CompletableFuture<>();
        tenant.complete(
                speak(
                        connection -> {
                            listener.remove(tenant.join());
                            LineEcho.say(connection, "removed");
                        }));
        try (Client client = client()) {
            assertEquals("removed", client.line());
        }
    }

    @Test
    void faultOfTheProtocolEndsThatConversationAlone() throws IOException {
        open(Given.settings());
        speak(new LineEcho());
        try (Client one = client();
                Client two = client()) {
            assertEquals("hello", one.line());
            assertEquals("hello", two.line());
            one.send("fault\r\n");
            assertEquals("(end)", one.line());
            assertEquals("x", two.send("x\r\n").line());
        }
    }

    @Test
    void goodbyeReachesAClientThatWasStillSending() throws IOException {
        open(Given.settings());
        speak(connection -> LineEcho.say(connection, "554 no"));
        for (int i = 0; i < 20; i++) {
            try (Client client = client()) {
                client.send("x".repeat(20_000));
                assertEquals("554 no", client.line());
                assertEquals("(end)", client.line());
            }
        }
    }

    // S14, D14: only a proxy that is known may say who the client is
    @Test
    void neverParsesAProxyHeaderFromElsewhere() throws IOException {
        open(Given.settings("proxy-from", "192.0.2.0/24"));
        speak(new LineEcho());
        try (Client client = client()) {
            client.send("PROXY TCP4 198.51.100.7 192.0.2.1 40000 25\r\npeer\r\n");
            assertEquals("hello", client.line());
            assertEquals("PROXY TCP4 198.51.100.7 192.0.2.1 40000 25", client.line());
            assertTrue(client.line().contains("/127.0.0.1:"));
        }
    }

    // S14, D14
    @Test
    void takesTheClientFromAnAllowedProxy() throws IOException {
        open(Given.settings("proxy-from", "192.0.2.0/24, 127.0.0.0/8"));
        speak(new LineEcho());
        try (Client client = client()) {
            client.send("PROXY TCP4 198.51.100.7 192.0.2.1 40000 25\r\npeer\r\n");
            assertEquals("hello", client.line());
            assertEquals(
                    "Peer[address=/198.51.100.7:40000, listener=test] /192.0.2.1:25",
                    client.line());
        }
    }

    // S14: the header is required where it is allowed
    @Test
    void closesWhenAnAllowedProxySendsNoHeader() throws IOException {
        open(Given.settings("proxy-from", "127.0.0.0/8"));
        speak(new LineEcho());
        try (Client client = client()) {
            client.send("EHLO example.org\r\n");
            assertEquals("(end)", client.line());
        }
    }

    // S8: neither may a proxy's header take for ever
    @Test
    void closesWhenTheProxyHeaderDoesNotCome() throws IOException {
        open(Given.settings("proxy-from", "127.0.0.0/8", "handshake-patience", "200 ms"));
        speak(new LineEcho());
        try (Client client = client()) {
            client.send("PROXY TCP4 ");
            assertEquals("(end)", client.line());
        }
    }

    @Test
    void countsTheClientsBehindAProxyOneByOne() throws IOException {
        open(Given.settings("proxy-from", "127.0.0.0/8", "max-connections-per-address", "1"));
        speak(new LineEcho());
        try (Client one = client();
                Client two = client();
                Client three = client()) {
            assertEquals(
                    "hello", one.send("PROXY TCP4 198.51.100.7 192.0.2.1 40000 25\r\n").line());
            assertEquals(
                    "hello", two.send("PROXY TCP4 198.51.100.8 192.0.2.1 40000 25\r\n").line());
            assertTrue(
                    three.send("PROXY TCP4 198.51.100.8 192.0.2.1 40001 25\r\n")
                            .line()
                            .startsWith("421 "));
        }
    }

    // S31: no TLS 1.1, either mode, each kind of key
    @Test
    void speaksTls12And13WithEachKindOfKey() throws IOException {
        for (String kind : List.of("ec", "rsa", "ed25519")) {
            for (String version : List.of("TLSv1.2", "TLSv1.3")) {
                open(Given.tlsSettings("implicit", kind));
                speak(new LineEcho());
                try (Client client = client()) {
                    assertEquals(version, client.secure(version).getSession().getProtocol());
                    assertEquals("hello", client.line());
                    assertEquals("x", client.send("x\r\n").line());
                    String longLine = "long".repeat(20_000);
                    assertEquals(longLine, client.send(longLine + "\r\n").line());
                    assertEquals("bye", client.send("quit\r\n").line());
                    assertEquals("(end)", client.line());
                }
                close();
            }
        }
        open(Given.settings());
    }

    // S31
    @Test
    void offersNothingOlderThanTls12() throws IOException {
        ListenerSettings settings = Given.tlsSettings("implicit", "ec");
        open(settings);
        assertEquals(
                List.of("TLSv1.3", "TLSv1.2"),
                List.of(new Credentials(settings.keyFiles().get()).engine().getEnabledProtocols()));
    }

    // S31: the client's renegotiation of TLS 1.2
    @Test
    void refusesToRenegotiate() throws IOException {
        open(Given.tlsSettings("implicit", "ec"));
        speak(new LineEcho());
        try (Client client = client()) {
            SSLSocket socket = client.secure("TLSv1.2");
            assertEquals("hello", client.line());
            String end;
            try {
                socket.startHandshake();
                end = client.send("x\r\n").line();
            } catch (IOException e) {
                end = "(end)";
            }
            assertEquals("(end)", end);
        }
    }

    // S8, S31: half a handshake
    @Test
    void handshakeHasAnEnd() throws IOException {
        open(Given.tlsSettings("implicit", "ec", "handshake-patience", "200 ms"));
        speak(new LineEcho());
        try (Client client = client()) {
            client.send(new byte[] {0x16, 3, 1, 0});
            assertEquals("(end)", client.line());
        }
    }

    @Test
    void drainWakesUnderTlsAndTheGoodbyeIsEncrypted() throws IOException {
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            open(Given.tlsSettings("implicit", "ec"));
            LineEcho echo = new LineEcho();
            StreamTenant tenant = speak(echo);
            try (Client idle = client()) {
                idle.secure(version);
                assertEquals("hello", idle.line());
                long begin = System.nanoTime();
                listener.remove(tenant);
                assertTrue(
                        System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(4),
                        "woken, not waited out");
                assertEquals("421 shutting down", idle.line());
                assertEquals("(end)", idle.line());
                assertTrue(echo.endedByDraining);
            }
            close();
        }
        open(Given.settings());
    }

    // S4: what comes with STARTTLS is not taken for a command after it
    @Test
    void throwsAwayWhatCameBeforeTheHandshake() throws IOException {
        open(Given.tlsSettings("starttls", "ec"));
        speak(new LineEcho());
        try (Client client = client()) {
            assertEquals("hello", client.line());
            client.send("starttls\r\ninjected\r\n");
            assertEquals("go ahead true", client.line());
            client.secure();
            assertEquals("mine", client.send("mine\r\n").line());
            assertEquals("bye", client.send("quit\r\n").line());
        }
    }

    // S4: a second STARTTLS
    @Test
    void refusesTlsTwice() throws IOException {
        open(Given.tlsSettings("starttls", "ec"));
        List<Boolean> can = new ArrayList<>();
        speak(
                connection -> {
                    can.add(connection.canStartTls());
                    can.add(connection.tls().isPresent());
                    connection.startTls();
                    can.add(connection.canStartTls());
                    can.add(connection.tls().isPresent());
                    try {
                        connection.startTls();
                    } catch (IllegalStateException e) {
                        LineEcho.say(connection, "refused");
                    }
                });
        try (Client client = client()) {
            client.secure();
            assertEquals("refused", client.line());
        }
        assertEquals(List.of(true, false, false, true), can);
    }

    @Test
    void offersNoTlsWhereNoneIsConfigured() throws IOException {
        open(Given.settings());
        speak(connection -> LineEcho.say(connection, "" + connection.canStartTls()));
        try (Client client = client()) {
            assertEquals("false", client.line());
        }
    }

    // D18: a client that ends only its own side still gets its answer
    @Test
    void answersAClientThatHasClosedItsSideOfTls() throws IOException {
        open(Given.tlsSettings("implicit", "ec"));
        speak(
                connection -> {
                    ByteArrayOutputStream all = new ByteArrayOutputStream();
                    connection.input().transferTo(all);
                    LineEcho.say(connection, "got " + all.size());
                });
        try (Client client = client()) {
            client.secure("TLSv1.3");
            client.send("12345");
            client.socket.shutdownOutput();
            assertEquals("got 5", client.line());
        }
    }

    @Test
    void proxyHeaderComesBeforeTls() throws IOException {
        open(Given.tlsSettings("implicit", "ec", "proxy-from", "127.0.0.1"));
        speak(new LineEcho());
        try (Client client = client()) {
            client.send("PROXY TCP6 2001:db8::1 2001:db8::2 40000 465\r\n").secure();
            assertEquals("hello", client.line());
            assertTrue(client.send("peer\r\n").line().contains("[2001:db8:0:0:0:0:0:1]:40000"));
        }
    }

    @Test
    void closingEndsConversationsThatNobodyRemoved() throws Exception {
        open(Given.settings());
        CompletableFuture<Thread> conversation = new CompletableFuture<>();
        speak(
                connection -> {
                    conversation.complete(Thread.currentThread());
                    connection.awaitInput();
                });
        try (Client client = client()) {
            Thread thread = conversation.get();
            while (Arrays.stream(thread.getStackTrace())
                    .noneMatch(f -> f.getClassName().endsWith("Doorkeeper"))) {
                Thread.yield();
            }
            listener.close();
            thread.join();
            assertEquals("(end)", client.line());
        }
    }

    @Test
    void closingLeavesNoThreadBehindAndSaysGoodbyeToThoseWhoWait() throws Exception {
        open(Given.settings());
        StreamTenant tenant = speak(new LineEcho());
        try (Client idle = client()) {
            assertEquals("hello", idle.line());
            listener.remove(tenant);
            assertEquals("421 shutting down", idle.line());
        }
        awaitConnections(0);
        try (Client waiting = client()) {
            awaitConnections(1);
            listener.close();
            assertFalse(
                    Thread.getAllStackTraces().keySet().stream()
                            .anyMatch(thread -> thread.getName().equals("listener test")));
            assertTrue(waiting.line().startsWith("421 "));
        }
    }

    private void awaitConnections(int expected) {
        while (listener.connections() != expected) {
            Thread.yield();
        }
    }
}
