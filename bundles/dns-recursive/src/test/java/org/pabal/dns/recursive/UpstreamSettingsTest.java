package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

class UpstreamSettingsTest {

    @TempDir Path home;

    private UpstreamSettings read(Map<String, ?> values) {
        Settings settings = Settings.of(values);
        UpstreamSettings read = UpstreamSettings.of(settings, home);
        settings.noOthers();
        return read;
    }

    @Test
    void emptyFileHasDefaults() {
        assertEquals(UpstreamSettings.DEFAULTS, read(Map.of()));
        assertEquals(1232, UpstreamSettings.DEFAULTS.udpSize());
        assertTrue(UpstreamSettings.DEFAULTS.useCaps());
    }

    @Test
    void everyKeyIsRead() throws IOException {
        Files.copy(Path.of("src/test/resources/tls/resolver.pem"), home.resolve("ca.pem"));
        UpstreamSettings read =
                read(
                        Map.of(
                                "use-caps",
                                "no",
                                "udp-size",
                                "512",
                                "ipv6",
                                "No",
                                "max-outgoing",
                                "100",
                                "tls-certificates",
                                "ca.pem"));
        assertEquals(
                new UpstreamSettings(
                        false, 512, UpstreamSettings.Ipv6.NO, 100, read.tlsCertificates()),
                read);
        assertEquals(1, read.tlsCertificates().size());
    }

    @Test
    void badValuesAreNamed() throws IOException {
        Files.writeString(home.resolve("empty.pem"), "");
        for (String[] bad :
                new String[][] {
                    {"ipv6", "maybe"},
                    {"udp-size", "9000"},
                    {"max-outgoing", "0"},
                    {"tls-certificates", "missing.pem"},
                    {"tls-certificates", "empty.pem"}
                }) {
            BadSetting thrown = assertThrows(BadSetting.class, () -> read(Map.of(bad[0], bad[1])));
            assertTrue(thrown.getMessage().contains(bad[0] + " = " + bad[1]), thrown.getMessage());
        }
    }
}
