package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.settings.BadSetting;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;

class FileStorageTest {

    @TempDir Path folder;

    @Test
    void saysInOneLineWhyADirectoryCannotBeUsed() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");
        StorageSettings settings = StorageSettings.of(Map.of("directory", "file/data"), folder);
        BadSetting e =
                assertThrows(
                        BadSetting.class,
                        () -> FileStorage.open(settings, "host", InstantSource.system()));
        assertEquals(
                "org.pabal.storage.file.cfg: directory = "
                        + file
                        + "/data: "
                        + file
                        + ": FileAlreadyExistsException;"
                        + " expected a directory that this process, and no other, may write,"
                        + " for example directory = /var/lib/pabal",
                e.getMessage());
    }

    @Test
    void oneProcessHasADirectory() throws Exception {
        StorageSettings settings = StorageSettings.of(Map.of(), folder);
        try (MailFiles files = FileStorage.open(settings, "host", InstantSource.system())) {
            BadSetting e =
                    assertThrows(
                            BadSetting.class,
                            () -> FileStorage.open(settings, "host", InstantSource.system()));
            assertTrue(e.getMessage().contains("is in use by another process"), e.getMessage());
            assertTrue(files.queue().entries().toList().isEmpty());
        }
    }

    @Test
    void startsAndStopsAndLeavesNothingBehind() throws Exception {
        StorageSettings settings = StorageSettings.of(Map.of("journal-size", "16 MB"), folder);
        for (int i = 0; i < 3; i++) {
            FileStorage.open(settings, "host", InstantSource.system()).close();
        }
        assertTrue(
                Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(t -> t.getName().startsWith("pabal-")));
    }

    @Test
    void refusesSettingsThatCannotBe() {
        BadSetting e =
                assertThrows(
                        BadSetting.class,
                        () -> StorageSettings.of(Map.of("journal-size", "1 MB"), folder));
        assertEquals(
                "settings.cfg: journal-size = 1000000: expected at least 16 MB, for example"
                        + " journal-size = 256 MB",
                e.getMessage());
        assertThrows(
                BadSetting.class, () -> StorageSettings.of(Map.of("directry", "data"), folder));
    }
}
