package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.mail.Content;
import org.pabal.mail.MailAddress;
import org.pabal.mailbox.Changes;
import org.pabal.mailbox.FlagEdit;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStatus;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;
import org.pabal.testkit.MemoryContent;
import org.pabal.testkit.MovableClock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// Other programs in our Maildirs, and Maildirs of other programs with us.
class ForeignMaildirTest {

    private static final MailAddress BOB = new MailAddress("bob", "example.test");

    @TempDir Path folder;
    private final MovableClock clock = new MovableClock(Instant.parse("2026-11-22T12:00:00Z"));
    private MailFiles files;
    private Path maildir;

    @BeforeEach
    void open() throws IOException {
        files = MailFilesFixture.open(folder, clock);
        maildir = folder.resolve("mail/example.test/bob/Maildir");
    }

    @AfterEach
    void close() throws IOException {
        files.close();
    }

    @Test
    void adoptsAMaildirAsItIs() throws Exception {
        for (String part :
                List.of(
                        "cur",
                        "new",
                        "tmp",
                        ".Sent/cur",
                        ".Sent/new",
                        ".Sent/tmp",
                        ".&0wy8HA-/cur")) {
            Files.createDirectories(maildir.resolve(part));
        }
        put("cur/1700000002.M1P2.host,S=11,W=12:2,RS", "From: b\n\nx", 2);
        put("new/1700000001.M1P1.host", "From: a\n\n", 1);
        put("cur/odd name:2,Fabc", "From: c\r\n\r\n", 3);
        put(".Sent/cur/1700000004.M1P4.host,S=3:2,S", "1\r\n", 4);
        assertEquals(List.of("INBOX", "Sent", "파발"), files.mailboxes().list(BOB));
        Mailbox inbox = inbox();
        List<Message> messages = inbox.messages(UidSet.ALL);
        assertEquals(
                List.of(Set.of(), Set.of("\\Answered", "\\Seen"), Set.of("\\Flagged")),
                messages.stream().map(Message::flags).toList());
        assertEquals(List.of(1L, 2L, 3L), messages.stream().map(Message::uid).toList());
        assertEquals("From: a\r\n\r\n", text(inbox, 1));
        assertEquals("From: b\r\n\r\nx", text(inbox, 2));
        for (Message message : messages) {
            assertEquals(
                    message.octets(), text(inbox, message.uid()).length(), "what RETR promises");
            assertTrue(message.id().matches("[\\x21-\\x7E]{1,70}"), message.id());
        }
        assertEquals(Instant.ofEpochSecond(1_700_000_001), messages.getFirst().received());
        assertEquals(1, files.mailboxes().open(BOB, "Sent").orElseThrow().status().messages());
        inbox.flag(UidSet.of(3), new FlagEdit.Add(Set.of("\\Seen")), Long.MAX_VALUE);
        assertTrue(Files.exists(maildir.resolve("cur/odd name:2,FSabc")), "letters of others stay");
    }

    @Test
    void noticesWhatOthersBringChangeAndTakeAway() throws Exception {
        Mailbox inbox = inbox();
        inbox.append(MemoryContent.of("ours\n"), Set.of(), clock.instant(), "");
        assertEquals(1, inbox.status().messages());
        long since = inbox.status().highestModSeq();

        put("new/1700000001.M1P1.host", "theirs\n", 1);
        Changes changes = inbox.changes(since, Duration.ofSeconds(30));
        assertEquals(List.of(2L), changes.changed().stream().map(Message::uid).toList());

        Files.move(
                maildir.resolve("new/1700000001.M1P1.host"),
                maildir.resolve("cur/1700000001.M1P1.host:2,ST"));
        changes = inbox.changes(changes.modSeq(), Duration.ofSeconds(30));
        assertEquals(Set.of("\\Seen", "\\Deleted"), changes.changed().getFirst().flags());
        assertEquals(1, inbox.status().unseen());

        Content content = inbox.content(2).orElseThrow();
        Files.move(
                maildir.resolve("cur/1700000001.M1P1.host:2,ST"),
                maildir.resolve("cur/1700000001.M1P1.host:2,S"));
        assertEquals(
                "theirs\r\n",
                MemoryContent.copyOf(content).toString(),
                "found under its other name");

        Files.delete(maildir.resolve("cur/1700000001.M1P1.host:2,S"));
        changes = inbox.changes(inbox.status().highestModSeq() - 1, Duration.ofSeconds(30));
        assertEquals("2", changes.vanished().toString());
        assertThrows(NoSuchFileException.class, content::open);
    }

    @Test
    void filesAreNamedAsOthersExpect() throws Exception {
        Mailbox inbox = inbox();
        inbox.append(MemoryContent.of("12\n"), Set.of(), clock.instant(), "");
        assertTrue(
                names("new")
                        .getFirst()
                        .matches("1795348800\\.M[0-9A-Z]{16}\\.host\\.example\\.org,S=4"),
                names("new")::toString);
        inbox.flag(
                UidSet.ALL,
                new FlagEdit.Add(Set.of("\\Seen", "$Forwarded", "$Work", "\\Draft")),
                Long.MAX_VALUE);
        assertEquals(List.of(), names("new"));
        assertTrue(names("cur").getFirst().endsWith(",S=4:2,DPS"), names("cur")::toString);
        assertEquals(
                Set.of("\\Seen", "$Forwarded", "$Work", "\\Draft"),
                inbox.messages(UidSet.ALL).getFirst().flags());
        files.mailboxes().create(BOB, "Work/파발 & Co.");
        assertTrue(Files.isDirectory(maildir.resolve(".Work.&0wy8HA- &- Co\\2e")));
        assertTrue(Files.exists(maildir.resolve(".Work/maildirfolder")));
    }

