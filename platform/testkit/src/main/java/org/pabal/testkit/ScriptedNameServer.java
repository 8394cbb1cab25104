package org.pabal.testkit;

import org.pabal.dns.DnsFraming;
import org.xbill.DNS.Message;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/// A name server that answers what a test says, however wrong: over UDP and TCP, on one port of a
/// loopback address.
///
/// ```java
/// try (var server = new ScriptedNameServer("127.0.0.2", 0, (query, stream) -> List.of(octets))) { … }
/// ```
public final class ScriptedNameServer implements AutoCloseable {

    /// What the server says.
    @FunctionalInterface
    public interface Script {

        /// The messages that go back, in order; none to be silent. Over TCP a stream ends after an
        /// empty list.
        ///
        /// @param query as it came
        /// @param stream it came over TCP
        List<byte[]> answer(byte[] query, boolean stream) throws IOException;
    }

    private static final int ATTEMPTS = 100;
    private static final int LARGEST = 0xFFFF;

    private final DatagramSocket datagrams;
    private final ServerSocket streams;
    private final Script script;
    private final List<InetSocketAddress> clients = new CopyOnWriteArrayList<>();
    private final List<byte[]> queries = new CopyOnWriteArrayList<>();
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    /// @param address of loopback, e.g. `127.0.0.2`
    /// @param port 0 for any that is free for both UDP and TCP
    public ScriptedNameServer(String address, int port, Script script) throws IOException {
        this.script = script;
        InetAddress local = InetAddress.ofLiteral(address);
        DatagramSocket udp = null;
        ServerSocket tcp = null;
        for (int attempt = 1; tcp == null; attempt++) {
            udp = new DatagramSocket(new InetSocketAddress(local, port));
            try {
                tcp = new ServerSocket(udp.getLocalPort(), 50, local);
            } catch (IOException e) {
                udp.close();
                if (port != 0 || attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
        this.datagrams = udp;
        this.streams = tcp;
        threads.execute(this::receive);
        threads.execute(this::accept);
    }

    /// One that answers messages by messages; the ids are made to match.
    public static ScriptedNameServer answering(
            String address, int port, Function<Message, Optional<Message>> script)
            throws IOException {
        return new ScriptedNameServer(
                address,
                port,
                (octets, stream) -> {
                    Message query = new Message(octets);
                    Optional<Message> answer = script.apply(query);
                    answer.ifPresent(
                            message -> message.getHeader().setID(query.getHeader().getID()));
                    return answer.map(Message::toWire).stream().toList();
                });
    }

    public InetSocketAddress address() {
        return new InetSocketAddress(datagrams.getLocalAddress(), datagrams.getLocalPort());
    }

    /// The queries that came, in order.
    public List<byte[]> queries() {
        return List.copyOf(queries);
    }

    /// Who sent them: with their ports.
    public List<InetSocketAddress> clients() {
        return List.copyOf(clients);
    }

    private void receive() {
        byte[] buffer = new byte[LARGEST];
        while (!datagrams.isClosed()) {
            DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
            try {
                datagrams.receive(packet);
            } catch (IOException e) {
                return;
            }
            byte[] query = Arrays.copyOf(packet.getData(), packet.getLength());
            InetSocketAddress client = (InetSocketAddress) packet.getSocketAddress();
            threads.execute(() -> answer(query, client));
        }
    }

    private void answer(byte[] query, InetSocketAddress client) {
        clients.add(client);
        queries.add(query);
        try {
            for (byte[] answer : script.answer(query, false)) {
                datagrams.send(new DatagramPacket(answer, answer.length, client));
            }
        } catch (IOException e) {
            if (!datagrams.isClosed()) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void accept() {
        while (!streams.isClosed()) {
            try {
                Socket socket = streams.accept();
                open.add(socket);
                threads.execute(() -> converse(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void converse(Socket socket) {
        try (socket) {
            while (true) {
                Optional<byte[]> query = DnsFraming.read(socket.getInputStream());
                if (query.isEmpty()) {
                    return;
                }
                clients.add((InetSocketAddress) socket.getRemoteSocketAddress());
                queries.add(query.get());
                List<byte[]> answers = script.answer(query.get(), true);
                if (answers.isEmpty()) {
                    return;
                }
                for (byte[] answer : answers) {
                    DnsFraming.write(socket.getOutputStream(), answer);
                }
            }
        } catch (IOException e) {
            // the client went away
        } finally {
            open.remove(socket);
        }
    }

    @Override
    public void close() throws IOException {
        datagrams.close();
        streams.close();
        for (Socket socket : open) {
            socket.close();
        }
        threads.shutdownNow();
        threads.close();
    }
}
