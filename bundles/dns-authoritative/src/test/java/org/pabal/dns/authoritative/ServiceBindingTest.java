package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.Type;

/// What goes beside SVCB and HTTPS records, RFC 9460 §4.1.
class ServiceBindingTest {

    private static final String ZONE =
            Node.SOA
                    + """
                    @ 3600 NS ns1
                    ns1 3600 A 192.0.2.1
                    own 3600 HTTPS 1 . alpn=h2
                    own 3600 A 192.0.2.2
                    own 3600 AAAA 2001:db8::2
                    other 3600 HTTPS 1 pool alpn=h3
                    other 3600 HTTPS 2 backup
                    pool 3600 A 192.0.2.3
                    pool 3600 HTTPS 1 .
                    backup 3600 AAAA 2001:db8::4
                    outside 3600 HTTPS 1 pool.example.com.
                    gone 3600 HTTPS 0 .
                    gone 3600 A 192.0.2.5
                    alias 3600 HTTPS 0 hop
                    hop 3600 HTTPS 0 own
                    loop 3600 HTTPS 0 pool2
                    pool2 3600 HTTPS 0 loop
                    pool2 3600 A 192.0.2.6
                    @ 3600 HTTPS 0 own
                    _8443._foo 3600 SVCB 1 own port=8443
                    *.wild 3600 HTTPS 1 .
                    *.wild 3600 A 192.0.2.7
                    *.wild2 3600 HTTPS 1 own
                    cut 3600 NS ns.cut
                    ns.cut 3600 A 192.0.2.8
                    below 3600 HTTPS 1 ns.cut
                    """;

    private final Node node = Node.serving("example.org.", ZONE);

    private String additional(String name, int type) {
        return node.ask(name + "example.org", type)
                .lines()
                .filter(line -> line.startsWith("+"))
                .map(line -> line.substring(2).replace(".example.org. 3600", ""))
                .reduce((one, next) -> one + "; " + next)
                .orElse("");
    }

    @ParameterizedTest
    @CsvSource({
        "own., own A 192.0.2.2; own AAAA 2001:db8:0:0:0:0:0:2",
        "other., backup AAAA 2001:db8:0:0:0:0:0:4; pool A 192.0.2.3",
        "outside., ''",
        "gone., ''",
        "alias., hop HTTPS 0 own.example.org.; own A 192.0.2.2; own AAAA 2001:db8:0:0:0:0:0:2;"
                + " own HTTPS 1 . alpn=h2",
        "'', own A 192.0.2.2; own AAAA 2001:db8:0:0:0:0:0:2; own HTTPS 1 . alpn=h2",
        "loop., pool2 A 192.0.2.6; pool2 HTTPS 0 loop.example.org.",
        "x.wild., ''",
        "x.wild2., own A 192.0.2.2; own AAAA 2001:db8:0:0:0:0:0:2",
        "below., ''"
    })
    void addsAddressesOfTargetsOfTheZone(String name, String expected) {
        assertEquals(expected, additional(name, Type.HTTPS));
    }

    @Test
    void doesTheSameForOtherServices() {
        assertEquals(
                "own A 192.0.2.2; own AAAA 2001:db8:0:0:0:0:0:2",
                additional("_8443._foo.", Type.SVCB));
    }
}
