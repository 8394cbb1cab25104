package org.pabal.storage.file;

import org.pabal.dns.ZoneKey;
import org.pabal.dns.ZoneKeyStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Keys of zones as pairs of files in one directory that only its owner may enter:
/// `Kexample.org.+013+12345.key` and `.private`, as other name servers have them.
///
/// The directory is read once, when the store is opened. A pair of which one half is missing, or
/// that cannot be read, is passed over and told of in the log: the other zones do not suffer.
final class FileZoneKeyStore implements ZoneKeyStore {

    private static final Logger LOG = LoggerFactory.getLogger(FileZoneKeyStore.class);
    private static final String PUBLIC = ".key";
    private static final String PRIVATE = ".private";
    private static final long MAX_FILE_OCTETS = 65_536;
    private static final Comparator<ZoneKey> OLDEST_FIRST =
            Comparator.comparing(ZoneKey::created).thenComparing(ZoneKey::tag);

    private final Path directory;
    private final Disk disk;
    private final Map<Name, List<ZoneKey>> keys = new ConcurrentHashMap<>();

    /// The names of files without their endings, for those that have other names than we would
    /// give. Guarded by this.
    private final Map<ZoneKey, String> names = new ConcurrentHashMap<>();

    /// Reads all keys.
    ///
    /// @param directory made when it is not there
    FileZoneKeyStore(Path directory, Disk disk) throws IOException {
        this.directory = directory;
        this.disk = disk;
        disk.makeDirectories(directory);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "K*" + PRIVATE)) {
            for (Path file : files) {
                take(file);
            }
        }
    }

    @Override
    public List<ZoneKey> keys(Name origin) {
        return keys.getOrDefault(origin, List.of());
    }

    @Override
    public synchronized void keep(ZoneKey key) throws IOException {
        ZoneKey kept = inSeconds(key);
        String name = name(key);
        // The half that counts comes last: a key whose private half is not there is none.
        if (keys(key.origin()).stream().noneMatch(key::is)) {
            disk.replace(
                    directory.resolve(name + PUBLIC),
                    ZoneKeyText.publicText(kept).getBytes(StandardCharsets.US_ASCII));
        }
        disk.replace(
                directory.resolve(name + PRIVATE),
                ZoneKeyText.privateText(kept).getBytes(StandardCharsets.US_ASCII));
        put(kept);
    }

    @Override
    public synchronized void remove(ZoneKey key) throws IOException {
        List<ZoneKey> rest = new ArrayList<>(keys(key.origin()));
        if (!rest.removeIf(key::is)) {
            throw new NoSuchFileException(key.toString());
        }
        Files.deleteIfExists(directory.resolve(name(key) + PRIVATE));
        Files.deleteIfExists(directory.resolve(name(key) + PUBLIC));
        disk.sync(directory);
        names.keySet().removeIf(key::is);
        if (rest.isEmpty()) {
            keys.remove(key.origin());
        } else {
            keys.put(key.origin(), List.copyOf(rest));
        }
    }

    private void take(Path file) throws IOException {
        String name = file.getFileName().toString();
        String base = name.substring(0, name.length() - PRIVATE.length());
        Path other = directory.resolve(base + PUBLIC);
        try {
            if (Files.size(file) > MAX_FILE_OCTETS || Files.size(other) > MAX_FILE_OCTETS) {
                throw new IOException(file + ": expected at most " + MAX_FILE_OCTETS + " octets");
            }
            ZoneKey key =
                    ZoneKeyText.read(
                            Files.readString(other, StandardCharsets.ISO_8859_1),
                            Files.readString(file, StandardCharsets.ISO_8859_1),
                            file.toString());
            put(key);
            names.put(key, base);
        } catch (NoSuchFileException e) {
            LOG.error("{}: passed over: {} is missing", file, e.getFile());
        } catch (IOException e) {
            LOG.error("key passed over: {}", e.getMessage());
        }
    }

    private void put(ZoneKey key) {
        List<ZoneKey> next = new ArrayList<>(keys(key.origin()));
        next.removeIf(key::is);
        next.add(key);
        next.sort(OLDEST_FIRST);
        keys.put(key.origin(), List.copyOf(next));
    }

    /// The name of its files, without their ending.
    private String name(ZoneKey key) {
        for (Map.Entry<ZoneKey, String> each : names.entrySet()) {
            if (each.getKey().is(key)) {
                return each.getValue();
            }
        }
        String file = ZoneFileName.of(key.origin());
        String origin =
                key.origin().equals(Name.root)
                        ? ""
                        : file.substring(0, file.length() - ZoneFileName.ENDING.length());
        return "K%s.+%03d+%05d".formatted(origin, key.algorithm(), key.tag());
    }

    /// What a file can say of times.
    private static ZoneKey inSeconds(ZoneKey key) {
        return new ZoneKey(
                key.dnskey(),
                key.secret(),
                key.created().truncatedTo(ChronoUnit.SECONDS),
                key.published().map(at -> at.truncatedTo(ChronoUnit.SECONDS)),
                key.active().map(at -> at.truncatedTo(ChronoUnit.SECONDS)),
                key.inactive().map(at -> at.truncatedTo(ChronoUnit.SECONDS)),
                key.seen().map(at -> at.truncatedTo(ChronoUnit.SECONDS)),
                key.removal().map(at -> at.truncatedTo(ChronoUnit.SECONDS)));
    }
}
