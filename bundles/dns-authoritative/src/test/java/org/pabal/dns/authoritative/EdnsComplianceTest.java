package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.dns.server.EdnsOptions;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What ISC's compliance tester asks and RFC 8906 §8 writes down, over UDP and TCP.
class EdnsComplianceTest {

    private static final String SIGNATURE =
            " 13 2 3600 20360101000000 20260101000000 1 example.org. " + "A".repeat(86) + "==\n";

    /// A signed zone whose DNSKEY set does not fit into 512 octets.
    private final Node node =
            Node.serving(
                    "example.org.",
                    Node.SOA
                            + "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\n"
                            + "@ 3600 RRSIG SOA"
                            + SIGNATURE
                            + keys()
                            + "@ 3600 RRSIG DNSKEY"
                            + SIGNATURE);

    private static String keys() {
        StringBuilder keys = new StringBuilder();
        for (char letter : "BCDEFG".toCharArray()) {
            keys.append("@ 3600 DNSKEY 257 3 13 ").append(("" + letter).repeat(85)).append("A==\n");
        }
        return keys.toString();
    }

    private static int flags(String words) {
        int flags = 0;
        for (String word : words.split(" ")) {
            flags |=
                    switch (word) {
                        case "rd" -> 0x0100;
                        case "ad" -> 0x0020;
                        case "cd" -> 0x0010;
                        case "z" -> 0x0040;
                        default -> 0;
                    };
        }
        return flags;
    }

    private static byte[] query(int type, String header, Optional<OPTRecord> opt) {
        Message query = new Message(0x4321);
        query.addRecord(
                Record.newRecord(Node.name("example.org"), type, DClass.IN), Section.QUESTION);
        opt.ifPresent(record -> query.addRecord(record, Section.ADDITIONAL));
        byte[] wire = query.toWire();
        wire[2] |= (byte) (flags(header) >> 8);
        wire[3] |= (byte) flags(header);
        return wire;
    }

    private static Optional<OPTRecord> opt(int size, int version, int flags, String options) {
        List<EDNSOption> all = new ArrayList<>();
        for (String option : options.isEmpty() ? new String[0] : options.split(" ")) {
            String[] parts = option.split("=", -1);
            all.add(Ask.option(Integer.parseInt(parts[0]), parts[1]));
        }
        return Optional.of(new OPTRecord(size, 0, version, flags, all));
    }

    /// RFC 8906 §8.1.1 to §8.1.3: without EDNS
    @ParameterizedTest
    @CsvSource({
        "dns, SOA, ''", "dnswkk, DNSKEY, ''", "type1000, TYPE1000, ''", "zflag, SOA, z",
        "adflag, SOA, ad", "cdflag, SOA, cd", "rdflag, SOA, rd", "all, SOA, rd ad cd z"
    })
    void answersPlainDns(String test, String type, String header) {
        for (boolean stream : new boolean[] {false, true}) {
            Message answer = ask(stream, query(Type.value(type, true), header, Optional.empty()));
            assertEquals(Rcode.NOERROR, answer.getRcode());
            assertEquals(
                    test.equals("type1000"),
                    answer.getSection(Section.ANSWER).isEmpty()
                            && !answer.getHeader().getFlag(Flags.TC));
            assertTrue(answer.getHeader().getFlag(Flags.AA));
            assertEquals(header.contains("rd"), answer.getHeader().getFlag(Flags.RD));
            assertEquals(0, answer.toWire()[3] & 0xF0, "RA, Z, AD and CD are clear");
            assertEquals(0, answer.getSection(Section.ADDITIONAL).size());
        }
    }

    /// RFC 8906 §8.1.4
    @Test
    void saysNotimpToAHeaderOfAnUnknownOpcode() {
        byte[] query = new byte[12];
        query[2] = 15 << 3;
        for (boolean stream : new boolean[] {false, true}) {
            Message answer = ask(stream, query);
            assertEquals(Rcode.NOTIMP, answer.getRcode());
            assertEquals(15, answer.getHeader().getOpcode());
            assertEquals(0, answer.getSection(Section.ADDITIONAL).size());
        }
    }

