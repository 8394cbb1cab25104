package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.Type;

/// RFC 2308: the forms of negative answers, with its names. Of the forms that §2.1 and §2.2 list we
/// send the second, an SOA and no NS: it can be kept (§5) and taken for no referral (§2.1.1).
class NegativeAnswersTest {

    private static final String EXAMPLE =
            """
            $TTL 3600
            @ SOA ns1.xx. hostmaster.ns1.xx. 1 7200 3600 1209600 600
            @ NS ns1.xx.
            @ NS ns2.xx.
            an CNAME tripple.xx.
            deep CNAME an
            another A 192.0.2.1
            nothere CNAME another.xx.
            """;

    private static final String XX =
            """
            $TTL 3600
            @ SOA ns1.xx. hostmaster.ns1.xx. 1 7200 3600 1209600 120
            @ NS ns1.xx.
            @ NS ns2.xx.
            ns1 A 192.0.2.2
            ns2 A 192.0.2.3
            another TXT "no address"
            sub NS ns1
            """;

    private final Node node = Node.serving("example.", EXAMPLE, "xx.", XX);

    /// §2.1: the name that is not there is the last of the chain, and the SOA is its zone's.
    @Test
    void saysNoSuchNameOfTheEndOfAChain() {
        assertEquals(
                "NXDOMAIN aa\nan.example. 3600 CNAME tripple.xx.\n? xx. 120 SOA",
                node.ask("an.example.", Type.A));
        assertEquals(
                "NXDOMAIN aa\n"
                        + "deep.example. 3600 CNAME an.example.\n"
                        + "an.example. 3600 CNAME tripple.xx.\n"
                        + "? xx. 120 SOA",
                node.ask("deep.example.", Type.A));
        assertEquals("NXDOMAIN aa\n? example. 600 SOA", node.ask("tripple.example.", Type.A));
    }

    /// §2.2: no such record, with and without a chain.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "another.example. | AAAA | NOERROR aa/? example. 600 SOA",
                "another.xx.      | A    | NOERROR aa/? xx. 120 SOA",
                "nothere.example. | A    | NOERROR aa/nothere.example. 3600 CNAME"
                        + " another.xx./? xx. 120 SOA",
                "example.         | A    | NOERROR aa/? example. 600 SOA",
            })
    void saysNoSuchRecord(String name, String type, String expected) {
        assertEquals(expected.replace('/', '\n'), node.ask(name, Type.value(type)));
    }

    /// §2.1.1: only an answer without SOA and AA is a referral.
    @Test
    void refersWithoutSoa() {
        assertEquals(
                "NOERROR\n? sub.xx. 3600 NS ns1.xx.\n+ ns1.xx. 3600 A 192.0.2.2",
                node.ask("a.sub.xx.", Type.A));
    }

    /// §3: the lesser of the SOA's TTL and its MINIMUM; the SOA that was asked for keeps its own.
    @ParameterizedTest
    @CsvSource({"60, 3600, 60", "3600, 60, 60", "300, 300, 300", "0, 60, 0", "60, 0, 0"})
    void saysForHowLong(long ttl, long minimum, long expected) {
        Node zone =
                Node.serving(
                        "example.",
                        "@ %d SOA ns1.xx. h.xx. 1 2 3 4 %d\n@ 3600 NS ns1.xx.\n"
                                .formatted(ttl, minimum));
        assertEquals(
                "NXDOMAIN aa\n? example. " + expected + " SOA", zone.ask("a.example.", Type.A));
        assertEquals("NOERROR aa\n? example. " + expected + " SOA", zone.ask("example.", Type.A));
        assertEquals("NOERROR aa\nexample. " + ttl + " SOA", zone.ask("example.", Type.SOA));
    }

    /// RFC 6604 §3: the rcode is that of the last name; a name that is not ours says nothing.
    @Test
    void saysNoerrorWhenTheChainLeavesOurZones() {
        Node alone = Node.serving("example.", EXAMPLE);
        assertEquals(
                "NOERROR aa\nan.example. 3600 CNAME tripple.xx.", alone.ask("an.example.", Type.A));
    }
}