    @Test
    void lostUidLogGivesUidsAnewAndKeepsIds() throws Exception {
        Mailbox inbox = inbox();
        inbox.append(MemoryContent.of("1\n"), Set.of("\\Seen"), clock.instant(), "");
        inbox.append(MemoryContent.of("2\n"), Set.of(), clock.instant(), "");
        inbox.expunge(UidSet.of(1));
        MailboxStatus before = inbox.status();
        String id = inbox.messages(UidSet.ALL).getFirst().id();
        files.close();
        Files.writeString(maildir.resolve(UidLog.NAME), "rubbish\n");
        clock.advance(Duration.ofSeconds(1));
        open();
        assertNotEquals(before.uidValidity(), inbox().status().uidValidity());
        Message message = inbox().messages(UidSet.ALL).getFirst();
        assertEquals(1, message.uid());
        assertEquals(id, message.id());
    }

    @Test
    void damagedLinesAreLeftOut() throws Exception {
        Mailbox inbox = inbox();
        for (int i = 0; i < 5; i++) {
            inbox.append(MemoryContent.of(i + "\n"), Set.of("$k" + i), clock.instant(), "");
        }
        List<Message> before = inbox.messages(UidSet.ALL);
        files.close();
        Path log = maildir.resolve(UidLog.NAME);
        List<String> lines = Files.readAllLines(log);
        lines.set(3, lines.get(3).replace("$k1", "$kX"));
        Files.writeString(log, String.join("\n", lines)); // and the last line has no end
        open();
        List<Message> after = inbox().messages(UidSet.ALL);
        assertEquals(List.of(1L, 3L, 4L, 5L, 6L), after.stream().map(Message::uid).toList());
        assertEquals(before.get(0), after.get(0));
        assertEquals(before.subList(2, 5), after.subList(1, 4));
        files.close();
        open();
        assertEquals(after, inbox().messages(UidSet.ALL));
    }

    @Test
    void temporaryFilesOfACrashGoAndOthersMayStayForADayAndAHalf() throws Exception {
        inbox();
        files.close();
        put("tmp/pabal-0123456789ABCDEF1.M.host", "half", 0);
        put("tmp/1795300000.M1.host", "being written", 95_300_000);
        put("tmp/1700000000.M1.host", "forgotten", 0);
        open();
        inbox().status();
        assertEquals(List.of("1795300000.M1.host"), names("tmp"));
    }

    @Test
    void logIsCompactedWhenItHasGrown() throws Exception {
        Mailbox inbox = inbox();
        inbox.append(MemoryContent.of("1\n"), Set.of(), clock.instant(), "");
        for (int i = 0; i < 3_000; i++) {
            FlagEdit edit =
                    i % 2 == 0 ? new FlagEdit.Add(Set.of("$a")) : new FlagEdit.Remove(Set.of("$a"));
            inbox.flag(UidSet.ALL, edit, Long.MAX_VALUE);
        }
        MailboxStatus status = inbox.status();
        files.close();
        assertTrue(
                Files.size(maildir.resolve(UidLog.NAME)) < 100_000,
                "3,000 lines of 60 octets went through it");
        open();
        assertEquals(status, inbox().status());
    }

    @Test
    void directoryThatSomebodyRemovedDoesNotStopTheHouse() throws Exception {
        Mailbox work = files.mailboxes().create(BOB, "Work");
        work.append(MemoryContent.of("1\n"), Set.of(), clock.instant(), "");
        Disk.deleteTree(maildir.resolve(".Work"));
        files.close();
        open();
        assertEquals(List.of("INBOX"), files.mailboxes().list(BOB));
    }

    /// Security row S29.
    @Test
    void everythingIsForUsAlone() throws Exception {
        inbox().append(MemoryContent.of("1\n"), Set.of(), clock.instant(), "");
        files.mailboxes().create(BOB, "Work");
        files.close();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.filter(p -> !p.equals(folder)).toList()) {
                String expected = Files.isDirectory(path) ? "rwx------" : "rw-------";
                assertEquals(
                        expected,
                        PosixFilePermissions.toString(Files.getPosixFilePermissions(path)),
                        path.toString());
            }
        }
    }

    private Mailbox inbox() throws IOException {
        return files.mailboxes().open(BOB, "INBOX").orElseThrow();
    }

    private void put(String file, String text, int seconds) throws IOException {
        Path path = maildir.resolve(file);
        Path temporary = Files.createTempFile(folder, "foreign", "");
        Files.writeString(temporary, text);
        Files.setLastModifiedTime(
                temporary, FileTime.from(Instant.ofEpochSecond(1_700_000_000L + seconds)));
        Files.move(temporary, path);
    }

    private List<String> names(String part) throws IOException {
        try (Stream<Path> list = Files.list(maildir.resolve(part))) {
            return list.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }

    private static String text(Mailbox mailbox, long uid) throws IOException {
        return MemoryContent.copyOf(mailbox.content(uid).orElseThrow()).toString();
    }
}
