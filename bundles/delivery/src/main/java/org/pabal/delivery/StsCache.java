package org.pabal.delivery;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// MTA-STS policies on disk, so that a restart does not forget whom nobody may impersonate (RFC
/// 8461 §5.1). A file for each domain, named so: two lines of ours, an empty one, and the policy as
/// it was fetched. Any of them may be looked at, and removed while the node does not run.
///
/// ```
/// id: 20160831085700Z
/// fetched: 2026-11-22T12:00:00Z
///
/// version: STSv1
/// mode: enforce
/// …
/// ```
final class StsCache {

    private static final Logger log = LoggerFactory.getLogger(StsCache.class);

    private static final int MAX_FILES = 10_000;

    /// What a file has above the policy.
    private static final int MAX_HEAD = 200;

    /// A policy and when it came.
    record Kept(StsPolicy policy, Instant fetched) {

        Instant expires() {
            return fetched.plus(policy.maxAge());
        }

        /// When it is to be fetched anew, in good time before it expires.
        Instant refresh(Duration atMost) {
            Duration half = policy.maxAge().dividedBy(2);
            return fetched.plus(half.compareTo(atMost) < 0 ? half : atMost);
        }

        String words() {
            return policy.mode().name().toLowerCase(Locale.ROOT)
                    + ", "
                    + String.join(" ", policy.hosts().stream().limit(10).toList())
                    + (policy.hosts().size() > 10 ? " and others" : "")
                    + ", until "
                    + expires();
        }
    }

    private final Path directory;
    private final int maxFiles;
    private int files = -1;

    /// @param directory made when there is something to put into it
    StsCache(Path directory) {
        this(directory, MAX_FILES);
    }

    StsCache(Path directory, int maxFiles) {
        this.directory = directory;
        this.maxFiles = maxFiles;
    }

    /// The policy of a domain, expired or not. One that cannot be read is as good as none: it is
    /// fetched again.
    Optional<Kept> read(String domain) {
        byte[] octets;
        try (InputStream file = Files.newInputStream(directory.resolve(domain))) {
            octets = file.readNBytes(MAX_HEAD + StsPolicy.MAX_OCTETS + 1);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            log.warn("{}: cannot be read: {}", directory.resolve(domain), e.toString());
            return Optional.empty();
        }
        try {
            String[] parts = new String(octets, StandardCharsets.UTF_8).split("\n\n", 2);
            String[] head = parts[0].split("\n");
            if (parts.length != 2
                    || head.length != 2
                    || !head[0].matches("id: [A-Za-z0-9]{1,32}")
                    || !head[1].startsWith("fetched: ")) {
                throw new IOException("does not begin with id: and fetched:");
            }
            Instant fetched = Instant.parse(head[1].substring("fetched: ".length()));
            return Optional.of(
                    new Kept(
                            StsPolicy.parse(
                                    head[0].substring("id: ".length()),
                                    parts[1].getBytes(StandardCharsets.UTF_8)),
                            fetched));
        } catch (IOException | DateTimeException e) {
            log.warn(
                    "{}: is no kept MTA-STS policy: {}; it is fetched again",
                    directory.resolve(domain),
                    e.getMessage());
            return Optional.empty();
        }
    }

    /// Keeps a policy in place of the one before. When that cannot be done it is known until the
    /// end of the process.
    synchronized void write(String domain, Kept kept) {
        try {
            Files.createDirectories(directory);
            if (files < 0 || files >= maxFiles) {
                makeRoom();
            }
            Path file = directory.resolve(domain);
            boolean another = Files.notExists(file);
            Path next = Files.createTempFile(directory, ".", ".new");
            try {
                Files.writeString(
                        next,
                        "id: "
                                + kept.policy().id()
                                + "\nfetched: "
                                + kept.fetched()
                                + "\n\n"
                                + String.join("\n", kept.policy().lines())
                                + "\n");
                Files.setLastModifiedTime(next, FileTime.from(kept.fetched()));
                Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(next);
            }
            files += another ? 1 : 0;
        } catch (IOException e) {
            log.error("{}: an MTA-STS policy cannot be kept: {}", directory, e.toString());
        }
    }

    /// Counts the files; of too many a tenth goes, those that were fetched first: a policy in use
    /// is never older than a day.
    private void makeRoom() throws IOException {
        List<Path> all = new ArrayList<>();
        try (Stream<Path> found = Files.list(directory)) {
            for (Path file : (Iterable<Path>) found::iterator) {
                if (file.getFileName().toString().startsWith(".")) {
                    Files.deleteIfExists(file); // left over from a crash
                } else {
                    all.add(file);
                }
            }
        }
        files = all.size();
        if (files >= maxFiles) {
            List<Path> oldest =
                    all.stream()
                            .sorted(Comparator.comparing(StsCache::fetched))
                            .limit(files - maxFiles + 1 + maxFiles / 10)
                            .toList();
            for (Path file : oldest) {
                Files.deleteIfExists(file);
            }
            files -= oldest.size();
            log.info("{}: full, the {} oldest policies have gone", directory, oldest.size());
        }
    }

    private static FileTime fetched(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException e) {
            return FileTime.fromMillis(0);
        }
    }
}
