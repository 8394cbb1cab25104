package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pabal.dns.server.Query;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/// Chains of CNAME and DNAME that go from one zone of ours to another and back.
class ChainTest {

    private static final String ORG =
            Node.SOA
                    + """
                    @ 3600 NS ns1
                    ns1 3600 A 192.0.2.1
                    web 3600 A 192.0.2.80
                    *.shop 3600 CNAME front.example.com.
                    *.gone 3600 CNAME nope.example.com.
                    moved 3600 DNAME new.example.com.
                    b0 3600 DNAME b1.example.com.
                    """;

    private static final String COM =
            """
            $TTL 3600
            @ SOA ns1.example.org. hostmaster 1 7200 3600 1209600 60
            @ NS ns1.example.org.
            front A 192.0.2.88
            *.wide CNAME web.example.org.
            back.new CNAME web.example.org.
            *.new CNAME x.shop.example.org.
            """;

    private final Node node = Node.serving("example.org.", ORG, "example.com.", COM);

    @AfterEach
    void stop() {
        node.close();
    }

    /// RFC 4592 §3.3.3 and RFC 1034 §4.3.2: the synthesised CNAME is followed into the next zone
    @Test
    void followsAWildcardIntoAnotherZone() {
        assertEquals(
                "NOERROR aa\n"
                        + "a.shop.example.org. 3600 CNAME front.example.com.\n"
                        + "front.example.com. 3600 A 192.0.2.88",
                node.ask("a.shop.example.org", Type.A));
        assertEquals(
                "NOERROR aa\n"
                        + "any.wide.example.com. 3600 CNAME web.example.org.\n"
                        + "web.example.org. 3600 A 192.0.2.80",
                node.ask("any.wide.example.com", Type.A));
        assertEquals(
                "NXDOMAIN aa\n"
                        + "a.gone.example.org. 3600 CNAME nope.example.com.\n"
                        + "? example.com. 60 SOA",
                node.ask("a.gone.example.org", Type.A));
        assertEquals(
                "NOERROR aa\n"
                        + "a.shop.example.org. 3600 CNAME front.example.com.\n"
                        + "? example.com. 60 SOA",
                node.ask("a.shop.example.org", Type.AAAA));
    }

    /// RFC 6672 §3.2
    @Test
    void followsADnameIntoAnotherZoneAndAnAliasBack() {
        assertEquals(
                "NOERROR aa\n"
                        + "moved.example.org. 3600 DNAME new.example.com.\n"
                        + "back.moved.example.org. 3600 CNAME back.new.example.com.\n"
                        + "back.new.example.com. 3600 CNAME web.example.org.\n"
                        + "web.example.org. 3600 A 192.0.2.80",
                node.ask("back.moved.example.org", Type.A));
        assertEquals(
                "NOERROR aa\n"
                        + "moved.example.org. 3600 DNAME new.example.com.\n"
                        + "y.moved.example.org. 3600 CNAME y.new.example.com.\n"
                        + "y.new.example.com. 3600 CNAME x.shop.example.org.\n"
                        + "x.shop.example.org. 3600 CNAME front.example.com.\n"
                        + "front.example.com. 3600 A 192.0.2.88",
                node.ask("y.moved.example.org", Type.A));
    }

    /// Security row D24: also when every link leads into the other zone
    @Test
    void boundsAChainThatGoesToAndFro() {
        StringBuilder org = new StringBuilder(Node.SOA + "@ 3600 NS ns1\n");
        StringBuilder com = new StringBuilder(Node.SOA + "@ 3600 NS ns1\n");
        for (int i = 0; i < 60; i += 2) {
            org.append("c%d 3600 CNAME c%d.example.com.\n".formatted(i, i + 1));
            com.append("c%d 3600 CNAME c%d.example.org.\n".formatted(i + 1, i + 2));
            org.append("d%d 3600 DNAME d%d.example.com.\n".formatted(i, i + 1));
            com.append("d%d 3600 DNAME d%d.example.org.\n".formatted(i + 1, i + 2));
        }
        try (Node two =
                Node.serving("example.org.", org.toString(), "example.com.", com.toString())) {
            assertEquals(ZoneLookup.MAX_LINKS + 1, answers(two, "c0.example.org"));
            assertEquals(2 * (ZoneLookup.MAX_LINKS + 1), answers(two, "x.d0.example.org"));
        }
    }

    /// Over a stream, where there is room for all of it.
    private static int answers(Node node, String name) {
        Query query = Query.read(Node.query(name, Type.A).toWire()).orElseThrow();
        Message answer =
                Node.parsed(
                        new Reply(1232)
                                .write(
                                        query,
                                        ZoneLookup.find(
                                                node.zones(), Node.name(name), Type.A, false),
                                        true));
        return answer.getSection(Section.ANSWER).size();
    }
}
