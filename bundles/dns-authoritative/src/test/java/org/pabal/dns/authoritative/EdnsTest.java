package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.dns.server.Query;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;

/// Headers, EDNS (RFC 6891) and truncation, with what ISC's EDNS compliance tester asks.
class EdnsTest {

    private final Node node =
            Node.serving(
                    "example.org.",
                    Node.SOA
                            + """
                            @ 3600 NS ns1
                            ns1 3600 A 192.0.2.1
                            """
                            + texts("big", 6)
                            + texts("huge", 12)
                            + texts("vast", 400));

    private static String texts(String name, int records) {
        StringBuilder file = new StringBuilder();
        for (int i = 0; i < records; i++) {
            file.append(name)
                    .append(" 3600 TXT \"")
                    .append(i)
                    .append("-")
                    .append("x".repeat(100))
                    .append("\"\n");
        }
        return file.toString();
    }

    /// A query by hand: header flags, question, and additional records as they are.
    private static byte[] raw(
            int flags, int[] counts, String name, int type, int dclass, String additionalHex) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(
                ByteBuffer.allocate(4).putShort((short) 0xABCD).putShort((short) flags).array());
        for (int count : counts) {
            out.write(count >> 8);
            out.write(count);
        }
        for (String label : name.split("\\.")) {
            out.write(label.length());
            out.writeBytes(label.getBytes(StandardCharsets.ISO_8859_1));
        }
        out.write(0);
        out.writeBytes(
                ByteBuffer.allocate(4).putShort((short) type).putShort((short) dclass).array());
        out.writeBytes(HexFormat.of().parseHex(additionalHex.replace(" ", "")));
        return out.toByteArray();
    }

    private static byte[] withOpt(String optHex) {
        return raw(0, new int[] {1, 0, 0, 1}, "example.org", Type.SOA, 1, optHex);
    }

    private Message answer(byte[] query) {
        byte[] octets = node.octets(query).orElseThrow();
        assertEquals(0xABCD, (octets[0] & 0xFF) << 8 | octets[1] & 0xFF);
        assertTrue((octets[2] & 0x80) != 0);
        assertEquals(0, octets[3] & 0xF0, "RA, Z, AD and CD are clear");
        return Node.parsed(octets);
    }

    @Test
    void answersPlainDnsWithoutOpt() {
        Message answer = answer(raw(0, new int[] {1, 0, 0, 0}, "example.org", Type.SOA, 1, ""));
        assertEquals("NOERROR aa\nexample.org. 3600 SOA", Node.text(answer));
        assertEquals(0, answer.getSection(Section.ADDITIONAL).size());
    }

    /// The tester's `dns`, `edns`, `edns512`, `ednsopt`, `ednsnsid`, `ednscookie`, `ednspadding`,
    /// `ednsflags`, `do`
    @ParameterizedTest
    @CsvSource({
        "plain, 00 0029 1000 00 00 0000 0000",
        "payload size 512, 00 0029 0200 00 00 0000 0000",
        "payload size 0 counts as 512, 00 0029 0000 00 00 0000 0000",
        "unknown option 100, 00 0029 1000 00 00 0000 0004 0064 0000",
        "NSID, 00 0029 1000 00 00 0000 0004 0003 0000",
        "client subnet, 00 0029 1000 00 00 0000 000b 0008 0007 0001 1800 c00002",
        "expire, 00 0029 1000 00 00 0000 0004 0009 0000",
        "TCP keepalive, 00 0029 1000 00 00 0000 0004 000b 0000",
        "padding, 00 0029 1000 00 00 0000 0008 000c 0004 00000000",
        "reserved flags, 00 0029 1000 00 00 4000 0000",
        "an extended rcode in a query, 00 0029 1000 01 00 0000 0000",
        "DO, 00 0029 1000 00 00 8000 0000",
        "DO and reserved flags, 00 0029 1000 00 00 ffff 0000",
    })
    void answersEdnsWithEdns(String what, String opt) {
        Message answer = answer(withOpt(opt));
        assertEquals("NOERROR aa\nexample.org. 3600 SOA", Node.text(answer), what);
        OPTRecord record = answer.getOPT();
        assertEquals(1, answer.getSection(Section.ADDITIONAL).size());
        assertEquals(0, record.getVersion());
        assertEquals(1232, record.getPayloadSize());
        assertEquals(0, record.getOptions().size(), "unknown options are not echoed");
        assertEquals(what.startsWith("DO") ? ExtendedFlags.DO : 0, record.getFlags());
    }

    /// RFC 6891 §6.1.3; the tester's `edns1`, `edns1opt`, `edns1flags`, `edns1do`
    @ParameterizedTest
    @ValueSource(
            strings = {
                "00 0029 1000 00 01 0000 0000", "00 0029 1000 00 01 0000 0004 0064 0000",
                "00 0029 1000 00 01 8000 0000", "00 0029 1000 00 ff 4000 0000"
            })
    void saysBadversToOtherVersions(String opt) {
        Message answer = answer(withOpt(opt));
        assertEquals(Rcode.BADVERS, answer.getRcode());
        assertEquals(0, answer.getOPT().getVersion());
        assertEquals(0, answer.getSection(Section.ANSWER).size());
        assertFalse(answer.getHeader().getFlag(Flags.AA));
    }

    /// RFC 6891 §6.1.1 and §6.1.2, security rows D15, D17
    @ParameterizedTest
    @CsvSource({
        "two OPT records, 00 0029 1000 00 00 0000 0000 00 0029 1000 00 00 0000 0000, 2",
        "not at the root, 0161 00 0029 1000 00 00 0000 0000, 1",
        "option header cut, 00 0029 1000 00 00 0000 0003 000a00, 1",
        "option longer than the record, 00 0029 1000 00 00 0000 0005 000a 0002 01, 1",
        "cookie of a wrong length, 00 0029 1000 00 00 0000 0005 000a 0001 01, 1",
        "record longer than the message, 00 0029 1000 00 00 0000 0009 000a 0001 01, 1",
        "cut inside its fixed part, 00 0029 1000 00 00, 1",
        "missing, '', 1",
        "trailing octets, 00 0029 1000 00 00 0000 0000 ff, 1",
        "trailing octets without OPT, ff, 0",
    })
    void saysFormerrToABrokenOpt(String what, String opt, int count) {
        byte[] query = raw(0, new int[] {1, 0, 0, count}, "example.org", Type.SOA, 1, opt);
        assertEquals("FORMERR", Node.text(answer(query)), what);
    }

    /// Security row D15
    @Test
    void saysFormerrToAFloodOfOptions() {
        String option = "000a 0008 0102030405060708";
        String most =
                "00 0029 1000 00 00 0000 %04x %s"
                        .formatted(12 * Query.MAX_OPTIONS, option.repeat(Query.MAX_OPTIONS));
        assertEquals("NOERROR aa\nexample.org. 3600 SOA", Node.text(answer(withOpt(most))));
        for (int count : new int[] {Query.MAX_OPTIONS + 1, 1000}) {
            String flood =
                    "00 0029 1000 00 00 0000 %04x %s".formatted(12 * count, option.repeat(count));
            assertEquals("FORMERR", Node.text(answer(withOpt(flood))));
        }
    }

    /// Security row D25, RFC 9619
    @ParameterizedTest
    @CsvSource({
        "0, 0, 0, 0",
        "2, 0, 0, 0",
        "65535, 0, 0, 0",
        "1, 1, 0, 0",
        "1, 0, 1, 0",
        "1, 0, 0, 1"
    })
    void saysFormerrToWrongCounts(int questions, int answers, int authority, int additional) {
        byte[] query =
                raw(
                        0,
                        new int[] {questions, answers, authority, additional},
                        "example.org",
                        Type.SOA,
                        1,
                        "");
        assertEquals("FORMERR", Node.text(answer(query)));
    }

    @Test
    void answersOptWithOptAlsoWithoutAQuestion() {
        byte[] query =
                HexFormat.of().parseHex("abcd00000000000000000001" + "0000291000000080000000");
        Message answer = answer(query);
        assertEquals("FORMERR", Node.text(answer));
        assertEquals(1232, answer.getOPT().getPayloadSize());
    }

    /// Security row D25
    @Test
    void ignoresAnswersAndScraps() {
        assertEquals(
                Optional.empty(),
                node.octets(raw(0x8000, new int[] {1, 0, 0, 0}, "example.org", 6, 1, "")));
        assertEquals(Optional.empty(), node.octets(new byte[0]));
        assertEquals(Optional.empty(), node.octets(new byte[11]));
        assertEquals("FORMERR", Node.text(Node.parsed(node.octets(new byte[12]).orElseThrow())));
    }

    /// Security row D25: everything but QUERY, NOTIFY and UPDATE, RFC 1035 §4.1.1; the tester's
    /// `opcode` and `ednsopcode`
    @Test
    void saysNotimpToOtherOpcodes() {
        for (int opcode = 1; opcode < 16; opcode++) {
            if (opcode == Opcode.NOTIFY || opcode == Opcode.UPDATE) {
                continue;
            }
            byte[] query =
                    raw(
                            opcode << 11,
                            new int[] {1, 0, 0, 1},
                            "example.org",
                            6,
                            1,
                            "00 0029 1000 00 00 0000 0000");
            Message answer = answer(query);
            assertEquals(Rcode.NOTIMP, answer.getRcode());
            assertEquals(opcode, answer.getHeader().getOpcode());
            assertEquals(1232, answer.getOPT().getPayloadSize());
            assertEquals(
                    Rcode.NOTIMP,
                    answer(raw(opcode << 11, new int[] {0, 0, 0, 0}, "x", 1, 1, "")).getRcode());
        }
    }

    /// RD comes back, everything else that only resolvers use does not; the tester's `rd`, `ad`,
    /// `cd`, `zflag`
    @ParameterizedTest
    @ValueSource(ints = {0, 0x0100, 0x0020, 0x0010, 0x0040, 0x0080, 0x0400, 0x0200, 0x07F0})
    void copiesOnlyRd(int flags) {
        Message answer = answer(raw(flags, new int[] {1, 0, 0, 0}, "example.org", Type.SOA, 1, ""));
        assertEquals("NOERROR aa\nexample.org. 3600 SOA", Node.text(answer));
        assertEquals((flags & 0x0100) != 0, answer.getHeader().getFlag(Flags.RD));
    }

    @ParameterizedTest
    @CsvSource({
        "version.bind, 16, 3, REFUSED", "example.org, 6, 3, REFUSED",
                "example.org, 6, 255, REFUSED",
        "example.org, 6, 254, REFUSED", "example.org, 252, 1, NOTIMP",
                "example.org, 251, 1, REFUSED",
    })
    void refusesClassesAndTypesThatNoZoneHas(String name, int type, int dclass, String rcode) {
        assertEquals(
                rcode, Node.text(answer(raw(0, new int[] {1, 0, 0, 0}, name, type, dclass, ""))));
    }

    /// As NSD and Knot DNS do
    @ParameterizedTest
    @ValueSource(ints = {0, 41, 249, 250, 253, 254, 256, 65535})
    void saysNoDataForTypesThatNoZoneHas(int type) {
        assertEquals(
                "NOERROR aa\n? example.org. 300 SOA",
                Node.text(answer(raw(0, new int[] {1, 0, 0, 0}, "example.org", type, 1, ""))));
    }

    /// Security row D16: no pointer can be right in a question, and none is followed elsewhere
    @ParameterizedTest
    @ValueSource(
            strings = {
                "c00c 0001 0001", "0161 c00c 0001 0001", "c0ff 0001 0001", "ffff 0001 0001",
                        "c000 0001 0001", "40 00 0001 0001",
                "8000 0001 0001", "0161", "3f61", "00", "00 0001", "c0"
            })
    void saysFormerrToABrokenQuestion(String question) {
        byte[] header = HexFormat.of().parseHex("abcd00000001000000000000");
        byte[] rest = HexFormat.of().parseHex(question.replace(" ", ""));
        byte[] query =
                ByteBuffer.allocate(header.length + rest.length).put(header).put(rest).array();
        assertEquals("FORMERR", Node.text(answer(query)));
    }

    /// RFC 1035 §2.3.4: 255 octets are a name, 256 are none
    @Test
    void takesTheLongestName() {
        String three = "a".repeat(63) + "." + "b".repeat(63) + "." + "c".repeat(63) + ".";
        assertEquals(
                "REFUSED",
                Node.text(
                        answer(raw(0, new int[] {1, 0, 0, 0}, three + "d".repeat(61), 1, 1, ""))));
        assertEquals(
                "FORMERR",
                Node.text(
                        answer(raw(0, new int[] {1, 0, 0, 0}, three + "d".repeat(62), 1, 1, ""))));
        String labels = "a.".repeat(121) + "example.org";
        assertEquals(
                "NXDOMAIN aa\n? example.org. 300 SOA",
                Node.text(answer(raw(0, new int[] {1, 0, 0, 0}, labels, 1, 1, ""))));
        String owner = "a.".repeat(127);
        assertEquals("REFUSED", Node.text(answer(raw(0, new int[] {1, 0, 0, 0}, owner, 1, 1, ""))));
    }

    /// RFC 2181 §9: TC, and no part of a set; security row D13: at most 1232 octets
    @Test
    void truncatesWithoutPartsOfSets() {
        Message plain = node.answer(Node.query("big.example.org", Type.TXT));
        assertEquals("NOERROR aa tc", Node.text(plain));
        Message large = node.answer(Node.edns(Node.query("big.example.org", Type.TXT), 1232, 0));
        assertEquals(6, large.getSection(Section.ANSWER).size());
        Message larger = node.answer(Node.edns(Node.query("huge.example.org", Type.TXT), 4096, 0));
        assertEquals("NOERROR aa tc", Node.text(larger));
        assertEquals(1232, larger.getOPT().getPayloadSize());
        // the fast path leaves to the readable one what is longer than its images
        assertEquals("NOERROR aa tc", node.ask("vast.example.org", Type.TXT));
    }

    /// RFC 6891 §6.2.3: the size is the client's, exactly
    @Test
    void fillsExactlyWhatTheClientTakes() {
        byte[] whole =
                node.octets(Node.edns(Node.query("big.example.org", Type.TXT), 1232, 0).toWire())
                        .orElseThrow();
        Message fits =
                node.answer(Node.edns(Node.query("big.example.org", Type.TXT), whole.length, 0));
        assertFalse(fits.getHeader().getFlag(Flags.TC));
        Message cut =
                node.answer(
                        Node.edns(Node.query("big.example.org", Type.TXT), whole.length - 1, 0));
        assertTrue(cut.getHeader().getFlag(Flags.TC));
    }

    @Test
    void compressesNames() {
        byte[] answer = node.octets(Node.query("nope.example.org", Type.A).toWire()).orElseThrow();
        String text = new String(answer, StandardCharsets.ISO_8859_1);
        assertEquals(text.indexOf("example"), text.lastIndexOf("example"));
    }
}
