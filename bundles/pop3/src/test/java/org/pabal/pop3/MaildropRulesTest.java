package org.pabal.pop3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.mailbox.FlagEdit;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Row S32: what becomes of the maildrop, whatever a session does and however it ends.
class MaildropRulesTest {

    private final BrokenStore disk = new BrokenStore();
    private final House house = new House(Map.of(), disk.store);

    @Test
    void removesExactlyWhatWasMarkedInOneStepAtQuit() throws Exception {
        house.deliver(House.BOB, House.sized("three", 100));
        try (Client bob = new Client(house).signIn("bob")) {
            bob.say("DELE 1");
            bob.say("DELE 3");
            house.deliver(House.BOB, House.sized("late", 90));
            assertEquals(4, house.messages(House.BOB).size(), "marked, not removed");
            assertEquals("+OK 1 200", bob.say("STAT"), "what came later is not in this maildrop");
            assertEquals("+OK goodbye", bob.say("QUIT"));
            assertEquals("returned", bob.end());
        }
        assertEquals(List.of(UidSet.of(1, 3)), disk.expunged);
        assertEquals(
                List.of(200L, 90L),
                house.messages(House.BOB).stream().map(Message::octets).toList());
    }

    @Test
    void removesNothingWhenTheConnectionBreaks() throws Exception {
        Client bob = new Client(house).signIn("bob");
        bob.say("DELE 1");
        assertEquals("returned", bob.end());
        assertNothingRemoved();
    }

    @Test
    void removesNothingWhenTheClientsTimeIsUp() throws Exception {
        Client bob = new Client(house).signIn("bob");
        bob.say("DELE 1");
        bob.timeIsUp();
        assertEquals("", bob.rest(), "RFC 1939 §3: without sending any response");
        assertTrue(bob.end().contains("SocketTimeoutException"));
        assertNothingRemoved();
    }

    @Test
    void removesNothingWhenTheBundleIsReplaced() throws Exception {
        Client bob = new Client(house).signIn("bob");
        bob.say("DELE 1");
        bob.connection.drain();
        assertEquals(
                "-ERR [SYS/TEMP] being updated, sign in again; nothing was removed", bob.line());
        assertEquals("", bob.rest());
        assertEquals("returned", bob.end());
        assertNothingRemoved();
    }

    @Test
    void removesNothingWhenAMalformedLineEndsTheSession() throws Exception {
        Client bob = new Client(house).signIn("bob");
        bob.say("DELE 1");
        assertTrue(bob.say("QUIT\n").startsWith("-ERR lines end with CR LF"));
        bob.end();
        assertNothingRemoved();
    }

    @Test
    void removesNothingAfterRset() throws Exception {
        try (Client bob = new Client(house).signIn("bob")) {
            bob.say("DELE 1");
            bob.say("DELE 2");
            assertEquals("+OK maildrop has 2 messages (320 octets)", bob.say("RSET"));
            assertEquals("+OK goodbye", bob.say("QUIT"));
        }
        assertNothingRemoved();
    }

    @Test
    void saysSoWhenRemovingFailed() throws Exception {
        try (Client bob = new Client(house).signIn("bob")) {
            bob.say("DELE 1");
            disk.broken.add("expunge");
            assertEquals("-ERR [SYS/TEMP] marked messages are not removed", bob.say("QUIT"));
            assertEquals("", bob.rest());
        }
        assertEquals(2, house.messages(House.BOB).size());
        disk.broken.clear();
        try (Client bob = new Client(house)) {
            bob.signIn("bob");
        }
    }

    @Test
    void keepsTheMaildropForOneSessionAtATime() throws Exception {
        Client first = new Client(house).signIn("bob");
        try (Client second = new Client(house);
                Client alice = new Client(house)) {
            second.say("USER BOB@example.test");
            assertEquals(
                    "-ERR [IN-USE] another session has this maildrop", second.say("PASS pabal"));
            assertEquals(
                    "-ERR [IN-USE] another session has this maildrop",
                    second.say("AUTH PLAIN AGJvYgBwYWJhbA=="));
            alice.signIn("alice");
            assertEquals("+OK 2 320", first.say("STAT"));
            first.end();
            second.signIn("bob");
        }
    }

    @Test
    void givesTheMaildropBackHoweverASessionEnds() throws Exception {
        for (String ending : List.of("QUIT", "hang up", "time", "drain", "NOOP\n")) {
            Client bob = new Client(house).signIn("bob");
            switch (ending) {
                case "hang up" -> bob.connection.close();
                case "time" -> bob.timeIsUp();
                case "drain" -> bob.connection.drain();
                default -> bob.say(ending);
            }
            bob.end();
        }
        disk.broken.add("messages");
        try (Client bob = new Client(house)) {
            bob.say("USER bob");
            assertEquals(
                    "-ERR [SYS/TEMP] the maildrop cannot be opened just now, try again later",
                    bob.say("PASS pabal"));
            disk.broken.clear();
            bob.signIn("bob");
        }
    }

