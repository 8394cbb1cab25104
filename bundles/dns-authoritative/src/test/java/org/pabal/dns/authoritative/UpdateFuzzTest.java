package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.dns.Zone;
import org.pabal.dns.server.Query;
import org.pabal.dns.server.SparingLog;
import org.pabal.protocol.Peer;
import org.pabal.testkit.Fuzz;
import org.pabal.testkit.MemoryZone;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Whatever comes as an update from somebody who may do everything: one answer with a word of RFC
/// 2136, and a zone that can still be served. Security row D22.
class UpdateFuzzTest {

    private static final Name ORIGIN = Node.name("example.org");
    private static final Set<Integer> RCODES =
            Set.of(
                    Rcode.NOERROR,
                    Rcode.FORMERR,
                    Rcode.NXDOMAIN,
                    Rcode.NOTIMP,
                    Rcode.REFUSED,
                    Rcode.YXDOMAIN,
                    Rcode.YXRRSET,
                    Rcode.NXRRSET,
                    Rcode.NOTAUTH,
                    Rcode.NOTZONE,
                    Rcode.BADVERS);

    @Test
    void keepsAZoneThatCanBeServed() throws Exception {
        Node node = Node.serving();
        node.server.bindZoneSettings(
                new ZoneSettings(Map.of("zones", "*", "update", "admin.example.org")));
        Updates updates =
                new Updates(
                        node.store,
                        node.server.editor(),
                        () -> node.server.administration(),
                        new KeyRecords(node.clock),
                        new Reply(1232),
                        new SparingLog(LoggerFactory.getLogger(UpdateFuzzTest.class)::warn));
        Peer peer = new Peer(new InetSocketAddress("192.0.2.53", 5353), "test");
        // A third of the time that queries get: who sends these is known.
        Fuzz.run(
                Path.of("src/test/resources/fuzz/updates"),
                Duration.ofSeconds(Long.getLong("pabal.fuzz.seconds", 20) / 3),
                input -> {
                    Optional<Query> query = Query.read(input);
                    if (query.isEmpty()
                            || query.get().opcode() != Opcode.UPDATE
                            || query.get().fault() != Rcode.NOERROR) {
                        return;
                    }
                    Zone before =
                            MemoryZone.of(
                                    "example.org.",
                                    Node.SOA
                                            + """
                                            @ 3600 NS ns1
                                            ns1 3600 A 192.0.2.1
                                            alias 3600 CNAME ns1
                                            """);
                    node.store.publish(before);
                    Request request =
                            new Request(
                                    query.get(),
                                    input,
                                    peer,
                                    false,
                                    false,
                                    Optional.of(Node.name("admin.example.org")));
                    List<byte[]> answers;
                    try (Stream<byte[]> all = updates.answer(request)) {
                        answers = all.toList();
                    }
                    assertEquals(1, answers.size());
                    Message answer = Node.parsed(answers.getFirst());
                    assertTrue(RCODES.contains(answer.getRcode()), "rcode " + answer.getRcode());
                    Zone after = node.store.find(ORIGIN).orElseThrow();
                    assertTrue(after.records(ORIGIN, Type.SOA).isPresent());
                    assertTrue(after.records(ORIGIN, Type.NS).isPresent());
                    if (answer.getRcode() != Rcode.NOERROR) {
                        assertEquals(1, after.serial());
                    }
                    WireZone.of(after);
                });
        node.close();
    }
}
