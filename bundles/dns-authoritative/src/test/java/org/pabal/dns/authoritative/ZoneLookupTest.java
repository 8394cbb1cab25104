package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.dns.server.Query;
import org.pabal.testkit.MemoryZone;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.util.HashSet;
import java.util.Set;

/// RFC 1034 §4.3.2 with RFC 2308, RFC 4035 §3.1.4.1, RFC 9471, RFC 8482.
class ZoneLookupTest {

    private static final String PARENT =
            """
            $TTL 3600
            @ SOA ns1 hostmaster 1 7200 3600 1209600 300
            @ NS ns1
            @ NS ns.sub
            ns1 A 192.0.2.1
            ns1 AAAA 2001:db8::1
            www A 192.0.2.80
            www A 192.0.2.81
            www A 192.0.2.82
            @ MX 10 mail
            mail A 192.0.2.25
            a.b.c TXT "deep"
            sub NS ns.sub
            sub NS ns.other
            sub NS ns1
            sub NS ns.elsewhere.test.
            sub DS 12345 13 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF
            ns.sub A 192.0.2.11
            hidden.sub A 192.0.2.99
            other NS ns.other
            ns.other A 192.0.2.12
            bare NS ns.elsewhere.test.
            """;

    private static final String SOA = "\n? example.org. 300 SOA";

    private final Node node = Node.serving("example.org.", PARENT);

    @Test
    void answersWithWhatIsThere() {
        assertEquals(
                "NOERROR aa\nns1.example.org. 3600 A 192.0.2.1",
                node.ask("ns1.example.org", Type.A));
        assertEquals(
                "NOERROR aa\n"
                        + "example.org. 3600 MX 10 mail.example.org.\n"
                        + "+ mail.example.org. 3600 A 192.0.2.25",
                node.ask("example.org", Type.MX));
        assertEquals("NOERROR aa\nexample.org. 3600 SOA", node.ask("example.org", Type.SOA));
        // name servers are reached also by what is glue below a cut; other hosts are the child's
        assertEquals(
                "NOERROR aa\n"
                        + "example.org. 3600 NS ns1.example.org.\n"
                        + "example.org. 3600 NS ns.sub.example.org.\n"
                        + "+ ns.sub.example.org. 3600 A 192.0.2.11\n"
                        + "+ ns1.example.org. 3600 A 192.0.2.1\n"
                        + "+ ns1.example.org. 3600 AAAA 2001:db8:0:0:0:0:0:1",
                node.ask("example.org", Type.NS));
    }

    /// RFC 2308 §2.1, §2.2, §3: SOA with the lesser of its TTL and its MINIMUM
    @Test
    void saysForHowLongThereIsNothing() {
        assertEquals("NXDOMAIN aa" + SOA, node.ask("nope.example.org", Type.A));
        assertEquals("NXDOMAIN aa" + SOA, node.ask("x.www.example.org", Type.A));
        assertEquals("NOERROR aa" + SOA, node.ask("mail.example.org", Type.AAAA));
        assertEquals("NOERROR aa" + SOA, node.ask("b.c.example.org", Type.A));
        assertEquals("NXDOMAIN aa" + SOA, node.ask("x.b.c.example.org", Type.A));
        assertEquals("NOERROR aa" + SOA, node.ask("mail.example.org", 1000));
        Node brief =
                Node.serving(
                        "example.org.",
                        "@ 60 SOA ns1 hostmaster 1 7200 3600 1209600 300\n@ 60 NS ns1\n");
        assertEquals("NXDOMAIN aa\n? example.org. 60 SOA", brief.ask("nope.example.org", Type.A));
    }

    private static final String REFERRAL =
            """
            NOERROR
            ? sub.example.org. 3600 NS ns.elsewhere.test.
            ? sub.example.org. 3600 NS ns.other.example.org.
            ? sub.example.org. 3600 NS ns.sub.example.org.
            ? sub.example.org. 3600 NS ns1.example.org.
            + ns.other.example.org. 3600 A 192.0.2.12
            + ns.sub.example.org. 3600 A 192.0.2.11
            + ns1.example.org. 3600 A 192.0.2.1
            + ns1.example.org. 3600 AAAA 2001:db8:0:0:0:0:0:1\
            """;

