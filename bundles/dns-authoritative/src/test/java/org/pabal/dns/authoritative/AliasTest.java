package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/// CNAME (RFC 1034 §3.6.2, RFC 6604) and DNAME (RFC 6672).
class AliasTest {

    private static final String FILE =
            """
            $TTL 3600
            @ SOA ns1 hostmaster 1 7200 3600 1209600 300
            @ NS ns1
            ns1 A 192.0.2.1
            www CNAME web
            web A 192.0.2.80
            far CNAME www.example.com.
            out CNAME www.elsewhere.test.
            broken CNAME nope
            cut CNAME x.sub
            sub NS ns.sub
            ns.sub A 192.0.2.11
            self CNAME self
            ping CNAME pong
            pong CNAME ping
            """;

    private static final String COM =
            """
            $TTL 3600
            @ SOA ns1 hostmaster 1 7200 3600 1209600 60
            @ NS ns1.example.org.
            www A 192.0.2.88
            back CNAME www.example.org.
            """;

    private final Node node = Node.serving("example.org.", FILE, "example.com.", COM);

    @Test
    void followsAnAliasThroughOurZones() {
        assertEquals(
                "NOERROR aa\n"
                        + "www.example.org. 3600 CNAME web.example.org.\n"
                        + "web.example.org. 3600 A 192.0.2.80",
                node.ask("www.example.org", Type.A));
        assertEquals(
                "NOERROR aa\n"
                        + "far.example.org. 3600 CNAME www.example.com.\n"
                        + "www.example.com. 3600 A 192.0.2.88",
                node.ask("far.example.org", Type.A));
        assertEquals(
                "NOERROR aa\n"
                        + "back.example.com. 3600 CNAME www.example.org.\n"
                        + "www.example.org. 3600 CNAME web.example.org.\n"
                        + "web.example.org. 3600 A 192.0.2.80",
                node.ask("back.example.com", Type.A));
        assertEquals(
                "NOERROR aa\nout.example.org. 3600 CNAME www.elsewhere.test.",
                node.ask("out.example.org", Type.A));
        assertEquals(
                "NOERROR aa\nwww.example.org. 3600 CNAME web.example.org.",
                node.ask("www.example.org", Type.CNAME));
        assertEquals(
                "NOERROR aa\nwww.example.org. 3600 CNAME web.example.org.",
                node.ask("www.example.org", Type.ANY));
    }

    /// RFC 6604 §3: the rcode is that of the last name; RFC 2308 §2: and so is the SOA
    @Test
    void endsWithWhatTheLastNameHas() {
        assertEquals(
                "NXDOMAIN aa\n"
                        + "broken.example.org. 3600 CNAME nope.example.org.\n"
                        + "? example.org. 300 SOA",
                node.ask("broken.example.org", Type.A));
        assertEquals(
                "NOERROR aa\nfar.example.org. 3600 CNAME www.example.com.\n? example.com. 60 SOA",
                node.ask("far.example.org", Type.TXT));
        // RFC 1035 §4.1.1: AA is for the first owner of the answer section
        assertEquals(
                "NOERROR aa\n"
                        + "cut.example.org. 3600 CNAME x.sub.example.org.\n"
                        + "? sub.example.org. 3600 NS ns.sub.example.org.\n"
                        + "+ ns.sub.example.org. 3600 A 192.0.2.11",
                node.ask("cut.example.org", Type.A));
    }

    /// Security row D24
    @Test
    void endsALoopWithWhatIsThere() {
        assertEquals(
                "NOERROR aa\nself.example.org. 3600 CNAME self.example.org.",
                node.ask("self.example.org", Type.A));
        assertEquals(
                "NOERROR aa\n"
                        + "ping.example.org. 3600 CNAME pong.example.org.\n"
                        + "pong.example.org. 3600 CNAME ping.example.org.",
                node.ask("ping.example.org", Type.A));
    }

    /// Security row D24: a chain of any length, and a DNAME that makes its own names longer
    @Test
    void boundsAChain() {
        StringBuilder file =
                new StringBuilder(Node.SOA + "@ 3600 NS ns1\ngrow 3600 DNAME a.grow\n");
        for (int i = 0; i < 100; i++) {
            file.append("c").append(i).append(" 3600 CNAME c").append(i + 1).append('\n');
        }
        Node chain = Node.serving("example.org.", file.toString());
        Message answer = chain.answer(Node.edns(Node.query("c0.example.org", Type.A), 1232, 0));
        assertEquals(ZoneLookup.MAX_LINKS + 1, answer.getSection(Section.ANSWER).size());
        Message growing =
                chain.answer(Node.edns(Node.query("x.grow.example.org", Type.A), 1232, 0));
        assertTrue(growing.getSection(Section.ANSWER).size() <= ZoneLookup.MAX_LINKS + 2);
        assertEquals(
                1,
                growing.getSection(Section.ANSWER).stream()
                        .filter(r -> r.getType() == Type.DNAME)
                        .count());
    }

