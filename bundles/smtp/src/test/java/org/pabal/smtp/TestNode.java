package org.pabal.smtp;

import org.pabal.directory.Directory;
import org.pabal.directory.Sasl;
import org.pabal.directory.SignInLimits;
import org.pabal.mail.ForwardedSenders;
import org.pabal.mail.MailAddress;
import org.pabal.mail.MailPolicy;
import org.pabal.mail.MailQueue;
import org.pabal.mail.QueueEntry;
import org.pabal.protocol.StreamProtocol;
import org.pabal.testkit.Dialogue;
import org.pabal.testkit.MemoryDirectory;
import org.pabal.testkit.MemoryMailQueue;
import org.pabal.testkit.MovableClock;
import org.pabal.testkit.TestConnection;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/// A node with stores in memory: `example.test` with alice, bob and the alias `team@example.test`
/// for both.
final class TestNode {

    final MovableClock clock = new MovableClock(Instant.parse("2026-11-22T10:00:00Z"));
    final MemoryDirectory people = MemoryDirectory.ofAliceAndBob();
    final MemoryMailQueue memory = new MemoryMailQueue(clock);
    final List<MailPolicy> policies = new CopyOnWriteArrayList<>();
    final List<Duration> pauses = new ArrayList<>();
    MailQueue queue = memory;
    Directory directory = people;
    SmtpLimits limits = SmtpLimits.defaults();
    Optional<ForwardedSenders> forwarded = Optional.empty();
    SendingLimits sending = new SendingLimits(1_000, 5_000, clock);

    /// Forwarded senders of which those that begin with `SRS0=good` are ours.
    record Srs() implements ForwardedSenders {
        @Override
        public MailAddress rewritten(MailAddress sender) {
            return new MailAddress("SRS0=good=" + sender.localPart(), "example.test");
        }

        @Override
        public boolean form(MailAddress address) {
            return address.domain().equals("example.test")
                    && address.localPart().startsWith("SRS0=");
        }

        @Override
        public Optional<MailAddress> original(MailAddress address) {
            return form(address) && address.localPart().startsWith("SRS0=good")
                    ? Optional.of(address("someone@example.org"))
                    : Optional.empty();
        }
    }

    TestNode() {
        people.addAlias(
                address("team@example.test"),
                List.of(address("alice@example.test"), address("bob@example.test")));
        people.addAlias(address("far@example.test"), List.of(address("someone@example.org")));
    }

    static MailAddress address(String text) {
        return MailAddress.parse(text).orElseThrow();
    }

    TestNode limits(
            long messageOctets, int headerOctets, int recipients, int messages, int failures) {
        limits =
                new SmtpLimits(
                        messageOctets,
                        headerOctets,
                        recipients,
                        messages,
                        failures,
                        limits.commandPatience(),
                        limits.dataPatience(),
                        limits.hold());
        return this;
    }

    SmtpHost host() {
        return new SmtpHost(
                "mx.example.test",
                "example.test",
                limits,
                true,
                queue,
                directory,
                new Sasl(directory, new SignInLimits(clock)),
                new Policies(() -> policies),
                () -> forwarded,
                sending,
                new MailDate(clock),
                (length, enough) -> pauses.add(length));
    }

    StreamProtocol as(Role role) {
        SmtpHost host = host();
        return connection -> new SmtpSession(connection, role, host).converse();
    }

    void play(Role role, String dialogue) throws Exception {
        Dialogue.of(dialogue).play(as(role));
    }

    void play(Role role, String dialogue, TestConnection connection) throws Exception {
        Dialogue.of(dialogue).play(as(role), connection);
    }

    List<QueueEntry> queued() {
        return memory.entries().toList();
    }

    static String text(QueueEntry entry) throws IOException {
        try (InputStream in = entry.content().open()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /// What was queued, without what was put above it.
    static String body(QueueEntry entry, int fieldsAbove) throws IOException {
        String text = text(entry);
        int at = 0;
        for (int field = 0; field < fieldsAbove; field++) {
            do {
                at = text.indexOf("\r\n", at) + 2;
            } while (at < text.length() && (text.charAt(at) == '\t' || text.charAt(at) == ' '));
        }
        return text.substring(at);
    }
}
