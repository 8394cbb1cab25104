package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.HTTPSRecord;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Message;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Answers of every shape, held against one query.
class AnswerOctetsTest {

    static final QueryOctets QUERY =
            QueryOctets.of(
                    UpstreamAnswers.question("www.example.org"),
                    new QueryOctets.Manner(
                            0x1234, false, new byte[0], Dialect.EDNS, 1232, new byte[0], false));

    private static final int END = QUERY.questionEnd();

    /// Of its data nobody knows what it is (RFC 6895 §3.1).
    private static final int PRIVATE_TYPE = 65_400;

    /// A header that says so many answers, the question, and what follows.
    private static byte[] answer(int records, byte[] rest) {
        byte[] head = UpstreamAnswers.to(QUERY.octets()).toWire();
        ByteBuffer message = ByteBuffer.allocate(END + rest.length);
        message.put(head, 0, END).put(rest);
        message.putShort(2, (short) 0x8000).putShort(6, (short) records);
        return message.array();
    }

    private static AnswerOctets read(byte[] octets) {
        return AnswerOctets.read(QUERY, octets);
    }

    private static String fault(int records, byte[] rest) {
        AnswerOctets answer = read(answer(records, rest));
        assertEquals(AnswerOctets.Fit.STRANGE, answer.fit());
        return answer.fault();
    }

    /// A record of a type, whose owner is the question's name.
    private static byte[] record(int type, byte[] data) {
        return ByteBuffer.allocate(12 + data.length)
                .putShort((short) 0xC00C)
                .putShort((short) type)
                .putShort((short) DClass.IN)
                .putInt(300)
                .putShort((short) data.length)
                .put(data)
                .array();
    }

    private static byte[] pointer(int target) {
        return new byte[] {(byte) (0xC0 | target >> 8), (byte) target};
    }

    @Test
    void everySectionIsRead() throws Exception {
        Message answer = UpstreamAnswers.address(QUERY.octets());
        var name = UpstreamAnswers.name("example.org");
        var host = UpstreamAnswers.name("host.example.org");
        List<Record> records =
                List.of(
                        new NSRecord(name, DClass.IN, 1, host),
                        new SOARecord(name, DClass.IN, 1, host, host, 1, 2, 3, 4, 5),
                        new MXRecord(name, DClass.IN, 1, 10, host),
                        new SRVRecord(name, DClass.IN, 1, 1, 2, 3, host),
                        new HTTPSRecord(name, DClass.IN, 1, 1, host, List.of()));
        records.forEach(each -> answer.addRecord(each, Section.AUTHORITY));
        answer.addRecord(
                new ARecord(host, DClass.IN, 1, InetAddress.ofLiteral("192.0.2.9")),
                Section.ADDITIONAL);
        answer.addRecord(new OPTRecord(1232, 1, 0), Section.ADDITIONAL);
        answer.getHeader().setRcode(Rcode.BADCOOKIE & 0xF);
        AnswerOctets read = read(answer.toWire());
        assertEquals("", read.fault());
        assertEquals(AnswerOctets.Fit.ANSWER, read.fit());
        assertEquals(Rcode.BADCOOKIE, read.rcode());
        assertTrue(read.edns());
        assertEquals(records, read.message().orElseThrow().getSection(Section.AUTHORITY));
    }

    /// Security row D16.
    @Test
    void pointersLeadBack() {
        assertEquals(
                "a malformed message: a pointer that does not lead back",
                fault(1, ByteBuffer.allocate(12).put(pointer(END)).array())); // to itself
        assertEquals(
                "a malformed message: a pointer that does not lead back",
                fault(1, ByteBuffer.allocate(16).put(pointer(END + 12)).array()));
        // a label before a pointer to that label: goes round until the name is too long
        byte[] loop =
                ByteBuffer.allocate(16).put((byte) 1).put((byte) 'x').put(pointer(END)).array();
        assertEquals("a malformed message: a name that is too long", fault(1, loop));
        assertEquals(
                "a malformed message: a pointer that does not lead back",
                fault(1, record(Type.NS, pointer(END + 12))));
    }

    /// Security row D16.
    @Test
    void nameHasAtMost127Hops() {
        assertEquals(AnswerOctets.Fit.ANSWER, read(hops(127, 10)).fit());
        assertEquals(
                "a malformed message: more than 127 pointers in a name",
                read(hops(128, 10)).fault());
        assertEquals(AnswerOctets.Fit.ANSWER, read(hops(16, 16)).fit());
        assertEquals(
                "a malformed message: a chain of pointers to pointers", read(hops(17, 17)).fault());
    }

