package org.pabal.itests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.itests.interop.Hierarchy.addresses;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.itests.node.Node;
import org.pabal.testkit.ScriptedNameServer;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/// What clients of the local name server are told in place of what there is, and what some of them
/// are told otherwise: policies and views come and go with their files while the node runs.
class TailoredAnswersTest {

    @TempDir static Path scratch;

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final String INSIDER = "127.0.0.7";
    private static final String OTHER = "127.0.0.8";

    private static Node node;
    private static InetSocketAddress resolver;

    @BeforeAll
    static void startNode() throws Exception {
        node = Node.init(scratch.resolve("node"));
        node.start();
        resolver = node.address("resolver");
        node.shell("zone:set", "www.example.test", "300", "A", "192.0.2.80");
        node.shell("zone:set", "ads.example.test", "300", "A", "192.0.2.81");
    }

    @AfterAll
    static void stopNode() throws IOException {
        node.close();
    }

    @Test
    void blockListsAndPolicyZonesTakeEffectAndAreTakenBack() throws Exception {
        assertEquals(List.of("192.0.2.80"), addresses(ask(OTHER, "www.example.test")));
        assertEquals(List.of("192.0.2.81"), addresses(ask(OTHER, "ads.example.test")));

        Files.writeString(file("ads.txt"), "0.0.0.0 ads.example.test\n");
        node.set("org.pabal.dns.policy~ads.cfg", "list", "etc/ads.txt");
        Message blocked = await("ads.example.test", m -> m.getRcode() == Rcode.NXDOMAIN);
        assertEquals("15 policy ads", error(blocked), "RFC 8914: blocked, and by what");
        assertEquals(List.of("192.0.2.80"), addresses(ask(OTHER, "www.example.test")));

        Path rules =
                Files.writeString(
                        scratch.resolve("rpz.zone"),
                        """
                        $ORIGIN rpz.test.
                        $TTL 60
                        @ SOA ns.example.test. hostmaster.example.test. 1 3600 600 86400 60
                        @ NS ns.example.test.
                        www.example.test CNAME *.
                        ads.example.test CNAME rpz-passthru.
                        """);
        node.shell("zone:load", "rpz.test", rules.toString());
        node.set("org.pabal.dns.policy~threats.cfg", "zone", "rpz.test");
        Message nodata = await("www.example.test", m -> addresses(m).isEmpty());
        assertEquals(Rcode.NOERROR, nodata.getRcode());
        assertTrue(error(nodata).endsWith("policy threats"), error(nodata));
        node.shell("zone:unset", "www.example.test.rpz.test", "CNAME");
        node.shell("zone:set", "www.example.test.rpz.test", "60", "A", "192.0.2.99");
        assertEquals(
                List.of("192.0.2.99"),
                addresses(ask(OTHER, "www.example.test")),
                "a new version of the zone counts at once");

        List<String> policies = node.shell("policy:list").strip().lines().toList();
        assertEquals(2, policies.size(), policies.toString());
        assertTrue(policies.get(0).startsWith("ads: order 100, list ads.txt, 1 names"));
        assertTrue(policies.get(1).startsWith("threats: order 100, zone rpz.test."));
        String[] explained = node.shell("policy:explain", "ads.example.test").strip().split("\\R");
        assertTrue(explained[0].startsWith("ads: no such name"), explained[0]);
        assertTrue(explained[1].startsWith("threats: "), explained[1]);
        assertEquals(
                Rcode.NXDOMAIN,
                ask(OTHER, "ads.example.test").getRcode(),
                "the first counts, whatever the second lets pass");

        Files.delete(file("org.pabal.dns.policy~threats.cfg"));
        await("www.example.test", m -> addresses(m).equals(List.of("192.0.2.80")));
        Files.delete(file("org.pabal.dns.policy~ads.cfg"));
        await("ads.example.test", m -> addresses(m).equals(List.of("192.0.2.81")));
        assertTrue(node.shell("lb").contains("Active"));
    }

