package org.pabal.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.pabal.mail.Content;
import org.pabal.mail.MailAddress;
import org.pabal.mailbox.Changes;
import org.pabal.mailbox.FlagEdit;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStatus;
import org.pabal.mailbox.MailboxStore;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// What every [MailboxStore] and every [Mailbox] in it does.
public interface MailboxStoreContract {

    MailAddress BOB = new MailAddress("bob", "example.test");
    MailAddress CAROL = new MailAddress("carol", "example.test");
    Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    String SEEN = "\\Seen";

    /// A store with nothing in it. Called once at the beginning of each test.
    MailboxStore store() throws Exception;

    /// Closes the store of [#store] as a restart does, and opens it again over the same data. Empty
    /// when it keeps nothing over a restart; the tests about that are then skipped.
    default Optional<MailboxStore> reopened() throws Exception {
        return Optional.empty();
    }

    @Test
    default void inboxExistsInAnyCaseAndIsEmpty() throws Exception {
        MailboxStore store = store();
        MailboxStatus status = store.open(BOB, "inbox").orElseThrow().status();
        assertEquals(0, status.messages());
        assertEquals(0, status.unseen());
        assertEquals(0, status.octets());
        assertTrue(status.uidValidity() >= 1 && status.uidValidity() <= 0xFFFF_FFFFL);
        assertTrue(status.highestModSeq() >= 1);
        assertEquals(List.of("INBOX"), store.list(BOB));
        append(store.open(BOB, "InBoX").orElseThrow(), "same\r\n");
        assertEquals(1, inbox(store).status().messages());
    }

    @Test
    default void inboxOfOneIsNotThatOfAnother() throws Exception {
        MailboxStore store = store();
        append(inbox(store), "for bob\r\n");
        assertEquals(0, store.open(CAROL, "INBOX").orElseThrow().status().messages());
    }

    @Test
    default void createMakesAMailboxAndThoseAboveIt() throws Exception {
        MailboxStore store = store();
        assertTrue(store.open(BOB, "Work").isEmpty());
        store.create(BOB, "Work/2026/파발");
        assertEquals(List.of("INBOX", "Work", "Work/2026", "Work/2026/파발"), store.list(BOB));
        assertTrue(store.open(BOB, "Work/2026").isPresent());
        assertTrue(store.open(BOB, "work").isEmpty(), "only INBOX has no case");
        assertThrows(FileAlreadyExistsException.class, () -> store.create(BOB, "Work"));
        assertThrows(FileAlreadyExistsException.class, () -> store.create(BOB, "inbox"));
        assertEquals(List.of("INBOX"), store.list(CAROL));
    }

    /// Security row S13.
    @Test
    default void refusesPathsThatCouldLeadElsewhere() throws Exception {
        MailboxStore store = store();
        List<String> bad =
                new ArrayList<>(
                        List.of(
                                "",
                                "/",
                                "/etc",
                                "a//b",
                                "a/",
                                "..",
                                "../x",
                                "a/../b",
                                "a/./b",
                                ".",
                                "a\0b",
                                "a\nb",
                                "a\u007fb",
                                "x".repeat(1_001)));
        bad.add("d/".repeat(32) + "d");
        for (String path : bad) {
            assertThrows(IllegalArgumentException.class, () -> store.create(BOB, path), path);
            assertThrows(IllegalArgumentException.class, () -> store.open(BOB, path), path);
        }
        assertEquals(List.of("INBOX"), store.list(BOB));
    }

    /// Security row S13: names that mean something to a file system are only names here.
    @Test
    default void oddNamesAreKeptApart() throws Exception {
        MailboxStore store = store();
        List<String> odd =
                List.of(
                        "...",
                        ".hidden",
                        "a.b",
                        "a\\b",
                        "cur",
                        "tmp",
                        "new",
                        "&AOk-",
                        "&-",
                        "%2F",
                        "~",
                        "~root",
                        "a b",
                        " a",
                        "a ",
                        "*",
                        "%",
                        "\"q\"",
                        "Con",
                        "é",
                        "e\u0301",
                        "x".repeat(300));
        for (String path : odd) {
            append(store.create(BOB, path), path + "\r\n");
        }
        append(store.create(BOB, "a/b"), "deep\r\n");
        for (String path : odd) {
            Mailbox mailbox = store.open(BOB, path).orElseThrow(() -> new AssertionError(path));
            assertEquals(1, mailbox.status().messages(), path);
            assertEquals(path + "\r\n", text(mailbox.content(1).orElseThrow()), path);
        }
        Set<String> expected = new HashSet<>(odd);
        expected.addAll(List.of("INBOX", "a", "a/b"));
        assertEquals(expected, Set.copyOf(store.list(BOB)));
    }

