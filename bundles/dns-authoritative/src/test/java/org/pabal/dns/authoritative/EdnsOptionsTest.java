package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.dns.server.EdnsOptions;
import org.pabal.dns.server.Query;
import org.pabal.settings.BadSetting;
import org.pabal.testkit.MemoryZoneKeyStore;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/// NSID, extended errors, padding and keepalive: asked for by whom, told to whom.
class EdnsOptionsTest {

    private final Node node =
            Node.serving(
                    "example.org.",
                    Node.SOA + "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\nalias 3600 CNAME ns1\n");
    private final List<AuthoritativeServer> servers = new ArrayList<>();

    @AfterEach
    void stop() {
        servers.forEach(AuthoritativeServer::stop);
        node.close();
    }

    private AuthoritativeServer server(String... settings) {
        Map<String, Object> all = new HashMap<>(Node.UNLIMITED);
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        AuthoritativeServer server =
                new AuthoritativeServer(node.store, new MemoryZoneKeyStore(), node.clock, all);
        servers.add(server);
        return server;
    }

    private static EDNSOption empty(int code) {
        return Ask.option(code, "");
    }

    /// RFC 5001 §2.1
    @Test
    void tellsItsNameToWhoAsks() {
        for (String name : List.of("ns1.example.org", "alias.example.org")) {
            Message query = Ask.query(name, Type.A, empty(EdnsOptions.NSID));
            assertEquals(List.of(), Ask.options(Ask.datagram(server(), query)));
            assertEquals(
                    List.of("3=6e7331"), Ask.options(Ask.datagram(server("nsid", "ns1"), query)));
            AuthoritativeServer hex = server("nsid", "0x00ff");
            assertEquals(List.of("3=00ff"), Ask.options(Ask.datagram(hex, query)));
            assertEquals(List.of(), Ask.options(Ask.datagram(hex, Ask.query(name, Type.A))));
            // security row D15: once
            Message twice =
                    Ask.query(name, Type.A, empty(EdnsOptions.NSID), empty(EdnsOptions.NSID));
            assertEquals(List.of("3=00ff"), Ask.options(Ask.datagram(hex, twice)));
        }
    }

    /// RFC 8914 §4.15, §4.19, §4.21, §4.22
    @ParameterizedTest
    @CsvSource({
        "0, www.example.com, A, IN, 20",
        "0, example.org, AXFR, IN, 21",
        "0, version.bind, TXT, CH, 21",
        "2, example.org, SOA, IN, 21",
        "0, ns1.example.org, A, IN, -1",
        "0, nope.example.org, A, IN, -1"
    })
    void tellsWhyThereIsNoAnswer(int opcode, String name, String type, String dclass, int code) {
        Message query = Ask.query(name, Type.A);
        query.getHeader().setOpcode(opcode);
        query.removeAllRecords(Section.QUESTION);
        query.addRecord(
                Record.newRecord(Node.name(name), Type.value(type), DClass.value(dclass)),
                Section.QUESTION);
        List<EDNSOption> errors = Ask.datagram(server(), query).getOPT().getOptions(15);
        assertEquals(code < 0 ? 0 : 1, errors.size());
        if (code >= 0) {
            assertEquals(code, ((ExtendedErrorCodeOption) errors.getFirst()).getErrorCode());
        }
    }

    /// RFC 8914 §3: only beside an OPT record
    @Test
    void tellsNothingToWhoCannotReadIt() {
        Message answer = Ask.datagram(server(), Node.query("www.example.com", Type.A));
        assertEquals(Rcode.REFUSED, answer.getRcode());
        assertNull(answer.getOPT());
    }

    @Test
    void saysNotReadyWithServfail() {
        assertEquals(
                ExtendedError.NOT_READY,
                ExtendedError.of(
                                Query.read(Node.query("a", Type.A).toWire()).orElseThrow(),
                                Rcode.SERVFAIL)
                        .orElseThrow());
    }

