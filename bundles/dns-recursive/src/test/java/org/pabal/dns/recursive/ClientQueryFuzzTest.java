package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dns.recursive.ServedClients.alias;
import static org.pabal.dns.recursive.ServedClients.finding;
import static org.pabal.dns.recursive.ServedClients.found;
import static org.pabal.dns.recursive.ServedClients.signature;

import org.junit.jupiter.api.Test;
import org.pabal.testkit.Fuzz;
import org.pabal.testkit.TestDatagram;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/// Whatever comes in a datagram: an answer with the same id that can be read and is not too long,
/// or none. Security rows D15, D16, D25.
class ClientQueryFuzzTest {

    @Test
    void answersOrIgnoresWhateverComes() throws Exception {
        try (ServedClients clients =
                new ServedClients("nsid", "r1", "version", "x", "identity", "y")) {
            clients.recursor.knows(
                    found(
                            Security.SECURE,
                            "ns1.example.org 300 A 192.0.2.1",
                            "ns1.example.org 300 A 192.0.2.2",
                            signature("ns1.example.org", "A")));
            clients.cache.keep(found(Security.INSECURE, "example.org 3600 MX 10 ns1.example.org."));
            clients.cache.keep(
                    alias(Type.A, Security.SECURE, "alias.example.org 3600 CNAME example.org."));
            clients.cache.keep(
                    finding(
                            new Question(ServedClients.name("nope.example.org"), Type.A),
                            Finding.Kind.NO_NAME,
                            Security.SECURE,
                            ServedClients.SOA));
            Fuzz.run(
                    Path.of("src/test/resources/fuzz/client-queries"),
                    input -> {
                        boolean deserves = input.length >= 12 && (input[2] & 0x80) == 0;
                        TestDatagram datagram = clients.send("127.0.0.1", input);
                        Optional<byte[]> octets =
                                deserves ? datagram.sent(ServedClients.PATIENCE) : datagram.sent();
                        assertEquals(deserves, octets.isPresent());
                        if (deserves) {
                            check(input, octets.get());
                        }
                    });
        }
    }

    private static void check(byte[] input, byte[] answer) {
        assertTrue(answer.length <= 1232);
        assertTrue(answer[0] == input[0] && answer[1] == input[1] && (answer[2] & 0x80) != 0, "id");
        boolean plain = (input[10] | input[11]) == 0;
        assertTrue(answer.length <= (plain ? 512 : 1232), "without EDNS");
        assertEquals(input[2] & 0x79, answer[2] & 0x79, "the opcode and RD");
        assertEquals(input[3] & 0x10, answer[3] & 0x10, "CD");
        Message message = ServedClients.parsed(answer);
        assertFalse(message.getHeader().getFlag(Flags.AA));
        assertTrue(message.getHeader().getFlag(Flags.RA));
        assertTrue(message.getSection(Section.QUESTION).size() <= 1);
        assertArrayEquals(answer, Arrays.copyOf(answer, message.numBytes()), "all of it");
    }
}
