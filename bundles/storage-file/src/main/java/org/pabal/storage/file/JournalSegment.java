package org.pabal.storage.file;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/// One file of the journal: batches one after another from its first octet on, then what an older
/// use left behind.
///
/// ```
///  batch  = magic(4) length(4) segment number(8) crc32c(4) record*     length counts the batch with its header
///  record = length(4) type(1) payload
/// ```
/// The number grows with each use of the file, so that old batches behind the new ones are not
/// taken for theirs. A batch counts as a whole or not at all: the first one whose sum is wrong ends
/// the segment.
final class JournalSegment {

    static final int MAX_BATCH = 1 << 20;
    static final int BATCH_HEADER = 20;
    static final int RECORD_HEADER = 5;

    private static final Logger LOG = LoggerFactory.getLogger(JournalSegment.class);
    private static final int MAGIC = 0x5061_424A;
    private static final int CRC_AT = 16;
    private static final Pattern NAME = Pattern.compile("(\\d{2,6})\\.log");

    private final int slot;
    private final Path file;
    private final Disk disk;
    private final long capacity;

    private long number;
    private long used;
    private boolean prepared;
    private boolean open;
    private FileChannel channel;

    /// Both guarded by the journal's lock.
    boolean closing;

    int pins;

    /// How much was written when the last checkpoint had nothing left to do; guarded by the
    /// journal's lock.
    long quiet;

    private JournalSegment(int slot, Path file, long capacity, Disk disk) {
        this.slot = slot;
        this.file = file;
        this.capacity = capacity;
        this.disk = disk;
    }

    static JournalSegment create(Path directory, int slot, long capacity, Disk disk) {
        return new JournalSegment(
                slot, directory.resolve(String.format("%02d.log", slot)), capacity, disk);
    }

    /// The segments of a directory, oldest use first; those that were never used have number 0.
    static List<JournalSegment> list(Path directory, long capacity, Disk disk) throws IOException {
        List<JournalSegment> found = new ArrayList<>();
        List<Path> files;
        try (Stream<Path> all = Files.list(directory)) {
            files = all.toList();
        }
        for (Path file : files) {
            var matcher = NAME.matcher(file.getFileName().toString());
            if (matcher.matches()) {
                JournalSegment segment =
                        new JournalSegment(
                                Integer.parseInt(matcher.group(1)), file, capacity, disk);
                segment.prepared = Files.size(file) >= capacity;
                segment.number = firstNumber(file);
                found.add(segment);
            }
        }
        found.sort(Comparator.comparingLong(JournalSegment::number));
        return found;
    }

    int slot() {
        return slot;
    }

    long number() {
        return number;
    }

    synchronized long written() {
        return used;
    }

    synchronized boolean prepared() {
        return prepared;
    }

    /// Begins a new use of the file.
    void begin(long next) throws IOException {
        FileChannel opened = disk.open(file);
        synchronized (this) {
            channel = opened;
            open = true;
            number = next;
            used = 0;
        }
        closing = false;
        quiet = 0;
        if (!prepared()) {
            disk.sync(file.getParent());
        }
    }

    boolean fits(int octets) {
        return used + octets <= capacity;
    }

    /// Writes a batch, whose header is filled in here. It outlives this process from then on, and
    /// the machine from the next [#force] on.
    ///
    /// @return where the batch begins
    long write(ByteBuffer batch) throws IOException {
        int length = batch.limit();
        batch.position(0);
        batch.putInt(MAGIC).putInt(length).putLong(number);
        batch.putInt(sum(batch, length)).position(0);
        disk.writeAll(channel, batch, used);
        long base = used;
        synchronized (this) {
            used += length;
        }
        return base;
    }

    /// Waits until what was written is on disk.
    void force() throws IOException {
        disk.force(channel, !prepared());
    }

    synchronized void close() {
        if (open) {
            open = false;
            try {
                channel.close();
            } catch (IOException e) {
                LOG.warn(
                        "journal {}: closing: {}",
                        file,
                        e.toString()); // all that counts was synced
            }
        }
    }