    /// Security row S13: an owner is not a path either.
    @Test
    default void oddOwnersAreKeptApart() throws Exception {
        MailboxStore store = store();
        List<MailAddress> owners =
                List.of(
                        new MailAddress("../bob", "example.test"),
                        new MailAddress("..", "example.test"),
                        new MailAddress("bob/..", "example.test"),
                        new MailAddress("파발", "예.example"),
                        BOB);
        for (MailAddress owner : owners) {
            append(store.open(owner, "INBOX").orElseThrow(), owner + "\r\n");
        }
        for (MailAddress owner : owners) {
            Mailbox inbox = store.open(owner, "INBOX").orElseThrow();
            assertEquals(1, inbox.status().messages(), owner.toString());
            assertEquals(owner + "\r\n", text(inbox.content(1).orElseThrow()));
        }
    }

    @Test
    default void renameTakesThoseBelowAlong() throws Exception {
        MailboxStore store = store();
        append(store.create(BOB, "a"), "1\r\n");
        append(store.create(BOB, "a/b"), "2\r\n");
        store.create(BOB, "ab");
        long validity = store.open(BOB, "a/b").orElseThrow().status().uidValidity();
        store.rename(BOB, "a", "x/y");
        assertEquals(List.of("INBOX", "ab", "x", "x/y", "x/y/b"), store.list(BOB));
        Mailbox moved = store.open(BOB, "x/y/b").orElseThrow();
        assertEquals("2\r\n", text(moved.content(1).orElseThrow()));
        assertEquals(validity, moved.status().uidValidity());
        assertThrows(NoSuchFileException.class, () -> store.rename(BOB, "a", "c"));
        assertThrows(FileAlreadyExistsException.class, () -> store.rename(BOB, "x", "ab"));
    }

    // RFC 9051 §6.3.6
    @Test
    default void renamingInboxLeavesItEmpty() throws Exception {
        MailboxStore store = store();
        append(inbox(store), "1\r\n");
        store.create(BOB, "INBOX/below");
        store.rename(BOB, "INBOX", "old");
        assertEquals(0, inbox(store).status().messages());
        assertEquals("1\r\n", text(only(store.open(BOB, "old").orElseThrow())));
        assertTrue(store.list(BOB).contains("INBOX/below"));
    }

    @Test
    default void deleteLeavesThoseBelow() throws Exception {
        MailboxStore store = store();
        store.create(BOB, "a/b");
        store.delete(BOB, "a");
        assertTrue(store.open(BOB, "a/b").isPresent());
        assertTrue(store.open(BOB, "a").isEmpty());
        assertThrows(NoSuchFileException.class, () -> store.delete(BOB, "a"));
        assertThrows(Exception.class, () -> store.delete(BOB, "INBOX"));
        assertTrue(store.open(BOB, "INBOX").isPresent());
    }

    @Test
    default void mailboxMadeAnewHasAnotherUidValidity() throws Exception {
        MailboxStore store = store();
        Mailbox first = store.create(BOB, "a");
        append(first, "1\r\n");
        long validity = first.status().uidValidity();
        store.delete(BOB, "a");
        Mailbox second = store.create(BOB, "a");
        assertEquals(0, second.status().messages());
        assertNotEquals(validity, second.status().uidValidity());
    }

