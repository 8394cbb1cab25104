package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

class RootHintsTest {

    @Test
    void theRootOfTheInternetHasThirteenServersWithTwoAddressesEach() {
        RootHints hints = RootHints.builtIn();
        assertEquals(13, hints.root().ns().size());
        assertEquals(26, hints.root().glue().size());
        assertTrue(hints.has(InetAddress.ofLiteral("198.41.0.4")));
        assertTrue(hints.has(InetAddress.ofLiteral("2001:500:2f::f")));
        assertFalse(hints.has(InetAddress.ofLiteral("192.0.2.1")));
    }

    @Test
    void aFileNamesOthers(@TempDir Path home) throws Exception {
        Files.writeString(
                home.resolve("hints"), ". 3600000 IN NS r.test.\nr.test. 3600000 IN A 127.0.0.2\n");
        RootHints hints = WalkSettings.hints(Settings.of(Map.of("root-hints", "hints")), home);
        assertTrue(hints.has(InetAddress.ofLiteral("127.0.0.2")));
    }

    @Test
    void aFileWithoutAServerIsRefusedByItsKey(@TempDir Path home) throws Exception {
        Files.writeString(home.resolve("hints"), ". 3600000 IN NS r.test.\n");
        BadSetting bad =
                assertThrows(
                        BadSetting.class,
                        () -> WalkSettings.hints(Settings.of(Map.of("root-hints", "hints")), home));
        assertTrue(bad.getMessage().contains("root-hints = hints"), bad.getMessage());
    }

    @Test
    void settingsHaveDefaultsThatWork() {
        WalkSettings settings = WalkSettings.of(Settings.of(Map.of()));
        assertTrue(settings.qnameMinimisation());
        assertFalse(settings.privateUpstreams());
        assertTrue(settings.serveStale());
        assertEquals(53, settings.port());
    }
}
