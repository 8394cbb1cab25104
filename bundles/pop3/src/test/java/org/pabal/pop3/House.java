package org.pabal.pop3;

import org.pabal.directory.Sasl;
import org.pabal.directory.SignInLimits;
import org.pabal.mail.Content;
import org.pabal.mail.MailAddress;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStore;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;
import org.pabal.protocol.StreamProtocol;
import org.pabal.settings.Settings;
import org.pabal.testkit.MemoryContent;
import org.pabal.testkit.MemoryDirectory;
import org.pabal.testkit.MemoryMailboxStore;
import org.pabal.testkit.MovableClock;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/// What a session needs, in memory: bob has the two messages of RFC 1939 §10, alice three that are
/// hard to send, carol none.
final class House {

    static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    static final MailAddress ALICE = new MailAddress("alice", "example.test");
    static final MailAddress BOB = new MailAddress("bob", "example.test");
    static final MailAddress CAROL = new MailAddress("carol", "example.test");

    final MovableClock clock = new MovableClock(NOON);
    final MemoryDirectory directory = MemoryDirectory.ofAliceAndBob();
    final SignInLimits limits = new SignInLimits(clock);
    final Sasl sasl = new Sasl(directory, limits);
    final List<Duration> heldBack = new CopyOnWriteArrayList<>();
    final MailboxStore store;
    final Pop3Rules rules;
    final Maildrops maildrops;

    House() {
        this(Map.of(), new MemoryMailboxStore());
    }

    House(Map<String, Object> settings) {
        this(settings, new MemoryMailboxStore());
    }

    House(Map<String, Object> settings, MailboxStore store) {
        this.store = store;
        rules = Pop3Rules.of(Settings.of(settings), "mail.example.test");
        maildrops = new Maildrops(store, rules.loginDelay(), clock);
        directory.addAccount(CAROL, "gr\u00fc\u00df dich".toCharArray());
        deliver(BOB, sized("one", 120));
        deliver(BOB, sized("two", 200));
        deliver(
                ALICE,
                MemoryContent.of(
                        """
                        Subject: dots

                        .
                        ..two
                        in . the middle.
                        .
                        """));
        deliver(ALICE, new MemoryContent("Subject: short\r\n\r\nno end".getBytes()));
        deliver(
                ALICE,
                MemoryContent.of(
                        """
                        From: J\u00f6rg <j\u00f6rg@example.org>
                        To: "Alice" <alice@example.test>, Zo\u00eb <zoe@example.org>
                        Subject: gr\u00fc\u00dfe
                        X-Mood: \u263a

                        gr\u00fc\u00dfe
                        """));
    }

    StreamProtocol protocol() {
        return connection ->
                new Pop3Session(connection, rules, sasl, maildrops, heldBack::add).converse();
    }

    void deliver(MailAddress owner, Content content) {
        try {
            inbox(owner).append(content, Set.of(), clock.instant(), "");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    Mailbox inbox(MailAddress owner) throws IOException {
        return store.open(owner, MailboxStore.INBOX).orElseThrow();
    }

    List<Message> messages(MailAddress owner) throws IOException {
        return inbox(owner).messages(UidSet.ALL);
    }

    /// A message of exactly so many octets.
    static MemoryContent sized(String subject, int octets) {
        String head = "Subject: " + subject + "\r\n\r\n";
        return new MemoryContent(
                (head + "x".repeat(octets - head.length() - 2) + "\r\n").getBytes());
    }
}