    /// Keep mode: a download leaves no trace in the mailbox.
    @Test
    void leavesFlagsAloneWhenMessagesAreRetrievedAndKept() throws Exception {
        house.inbox(House.BOB)
                .flag(UidSet.of(2), new FlagEdit.Add(Set.of("\\Flagged", "mine")), Long.MAX_VALUE);
        List<Message> before = house.messages(House.BOB);
        disk.changes.clear();
        try (Client bob = new Client(house).signIn("bob")) {
            for (String command : List.of("RETR 1", "RETR 2", "TOP 1 0")) {
                assertTrue(bob.say(command).startsWith("+OK"));
                for (String line = bob.line(); !line.equals("."); line = bob.line()) {}
            }
            assertEquals("+OK goodbye", bob.say("QUIT"));
        }
        assertEquals(before, house.messages(House.BOB));
        assertEquals(List.of(), disk.changes);
        assertEquals(List.of(), disk.expunged);
    }

    @Test
    void keepsUniqueIdsFromSessionToSession() throws Exception {
        try (Client bob = new Client(house).signIn("bob")) {
            assertEquals("+OK 2 m1.2", bob.say("UIDL 2"));
            bob.say("DELE 1");
            bob.say("QUIT");
        }
        house.deliver(House.BOB, House.sized("three", 100));
        try (Client bob = new Client(house).signIn("bob")) {
            assertEquals("+OK 1 m1.2", bob.say("UIDL 1"));
            assertEquals("+OK 2 m1.3", bob.say("UIDL 2"));
        }
    }

    @Test
    void saysSoWhenAnotherProgramRemovedTheMessage() throws Exception {
        try (Client bob = new Client(house).signIn("bob")) {
            house.inbox(House.BOB).expunge(UidSet.of(1));
            disk.expunged.clear();
            assertEquals("-ERR message was removed by another program", bob.say("RETR 1"));
            assertEquals("-ERR message was removed by another program", bob.say("TOP 1 0"));
            assertEquals("+OK 2 320", bob.say("STAT"), "numbers and sizes hold still");
            bob.say("DELE 1");
            assertEquals("+OK goodbye", bob.say("QUIT"));
        }
        assertEquals(1, house.messages(House.BOB).size());
    }

    @Test
    void refusesAMessageThatCannotBeOpened() throws Exception {
        try (Client bob = new Client(house).signIn("bob")) {
            disk.broken.add("content");
            assertEquals(
                    "-ERR [SYS/TEMP] the message cannot be read just now, try again later",
                    bob.say("RETR 1"));
            disk.broken.clear();
            assertEquals("+OK 120 octets", bob.say("RETR 1"));
        }
    }

    /// Half a message must not look like a whole one: a client that saw the end would delete it.
    @Test
    void closesRatherThanEndAMessageThatBreaksOff() throws Exception {
        house.deliver(House.BOB, House.sized("large", 100_000));
        Client bob = new Client(house).signIn("bob");
        disk.broken.add("read");
        assertEquals("+OK 100000 octets", bob.say("RETR 3"));
        assertFalse(bob.rest().endsWith("\r\n.\r\n"));
        assertTrue(bob.end().contains("IOException"));
        disk.broken.clear();
        new Client(house).signIn("bob").close();
    }

    /// RFC 2449 §6.7, `EXPIRE 0`: what was retrieved is removed at QUIT, and only then.
    @Test
    void removesWhatWasRetrievedWhenNothingMayStay() throws Exception {
        House strict = new House(Map.of("expire", "0"), new BrokenStore().store);
        try (Client bob = new Client(strict).signIn("bob")) {
            bob.say("CAPA");
            String capabilities = "";
            for (String line = bob.line(); !line.equals("."); line = bob.line()) {
                capabilities += line + "\n";
            }
            assertTrue(capabilities.contains("EXPIRE 0\n"));
            assertEquals("+OK 200 octets", bob.say("RETR 2"));
            for (String line = bob.line(); !line.equals("."); line = bob.line()) {}
        }
        assertEquals(2, strict.messages(House.BOB).size(), "the connection broke");
        try (Client bob = new Client(strict).signIn("bob")) {
            bob.say("TOP 1 0");
            for (String line = bob.line(); !line.equals("."); line = bob.line()) {}
            bob.say("RETR 2");
            for (String line = bob.line(); !line.equals("."); line = bob.line()) {}
            assertEquals("+OK goodbye", bob.say("QUIT"));
        }
        assertEquals(List.of(1L), strict.messages(House.BOB).stream().map(Message::uid).toList());
    }

    private void assertNothingRemoved() throws IOException {
        assertEquals(List.of(), disk.expunged);
        assertEquals(2, house.messages(House.BOB).size());
    }
}
