package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.testkit.Fuzz;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Whatever a server says can be read, and nothing of it is believed outside of its zone (security
/// row D4).
class ReplyFuzzTest {

    private static final Name ZONE = Name.fromConstantString("example.org.");
    private static final Name NAME = Name.fromConstantString("www.example.org.");

    @TempDir Path corpus;

    @Test
    void everyReplyMeansSomethingInItsZone() throws Exception {
        seed(
                "answer",
                Rcode.NOERROR,
                "answer www.example.org. CNAME w.example.org.",
                "answer w.example.org. A 192.0.2.1",
                "answer w.example.org. RRSIG A 8 3 60 20300101000000 20200101000000 1 example.org."
                        + " AAAA");
        seed(
                "referral",
                Rcode.NOERROR,
                "authority www.example.org. NS ns.example.org.",
                "authority www.example.org. DS 1 8 2 " + "00".repeat(32),
                "additional ns.example.org. A 192.0.2.1");
        seed(
                "denial",
                Rcode.NXDOMAIN,
                "answer example.org. DNAME example.net.",
                "authority example.org. SOA n. h. 1 1 1 1 60",
                "authority a.example.org. NSEC z.example.org. A");
        Fuzz.run(
                corpus,
                octets -> {
                    Message message;
                    try {
                        message = new Message(octets);
                    } catch (IOException e) {
                        return; // the room that receives it has refused it
                    }
                    for (int type : new int[] {Type.A, Type.DS, Type.ANY, Type.RRSIG, Type.CNAME}) {
                        check(ReplyReading.read(message, new Question(NAME, type), ZONE, false));
                        check(ReplyReading.read(message, new Question(NAME, type), ZONE, true));
                    }
                });
    }

    private void seed(String name, int rcode, String... lines) throws IOException {
        Message message = ScriptedInternet.saying(new Question(NAME, Type.A), rcode, lines);
        Files.write(corpus.resolve(name), message.toWire());
    }

    private static void check(Reading reading) {
        switch (reading) {
            case Reading.Said said -> said.chain().forEach(ReplyFuzzTest::check);
            case Reading.Weak weak -> weak.chain().forEach(ReplyFuzzTest::check);
            case Reading.Referral referral -> {
                Name child = referral.delegation().zone();
                assertTrue(child.subdomain(ZONE) && !child.equals(ZONE), "to " + child);
                assertTrue(NAME.subdomain(child), "to " + child);
                referral.delegation()
                        .glue()
                        .forEach(set -> assertTrue(set.getName().subdomain(ZONE)));
            }
            case Reading.Lame lame -> assertFalse(lame.why().isEmpty());
            case Reading.Unusable unusable -> assertFalse(unusable.why().isEmpty());
        }
    }

    private static void check(Finding finding) {
        assertTrue(finding.question().name().subdomain(ZONE), finding::toString);
        assertTrue(finding.zone().subdomain(ZONE), finding::toString);
        if (finding.kind() == Finding.Kind.ALIAS) {
            finding.target();
        }
        if (finding.question().type() != Type.RRSIG) {
            finding.records().forEach(set -> assertTrue(set.getName().subdomain(ZONE)));
        }
    }
}
