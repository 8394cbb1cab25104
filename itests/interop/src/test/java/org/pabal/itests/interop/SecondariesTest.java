package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Node;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// Zones that go to Knot and NSD and come from them, with TSIG and NOTIFY; a refresh timer would
/// take hours.
class SecondariesTest {

    private static final int TRIES = 600;

    @TempDir static Path scratch;

    private static Node node;
    private static InetSocketAddress dns;

    @BeforeAll
    static void startNode() throws Exception {
        node = Node.init(scratch.resolve("node"));
        node.set("org.pabal.tsig~transfer.cfg", "name", NameServer.KEY);
        node.set("org.pabal.tsig~transfer.cfg", "secret", NameServer.SECRET);
        node.start();
        dns = node.address("dns");
    }

    @AfterAll
    static void stopNode() throws Exception {
        node.close();
    }

    @Test
    void knotIsOurPrimary() throws Exception {
        Tool.need("knotd");
        Path folder = folder("knot-primary", "k.example.test");
        try (NameServer knot =
                NameServer.knotPrimary(folder, NameServer.free(), "k.example.test", dns)) {
            primary("k.example.test", knot);
            awaitSerial(dns, "k.example.test", 1, knot);
            knot.knotSets("k.example.test", "www", "300", "A", "192.0.2.80");
            awaitSerial(dns, "k.example.test", 2, knot);
            // The log tells of it a moment after it is served.
            String line = "zone k.example.test.: serial 2 from";
            for (int tries = 0; tries < TRIES && !node.output().contains(line); tries++) {
                knot.moment();
            }
            assertTrue(node.output().contains(line), node.output());
            assertTrue(node.output().contains("by IXFR, steps: 1"), node.output());
        }
    }

    @Test
    void nsdIsOurPrimary() throws Exception {
        Tool.need("nsd");
        Path folder = folder("nsd-primary", "n.example.test");
        try (NameServer nsd =
                NameServer.nsdPrimary(folder, NameServer.free(), "n.example.test", dns)) {
            primary("n.example.test", nsd);
            awaitSerial(dns, "n.example.test", 1, nsd);
            Files.writeString(
                    folder.resolve("zone"), zone("n.example.test", 2) + "www A 192.0.2.80\n");
            nsd.reload();
            awaitSerial(dns, "n.example.test", 2, nsd);
        }
    }

    @Test
    void knotIsOurSecondary() throws Exception {
        Tool.need("knotd");
        Path folder = Files.createDirectories(scratch.resolve("knot-secondary"));
        InetSocketAddress address = NameServer.free();
        load("ks.example.test", address);
        try (NameServer knot = NameServer.knotSecondary(folder, address, "ks.example.test", dns)) {
            follows("ks.example.test", knot);
        }
    }

    @Test
    void nsdIsOurSecondary() throws Exception {
        Tool.need("nsd");
        Path folder = Files.createDirectories(scratch.resolve("nsd-secondary"));
        InetSocketAddress address = NameServer.free();
        load("ns.example.test", address);
        try (NameServer nsd = NameServer.nsdSecondary(folder, address, "ns.example.test", dns)) {
            follows("ns.example.test", nsd);
        }
    }

    /// A zone of ours, for those who have the key, of which a server is told.
    private static void load(String zone, InetSocketAddress secondary) throws Exception {
        String file = "org.pabal.zone~" + zone + ".cfg";
        write(
                file,
                "zones = %s\ntransfer = key %s\nnotify = %s key %2$s\nnotify-name-servers = no\n"
                        .formatted(zone, NameServer.KEY, NameServer.text(secondary)));
        Path text = Files.writeString(scratch.resolve(zone), zone(zone, 1));
        node.shell("zone:load", zone, text.toString());
    }

    private static void follows(String zone, NameServer secondary) throws Exception {
        awaitSerial(secondary.address(), zone, 1, secondary);
        node.shell("zone:set", "www." + zone, "300", "A", "192.0.2.80");
        awaitSerial(secondary.address(), zone, 2, secondary);
        node.shell("zone:unset", "www." + zone);
        awaitSerial(secondary.address(), zone, 3, secondary);
    }

    private static void primary(String zone, NameServer server) throws IOException {
        write(
                "org.pabal.zone~" + zone + ".cfg",
                "zones = %s\nprimaries = %s key %s\n"
                        .formatted(zone, NameServer.text(server.address()), NameServer.KEY));
    }

    /// In one go: FileInstall reads a file that is not complete, too.
    private static void write(String file, String text) throws IOException {
        Path path = node.directory().resolve("etc").resolve(file);
        Path temporary = Files.writeString(path.resolveSibling("." + file + ".new"), text);
        Files.move(temporary, path);
    }

    private static Path folder(String name, String zone) throws IOException {
        Path folder = Files.createDirectories(scratch.resolve(name));
        Files.writeString(folder.resolve("zone"), zone(zone, 1));
        return folder;
    }

    private static String zone(String origin, long serial) {
        return """
        $ORIGIN %s.
        $TTL 3600
        @ SOA ns1 hostmaster %d 7200 3600 1209600 300
        @ NS ns1
        ns1 A 192.0.2.53
        mail MX 10 ns1
        *.wild TXT "wild"
        """
                .formatted(origin, serial);
    }

    private static void awaitSerial(
            InetSocketAddress server, String zone, long serial, NameServer other) throws Exception {
        SimpleResolver resolver = new SimpleResolver(server);
        resolver.setTimeout(Duration.ofSeconds(2));
        Record question = Record.newRecord(Name.fromString(zone + "."), Type.SOA, DClass.IN);
        String last = "";
        for (int tries = 0; tries < TRIES; tries++) {
            try {
                Message answer = resolver.send(Message.newQuery(question));
                last = answer.toString();
                if (answer.getSection(Section.ANSWER).stream()
                        .anyMatch(r -> r instanceof SOARecord soa && soa.getSerial() == serial)) {
                    return;
                }
            } catch (IOException e) {
                last = e.toString();
            }
            other.moment();
        }
        throw new AssertionError(
                "%s has no serial %d of %s; last answer:\n%s\nthe other said:\n%s\nwe said:\n%s"
                        .formatted(server, serial, zone, last, other.log(), node.output()));
    }
}
