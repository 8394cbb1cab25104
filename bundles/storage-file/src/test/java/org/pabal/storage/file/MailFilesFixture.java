package org.pabal.storage.file;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Random;

/// Opens the storage as tests want it: small, quick to look at what others do, with any disk.
final class MailFilesFixture {

    static final MailFiles.Options SMALL =
            new MailFiles.Options(16_000_000, 0, 10_000, "host.example.org", 0);

    private MailFilesFixture() {}

    static MailFiles open(Path directory, InstantSource clock) throws IOException {
        return open(directory, clock, new Disk());
    }

    static MailFiles open(Path directory, InstantSource clock, Disk disk) throws IOException {
        return MailFiles.open(directory, disk, SMALL, clock, new Random());
    }
}