    @Test
    default void appendedMessageIsThereOctetForOctet() throws Exception {
        Mailbox inbox = inbox(store());
        byte[] octets = new byte[300_000];
        new Random(2).nextBytes(octets);
        Message message =
                inbox.append(new MemoryContent(octets), Set.of(SEEN, "$Work"), NOON, "")
                        .orElseThrow();
        assertEquals(1, message.uid());
        assertEquals(Set.of(SEEN, "$Work"), message.flags());
        assertEquals(NOON, message.received());
        assertEquals(octets.length, message.octets());
        assertEquals(List.of(message), inbox.messages(UidSet.ALL));
        Content content = inbox.content(1).orElseThrow();
        assertEquals(octets.length, content.size());
        assertTrue(Arrays.equals(octets, MemoryContent.copyOf(content).octets()));
        assertTrue(Arrays.equals(octets, MemoryContent.copyOf(content).octets()));
        assertTrue(inbox.content(2).isEmpty());
    }

    @Test
    default void statusCounts() throws Exception {
        Mailbox inbox = inbox(store());
        append(inbox, "1234\r\n");
        inbox.append(MemoryContent.of("12\r\n"), Set.of("\\seen"), NOON, "");
        MailboxStatus status = inbox.status();
        assertEquals(2, status.messages());
        assertEquals(1, status.unseen());
        assertEquals(10, status.octets());
        assertEquals(3, status.uidNext());
    }

    @Test
    default void failedContentAddsNothing() throws Exception {
        Mailbox inbox = inbox(store());
        Content broken =
                new Content() {
                    @Override
                    public long size() {
                        return 10;
                    }

                    @Override
                    public InputStream open() throws IOException {
                        throw new IOException("broken");
                    }
                };
        assertThrows(IOException.class, () -> inbox.append(broken, Set.of(), NOON, "x"));
        assertEquals(0, inbox.status().messages());
        assertTrue(inbox.append(MemoryContent.of("ok\n"), Set.of(), NOON, "x").isPresent());
        assertEquals(1, inbox.status().messages());
    }

    @Test
    default void deliveryThatIsRepeatedAddsNothing() throws Exception {
        Mailbox inbox = inbox(store());
        Message first =
                inbox.append(MemoryContent.of("1\n"), Set.of(), NOON, "Q7F3K.bob-1").orElseThrow();
        Message again =
                inbox.append(MemoryContent.of("1\n"), Set.of(), NOON, "Q7F3K.bob-1").orElseThrow();
        assertEquals(first.uid(), again.uid());
        assertEquals(first.id(), again.id());
        assertEquals(1, inbox.status().messages());
        inbox.append(MemoryContent.of("1\n"), Set.of(), NOON, "Q7F3K.bob-2");
        append(inbox, "1\n");
        append(inbox, "1\n");
        assertEquals(4, inbox.status().messages());
        inbox.expunge(UidSet.of(first.uid()));
        assertTrue(inbox.append(MemoryContent.of("1\n"), Set.of(), NOON, "Q7F3K.bob-1").isEmpty());
        assertEquals(3, inbox.status().messages());
    }

    @Test
    default void uidsGrowAndAreNotGivenTwice() throws Exception {
        Mailbox inbox = inbox(store());
        Message first = append(inbox, "1\r\n");
        Message second = append(inbox, "2\r\n");
        inbox.expunge(UidSet.of(second.uid()));
        Message third = append(inbox, "3\r\n");
        assertTrue(first.uid() < second.uid() && second.uid() < third.uid());
        assertEquals(third.uid() + 1, inbox.status().uidNext());
        assertEquals(3, Set.of(first.id(), second.id(), third.id()).size());
        // RFC 1939 §7
        assertTrue(third.id().matches("[\\x21-\\x7E]{1,70}"), third.id());
    }

    @Test
    default void messagesOfASetComeInUidOrder() throws Exception {
        Mailbox inbox = inbox(store());
        for (int i = 0; i < 10; i++) {
            append(inbox, i + "\r\n");
        }
        inbox.expunge(UidSet.of(4));
        List<Long> uids =
                inbox.messages(UidSet.of(9, 2, 3, 4, 5, 77)).stream().map(Message::uid).toList();
        assertEquals(List.of(2L, 3L, 5L, 9L), uids);
        assertEquals(List.of(), inbox.messages(UidSet.NONE));
    }

