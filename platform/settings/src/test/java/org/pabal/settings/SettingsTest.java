package org.pabal.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;
import java.util.Map;

class SettingsTest {

    @Test
    void readsValuesWithTheirUnits() {
        Settings settings =
                of(
                        Map.of(
                                "size", "50 MB", "time", "500ms", "on", "yes", "list", "a, b,,c",
                                "n", "7"));
        assertEquals(50_000_000, settings.octets("size", 1));
        assertEquals(Duration.ofMillis(500), settings.duration("time", Duration.ZERO));
        assertTrue(settings.flag("on", false));
        assertEquals(List.of("a", "b", "c"), settings.list("list"));
        assertEquals(7, settings.number("n", 1, 0, 10));
        settings.noOthers();
    }

    @Test
    void fallsBackWhenAKeyIsAbsentOrEmpty() {
        Settings settings = of(Map.of("time", ""));
        assertEquals(Duration.ofMinutes(5), settings.duration("time", Duration.ofMinutes(5)));
        assertEquals(
                "starttls", settings.choice("tls", "starttls", "none", "starttls", "implicit"));
    }

    @Test
    void namesFileKeyValueExpectationAndExample() {
        assertMessage(
                "org.pabal.smtp.cfg: max-size = huge: expected a size in octets, for example"
                        + " max-size = 50 MB",
                () -> of(Map.of("max-size", "huge")).octets("max-size", 1));
        assertMessage(
                "org.pabal.smtp.cfg: sessions = 0: expected a whole number from 1 to 9, for example"
                        + " sessions = 5",
                () -> of(Map.of("sessions", "0")).number("sessions", 5, 1, 9));
        assertMessage(
                "org.pabal.smtp.cfg: host is missing: expected for example host = mx.example.org",
                () -> of(Map.of()).required("host", "mx.example.org"));
        assertThrows(
                BadSetting.class,
                () -> of(Map.of("t", "999999999999999 d")).duration("t", Duration.ZERO));
    }

    @Test
    void refusesKeysThatNobodyAskedFor() {
        Settings settings = of(Map.of("maxsize", "1"));
        settings.octets("max-size", 1);
        assertMessage(
                "org.pabal.smtp.cfg: maxsize: no such setting; expected one of max-size, for"
                        + " example max-size instead of maxsize",
                settings::noOthers);
    }

    @Test
    void knowsTheNameOfAFactoryConfiguration() {
        assertEquals(
                "pop3s", Settings.of(Map.of("service.pid", "org.pabal.listener~pop3s")).instance());
        assertEquals("", of(Map.of()).instance());
    }

    private static Settings of(Map<String, String> values) {
        Map<String, Object> properties = new java.util.HashMap<>(values);
        properties.put("service.pid", "org.pabal.smtp");
        properties.put("felix.fileinstall.filename", "file:/x");
        return Settings.of(properties);
    }

    private static void assertMessage(
            String expected, org.junit.jupiter.api.function.Executable action) {
        assertEquals(expected, assertThrows(BadSetting.class, action).getMessage());
    }
}
