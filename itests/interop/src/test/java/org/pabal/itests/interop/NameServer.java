package org.pabal.itests.interop;

import org.pabal.testkit.PeerServer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Knot or NSD from Debian, on loopback, with one zone and one key.
final class NameServer implements AutoCloseable {

    static final String KEY = "transfer.example.test";
    static final String SECRET = "c2VjcmV0IG9mIHR3byBuYW1lIHNlcnZlcnMgaW4gYSB0ZXN0";

    private final Path folder;
    private final Process process;
    private final InetSocketAddress address;

    private NameServer(Path folder, InetSocketAddress address, List<String> command)
            throws IOException {
        this.folder = folder;
        this.address = address;
        this.process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("log").toFile())
                        .start();
    }

    /// An address for one, and for others to know before it is started.
    static InetSocketAddress free() throws IOException {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), PeerServer.freePort());
    }

    /// Knot as the primary of a zone that it tells the other of.
    static NameServer knotPrimary(
            Path folder, InetSocketAddress address, String zone, InetSocketAddress other)
            throws IOException {
        return knot(
                folder,
                address,
                other,
                "  - domain: "
                        + zone
                        + "\n    file: zone\n    notify: other\n    acl: other\n"
                        + "    zonefile-sync: -1\n    zonefile-load: whole\n");
    }

    /// Knot as a secondary of the other.
    static NameServer knotSecondary(
            Path folder, InetSocketAddress address, String zone, InetSocketAddress other)
            throws IOException {
        return knot(
                folder,
                address,
                other,
                "  - domain: " + zone + "\n    master: other\n    acl: other\n");
    }

    private static NameServer knot(
            Path folder, InetSocketAddress address, InetSocketAddress other, String zone)
            throws IOException {
        Path settings =
                Files.writeString(
                        folder.resolve("knot.conf"),
                        """
                        server:
                          rundir: %1$s
                          listen: 127.0.0.1@%2$d
                          udp-workers: 1
                          tcp-workers: 1
                          background-workers: 1
                        log:
                          - target: stderr
                            any: info
                        database:
                          storage: %1$s
                        key:
                          - id: %3$s
                            algorithm: hmac-sha256
                            secret: %4$s
                        remote:
                          - id: other
                            address: 127.0.0.1@%5$d
                            key: %3$s
                        acl:
                          - id: other
                            address: 127.0.0.1
                            key: %3$s
                            action: [transfer, notify]
                        template:
                          - id: default
                            storage: %1$s
                        zone:
                        %6$s\
                        """
                                .formatted(
                                        folder,
                                        address.getPort(),
                                        KEY,
                                        SECRET,
                                        other.getPort(),
                                        zone));
        return new NameServer(folder, address, List.of("knotd", "-c", settings.toString()));
    }

    /// NSD as the primary of a zone that it tells the other of.
    static NameServer nsdPrimary(
            Path folder, InetSocketAddress address, String zone, InetSocketAddress other)
            throws IOException {
        return nsd(
                folder,
                address,
                zone,
                "  provide-xfr: 127.0.0.1 "
                        + KEY
                        + "\n  notify: "
                        + text(other)
                        + " "
                        + KEY
                        + "\n");
    }

    /// NSD as a secondary of the other.
    static NameServer nsdSecondary(
            Path folder, InetSocketAddress address, String zone, InetSocketAddress other)
            throws IOException {
        return nsd(
                folder,
                address,
                zone,
                "  request-xfr: "
                        + text(other)
                        + " "
                        + KEY
                        + "\n  allow-notify: 127.0.0.1 "
                        + KEY
                        + "\n");
    }

    private static NameServer nsd(
            Path folder, InetSocketAddress address, String zone, String transfers)
            throws IOException {
        Path settings =
                Files.writeString(
                        folder.resolve("nsd.conf"),
                        """
                        server:
                          ip-address: 127.0.0.1@%2$d
                          server-count: 1
                          username: ""
                          zonesdir: "%1$s"
                          pidfile: "%1$s/nsd.pid"
                          xfrdfile: "%1$s/xfrd.state"
                          xfrdir: "%1$s"
                          zonelistfile: "%1$s/zone.list"
                          cookie-secret-file: "%1$s/cookies"
                          database: ""
                          verbosity: 2
                        remote-control:
                          control-enable: no
                        key:
                          name: "%3$s"
                          algorithm: hmac-sha256
                          secret: "%4$s"
                        zone:
                          name: "%5$s"
                          zonefile: "zone"
                        %6$s\
                        """
                                .formatted(
                                        folder, address.getPort(), KEY, SECRET, zone, transfers));
        return new NameServer(folder, address, List.of("nsd", "-d", "-c", settings.toString()));
    }

    InetSocketAddress address() {
        return address;
    }

    static String text(InetSocketAddress server) {
        return "127.0.0.1@" + server.getPort();
    }

    /// Has Knot change its zone, which makes a step that it can send by IXFR.
    void knotSets(String zone, String... record) throws Exception {
        knotc("zone-begin", zone);
        String[] set = new String[record.length + 2];
        set[0] = "zone-set";
        set[1] = zone;
        System.arraycopy(record, 0, set, 2, record.length);
        knotc(set);
        knotc("zone-commit", zone);
    }

    private void knotc(String... command) throws Exception {
        List<String> all =
                new ArrayList<>(List.of("knotc", "-s", folder.resolve("knot.sock").toString()));
        all.addAll(List.of(command));
        Tool.Result result = Tool.run(folder, Map.of(), all);
        if (result.exit() != 0) {
            throw new IOException(all + ": " + result.output() + "\n" + log());
        }
    }

    /// Has NSD read its zone file again.
    void reload() throws Exception {
        Tool.run(folder, Map.of(), List.of("kill", "-HUP", "" + process.pid()));
    }

    /// Waits a moment; what it waits for is in truth that the server ends, which it should not.
    void moment() throws IOException, InterruptedException {
        if (process.waitFor(100, TimeUnit.MILLISECONDS)) {
            throw new IOException("exit " + process.exitValue() + ":\n" + log());
        }
    }

    String log() throws IOException {
        return Files.readString(folder.resolve("log"));
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