    @Test
    void refersToTheChildWithGlue() {
        for (String name : new String[] {"sub", "www.sub", "a.b.sub", "hidden.sub", "ns.sub"}) {
            assertEquals(REFERRAL, node.ask(name + ".example.org", Type.A), name);
        }
        assertEquals(REFERRAL, node.ask("sub.example.org", Type.NS));
        assertEquals(REFERRAL, node.ask("sub.example.org", Type.SOA));
        assertEquals(REFERRAL, node.ask("sub.example.org", Type.ANY));
        assertEquals(REFERRAL, node.ask("x.sub.example.org", Type.DS));
        assertEquals(
                "NOERROR\n? bare.example.org. 3600 NS ns.elsewhere.test.",
                node.ask("bare.example.org", Type.A));
    }

    /// RFC 4035 §3.1.4.1
    @Test
    void answersForTheDsAtTheParentSide() {
        String digest = "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF";
        String ds = "NOERROR aa\nsub.example.org. 3600 DS 12345 13 2 " + digest;
        assertEquals(ds, node.ask("sub.example.org", Type.DS));
        assertEquals("NOERROR aa" + SOA, node.ask("bare.example.org", Type.DS));
        assertEquals("NOERROR aa" + SOA, node.ask("example.org", Type.DS));
        node.store.publish(
                MemoryZone.of(
                        "sub.example.org.", Node.SOA + "@ 3600 NS ns\nns 3600 A 192.0.2.11\n"));
        assertEquals(ds, node.ask("sub.example.org", Type.DS));
        assertEquals(
                "NOERROR aa\nns.sub.example.org. 3600 A 192.0.2.11",
                node.ask("ns.sub.example.org", Type.A));
        assertEquals(
                "NOERROR aa\n? sub.example.org. 300 SOA", node.ask("ns.sub.example.org", Type.DS));
    }

    /// RFC 9471 §3.1: without room for in-domain glue TC is set; sibling glue goes in silence
    @Test
    void truncatesAReferralWhoseGlueDoesNotFit() {
        StringBuilder file = new StringBuilder(Node.SOA + "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\n");
        for (int i = 0; i < 13; i++) {
            file.append("child 3600 NS ns-of-some-length-").append(i).append(".child\n");
            file.append("ns-of-some-length-")
                    .append(i)
                    .append(".child 3600 AAAA 2001:db8::")
                    .append(i)
                    .append('\n');
            file.append("twin 3600 NS ns-of-some-length-").append(i).append(".child\n");
        }
        Node many = Node.serving("example.org.", file.toString());
        String small = Node.text(many.answer(Node.query("x.child.example.org", Type.A)));
        assertTrue(small.startsWith("NOERROR tc\n? child"), small);
        assertTrue(
                Node.text(many.answer(Node.query("x.twin.example.org", Type.A)))
                        .startsWith("NOERROR\n? twin"));
        String whole =
                Node.text(
                        many.answer(Node.edns(Node.query("x.child.example.org", Type.A), 1232, 0)));
        assertTrue(whole.startsWith("NOERROR\n? child"), whole);
        assertEquals(13, whole.lines().filter(line -> line.startsWith("+")).count());
    }

    /// Security row D13: no authority, no answer
    @Test
    void refusesWhatIsNotOurs() {
        assertEquals("REFUSED", node.ask("example.com", Type.A));
        assertEquals("REFUSED", node.ask("org", Type.NS));
        assertEquals("REFUSED", node.ask(".", Type.NS));
        assertEquals("REFUSED", node.ask("xexample.org", Type.A));
    }

    /// RFC 8482 §4.1, security row D13
    @Test
    void answersAnyWithOneSet() {
        assertEquals(
                "NOERROR aa\nns1.example.org. 3600 A 192.0.2.1",
                node.ask("ns1.example.org", Type.ANY));
        assertEquals("NXDOMAIN aa" + SOA, node.ask("nope.example.org", Type.ANY));
    }

