package org.pabal.storage.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Refuses work before the disk is full: what is half written when it is full helps nobody.
final class Room {

    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Path directory;
    private final long leastFree;
    private final Disk disk;

    /// Both guarded by this; what is free is asked once a second and estimated between.
    private long free;

    private long asked;

    Room(Path directory, long leastFree, Disk disk) {
        this.directory = directory;
        this.leastFree = leastFree;
        this.disk = disk;
        this.asked = System.nanoTime() - FRESH_NANOS;
    }

    /// @throws IOException in words fit for the log when there is no room for so many octets
    synchronized void require(long octets) throws IOException {
        long now = System.nanoTime();
        if (now - asked >= FRESH_NANOS || free - octets < leastFree) {
            free = disk.freeOctets(directory);
            asked = now;
        }
        if (free - octets < leastFree) {
            throw new IOException(
                    "disk full writing "
                            + directory
                            + " (needs "
                            + size(octets + leastFree)
                            + ", "
                            + size(free)
                            + " free)");
        }
        free -= octets;
    }

    private static String size(long octets) {
        return octets < 1_000_000_000
                ? String.format(Locale.ROOT, "%.1f MB", octets / 1e6)
                : String.format(Locale.ROOT, "%.1f GB", octets / 1e9);
    }
}
