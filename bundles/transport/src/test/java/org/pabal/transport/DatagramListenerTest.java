package org.pabal.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.protocol.Datagram;
import org.pabal.protocol.DatagramProtocol;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

/// Both ways to receive: by system calls of our own, and by the JDK's channel.
@Timeout(60)
class DatagramListenerTest {

    private DatagramListener listener;
    private DatagramTenant tenant;

    private void open(String way, ListenerSettings settings) throws IOException {
        System.setProperty(UdpSocket.CHOICE, way);
        Assumptions.assumeTrue(
                way.equals("channel") || BatchUdpSocket.supported(), "recvmmsg needs Linux");
        listener = new DatagramListener(settings, settings.address());
    }

    private void speak(DatagramProtocol protocol) {
        tenant = listener.add(1, protocol);
    }

    @AfterEach
    void close() throws IOException {
        System.clearProperty(UdpSocket.CHOICE);
        if (tenant != null) {
            listener.remove(tenant);
        }
        if (listener != null) {
            listener.close();
        }
    }

    private DatagramSocket client() throws IOException {
        InetSocketAddress server = listener.address();
        if (server.getAddress().isAnyLocalAddress()) {
            server = new InetSocketAddress(InetAddress.getByName("127.0.0.1"), server.getPort());
        }
        DatagramSocket client = new DatagramSocket();
        client.connect(server); // a connected client takes answers from that address alone
        client.setSoTimeout(10_000);
        return client;
    }

    private static void send(DatagramSocket client, String text) throws IOException {
        byte[] octets = text.getBytes(StandardCharsets.US_ASCII);
        client.send(new DatagramPacket(octets, octets.length));
    }