    @Test
    default void flagsAreAddedRemovedAndReplaced() throws Exception {
        Mailbox inbox = inbox(store());
        append(inbox, "1\r\n");
        append(inbox, "2\r\n");
        long before = inbox.status().highestModSeq();
        Changes changes = flag(inbox, 1, new FlagEdit.Add(Set.of(SEEN, "$Work")));
        assertEquals(List.of(1L), changes.changed().stream().map(Message::uid).toList());
        assertTrue(changes.modSeq() > before);
        assertEquals(changes.modSeq(), inbox.status().highestModSeq());
        assertEquals(Set.of(SEEN, "$Work"), flags(inbox, 1));
        assertEquals(Set.of(), flags(inbox, 2));
        flag(inbox, 1, new FlagEdit.Remove(Set.of("\\SEEN", "$none")));
        assertEquals(Set.of("$Work"), flags(inbox, 1));
        flag(inbox, 1, new FlagEdit.Replace(Set.of("\\Deleted")));
        assertEquals(Set.of("\\Deleted"), flags(inbox, 1));
        assertEquals(2, inbox.status().unseen());
        flag(inbox, 2, new FlagEdit.Add(Set.of(SEEN)));
        assertEquals(1, inbox.status().unseen());
    }

    // RFC 7162 §3.1.3
    @Test
    default void conditionalChangeLeavesNewerMessagesAlone() throws Exception {
        Mailbox inbox = inbox(store());
        append(inbox, "1\r\n");
        append(inbox, "2\r\n");
        long known = inbox.status().highestModSeq();
        flag(inbox, 2, new FlagEdit.Add(Set.of("$Other")));
        Changes changes = inbox.flag(UidSet.ALL, new FlagEdit.Add(Set.of(SEEN)), known);
        assertEquals("2", changes.refused().toString());
        assertEquals(Set.of(SEEN), flags(inbox, 1));
        assertEquals(Set.of("$Other"), flags(inbox, 2));
    }

    @Test
    default void everyChangeHasAHigherModSeq() throws Exception {
        Mailbox inbox = inbox(store());
        long last = inbox.status().highestModSeq();
        List<Long> seen = new ArrayList<>();
        append(inbox, "1\r\n");
        seen.add(inbox.status().highestModSeq());
        append(inbox, "2\r\n");
        seen.add(inbox.status().highestModSeq());
        flag(inbox, 1, new FlagEdit.Add(Set.of(SEEN)));
        seen.add(inbox.status().highestModSeq());
        inbox.expunge(UidSet.of(1));
        seen.add(inbox.status().highestModSeq());
        for (long next : seen) {
            assertTrue(next > last, seen.toString());
            last = next;
        }
    }

    @Test
    default void changesTellWhatIsNewAndWhatIsGone() throws Exception {
        Mailbox inbox = inbox(store());
        append(inbox, "1\r\n");
        append(inbox, "2\r\n");
        append(inbox, "3\r\n");
        long since = inbox.status().highestModSeq();
        assertTrue(inbox.changes(since, Duration.ZERO).isEmpty());
        assertEquals(since, inbox.changes(since, Duration.ZERO).modSeq());
        flag(inbox, 1, new FlagEdit.Add(Set.of(SEEN)));
        inbox.expunge(UidSet.of(2));
        append(inbox, "4\r\n");
        Changes changes = inbox.changes(since, Duration.ZERO);
        assertEquals(List.of(1L, 4L), changes.changed().stream().map(Message::uid).toList());
        assertEquals("2", changes.vanished().toString());
        assertEquals(inbox.status().highestModSeq(), changes.modSeq());
        assertTrue(inbox.changes(changes.modSeq(), Duration.ZERO).isEmpty());
    }

    @Test
    default void changesWaitForAnAppendAndAreWokenByIt() throws Exception {
        MailboxStore store = store();
        Mailbox inbox = inbox(store);
        long since = inbox.status().highestModSeq();
        var waiting = MailQueueContract.waiting(() -> inbox.changes(since, MailQueueContract.LONG));
        append(inbox(store), "1\r\n");
        assertEquals(List.of(1L), waiting.result().changed().stream().map(Message::uid).toList());
    }

