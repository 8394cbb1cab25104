package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.dns.ZoneFreshness;
import org.pabal.testkit.ZoneFreshnessContract;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

class FileZoneFreshnessTest implements ZoneFreshnessContract {

    @TempDir Path directory;

    @Override
    public ZoneFreshness freshness() throws IOException {
        return new FileZoneFreshness(file(), new Disk());
    }

    @Override
    public Optional<ZoneFreshness> reopened() throws IOException {
        return Optional.of(freshness());
    }

    private Path file() {
        return directory.resolve("confirmed.txt");
    }

    @Test
    void isReadable() throws IOException {
        freshness().confirm(EXAMPLE, NOON);
        assertEquals("2026-11-01T12:00:00Z example.org.\n", Files.readString(file()));
    }

    @Test
    void passesOverWhatItCannotRead() throws IOException {
        Files.writeString(
                file(), "2026-11-01T12:00:00Z example.org.\nyesterday example.net.\n2026-11-0");
        ZoneFreshness freshness = freshness();
        assertEquals(Optional.of(NOON), freshness.confirmed(EXAMPLE));
        freshness.confirm(ODD, NOON);
        assertEquals(Optional.of(NOON), freshness().confirmed(ODD));
    }

    @Test
    void fileDoesNotGrowForEver() throws IOException {
        ZoneFreshness freshness = freshness();
        for (int i = 0; i < 10_100; i++) {
            freshness.confirm(EXAMPLE, NOON.plusSeconds(i));
        }
        assertTrue(Files.size(file()) < 10_000, "octets: " + Files.size(file()));
        assertEquals(Optional.of(NOON.plusSeconds(10_099)), freshness().confirmed(EXAMPLE));
    }
}
