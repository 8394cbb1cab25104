package org.pabal.storage.file;

import org.pabal.dns.PackedZone;
import org.pabal.dns.Serial;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneChecks;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;

/// One zone on disk: its master file, the change journal beside it, and the current version in
/// memory.
///
/// ```
///  change ──▶ journal: one fdatasync ──▶ current version ──▶ observers
///                 │ nobody changes anything for a while, the journal is long, the node stops
///                 ▼
///             master file, which a person may read and edit; then its text is the next version
/// ```
/// The current version is always the master file and the steps in the journal that it does not
/// have, whatever moment a crash comes at: the journal is told of a new master file before that is
/// put in its place.
///
/// Whoever calls holds [#lock], but for [#writeOut].
final class ZoneFile {

    /// Hears of the current version, while the zone is locked.
    interface News {

        void published(PackedZone zone);

        void changed(PackedZone zone, List<ZoneChange> steps);

        void withdrawn(Name origin);
    }

    /// What all zones have in common.
    ///
    /// @param journalOctets how long a journal may become
    record Place(Disk disk, InstantSource clock, long journalOctets, News news) {}

    /// How long nobody changes a zone before its file is written.
    static final Duration IDLE = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(ZoneFile.class);
    private static final Duration AFTER_TROUBLE = Duration.ofMinutes(1);

    /// Writing a large zone out may take a fiftieth of the time, as looking at files does.
    private static final int PAUSES_TO_WRITES = 50;

    /// A small zone needs no long history: a full transfer is shorter.
    private static final long LEAST_JOURNAL = 1_000_000;

    private static final int FILES_TO_JOURNAL = 4;
    private static final long MAX_HISTORY = 8_000_000;

    /// Up to here what was written is read back before it counts; of larger zones only the records
    /// of uncommon types are.
    private static final int READ_BACK = 50_000;

    private static final int BUFFER = 1 << 18;
    private static final int MAX_WARNINGS = 10;

    final ReentrantLock lock = new ReentrantLock();

    private final Name origin;
    private final Path file;
    private final Place place;

    private Optional<PackedZone> zone = Optional.empty();
    private Optional<ZoneJournal> journal = Optional.empty();

    /// The file as it was when we last read or wrote it, and at the last look.
    private Optional<FileStamp> taken = Optional.empty();

    private Optional<FileStamp> seen = Optional.empty();

    /// The same for those that it includes.
    private Map<Path, Optional<FileStamp>> included = Map.of();

    private Map<Path, Optional<FileStamp>> includedSeen = Map.of();

    /// What is in the file, as the journal knows it.
    private ZoneJournal.Text text = new ZoneJournal.Text(0, 0, false);

    /// Whether the file, as it is, could not be taken over.
    private boolean refused;

    private Instant due = Instant.MAX;
    private Duration pause = IDLE;
    private int warned;

    ZoneFile(Name origin, Path file, Place place) {
        this.origin = origin;
        this.file = file;
        this.place = place;
    }

    Path file() {
        return file;
    }

    /// Whether there is nothing to be remembered about it.
    boolean empty() {
        return zone.isEmpty() && taken.isEmpty() && seen.isEmpty();
    }

    /// Takes the file over when it has changed and is no longer being written.
    ///
    /// @param now how it is
    /// @param atOnce whether nobody can be writing it
    void look(FileStamp now, boolean atOnce) throws IOException {
        Optional<FileStamp> one = Optional.of(now);
        Map<Path, Optional<FileStamp>> parts =
                included.isEmpty() ? included : MasterFile.stamps(included.keySet());
        if (taken.equals(one) && parts.equals(included)) {
            seen = one;
            includedSeen = parts;
            return;
        }
        Instant time = place.clock().instant();
        boolean settled =
                atOnce
                        || now.settled(time)
                                && parts.values().stream()
                                        .allMatch(s -> s.isEmpty() || s.get().settled(time))
                        || seen.equals(one) && includedSeen.equals(parts);
        seen = one;
        includedSeen = parts;
        if (settled) {
            taken = one;
            take();
        }
    }

    /// Hears that the file is not there. Twice gone is gone; once may be an editor that renames.
    void gone() throws IOException {
        if (seen.isPresent()) {
            seen = Optional.empty();
        } else {
            taken = Optional.empty();
            if (zone.isPresent()) {
                LOG.warn("zone {}: {} has gone; the zone is served no more", origin, file);
                if (hasPending()) {
                    Path kept = withdrawnName();
                    write(zone.get(), kept);
                    LOG.warn("zone {}: the changes that were not in it are in {}", origin, kept);
                }
                forget();
            }
        }
    }

