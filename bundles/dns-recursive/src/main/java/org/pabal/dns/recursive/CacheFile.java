package org.pabal.dns.recursive;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;

/// A cache on disk, so that a node that starts again remembers what it knew, verdicts included.
///
/// ```
/// u64  "PABALRC" and the version
/// blocks of some entries, the last one empty:
///   u32  octets
///   u32  their CRC-32C
///   entries, as EntryDraft writes them
/// ```
/// Entries go on ageing by the clock on the wall while the node is down. What is broken is not
/// believed: reading ends at the first block that is not as it was written, with one line in the
/// log, and the cache fills again from the network. It is not forced to disk, for the same reason.
final class CacheFile {

    private static final Logger log = LoggerFactory.getLogger(CacheFile.class);

    private static final long MAGIC = 0x5041_4241_4C52_4301L;
    private static final int BLOCK = 1 << 16;

    /// An entry is at most half a megabyte, by the size of the cache's segments.
    private static final int LARGEST_BLOCK = 1 << 24;

    private final Path file;

    CacheFile(Path file) {
        this.file = file;
    }

    /// Writes everything that is of use still, but failures.
    ///
    /// @return how many entries that were
    long save(RecordCache cache) throws IOException {
        Path next = file.resolveSibling(file.getFileName() + ".new");
        AtomicLong saved = new AtomicLong();
        try (DataOutputStream out =
                new DataOutputStream(
                        new BufferedOutputStream(Files.newOutputStream(next), BLOCK))) {
            out.writeLong(MAGIC);
            long now = cache.now();
            Blocks blocks = new Blocks(out);
            cache.forEach(
                    entry -> {
                        boolean failed = (entry.keyType() & Entry.FAILED) != 0;
                        if (!failed && cache.useful(entry, now)) {
                            blocks.add(entry);
                            saved.incrementAndGet();
                        }
                    });
            blocks.end();
        } catch (UncheckedIOException e) {
            Files.deleteIfExists(next);
            throw e.getCause();
        } catch (IOException e) {
            Files.deleteIfExists(next);
            throw e;
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        return saved.get();
    }

    /// Reads what is of use still into a cache, where that has nothing newer. Takes a second or
    /// two for a million entries, which a thread of its own may do while the cache is in use; that
    /// thread may be interrupted.
    ///
    /// @return how many entries the cache has kept. Trouble is in the log
    long load(RecordCache cache) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), BLOCK)) {
            Loaded loaded = load(cache, in);
            loaded.fault()
                    .ifPresent(
                            fault ->
                                    log.warn(
                                            "{}: {}; {} entries before that were kept, the rest"
                                                    + " is looked up anew",
                                            file,
                                            fault,
                                            loaded.kept()));
            return loaded.kept();
        } catch (NoSuchFileException e) {
            log.debug("{}: not there yet", file);
        } catch (IOException e) {
            log.warn("{}: cannot be read: {}; all is looked up anew", file, e.toString());
        }
        return 0;
    }

    /// What came of loading.
    ///
    /// @param fault why reading ended before the end
    record Loaded(long kept, Optional<String> fault) {}

    /// The same from elsewhere, and without the log.
    static Loaded load(RecordCache cache, InputStream octets) throws IOException {
        DataInputStream in = new DataInputStream(octets);
        long kept = 0;
        try {
            if (in.readLong() != MAGIC) {
                throw new IllegalStateException("not a cache of this version");
            }
            while (!Thread.currentThread().isInterrupted()) {
                ByteBuffer block = block(in);
                if (!block.hasRemaining()) {
                    break;
                }
                while (block.hasRemaining()) {
                    kept += cache.restore(EntryDraft.read(block)) ? 1 : 0;
                }
            }
            return new Loaded(kept, Optional.empty());
        } catch (EOFException | BufferUnderflowException e) {
            return new Loaded(kept, Optional.of("ends too early"));
        } catch (IllegalStateException e) {
            return new Loaded(kept, Optional.of(e.getMessage()));
        }
    }

    private static ByteBuffer block(DataInputStream in) throws IOException {
        int length = in.readInt();
        int sum = in.readInt();
        if (length < 0 || length > LARGEST_BLOCK) {
            throw new IllegalStateException("a block of " + length + " octets");
        }
        byte[] octets = in.readNBytes(length);
        if (octets.length < length) {
            throw new EOFException();
        }
        if (sum(octets, length) != sum) {
            throw new IllegalStateException("a block with a wrong checksum");
        }
        return ByteBuffer.wrap(octets);
    }

    private static int sum(byte[] octets, int length) {
        CRC32C crc = new CRC32C();
        crc.update(octets, 0, length);
        return (int) crc.getValue();
    }

    /// Writes block after block.
    private static final class Blocks {

        private final DataOutputStream out;
        private ByteBuffer block = ByteBuffer.allocate(2 * BLOCK);

        Blocks(DataOutputStream out) {
            this.out = out;
        }

        void add(Entry entry) {
            int room = EntryDraft.HEAD + entry.octets().length;
            try {
                if (block.position() > 0 && block.remaining() < room) {
                    finish();
                }
                if (block.remaining() < room) {
                    block = ByteBuffer.allocate(room);
                }
                EntryDraft.write(entry, block);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        void end() throws IOException {
            if (block.position() > 0) {
                finish();
            }
            finish();
        }

        private void finish() throws IOException {
            out.writeInt(block.position());
            out.writeInt(sum(block.array(), block.position()));
            out.write(block.array(), 0, block.position());
            block.clear();
        }
    }
}
