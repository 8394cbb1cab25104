package org.pabal.itests.clock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// The machine's time and as many seconds more as a file says, or fewer.
///
/// The file is looked at twenty times a second at the most, because a name server asks for the time
/// with every answer.
final class FileClock implements InstantSource {

    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final Path file;
    private final AtomicLong nextLook = new AtomicLong(System.nanoTime());
    private volatile Duration offset = Duration.ZERO;
    private volatile State seen = new State(FileTime.fromMillis(0), -1, "");

    /// What tells that a file is another one than before.
    private record State(FileTime modified, long size, Object key) {}

    FileClock(Path file) {
        this.file = file;
        look();
    }

    @Override
    public Instant instant() {
        long next = nextLook.get();
        long now = System.nanoTime();
        if (now - next >= 0 && nextLook.compareAndSet(next, now + PAUSE_NANOS)) {
            look();
        }
        return Instant.now().plus(offset);
    }

    /// Reads the file when it has changed. One that is missing, or just being written, leaves the
    /// time as it is.
    private void look() {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            State now =
                    new State(
                            attributes.lastModifiedTime(),
                            attributes.size(),
                            String.valueOf(attributes.fileKey()));
            if (!now.equals(seen)) {
                double seconds = Double.parseDouble(Files.readString(file).strip());
                offset = Duration.ofMillis(Math.round(seconds * 1_000));
                seen = now;
            }
        } catch (IOException | NumberFormatException e) {
            // the next look may find it whole
        }
    }
}
