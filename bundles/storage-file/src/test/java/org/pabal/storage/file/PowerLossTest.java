package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.mail.Attempt;
import org.pabal.mail.Draft;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.mailbox.FlagEdit;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStatus;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;
import org.pabal.testkit.MemoryContent;
import org.pabal.testkit.MovableClock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// What a crash of the machine may do to files that were not synced, done by hand between a crash
/// and the next start (security row S30).
class PowerLossTest {

    private static final MailAddress BOB = new MailAddress("bob", "example.test");

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
        files.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"lost", "empty", "half"})
    void filesThatDidNotReachTheDiskAreMadeAgain(String damage) throws Exception {
        Mailbox inbox = inbox();
        deliver("one");
        deliver("two");
        inbox.append(MemoryContent.of("three\n"), Set.of("\\Seen", "$Work"), clock.instant(), "");
        inbox.append(MemoryContent.of("four\n"), Set.of(), clock.instant(), "");
        inbox.flag(UidSet.of(1), new FlagEdit.Add(Set.of("\\Flagged")), Long.MAX_VALUE);
        inbox.expunge(UidSet.of(4));
        MailboxStatus status = inbox.status();
        List<Message> messages = inbox.messages(UidSet.ALL);
        files.crash();

        Path maildir = folder.resolve("mail/example.test/bob/Maildir");
        for (Path file : messageFiles(maildir)) {
            switch (damage) {
                case "lost" -> Files.delete(file);
                case "empty" -> Files.write(file, new byte[0]);
                case "half" ->
                        Files.write(file, java.util.Arrays.copyOf(Files.readAllBytes(file), 3));
                default -> {}
            }
        }
        open();
        assertEquals(status, inbox().status());
        assertEquals(messages, inbox().messages(UidSet.ALL));
        assertEquals(
                List.of(
                        "Delivered-To: bob@example.test\r\none",
                        "Delivered-To: bob@example.test\r\ntwo",
                        "three\r\n"),
                texts());
        files.close(); // everything is laid out now
        open();
        assertEquals(status, inbox().status());
        assertEquals(messages, inbox().messages(UidSet.ALL));
    }

    @Test
    void fileWhoseRemovalDidNotReachTheDiskIsRemovedAgain() throws Exception {
        Mailbox inbox = inbox();
        inbox.append(MemoryContent.of("away\n"), Set.of(), clock.instant(), "Q9.1");
        Path file = messageFiles(folder.resolve("mail/example.test/bob/Maildir")).getFirst();
        inbox.expunge(UidSet.ALL);
        files.crash();
        Files.writeString(file, "away\r\n");
        open();
        assertEquals(0, inbox().status().messages());
        assertEquals(2, inbox().status().uidNext());
        assertTrue(
                inbox().append(MemoryContent.of("away\n"), Set.of(), clock.instant(), "Q9.1")
                        .isEmpty());
    }

    @Test
    void moveThatWasDecidedIsFinishedAndOneThatWasNotIsForgotten() throws Exception {
        Mailbox inbox = inbox();
        inbox.append(MemoryContent.of("moves\n"), Set.of(), clock.instant(), "");
        Mailbox target = files.mailboxes().create(BOB, "Work");
        Path maildir = folder.resolve("mail/example.test/bob/Maildir");
        Path before = messageFiles(maildir).getFirst();
        Path copy = folder.resolve("copy");
        Files.copy(before, copy);
        inbox.move(UidSet.ALL, target);
        files.crash();
        // the renames after the record did not reach the disk
        Path work = maildir.resolve(".Work");
        Path there = messageFiles(work).getFirst();
        Files.move(there, work.resolve("tmp/pabal-0123456789ABCDEF" + there.getFileName()));
        Files.move(copy, before);
        Files.writeString(maildir.resolve("tmp/pabal-0123456789ABCDEFhalf"), "never decided");
        open();
        assertEquals(0, inbox().status().messages());
        Mailbox again = files.mailboxes().open(BOB, "Work").orElseThrow();
        assertEquals(1, again.status().messages());
        assertEquals("moves\r\n", MemoryContent.copyOf(again.content(1).orElseThrow()).toString());
        assertEquals(List.of(), list(maildir.resolve("tmp")));
        assertEquals(List.of(), list(work.resolve("tmp")));
    }

    @Test
    void halfFileThatNobodyWasToldOfIsRemovedAndItsDeliveryRepeated() throws Exception {
        deliver("told");
        files.close();
        Path fresh = folder.resolve("mail/example.test/bob/Maildir/new");
        Path whole = Path.of(fresh + "/1763812800.PAAAAAAAAAAAAAAAA.host.example.org,S=4300");
        Files.writeString(whole, "half");
        open();
        assertEquals(1, inbox().status().messages());
        assertTrue(Files.notExists(whole));
    }

    @Test
    void deliveryThatLeftAFileButNoRecordIsNotRepeated() throws Exception {
        inbox().append(MemoryContent.of("once\n"), Set.of(), clock.instant(), "Q7.1");
        Path file = messageFiles(folder.resolve("mail/example.test/bob/Maildir")).getFirst();
        byte[] octets = Files.readAllBytes(file);
        inbox().expunge(UidSet.ALL);
        files.close();
        Disk.deleteTree(folder.resolve("mail/example.test/bob/Maildir"));
        open();
        inbox();
        files.close();
        Files.write(file, octets); // all that the process had done when it was killed
        open();
        Optional<Message> again =
                inbox().append(MemoryContent.of("once\n"), Set.of(), clock.instant(), "Q7.1");
        assertEquals(1, again.orElseThrow().uid());
        assertEquals(1, inbox().status().messages());
    }

    @Test
    void changesFollowAMailboxThatWasRenamedAfterThem() throws Exception {
        Mailbox old = files.mailboxes().create(BOB, "Old");
        old.append(MemoryContent.of("here\n"), Set.of("$Work"), clock.instant(), "");
        files.mailboxes().rename(BOB, "Old", "New");
        Mailbox deleted = files.mailboxes().create(BOB, "Deleted");
        deleted.append(MemoryContent.of("gone\n"), Set.of(), clock.instant(), "");
        files.mailboxes().delete(BOB, "Deleted");
        files.mailboxes().create(BOB, "Deleted");
        files.crash();
        Path renamed = folder.resolve("mail/example.test/bob/Maildir/.New");
        Files.delete(messageFiles(renamed).getFirst());
        open();
        Mailbox now = files.mailboxes().open(BOB, "New").orElseThrow();
        assertEquals(Set.of("$Work"), now.messages(UidSet.ALL).getFirst().flags());
        assertEquals("here\r\n", MemoryContent.copyOf(now.content(1).orElseThrow()).toString());
        assertTrue(files.mailboxes().open(BOB, "Old").isEmpty());
        assertEquals(0, files.mailboxes().open(BOB, "Deleted").orElseThrow().status().messages());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void checkpointLaysOutWhatWaitsAndFreesTheJournal(boolean syncsAll) throws Exception {
        disk.syncsAll = syncsAll;
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            String text = i + "x".repeat(200_000);
            expected.add(text);
            commit(text);
            deliver("d" + "y".repeat(100_000));
        }
        files.close();
        assertEquals(80, list(folder.resolve("queue")).size(), "ID.msg and ID.env");
        Map<String, Long> sizes = new HashMap<>();
        for (Path log : list(folder.resolve("journal"))) {
            sizes.put(log.getFileName().toString(), Files.size(log));
        }
        assertTrue(
                sizes.values().stream().mapToLong(Long::longValue).sum() < 32_000_000,
                sizes::toString);
        open();
        List<String> waiting =
                files.queue()
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
        assertEquals(expected, waiting);
        assertEquals(40, inbox().status().messages());
    }

    /// The files of a settled message go after the record of its end, and not while that record is
    /// all that keeps it from being sent again.
    @Test
    void settledMessageLeavesNoFilesAndDoesNotComeBack() throws Exception {
        commit("stays");
        commit("goes");
        files.close();
        open();
        assertEquals(4, list(folder.resolve("queue")).size());
        QueueEntry stays = files.queue().lease(clock.instant(), Duration.ZERO).orElseThrow();
        QueueEntry goes = files.queue().lease(clock.instant(), Duration.ZERO).orElseThrow();
        files.queue()
                .settle(
                        goes,
                        Map.of(BOB, new Outcome.Delivered("mx.example.test")),
                        clock.instant(),
                        List.of(
                                new Attempt(
                                        clock.instant(),
                                        "mx.example.test",
                                        "",
                                        List.of(BOB),
                                        new Status(250, "2.0.0", "Ok"))));
        files.crash();
        open();
        assertEquals(List.of(stays.id()), files.queue().entries().map(QueueEntry::id).toList());
        files.close();
        assertEquals(
                List.of(stays.id() + ".env", stays.id() + ".msg"),
                list(folder.resolve("queue")).stream()
                        .map(file -> file.getFileName().toString())
                        .toList());
        open();
        stays = files.queue().lease(clock.instant(), Duration.ZERO).orElseThrow();
        files.queue().settle(stays, Map.of(BOB, new Outcome.Delivered("there")), clock.instant());
        files.close();
        assertEquals(List.of(), list(folder.resolve("queue")), "swept at the latest when it ends");
        open();
    }

    private Mailbox inbox() throws IOException {
        return files.mailboxes().open(BOB, "INBOX").orElseThrow();
    }

    private void commit(String text) throws IOException {
        try (Draft draft =
                files.queue().draft(new Envelope(Optional.empty(), List.of(new Recipient(BOB))))) {
            draft.body().write(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            draft.commit(List.of());
        }
    }

    /// Leaves what was committed before where it is.
    private void deliver(String text) throws IOException {
        commit(text);
        List<QueueEntry> others = new ArrayList<>();
        while (true) {
            QueueEntry entry = files.queue().lease(clock.instant(), Duration.ZERO).orElseThrow();
            if (MemoryContent.copyOf(entry.content()).toString().equals(text)) {
                CrashChild.deliver(files, entry);
                break;
            }
            others.add(entry);
        }
        for (QueueEntry other : others) {
            files.queue().settle(other, Map.of(), clock.instant());
        }
    }

    private List<String> texts() throws IOException {
        List<String> texts = new ArrayList<>();
        for (Message message : inbox().messages(UidSet.ALL)) {
            texts.add(
                    MemoryContent.copyOf(inbox().content(message.uid()).orElseThrow()).toString());
        }
        return texts;
    }

    private static List<Path> messageFiles(Path maildir) throws IOException {
        List<Path> all = new ArrayList<>(list(maildir.resolve("new")));
        all.addAll(list(maildir.resolve("cur")));
        return all;
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> list = Files.list(directory)) {
            return list.sorted().toList();
        }
    }
}