    private static String receive(DatagramSocket client) throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[10_000], 10_000);
        client.receive(packet);
        return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.US_ASCII);
    }

    private static void echo(Datagram datagram) {
        datagram.answer().put(datagram.payload());
        datagram.send();
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void answersEachClientItsOwn(String way) throws IOException {
        open(way, Given.settings("transport", "udp", "workers", "2"));
        speak(DatagramListenerTest::echo);
        List<DatagramSocket> clients = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            clients.add(client());
        }
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < 20; i++) {
                send(clients.get(i), "question " + i + " of round " + round);
            }
            for (int i = 0; i < 20; i++) {
                assertEquals("question " + i + " of round " + round, receive(clients.get(i)));
            }
        }
        clients.forEach(DatagramSocket::close);
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void tellsWhoAsks(String way) throws IOException {
        open(way, Given.settings("transport", "udp", "workers", "1"));
        speak(
                datagram -> {
                    byte[] address = new byte[datagram.address().remaining()];
                    datagram.address().get(address);
                    datagram.answer()
                            .put(
                                    (address.length
                                                    + " "
                                                    + (address[0] & 0xff)
                                                    + " "
                                                    + datagram.port()
                                                    + " "
                                                    + datagram.peer().address().getPort()
                                                    + " "
                                                    + datagram.peer().listener())
                                            .getBytes(StandardCharsets.US_ASCII));
                    datagram.send();
                });
        try (DatagramSocket client = client()) {
            send(client, "?");
            int port = client.getLocalPort();
            assertEquals("4 127 " + port + " " + port + " test", receive(client));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void worksOverIpv6(String way) throws IOException {
        open(way, Given.settings("transport", "udp", "address", "::1"));
        speak(
                datagram -> {
                    datagram.answer().put((byte) datagram.address().remaining());
                    datagram.send();
                });
        try (DatagramSocket client = client()) {
            send(client, "?");
            assertEquals("\u0010", receive(client));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::"})
    void answersFromTheAddressThatWasAsked(String address) throws IOException {
        open("batch", Given.settings("transport", "udp", "address", address));
        CompletableFuture<Datagram> later = new CompletableFuture<>();
        speak(
                datagram -> {
                    if (datagram.payload().remaining() > 1) {
                        later.complete(datagram.detach());
                    } else {
                        datagram.answer().put((byte) datagram.address().remaining());
                        datagram.send();
                    }
                });
        for (String asked : List.of("127.0.0.1", "127.0.0.2")) {
            try (DatagramSocket client = new DatagramSocket()) {
                client.connect(InetAddress.getByName(asked), listener.address().getPort());
                client.setSoTimeout(10_000);
                send(client, "?");
                assertEquals("\u0004", receive(client));
            }
        }
        try (DatagramSocket client = new DatagramSocket()) {
            client.connect(InetAddress.getByName("127.0.0.3"), listener.address().getPort());
            client.setSoTimeout(10_000);
            send(client, "later");
            later.join().answer().put((byte) 'x');
            later.join().send();
            assertEquals("x", receive(client));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void answersSomeAndNotOthersAndLeavesNoTraceOfTheLastBatch(String way) throws IOException {
        open(way, Given.settings("transport", "udp", "workers", "1"));
        speak(
                datagram -> {
                    if (datagram.payload().get(0) != 'n') {
                        echo(datagram);
                    }
                });
        try (DatagramSocket client = client()) {
            for (int round = 0; round < 10; round++) {
                send(client, "a long question of round " + round);
                send(client, "no");
                send(client, "yes");
                assertEquals("a long question of round " + round, receive(client));
                assertEquals("yes", receive(client));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void datagramsWaitForTheSuccessor(String way) throws IOException {
        open(way, Given.settings("transport", "udp", "workers", "2"));
        try (DatagramSocket client = client()) {
            for (int i = 0; i < 200; i++) {
                send(client, "waiting " + i);
            }
            speak(DatagramListenerTest::echo);
            for (int i = 0; i < 200; i++) {
                assertEquals("waiting " + i, receive(client));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void removeReturnsOnlyWhenNoWorkerIsInside(String way) throws Exception {
        open(way, Given.settings("transport", "udp", "workers", "1"));
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        DatagramTenant old =
                listener.add(
                        1,
                        datagram -> {
                            inside.countDown();
                            try {
                                goOn.await();
                            } catch (InterruptedException e) {
                                throw new AssertionError(e);
                            }
                            echo(datagram);
                        });
        try (DatagramSocket client = client()) {
            send(client, "x");
            inside.await();
            CompletableFuture<Void> removed =
                    CompletableFuture.runAsync(() -> listener.remove(old));
            BlockingQueue<String> order = new LinkedBlockingQueue<>();
            removed.thenRun(() -> order.add("removed"));
            assertFalse(removed.isDone());
            order.add("released");
            goOn.countDown();
            removed.join();
            assertEquals("released", order.take());
            assertEquals("x", receive(client));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void detachedDatagramIsAnsweredLaterFromAnotherThread(String way) throws Exception {
        open(way, Given.settings("transport", "udp", "workers", "1"));
        BlockingQueue<Datagram> detached = new LinkedBlockingQueue<>();
        speak(
                datagram -> {
                    if (datagram.payload().get(0) == 'd') {
                        detached.add(datagram.detach());
                    } else {
                        echo(datagram);
                    }
                });
        try (DatagramSocket client = client()) {
            send(client, "detached");
            Datagram later = detached.take();
            send(client, "overwrites the batch's memory");
            assertEquals("overwrites the batch's memory", receive(client));
            byte[] payload = new byte[later.payload().remaining()];
            later.payload().get(payload);
            assertArrayEquals("detached".getBytes(StandardCharsets.US_ASCII), payload);
            assertEquals(client.getLocalPort(), later.port());
            assertEquals(4, later.address().remaining());
            later.answer().put(payload);
            later.send();
            later.send();
            assertEquals("detached", receive(client));
            send(client, "next");
            assertEquals("next", receive(client));
            send(client, "dead");
            Datagram tooLate = detached.take();
            listener.close();
            tooLate.answer().put((byte) 1);
            tooLate.send();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void dropsWhatIsTooLong(String way) throws IOException {
        open(way, Given.settings("transport", "udp", "workers", "1"));
        speak(DatagramListenerTest::echo);
        try (DatagramSocket client = client()) {
            send(client, "x".repeat(UdpSocket.PAYLOAD_LIMIT + 1));
            send(client, "x".repeat(UdpSocket.PAYLOAD_LIMIT));
            assertEquals(UdpSocket.PAYLOAD_LIMIT, receive(client).length());
            client.setSoTimeout(50);
            assertThrows(SocketTimeoutException.class, () -> receive(client));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void faultOfTheProtocolCostsThatDatagramAlone(String way) throws IOException {
        open(way, Given.settings("transport", "udp", "workers", "1"));
        speak(
                datagram -> {
                    if (datagram.payload().remaining() == 0) {
                        throw new IllegalStateException("asked for");
                    }
                    echo(datagram);
                });
        try (DatagramSocket client = client()) {
            send(client, "");
            send(client, "x");
            assertEquals("x", receive(client));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void closingEndsTheWorkersAndFreesThePort(String way) throws IOException {
        open(way, Given.settings("transport", "udp", "workers", "2"));
        speak(DatagramListenerTest::echo);
        InetSocketAddress address = listener.address();
        listener.remove(tenant);
        listener.close();
        assertFalse(
                Thread.getAllStackTraces().keySet().stream()
                        .anyMatch(thread -> thread.getName().startsWith("listener test udp")));
        new DatagramSocket(address).close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void closingWithoutAProtocolEndsTheWorkersToo(String way) throws IOException {
        open(way, Given.settings("transport", "udp", "workers", "2"));
        listener.close();
        assertFalse(
                Thread.getAllStackTraces().keySet().stream()
                        .anyMatch(thread -> thread.getName().startsWith("listener test udp")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "channel"})
    void refusesAPortThatAnotherHas(String way) throws IOException {
        open(way, Given.settings("transport", "udp", "workers", "2"));
        IOException refused =
                assertThrows(
                        IOException.class,
                        () ->
                                OpenListener.open(
                                        Given.settings(
                                                "transport",
                                                "udp",
                                                "port",
                                                "" + listener.address().getPort())));
        assertTrue(refused.getMessage().contains("in use"), refused.getMessage());
        assertTrue(refused.getMessage().contains("for example port = "), refused.getMessage());
    }
}