    /// RFC 6672 §2.2, table 1. The owner's own name is not redirected.
    @ParameterizedTest
    @CsvSource({
        "com., example.com., example.net., none",
        "example.com., example.com., example.net., owner",
        "a.example.com., example.com., example.net., a.example.net.",
        "a.b.example.com., example.com., example.net., a.b.example.net.",
        "ab.example.com., b.example.com., example.net., none",
        "foo.example.com., example.com., example.net., foo.example.net.",
        "a.x.example.com., x.example.com., example.net., a.example.net.",
        "a.example.com., example.com., y.example.net., a.y.example.net.",
        "cyc.example.com., example.com., example.com., cyc.example.com.",
        "cyc.example.com., example.com., c.example.com., cyc.c.example.com.",
        "shortloop.x.x., x., ., shortloop.x.",
        "shortloop.x., x., ., shortloop.",
    })
    void substitutes(String question, String owner, String target, String result) {
        Node dname =
                Node.serving(
                        ".",
                        "@ 3600 SOA ns1.test. h.test. 1 2 3 4 300\n@ 3600 NS ns1.test.\n%s 3600 DNAME %s\n"
                                .formatted(owner, target));
        String answer = dname.ask(question, Type.TXT);
        String set = owner + " 3600 DNAME " + target;
        switch (result) {
            case "none" -> assertTrue(!answer.contains("DNAME"), answer);
            case "owner" -> assertEquals("NOERROR aa\n? . 300 SOA", answer);
            default ->
                    assertTrue(
                            answer.contains(
                                    " aa\n" + set + "\n" + question + " 3600 CNAME " + result),
                            answer);
        }
    }

    private static final String REDIRECTING =
            """
            $TTL 3600
            @ SOA ns1 hostmaster 1 7200 3600 1209600 300
            @ NS ns1
            ns1 A 192.0.2.1
            old DNAME new
            old TXT "beside"
            hidden.old A 192.0.2.66
            www.new A 192.0.2.80
            alias.new CNAME www.new
            frank DNAME frank.elsewhere.test.
            """;

    /// RFC 6672 §3.2
    @Test
    void redirectsWhatIsBelowADname() {
        Node dname = Node.serving("example.org.", REDIRECTING);
        String old = "NOERROR aa\nold.example.org. 3600 DNAME new.example.org.";
        assertEquals(
                old
                        + "\n"
                        + "www.old.example.org. 3600 CNAME www.new.example.org.\n"
                        + "www.new.example.org. 3600 A 192.0.2.80",
                dname.ask("www.old.example.org", Type.A));
        // who asks for the CNAME gets the one that the DNAME makes, and no more: as NSD, Knot DNS
        assertEquals(
                old + "\nalias.old.example.org. 3600 CNAME alias.new.example.org.",
                dname.ask("alias.old.example.org", Type.CNAME));
        assertEquals(old, dname.ask("old.example.org", Type.DNAME));
        assertEquals(
                "NOERROR aa\nold.example.org. 3600 TXT beside",
                dname.ask("old.example.org", Type.TXT));
        assertEquals("NOERROR aa\n? example.org. 300 SOA", dname.ask("old.example.org", Type.A));
        // §2.4: nothing may exist below a DNAME; if it does, it is not seen
        assertTrue(
                dname.ask("hidden.old.example.org", Type.A)
                        .startsWith("NXDOMAIN aa\nold.example.org. 3600 DNAME"));
        assertEquals(
                "NOERROR aa\nfrank.example.org. 3600 DNAME frank.elsewhere.test.\n"
                        + "a.b.frank.example.org. 3600 CNAME a.b.frank.elsewhere.test.",
                dname.ask("a.b.frank.example.org", Type.MX));
    }

    /// RFC 6672 §2.2 and §3.2 step 3c
    @Test
    void saysYxdomainWhenTheNewNameIsTooLong() throws NameTooLongException {
        String label = "a".repeat(60);
        Node dname =
                Node.serving(
                        "example.org.",
                        Node.SOA
                                + "@ 3600 NS ns1\nd 3600 DNAME %s.%s.elsewhere.test.\n"
                                        .formatted(label, label));
        Name name = Node.name(label + "." + label + "." + label + ".d.example.org.");
        String answer = dname.ask(name.toString(), Type.A);
        assertTrue(answer.startsWith("YXDOMAIN aa\nd.example.org. 3600 DNAME"), answer);
        assertEquals(2, answer.lines().count());
    }
}
