package org.pabal.storage.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// A disk of a machine that stops at a chosen step, and afterwards has no more than what was
/// synced. For one directory.
final class LosingDisk extends Disk {

    /// What is left of a directory.
    enum Loss {
        /// The process was killed: everything that it wrote is there.
        NOTHING,
        /// Names and data that were not synced are gone.
        NAMES_AND_DATA,
        /// Names are as they were last, data that was not synced is gone.
        DATA
    }

    private final Path directory;
    private final Map<FileChannel, Path> open = new HashMap<>();

    /// What is in a file for certain, by inode; and the names that are in the directory for
    /// certain.
    private final Map<Object, byte[]> data = new HashMap<>();

    private Map<String, Object> names = new HashMap<>();
    private long steps;
    private final long last;
    private boolean stopped;

    /// @param last the step at which it stops
    LosingDisk(Path directory, long last) {
        this.directory = directory;
        this.last = last;
    }

    boolean stopped() {
        return stopped;
    }

    @Override
    FileChannel create(Path file) throws IOException {
        step();
        FileChannel channel = super.create(file);
        data.remove(inode(file));
        open.put(channel, file);
        return channel;
    }

    @Override
    FileChannel open(Path file) throws IOException {
        step();
        FileChannel channel = super.open(file);
        open.put(channel, file);
        return channel;
    }

    @Override
    void writeAll(FileChannel channel, ByteBuffer octets) throws IOException {
        if (steps + 1 == last) {
            super.writeAll(channel, octets.duplicate().limit(octets.remaining() / 2));
        }
        step();
        super.writeAll(channel, octets);
    }

    @Override
    void writeAll(FileChannel channel, ByteBuffer octets, long at) throws IOException {
        if (steps + 1 == last) {
            super.writeAll(channel, octets.duplicate().limit(octets.remaining() / 2), at);
        }
        step();
        super.writeAll(channel, octets, at);
    }

    @Override
    void force(FileChannel channel, boolean metadata) throws IOException {
        step();
        keep(open.get(channel));
    }

    @Override
    void truncate(FileChannel channel, long octets) throws IOException {
        step();
        super.truncate(channel, octets);
    }

    @Override
    void delete(Path file) throws IOException {
        step();
        super.delete(file);
    }

    @Override
    void rename(Path from, Path to) throws IOException {
        step();
        super.rename(from, to);
    }

    @Override
    void link(Path from, Path to) throws IOException {
        step();
        super.link(from, to);
    }

    @Override
    void sync(Path path) throws IOException {
        step();
        if (Files.isDirectory(path)) {
            names = names();
        } else {
            keep(path);
        }
    }

    /// Leaves the directory as a crash does.
    void lose(Loss loss) throws IOException {
        if (loss == Loss.NOTHING) {
            return;
        }
        Map<String, Object> left = loss == Loss.DATA ? names() : names;
        for (Path file : files()) {
            Files.delete(file);
        }
        for (Map.Entry<String, Object> each : left.entrySet()) {
            byte[] octets = data.getOrDefault(each.getValue(), new byte[0]);
            Files.write(directory.resolve(each.getKey()), octets);
        }
    }

    private void step() throws IOException {
        stopped |= ++steps >= last;
        if (stopped) {
            throw new IOException("the machine has stopped");
        }
    }

    private void keep(Path file) throws IOException {
        data.put(inode(file), Files.readAllBytes(file));
    }

    private Map<String, Object> names() throws IOException {
        Map<String, Object> now = new HashMap<>();
        for (Path file : files()) {
            now.put(file.getFileName().toString(), inode(file));
        }
        return now;
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> list = Files.list(directory)) {
            return new ArrayList<>(list.toList());
        }
    }

    private static Object inode(Path file) throws IOException {
        return Files.getAttribute(file, "unix:ino");
    }
}
