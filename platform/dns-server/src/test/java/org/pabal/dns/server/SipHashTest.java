package org.pabal.dns.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.HexFormat;

/// The vectors of the authors: the key 00 01 .. 0f and messages 00 01 02 .. of growing length.
class SipHashTest {

    @ParameterizedTest
    @CsvSource({
        "0, 310e0edd47db6f72",
        "1, fd67dc93c539f874",
        "2, 5a4fa9d909806c0d",
        "3, 2d7efbd796666785",
        "7, 37d1018bf50002ab",
        "8, 6224939a79f5f593",
        "15, e545be4961ca29a1"
    })
    void isSipHash(int length, String expected) {
        byte[] message = new byte[length + 2];
        for (int i = 0; i < length; i++) {
            message[i + 1] = (byte) i;
        }
        long hash = SipHash.hash(0x0706050403020100L, 0x0f0e0d0c0b0a0908L, message, 1, length);
        assertEquals(expected, HexFormat.of().toHexDigits(Long.reverseBytes(hash)));
    }
}