    void publish(PackedZone next) throws IOException {
        Path written = temporary(".next");
        ZoneJournal.Text text = write(next, written);
        List<ZoneChange> step = stepTo(next);
        Optional<ZoneJournal> before = journal;
        if (before.isPresent()) {
            long end = before.get().octets();
            try {
                before.get().append(step, text, step.isEmpty());
                putInPlace(written);
            } catch (IOException e) {
                undo(before.get(), end, e);
                throw e;
            }
        } else {
            putInPlace(written);
        }
        wrote(text);
        if (before.isPresent()) {
            before.get().wrote(before.get().next());
        }
        remember(before.isPresent() ? List.of() : step, step.isEmpty());
        zone = Optional.of(next);
        due = Instant.MAX;
        warn(ZoneChecks.of(next));
        place.news().published(next);
    }

    Optional<Zone> change(List<ZoneChange> steps) throws IOException {
        if (zone.isEmpty() || zone.get().serial() != steps.getFirst().from().getSerial()) {
            return Optional.empty();
        }
        requireChain(steps);
        PackedZone next = zone.get();
        for (ZoneChange step : steps) {
            next = next.with(step);
        }
        if (!fits(ZoneSteps.octets(steps).length)) {
            publish(next);
            return zone.map(Zone.class::cast);
        }
        if (journal.isPresent()) {
            journal.get().append(steps);
        } else {
            syncByHand();
            journal =
                    Optional.of(
                            ZoneJournal.create(
                                    journalFile(), place.disk(), text, List.of(), steps));
        }
        zone = Optional.of(next);
        due = place.clock().instant().plus(pause);
        place.news().changed(next, steps);
        if (hasPending() && journal.get().pendingOctets() > 2 * longest()) {
            writeOutNow();
        }
        return Optional.of(next);
    }

    Optional<List<ZoneChange>> changes(long since) throws IOException {
        if (zone.isPresent() && zone.get().serial() == since) {
            return Optional.of(List.of());
        }
        return zone.isPresent() && journal.isPresent()
                ? journal.get().since(since, MAX_HISTORY)
                : Optional.empty();
    }

    void withdraw() throws IOException {
        if (zone.isEmpty()) {
            throw new NoSuchFileException(origin.toString());
        }
        Path kept = withdrawnName();
        try {
            if (hasPending()) {
                write(zone.get(), kept);
                place.disk().sync(file.getParent());
                place.disk().delete(file);
            } else {
                place.disk().rename(file, kept);
            }
            place.disk().sync(file.getParent());
            LOG.info("zone {}: withdrawn; its records are in {}", origin, kept);
        } catch (NoSuchFileException e) {
            LOG.warn("zone {}: {} has gone already", origin, file);
        }
        taken = Optional.empty();
        seen = Optional.empty();
        forget();
    }

    /// Writes the current version as the master file when nobody has changed it for a while, or the
    /// journal has become long. Changes may come meanwhile. To be called without the lock.
    ///
    /// @return whether it was written
    boolean writeOut() {
        lock.lock();
        try {
            if (!hasPending()
                    || refused
                    || place.clock().instant().isBefore(due)
                            && journal.get().pendingOctets() <= longest()
                    || !asTaken()) {
                return false;
            }
        } catch (IOException e) {
            return trouble(e);
        } finally {
            lock.unlock();
        }
        return writeOut(temporary(".out"));
    }

    private boolean writeOut(Path written) {
        PackedZone version;
        ZoneJournal steps;
        ZoneJournal.Text base;
        long number;
        lock.lock();
        try {
            version = zone.orElseThrow();
            steps = journal.orElseThrow();
            base = text;
            number = steps.next();
        } finally {
            lock.unlock();
        }
        try {
            long begun = System.nanoTime();
            ZoneJournal.Text next = write(version, written);
            Duration took = Duration.ofNanos(System.nanoTime() - begun);
            lock.lock();
            try {
                if (journal.isEmpty() || journal.get() != steps || text != base || !asTaken()) {
                    place.disk().delete(written);
                    return false;
                }
                putInPlace(written, steps, next, number);
                Duration longer = took.multipliedBy(PAUSES_TO_WRITES);
                pause = longer.compareTo(IDLE) > 0 ? longer : IDLE;
                due = place.clock().instant().plus(pause);
                warn(ZoneChecks.of(version));
                return true;
            } finally {
                lock.unlock();
            }
        } catch (IOException e) {
            return trouble(e);
        }
    }

