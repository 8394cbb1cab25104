package org.pabal.storage.file;

import org.pabal.dns.ZoneChange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/// The change journal of a zone: the steps that its master file does not have yet, and before them
/// the newest of those that it has, which an incremental transfer is made of (RFC 1995).
///
/// ```
///  batch = magic(4) length(4) crc32c(4) kind(1) from(4) to(4) number(8) payload
///          length counts the batch with its header, the sum is of all that follows it
///  STEPS = steps, as ZoneSteps writes them, from one serial to another; the first has this number
///  TEXT  = octets(8) crc32c(4) ours(1) anew(1): a master file of that length and sum has all steps
///          before this number
/// ```
/// Steps are numbered without a gap. A TEXT is written before the master file is put in its place,
/// so that whatever file a crash leaves there is known, and with it the steps that are to be done
/// again. Where a TEXT begins anew, the steps before it do not lead to it.
///
/// Behind the last batch are zeros that were written with it: an fdatasync into blocks that exist
/// needs no metadata. A batch counts as a whole or not at all.
///
/// Whoever calls holds the lock of the zone.
final class ZoneJournal {

    /// A master file, known by its content.
    ///
    /// @param octets how long it is, with the files that it includes
    /// @param sum CRC-32C of them
    /// @param ours whether we wrote it
    record Text(long octets, int sum, boolean ours) {

        boolean same(Text other) {
            return octets == other.octets && sum == other.sum;
        }
    }

    /// What [#open] found for a master file.
    ///
    /// @param text what was known of it
    /// @param pending the steps that it does not have
    record Found(Text text, List<ZoneChange> pending) {}

    private record Batch(byte kind, long from, long to, long number, ByteBuffer payload) {}

    private record Known(Text text, long number, boolean anew) {}

    /// Where a batch of steps begins; one in about [#MARK_OCTETS] is remembered.
    private record Mark(long from, long number, long at) {}

    private interface Reader {
        /// @return whether to go on
        boolean batch(Batch batch, long at) throws IOException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(ZoneJournal.class);
    private static final int MAGIC = 0x5061_425A;
    private static final int HEADER = 29;
    private static final int SUM_AT = 8;
    private static final byte STEPS = 1;
    private static final byte TEXT = 2;
    private static final int TEXT_OCTETS = 14;
    private static final int MARK_OCTETS = 1 << 16;
    private static final int MAX_BATCH = 1 << 30;
    private static final int LEAST_ROOM = 1 << 14;
    private static final int MOST_ROOM = 1 << 20;

    private final Path file;
    private final Disk disk;
    private final List<Mark> marks = new ArrayList<>();
    private final List<Known> known = new ArrayList<>();

    /// Up to here the file is ours; up to [#room] there are zeros.
    private long used;

    private long room;

    /// The number of the next step.
    private long next;

    /// The first step that the master file does not have, and where it is or would be.
    private long pending;

    private long pendingAt;

    /// Whether a write failed and what is behind [#used] is not known: the file is then made anew.
    private boolean broken;

    private ZoneJournal(Path file, Disk disk) {
        this.file = file;
        this.disk = disk;
    }

    /// Makes the journal of a zone that had none. On disk when it returns.
    ///
    /// @param text the master file as it is
    /// @param before steps that it has already
    /// @param after steps that it does not have
    static ZoneJournal create(
            Path file, Disk disk, Text text, List<ZoneChange> before, List<ZoneChange> after)
            throws IOException {
        ZoneJournal journal = new ZoneJournal(file, disk);
        journal.next = before.size();
        journal.pending = before.size();
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        octets.writeBytes(steps(before, 0));
        octets.writeBytes(steps(after, before.size()));
        journal.replace(text, octets.toByteArray());
        return journal;
    }

    /// Reads the journal of a zone; what was not written to its end is cut.
    ///
    /// @return empty when there is none
    static Optional<ZoneJournal> open(Path file, Disk disk) throws IOException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        ZoneJournal journal = new ZoneJournal(file, disk);
        journal.read();
        return Optional.of(journal);
    }

    /// How long it is, without the room at its end.
    long octets() {
        return used;
    }

    /// How long the steps are that the master file does not have.
    long pendingOctets() {
        return pending == next ? 0 : used - pendingAt;
    }

    boolean hasPending() {
        return pending < next;
    }

    /// The number of the next step.
    long next() {
        return next;
    }

