package org.pabal.storage.file;

import org.pabal.dns.PackedZone;
import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneObserver;
import org.pabal.dns.ZoneStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Zones as master files in one directory, a file a zone with a journal of changes beside it, that
/// a person may edit while the node runs.
///
/// Whoever asks gets what is in memory. [#scan()] looks for files that have come, changed or gone,
/// and takes over what has been left alone since the last look, so that no half-written file is
/// ever served. A file that cannot be read or served is told of in the log with its line, once; the
/// version before stays current, and the other zones do not suffer.
///
/// Each zone has a lock of its own in its [ZoneFile], so that no zone waits for the disk of
/// another. Observers hear of the versions when that lock is free again, one after the other.
final class FileZoneStore implements ZoneStore, AutoCloseable {

    static final long JOURNAL_OCTETS = 32_000_000;

    private static final Logger LOG = LoggerFactory.getLogger(FileZoneStore.class);

    /// How long [#writeOut()] may keep [#scan()] waiting.
    /// A zone of so many records is worth a full collection after it was read.
    private static final int LARGE = 500_000;

    private static final Duration TURN = Duration.ofSeconds(1);

    private static final Set<String> LEFT_BEHIND =
            Set.of(".zone.next", ".zone.out", ".journal.next");

    private interface Work<T> {
        T with(ZoneFile file) throws IOException;
    }

    private final Path directory;
    private final ZoneFile.Place place;
    private final Map<Name, ZoneFile> files = new ConcurrentHashMap<>();
    private final ConcurrentSkipListMap<Name, PackedZone> zones = new ConcurrentSkipListMap<>();
    private final List<ZoneObserver> observers = new CopyOnWriteArrayList<>();

    private volatile boolean leftOvers;

    /// What observers are to hear, in the order in which it happened.
    private final Queue<Runnable> news = new ConcurrentLinkedQueue<>();

    /// Held by whoever tells them; nobody waits for it who holds a zone.
    private final ReentrantLock telling = new ReentrantLock();

    /// Held by whoever looks at the directory; guards what follows.
    private final ReentrantLock looking = new ReentrantLock();

    private final Map<String, Optional<Name>> origins = new HashMap<>();
    private final Set<String> complained = new HashSet<>();

    private volatile boolean closed;

    FileZoneStore(Path directory, InstantSource clock, Disk disk) throws IOException {
        this(directory, clock, disk, JOURNAL_OCTETS);
    }

    /// Reads every zone.
    ///
    /// @param directory made when it is not there
    /// @param journalOctets how long the journal of a zone may become
    FileZoneStore(Path directory, InstantSource clock, Disk disk, long journalOctets)
            throws IOException {
        this.directory = directory;
        this.place = new ZoneFile.Place(disk, clock, journalOctets, new ToObservers());
        disk.makeDirectories(directory);
        long begun = System.nanoTime();
        tidy();
        look(true);
        requireMasterFiles();
        giveBack();
        LOG.info(
                "{} zones from {} in {} ms",
                zones.size(),
                directory,
                (System.nanoTime() - begun) / 1_000_000);
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
        PackedZone zone = PackedZone.of(next);
        Path file = directory.resolve(ZoneFileName.of(zone.origin()));
        with(
                zone.origin(),
                file,
                one -> {
                    one.publish(zone);
                    return true;
                });
        giveBack();
    }

    @Override
    public Optional<Zone> change(List<ZoneChange> steps) throws IOException {
        Name origin = steps.getFirst().origin();
        return with(origin, one -> one.change(steps)).flatMap(changed -> changed);
    }

    @Override
    public Optional<List<ZoneChange>> changes(Name origin, long since) throws IOException {
        return with(origin, one -> one.changes(since)).flatMap(steps -> steps);
    }

    @Override
    public void withdraw(Name origin) throws IOException {
        with(
                        origin,
                        one -> {
                            one.withdraw();
                            return true;
                        })
                .orElseThrow(() -> new NoSuchFileException(origin.toString()));
    }

