package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.testkit.Fuzz;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.nio.file.Files;
import java.nio.file.Path;

/// Whatever a server sends: the answer to our query, a reason to ask otherwise, or something that
/// is ignored; and nothing else. Security rows D10, D15, D16.
class AnswerFuzzTest {

    @TempDir Path corpus;

    @Test
    void takesAnAnswerOrIgnoresIt() throws Exception {
        Files.write(corpus.resolve("address"), UpstreamAnswers.address(query()).toWire());
        Files.write(corpus.resolve("referral"), referral().toWire());
        Files.write(
                corpus.resolve("formerr"), UpstreamAnswers.rcode(query(), Rcode.FORMERR).toWire());
        Files.write(
                corpus.resolve("header"),
                new byte[] {0x12, 0x34, (byte) 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0});
        Fuzz.run(
                corpus,
                input -> {
                    judge(input.clone(), AnswerOctets.read(AnswerOctetsTest.QUERY, input));
                    judge(input.clone(), AnswerOctets.readStream(AnswerOctetsTest.QUERY, input));
                });
    }

    private static byte[] query() {
        return AnswerOctetsTest.QUERY.octets();
    }

    private static Message referral() throws Exception {
        Message answer = UpstreamAnswers.to(query());
        String[] records = {
            "example.org. 300 IN NS ns1.example.org.",
            "example.org. 300 IN SOA ns1.example.org. h.example.org. 1 2 3 4 5",
            "example.org. 300 IN MX 10 mail.example.org.",
            "_a._tcp.example.org. 300 IN SRV 1 2 3 ns1.example.org.",
            "example.org. 300 IN NAPTR 1 2 \"u\" \"e\" \"!x!y!\" .",
            "example.org. 300 IN HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1",
            "example.org. 300 IN NSEC a.example.org. A NS SOA RRSIG NSEC",
            "example.org. 300 IN DS 1 13 2"
                    + " 0000000000000000000000000000000000000000000000000000000000000000",
            "example.org. 300 IN RRSIG NS 13 2 300 20270101000000 20260101000000 1 example.org."
                    + " AAAA",
            "ns1.example.org. 300 IN AAAA 2001:db8::1",
            "example.org. 300 IN CAA 0 issue \"ca.example\"",
            "example.org. 300 IN TXT \"some\" \"text\"",
        };
        for (String text : records) {
            String[] words = text.split(" ", 5);
            answer.addRecord(
                    Record.fromString(
                            Name.fromString(words[0]),
                            Type.value(words[3]),
                            DClass.IN,
                            300,
                            words[4],
                            Name.root),
                    Section.AUTHORITY);
        }
        answer.addRecord(
                new OPTRecord(
                        1232,
                        0,
                        0,
                        0,
                        new GenericEDNSOption(EDNSOption.Code.COOKIE, new byte[24]),
                        new GenericEDNSOption(EDNSOption.Code.EDNS_EXTENDED_ERROR, new byte[4])),
                Section.ADDITIONAL);
        return answer;
    }

    private static void judge(byte[] input, AnswerOctets answer) {
        assertFalse(answer.fault().contains("\n"), answer.fault());
        assertEquals(answer.fit() == AnswerOctets.Fit.ANSWER, answer.message().isPresent());
        assertEquals(answer.fit() == AnswerOctets.Fit.ANSWER, answer.fault().isEmpty());
        if (answer.message().isEmpty()) {
            return;
        }
        Message message = answer.message().get();
        assertEquals(0x1234, (input[0] & 0xFF) << 8 | input[1] & 0xFF);
        assertEquals("www.example.org.", message.getQuestion().getName().toString());
        assertEquals(Type.A, message.getQuestion().getType());
        for (int section = Section.QUESTION; section <= Section.ADDITIONAL; section++) {
            for (Record each : message.getSection(section)) {
                assertTrue(each.getName().length() <= 255);
                assertTrue(each.toString().length() > 0);
            }
        }
    }
}
