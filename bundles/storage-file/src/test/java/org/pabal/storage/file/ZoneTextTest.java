package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.dns.PackedZone;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;

import java.util.List;

class ZoneTextTest {

    private static final Name ORIGIN = Name.fromConstantString("example.org.");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = true,
            textBlock =
                    """
                    w 5 A 192.0.2.1;www 5 A 192.0.2.300;x 5 A 192.0.2.1 | 2: www 5 A 192.0.2.300: Invalid address: 192.0.2.300
                    w 5 A 192.0.2.1;www 5 A;x 5 A 192.0.2.1             | 2: www 5 A: expected an address
                    w 5 A (192.0.2.1 ; ) ;  x 5 A 192.0.2.1             | 3: ) ;: unexpected
                    www 5 IN TYPE1 \\# 3 010203;x 5 A 192.0.2.1         | 1: www 5 IN TYPE1 \\# 3 010203: end of input
                    www 5 IN AA x                                       | 1: www 5 IN AA x: Invalid type 'AA'
                    x 5 A 192.0.2.1;www 5 IN TXT "abc;x 5 A 192.0.2.1   | 2: www 5 IN TXT "abc: newline in quoted string
                    $INCLUDE /etc/passwd                                | 1: $INCLUDE /etc/passwd: $INCLUDE is only for files in the directory of the zones
                    www IN A 192.0.2.1                                  | 1: www IN A 192.0.2.1: missing TTL
                    a..b 5 A 192.0.2.1                                  | 1: a..b 5 A 192.0.2.1: 'a..b': invalid empty label
                    """)
    void tellsTheLineAndWhatWasExpected(String text, String said) {
        String message =
                assertThrows(IllegalArgumentException.class, () -> read(text.replace(";", "\n")))
                        .getMessage();
        if (!text.contains("(")) {
            assertTrue(message.startsWith("example.org.zone:" + said), message);
        }
        assertTrue(
                text.startsWith("$INCLUDE")
                        || message.endsWith(
                                "; expected NAME TTL TYPE DATA, for example www 3600 A 192.0.2.1"),
                message);
    }

    @Test
    void readsWhatMasterFilesMaySay() {
        List<Record> records =
                read(
                        """
                        $TTL 1h
                        $ORIGIN sub.example.org.
                        a 60 A 192.0.2.1 ; a remark
                          AAAA 2001:db8::1
                        b IN MX ( 10
                           a )
                        $GENERATE 1-3/2 h$ A 192.0.2.$
                        """);
        assertEquals(
                List.of("a.sub 60", "a.sub 3600", "b.sub 3600", "h1.sub 3600", "h3.sub 3600"),
                records.stream()
                        .map(r -> r.getName().relativize(ORIGIN) + " " + r.getTTL())
                        .toList(),
                records.toString());
    }

    @Test
    void makesNoMoreRecordsThanItsLimit() {
        // One line of 40 octets must not fill the memory.
        byte[] text = "$GENERATE 1-4000000000 a$ 60 A 192.0.2.1\n".getBytes(ISO_8859_1);
        assertThrows(IllegalArgumentException.class, () -> ZoneText.read(ORIGIN, text, "x", 1_000));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            textBlock =
                    """
                    a 60 IN TXT "three \\"quoted\\"; words" "\\000\\255"
                    \\@\\$a\\.b\\000 60 IN A 192.0.2.1
                    a 60 IN TYPE65534 \\# 3 010203
                    a 60 IN CAA 0 issue "ca.example.net"
                    a 60 IN SVCB 1 . alpn="h2,h3" ipv4hint="192.0.2.1"
                    a 60 IN HTTPS 0 b.example.org.
                    a 60 IN TLSA 3 1 1 00FF
                    a 60 IN SSHFP 1 1 00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF
                    a 60 IN NAPTR 1 2 "S" "SIP+D2U" "!^.*$!x!" b.example.org.
                    a 60 IN LOC 51 30 12.748 N 0 7 39.611 W 0.00m 0.00m 0.00m 0.00m
                    a 60 IN APL 1:192.0.2.0/24 !2:2001:db8::/32
                    a 60 IN URI 10 1 "https://example.org/"
                    a 60 IN DNSKEY 257 3 13 AAAA
                    a 60 IN NSEC3PARAM 1 0 0 -
                    a 60 IN HINFO "x y" "z"
                    """)
    void writesWhatItReads(String line) {
        // D17: round-trip equality of the text of every type
        String apex = "@ 60 IN SOA ns1 h 7 7200 900 1209600 300\n@ 60 IN NS ns1\n";
        PackedZone zone = new PackedZone(ORIGIN, read(apex + line + "\n"));
        List<Record> again = ZoneText.read(ORIGIN, ZoneText.write(zone), "again");
        List<Record> before = zone.all().flatMap(set -> set.rrs(false).stream()).toList();
        assertEquals(before.size(), again.size());
        assertTrue(again.containsAll(before), () -> again + " for " + before);
    }

    private static List<Record> read(String text) {
        return ZoneText.read(ORIGIN, text.getBytes(ISO_8859_1), "example.org.zone");
    }
}
