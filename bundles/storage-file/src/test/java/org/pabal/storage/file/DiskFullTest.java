package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.mail.Draft;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Recipient;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.UidSet;
import org.pabal.testkit.MemoryContent;
import org.pabal.testkit.MovableClock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/// Security row S30: a disk that is full loses nothing that was acknowledged and keeps nothing that
/// was refused.
class DiskFullTest {

    private static final MailAddress BOB = new MailAddress("bob", "example.test");
    private static final Envelope TO_BOB =
            new Envelope(Optional.empty(), List.of(new Recipient(BOB)));

    @TempDir Path folder;
    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-22T12:00:00Z"));
    private final BreakingDisk disk = new BreakingDisk();
    private MailFiles files;

    @BeforeEach
    void open() throws IOException {
        files = MailFilesFixture.open(folder, clock, disk);
    }

    @AfterEach
    void close() throws IOException {
        disk.full = false;
        files.close();
    }

    @Test
    void refusesDraftsBeforeTheDiskIsFull() throws Exception {
        files.close();
        MailFiles.Options options =
                new MailFiles.Options(16_000_000, 50_000_000, 100, "host.example.org", 0);
        disk.free = 49_000_000;
        files = MailFiles.open(folder, disk, options, clock, new Random());
        IOException e = assertThrows(IOException.class, () -> files.queue().draft(TO_BOB));
        assertEquals(
                "disk full writing " + folder + " (needs 50.0 MB, 49.0 MB free)", e.getMessage());
        Mailbox inbox = files.mailboxes().open(BOB, "INBOX").orElseThrow();
        assertThrows(
                IOException.class,
                () -> inbox.append(MemoryContent.of("1\n"), Set.of(), clock.instant(), ""));
        disk.free = 60_000_000;
        commit("later");
    }

    @Test
    void refusesWhatALargeMessageNeeds() throws Exception {
        files.close();
        MailFiles.Options options =
                new MailFiles.Options(16_000_000, 1_000_000, 100, "host.example.org", 0);
        disk.free = 1_500_000;
        files = MailFiles.open(folder, disk, options, clock, new Random());
        try (Draft draft = files.queue().draft(TO_BOB)) {
            byte[] portion = new byte[100_000];
            assertThrows(
                    IOException.class,
                    () -> {
                        for (int i = 0; i < 20; i++) {
                            draft.body().write(portion);
                        }
                    });
        }
        assertEquals(0, fileCount("queue"), "the draft leaves no trace");
    }

    @Test
    void refusesMoreThanTheQueueMayHold() throws Exception {
        files.close();
        MailFiles.Options options = new MailFiles.Options(16_000_000, 0, 2, "host.example.org", 0);
        files = MailFiles.open(folder, disk, options, clock, new Random());
        commit("1");
        commit("2");
        IOException e = assertThrows(IOException.class, () -> files.queue().draft(TO_BOB));
        assertEquals("queue full: 2 messages wait, max-queue is 2", e.getMessage());
    }

    @Test
    void journalThatCannotBeWrittenRefusesAndGoesOnLater() throws Exception {
        commit("before");
        disk.full = true;
        Draft refused = files.queue().draft(TO_BOB);
        refused.body().write("refused".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertThrows(IOException.class, () -> refused.commit(List.of()));
        assertThrows(IOException.class, () -> files.queue().draft(TO_BOB), "while it fails");
        disk.full = false;
        boolean again = false;
        for (long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
                !again && System.nanoTime() < end; ) {
            try {
                commit("after");
                again = true;
            } catch (IOException e) {
                Thread.onSpinWait();
            }
        }
        assertEquals(List.of("before", "after"), contents());
        files.journal().awaitAll();
        files.crash();
        open();
        assertEquals(List.of("before", "after"), contents());
    }

    @Test
    void mailboxThatCannotBeWrittenHasNothingMore() throws Exception {
        Mailbox inbox = files.mailboxes().open(BOB, "INBOX").orElseThrow();
        inbox.append(MemoryContent.of("1\n"), Set.of(), clock.instant(), "");
        disk.full = true;
        assertThrows(
                IOException.class,
                () -> inbox.append(MemoryContent.of("2\n"), Set.of(), clock.instant(), "Q.1"));
        disk.full = false;
        assertEquals(1, inbox.messages(UidSet.ALL).size());
        assertTrue(
                inbox.append(MemoryContent.of("2\n"), Set.of(), clock.instant(), "Q.1")
                        .isPresent());
        assertEquals(0, fileCount("mail/example.test/bob/Maildir/tmp"));
    }

    private void commit(String text) throws IOException {
        try (Draft draft = files.queue().draft(TO_BOB)) {
            draft.body().write(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            draft.commit(List.of());
        }
    }

    private List<String> contents() {
        return files.queue()
                .entries()
                .map(
                        e -> {
                            try {
                                return MemoryContent.copyOf(e.content()).toString();
                            } catch (IOException x) {
                                throw new java.io.UncheckedIOException(x);
                            }
                        })
                .toList();
    }

    private long fileCount(String directory) throws IOException {
        try (Stream<Path> list = Files.list(folder.resolve(directory))) {
            return list.count();
        }
    }
}
