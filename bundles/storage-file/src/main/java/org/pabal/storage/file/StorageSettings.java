package org.pabal.storage.file;

import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/// The settings of `org.pabal.storage.file.cfg`, which the doorways of this bundle share: each
/// reads all of them, so that a misspelt key is noticed whichever comes first.
///
/// @param directory where the data is; setting `directory`, default `data` in the node's directory
/// @param journalOctets disk for the journal; setting `journal-size`
/// @param zoneJournalOctets how long the change journal of a zone may become; setting
///     `zone-journal-size`
/// @param minFree octets that stay free on the disk: below, new mail is put off; setting `min-free`
/// @param maxQueue messages that may wait in the queue; setting `max-queue`
/// @param subaddressSeparator between user and detail in `user+detail@example.org`; setting
///     `subaddress-separator`, empty when there are no subaddresses
record StorageSettings(
        Path directory,
        long journalOctets,
        long zoneJournalOctets,
        long minFree,
        int maxQueue,
        String subaddressSeparator) {

    private static final String SEPARATOR = "subaddress-separator";

    /// @param home the node's directory, `pabal.home`
    static StorageSettings of(Map<String, ?> properties, Path home) {
        Settings settings = Settings.of(properties);
        Path directory =
                home.resolve(settings.text("directory", "data")).toAbsolutePath().normalize();
        long journal = settings.octets("journal-size", 256_000_000);
        if (journal < 16_000_000) {
            throw settings.bad("journal-size", journal, "at least 16 MB", "256 MB");
        }
        long zoneJournal = settings.octets("zone-journal-size", FileZoneStore.JOURNAL_OCTETS);
        if (zoneJournal < 1_000_000 || zoneJournal > 500_000_000) {
            throw settings.bad("zone-journal-size", zoneJournal, "1 MB to 500 MB", "32 MB");
        }
        long minFree = settings.octets("min-free", 100_000_000);
        int maxQueue = (int) settings.number("max-queue", 200_000, 1, 10_000_000);
        String separator =
                settings.text(SEPARATOR).orElse(properties.containsKey(SEPARATOR) ? "" : "+");
        if (!separator.matches("[-+_=.#~]?")) {
            throw settings.bad(SEPARATOR, separator, "one of + - _ = . # ~, or nothing", "+");
        }
        settings.noOthers();
        return new StorageSettings(directory, journal, zoneJournal, minFree, maxQueue, separator);
    }

    /// What a doorway throws when the directory cannot be used.
    BadSetting unusable(IOException e) {
        return new BadSetting(
                FileStorage.PID
                        + ".cfg: directory = "
                        + directory
                        + ": "
                        + e
                        + "; expected a directory that this process may write, for example"
                        + " directory = /var/lib/pabal");
    }
}
