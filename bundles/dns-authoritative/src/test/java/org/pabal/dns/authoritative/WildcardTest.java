package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.Type;

/// RFC 4592: its own examples.
class WildcardTest {

    /// RFC 4592 §2.2.1
    private static final String EXAMPLE =
            """
            $ORIGIN example.
            $TTL 3600
            @                  SOA ns.example.com. hostmaster 1 7200 3600 1209600 300
            @                  NS  ns.example.com.
            @                  NS  ns.example.net.
            *                  TXT "this is a wildcard"
            *                  MX  10 host1.example.
            sub.*              TXT "this is not a wildcard"
            host1              A   192.0.2.1
            _ssh._tcp.host1    SRV 0 0 22 host1
            _ssh._tcp.host2    SRV 0 0 22 host2
            subdel             NS  ns.example.com.
            subdel             NS  ns.example.net.
            """;

    private static final String SOA = "\n? example. 300 SOA";

    private final Node node = Node.serving("example.", EXAMPLE);

    /// RFC 4592 §2.2.1, the first list
    @Test
    void answersFromTheWildcard() {
        assertEquals(
                "NOERROR aa\n"
                        + "host3.example. 3600 MX 10 host1.example.\n"
                        + "+ host1.example. 3600 A 192.0.2.1",
                node.ask("host3.example", Type.MX));
        assertEquals("NOERROR aa" + SOA, node.ask("host3.example", Type.A));
        assertEquals(
                "NOERROR aa\nfoo.bar.example. 3600 TXT \"this is a wildcard\"",
                node.ask("foo.bar.example", Type.TXT));
    }

    /// RFC 4592 §2.2.1, the second list
    @ParameterizedTest
    @CsvSource({
        "host1.example., MX, NOERROR", // because host1.example. exists
        "sub.*.example., MX, NOERROR", // because sub.*.example. exists
        "_telnet._tcp.host1.example., SRV, NXDOMAIN", // because _tcp.host1.example. exists, without
        // data
        "ghost.*.example., MX, NXDOMAIN", // because *.example. exists
    })
    void doesNotAnswerFromTheWildcardBelowWhatExists(String name, String type, String rcode) {
        assertEquals(rcode + " aa" + SOA, node.ask(name, Type.value(type)));
    }

    @Test
    void doesNotAnswerFromTheWildcardBelowACut() {
        assertEquals(
                "NOERROR\n"
                        + "? subdel.example. 3600 NS ns.example.com.\n"
                        + "? subdel.example. 3600 NS ns.example.net.",
                node.ask("host.subdel.example", Type.A));
    }

    /// RFC 4592 §3.3.1, the table of closest enclosers, asked for TXT
    @ParameterizedTest
    @CsvSource({
        "host3.example., *.example.",
        "_telnet._tcp.host1.example., none",
        "_dns._udp.host2.example., none",
        "_telnet._tcp.host3.example., *.example.",
        "_chat._udp.host3.example., *.example.",
        "foobar.*.example., none",
    })
    void findsTheSourceOfSynthesis(String name, String source) {
        assertEquals(
                source.equals("none")
                        ? "NXDOMAIN aa" + SOA
                        : "NOERROR aa\n" + name + " 3600 TXT \"this is a wildcard\"",
                node.ask(name, Type.TXT));
    }

    /// RFC 4592 §2.2.2 and §2.2.3: empty non-terminals exist
    @ParameterizedTest
    @CsvSource({"_tcp.host1.example.", "host2.example.", "_tcp.host2.example."})
    void saysNoDataAtAnEmptyNonTerminal(String name) {
        assertEquals("NOERROR aa" + SOA, node.ask(name, Type.TXT));
        assertEquals("NOERROR aa" + SOA, node.ask(name, Type.ANY));
    }