    /// Tells an observer of every change from now on.
    ///
    /// @param observer is made, and reads [#zones()], while nothing is told: it misses no version
    /// @return the observer, or `null` when there is none
    ZoneObserver observe(Supplier<ZoneObserver> observer) {
        telling.lock();
        try {
            ZoneObserver one = observer.get();
            if (one != null) {
                observers.add(one);
            }
            return one;
        } finally {
            telling.unlock();
        }
    }

    void ignore(ZoneObserver observer) {
        observers.remove(observer);
    }

    /// Takes over what has changed in the directory.
    void scan() throws IOException {
        look(false);
        giveBack();
    }

    /// Writes the master files of zones that nobody has changed for a while, so that what a person
    /// opens is current.
    void writeOut() {
        long begun = System.nanoTime();
        for (ZoneFile file : files.values()) {
            file.writeOut();
            if (System.nanoTime() - begun > TURN.toNanos()) {
                return; // the others next time
            }
        }
    }

    /// Writes every master file that is not current. Nothing is published or changed from then on.
    @Override
    public void close() {
        closed = true;
        for (ZoneFile file : files.values()) {
            file.lock.lock();
            try {
                file.close();
            } catch (IOException e) {
                LOG.error(
                        "{}: cannot be written ({}); its changes stay in its journal",
                        file.file(),
                        e.toString());
            } finally {
                file.lock.unlock();
            }
        }
        tell();
    }

    private void look(boolean atOnce) throws IOException {
        looking.lock();
        try {
            Set<String> names = new HashSet<>();
            Set<Name> present = new HashSet<>();
            try (DirectoryStream<Path> list =
                    Files.newDirectoryStream(directory, "*" + ZoneFileName.ENDING)) {
                for (Path file : list) {
                    names.add(file.getFileName().toString());
                    Optional<Name> origin = origin(file);
                    if (origin.isPresent()) {
                        look(file, origin.get(), present, atOnce);
                    }
                }
            }
            for (Name origin : files.keySet()) {
                if (!present.contains(origin)) {
                    gone(origin);
                }
            }
            if (origins.size() > 2 * names.size() + 100) {
                origins.keySet().retainAll(names);
                complained.clear();
            }
        } finally {
            looking.unlock();
        }
    }

    private void look(Path file, Name origin, Set<Name> present, boolean atOnce)
            throws IOException {
        Optional<FileStamp> stamp = FileStamp.of(file);
        if (stamp.isEmpty()) {
            return;
        }
        ZoneFile known = files.get(origin);
        if (known != null && !known.file().equals(file) && Files.exists(known.file())) {
            if (complained.add(file.toString())) {
                LOG.error("{}: passed over: {} is the same zone", file, known.file());
            }
            return;
        }
        present.add(origin);
        try {
            with(
                    origin,
                    file,
                    one -> {
                        one.look(stamp.get(), atOnce);
                        return true;
                    });
        } catch (IOException e) {
            LOG.error("zone {}: {} cannot be looked at ({})", origin, file, e.toString());
        }
    }

    private void gone(Name origin) {
        try {
            with(
                    origin,
                    one -> {
                        one.gone();
                        return true;
                    });
        } catch (IOException e) {
            if (complained.add("gone " + origin)) {
                LOG.error("zone {}: cannot be put away ({})", origin, e.toString());
            }
        }
    }

    private Optional<Name> origin(Path file) {
        return origins.computeIfAbsent(
                file.getFileName().toString(),
                name -> {
                    Optional<Name> origin = ZoneFileName.origin(name);
                    if (origin.isEmpty()) {
                        LOG.error(
                                "{}: passed over: expected the file to be named for its zone, for"
                                        + " example example.org.zone",
                                file);
                    }
                    return origin;
                });
    }

