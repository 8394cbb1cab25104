package org.pabal.mail;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class EnvelopeTest {

    private static final MailAddress BOB = new MailAddress("bob", "example.org");

    @ParameterizedTest
    @CsvSource({"0, 0", "9, 9", "-9, -9", "3, 3", "-0, 0"})
    void priorityIsWhatTheSenderSaid(String said, int priority) {
        assertEquals(priority, with("MT-PRIORITY", said).priority());
    }

    @ParameterizedTest
    @ValueSource(strings = {"10", "-10", "+1", "", "high", "1.5", "--1", " 1", "٣"})
    void priorityThatIsNoneIsOrdinary(String said) {
        assertEquals(0, with("MT-PRIORITY", said).priority());
    }

    @Test
    void ordinaryIsThePriorityOfMailThatSaysNothing() {
        assertEquals(0, new Envelope(Optional.empty(), List.of()).priority());
    }

    @ParameterizedTest
    @CsvSource({
        "2026-11-22T12:00:00Z, 2026-11-22T12:00:00Z",
        "2026-11-22T12:00:00+09:00, 2026-11-22T03:00:00Z",
        "2026-11-22T12:00:00.5-01:30, 2026-11-22T13:30:00.5Z"
    })
    void holdUntilIsAMomentWhateverTheZone(String said, Instant until) {
        assertEquals(Optional.of(until), with("HOLDUNTIL", said).holdUntil());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "tomorrow", "2026-11-22", "2026-11-22T12:00:00", "99999999999"})
    void holdUntilThatIsNoMomentHoldsNothing(String said) {
        assertEquals(Optional.empty(), with("HOLDUNTIL", said).holdUntil());
    }

    @Test
    void othersGetTheSameUnderTheSameParameters() {
        Envelope urgent = with("MT-PRIORITY", "5");
        Recipient carol = new Recipient(new MailAddress("carol", "example.org"));
        Envelope others = urgent.with(List.of(carol));
        assertEquals(List.of(carol.address()), others.addresses());
        assertEquals(5, others.priority());
        assertEquals(Optional.empty(), urgent.holdUntil());
        assertFalse(urgent.requiresTls());
        assertTrue(with("REQUIRETLS", "").requiresTls());
    }

    private static Envelope with(String keyword, String value) {
        return new Envelope(Optional.empty(), Map.of(keyword, value), List.of(new Recipient(BOB)));
    }
}
