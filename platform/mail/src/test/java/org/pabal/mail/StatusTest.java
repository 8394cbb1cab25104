package org.pabal.mail;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Instant;
import java.util.List;

class StatusTest {

    @ParameterizedTest
    @CsvSource({"a b, a b", "a\\nb, a b", "a\\rb, a b", "a\\r\\n\\nb, a b", "\\r, ' '", "'', ''"})
    void textIsOneLineWhateverWasSaid(String said, String text) {
        String translated = said.translateEscapes();
        Status status = new Status(550, "5.0.0", translated);
        assertEquals(text, status.text());
        Attempt attempt = new Attempt(Instant.EPOCH, translated, translated, List.of(), status);
        assertEquals(List.of(text, text), List.of(attempt.where(), attempt.tls()));
    }
}
