package org.pabal.dns.policy;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// A block list in a file, read again when that has changed.
///
/// The file is looked at every ten seconds, and read when it has been the same for one round, so
/// that half a file is not taken for the whole. While it cannot be read, the names that were in it
/// stay blocked.
final class ListFile implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ListFile.class);
    private static final long ROUND_SECONDS = 10;
    private static final int MAX_NAMES = 10_000_000;
    private static final int OCTETS_A_NAME = 20;

    private final PolicySettings settings;
    private final PolicySettings.OfList source;
    private final Consumer<Rules> reader;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread watch = Thread.ofVirtual().name("policy list").unstarted(this::watch);

    /// These are touched by one thread after the other.
    private State read;

    private State last;

    private record State(FileTime modified, long octets) {
        static final State GONE = new State(FileTime.fromMillis(0), -1);

        static State of(Path file) {
            try {
                return new State(Files.getLastModifiedTime(file), Files.size(file));
            } catch (IOException e) {
                return GONE;
            }
        }
    }

    /// Reads it for the first time.
    ///
    /// @param reader is given each version
    /// @throws IOException when it cannot be read; one line for an administrator
    ListFile(PolicySettings settings, PolicySettings.OfList source, Consumer<Rules> reader)
            throws IOException {
        this.settings = settings;
        this.source = source;
        this.reader = reader;
        this.read = State.of(source.file());
        this.last = read;
        reader.accept(rules());
    }

    ListFile start() {
        watch.start();
        return this;
    }

    @Override
    public void close() {
        closed.countDown();
        try {
            watch.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void watch() {
        try {
            while (!closed.await(ROUND_SECONDS, TimeUnit.SECONDS)) {
                look();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// One round.
    void look() {
        State now = State.of(source.file());
        boolean settled = now.equals(last);
        last = now;
        if (!settled || now.equals(read)) {
            return;
        }
        read = now;
        try {
            Rules rules = rules();
            reader.accept(rules);
            LOG.info("policy {}: {}", settings.name(), rules.summary());
        } catch (IOException | RuntimeException e) {
            LOG.warn(
                    "policy {}: list {} cannot be read, the names that it had stay: {}",
                    settings.name(),
                    source.file(),
                    e.toString());
        }
    }

    private BlockList rules() throws IOException {
        BlockedNames.Builder names =
                new BlockedNames.Builder(
                        (int) Math.min(MAX_NAMES, Files.size(source.file()) / OCTETS_A_NAME));
        ListReader lines = new ListReader(names, MAX_NAMES);
        try (InputStream in = Files.newInputStream(source.file())) {
            lines.read(in);
        }
        if (lines.skipped() > 0) {
            LOG.warn(
                    "policy {}: list {}: {} lines say nothing that could be blocked, the first is"
                            + " line {}",
                    settings.name(),
                    source.file(),
                    lines.skipped(),
                    lines.firstSkipped());
        }
        int listed = names.size();
        for (Name allowed : source.allowed()) {
            names.add(allowed, BlockedNames.ALLOWED);
        }
        return new BlockList(
                names.done(),
                source.answer(),
                source.aliases(),
                settings.why(),
                String.format(
                        Locale.ROOT, "list %s, %,d names", source.file().getFileName(), listed));
    }
}