    /// What is to be done with a master file to have the current version; empty when this journal
    /// does not belong to it. From then on the steps are counted from it.
    Optional<Found> fit(Text text) throws IOException {
        for (Known each : known.reversed()) {
            if (each.text().same(text)) {
                List<ZoneChange> steps = from(each.number());
                if (each != known.getLast() || each.anew()) {
                    // a crash came between the text and the file
                    List<ZoneChange> before = each.anew() ? List.of() : upTo(each.number());
                    ZoneJournal again = create(file, disk, each.text(), before, steps);
                    takeOver(again);
                } else {
                    wrote(each.number());
                }
                return Optional.of(new Found(each.text(), steps));
            }
        }
        return Optional.empty();
    }

    /// The steps that no master file has that we know of.
    List<ZoneChange> pending() throws IOException {
        return from(pending);
    }

    /// Keeps steps. On disk when it returns.
    ///
    /// @throws IOException when they are not kept
    void append(List<ZoneChange> steps) throws IOException {
        append(steps(steps, next));
    }

    /// Keeps steps and tells of the master file that has them, before it is put in its place. On
    /// disk when it returns; [#wrote] has to follow, or [#cut].
    ///
    /// @param anew whether these and the steps before do not lead to it
    void append(List<ZoneChange> steps, Text text, boolean anew) throws IOException {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        octets.writeBytes(steps(steps, next));
        octets.writeBytes(text(text, next + steps.size(), anew));
        append(octets.toByteArray());
    }

    /// Tells of a master file that has the steps before a number, before it is put in its place.
    void append(Text text, long number) throws IOException {
        append(text(text, number, false));
    }

    /// The master file has the steps before a number from now on.
    void wrote(long number) throws IOException {
        pending = number;
        pendingAt = at(number);
    }

    /// Forgets what was appended behind a place, because the master file could not be written.
    void cut(long octets) throws IOException {
        broken = true;
        load(octets(0, octets));
        try (FileChannel channel = disk.open(file)) {
            disk.truncate(channel, octets);
            disk.force(channel, true);
        }
        room = octets;
        broken = false;
    }

    /// Drops the oldest steps that the master file has.
    ///
    /// @param text the master file as it is
    /// @param history how many octets of steps may stay
    void shorten(Text text, long history) throws IOException {
        long from = pendingAt;
        for (Mark mark : marks.reversed()) {
            if (mark.at() <= pendingAt && used - mark.at() <= history) {
                from = mark.at();
            }
        }
        replace(text, octets(from, used));
    }

    /// The batches of steps among others.
    private static byte[] stepsOnly(byte[] batches) throws IOException {
        ByteArrayOutputStream steps = new ByteArrayOutputStream();
        ByteBuffer all = ByteBuffer.wrap(batches);
        walk(
                all,
                0,
                (batch, at) -> {
                    if (batch.kind() == STEPS) {
                        steps.write(batches, (int) at, all.getInt((int) at + 4));
                    }
                    return true;
                });
        return steps.toByteArray();
    }

    /// Gives the room at the end back.
    void trim() throws IOException {
        if (room > used && !broken) {
            try (FileChannel channel = disk.open(file)) {
                disk.truncate(channel, used);
            }
            room = used;
        }
    }

    /// The steps that lead from a serial to the last.
    ///
    /// @param maxOctets how long they may be
    /// @return empty when it is not known or they are longer
    Optional<List<ZoneChange>> since(long serial, long maxOctets) throws IOException {
        long start = -1;
        for (Mark mark : marks) {
            // RFC 1982 §3.2; the steps lead upwards
            if (mark.from() == serial || (int) (mark.from() - serial) < 0) {
                start = mark.at();
            }
        }
        if (start < 0 || used - start > maxOctets + MARK_OCTETS) {
            return Optional.empty();
        }
        List<ZoneChange> steps = new ArrayList<>();
        each(
                start,
                (batch, at) -> {
                    if (batch.kind() == STEPS) {
                        for (ZoneChange step : ZoneSteps.read(batch.payload())) {
                            if (!steps.isEmpty() || step.from().getSerial() == serial) {
                                steps.add(step);
                            }
                        }
                    }
                    return true;
                });
        return steps.isEmpty() ? Optional.empty() : Optional.of(List.copyOf(steps));
    }

    void delete() throws IOException {
        disk.delete(file);
        disk.sync(file.getParent());
    }

