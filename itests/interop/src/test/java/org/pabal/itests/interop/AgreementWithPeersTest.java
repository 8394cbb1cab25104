package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Node;
import org.pabal.testkit.PeerComparison;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A node of the built image says of generated zones what NSD and Knot DNS agree upon.
///
/// The long form, over many more zones, runs without a node: `AgreementWithPeersTest` of the bundle
/// `dns-authoritative`. Here `-Dpabal.zones=300` asks about more, `-Dpabal.seed=N` about others.
class AgreementWithPeersTest {

    private static final int QUESTIONS = 60;

    @TempDir Path scratch;

    @Test
    void saysWhatNsdAndKnotAgreeUpon() throws Exception {
        for (String program : new String[] {"nsd", "knotd", "ldns-signzone"}) {
            Tool.need(program);
        }
        long seed = Long.getLong("pabal.seed", 1);
        int worlds = Math.max(2, Integer.getInteger("pabal.zones", 60) / 3);
        try (ServingNode node = new ServingNode(scratch)) {
            PeerComparison comparison = new PeerComparison(scratch, seed, node);
            comparison.run(worlds / 2, QUESTIONS, false);
            comparison.run(worlds - worlds / 2, QUESTIONS, true);
            PeerComparison.Report report = comparison.report();
            System.out.println("seed " + seed + ": " + report);
            assertTrue(report.agreed > report.asked / 2, report::toString);
            assertEquals(
                    List.of(),
                    report.differences.stream().limit(3).toList(),
                    () -> "seed " + seed + ": " + report);
        }
    }

    /// A node that is made anew for each set of zones.
    private static final class ServingNode implements PeerComparison.Candidate, AutoCloseable {

        private final Path scratch;
        private Optional<Node> node = Optional.empty();
        private Optional<DatagramSocket> socket = Optional.empty();
        private int nodes;

        ServingNode(Path scratch) {
            this.scratch = scratch;
        }

        @Override
        public void serve(Map<String, Path> zones) throws IOException {
            close();
            try {
                Node next = Node.init(scratch.resolve("node" + nodes++));
                Path folder = Files.createDirectories(next.directory().resolve("data/zones"));
                for (Map.Entry<String, Path> zone : zones.entrySet()) {
                    Files.copy(zone.getValue(), folder.resolve(file(zone.getKey())));
                }
                next.start();
                node = Optional.of(next);
                DatagramSocket client = new DatagramSocket();
                client.connect(next.address("dns"));
                socket = Optional.of(client);
                for (String origin : zones.keySet()) {
                    assertTrue(isServed(origin), () -> origin + ":\n" + next.output());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException(e);
            }
        }

        private static String file(String origin) {
            return (origin.equals(".") ? "@" : origin.substring(0, origin.length() - 1)) + ".zone";
        }

        private boolean isServed(String origin) throws IOException {
            Record question =
                    Record.newRecord(Name.fromConstantString(origin), Type.SOA, DClass.IN);
            for (int tries = 0; tries < 100; tries++) {
                Optional<byte[]> answer = ask(Message.newQuery(question).toWire());
                if (answer.isPresent() && (answer.get()[3] & 0xF) == Rcode.NOERROR) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public Optional<byte[]> ask(byte[] query) throws IOException {
            DatagramSocket client = socket.orElseThrow();
            client.setSoTimeout(2000);
            DatagramPacket packet = new DatagramPacket(new byte[65535], 65535);
            try {
                client.send(new DatagramPacket(query, query.length));
                do {
                    packet.setLength(65535);
                    client.receive(packet);
                } while (packet.getData()[0] != query[0] || packet.getData()[1] != query[1]);
                return Optional.of(Arrays.copyOf(packet.getData(), packet.getLength()));
            } catch (SocketTimeoutException e) {
                return Optional.empty();
            }
        }

        @Override
        public void close() throws IOException {
            socket.ifPresent(DatagramSocket::close);
            if (node.isPresent()) {
                node.get().close();
            }
        }
    }
}
