package org.pabal.storage.file;

import org.pabal.dns.PackedZone;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.zip.CRC32C;

/// A master file that was read, with those that it includes.
///
/// @param records the first of them, in the order of the text
record MasterFile(PackedZone zone, List<Record> records, ZoneJournal.Text text) {

    private static final long MAX_OCTETS = 1_000_000_000;
    private static final int MAX_INCLUDES = 1_000;

    /// Records that are kept for the checks; a zone of a million would take the room of ten.
    private static final int MAX_KEPT = 50_000;

    /// Reads a file.
    ///
    /// @param watched gets the stamp of every file that was included, or that should have been
    ///     there, also when this fails
    /// @throws IllegalArgumentException when it is malformed or cannot be served; one line for an
    ///     administrator
    static MasterFile read(Path file, Name origin, Map<Path, Optional<FileStamp>> watched)
            throws IOException {
        // dnsjava throws and catches an exception for each record without a TTL, which costs as
        // much as the stack is deep: a thread of its own has a flat one, and reads twice as fast.
        FutureTask<MasterFile> read = new FutureTask<>(() -> readHere(file, origin, watched));
        Thread.ofPlatform().name("zone " + origin).start(read);
        try {
            return read.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException trouble -> throw trouble;
                case RuntimeException trouble -> throw trouble;
                default -> throw new IllegalStateException(e.getCause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(file + ": interrupted while it was read");
        }
    }

    private static MasterFile readHere(
            Path file, Name origin, Map<Path, Optional<FileStamp>> watched) throws IOException {
        Reading reading = new Reading(file.getParent(), watched);
        byte[] octets = reading.octets(file);
        // A guess at how many names there are saves a large zone from growing in steps.
        PackedZone.Builder zone = PackedZone.builder(origin, octets.length / 100);
        List<Record> first = new ArrayList<>();
        ZoneText.read(
                origin,
                octets,
                file.toString(),
                ZoneText.MAX_RECORDS,
                reading::include,
                record -> {
                    zone.add(record);
                    if (first.size() < MAX_KEPT) {
                        first.add(record);
                    }
                });
        ZoneJournal.Text text =
                new ZoneJournal.Text(reading.total, (int) reading.sum.getValue(), false);
        try {
            return new MasterFile(zone.build(), first, text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    file + ": " + e.getMessage().replaceFirst("^zone \\S+: ", ""), e);
        }
    }

    /// How the files that a master file includes are now.
    static Map<Path, Optional<FileStamp>> stamps(Iterable<Path> files) throws IOException {
        Map<Path, Optional<FileStamp>> stamps = new HashMap<>();
        for (Path file : files) {
            stamps.put(file, FileStamp.of(file));
        }
        return stamps;
    }

    private static final class Reading {

        private final Path directory;
        private final Map<Path, Optional<FileStamp>> watched;
        private final CRC32C sum = new CRC32C();
        private long total;
        private int files;

        Reading(Path directory, Map<Path, Optional<FileStamp>> watched) {
            this.directory = directory;
            this.watched = watched;
        }

        byte[] octets(Path file) throws IOException {
            total += Files.size(file);
            if (total > MAX_OCTETS) {
                throw new IllegalArgumentException(
                        file + ": expected at most " + MAX_OCTETS + " octets");
            }
            byte[] octets = Files.readAllBytes(file);
            sum.update(octets);
            return octets;
        }

        /// RFC 1035 §5.1, within the directory: no name of another place is opened.
        byte[] include(String name) throws IOException {
            if (++files > MAX_INCLUDES) {
                throw new IOException("expected at most " + MAX_INCLUDES + " files to be included");
            }
            try {
                Path relative = Path.of(name);
                Path file = directory.resolve(relative).normalize();
                if (relative.isAbsolute()
                        || relative.startsWith("..")
                        || name.contains("/..")
                        || !file.startsWith(directory)
                        || file.equals(directory)) {
                    throw outside();
                }
                watched.put(file, FileStamp.of(file));
                Path real = file.toRealPath();
                if (!real.startsWith(directory.toRealPath()) || !Files.isRegularFile(real)) {
                    throw outside();
                }
                return octets(real);
            } catch (NoSuchFileException e) {
                throw new IOException("there is no such file", e);
            } catch (InvalidPathException e) {
                throw new IOException(outside().getMessage(), e);
            }
        }

        private static IOException outside() {
            return new IOException(
                    "expected a file in the directory of the zones, for example $INCLUDE"
                            + " hosts.include");
        }
    }
}
