package org.pabal.launcher;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Queue;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;

/// The directory of one node and what lies where in it.
///
/// Directories are for the owner alone (security row S29): they hold mail, keys and hashes.
record NodeDirectory(Path home) {

    private static final String LISTENER_PREFIX = "org.pabal.listener~";

    /// The locks of this process. A channel that nobody refers to is closed by the collector of
    /// garbage, and its lock would go with it.
    private static final Queue<FileLock> HELD = new ConcurrentLinkedQueue<>();

    static NodeDirectory of(String path) throws Trouble {
        Path home = Path.of(path).toAbsolutePath().normalize();
        if (home.toString().contains(",")) {
            throw new Trouble(
                    home + ": expected a directory name without a comma, for example ./pabal-node");
        }
        return new NodeDirectory(home);
    }

    Path etc() {
        return home.resolve("etc");
    }

    Path settings() {
        return etc().resolve("pabal.properties");
    }

    /// Shell commands that are carried out once, when the node starts for the first time.
    Path firstStart() {
        return etc().resolve("first-start");
    }

    Path tls() {
        return etc().resolve("tls");
    }

    Path deploy() {
        return home.resolve("deploy");
    }

    Path data() {
        return home.resolve("data");
    }

    Path zones() {
        return data().resolve("zones");
    }

    Path log() {
        return home.resolve("log");
    }

    Path cache() {
        return home.resolve("cache");
    }

    /// What exists only while the node runs.
    Path run() {
        return home.resolve("run");
    }

    Path shellSocket() {
        return run().resolve("shell.sock");
    }

    boolean exists() {
        return Files.exists(settings());
    }

    /// Makes what is not there yet.
    void create() throws Trouble {
        try {
            for (Path directory :
                    List.of(home, etc(), tls(), deploy(), data(), zones(), log(), cache(), run())) {
                makePrivate(directory);
            }
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    /// Checks that a node was made here and that we may write to it.
    void check() throws Trouble {
        if (!exists()) {
            throw new Trouble(
                    home
                            + ": no node here (etc/pabal.properties is missing); make one, for"
                            + " example pabal init "
                            + home
                            + " --domain example.org --host mail.example.org");
        }
        create();
        try {
            Files.delete(Files.createTempFile(run(), "write", ".test"));
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    /// Takes the node for this process, for as long as it lives.
    void lock() throws Trouble {
        Path file = run().resolve("lock");
        try {
            // Stays open on purpose: the lock goes when the process goes, however that comes.
            FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock;
            try {
                lock = channel.tryLock();
            } catch (OverlappingFileLockException e) {
                lock = null;
            }
            if (lock == null) {
                channel.close();
                String pid = Files.readString(file).strip();
                throw new Trouble(
                        home
                                + ": this node is already running"
                                + (pid.isEmpty() ? "" : " as process " + pid)
                                + "; stop it first, for example kill "
                                + (pid.isEmpty() ? "PID" : pid));
            }
            HELD.add(lock);
            channel.truncate(0);
            channel.write(StandardCharsets.US_ASCII.encode(ProcessHandle.current().pid() + "\n"));
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    /// The names of the listeners that the settings ask for, sorted.
    TreeSet<String> listeners() {
        TreeSet<String> names = new TreeSet<>();
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(etc(), LISTENER_PREFIX + "*.cfg")) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                names.add(
                        name.substring(LISTENER_PREFIX.length(), name.length() - ".cfg".length()));
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(etc() + ": cannot be listed", e);
        }
        return names;
    }

    /// Where a listener's settings stand, as an administrator types it.
    static String listenerFile(String name) {
        return "etc/" + LISTENER_PREFIX + name + ".cfg";
    }

    private Trouble unwritable(IOException e) {
        return new Trouble(
                home
                        + ": cannot be written to ("
                        + Lines.reason(e)
                        + "); expected a directory that this user owns, for example ./pabal-node");
    }

    private static void makePrivate(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory.toAbsolutePath().getParent());
            Files.createDirectory(
                    directory,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
        }
    }

    /// Writes a file that the owner alone may read.
    static void writePrivate(Path file, String text) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(
                file,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, text);
    }
}
