package org.pabal.dns.recursive;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The names that hosts files and files of local data have, read again when a file has changed.
///
/// No thread watches: who asks looks, once in a few seconds, and all others go on with what is
/// there. A file that cannot be read any more, or has become nonsense, changes nothing but the log.
final class LocalFiles {

    private static final Logger LOG = LoggerFactory.getLogger(LocalFiles.class);

    /// How long a change may go unnoticed.
    static final Duration PERIOD = Duration.ofSeconds(5);

    /// All files together: a file that is longer was not meant.
    static final long MAX_OCTETS = 64_000_000;

    private static final long DEFAULT_TTL = 3600;

    /// The size of a file that is not there.
    private static final long GONE = -1;

    /// What a file looked like when it was read.
    private record Stamp(Path file, long octets, FileTime changed) {}

    private record Version(List<Stamp> stamps, LocalNames names) {}

    private final RouteSettings settings;
    private final Consumer<Set<Name>> changed;
    private final LongSupplier nanoTime;
    private final AtomicLong lookAgain;

    /// Replaced as a whole, by the one thread that moved [#lookAgain] on.
    private volatile Version version;

    /// @param changed hears of the names whose records are not what they were
    /// @param nanoTime as [System#nanoTime()]
    LocalFiles(RouteSettings settings, Consumer<Set<Name>> changed, LongSupplier nanoTime) {
        this.settings = settings;
        this.changed = changed;
        this.nanoTime = nanoTime;
        this.lookAgain = new AtomicLong(nanoTime.getAsLong() + PERIOD.toNanos());
        this.version = first(settings, stamps());
    }

    private static Version first(RouteSettings settings, List<Stamp> stamps) {
        try {
            return new Version(stamps, read(settings));
        } catch (IOException e) {
            LOG.error("resolver: no local names: {}", e.getMessage());
            return new Version(stamps, new LocalNames(List.of(), settings.localZones()));
        }
    }

    /// What is there at this moment.
    LocalNames current() {
        long due = lookAgain.get();
        if (nanoTime.getAsLong() - due >= 0
                && lookAgain.compareAndSet(due, nanoTime.getAsLong() + PERIOD.toNanos())) {
            look();
        }
        return version.names();
    }

    private void look() {
        Version before = version;
        List<Stamp> stamps = stamps();
        if (stamps.equals(before.stamps())) {
            return;
        }
        LocalNames after;
        try {
            after = read(settings);
            LOG.info("resolver: local names are read again: {} names", after.names().count());
        } catch (IOException e) {
            LOG.warn("resolver: local names stay as they were: {}", e.getMessage());
            after = before.names();
        }
        version = new Version(stamps, after);
        tell(before.names(), after);
    }

    private void tell(LocalNames before, LocalNames after) {
        Set<Name> names =
                Stream.concat(before.names(), after.names())
                        .filter(name -> !before.agrees(after, name))
                        .collect(Collectors.toSet());
        if (!names.isEmpty()) {
            changed.accept(names);
        }
    }

    private List<Stamp> stamps() {
        return settings.files().stream().map(LocalFiles::stamp).toList();
    }

    private static Stamp stamp(Path file) {
        try {
            return new Stamp(file, Files.size(file), Files.getLastModifiedTime(file));
        } catch (IOException e) {
            return new Stamp(file, GONE, FileTime.fromMillis(0));
        }
    }

    /// @throws IOException in one line that names the file
    static LocalNames read(RouteSettings settings) throws IOException {
        long octets = 0;
        List<Record> records = new ArrayList<>();
        for (Path file : settings.hosts()) {
            octets = counted(file, octets);
            // names in any other charset than this are no names
            records.addAll(
                    HostsFile.read(
                            new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
                                    .lines()
                                    .toList()));
        }
        for (Path file : settings.localData()) {
            octets = counted(file, octets);
            records.addAll(masterFile(file));
        }
        return new LocalNames(records, settings.localZones());
    }

    private static long counted(Path file, long before) throws IOException {
        if (!Files.isReadable(file)) {
            throw new IOException(file + ": cannot be read");
        }
        long octets = before + Files.size(file);
        if (octets > MAX_OCTETS) {
            throw new IOException(file + ": more than " + MAX_OCTETS / 1_000_000 + " MB");
        }
        return octets;
    }

    /// RFC 1035 §5; names that are not absolute end at the root.
    private static List<Record> masterFile(Path file) throws IOException {
        List<Record> records = new ArrayList<>();
        byte[] octets = Files.readAllBytes(file);
        try (Master master = new Master(new ByteArrayInputStream(octets), Name.root, DEFAULT_TTL)) {
            master.disableIncludes(true);
            for (Record record = master.nextRecord();
                    record != null;
                    record = master.nextRecord()) {
                if (record.getDClass() != DClass.IN) {
                    throw new IOException(record.getName() + ": a record that is not of class IN");
                }
                records.add(record);
            }
        } catch (IOException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
        return records;
    }
}