    /// RFC 8906 §8.2; flags as in dig's +ednsflags, options as code=hex
    @ParameterizedTest
    @CsvSource({
        "edns, 4096, 0, 0, '', NOERROR",
        "edns1, 4096, 1, 0, '', BADVERS",
        "edns@512, 512, 0, 0, '', NOERROR",
        "ednsopt, 4096, 0, 0, 100=, NOERROR",
        "edns1opt, 4096, 1, 0, 100=, BADVERS",
        "ednsflags, 4096, 0, 64, '', NOERROR",
        "edns1flags, 4096, 1, 64, '', BADVERS",
        "do, 4096, 0, 32768, '', NOERROR",
        "edns1do, 4096, 1, 32768, '', BADVERS",
        "docookie, 4096, 0, 32768, 10=0102030405060708, NOERROR",
        "ednsnsid, 4096, 0, 0, 3=, NOERROR",
        "ednscookie, 4096, 0, 0, 10=0102030405060708, NOERROR",
        "ednsexpire, 4096, 0, 0, 9=, NOERROR",
        "ednssubnet, 4096, 0, 0, 8=00010000, NOERROR",
        "ednspadding, 4096, 0, 0, 12=0000000000000000, NOERROR",
        "optlist, 4096, 0, 0, 3= 8=00010000 9= 10=0102030405060708, NOERROR",
        "optlist1, 4096, 1, 0, 3= 8=00010000 9= 10=0102030405060708, BADVERS",
        "all, 4096, 0, 65535, 3= 8=00010000 9= 100=0102 11= 12=00 10=0102030405060708, NOERROR"
    })
    void answersEdns(String test, int size, int version, int flags, String options, String rcode) {
        byte[] query = query(Type.SOA, "", opt(size, version, flags, options));
        for (boolean stream : new boolean[] {false, true}) {
            Message answer = ask(stream, query);
            assertEquals(rcode, Rcode.string(answer.getRcode()));
            boolean good = answer.getRcode() == Rcode.NOERROR;
            boolean dnssec = (flags & ExtendedFlags.DO) != 0;
            assertEquals(good ? dnssec ? 2 : 1 : 0, answer.getSection(Section.ANSWER).size());
            assertEquals(good, answer.getHeader().getFlag(Flags.AA));
            OPTRecord opt = answer.getOPT();
            assertEquals(0, opt.getVersion());
            assertEquals(dnssec ? ExtendedFlags.DO : 0, opt.getFlags());
            List<Integer> expected = new ArrayList<>();
            if (options.contains("10=")) {
                expected.add(EdnsOptions.COOKIE);
            }
            if (options.contains("11=") && stream) {
                expected.add(EdnsOptions.KEEPALIVE);
            }
            assertEquals(expected, opt.getOptions().stream().map(EDNSOption::getCode).toList());
        }
    }

    /// RFC 8906 §8.2.7: `edns512tcp` and `signed`: DNSKEY of a signed zone in 512 octets
    @Test
    void truncatesWhatIsSignedAndHasItOverTcp() {
        byte[] query = query(Type.DNSKEY, "", opt(512, 0, ExtendedFlags.DO, ""));
        byte[] datagram = node.octets(query).orElseThrow();
        assertTrue(datagram.length <= 512);
        Message cut = Node.parsed(datagram);
        assertEquals(Rcode.NOERROR, cut.getRcode());
        assertTrue(cut.getHeader().getFlag(Flags.TC));
        assertEquals(ExtendedFlags.DO, cut.getOPT().getFlags());
        Message whole = ask(true, query);
        assertEquals(7, whole.getSection(Section.ANSWER).size());
        assertEquals(ExtendedFlags.DO, whole.getOPT().getFlags());
    }

    private Message ask(boolean stream, byte[] query) {
        return Node.parsed(
                stream ? Ask.stream(node.server, false, query) : node.octets(query).orElseThrow());
    }
}
