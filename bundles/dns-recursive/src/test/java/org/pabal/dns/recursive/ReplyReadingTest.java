package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Arrays;

/// What replies mean, in a table.
class ReplyReadingTest {

    /// The question is `www.example.org. A`, asked of a server of `example.org.`.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    Said     | NOERROR  | aa | answer www.example.org. A 192.0.2.1
                    Said     | NOERROR  |    | answer www.example.org. A 192.0.2.1
                    Weak     | NOERROR  | ra | answer www.example.org. A 192.0.2.1
                    Said     | NOERROR  | aa | answer www.example.org. CNAME w.example.net.
                    Weak     | NOERROR  | aa | answer other.example.org. A 192.0.2.1
                    Weak     | NOERROR  | aa | answer www.example.net. A 192.0.2.1
                    Said     | NXDOMAIN | aa | authority example.org. SOA n. h. 1 1 1 1 60
                    Said     | NXDOMAIN | aa |
                    Weak     | NXDOMAIN | ra | authority example.org. SOA n. h. 1 1 1 1 60
                    Said     | NOERROR  | aa | authority example.org. SOA n. h. 1 1 1 1 60
                    Weak     | NOERROR  | ra | authority example.org. SOA n. h. 1 1 1 1 60
                    Weak     | NOERROR  | aa | authority org. SOA n. h. 1 1 1 1 60
                    Weak     | NOERROR  | aa | authority x.example.org. SOA n. h. 1 1 1 1 60
                    Weak     | NOERROR  | aa |
                    Unusable | NOERROR  | ra |
                    Referral | NOERROR  |    | authority www.example.org. NS ns.example.net.
                    Referral | NOERROR  | aa | authority www.example.org. NS ns.example.net.
                    Weak     | NOERROR  |    | authority mail.example.org. NS ns.example.net.
                    Unusable | NOERROR  |    | authority example.org. NS ns.example.net.
                    Weak     | NOERROR  | aa | authority example.org. NS ns.example.net.
                    Lame     | NOERROR  |    | authority org. NS ns.example.net.
                    Lame     | NOERROR  | aa | authority . NS ns.example.net.
                    Unusable | SERVFAIL |    |
                    Unusable | REFUSED  |    |
                    Unusable | NOTIMP   |    |
                    Unusable | YXDOMAIN | aa |
                    """)
    void meansWhatUnboundTakesItFor(String meaning, String rcode, String flag, String line) {
        Question question = question("www.example.org.", Type.A);
        String[] lines = line == null ? new String[0] : new String[] {line};
        Message message = ScriptedInternet.saying(question, Rcode.value(rcode), lines);
        if (!"aa".equals(flag)) {
            message.getHeader().unsetFlag(Flags.AA);
        }
        if ("ra".equals(flag)) {
            message.getHeader().setFlag(Flags.RA);
        }
        Reading reading = ReplyReading.read(message, question, name("example.org."), false);
        assertEquals(meaning, reading.getClass().getSimpleName());
    }

    /// As many as fit into a message would keep us busy for seconds: each is compared to all.
    @Test
    void setsOfMoreRecordsThanAnybodyNeedsAreNotRead() {
        Question question = question("www.example.org.", Type.A);
        for (int count : new int[] {100, 101, 4_000}) {
            Message message = ScriptedInternet.saying(question, Rcode.NOERROR);
            for (int i = 0; i < count; i++) {
                message.addRecord(address(i), Section.ANSWER);
            }
            Reading reading =
                    assertTimeout(
                            Duration.ofSeconds(1),
                            () ->
                                    ReplyReading.read(
                                            message, question, name("example.org."), false));
            assertEquals(count > 100, reading instanceof Reading.Unusable, count + " records");
        }
    }

    private static ARecord address(int i) {
        byte[] octets = {(byte) 198, 51, (byte) (i >> 8), (byte) i};
        try {
            return new ARecord(
                    name("www.example.org."), DClass.IN, 60, InetAddress.getByAddress(octets));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static Question question(String name, int type) {
        return new Question(name(name), type);
    }

    private static Name name(String name) {
        return Name.fromConstantString(name);
    }

    private static Reading read(Question question, String zone, int rcode, String... lines) {
        return ReplyReading.read(
                ScriptedInternet.saying(question, rcode, lines), question, name(zone), false);
    }

    private static Reading.Said said(Reading reading) {
        return assertInstanceOf(Reading.Said.class, reading);
    }

    @Test
    void aChainIsTakenAsFarAsTheZoneKnowsIt() {
        Reading.Said said =
                said(
                        read(
                                question("a.example.org.", Type.A),
                                "example.org.",
                                Rcode.NXDOMAIN,
                                "answer a.example.org. CNAME b.example.org.",
                                "answer b.example.org. CNAME c.example.org.",
                                "authority example.org. SOA n. h. 1 1 1 1 60"));
        assertEquals(
                "ALIAS ALIAS NO_NAME",
                String.join(" ", said.chain().stream().map(f -> f.kind().name()).toList()));
        assertEquals(question("c.example.org.", Type.A), said.chain().getLast().question());
        assertEquals(60, said.chain().getLast().ttl());
    }

    @Test
    void whatIsSaidOfATargetElsewhereIsLeftOut() {
        Reading.Said said =
                said(
                        read(
                                question("a.example.org.", Type.A),
                                "example.org.",
                                Rcode.NXDOMAIN,
                                "answer a.example.org. CNAME b.example.net.",
                                "answer b.example.net. A 203.0.113.66",
                                "authority example.net. SOA n. h. 1 1 1 1 60"));
        assertEquals(1, said.chain().size());
    }

    @Test
    void aCnameThatDoesNotFollowFromItsDnameIsReplaced() {
        Reading.Said said =
                said(
                        read(
                                question("www.a.example.org.", Type.A),
                                "example.org.",
                                Rcode.NOERROR,
                                "answer a.example.org. DNAME b.example.org.",
                                "answer www.a.example.org. CNAME evil.example.org."));
        Finding alias = said.chain().getFirst();
        assertEquals(name("www.b.example.org."), alias.target());
        assertEquals(Type.DNAME, alias.records().getFirst().getType());
    }

    /// The server's CNAME has no signature, and the name in the case that it was asked in.
    @Test
    void whoAsksForTheCnameBelowADnameGetsBoth() {
        Reading.Said said =
                said(
                        read(
                                question("www.a.example.org.", Type.CNAME),
                                "example.org.",
                                Rcode.NOERROR,
                                "answer a.example.org. DNAME b.example.org.",
                                "answer www.a.example.org. CNAME wWw.b.example.org."));
        Finding alias = said.chain().getFirst();
        assertEquals(Finding.Kind.ALIAS, alias.kind());
        assertEquals("www.b.example.org.", alias.target().toString());
        assertEquals(Type.DNAME, alias.records().getFirst().getType());
    }

    /// RFC 6672 §2.2, whatever the server makes of it.
    @ParameterizedTest
    @ValueSource(ints = {Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.YXDOMAIN})
    void aNameThatADnameMakesTooLongIsNoAlias(int rcode) {
        String label = "a".repeat(63);
        String name = String.join(".", label, label, label, "d.example.org.");
        Reading.Said said =
                said(
                        read(
                                question(name, Type.A),
                                "example.org.",
                                rcode,
                                "answer d.example.org. DNAME " + label + ".example.org."));
        Finding finding = said.chain().getFirst();
        assertEquals(Finding.Kind.TOO_LONG, finding.kind());
        assertEquals(Rcode.YXDOMAIN, finding.rcode());
        assertEquals(Type.DNAME, finding.set().getType());
    }

    /// RFC 2308 §3: servers lower it themselves, and where they do not, who asks us must not
    /// remember it for longer than we do.
    @Test
    void theSoaOfWhatIsNotThereHoldsNoLongerThanThat() {
        Reading.Said said =
                said(
                        read(
                                question("www.example.org.", Type.A),
                                "example.org.",
                                Rcode.NXDOMAIN,
                                "authority example.org. SOA n. h. 1 1 1 1 60"));
        Finding finding = said.chain().getFirst();
        assertEquals(60, finding.ttl());
        assertEquals(60, finding.proof().getFirst().getTTL());
    }

    /// Security row D7: of 1,500 name servers 40 are kept.
    @Test
    void aReferralNamesFortyServersAtMost() {
        String[] lines = new String[1_500];
        Arrays.setAll(lines, i -> "authority example.org. NS ns" + i + ".example.org.");
        Reading.Referral referral =
                assertInstanceOf(
                        Reading.Referral.class,
                        read(question("www.example.org.", Type.A), "org.", Rcode.NOERROR, lines));
        assertEquals(40, referral.delegation().ns().size());
    }

    /// Security row D4.
    @Test
    void glueIsOfTheZoneAskedAndOfTheServersNamed() {
        Reading.Referral referral =
                assertInstanceOf(
                        Reading.Referral.class,
                        read(
                                question("www.example.org.", Type.A),
                                "org.",
                                Rcode.NOERROR,
                                "authority example.org. NS ns.example.org.",
                                "authority example.org. NS ns.example.net.",
                                "authority example.org. NS ns.sibling.org.",
                                "additional ns.example.org. A 192.0.2.1",
                                "additional ns.sibling.org. A 192.0.2.2",
                                "additional ns.example.net. A 203.0.113.66",
                                "additional www.bank.org. A 203.0.113.66"));
        assertEquals(
                "ns.example.org. ns.sibling.org.",
                String.join(
                        " ",
                        referral.delegation().glue().stream()
                                .map(set -> set.getName().toString())
                                .toList()));
    }

    /// Security row D5: a delegation does not outlive the shortest TTL of it.
    @Test
    void aDelegationHoldsAsLongAsAllOfItDoes() {
        Reading.Referral referral =
                assertInstanceOf(
                        Reading.Referral.class,
                        read(
                                question("www.example.org.", Type.A),
                                "org.",
                                Rcode.NOERROR,
                                "authority example.org. 900 NS ns.example.org.",
                                "additional ns.example.org. 300 A 192.0.2.1"));
        assertEquals(300, referral.delegation().ttl());
    }

    @Test
    void aReferralBringsTheDelegationSignerOfTheChild() {
        Reading.Referral referral =
                assertInstanceOf(
                        Reading.Referral.class,
                        read(
                                question("www.example.org.", Type.A),
                                "org.",
                                Rcode.NOERROR,
                                "authority example.org. NS ns.example.net.",
                                "authority example.org. DS 1 8 2 " + "00".repeat(32)));
        Finding signer = referral.signer().orElseThrow();
        assertEquals(question("example.org.", Type.DS), signer.question());
        assertEquals(name("org."), signer.zone());
    }

    @Test
    void whatTheChildSaysOfItsDelegationSignerCountsForNothing() {
        Reading reading =
                read(
                        question("example.org.", Type.DS),
                        "org.",
                        Rcode.NOERROR,
                        "authority example.org. SOA n. h. 1 1 1 1 60");
        assertInstanceOf(Reading.Unusable.class, reading);
    }

    @Test
    void everythingIsOneSet() {
        Reading.Said said =
                said(
                        read(
                                question("www.example.org.", Type.ANY),
                                "example.org.",
                                Rcode.NOERROR,
                                "answer www.example.org. A 192.0.2.1",
                                "answer www.example.org. TXT much"));
        assertEquals(1, said.chain().getFirst().records().size());
    }

    @Test
    void signaturesCanBeAskedFor() {
        Reading.Said said =
                said(
                        read(
                                question("www.example.org.", Type.RRSIG),
                                "example.org.",
                                Rcode.NOERROR,
                                "answer www.example.org. RRSIG A 8 3 60 20300101000000"
                                        + " 20200101000000 1 example.org. AAAA"));
        Finding finding = said.chain().getFirst();
        assertEquals(Finding.Kind.RECORDS, finding.kind());
        assertEquals(1, finding.set().sigs().size());
        assertEquals(name("www.example.org."), finding.set().getName());
    }

    @Test
    void aForwardersWordIsTakenForAllZones() {
        Question question = question("a.example.org.", Type.A);
        Message message =
                ScriptedInternet.saying(
                        question,
                        Rcode.NXDOMAIN,
                        "answer a.example.org. CNAME b.example.net.",
                        "authority example.net. SOA n. h. 1 1 1 1 60");
        Reading.Said said = said(ReplyReading.read(message, question, Name.root, true));
        assertEquals(2, said.chain().size());
        assertEquals(name("example.net."), said.chain().getLast().zone());
        assertTrue(said.servers().isEmpty());
    }
}
