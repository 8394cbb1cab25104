package org.pabal.dns.authoritative;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.testkit.Fuzz;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/// Whatever comes in a datagram: an answer with the same id that can be read and is not too long,
/// or none; and both paths say the same. Security rows D15, D16, D17, D24, D25.
class QueryFuzzTest {

    private static final String FILE =
            Node.SOA
                    + """
                    @ 3600 NS ns1
                    @ 3600 MX 10 mail
                    ns1 3600 A 192.0.2.1
                    mail 3600 A 192.0.2.2
                    www 3600 AAAA 2001:db8::80
                    signed 3600 A 192.0.2.3
                    signed 3600 RRSIG A 13 3 3600 20360101000000 20260101000000 1 example.org. AAAA
                    signed 3600 NSEC @ A RRSIG NSEC
                    @ 3600 NSEC signed NS SOA MX RRSIG NSEC
                    @ 3600 RRSIG SOA 13 2 3600 20360101000000 20260101000000 1 example.org. AAAA
                    *.wild 3600 TXT "wild"
                    sub 3600 NS ns.sub
                    sub 3600 DS 1 13 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF
                    ns.sub 3600 A 192.0.2.4
                    alias 3600 CNAME www
                    loop 3600 CNAME loop
                    old 3600 DNAME wild
                    long 3600 DNAME %1$s.%1$s.example.com.
                    many 3600 A 192.0.2.5
                    many 3600 A 192.0.2.6
                    big 3600 TXT "%2$s"
                    big 3600 TXT "a%2$s"
                    big 3600 TXT "b%2$s"
                    """
                            .formatted("l".repeat(60), "t".repeat(200));

    @Test
    void answersOrIgnoresWhateverComes() throws Exception {
        Node node = Node.serving("example.org.", FILE);
        node.server.bindTsigKey(SignedRequestTest.key("key.example.org", "hmac-sha256"));
        Fuzz.run(
                Path.of("src/test/resources/fuzz/queries"),
                input -> {
                    Optional<byte[]> octets = node.octets(input);
                    boolean deserves = input.length >= 12 && (input[2] & 0x80) == 0;
                    assertEquals(deserves, octets.isPresent());
                    if (deserves) {
                        byte[] answer = octets.get();
                        assertTrue(answer.length <= 1232);
                        assertTrue(
                                answer[0] == input[0]
                                        && answer[1] == input[1]
                                        && (answer[2] & 0x80) != 0);
                        boolean plain = (input[10] | input[11]) == 0;
                        assertTrue(answer.length <= (plain ? 512 : 1232), "without EDNS");
                        assertEquals(input[2] & 0x78, answer[2] & 0x78, "the opcode");
                        Message message = Node.parsed(answer);
                        assertNotEquals(Rcode.SERVFAIL, message.getRcode());
                        assertTrue(message.getSection(Section.QUESTION).size() <= 1);
                        assertArrayEquals(
                                answer, Arrays.copyOf(answer, message.numBytes()), "all of it");
                    }
                });
        node.close();
    }
}