    /// Writes everything out that is only in the journal: the node stops.
    void close() throws IOException {
        Optional<FileStamp> now = FileStamp.of(file);
        if (zone.isPresent() && now.isPresent() && !now.equals(taken)) {
            look(now.get(), true);
        }
        if (hasPending() && !refused && asTaken()) {
            writeOutNow();
        }
        if (journal.isPresent()) {
            journal.get().trim();
        }
    }

    private void writeOutNow() {
        writeOut(temporary(".next"));
    }

    private boolean trouble(IOException e) {
        lock.lock();
        try {
            due = place.clock().instant().plus(AFTER_TROUBLE);
        } finally {
            lock.unlock();
        }
        LOG.error(
                "zone {}: {} cannot be written ({}); its changes stay in {}",
                origin,
                file,
                e.toString(),
                journalFile());
        return false;
    }

    private void take() {
        Map<Path, Optional<FileStamp>> parts = new HashMap<>();
        refused = true;
        try {
            MasterFile master = MasterFile.read(file, origin, parts);
            if (zone.isPresent()) {
                edited(master);
            } else {
                load(master);
            }
            refused = false;
        } catch (IllegalArgumentException e) {
            LOG.error("zone {}: {}; {}", origin, e.getMessage(), stays());
        } catch (IOException e) {
            LOG.error("zone {}: {} cannot be read ({}); {}", origin, file, e.toString(), stays());
        } finally {
            included = Map.copyOf(parts);
            includedSeen = included;
        }
    }

    /// Takes over a file that we meet for the first time, with the journal that is beside it.
    private void load(MasterFile master) throws IOException {
        text = master.text();
        PackedZone next = master.zone();
        journal = openJournal();
        if (journal.isPresent()) {
            Optional<ZoneJournal.Found> found = journal.get().fit(text);
            if (found.isPresent()) {
                text = found.get().text();
                next = after(next, found.get().pending());
            } else {
                next = withUnfit(next);
            }
        }
        due = place.clock().instant();
        current(next);
        warn(ZoneChecks.of(master.zone(), master.records()));
        place.news().published(next);
    }

    private Optional<ZoneJournal> openJournal() throws IOException {
        try {
            return ZoneJournal.open(journalFile(), place.disk());
        } catch (IOException e) {
            LOG.error(
                    "zone {}: {} cannot be read ({}); it is kept as {}",
                    origin,
                    journalFile(),
                    e.toString(),
                    ZoneJournal.aside(journalFile(), place.disk()));
            return Optional.empty();
        }
    }

    /// Somebody has changed the file while nobody looked: the journal knows another.
    private PackedZone withUnfit(PackedZone read) throws IOException {
        ZoneJournal found = journal.orElseThrow();
        List<ZoneChange> pending = found.pending();
        if (!pending.isEmpty() && ZoneSteps.fit(read, pending)) {
            PackedZone next = after(read, pending);
            syncByHand();
            journal =
                    Optional.of(
                            ZoneJournal.create(
                                    journalFile(), place.disk(), text, List.of(), pending));
            LOG.warn(
                    "zone {}: {} was edited while the node stood still; the changes to serial {}"
                            + " were made in it again",
                    origin,
                    file,
                    next.serial());
            return next;
        }
        journal = Optional.empty();
        Path aside = ZoneJournal.aside(journalFile(), place.disk());
        if (pending.isEmpty()) {
            LOG.info(
                    "zone {}: {} was edited while the node stood still; the history of its changes"
                            + " begins anew, and what was is in {}",
                    origin,
                    file,
                    aside);
        } else {
            LOG.warn(
                    "zone {}: {} with serial {} does not fit its journal, which leads to serial"
                            + " {}; {} records of it are not in the file; the journal is kept as"
                            + " {}",
                    origin,
                    file,
                    read.serial(),
                    pending.getLast().to().getSerial(),
                    ZoneSteps.missing(read, pending),
                    aside);
        }
        return read;
    }

    /// Takes over what a person has made of the file. The text wins.
    private void edited(MasterFile master) throws IOException {
        PackedZone before = zone.orElseThrow();
        PackedZone next = master.zone();
        boolean follows = Serial.follows(next.serial(), before.serial());
        long differing = follows && journal.isEmpty() ? 0 : ZoneSteps.differing(before, next);
        boolean same = !follows && before.serial() == next.serial() && differing == 0;
        if (!same && journal.isPresent() && (hasPending() || !follows)) {
            keepOurs(before, next, differing);
        } else if (!same && !follows) {
            LOG.warn(
                    "zone {}: serial {} does not follow {}; secondaries will not notice the"
                            + " change",
                    origin,
                    next.serial(),
                    before.serial());
        }
        place.disk().sync(file);
        List<ZoneChange> step = stepTo(next);
        if (journal.isPresent() && (same || !step.isEmpty())) {
            journal.get().append(step, master.text(), false);
            journal.get().wrote(journal.get().next());
            text = master.text();
            remember(List.of(), false);
        } else {
            text = master.text();
            remember(step, step.isEmpty() && !same);
        }
        due = Instant.MAX;
        current(next);
        warn(ZoneChecks.of(next, master.records()));
        place.news().published(next);
    }