    @Test
    default void changesWaitForAnExpungeAndAreWokenByIt() throws Exception {
        MailboxStore store = store();
        Mailbox inbox = inbox(store);
        append(inbox, "1\r\n");
        long since = inbox.status().highestModSeq();
        var waiting = MailQueueContract.waiting(() -> inbox.changes(since, MailQueueContract.LONG));
        inbox(store).expunge(UidSet.ALL);
        assertEquals("1", waiting.result().vanished().toString());
    }

    @Test
    default void waitForChangesEnds() throws Exception {
        Mailbox inbox = inbox(store());
        long since = inbox.status().highestModSeq();
        assertTrue(inbox.changes(since, Duration.ofMillis(50)).isEmpty());
        var waiting = MailQueueContract.waiting(() -> inbox.changes(since, MailQueueContract.LONG));
        waiting.thread().interrupt();
        assertThrows(InterruptedIOException.class, waiting::result);
    }

    @Test
    default void expungeRemovesAndTellsWhat() throws Exception {
        Mailbox inbox = inbox(store());
        append(inbox, "1\r\n");
        append(inbox, "2\r\n");
        append(inbox, "3\r\n");
        Changes changes = inbox.expunge(UidSet.of(1, 3, 9));
        assertEquals("1,3", changes.vanished().toString());
        assertEquals(List.of(2L), inbox.messages(UidSet.ALL).stream().map(Message::uid).toList());
        assertEquals(3, inbox.status().octets());
        assertTrue(inbox.content(1).isEmpty());
        assertTrue(inbox.expunge(UidSet.of(1)).vanished().isEmpty());
    }

    @Test
    default void openMessageCanBeReadToItsEndAfterExpunge() throws Exception {
        Mailbox inbox = inbox(store());
        String long1 = "x".repeat(1_000_000) + "end";
        append(inbox, long1);
        try (InputStream in = inbox.content(1).orElseThrow().open()) {
            in.read();
            inbox.expunge(UidSet.ALL);
            byte[] rest = in.readAllBytes();
            assertEquals(long1.substring(1), new String(rest, StandardCharsets.US_ASCII));
        }
    }

    @Test
    default void copyKeepsFlagsAndDateAndOrder() throws Exception {
        MailboxStore store = store();
        Mailbox inbox = inbox(store);
        inbox.append(MemoryContent.of("1\n"), Set.of(SEEN, "$Work"), NOON.minusSeconds(9), "");
        append(inbox, "2\r\n");
        append(inbox, "3\r\n");
        Mailbox target = store.create(BOB, "a");
        append(target, "0\r\n");
        List<Message> copies = inbox.copy(UidSet.of(1, 3), target);
        assertEquals(List.of(2L, 3L), copies.stream().map(Message::uid).toList());
        assertEquals(copies, target.messages(UidSet.of(2, 3)));
        assertEquals(Set.of(SEEN, "$Work"), copies.getFirst().flags());
        assertEquals(NOON.minusSeconds(9), copies.getFirst().received());
        assertEquals("3\r\n", text(target.content(3).orElseThrow()));
        assertEquals(3, inbox.status().messages());
        assertEquals(2, inbox.copy(UidSet.of(1, 2), inbox).size(), "onto itself");
        assertEquals(5, inbox.status().messages());
    }

    @Test
    default void moveTakesAwayWhatItBrings() throws Exception {
        MailboxStore store = store();
        Mailbox inbox = inbox(store);
        append(inbox, "1\r\n");
        append(inbox, "2\r\n");
        long since = inbox.status().highestModSeq();
        Mailbox target = store.create(BOB, "a");
        List<Message> moved = inbox.move(UidSet.of(2), target);
        assertEquals(1, moved.size());
        assertEquals("2\r\n", text(target.content(moved.getFirst().uid()).orElseThrow()));
        assertEquals("2", inbox.changes(since, Duration.ZERO).vanished().toString());
        assertEquals(1, inbox.status().messages());
        assertEquals(List.of(), inbox.move(UidSet.of(2), target));
    }

