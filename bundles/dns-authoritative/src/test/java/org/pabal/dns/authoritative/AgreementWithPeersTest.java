package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.testkit.PeerComparison;
import org.pabal.testkit.PeerServer;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// NSD, Knot DNS and we say the same about generated zones, wherever those two agree; and both of
/// our paths do.
///
/// `-Dpabal.zones=2000` for the long form, `-Dpabal.seed=N` for other zones, `-Dpabal.keep=DIR` to
/// look at what differs.
class AgreementWithPeersTest {

    @TempDir(cleanup = CleanupMode.ALWAYS)
    Path scratch;

    @Test
    void saysWhatNsdAndKnotAgreeUpon() throws Exception {
        need("nsd", "knotd", "ldns-signzone");
        long seed = Long.getLong("pabal.seed", 1);
        int worlds = Integer.getInteger("pabal.zones", 60) / 3;
        Optional<Path> keep = Optional.ofNullable(System.getProperty("pabal.keep")).map(Path::of);
        Path folder = keep.isPresent() ? Files.createDirectories(keep.get()) : scratch;
        PeerComparison comparison = new PeerComparison(folder, seed, new InMemory());
        for (int done = 0, round = 0; done < worlds; round++) {
            int many = round % 3 == 2 ? 1 : Math.clamp(worlds - done, 2, 30);
            comparison.run(many, 100, round % 2 == 1);
            done += many;
        }
        PeerComparison.Report report = comparison.report();
        System.out.println("seed " + seed + ": " + report);
        if (keep.isPresent()) {
            Files.writeString(
                    folder.resolve("differences"), String.join("\n\n", report.differences));
            Files.writeString(folder.resolve("disputes"), String.join("\n\n", report.disputes));
            Files.writeString(folder.resolve("report"), report.toString());
            Files.writeString(folder.resolve("unserved"), String.join("\n", report.unserved));
        }
        assertTrue(report.agreed > report.asked / 2, report::toString);
        assertEquals(
                List.of(), report.differences.stream().limit(3).toList(), () -> "seed " + seed);
    }

    @Test
    void answersOddQueriesAsNsdAndKnotDo() throws Exception {
        need("nsd", "knotd");
        PeerComparison comparison = new PeerComparison(scratch, 1, new InMemory());
        comparison.runOddQueries();
        PeerComparison.Report report = comparison.report();
        assertTrue(report.agreed > 20, report::toString);
        assertEquals(List.of(), List.copyOf(report.differences));
    }

    private static void need(String... programs) {
        for (String program : programs) {
            Assumptions.assumeTrue(
                    PeerServer.program(program).isPresent(), program + " is not installed");
        }
    }

    private static final class InMemory implements PeerComparison.Candidate {

        private Node node = new Node();

        @Override
        public void serve(Map<String, Path> files) throws IOException {
            node.close();
            List<Zone> zones = new ArrayList<>();
            for (Map.Entry<String, Path> file : files.entrySet()) {
                Name origin = Name.fromString(file.getKey());
                List<Record> records = new ArrayList<>();
                try (Master master = new Master(file.getValue().toString(), origin)) {
                    for (Record each = master.nextRecord();
                            each != null;
                            each = master.nextRecord()) {
                        records.add(each);
                    }
                }
                zones.add(new PackedZone(origin, records));
            }
            node = new Node(zones.toArray(Zone[]::new));
        }

        @Override
        public Optional<byte[]> ask(byte[] query) {
            return node.octets(query);
        }
    }
}
