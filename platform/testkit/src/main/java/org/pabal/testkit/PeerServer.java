package org.pabal.testkit;

import java.io.IOException;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/// Another name server on this machine, on a port of loopback, serving the same zones as we do: NSD
/// or Knot DNS, as Debian has them.
public final class PeerServer implements AutoCloseable {

    private static final List<String> FOLDERS =
            List.of("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin");

    private final Process process;
    private final InetSocketAddress address;
    private final DatagramSocket socket;
    private final Path log;

    private PeerServer(Process process, int port, Path log) throws IOException {
        this.process = process;
        this.log = log;
        this.address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        this.socket = new DatagramSocket();
        this.socket.connect(address);
    }

    /// Where a program of that name is on this machine.
    public static Optional<Path> program(String name) {
        return FOLDERS.stream()
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /// @param folder empty, for what the server writes
    /// @param zones master files by origin
    public static PeerServer nsd(Path folder, Map<String, Path> zones) throws IOException {
        int port = freePort();
        StringBuilder settings =
                new StringBuilder(
                        """
                        server:
                          ip-address: 127.0.0.1@%1$d
                          server-count: 1
                          username: ""
                          zonesdir: "%2$s"
                          pidfile: "%2$s/nsd.pid"
                          xfrdfile: "%2$s/xfrd.state"
                          zonelistfile: "%2$s/zone.list"
                          database: ""
                          minimal-responses: yes
                          round-robin: no
                          rrl-ratelimit: 0
                        remote-control:
                          control-enable: no
                        """
                                .formatted(port, folder));
        zones.forEach(
                (origin, file) ->
                        settings.append(
                                "zone:\n  name: \"%s\"\n  zonefile: \"%s\"\n"
                                        .formatted(origin, file)));
        Path configuration = Files.writeString(folder.resolve("nsd.conf"), settings);
        return start(folder, port, "nsd", "-d", "-c", configuration.toString());
    }

    /// @param folder empty, for what the server writes
    /// @param zones master files by origin
    public static PeerServer knot(Path folder, Map<String, Path> zones) throws IOException {
        int port = freePort();
        StringBuilder settings =
                new StringBuilder(
                        """
                        server:
                          rundir: "%2$s"
                          listen: 127.0.0.1@%1$d
                          udp-workers: 1
                          tcp-workers: 1
                          background-workers: 1
                        database:
                          storage: "%2$s"
                        template:
                          - id: default
                            storage: "%2$s"
                            semantic-checks: off
                            zonefile-sync: -1
                            journal-content: none
                        zone:
                        """
                                .formatted(port, folder));
        zones.forEach(
                (origin, file) ->
                        settings.append(
                                "  - domain: \"%s\"\n    file: \"%s\"\n".formatted(origin, file)));
        Path configuration = Files.writeString(folder.resolve("knot.conf"), settings);
        return start(folder, port, "knotd", "-c", configuration.toString());
    }

    private static PeerServer start(Path folder, int port, String program, String... arguments)
            throws IOException {
        Path path =
                program(program).orElseThrow(() -> new IOException(program + " is not installed"));
        Path log = folder.resolve("log");
        Process process =
                new ProcessBuilder(
                                java.util.stream.Stream.concat(
                                                java.util.stream.Stream.of(path.toString()),
                                                Arrays.stream(arguments))
                                        .toList())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        return new PeerServer(process, port, log);
    }

    /// A port of loopback that nobody has, by UDP or TCP. Below those that the system gives to
    /// clients: one of them may take it before the server does.
    public static int freePort() throws IOException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        for (int tries = 0; tries < 100; tries++) {
            int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
            try (ServerSocket tcp = new ServerSocket(port, 1, loopback);
                    DatagramSocket udp = new DatagramSocket(port, loopback)) {
                return Math.min(tcp.getLocalPort(), udp.getLocalPort()); // they are the same
            } catch (BindException e) {
                continue;
            }
        }
        throw new BindException("no port of loopback is free");
    }

    /// The answer to a query over UDP, or none within the time.
    public Optional<byte[]> ask(byte[] query, int milliseconds) throws IOException {
        byte[] octets = new byte[65535];
        DatagramPacket packet = new DatagramPacket(octets, octets.length);
        socket.setSoTimeout(milliseconds);
        try {
            socket.send(new DatagramPacket(query, query.length));
            do {
                packet.setLength(octets.length);
                socket.receive(packet);
            } while (packet.getLength() < 2 || octets[0] != query[0] || octets[1] != query[1]);
            return Optional.of(Arrays.copyOf(octets, packet.getLength()));
        } catch (SocketTimeoutException | java.net.PortUnreachableException e) {
            if (!process.isAlive()) {
                throw new IOException("the server has ended:\n" + Files.readString(log), e);
            }
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        socket.close();
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
        }
    }
}