    /// What the text does not have must not be lost without a word.
    private void keepOurs(PackedZone before, PackedZone next, long differing) throws IOException {
        Path kept = sibling(".before");
        Path written = temporary(".next");
        write(before, written);
        place.disk().rename(written, kept);
        place.disk().sync(kept.getParent());
        LOG.warn(
                "zone {}: {} with serial {} was edited beside changes up to serial {} and wins; {}"
                        + " records differ; the version with the changes is kept as {}",
                origin,
                file,
                next.serial(),
                before.serial(),
                differing,
                kept);
    }

    private static PackedZone after(PackedZone zone, List<ZoneChange> steps) {
        return steps.isEmpty() ? zone : ZoneSteps.joined(steps).map(zone::with).orElse(zone);
    }

    private void current(PackedZone next) {
        zone = Optional.of(next);
        LOG.info(
                "zone {}: serial {}, {} records, from {}{}",
                origin,
                next.serial(),
                next.size(),
                file,
                hasPending() ? " and its journal" : "");
    }

    /// What leads from the current version to the next, unless it does not follow or is too long to
    /// be remembered.
    private List<ZoneChange> stepTo(PackedZone next) {
        if (zone.isEmpty() || !Serial.follows(next.serial(), zone.get().serial())) {
            return List.of();
        }
        List<ZoneChange> step = List.of(ZoneChange.between(zone.get(), next));
        return fits(ZoneSteps.octets(step).length) ? step : List.of();
    }

    /// Keeps the history after the file was written or taken over.
    ///
    /// @param step is not in the journal yet
    private void remember(List<ZoneChange> step, boolean anew) {
        Optional<ZoneJournal> before = journal;
        try {
            if (anew) {
                journal = Optional.empty();
                if (before.isPresent()) {
                    before.get().delete();
                }
            } else if (before.isEmpty() && !step.isEmpty()) {
                journal =
                        Optional.of(
                                ZoneJournal.create(
                                        journalFile(), place.disk(), text, step, List.of()));
            } else if (before.isPresent() && before.get().octets() > longest()) {
                before.get().shorten(text, Math.min(longest() / 2, MAX_HISTORY));
            }
        } catch (IOException e) {
            // the version itself is safe
            LOG.error("zone {}: its history cannot be kept ({})", origin, e.toString());
        }
    }

    /// Makes a file that was written the master file.
    private void putInPlace(Path written, ZoneJournal steps, ZoneJournal.Text next, long number)
            throws IOException {
        long end = steps.octets();
        try {
            steps.append(next, number);
            putInPlace(written);
        } catch (IOException e) {
            undo(steps, end, e);
            throw e;
        }
        wrote(next);
        steps.wrote(number);
        remember(List.of(), false);
        steps.trim();
    }

    private void putInPlace(Path written) throws IOException {
        keepByHand();
        place.disk().rename(written, file);
        place.disk().sync(file.getParent());
    }

    private void undo(ZoneJournal journal, long end, IOException trouble) {
        try {
            journal.cut(end);
        } catch (IOException e) {
            trouble.addSuppressed(e); // the journal is made anew before it is used again
        }
    }

    private void wrote(ZoneJournal.Text next) throws IOException {
        text = next;
        taken = FileStamp.of(file);
        seen = taken;
        included = Map.of();
        includedSeen = included;
        refused = false;
    }

    /// Writes a version into a file; on disk when it returns.
    private ZoneJournal.Text write(PackedZone version, Path written) throws IOException {
        place.disk().delete(written);
        CRC32C sum = new CRC32C();
        long octets;
        try (FileChannel channel = place.disk().create(written)) {
            OutputStream direct =
                    new OutputStream() {
                        @Override
                        public void write(int octet) throws IOException {
                            write(new byte[] {(byte) octet}, 0, 1);
                        }

                        @Override
                        public void write(byte[] octets, int from, int length) throws IOException {
                            sum.update(octets, from, length);
                            place.disk().writeAll(channel, ByteBuffer.wrap(octets, from, length));
                        }
                    };
            OutputStream out = new BufferedOutputStream(direct, BUFFER);
            ZoneText.write(version, out);
            out.flush();
            octets = channel.position();
            place.disk().force(channel, true);
        }
        if (version.size() < READ_BACK) {
            requireReadable(version, written);
        }
        return new ZoneJournal.Text(octets, (int) sum.getValue(), true);
    }