    /// Keeps a file under another name.
    static Path aside(Path file, Disk disk) throws IOException {
        Path other = file;
        for (int n = 1; other.equals(file) || Files.exists(other); n++) {
            other = file.resolveSibling(file.getFileName() + ".aside-" + n);
        }
        disk.rename(file, other);
        disk.sync(file.getParent());
        return other;
    }

    private List<ZoneChange> from(long number) throws IOException {
        return number >= next ? List.of() : steps(at(number), number, Long.MAX_VALUE);
    }

    private List<ZoneChange> upTo(long number) throws IOException {
        return steps(0, 0, number);
    }

    private List<ZoneChange> steps(long start, long first, long end) throws IOException {
        List<ZoneChange> steps = new ArrayList<>();
        each(
                start,
                (batch, at) -> {
                    if (batch.kind() == STEPS && batch.number() < end) {
                        long number = batch.number();
                        for (ZoneChange step : ZoneSteps.read(batch.payload())) {
                            if (number >= first && number < end) {
                                steps.add(step);
                            }
                            number++;
                        }
                    }
                    return true;
                });
        return steps;
    }

    /// Where the batch begins that has a step, or the end when there is none.
    private long at(long number) throws IOException {
        if (number >= next) {
            return used;
        }
        long start = 0;
        for (Mark mark : marks) {
            if (mark.number() <= number) {
                start = mark.at();
            }
        }
        long[] found = {start};
        each(
                start,
                (batch, at) -> {
                    if (batch.kind() == STEPS && batch.number() <= number) {
                        found[0] = at;
                    }
                    return batch.number() <= number;
                });
        return found[0];
    }

    private void append(byte[] octets) throws IOException {
        if (broken) {
            if (known.isEmpty()) {
                throw new IOException(file + ": a write failed and the file cannot be made anew");
            }
            replace(known.getLast().text(), octets(0, used));
        }
        if (octets.length > MAX_BATCH || used + octets.length > Integer.MAX_VALUE) {
            throw new IOException(file + ": " + octets.length + " octets more are too many");
        }
        long end = used + octets.length;
        long zeros = 0;
        if (end > room) {
            zeros = Math.clamp(used, LEAST_ROOM, MOST_ROOM);
        }
        write(octets, (int) zeros);
        room = Math.max(room, end + zeros);
        long from = used;
        used = end;
        walk(ByteBuffer.wrap(octets), from, this::remember);
    }

    /// Writes behind the last batch. What cannot be written must not be found after a crash.
    private void write(byte[] octets, int zeros) throws IOException {
        broken = true;
        try (FileChannel channel = disk.open(file)) {
            try {
                ByteBuffer all = ByteBuffer.allocate(octets.length + zeros).put(octets).rewind();
                disk.writeAll(channel, all, used);
                disk.force(channel, zeros > 0);
            } catch (IOException e) {
                disk.truncate(channel, used);
                throw e;
            }
        }
        broken = false;
    }

    /// Puts a file with a text and these batches in the place of the present one.
    private void replace(Text text, byte[] octets) throws IOException {
        byte[] first = text(text, pending, false);
        byte[] batches = stepsOnly(octets);
        Path other = file.resolveSibling(file.getFileName() + ".next");
        disk.delete(other);
        try (FileChannel channel = disk.create(other)) {
            ByteBuffer whole = ByteBuffer.allocate(first.length + batches.length);
            disk.writeAll(channel, whole.put(first).put(batches).rewind());
            disk.force(channel, true);
        }
        disk.rename(other, file);
        disk.sync(file.getParent());
        load(octets(0, first.length + batches.length));
        room = used;
        broken = false;
    }

    private void takeOver(ZoneJournal other) {
        marks.clear();
        marks.addAll(other.marks);
        known.clear();
        known.addAll(other.known);
        used = other.used;
        room = other.room;
        next = other.next;
        pending = other.pending;
        pendingAt = other.pendingAt;
    }

    /// Learns what is in the file.
    private void load(byte[] octets) throws IOException {
        marks.clear();
        known.clear();
        next = 0;
        used = walk(ByteBuffer.wrap(octets), 0, this::remember);
        pending = known.isEmpty() ? 0 : known.getLast().number();
        pendingAt = at(pending);
    }

