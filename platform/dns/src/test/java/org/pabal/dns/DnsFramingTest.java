package org.pabal.dns;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;

class DnsFramingTest {

    @Test
    void readsWhatItWrites() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DnsFraming.write(out, new byte[] {1, 2, 3});
        DnsFraming.write(out, new byte[0xFFFF]);
        ByteArrayInputStream in = new ByteArrayInputStream(out.toByteArray());
        assertArrayEquals(new byte[] {1, 2, 3}, DnsFraming.read(in).orElseThrow());
        assertArrayEquals(new byte[0xFFFF], DnsFraming.read(in).orElseThrow());
        assertTrue(DnsFraming.read(in).isEmpty());
    }

    @Test
    void saysWhenTheStreamEndsInsideAMessage() {
        assertThrows(
                EOFException.class,
                () -> DnsFraming.read(new ByteArrayInputStream(new byte[] {0})));
        assertThrows(
                EOFException.class,
                () -> DnsFraming.read(new ByteArrayInputStream(new byte[] {0, 2, 7})));
    }

    @Test
    void refusesWhatTheLengthCannotSay() {
        assertThrows(
                IllegalArgumentException.class,
                () -> DnsFraming.write(new ByteArrayOutputStream(), new byte[0x10000]));
    }
}
