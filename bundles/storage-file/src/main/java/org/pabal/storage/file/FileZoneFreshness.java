package org.pabal.storage.file;

import org.pabal.dns.ZoneFreshness;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;

/// When zones were confirmed, in one text file: `2026-11-01T12:00:00Z example.org.`, a line each
/// time, and `never example.org.` where one is forgotten. The last line about a zone counts.
///
/// Lines are added and not synced: what a power loss takes makes a zone older than it is, which is
/// safe. When there are far more lines than zones the file is written anew.
final class FileZoneFreshness implements ZoneFreshness {

    private static final Logger LOG = LoggerFactory.getLogger(FileZoneFreshness.class);
    private static final String NEVER = "never";

    /// Lines beyond two a zone, before the file is written anew.
    private static final int MAX_OLD_LINES = 10_000;

    private final Path file;
    private final Disk disk;
    private final Map<Name, Instant> confirmed = new ConcurrentSkipListMap<>();
    private int lines; // guarded by this, like the file

    /// @param file made with the first line
    FileZoneFreshness(Path file, Disk disk) throws IOException {
        this.file = file;
        this.disk = disk;
        try (var text = Files.lines(file, StandardCharsets.ISO_8859_1)) {
            text.forEach(this::read);
        } catch (NoSuchFileException e) {
            // Nothing was confirmed yet.
        }
        if (lines > 0) {
            rewrite(); // the last line may be half a line
        }
    }

    private void read(String line) {
        lines++;
        String[] words = line.strip().split(" ");
        try {
            if (words.length != 2) {
                throw new TextParseException("expected two words");
            }
            Name origin = Name.fromString(words[1], Name.root);
            if (words[0].equals(NEVER)) {
                confirmed.remove(origin);
            } else {
                confirmed.put(origin, Instant.parse(words[0]));
            }
        } catch (TextParseException | DateTimeParseException e) {
            LOG.warn(
                    "{}:{}: passed over: {}: expected a time and a zone, for example"
                            + " 2026-11-01T12:00:00Z example.org.",
                    file,
                    lines,
                    line);
        }
    }

    @Override
    public Optional<Instant> confirmed(Name origin) {
        return Optional.ofNullable(confirmed.get(origin));
    }

    @Override
    public synchronized void confirm(Name origin, Instant when) throws IOException {
        confirmed.put(origin, when);
        add(when.toString(), origin);
    }

    @Override
    public synchronized void forget(Name origin) throws IOException {
        if (confirmed.remove(origin) != null) {
            add(NEVER, origin);
        }
    }

    private void add(String when, Name origin) throws IOException {
        if (lines > 2 * confirmed.size() + MAX_OLD_LINES) {
            rewrite();
        } else {
            lines++;
            disk.append(file, (when + ' ' + origin + '\n').getBytes(StandardCharsets.UTF_8));
        }
    }

    private void rewrite() throws IOException {
        String text =
                confirmed.entrySet().stream()
                        .map(entry -> entry.getValue() + " " + entry.getKey() + "\n")
                        .collect(Collectors.joining());
        disk.replace(file, text.getBytes(StandardCharsets.UTF_8));
        lines = confirmed.size();
    }
}