    /// RFC 4592 §2.1.1: an asterisk elsewhere, or in a longer label, is no wildcard; a question may
    /// be for the wildcard itself
    @Test
    void takesOnlyALoneFirstAsteriskForAWildcard() {
        assertEquals(
                "NOERROR aa\n*.example. 3600 TXT \"this is a wildcard\"",
                node.ask("*.example", Type.TXT));
        assertEquals(
                "NOERROR aa\nsub.*.example. 3600 TXT \"this is not a wildcard\"",
                node.ask("sub.*.example", Type.TXT));
        Node stars =
                Node.serving(
                        "example.",
                        Node.SOA
                                + "@ 3600 NS ns1\n"
                                + "ns1 3600 A 192.0.2.1\n"
                                + "** 3600 A 192.0.2.2\n"
                                + "a*.x 3600 A 192.0.2.3\n");
        assertEquals("NXDOMAIN aa" + SOA, stars.ask("b.example", Type.A));
        assertEquals("NXDOMAIN aa" + SOA, stars.ask("ab.x.example", Type.A));
    }

    /// RFC 4592 §4: record types at a wildcard
    @Test
    void knowsWhatTypesMeanAtAWildcard() {
        Node types =
                Node.serving(
                        "example.",
                        """
                        $TTL 3600
                        @ SOA ns1 hostmaster 1 7200 3600 1209600 300
                        @ NS ns1
                        ns1 A 192.0.2.1
                        *.cname CNAME target.example.
                        target A 192.0.2.7
                        *.loop CNAME x.loop.example.
                        *.srv SRV 0 0 22 ns1
                        *.dname DNAME elsewhere.test.
                        *.ns NS ns.elsewhere.test.
                        a.*.ent A 192.0.2.9
                        """);
        // §4.4.1 and §3.3.3: CNAME at a wildcard is followed
        assertEquals(
                "NOERROR aa\n"
                        + "a.cname.example. 3600 CNAME target.example.\n"
                        + "target.example. 3600 A 192.0.2.7",
                types.ask("a.cname.example", Type.A));
        assertEquals(
                "NOERROR aa\na.cname.example. 3600 CNAME target.example.\n? example. 300 SOA",
                types.ask("a.cname.example", Type.TXT));
        assertEquals(
                "NOERROR aa\na.cname.example. 3600 CNAME target.example.",
                types.ask("a.cname.example", Type.CNAME));
        // ... also into itself, once
        assertEquals(
                "NOERROR aa\n"
                        + "a.loop.example. 3600 CNAME x.loop.example.\n"
                        + "x.loop.example. 3600 CNAME x.loop.example.",
                types.ask("a.loop.example", Type.A));
        // §4.5: SRV
        assertEquals(
                "NOERROR aa\n"
                        + "_ssh._tcp.srv.example. 3600 SRV 0 0 22 ns1.example.\n"
                        + "+ ns1.example. 3600 A 192.0.2.1",
                types.ask("_ssh._tcp.srv.example", Type.SRV));
        // §4.4: a DNAME redirects below its owner, and x.dname is not below *.dname
        assertEquals("NOERROR aa\n? example. 300 SOA", types.ask("x.dname.example", Type.A));
        // §4.2: NS at a wildcard is undefined; we take it for a record like others
        assertEquals(
                "NOERROR aa\nx.ns.example. 3600 NS ns.elsewhere.test.",
                types.ask("x.ns.example", Type.NS));
        assertEquals("NOERROR aa\n? example. 300 SOA", types.ask("x.ns.example", Type.A));
        // §4.9: a wildcard that is an empty non-terminal is a source of synthesis without data
        assertEquals("NOERROR aa\n? example. 300 SOA", types.ask("x.ent.example", Type.A));
        assertEquals("NOERROR aa\n? example. 300 SOA", types.ask("*.ent.example", Type.A));
        assertEquals(
                "NOERROR aa\na.*.ent.example. 3600 A 192.0.2.9",
                types.ask("a.*.ent.example", Type.A));
    }
}
