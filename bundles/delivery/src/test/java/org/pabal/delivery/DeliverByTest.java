package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.delivery.DeliverBy.Mode;
import org.pabal.mail.Status;
import org.pabal.smtp.client.Capabilities;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

class DeliverByTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    @Test
    void readsSecondsModeAndTrace() {
        assertEquals(
                Optional.of(new DeliverBy(NOON.plusSeconds(120), Mode.RETURN, false)),
                DeliverBy.parse("120;R", NOON));
        assertEquals(
                Optional.of(new DeliverBy(NOON.minusSeconds(7), Mode.NOTIFY, true)),
                DeliverBy.parse("-7;nt", NOON));
        assertEquals(DeliverBy.parse("5;N", NOON), DeliverBy.parse("+5;N", NOON));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "120", "120;", ";R", "120;X", "1234567890;R", "1;RTT", "1;R ", "٣;R"})
    void readsNothingElse(String value) {
        assertEquals(Optional.empty(), DeliverBy.parse(value, NOON));
    }

    @ParameterizedTest
    @CsvSource({"0, 120;R", "119, 1;R", "119.5, ''", "120, ''", "500, ''"})
    void saysWhatIsLeftUntilItMustGoBack(double after, String left) {
        DeliverBy by = DeliverBy.parse("120;R", NOON).orElseThrow();
        assertEquals(
                Optional.of(left).filter(text -> !text.isEmpty()),
                by.remaining(NOON.plusMillis((long) (after * 1_000))));
    }

    @ParameterizedTest
    @CsvSource({"0, 120;NT", "120, 0;NT", "130, -10;NT", "2000000000, -999999999;NT"})
    void saysByHowMuchItIsLateWhenItGoesOnAllTheSame(long after, String left) {
        DeliverBy by = DeliverBy.parse("120;NT", NOON).orElseThrow();
        assertEquals(Optional.of(left), by.remaining(NOON.plusSeconds(after)));
    }

    /// RFC 2852 §4.1.4
    @ParameterizedTest
    @CsvSource({
        "120;R, DELIVERBY, '', 0, ''",
        "120;R, DELIVERBY, '', 119.5, 0 s are left",
        "120;R, DELIVERBY, 60, 60, ''",
        "120;R, DELIVERBY, 60, 61, takes 60 s at least",
        "120;R, DSN, '', 0, cannot promise",
        "120;N, DSN, '', 0, ''",
        "120;N, DELIVERBY, 600, 130, ''"
    })
    void isHandedOnWithModeReturnOnlyToWhoKeepsIt(
            String value, String keyword, String parameter, double after, String refusal) {
        Optional<Status> why =
                DeliverBy.parse(value, NOON)
                        .orElseThrow()
                        .refusal(
                                new Capabilities(Map.of(keyword, parameter)),
                                "mx.example.org",
                                NOON.plusMillis((long) (after * 1_000)));
        assertEquals(refusal.isEmpty(), why.isEmpty(), why::toString);
        why.ifPresent(
                status -> {
                    assertEquals("5.4.7", status.enhanced());
                    assertTrue(status.text().contains(refusal), status::text);
                });
    }

    @Test
    void onlyModeReturnSendsBack() {
        Instant deadline = NOON.plusSeconds(1);
        assertTrue(DeliverBy.parse("1;R", NOON).orElseThrow().returned(deadline));
        assertFalse(DeliverBy.parse("1;R", NOON).orElseThrow().returned(NOON));
        assertFalse(DeliverBy.parse("1;N", NOON).orElseThrow().returned(deadline));
    }

    @Test
    void whatIsSaidOnwardCanBeReadAgainWhateverWasSaidToUs() {
        Random random = new Random(2852);
        String letters = "+-0123456789;;;NRTnrt \0";
        int read = 0;
        for (int i = 0; i < 50_000; i++) {
            StringBuilder value = new StringBuilder();
            int length = random.nextInt(7);
            for (int j = 0; j < length; j++) {
                value.append(letters.charAt(random.nextInt(letters.length())));
            }
            Optional<DeliverBy> by = DeliverBy.parse(value.toString(), NOON);
            if (by.isPresent()) {
                read++;
                by.get()
                        .remaining(NOON)
                        .ifPresent(left -> assertEquals(by, DeliverBy.parse(left, NOON)));
            }
        }
        assertTrue(read > 20, read + " could be read");
    }
}