    /// Writes zeros up to the full size, so that later syncs need no metadata.
    void prepare() throws IOException {
        if (prepared()) {
            return;
        }
        try (FileChannel whole = disk.open(file)) {
            long at = whole.size();
            ByteBuffer zeros = ByteBuffer.allocate(1 << 16);
            while (at < capacity) {
                zeros.clear().limit((int) Math.min(zeros.capacity(), capacity - at));
                at += zeros.remaining();
                disk.writeAll(whole, zeros, at - zeros.limit());
            }
            disk.force(whole, true);
        }
        disk.sync(file.getParent());
        synchronized (this) {
            prepared = true;
        }
    }

    void delete() throws IOException {
        Files.deleteIfExists(file);
    }

    /// Some octets of the file.
    byte[] read(long at, int length) throws IOException {
        ByteBuffer octets = ByteBuffer.allocate(length);
        try (FileChannel reading = FileChannel.open(file, StandardOpenOption.READ)) {
            fill(reading, octets, at);
        }
        return octets.array();
    }

    /// Hands over every record that is whole.
    void read(Journal.Reader reader) throws IOException {
        if (number == 0) {
            return;
        }
        ByteBuffer octets = ByteBuffer.allocate(MAX_BATCH);
        long at = 0;
        try (FileChannel reading = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = reading.size();
            while (at + BATCH_HEADER <= size) {
                octets.clear().limit(BATCH_HEADER);
                fill(reading, octets, at);
                octets.flip();
                int length = octets.getInt(4);
                if (octets.getInt(0) != MAGIC || octets.getLong(8) != number) {
                    break; // the end, or what an older use left
                }
                if (length < BATCH_HEADER || length > MAX_BATCH || at + length > size) {
                    LOG.warn("journal {}: cut at octet {}: a batch is damaged", file, at);
                    break;
                }
                octets.clear().limit(length);
                fill(reading, octets, at);
                if (octets.getInt(CRC_AT) != sum(octets, length)) {
                    LOG.warn(
                            "journal {}: cut at octet {}: a batch was not written to its end",
                            file,
                            at);
                    break;
                }
                records(octets, length, new Journal.Batch(this, at), reader);
                at += length;
            }
        }
        synchronized (this) {
            used = at;
        }
    }

    private void records(ByteBuffer batch, int length, Journal.Batch from, Journal.Reader reader)
            throws IOException {
        int at = BATCH_HEADER;
        while (at + RECORD_HEADER <= length) {
            int payload = batch.getInt(at);
            byte type = batch.get(at + 4);
            at += RECORD_HEADER;
            if (payload < 0 || payload > length - at) {
                LOG.warn("journal {}: a record is longer than its batch", file);
                return;
            }
            reader.record(
                    type,
                    batch.slice(at, payload).asReadOnlyBuffer(),
                    new Journal.Position(from, at, payload));
            at += payload;
        }
    }

    private static long firstNumber(Path file) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(BATCH_HEADER);
        try (FileChannel reading = FileChannel.open(file, StandardOpenOption.READ)) {
            if (reading.size() < BATCH_HEADER) {
                return 0;
            }
            fill(reading, header, 0);
        }
        return header.getInt(0) == MAGIC ? Math.max(0, header.getLong(8)) : 0;
    }

    private static void fill(FileChannel from, ByteBuffer octets, long at) throws IOException {
        while (octets.hasRemaining()) {
            int read = from.read(octets, at);
            if (read < 0) {
                throw new EOFException("journal: ends in the middle of a record");
            }
            at += read;
        }
    }

    /// Of the whole batch but the sum itself.
    private static int sum(ByteBuffer batch, int length) {
        CRC32C crc = new CRC32C();
        crc.update(batch.duplicate().limit(CRC_AT).position(0));
        crc.update(batch.duplicate().limit(length).position(BATCH_HEADER));
        return (int) crc.getValue();
    }
}
