package org.pabal.storage.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/// A disk that is full, or cannot sync everything at once, when a test says so.
final class BreakingDisk extends Disk {

    volatile boolean full;
    long free = 1_000_000_000;
    volatile boolean syncsAll = true;
    int syncs;

    @Override
    void writeAll(FileChannel channel, ByteBuffer octets) throws IOException {
        refuseWhenFull();
        free -= octets.remaining();
        super.writeAll(channel, octets);
    }

    @Override
    void writeAll(FileChannel channel, ByteBuffer octets, long at) throws IOException {
        if (full && octets.remaining() > 1) {
            // as a full disk does: a part of it is written
            ByteBuffer part = octets.duplicate();
            super.writeAll(channel, part.limit(part.position() + part.remaining() / 2), at);
        }
        refuseWhenFull();
        super.writeAll(channel, octets, at);
    }

    @Override
    void sync(Path path) throws IOException {
        syncs++;
        super.sync(path);
    }

    @Override
    boolean syncsAll() {
        return syncsAll;
    }

    @Override
    void syncAll(Path directory) throws IOException {
        if (syncsAll) {
            super.syncAll(directory);
        }
    }

    @Override
    long freeOctets(Path directory) {
        return free;
    }

    private void refuseWhenFull() throws IOException {
        if (full) {
            throw new IOException("No space left on device");
        }
    }
}