    /// An answer with an address whose name goes over so many pointers, a label after each chain.
    private static byte[] hops(int hops, int chain) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int before = END - 5; // the root label of the question
        for (int hop = 1; hop < hops; hop++) {
            int here = END + 12 + out.size();
            if (hop % chain == 0) {
                out.writeBytes(new byte[] {1, 'x'});
            }
            out.writeBytes(pointer(before));
            before = here;
        }
        byte[] chains = record(PRIVATE_TYPE, out.toByteArray());
        byte[] address = record(Type.A, new byte[] {(byte) 192, 0, 2, 1});
        System.arraycopy(pointer(before), 0, address, 0, 2);
        return answer(
                2,
                ByteBuffer.allocate(chains.length + address.length)
                        .put(chains)
                        .put(address)
                        .array());
    }

    /// Security row D16: the largest message, full of pointers, costs a fraction of a second.
    @Test
    void pointersCostLittle() {
        List<byte[]> floods = new ArrayList<>();
        for (int chain : new int[] {1, 15, 16, 17, 8000}) {
            for (int type : new int[] {Type.NS, Type.NAPTR}) {
                floods.add(flood(chain, type));
            }
        }
        for (byte[] flood : floods) {
            read(flood.clone()); // warm
        }
        for (byte[] flood : floods) {
            long began = System.nanoTime();
            read(flood);
            long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
            assertTrue(took < 1000, took + " ms");
        }
    }

    /// Labels and chains of pointers as far as pointers reach, then records with a name that goes
    /// through all of them.
    private static byte[] flood(int chain, int type) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int before = END - 5;
        int labels = 0;
        while (labels < 110 && out.size() < 16_000) {
            for (int i = 0; i < chain && out.size() < 16_000; i++) {
                int here = END + 12 + out.size();
                out.writeBytes(pointer(before));
                before = here;
            }
            labels++;
            int here = END + 12 + out.size();
            out.writeBytes(new byte[] {1, 'x'});
            out.writeBytes(pointer(before));
            before = here;
        }
        byte[] first = record(PRIVATE_TYPE, out.toByteArray());
        ByteBuffer rest = ByteBuffer.allocate(0xFFFF - END).put(first);
        int records = 1;
        byte[] target = pointer(before);
        while (rest.remaining() >= 20) {
            boolean known = type == Type.NS;
            rest.put(known ? target : new byte[1]);
            rest.putShort((short) type).putShort((short) DClass.IN).putInt(1);
            rest.putShort((short) (known ? 2 : 9)).put(new byte[known ? 0 : 7]).put(target);
            records++;
        }
        return answer(records, rest.array());
    }

    @Test
    void recordsStayInsideTheMessage() {
        byte[] record = record(Type.A, new byte[] {1, 2, 3, 4});
        record[11] = 5;
        assertEquals(
                "a malformed message: a record that is longer than the message", fault(1, record));
        assertEquals("a malformed message: a name that does not end", fault(1, new byte[0]));
        assertTrue(fault(1, record(Type.A, new byte[3])).startsWith("a malformed message: "));
        assertEquals(
                "a malformed message: a name that does not end",
                fault(1, record(Type.SRV, new byte[6])));
    }

    /// Security row D15.
    @Test
    void atMost32OptionsAreLookedAt() {
        for (int options : new int[] {32, 33, 10_000}) {
            Message answer = UpstreamAnswers.address(QUERY.octets());
            List<EDNSOption> all = new ArrayList<>();
            for (int i = 0; i < options; i++) {
                all.add(new GenericEDNSOption(EDNSOption.Code.NSID, new byte[0]));
            }
            answer.addRecord(new OPTRecord(1232, 0, 0, 0, all), Section.ADDITIONAL);
            AnswerOctets read = read(answer.toWire(0xFFFF));
            assertEquals(
                    options == 32 ? "" : "a malformed message: more than 32 EDNS options",
                    read.fault());
        }
    }

    /// Security row D15.
    @Test
    void firstCookieCounts() {
        Message answer = UpstreamAnswers.address(QUERY.octets());
        answer.addRecord(
                new OPTRecord(
                        1232,
                        0,
                        0,
                        0,
                        new GenericEDNSOption(EDNSOption.Code.COOKIE, new byte[8]),
                        new GenericEDNSOption(EDNSOption.Code.COOKIE, new byte[16])),
                Section.ADDITIONAL);
        assertEquals(8, read(answer.toWire()).cookie().orElseThrow().length);
    }

    @Test
    void oneOptRecordAtTheRoot() {
        byte[] opt = record(Type.OPT, new byte[0]);
        assertEquals("a malformed message: an OPT record where none belongs", fault(1, opt));
    }

    @Test
    void truncatedAnswerIsNotReadAtAll() {
        byte[] octets = answer(1, new byte[] {(byte) 0xC0});
        octets[2] |= 2;
        assertEquals(AnswerOctets.Fit.TRUNCATED, read(octets).fit());
    }

    @Test
    void caseOfTheQuestionCounts() {
        byte[] octets = UpstreamAnswers.address(QUERY.octets()).toWire();
        octets[13] ^= 0x20;
        assertEquals(AnswerOctets.Fit.OTHER_CASE, read(octets.clone()).fit());
        assertEquals(AnswerOctets.Fit.ANSWER, AnswerOctets.readStream(QUERY, octets.clone()).fit());
        octets[13] ^= 0x60;
        assertEquals(AnswerOctets.Fit.STRANGE, read(octets).fit());
        assertEquals(AnswerOctets.Fit.STRANGE, AnswerOctets.readStream(QUERY, octets).fit());
    }

    @Test
    void streamMayNotTruncate() {
        Message answer = UpstreamAnswers.address(QUERY.octets());
        answer.getHeader().setFlag(Flags.TC);
        AnswerOctets read = AnswerOctets.readStream(QUERY, answer.toWire());
        assertEquals(1, read.message().orElseThrow().getSection(Section.ANSWER).size());
    }
}
