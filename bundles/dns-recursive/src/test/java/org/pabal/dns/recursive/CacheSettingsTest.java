package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;

import java.time.Duration;
import java.util.Map;

class CacheSettingsTest {

    @Test
    void anEmptyFileIsEnough() {
        CacheSettings settings = CacheSettings.defaults();
        assertTrue(settings.octets() <= 256_000_000 && settings.octets() >= 1_000_000);
        assertEquals(Duration.ZERO, settings.minTtl());
        assertEquals(Duration.ofDays(1), settings.maxTtl());
        assertEquals(Duration.ofHours(1), settings.maxNegativeTtl());
        assertEquals(Duration.ofDays(1), settings.staleLimit());
    }

    @Test
    void readsItsKeysAndNoOthers() {
        Settings settings =
                Settings.of(
                        Map.of(
                                "cache-size", "64 MB",
                                "cache-min-ttl", "5 s",
                                "cache-max-ttl", "2 h",
                                "cache-max-negative-ttl", "10 m",
                                "serve-stale-limit", "3 d"));
        assertEquals(
                new CacheSettings(
                        64_000_000,
                        Duration.ofSeconds(5),
                        Duration.ofHours(2),
                        Duration.ofMinutes(10),
                        Duration.ofDays(3)),
                CacheSettings.of(settings));
        settings.noOthers();
    }

    @Test
    void saysWhatIsWrong() {
        Map<String, String> wrong =
                Map.of(
                        "cache-size", "100 KB",
                        "cache-min-ttl", "2 h",
                        "cache-max-ttl", "0 s",
                        "cache-max-negative-ttl", "2 d",
                        "serve-stale-limit", "30 d");
        wrong.forEach(
                (key, value) ->
                        assertTrue(
                                assertThrows(
                                                BadSetting.class,
                                                () ->
                                                        CacheSettings.of(
                                                                Settings.of(Map.of(key, value))))
                                        .getMessage()
                                        .contains(key)));
    }
}