    private void read() throws IOException {
        byte[] octets = Files.readAllBytes(file);
        load(octets);
        room = octets.length;
        for (int at = (int) used; at < octets.length; at++) {
            if (octets[at] != 0) {
                LOG.warn(
                        "{}: cut at octet {} of {}: what follows was not written to its end",
                        file,
                        used,
                        octets.length);
                try (FileChannel channel = disk.open(file)) {
                    disk.truncate(channel, used);
                    disk.force(channel, true);
                }
                room = used;
                break;
            }
        }
    }

    private boolean remember(Batch batch, long at) throws IOException {
        if (batch.kind() == TEXT) {
            ByteBuffer text = batch.payload();
            if (text.remaining() < TEXT_OCTETS) {
                throw new IOException("no master file is told of");
            }
            Text one = new Text(text.getLong(), text.getInt(), text.get() != 0);
            known.add(new Known(one, batch.number(), text.get() != 0));
            next = Math.max(next, batch.number());
            return true;
        }
        if (marks.isEmpty() || at - marks.getLast().at() >= MARK_OCTETS) {
            marks.add(new Mark(batch.from(), batch.number(), at));
        }
        next = batch.number() + count(batch.payload());
        return true;
    }

    private static int count(ByteBuffer steps) throws IOException {
        int count = 0;
        for (int at = 0; at < steps.limit(); at += 4 + steps.getInt(at)) {
            if (steps.remaining() - at < 4 || steps.getInt(at) < 0) {
                throw new IOException("no steps of a zone");
            }
            count++;
        }
        return count;
    }

    private byte[] octets(long from, long to) throws IOException {
        ByteBuffer octets = ByteBuffer.allocate((int) (to - from));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            while (octets.hasRemaining()) {
                if (channel.read(octets, from + octets.position()) < 0) {
                    throw new EOFException(file + ": is shorter than it was");
                }
            }
        }
        return octets.array();
    }

    private void each(long start, Reader reader) throws IOException {
        walk(ByteBuffer.wrap(octets(start, used)), start, reader);
    }

    /// Hands over every batch that is whole.
    ///
    /// @param base where the octets are in the file
    /// @return where the last of them ends
    private static long walk(ByteBuffer octets, long base, Reader reader) throws IOException {
        int at = 0;
        while (at + HEADER <= octets.limit() && octets.getInt(at) == MAGIC) {
            int length = octets.getInt(at + 4);
            if (length < HEADER
                    || length > octets.limit() - at
                    || octets.getInt(at + SUM_AT) != sum(octets.slice(at, length))) {
                break;
            }
            Batch batch =
                    new Batch(
                            octets.get(at + 12),
                            Integer.toUnsignedLong(octets.getInt(at + 13)),
                            Integer.toUnsignedLong(octets.getInt(at + 17)),
                            octets.getLong(at + 21),
                            octets.slice(at + HEADER, length - HEADER));
            long begin = base + at;
            at += length;
            if (!reader.batch(batch, begin)) {
                break;
            }
        }
        return base + at;
    }

    private static byte[] steps(List<ZoneChange> steps, long number) {
        return steps.isEmpty()
                ? new byte[0]
                : batch(
                        STEPS,
                        steps.getFirst().from().getSerial(),
                        steps.getLast().to().getSerial(),
                        number,
                        ZoneSteps.octets(steps));
    }

    private static byte[] text(Text text, long number, boolean anew) {
        ByteBuffer payload = ByteBuffer.allocate(TEXT_OCTETS);
        payload.putLong(text.octets()).putInt(text.sum());
        payload.put((byte) (text.ours() ? 1 : 0)).put((byte) (anew ? 1 : 0));
        return batch(TEXT, 0, 0, number, payload.array());
    }

    private static byte[] batch(byte kind, long from, long to, long number, byte[] payload) {
        ByteBuffer batch = ByteBuffer.allocate(HEADER + payload.length);
        batch.putInt(MAGIC).putInt(batch.limit()).putInt(0).put(kind);
        batch.putInt((int) from).putInt((int) to).putLong(number).put(payload);
        return batch.putInt(SUM_AT, sum(batch.rewind())).array();
    }

    /// Of the whole batch but the sum itself.
    private static int sum(ByteBuffer batch) {
        CRC32C crc = new CRC32C();
        crc.update(batch.duplicate().position(0).limit(SUM_AT));
        crc.update(batch.duplicate().position(SUM_AT + 4));
        return (int) crc.getValue();
    }
}
