package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.Type;

/// RFC 6672 where zones, cuts and wildcards meet a DNAME.
class DnameTest {

    private static final String ORG =
            """
            $TTL 3600
            @ SOA ns1.example.net. hostmaster 7 7200 3600 1209600 300
            @ NS ns1.example.net.
            @ DNAME example.com.
            @ TXT "apex"
            """;

    private static final String COM =
            """
            $TTL 1800
            @ SOA ns1.example.net. hostmaster 7 7200 3600 1209600 300
            @ NS ns1.example.net.
            www A 192.0.2.80
            alias CNAME www
            sub NS ns.sub
            ns.sub A 192.0.2.53
            back DNAME example.org.
            *.wild DNAME sub
            *.any TXT "any"
            to-any DNAME any
            """;

    private final Node node = Node.serving("example.org.", ORG, "example.com.", COM);

    private static final String APEX = "example.org. 3600 DNAME example.com.";

    /// §2.3: the apex is not redirected, all below it is; §3.1: the CNAME has the DNAME's TTL
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "example.org.       | TXT   | NOERROR aa/example.org. 3600 TXT apex",
                "example.org.       | A     | NOERROR aa/? example.org. 300 SOA",
                "example.org.       | DNAME | NOERROR aa/D",
                "www.example.org.   | A     | NOERROR aa/D/www.example.org. 3600 CNAME"
                        + " www.example.com./www.example.com. 1800 A 192.0.2.80",
                "alias.example.org. | A     | NOERROR aa/D/alias.example.org. 3600 CNAME"
                        + " alias.example.com./alias.example.com. 1800 CNAME"
                        + " www.example.com./www.example.com. 1800 A 192.0.2.80",
                "www.example.org.   | CNAME | NOERROR aa/D/www.example.org. 3600 CNAME"
                        + " www.example.com.",
                "www.example.org.   | DNAME | NOERROR aa/D/www.example.org. 3600 CNAME"
                        + " www.example.com./? example.com. 300 SOA",
                "nope.example.org.  | A     | NXDOMAIN aa/D/nope.example.org. 3600 CNAME"
                        + " nope.example.com./? example.com. 300 SOA",
                "x.sub.example.org. | A     | NOERROR aa/D/x.sub.example.org. 3600 CNAME"
                        + " x.sub.example.com./? sub.example.com. 1800 NS"
                        + " ns.sub.example.com./+ ns.sub.example.com. 1800 A 192.0.2.53",
            })
    void redirectsAWholeZone(String name, String type, String expected) {
        assertEquals(
                expected.replace("/D", "/" + APEX).replace('/', '\n'),
                node.ask(name, Type.value(type)));
    }

    /// §2.3, and RFC 4592 §4.4: the asterisk is a label like others for what is below; a name that
    /// a wildcard speaks for is not below it
    @Test
    void takesADnameAtAWildcardForARecord() {
        assertEquals(
                "NOERROR aa\n" + "x.wild.example.com. 1800 DNAME sub.example.com.",
                node.ask("x.wild.example.com.", Type.DNAME));
        assertEquals("NOERROR aa\n? example.com. 300 SOA", node.ask("x.wild.example.com.", Type.A));
        assertEquals(
                "NOERROR aa\n? example.com. 300 SOA", node.ask("y.x.wild.example.com.", Type.A));
        String below = node.ask("y.*.wild.example.com.", Type.A);
        assertTrue(
                below.startsWith(
                        "NOERROR aa\n"
                                + "*.wild.example.com. 1800 DNAME sub.example.com.\n"
                                + "y.*.wild.example.com. 1800 CNAME y.sub.example.com.\n"
                                + "? sub.example.com. 1800 NS"),
                below);
    }

    /// §3.2: the search goes on at the new name, wildcards included
    @Test
    void findsAWildcardAtTheNewName() {
        assertEquals(
                "NOERROR aa\n"
                        + "to-any.example.com. 1800 DNAME any.example.com.\n"
                        + "q.to-any.example.com. 1800 CNAME q.any.example.com.\n"
                        + "q.any.example.com. 1800 TXT any",
                node.ask("q.to-any.example.com.", Type.TXT));
    }

    /// §2.2 and security row D24: two zones that point to each other end after a bounded chain
    @Test
    void endsARoundTrip() {
        String answer = node.ask("back.back.back.example.com.", Type.A);
        assertTrue(answer.lines().count() <= 2 * ZoneLookup.MAX_LINKS + 2, answer);
        assertTrue(answer.startsWith("NOERROR aa\n") || answer.startsWith("NXDOMAIN aa\n"), answer);
    }
}
