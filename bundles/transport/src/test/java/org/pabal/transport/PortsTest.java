package org.pabal.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.protocol.Datagram;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// Listeners of one port: one at all addresses, one at an address of loopback, and strangers.
@Timeout(60)
class PortsTest {

    private static final int ATTEMPTS = 50;

    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    @AfterEach
    void close() throws Exception {
        while (!open.isEmpty()) {
            open.pop().close();
        }
        System.clearProperty(UdpSocket.CHOICE);
    }

    @ParameterizedTest
    @CsvSource({
        "batch, ::, true",
        "batch, ::, false",
        "batch, 0.0.0.0, true",
        "batch, 0.0.0.0, false",
        "channel, ::, true",
        "channel, 0.0.0.0, false"
    })
    void oneAddressBesideAllAddressesHasItsClientsToItself(String way, String all, boolean allFirst)
            throws Exception {
        Assumptions.assumeTrue(System.getProperty("os.name").equals("Linux"));
        System.setProperty(UdpSocket.CHOICE, way);
        int port = free();
        List<String> order = allFirst ? List.of(all, "127.0.0.1") : List.of("127.0.0.1", all);
        for (String address : order) {
            listen(address, port, address.equals(all) ? "all" : "one");
        }
        for (int i = 0; i < 20; i++) {
            assertEquals("one", ask("127.0.0.1", port));
            assertEquals("one", connect("127.0.0.1", port));
            if (way.equals("batch")) { // the other answers from the address that routing chooses
                assertEquals("all", ask("127.0.0.2", port));
            }
            assertEquals("all", connect("127.0.0.2", port));
        }
    }

    @Test
    void theOneThatStaysHasAllClientsWhenTheOtherCloses() throws Exception {
        Assumptions.assumeTrue(System.getProperty("os.name").equals("Linux"));
        int port = free();
        listen("::", port, "all");
        listen("127.0.0.1", port, "one");
        assertEquals("one", ask("127.0.0.1", port));
        open.pop().close();
        assertEquals("all", ask("127.0.0.1", port));
        assertEquals("all", connect("127.0.0.1", port));
        listen("127.0.0.1", port, "again");
        assertEquals("again", connect("127.0.0.1", port));
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::", "0.0.0.0"})
    void twoListenersOfOneAddressAreOneTooMany(String address) throws Exception {
        int port = free();
        listen(address, port, "one");
        for (String transport : List.of("tcp", "udp", "both")) {
            refused(address, port, transport);
        }
        if (!address.equals("127.0.0.1")) {
            refused(address.equals("::") ? "0.0.0.0" : "::", port, "tcp");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::"})
    void aPortOfAStrangerWhoWouldShareItIsRefused(String address) throws Exception {
        int port = free();
        try (ServerSocket streams = new ServerSocket();
                DatagramSocket datagrams = new DatagramSocket(null)) {
            streams.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            streams.bind(new InetSocketAddress("127.0.0.1", port));
            datagrams.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            datagrams.bind(new InetSocketAddress("127.0.0.1", port));
            refused(address, port, "tcp");
            refused(address, port, "udp");
        }
        listen(address, port, "free again");
        assertEquals("free again", connect("127.0.0.1", port));
    }

    @Test
    void aStrangerAtAnotherAddressIsNoticedBesideAListenerOfOurs() throws Exception {
        List<InetAddress> others =
                java.net.NetworkInterface.networkInterfaces()
                        .flatMap(java.net.NetworkInterface::inetAddresses)
                        .filter(a -> !a.isLoopbackAddress() && a.getAddress().length == 4)
                        .toList();
        Assumptions.assumeFalse(others.isEmpty(), "this machine has no address but loopback");
        int port = free();
        listen("127.0.0.1", port, "one");
        try (ServerSocket streams = new ServerSocket();
                DatagramSocket datagrams = new DatagramSocket(null)) {
            streams.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            streams.bind(new InetSocketAddress(others.getFirst(), port));
            datagrams.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            datagrams.bind(new InetSocketAddress(others.getFirst(), port));
            refused("::", port, "tcp");
            refused("::", port, "udp");
        }
    }

    private static void refused(String address, int port, String transport) {
        String message =
                assertThrows(
                                IOException.class,
                                () ->
                                        OpenListener.open(
                                                Given.settings(
                                                        "address", address,
                                                        "transport", transport,
                                                        "port", "" + port)))
                        .getMessage();
        assertTrue(message.contains("in use") && message.contains("port " + port), message);
    }

    private void listen(String address, int port, String says) throws IOException {
        OpenListener listener =
                OpenListener.open(
                        Given.settings(
                                "address",
                                address,
                                "transport",
                                "both",
                                "workers",
                                "2",
                                "port",
                                "" + port));
        StreamTenant streams =
                listener.streams()
                        .orElseThrow()
                        .add(
                                1,
                                connection -> connection.output().write(says.getBytes()),
                                Optional.empty());
        DatagramTenant datagrams =
                listener.datagrams().orElseThrow().add(1, datagram -> say(datagram, says));
        open.push(
                () -> {
                    listener.closeDoor();
                    listener.streams().orElseThrow().remove(streams);
                    listener.datagrams().orElseThrow().remove(datagrams);
                    listener.close();
                });
    }

    private static void say(Datagram datagram, String text) {
        datagram.answer().put(text.getBytes(StandardCharsets.US_ASCII));
        datagram.send();
    }

    private static String ask(String address, int port) throws IOException {
        try (DatagramSocket client = new DatagramSocket()) {
            client.connect(InetAddress.ofLiteral(address), port);
            client.setSoTimeout(10_000);
            client.send(new DatagramPacket(new byte[1], 1));
            DatagramPacket answer = new DatagramPacket(new byte[100], 100);
            client.receive(answer);
            return new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII);
        }
    }

    private static String connect(String address, int port) throws IOException {
        try (Socket client = new Socket(InetAddress.ofLiteral(address), port)) {
            return new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    /// A port that nobody has, for streams and datagrams.
    private static int free() throws IOException {
        for (int attempt = 0; ; attempt++) {
            try (ServerSocket streams = new ServerSocket(0);
                    DatagramSocket datagrams = new DatagramSocket(streams.getLocalPort())) {
                return datagrams.getLocalPort();
            } catch (IOException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }
}
