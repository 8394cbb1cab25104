package org.pabal.storage.file;

import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Zones as master files in one directory, a file a zone, that a person may edit while the node
/// runs.
///
/// Whoever asks gets what is in memory. [#scan()] looks for files that have come, changed or gone,
/// and takes over what has been left alone since the last look, so that no half-written file is
/// ever served. A file that cannot be read or served is told of in the log with its line, once; the
/// version before stays current, and the other zones do not suffer.
final class FileZoneStore implements ZoneStore {

    private static final Logger LOG = LoggerFactory.getLogger(FileZoneStore.class);
    private static final long MAX_FILE_OCTETS = 1_000_000_000;

    private final Path directory;
    private final InstantSource clock;
    private final Disk disk;
    private final ConcurrentSkipListMap<Name, PackedZone> zones = new ConcurrentSkipListMap<>();
    private final List<ZoneObserver> observers = new CopyOnWriteArrayList<>();

    /// Held by whoever changes zones or observers; the maps below are guarded by it.
    private final ReentrantLock changes = new ReentrantLock();

    private final Map<Name, Known> known = new HashMap<>();
    private final Set<String> complained = new HashSet<>();

    /// What we know about the file of a zone.
    ///
    /// @param taken as it was when we last read or wrote it; empty for a file that we have only
    ///     seen
    /// @param seen as it was at the last look; empty when it was gone
    /// @param ours whether we wrote what was taken
    private record Known(
            Path file, Optional<FileStamp> taken, Optional<FileStamp> seen, boolean ours) {}

    /// Reads every zone. @param directory made when it is not there
    FileZoneStore(Path directory, InstantSource clock, Disk disk) throws IOException {
        this.directory = directory;
        this.clock = clock;
        this.disk = disk;
        disk.makeDirectories(directory);
        look(true);
    }

    @Override
    public Optional<Zone> find(Name origin) {
        return Optional.ofNullable(zones.get(origin));
    }

    @Override
    public Stream<Zone> zones() {
        return zones.values().stream().map(Zone.class::cast);
    }

    @Override
    public void publish(Zone next) throws IOException {
        List<Record> records = new ArrayList<>();
        next.all()
                .forEach(
                        set -> {
                            records.addAll(set.rrs(false));
                            records.addAll(set.sigs());
                        });
        PackedZone zone = new PackedZone(next.origin(), records);
        byte[] text = ZoneText.write(zone);
        // What cannot be read back must not become the only copy.
        PackedZone read =
                new PackedZone(
                        zone.origin(),
                        ZoneText.read(zone.origin(), text, ZoneFileName.of(zone.origin())));
        if (read.size() != zone.size() || read.serial() != zone.serial()) {
            throw new IOException(
                    "zone " + zone.origin() + ": cannot be written as text without loss");
        }
        changes.lock();
        try {
            Known before = known.get(zone.origin());
            Path file =
                    before != null
                            ? before.file()
                            : directory.resolve(ZoneFileName.of(zone.origin()));
            if (before != null) {
                keepByHand(before);
            }
            disk.replace(file, text);
            Optional<FileStamp> stamp = FileStamp.of(file);
            known.put(zone.origin(), new Known(file, stamp, stamp, true));
            zones.put(zone.origin(), zone);
            tell(observer -> observer.published(zone));
        } finally {
            changes.unlock();
        }
    }

    @Override
    public Optional<Zone> change(List<ZoneChange> steps) throws IOException {
        changes.lock();
        try {
            PackedZone zone = zones.get(steps.getFirst().origin());
            if (zone == null || zone.serial() != steps.getFirst().from().getSerial()) {
                return Optional.empty();
            }
            for (ZoneChange step : steps) {
                zone = zone.with(step);
            }
            publish(zone);
            return Optional.of(zones.get(zone.origin()));
        } finally {
            changes.unlock();
        }
    }

    @Override
    public Optional<List<ZoneChange>> changes(Name origin, long since) {
        return find(origin).filter(zone -> zone.serial() == since).map(zone -> List.of());
    }

    @Override
    public void withdraw(Name origin) throws IOException {
        changes.lock();
        try {
            if (!zones.containsKey(origin)) {
                throw new NoSuchFileException(origin.toString());
            }
            Path file = known.get(origin).file();
            int n = 1;
            while (Files.exists(withdrawn(file, n))) {
                n++;
            }
            try {
                disk.rename(file, withdrawn(file, n));
                disk.sync(directory);
            } catch (NoSuchFileException e) {
                LOG.warn("zone {}: {} has gone already", origin, file);
            }
            forget(origin);
            LOG.info("zone {}: withdrawn; its records are in {}", origin, withdrawn(file, n));
        } finally {
            changes.unlock();
        }
    }

    /// Tells an observer of every change from now on.
    ///
    /// @param observer is made, and reads [#zones()], while nothing is published: it misses no
    ///     version
    /// @return the observer, or `null` when there is none
    ZoneObserver observe(Supplier<ZoneObserver> observer) {
        changes.lock();
        try {
            ZoneObserver one = observer.get();
            if (one != null) {
                observers.add(one);
            }
            return one;
        } finally {
            changes.unlock();
        }
    }

    void ignore(ZoneObserver observer) {
        observers.remove(observer);
    }

