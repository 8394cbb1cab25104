package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dns.recursive.ServedClients.name;
import static org.pabal.dns.recursive.ServedClients.parsed;
import static org.pabal.dns.recursive.ServedClients.query;
import static org.pabal.dns.recursive.ServedClients.record;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.dns.Authority;
import org.pabal.dns.Resolution;
import org.pabal.protocol.Peer;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.MemoryZone;
import org.pabal.testkit.MovableClock;
import org.pabal.testkit.ScriptedNameServer;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/// The doorway with the rooms that it has in the house, which forward to a scripted server.
@Timeout(60)
class ConfiguredRoomsTest {

    @TempDir Path home;

    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-01T12:00:00Z"));

    private static ScriptedNameServer upstream() throws IOException {
        return ScriptedNameServer.answering(
                "127.0.0.1",
                0,
                query -> {
                    Message answer = new Message(query.getHeader().getID());
                    answer.getHeader().setFlag(Flags.QR);
                    answer.getHeader().setFlag(Flags.RD);
                    answer.getHeader().setFlag(Flags.RA);
                    answer.addRecord(query.getQuestion(), Section.QUESTION);
                    answer.addRecord(record("www.example.org 300 A 192.0.2.80"), Section.ANSWER);
                    return Optional.of(answer);
                });
    }

    private RecursiveServer server(ScriptedNameServer upstream) throws IOException {
        Path anchors = Files.writeString(home.resolve("anchors"), "");
        return new RecursiveServer(
                home,
                clock,
                Map.of(
                        "forward",
                        ". 127.0.0.1@" + upstream.address().getPort(),
                        "trust-anchors",
                        anchors.toString(),
                        "private-upstreams",
                        "yes"),
                ConfiguredRooms::new);
    }

    private static Message ask(RecursiveServer server) {
        TestDatagram datagram =
                new TestDatagram(
                        new Peer(new InetSocketAddress("127.0.0.1", 5353), "test"),
                        query("www.example.org", Type.A).toWire());
        server.received(datagram);
        return parsed(datagram.sent(ServedClients.PATIENCE).orElseThrow());
    }

    @Test
    void whatOthersSaidOfAZoneCountsNoLongerWhenItBecomesOurs() throws IOException {
        try (ScriptedNameServer upstream = upstream()) {
            RecursiveServer server = server(upstream);
            Message before = ask(server);
            assertEquals(
                    "192.0.2.80", before.getSection(Section.ANSWER).getFirst().rdataToString());
            MemoryZone ours =
                    MemoryZone.of(
                            "example.org.",
                            "@ 300 SOA ns1 hostmaster 1 7200 3600 1209600 300\n"
                                    + "@ 300 NS ns1\nwww 300 A 192.0.2.81\n");
            server.bindAuthority(
                    new Authority() {
                        @Override
                        public Optional<Name> zone(Name name, int type) {
                            return Optional.of(ours.origin()).filter(name::subdomain);
                        }

                        @Override
                        public Message answer(Message query) {
                            Message answer = new Message(query.getHeader().getID());
                            answer.getHeader().setFlag(Flags.QR);
                            answer.getHeader().setFlag(Flags.AA);
                            answer.addRecord(query.getQuestion(), Section.QUESTION);
                            ours.records(
                                            query.getQuestion().getName(),
                                            query.getQuestion().getType())
                                    .orElseThrow()
                                    .rrs()
                                    .forEach(each -> answer.addRecord(each, Section.ANSWER));
                            return answer;
                        }
                    });
            server.published(ours);
            Message after = ask(server);
            assertEquals("192.0.2.81", after.getSection(Section.ANSWER).getFirst().rdataToString());
            server.stop();
        }
    }

    @Test
    void whatWasFoundIsRememberedBeyondTheEnd() throws Exception {
        try (ScriptedNameServer upstream = upstream()) {
            RecursiveServer first = server(upstream);
            assertEquals(1, ask(first).getSection(Section.ANSWER).size());
            int packets = upstream.queries().size();
            assertEquals(1, ask(first).getSection(Section.ANSWER).size());
            assertEquals(1, first.statistics().answers().answeredFast(), "from the cache");
            assertTrue(first.resolve(name("www.example.org"), Type.A) instanceof Resolution.Found);
            first.stop();
            RecursiveServer second = server(upstream);
            assertTrue(second.cache().counts().entries() > 0, "before the first question");
            assertEquals(1, ask(second).getSection(Section.ANSWER).size());
            assertEquals(packets, upstream.queries().size(), "nobody was asked again");
            second.stop();
        }
    }

    /// Who starts and stops twice in a row keeps what is remembered.
    @Test
    void aFileThatWasNotReadToItsEndIsLeftAsItIs() throws Exception {
        try (ScriptedNameServer upstream = upstream()) {
            RecordCache known = new RecordCache(CacheSettings.defaults(), clock);
            for (int i = 0; i < 100_000; i++) {
                known.keep(Kept.address("n" + i + ".example.org.", 3600, "192.0.2.1"));
            }
            Path file = Files.createDirectories(home.resolve("cache")).resolve("resolver");
            new CacheFile(file).save(known);
            server(upstream).stop();
            RecordCache read = new RecordCache(CacheSettings.defaults(), clock);
            assertEquals(100_000, new CacheFile(file).load(read));
        }
    }

    @Test
    void refusesWhatIsNoSetting() {
        BadSetting bad =
                assertThrows(
                        BadSetting.class,
                        () ->
                                new RecursiveServer(
                                        home,
                                        clock,
                                        Map.of("forwards", "x"),
                                        ConfiguredRooms::new));
        assertTrue(bad.getMessage().contains("forwards"));
    }
}