    /// Security row D28: the cache of a view is its own.
    @Test
    void viewsAnswerTheirClientsAndNeverOutOfTheCacheOfOthers() throws Exception {
        try (ScriptedNameServer outside = server("198.51.100.1");
                ScriptedNameServer inside = server("198.51.100.2")) {
            String main = "org.pabal.dns.recursive.cfg";
            node.set(main, "trust-anchor-updates", "no");
            node.set(main, "negative-anchors", "split.test");
            node.set(main, "forward", "split.test 127.0.0.1@" + outside.address().getPort());
            await("a.split.test", m -> addresses(m).equals(List.of("198.51.100.1")));
            Files.writeString(file("hosts.inside"), "192.0.2.77 printer.split.test\n");
            Files.writeString(
                    file("org.pabal.dns.view~inside.cfg"),
                    """
                    networks = %s
                    forward = split.test 127.0.0.1@%d
                    hosts = etc/hosts.inside
                    """
                            .formatted(INSIDER, inside.address().getPort()));
            long end = System.nanoTime() + PATIENCE_NANOS;
            while (!addresses(ask(INSIDER, "printer.split.test")).equals(List.of("192.0.2.77"))) {
                assertTrue(System.nanoTime() < end, "the view is not taken");
            }
            int asked = outside.queries().size();
            // what others have in their cache, and what they get first after us
            assertEquals(List.of("198.51.100.2"), addresses(ask(INSIDER, "a.split.test")));
            assertEquals(List.of("198.51.100.2"), addresses(ask(INSIDER, "b.split.test")));
            assertEquals(asked, outside.queries().size(), "the servers of others were not asked");
            assertEquals(List.of("198.51.100.1"), addresses(ask(OTHER, "b.split.test")));
            assertEquals(List.of("198.51.100.1"), addresses(ask(OTHER, "a.split.test")));
            int told = inside.queries().size();
            assertEquals(List.of("198.51.100.2"), addresses(ask(INSIDER, "b.split.test")));
            assertEquals(told, inside.queries().size(), "it has a cache");
            assertEquals(List.of("198.51.100.1"), addresses(ask(OTHER, "printer.split.test")));

            Files.delete(file("org.pabal.dns.view~inside.cfg"));
            end = System.nanoTime() + PATIENCE_NANOS;
            while (!addresses(ask(INSIDER, "b.split.test")).equals(List.of("198.51.100.1"))) {
                assertTrue(System.nanoTime() < end, "the view is not taken back");
            }
        }
    }

    private static Path file(String name) {
        return node.directory().resolve("etc").resolve(name);
    }

    /// A resolver that finds one address for every name.
    private static ScriptedNameServer server(String address) throws IOException {
        return new ScriptedNameServer(
                "127.0.0.1",
                0,
                (octets, stream) -> {
                    Message query = new Message(octets);
                    Message answer = new Message(query.getHeader().getID());
                    answer.getHeader().setFlag(Flags.QR);
                    answer.getHeader().setFlag(Flags.RD);
                    answer.getHeader().setFlag(Flags.RA);
                    Record question = query.getQuestion();
                    answer.addRecord(question, Section.QUESTION);
                    if (question.getType() == Type.A) {
                        answer.addRecord(
                                new ARecord(
                                        question.getName(),
                                        DClass.IN,
                                        300,
                                        InetAddress.ofLiteral(address)),
                                Section.ANSWER);
                    }
                    return List.of(answer.toWire());
                });
    }

    private static Message await(String name, Predicate<Message> wanted) throws IOException {
        long end = System.nanoTime() + PATIENCE_NANOS;
        Message answer;
        do {
            answer = ask(OTHER, name);
            assertTrue(System.nanoTime() < end, answer.toString());
        } while (!wanted.test(answer));
        return answer;
    }

    private static Message ask(String client, String name) throws IOException {
        SimpleResolver from = new SimpleResolver(resolver);
        from.setLocalAddress(new InetSocketAddress(InetAddress.ofLiteral(client), 0));
        from.setTimeout(Duration.ofSeconds(2));
        Message query =
                Message.newQuery(
                        Record.newRecord(Name.fromString(name, Name.root), Type.A, DClass.IN));
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            try {
                return from.send(query);
            } catch (IOException e) {
                if (System.nanoTime() > end) {
                    throw e; // datagrams are lost while settings are taken
                }
            }
        }
    }

    /// The extended error, code and text.
    private static String error(Message answer) {
        OPTRecord opt = answer.getOPT();
        for (EDNSOption option : opt.getOptions(EDNSOption.Code.EDNS_EXTENDED_ERROR)) {
            ExtendedErrorCodeOption error = (ExtendedErrorCodeOption) option;
            return error.getErrorCode() + " " + error.getText();
        }
        return "";
    }
}