    /// Takes over what has changed in the directory.
    void scan() throws IOException {
        look(false);
    }

    private void look(boolean atOnce) throws IOException {
        changes.lock();
        try {
            Instant now = clock.instant();
            Set<Name> present = new HashSet<>();
            try (DirectoryStream<Path> files =
                    Files.newDirectoryStream(directory, "*" + ZoneFileName.ENDING)) {
                for (Path file : files) {
                    Optional<FileStamp> stamp = FileStamp.of(file);
                    Optional<Name> origin = origin(file);
                    if (stamp.isPresent() && origin.isPresent() && present.add(origin.get())) {
                        look(file, origin.get(), stamp.get(), atOnce || stamp.get().settled(now));
                    }
                }
            }
            known.keySet().stream()
                    .filter(origin -> !present.contains(origin))
                    .toList()
                    .forEach(this::gone);
        } finally {
            changes.unlock();
        }
    }

    private void look(Path file, Name origin, FileStamp stamp, boolean settled) {
        Known before = known.get(origin);
        Optional<FileStamp> now = Optional.of(stamp);
        if (before == null) {
            before = new Known(file, Optional.empty(), Optional.empty(), false);
        }
        if (before.taken().equals(now)) {
            known.put(origin, new Known(file, before.taken(), now, before.ours()));
        } else if (settled || before.seen().equals(now)) {
            known.put(origin, new Known(file, now, now, false));
            take(file, origin);
        } else {
            known.put(origin, new Known(file, before.taken(), now, before.ours()));
        }
    }

    private void take(Path file, Name origin) {
        PackedZone before = zones.get(origin);
        try {
            if (Files.size(file) > MAX_FILE_OCTETS) {
                throw new IllegalArgumentException(
                        file + ": expected at most " + MAX_FILE_OCTETS + " octets");
            }
            List<Record> records = ZoneText.read(origin, Files.readAllBytes(file), file.toString());
            PackedZone zone = checked(file, origin, records);
            zones.put(origin, zone);
            LOG.info(
                    "zone {}: serial {}, {} records, from {}",
                    origin,
                    zone.serial(),
                    zone.size(),
                    file);
            // RFC 1982 §3.2
            if (before != null && (int) (zone.serial() - before.serial()) <= 0) {
                LOG.warn(
                        "zone {}: serial {} does not follow {}; secondaries will not notice the"
                                + " change",
                        origin,
                        zone.serial(),
                        before.serial());
            }
            tell(observer -> observer.published(zone));
        } catch (IllegalArgumentException e) {
            LOG.error("zone {}: {}; {}", origin, e.getMessage(), stays(before));
        } catch (IOException e) {
            LOG.error(
                    "zone {}: {} cannot be read ({}); {}",
                    origin,
                    file,
                    e.toString(),
                    stays(before));
        }
    }

    private static PackedZone checked(Path file, Name origin, List<Record> records) {
        try {
            return new PackedZone(origin, records);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    file + ": " + e.getMessage().replaceFirst("^zone \\S+: ", ""), e);
        }
    }

    private static String stays(PackedZone before) {
        return before == null
                ? "the zone is not served"
                : "serial " + before.serial() + " stays current";
    }

    /// Twice gone is gone; once may be an editor that renames.
    private void gone(Name origin) {
        Known before = known.get(origin);
        if (before.seen().isPresent()) {
            known.put(
                    origin,
                    new Known(before.file(), before.taken(), Optional.empty(), before.ours()));
        } else if (zones.containsKey(origin)) {
            LOG.warn("zone {}: {} has gone; the zone is served no more", origin, before.file());
            forget(origin);
        } else {
            known.remove(origin);
        }
    }

    private void forget(Name origin) {
        known.remove(origin);
        zones.remove(origin);
        tell(observer -> observer.withdrawn(origin));
    }

    private Optional<Name> origin(Path file) {
        Optional<Name> origin = ZoneFileName.origin(file.getFileName().toString());
        if (origin.isEmpty() && complained.add(file.toString())) {
            LOG.error(
                    "{}: passed over: expected the file to be named for its zone, for example"
                            + " example.org.zone",
                    file);
        }
        Known other = origin.map(known::get).orElse(null);
        if (other != null && !other.file().equals(file) && Files.exists(other.file())) {
            if (complained.add(file.toString())) {
                LOG.error("{}: passed over: {} is the same zone", file, other.file());
            }
            return Optional.empty();
        }
        return origin;
    }

    /// Keeps what a person wrote, remarks and all, beside the file that we are about to replace.
    private void keepByHand(Known before) throws IOException {
        Optional<FileStamp> now = FileStamp.of(before.file());
        if (now.isPresent() && !(before.ours() && now.equals(before.taken()))) {
            Path kept = before.file().resolveSibling(before.file().getFileName() + ".before");
            Files.deleteIfExists(kept);
            disk.link(before.file(), kept);
        }
    }

    private static Path withdrawn(Path file, int n) {
        return file.resolveSibling(file.getFileName() + ".withdrawn-" + n);
    }

    private void tell(Consumer<ZoneObserver> news) {
        for (ZoneObserver observer : observers) {
            try {
                news.accept(observer);
            } catch (RuntimeException e) {
                LOG.error("{} cannot take over a zone", observer.getClass().getName(), e);
            }
        }
    }
}