    @Test
    default void manyWhoAppendAndExpungeAtOnceLoseNothing() throws Exception {
        MailboxStore store = store();
        int each = 30;
        Set<Long> uids = new HashSet<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<List<Long>>> futures = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                String name = "thread" + i;
                futures.add(
                        threads.submit(
                                () -> {
                                    List<Long> mine = new ArrayList<>();
                                    Mailbox inbox = inbox(store);
                                    for (int j = 0; j < each; j++) {
                                        Message message =
                                                inbox.append(
                                                                MemoryContent.of(name + "\n"),
                                                                Set.of(),
                                                                NOON,
                                                                name + "." + j)
                                                        .orElseThrow();
                                        if (j % 3 == 0) {
                                            assertEquals(
                                                    1,
                                                    inbox.expunge(UidSet.of(message.uid()))
                                                            .vanished()
                                                            .ranges()
                                                            .size());
                                        } else {
                                            mine.add(message.uid());
                                        }
                                    }
                                    return mine;
                                }));
            }
            for (Future<List<Long>> future : futures) {
                uids.addAll(future.get(MailQueueContract.LONG.toSeconds(), TimeUnit.SECONDS));
            }
        }
        Mailbox inbox = inbox(store);
        assertEquals(
                uids,
                new HashSet<>(inbox.messages(UidSet.ALL).stream().map(Message::uid).toList()));
        assertEquals(10 * each * 2 / 3, inbox.status().messages());
        assertEquals(10 * each + 1, inbox.status().uidNext());
    }

    @Test
    default void everythingSurvivesARestart() throws Exception {
        MailboxStore store = store();
        Mailbox inbox = inbox(store);
        inbox.append(MemoryContent.of("1\n"), Set.of(SEEN, "$Work"), NOON, "Q1.bob");
        append(inbox, "2\r\n");
        append(inbox, "3\r\n");
        long since = inbox.status().highestModSeq();
        flag(inbox, 2, new FlagEdit.Add(Set.of("\\Flagged")));
        inbox.expunge(UidSet.of(3));
        append(store.create(BOB, "Work/파발"), "deep\r\n");
        MailboxStatus status = inbox.status();
        List<Message> messages = inbox.messages(UidSet.ALL);

        Optional<MailboxStore> reopened = reopened();
        assumeTrue(reopened.isPresent(), "keeps nothing over a restart");
        Mailbox next = inbox(reopened.get());
        assertEquals(status, next.status());
        assertEquals(messages, next.messages(UidSet.ALL));
        assertEquals("1\r\n", text(next.content(1).orElseThrow()));
        Changes changes = next.changes(since, Duration.ZERO);
        assertEquals(List.of(2L), changes.changed().stream().map(Message::uid).toList());
        assertEquals("3", changes.vanished().toString());
        assertEquals(
                1,
                next.append(MemoryContent.of("1\n"), Set.of(), NOON, "Q1.bob").orElseThrow().uid());
        assertEquals(2, next.status().messages());
        assertEquals(4, append(next, "4\r\n").uid());
        assertEquals(List.of("INBOX", "Work", "Work/파발"), reopened.get().list(BOB));
        assertEquals("deep\r\n", text(only(reopened.get().open(BOB, "Work/파발").orElseThrow())));
        assertFalse(reopened.get().open(BOB, "Nothing").isPresent());
    }

    private static Mailbox inbox(MailboxStore store) throws IOException {
        return store.open(BOB, "INBOX").orElseThrow();
    }

    private static Message append(Mailbox mailbox, String text) throws IOException {
        return mailbox.append(MemoryContent.of(text), Set.of(), NOON, "").orElseThrow();
    }

    private static Changes flag(Mailbox mailbox, long uid, FlagEdit edit) throws IOException {
        return mailbox.flag(UidSet.of(uid), edit, Long.MAX_VALUE);
    }

    private static Set<String> flags(Mailbox mailbox, long uid) throws IOException {
        return mailbox.messages(UidSet.of(uid)).getFirst().flags();
    }

    private static Content only(Mailbox mailbox) throws IOException {
        List<Message> messages = mailbox.messages(UidSet.ALL);
        assertEquals(1, messages.size());
        return mailbox.content(messages.getFirst().uid()).orElseThrow();
    }

    private static String text(Content content) throws IOException {
        return MemoryContent.copyOf(content).toString();
    }
}
