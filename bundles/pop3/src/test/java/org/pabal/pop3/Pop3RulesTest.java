package org.pabal.pop3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

class Pop3RulesTest {

    @Test
    void workWithAnEmptyFile() {
        assertEquals(
                new Pop3Rules(
                        "mx.example.test",
                        Optional.empty(),
                        Duration.ZERO,
                        Duration.ofMinutes(10),
                        Duration.ofMinutes(1),
                        20),
                rules(Map.of()));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0 d, 0", "1 d, 1", "24 h, 1", "365 d, 365"})
    void takeWholeDaysToExpire(String value, int days) {
        Pop3Rules rules = rules(Map.of("expire", value));
        assertEquals(Optional.of(Duration.ofDays(days)), rules.expire());
        assertEquals(days == 0, rules.removesRetrieved());
    }

    @Test
    void keepForEverWhenNeverIsSaid() {
        assertTrue(rules(Map.of("expire", "Never")).expire().isEmpty());
        assertFalse(rules(Map.of("expire", "Never")).removesRetrieved());
    }

    @ParameterizedTest
    @CsvSource({
        "expire, 1 h",
        "expire, 36 h",
        "expire, soon",
        "expire, 7",
        "login-delay, 10 ms",
        "login-delay, 2 d",
        "patience, 5 m",
        "sign-in-patience, 1 s",
        "max-failed-commands, 0",
        "expires, 1 d"
    })
    void refuseWhatCannotBe(String key, String value) {
        BadSetting bad = assertThrows(BadSetting.class, () -> rules(Map.of(key, value)));
        assertTrue(bad.getMessage().startsWith("org.pabal.pop3.cfg: " + key), bad.getMessage());
    }

    private static Pop3Rules rules(Map<String, String> settings) {
        Map<String, Object> all = new java.util.HashMap<>(settings);
        all.put("service.pid", "org.pabal.pop3");
        return Pop3Rules.of(Settings.of(all), "mx.example.test");
    }
}