    /// RFC 7828 §3.3: over streams the idle time, in tenths of seconds; over UDP nothing
    @Test
    void tellsHowLongAStreamMayBeIdle() {
        AuthoritativeServer server = server("tcp-idle", "12 s");
        for (String name : List.of("ns1.example.org", "alias.example.org")) {
            Message query = Ask.query(name, Type.A, empty(EdnsOptions.KEEPALIVE));
            assertEquals(
                    List.of("11=0078"), Ask.options(Node.parsed(Ask.stream(server, false, query))));
            assertEquals(
                    List.of("11=0078"), Ask.options(Node.parsed(Ask.stream(server, true, query))));
            assertEquals(List.of(), Ask.options(Ask.datagram(server, query)));
            Message plain = Ask.query(name, Type.A);
            assertEquals(List.of(), Ask.options(Node.parsed(Ask.stream(server, false, plain))));
            Message valued = Ask.query(name, Type.A, Ask.option(EdnsOptions.KEEPALIVE, "0078"));
            assertEquals(Rcode.FORMERR, Node.parsed(Ask.stream(server, false, valued)).getRcode());
            assertEquals(Rcode.NOERROR, Ask.datagram(server, valued).getRcode());
        }
        AuthoritativeServer patient = server("tcp-idle", "4 h");
        Message query = Ask.query("ns1.example.org", Type.A, empty(EdnsOptions.KEEPALIVE));
        assertEquals(
                List.of("11=ffff"), Ask.options(Node.parsed(Ask.stream(patient, false, query))));
    }

    /// RFC 7830 §4 and §6, RFC 8467 §4.1: blocks of 468 octets, encrypted, for who padded too
    @Test
    void padsEncryptedAnswers() {
        AuthoritativeServer server = server();
        for (String name : List.of("ns1.example.org", "alias.example.org", "nope.example.org")) {
            Message padded = Ask.query(name, Type.A, Ask.option(EdnsOptions.PADDING, "0000"));
            assertEquals(468, Ask.stream(server, true, padded).length);
            assertTrue(Ask.stream(server, false, padded).length < 468);
            assertTrue(Ask.datagram(server, padded).toWire().length < 468);
            assertTrue(Ask.stream(server, true, Ask.query(name, Type.A)).length < 468);
            Message answer = Node.parsed(Ask.stream(server, true, padded));
            List<String> options = Ask.options(answer);
            assertEquals(1, options.size());
            assertTrue(options.getFirst().matches("12=(00)+"));
            assertFalse(answer.getHeader().getFlag(Flags.TC));
        }
        Message all =
                Ask.query(
                        "ns1.example.org",
                        Type.A,
                        Ask.option(EdnsOptions.PADDING, ""),
                        Ask.option(EdnsOptions.COOKIE, "0102030405060708"),
                        empty(EdnsOptions.KEEPALIVE));
        byte[] answer = Ask.stream(server, true, all);
        assertEquals(468, answer.length);
        assertEquals(3, Ask.options(Node.parsed(answer)).size());
    }

    @Test
    void ignoresWhatItDoesNotKnow() {
        Message query =
                Ask.query(
                        "ns1.example.org",
                        Type.A,
                        Ask.option(100, "01020304"),
                        Ask.option(65001, HexFormat.of().formatHex(new byte[50])));
        Message answer = Ask.datagram(server("nsid", "x"), query);
        assertEquals(Rcode.NOERROR, answer.getRcode());
        assertEquals(List.of(), Ask.options(answer));
    }

    @ParameterizedTest
    @CsvSource({
        "cookie-secret, 00112233",
        "cookie-secret, 'e5e973e5a6b2a43f48e7dc849e37bfcf, x'",
        "nsid, 0x0",
        "rate-limit, -1",
        "rate-limit-exempt, 192.0.2.0/33",
        "rate-limit-exempt, example.org",
        "rate-limit-table, 7",
        "rate-limit-slip, 11",
        "require-cookies, perhaps"
    })
    void namesWhatIsWrongInItsSettings(String key, String value) {
        BadSetting bad =
                assertThrows(BadSetting.class, () -> ServerSettings.of(Map.of(key, value)));
        assertTrue(bad.getMessage().contains(key), bad.getMessage());
        assertFalse(bad.getMessage().contains("\n"));
        assertFalse(bad.getMessage().contains("00112233"), "no secret in a log");
    }

    @Test
    void spacesAndSeveralSecretsAreRead() {
        ServerSettings read =
                ServerSettings.of(
                        Map.of(
                                "cookie-secret",
                                "e5e973e5a6b2a43f48e7dc849e37bfcf,"
                                        + " dd3bdf9344b678b185a6f5cb60fca715"));
        assertEquals(2, read.edges().cookieSecrets().size());
        assertEquals(1000, read.edges().rateLimit());
    }
}