    /// Removes files that a crash left half written.
    private void tidy() throws IOException {
        try (DirectoryStream<Path> list = Files.newDirectoryStream(directory, "*.{next,out}")) {
            for (Path file : list) {
                String name = file.getFileName().toString();
                if (LEFT_BEHIND.stream().anyMatch(name::endsWith)) {
                    place.disk().delete(file);
                }
            }
        }
    }

    /// A journal without its master file is what a withdrawal leaves that was interrupted; or
    /// somebody has taken the file away.
    private void requireMasterFiles() throws IOException {
        List<Path> journals = new ArrayList<>();
        try (DirectoryStream<Path> list =
                Files.newDirectoryStream(directory, "*" + ZoneFileName.JOURNAL)) {
            list.forEach(journals::add);
        }
        Set<Path> owned = new HashSet<>();
        files.values().forEach(file -> owned.add(file.journalFile()));
        for (Path journal : journals) {
            if (!owned.contains(journal)) {
                Path aside = ZoneJournal.aside(journal, place.disk());
                LOG.warn("{}: there is no such zone; kept as {}", journal, aside);
            }
        }
    }

    /// Does something with a zone that there is.
    private <T> Optional<T> with(Name origin, Work<T> work) throws IOException {
        for (ZoneFile file = files.get(origin); file != null; file = files.get(origin)) {
            Optional<T> done = with(file, origin, work);
            if (done.isPresent()) {
                return done;
            }
        }
        return Optional.empty();
    }

    /// Does something with a zone, which may be new.
    private <T> T with(Name origin, Path path, Work<T> work) throws IOException {
        while (true) {
            ZoneFile file = files.computeIfAbsent(origin, name -> new ZoneFile(name, path, place));
            Optional<T> done = with(file, origin, work);
            if (done.isPresent()) {
                return done.get();
            }
        }
    }

    /// @return empty when the zone was put away meanwhile
    private <T> Optional<T> with(ZoneFile file, Name origin, Work<T> work) throws IOException {
        file.lock.lock();
        try {
            if (closed) {
                throw new IOException("zone " + origin + ": the node stops");
            }
            if (files.get(origin) != file) {
                return Optional.empty();
            }
            return Optional.of(work.with(file));
        } finally {
            if (file.empty()) {
                files.remove(origin, file);
            }
            file.lock.unlock();
            tell();
        }
    }

    /// Tells the observers what they have not heard yet.
    private void tell() {
        telling.lock();
        try {
            for (Runnable next = news.poll(); next != null; next = news.poll()) {
                next.run();
            }
        } finally {
            telling.unlock();
        }
    }

    private void tell(Consumer<ZoneObserver> one) {
        for (ZoneObserver observer : observers) {
            try {
                one.accept(observer);
            } catch (RuntimeException e) {
                LOG.error("{} cannot take over a zone", observer.getClass().getName(), e);
            }
        }
    }

    /// A large zone leaves its text behind, and the version before, which is outside of the heap
    /// for the most part: nothing would bring a full collection about for a long time.
    private void giveBack() {
        if (leftOvers) {
            leftOvers = false;
            System.gc();
        }
    }

    /// Makes a version the one that is found, and then tells of it.
    private final class ToObservers implements ZoneFile.News {

        @Override
        public void published(PackedZone zone) {
            news.add(
                    () -> {
                        zones.put(zone.origin(), zone);
                        leftOvers |= zone.size() >= LARGE;
                        tell(observer -> observer.published(zone));
                    });
        }

        @Override
        public void changed(PackedZone zone, List<ZoneChange> steps) {
            news.add(
                    () -> {
                        zones.put(zone.origin(), zone);
                        tell(observer -> observer.changed(zone, steps));
                    });
        }

        @Override
        public void withdrawn(Name origin) {
            news.add(
                    () -> {
                        zones.remove(origin);
                        tell(observer -> observer.withdrawn(origin));
                    });
        }
    }
}
