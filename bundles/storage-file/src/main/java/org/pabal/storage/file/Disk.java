package org.pabal.storage.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// What this bundle asks of a file system, in one place: a test puts a disk here that is full or
/// breaks.
///
/// Directories are made 0700 and files 0600 from their first moment (security row S29), never by a
/// later chmod.
class Disk {

    private static final boolean POSIX =
            java.nio.file.FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    private static final FileAttribute<?>[] FILE = rights("rw-------");
    private static final FileAttribute<?>[] DIRECTORY = rights("rwx------");
    private static final Set<OpenOption> CREATE =
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    private static final Set<OpenOption> APPEND =
            Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
    private static final Set<OpenOption> WORK =
            Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ);

    private final Optional<SyncFs> syncFs = SyncFs.find();

    /// A new file for writing.
    FileChannel create(Path file) throws IOException {
        return FileChannel.open(file, CREATE, FILE);
    }

    /// A file for reading and writing, made when it is not there.
    FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, WORK, FILE);
    }

    /// A new file with these octets; not synced.
    void write(Path file, byte[] octets) throws IOException {
        try (FileChannel channel = create(file)) {
            writeAll(channel, ByteBuffer.wrap(octets));
        }
    }

    /// Adds to the end of a file, which is made when it is not there; not synced.
    void append(Path file, byte[] octets) throws IOException {
        try (FileChannel channel = FileChannel.open(file, APPEND, FILE)) {
            writeAll(channel, ByteBuffer.wrap(octets));
        }
    }

    /// Puts a file in the place of another, whole or not at all, and durably.
    void replace(Path file, byte[] octets) throws IOException {
        Path next = file.resolveSibling(file.getFileName() + ".next");
        Files.deleteIfExists(next);
        try (FileChannel channel = create(next)) {
            writeAll(channel, ByteBuffer.wrap(octets));
            channel.force(true);
        }
        rename(next, file);
        sync(file.getParent());
    }

    void writeAll(FileChannel channel, ByteBuffer octets) throws IOException {
        while (octets.hasRemaining()) {
            channel.write(octets);
        }
    }

    void writeAll(FileChannel channel, ByteBuffer octets, long at) throws IOException {
        while (octets.hasRemaining()) {
            at += channel.write(octets, at);
        }
    }

    /// Puts the data of an open file on disk.
    void force(FileChannel channel, boolean metadata) throws IOException {
        channel.force(metadata);
    }

    void truncate(FileChannel channel, long octets) throws IOException {
        channel.truncate(octets);
    }

    void delete(Path file) throws IOException {
        Files.deleteIfExists(file);
    }

    void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    }

    /// A second name for a file; a copy where the file system has no links.
    void link(Path from, Path to) throws IOException {
        try {
            Files.createLink(to, from);
        } catch (UnsupportedOperationException noLinks) {
            Files.copy(from, to);
        }
    }

    /// Makes a directory and those above it.
    void makeDirectories(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            return;
        }
        if (directory.getParent() != null) {
            makeDirectories(directory.getParent());
        }
        try {
            Files.createDirectory(directory, DIRECTORY);
        } catch (java.nio.file.FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory)) {
                throw e;
            }
        }
    }

    /// Puts a file, or the names in a directory, on disk.
    void sync(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /// Whether [#syncAll] does something; where it does not, each file has to be synced.
    boolean syncsAll() {
        return syncFs.isPresent();
    }

    /// Puts everything that was written to the file system of a directory on disk: one call for
    /// thousands of files.
    void syncAll(Path directory) throws IOException {
        if (syncFs.isPresent()) {
            syncFs.get().sync(directory);
        }
    }

    long freeOctets(Path directory) throws IOException {
        return Files.getFileStore(directory).getUsableSpace();
    }

    /// When something last came, went or was renamed in a directory, in nanoseconds; 0 when there
    /// is no such directory.
    long modified(Path directory) throws IOException {
        try {
            return Files.getLastModifiedTime(directory)
                    .to(java.util.concurrent.TimeUnit.NANOSECONDS);
        } catch (NoSuchFileException e) {
            return 0;
        }
    }

    /// Removes a directory with all that is in it. Links are removed, not followed.
    static void deleteTree(Path directory) throws IOException {
        if (Files.isDirectory(directory, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            Path[] inside;
            try (Stream<Path> list = Files.list(directory)) {
                inside = list.toArray(Path[]::new);
            }
            for (Path each : inside) {
                deleteTree(each);
            }
        }
        Files.deleteIfExists(directory);
    }

    private static FileAttribute<?>[] rights(String text) {
        return POSIX
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(text))
                }
                : new FileAttribute<?>[0];
    }

    /// syncfs(2) of Linux, which the Java library does not know.
    private record SyncFs(MethodHandle open, MethodHandle syncfs, MethodHandle close) {

        private static final int O_RDONLY_CLOEXEC = 0x80000;

        @SuppressWarnings(
                "restricted") // three calls of the C library, whose signatures do not change
        static Optional<SyncFs> find() {
            if (!System.getProperty("os.name").equals("Linux")) {
                return Optional.empty();
            }
            try {
                Linker linker = Linker.nativeLinker();
                SymbolLookup library = linker.defaultLookup();
                FunctionDescriptor ofInt =
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
                return Optional.of(
                        new SyncFs(
                                linker.downcallHandle(
                                        library.find("open").orElseThrow(),
                                        FunctionDescriptor.of(
                                                ValueLayout.JAVA_INT,
                                                ValueLayout.ADDRESS,
                                                ValueLayout.JAVA_INT),
                                        Linker.Option.firstVariadicArg(2)),
                                linker.downcallHandle(library.find("syncfs").orElseThrow(), ofInt),
                                linker.downcallHandle(library.find("close").orElseThrow(), ofInt)));
            } catch (RuntimeException | LinkageError notHere) {
                return Optional.empty(); // no native access: each file is synced by itself
            }
        }

        void sync(Path directory) throws IOException {
            try (Arena arena = Arena.ofConfined()) {
                int file =
                        (int)
                                open.invokeExact(
                                        arena.allocateFrom(directory.toString()), O_RDONLY_CLOEXEC);
                if (file < 0) {
                    throw new IOException(directory + ": cannot be opened to sync it");
                }
                int result = (int) syncfs.invokeExact(file);
                int closed = (int) close.invokeExact(file);
                if (result != 0 || closed != 0) {
                    throw new IOException(directory + ": syncfs failed, the disk may be broken");
                }
            } catch (IOException | RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new IOException(directory + ": syncfs", e);
            }
        }
    }
}
