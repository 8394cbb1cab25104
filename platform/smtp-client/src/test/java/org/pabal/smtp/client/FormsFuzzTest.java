package org.pabal.smtp.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.smtp.client.Forms.BINARY;
import static org.pabal.smtp.client.Forms.EIGHT;
import static org.pabal.smtp.client.Forms.OLD;
import static org.pabal.smtp.client.Forms.UTF8;
import static org.pabal.smtp.client.Forms.dotted;
import static org.pabal.smtp.client.Forms.envelope;
import static org.pabal.smtp.client.Forms.naive;
import static org.pabal.smtp.client.Forms.naivelyDotted;
import static org.pabal.smtp.client.Forms.plain;
import static org.pabal.smtp.client.Forms.text;

import org.junit.jupiter.api.Test;
import org.pabal.mail.Envelope;
import org.pabal.smtp.client.OutgoingMessage.Choice;
import org.pabal.testkit.Fuzz;
import org.pabal.testkit.MemoryContent;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// Whatever stands in the queue, what leaves is clean.
class FormsFuzzTest {

    private static final List<Envelope> ENVELOPES =
            List.of(envelope(), envelope("BODY=BINARYMIME"), envelope("SMTPUTF8"));

    @Test
    void whatLeavesIsClean() throws Exception {
        Fuzz.run(
                Path.of("src/test/resources/fuzz/forms"),
                input -> {
                    for (Envelope envelope : ENVELOPES) {
                        for (Capabilities they : List.of(OLD, EIGHT, BINARY, UTF8)) {
                            Choice choice =
                                    OutgoingMessage.prepare(
                                            new MemoryContent(input), envelope, they);
                            if (choice instanceof Choice.Ready(OutgoingMessage message)) {
                                clean(message, they, text(input));
                            }
                        }
                    }
                });
    }

    private static void clean(OutgoingMessage message, Capabilities they, String input)
            throws IOException {
        String plain = plain(message);
        if (message.body().equals("BINARYMIME")) {
            assertTrue(they.binary());
            assertEquals(input, plain);
            return;
        }
        assertEquals(naive(plain), plain);
        assertEquals(naivelyDotted(plain), dotted(message));
        assertFalse(plain.contains("\0"));
        boolean high = plain.chars().anyMatch(c -> c > 127);
        assertTrue(they.eightBit() || !high);
        String body = high ? "8BITMIME" : "7BIT";
        assertEquals(they.eightBit() ? body : "", message.body());
        assertTrue(they.utf8() || !message.utf8());
        // once is enough: what is converted needs no conversion, and says what it said
        if (!plain.equals(naive(input)) && !they.eightBit()) {
            assertEquals(plain, Forms.plain(plain, they));
        }
    }
}