    @Test
    void startsEachAnswerWithAnotherAddress() {
        Set<String> first = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            String answer = node.ask("www.example.org", Type.A);
            assertEquals(4, answer.lines().count());
            first.add(answer.lines().skip(1).findFirst().orElseThrow());
        }
        assertEquals(3, first.size());
        Reply replies = new Reply(1232);
        Query query = Query.read(Node.query("www.example.org", Type.A).toWire()).orElseThrow();
        Answer answer = ZoneLookup.find(node.zones(), query.name(), query.type(), false);
        Message one = Node.parsed(replies.write(query, answer, false));
        Message two = Node.parsed(replies.write(query, answer, false));
        assertNotEquals(
                one.getSection(Section.ANSWER).getFirst(),
                two.getSection(Section.ANSWER).getFirst());
    }

    /// DNS 0x20: the question comes back as it was asked, and its case is the owner's
    @Test
    void keepsTheCaseOfTheQuestion() {
        Message answer = node.answer(Node.query("nS1.eXaMple.oRg", Type.A));
        assertEquals("nS1.eXaMple.oRg.", answer.getQuestion().getName().toString());
        assertEquals(
                "nS1.eXaMple.oRg.",
                answer.getSection(Section.ANSWER).getFirst().getName().toString());
        Message negative = node.answer(Node.query("nope.eXaMple.oRg", Type.A));
        assertEquals(
                "eXaMple.oRg.",
                negative.getSection(Section.AUTHORITY).getFirst().getName().toString());
    }

    @Test
    void servesTheRootAndManyZones() throws Exception {
        MemoryZone[] zones = new MemoryZone[500];
        for (int i = 0; i < zones.length; i++) {
            zones[i] =
                    MemoryZone.of(
                            "z" + i + ".test.", Node.SOA + "@ 3600 NS ns\nns 3600 A 192.0.2.1\n");
        }
        Node many = new Node(zones);
        assertEquals(
                "NOERROR aa\nns.z321.test. 3600 A 192.0.2.1", many.ask("ns.z321.test", Type.A));
        assertEquals("REFUSED", many.ask("z500.test", Type.A));
        many.store.publish(MemoryZone.of(".", Node.SOA + "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\n"));
        assertEquals("NXDOMAIN aa\n? . 300 SOA", many.ask("z500.test", Type.A));
        assertEquals("NOERROR aa\nns1. 3600 A 192.0.2.1", many.ask("ns1", Type.A));
        assertEquals("NOERROR aa\n. 3600 NS ns1.\n+ ns1. 3600 A 192.0.2.1", many.ask(".", Type.NS));
        many.store.withdraw(Node.name("z321.test"));
        assertEquals("NXDOMAIN aa\n? . 300 SOA", many.ask("ns.z321.test", Type.A));
    }

    /// Signatures come with what they sign, to those who asked for them (RFC 3225 §3)
    @Test
    void sendsSignaturesOnlyToThoseWhoWantThem() {
        String signature = "13 3 3600 20360101000000 20260101000000 1 example.org. AAAA";
        Node signed =
                Node.serving(
                        "example.org.",
                        Node.SOA
                                + """
                                @ 3600 NS ns1
                                ns1 3600 A 192.0.2.1
                                ns1 3600 RRSIG A %s
                                @ 3600 RRSIG SOA %s
                                """
                                        .formatted(signature, signature));
        assertEquals(
                "NOERROR aa\nns1.example.org. 3600 A 192.0.2.1",
                signed.ask("ns1.example.org", Type.A));
        Message answer =
                signed.answer(
                        Node.edns(Node.query("ns1.example.org", Type.A), 1232, ExtendedFlags.DO));
        assertEquals(2, answer.getSection(Section.ANSWER).size());
        Message negative =
                signed.answer(
                        Node.edns(Node.query("x.example.org", Type.A), 1232, ExtendedFlags.DO));
        assertTrue(
                negative.getSection(Section.AUTHORITY).stream()
                        .allMatch(record -> record.getTTL() == 300));
        assertEquals(2, negative.getSection(Section.AUTHORITY).size());
        assertEquals(
                1,
                signed.answer(Node.query("ns1.example.org", Type.RRSIG))
                        .getSection(Section.ANSWER)
                        .size());
    }
}
