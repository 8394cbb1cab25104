package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.settings.BadSetting;

import java.nio.file.Path;
import java.util.Map;

class StorageSettingsTest {

    private static StorageSettings of(Map<String, ?> properties) {
        return StorageSettings.of(properties, Path.of("node"));
    }

    @Test
    void tellsAnEmptySeparatorFromNone() {
        assertEquals("+", of(Map.of()).subaddressSeparator());
        assertEquals("-", of(Map.of("subaddress-separator", "-")).subaddressSeparator());
        assertEquals("", of(Map.of("subaddress-separator", "")).subaddressSeparator());
        assertEquals("", of(Map.of("subaddress-separator", " ")).subaddressSeparator());
    }

    @Test
    void refusesASeparatorThatCannotBeOne() {
        for (String wrong : new String[] {"+-", "*", "@", "a", "\""}) {
            BadSetting bad =
                    assertThrows(BadSetting.class, () -> of(Map.of("subaddress-separator", wrong)));
            assertTrue(bad.getMessage().contains("subaddress-separator = "), bad.getMessage());
        }
    }
}