    /// What cannot be read back must not become the only copy.
    private void requireReadable(PackedZone version, Path written) throws IOException {
        String lossy = "zone " + origin + ": cannot be written as text without loss";
        try {
            byte[] octets = Files.readAllBytes(written);
            PackedZone read =
                    new PackedZone(origin, ZoneText.read(origin, octets, written.toString()));
            if (read.size() != version.size() || read.serial() != version.serial()) {
                throw new IOException(lossy);
            }
        } catch (IllegalArgumentException e) {
            throw new IOException(lossy, e);
        }
    }

    /// Keeps what a person wrote, remarks and all, beside the file that we are about to replace.
    private void keepByHand() throws IOException {
        Optional<FileStamp> now = FileStamp.of(file);
        if (now.isPresent() && !(text.ours() && now.equals(taken))) {
            Path kept = sibling(".before");
            place.disk().delete(kept);
            place.disk().link(file, kept);
            if (!included.isEmpty()) {
                LOG.info(
                        "zone {}: {} is one file from now on; what it was, with $INCLUDE, is {}",
                        origin,
                        file,
                        kept);
            }
        }
    }

    /// What an editor wrote may be on its way to the disk still, and the journal is going to refer
    /// to it.
    private void syncByHand() throws IOException {
        if (!text.ours()) {
            try {
                place.disk().sync(file);
                for (Path part : included.keySet()) {
                    place.disk().sync(part);
                }
            } catch (NoSuchFileException e) {
                LOG.debug("zone {}: {} is away", origin, e.getMessage()); // the next look tells
            }
        }
    }

    /// Whether the file is as we know it.
    private boolean asTaken() throws IOException {
        return FileStamp.of(file).equals(taken);
    }

    private boolean hasPending() {
        return zone.isPresent() && journal.isPresent() && journal.get().hasPending();
    }

    /// How long the journal of this zone may become before the oldest steps go.
    private long longest() {
        return Math.min(
                place.journalOctets(), Math.max(LEAST_JOURNAL, FILES_TO_JOURNAL * text.octets()));
    }

    private boolean fits(long octets) {
        return octets <= longest() / 2;
    }

    private void forget() throws IOException {
        zone = Optional.empty();
        place.news().withdrawn(origin);
        Optional<ZoneJournal> before = journal;
        journal = Optional.empty();
        if (before.isPresent()) {
            before.get().delete();
        }
    }

    private void requireChain(List<ZoneChange> steps) {
        for (int i = 1; i < steps.size(); i++) {
            long had = steps.get(i - 1).to().getSerial();
            long from = steps.get(i).from().getSerial();
            if (had != from || !steps.get(i).origin().equals(origin)) {
                throw new IllegalArgumentException(
                        "zone "
                                + origin
                                + ": a step from "
                                + from
                                + " cannot follow one to "
                                + had);
            }
        }
    }

    /// Says what is odd about a version, once.
    private void warn(ZoneChecks checks) {
        List<String> warnings = checks.warnings();
        int digest = warnings.hashCode();
        if (digest == warned || warnings.isEmpty()) {
            warned = digest;
            return;
        }
        warned = digest;
        warnings.stream()
                .limit(MAX_WARNINGS)
                .forEach(warning -> LOG.warn("zone {}: {}", origin, warning));
        if (warnings.size() > MAX_WARNINGS) {
            LOG.warn("zone {}: and {} more of this", origin, warnings.size() - MAX_WARNINGS);
        }
    }

    private String stays() {
        return zone.map(each -> "serial " + each.serial() + " stays current")
                .orElse("the zone is not served");
    }

    Path journalFile() {
        return journalOf(file);
    }

    static Path journalOf(Path file) {
        String name = file.getFileName().toString();
        return file.resolveSibling(
                name.substring(0, name.length() - ZoneFileName.ENDING.length())
                        + ZoneFileName.JOURNAL);
    }

    private Path withdrawnName() {
        int n = 1;
        while (Files.exists(sibling(".withdrawn-" + n))) {
            n++;
        }
        return sibling(".withdrawn-" + n);
    }

    private Path temporary(String ending) {
        return sibling(ending);
    }

    private Path sibling(String ending) {
        return file.resolveSibling(file.getFileName() + ending);
    }
}
