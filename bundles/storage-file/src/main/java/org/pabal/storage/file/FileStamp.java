package org.pabal.storage.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// By what we notice that somebody has changed a file.
///
/// @param file the inode, where there are inodes: an editor that renames makes another
record FileStamp(Instant modified, long octets, String file) {

    /// How long a file has been left alone when nobody is still writing it.
    static final Duration SETTLED = Duration.ofSeconds(2);

    /// Empty when there is no such file.
    static Optional<FileStamp> of(Path path) throws IOException {
        try {
            return Optional.of(of(Files.readAttributes(path, BasicFileAttributes.class)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    static FileStamp of(BasicFileAttributes attributes) {
        return new FileStamp(
                attributes.lastModifiedTime().toInstant(),
                attributes.size(),
                String.valueOf(attributes.fileKey()));
    }

    /// Whether nobody has written to the file lately. Where the file's clock is ahead of ours it
    /// never is, and two equal stamps in a row have to do.
    boolean settled(Instant now) {
        return modified.plus(SETTLED).isBefore(now);
    }
}
