package org.pabal.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.testkit.Fuzz;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;

/// S14, D14: what an allowed proxy may send, and what closes the connection.
class ProxyHeaderTest {

    private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";

    private static String read(byte[] octets) throws IOException {
        ByteArrayInputStream in = new ByteArrayInputStream(octets);
        String header =
                switch (ProxyHeader.read(in)) {
                    case ProxyHeader.Local() -> "local";
                    case ProxyHeader.Proxied(var client, var server) ->
                            Addresses.text(client) + " " + Addresses.text(server);
                };
        return header + " then " + new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    }

    private static String read(String text) throws IOException {
        return read(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String readHex(String hex) throws IOException {
        return read(HexFormat.of().parseHex(hex));
    }

    @Test
    void readsVersion1AndNothingAfterIt() throws IOException {
        assertEquals(
                "192.0.2.1:56324 192.0.2.2:443 then EHLO",
                read("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nEHLO"));
        assertEquals(
                "[2001:db8:0:0:0:0:0:1]:1 [0:0:0:0:0:0:0:1]:65535 then ",
                read("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"));
        assertEquals("local then x", read("PROXY UNKNOWN\r\nx"));
        assertEquals("local then x", read("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\nx"));
    }

    @Test
    void readsVersion2AndNothingAfterIt() throws IOException {
        assertEquals(
                "192.0.2.1:4096 192.0.2.2:25 then x",
                readHex(SIGNATURE + "2111000c" + "c0000201" + "c0000202" + "1000" + "0019" + "78"));
        assertEquals(
                "[2001:db8:0:0:0:0:0:1]:4096 [2001:db8:0:0:0:0:0:2]:25 then x",
                readHex(
                        SIGNATURE
                                + "21210024"
                                + "20010db8000000000000000000000001"
                                + "20010db8000000000000000000000002"
                                + "1000"
                                + "0019"
                                + "78"));
        assertEquals("local then x", readHex(SIGNATURE + "20000000" + "78"));
        assertEquals("local then x", readHex(SIGNATURE + "210000027777" + "78"));
        // with an addition (TLV) of 4 octets
        assertEquals(
                "192.0.2.1:4096 192.0.2.2:25 then x",
                readHex(
                        SIGNATURE
                                + "21110010"
                                + "c0000201"
                                + "c0000202"
                                + "1000"
                                + "0019"
                                + "04000141"
                                + "78"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "EHLO example.org\r\n",
                "PROXY\r\n",
                "PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n",
                "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 1\r\n",
                "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n",
                "PROXY  TCP4 192.0.2.1 192.0.2.2 56324 443\r\n",
                "PROXY TCP4 192.0.2 192.0.2.2 56324 443\r\n",
                "PROXY TCP4 192.0.2.256 192.0.2.2 56324 443\r\n",
                "PROXY TCP4 192.0.2.01 192.0.2.2 56324 443\r\n",
                "PROXY TCP4 ::1 192.0.2.2 56324 443\r\n",
                "PROXY TCP4 example.org 192.0.2.2 56324 443\r\n",
                "PROXY TCP6 ::1::1 ::1 56324 443\r\n",
                "PROXY TCP6 fe80::1%eth0 ::1 56324 443\r\n",
                "PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n",
                "PROXY TCP4 192.0.2.1 192.0.2.2 -1 443\r\n",
                "PROXY UDP4 192.0.2.1 192.0.2.2 1 443\r\n",
                "PROXY TCP4 192.0.2.1\u0000 192.0.2.2 1 443\r\n"
            })
    void refusesMalformedLines(String text) {
        assertThrows(ProtocolException.class, () -> read(text));
    }

    @Test
    void refusesALineWithoutAnEnd() {
        assertThrows(ProtocolException.class, () -> read("PROXY UNKNOWN " + "x".repeat(100_000)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0d0a0d0a000d0a515549540b" + "20000000", // another signature
                SIGNATURE + "10000000", // version 1 in the form of 2
                SIGNATURE + "22000000", // command 2
                SIGNATURE + "2112000c" + "c0000201c000020210000019", // UDP
                SIGNATURE + "2111000b" + "c0000201c0000202100000", // too short for its addresses
                SIGNATURE + "2111000c" + "c0000201c0000202", // ends early
                SIGNATURE + "2111ffff" // longer than anybody needs
            })
    void refusesMalformedBlocks(String hex) {
        assertThrows(ProtocolException.class, () -> readHex(hex));
    }

    @Test
    void neverThrowsAnythingButItsOwn() throws Exception {
        Fuzz.run(
                Path.of("src/test/resources/fuzz/proxy"),
                input -> {
                    try {
                        assertTrue(read(input).contains(" then "));
                    } catch (ProtocolException e) {
                        assertTrue(e.getMessage().contains("PROXY"), e.toString());
                    }
                });
    }
}
