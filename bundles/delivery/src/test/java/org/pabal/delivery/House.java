package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.pabal.mail.Draft;
import org.pabal.mail.Envelope;
import org.pabal.mail.ForwardedSenders;
import org.pabal.mail.MailAddress;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;
import org.pabal.testkit.MemoryContent;
import org.pabal.testkit.MemoryDirectory;
import org.pabal.testkit.MemoryMailQueue;
import org.pabal.testkit.MemoryMailboxStore;
import org.pabal.testkit.MovableClock;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A node in memory with alice and bob of example.test and a worker that works when it is told to.
final class House {

    static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    static final MailAddress ALICE = new MailAddress("alice", "example.test");
    static final MailAddress BOB = new MailAddress("bob", "example.test");
    static final MailAddress NOBODY = new MailAddress("nobody", "example.test");
    static final MailAddress FAR = new MailAddress("far", "example.org");
    static final String TEXT = "From: a@example.org\nSubject: hello\n\nGood day.\n";

    final MovableClock clock = new MovableClock(NOON);
    final MemoryMailQueue queue = new MemoryMailQueue(clock);
    final RecordingQueue recorded = new RecordingQueue(queue);
    final MemoryMailboxStore mailboxes = new MemoryMailboxStore();
    final MemoryDirectory directory = MemoryDirectory.ofAliceAndBob();
    final Couriers couriers = new Couriers(new LocalCourier(mailboxes));

    /// Stands for `x@y.example` with `SRS0=y.example=x@example.test`.
    final ForwardedSenders forwarded =
            new ForwardedSenders() {
                @Override
                public MailAddress rewritten(MailAddress sender) {
                    return new MailAddress(
                            "SRS0=" + sender.domain() + "=" + sender.localPart(), "example.test");
                }

                @Override
                public boolean form(MailAddress address) {
                    return address.domain().equals("example.test")
                            && address.localPart().startsWith("SRS0=");
                }

                @Override
                public Optional<MailAddress> original(MailAddress address) {
                    String[] parts = address.localPart().split("=", 3);
                    return parts.length < 3
                            ? Optional.empty()
                            : Optional.of(new MailAddress(parts[2], parts[1]));
                }
            };

    final QueueWorker worker = worker(8);

    QueueWorker worker(int workers) {
        return worker(workers, 1_000);
    }

    QueueWorker worker(int workers, int underWay) {
        Reports reports =
                new Reports(
                        queue,
                        new DeliveryReport.Writer("mx.example.test", "example.test"),
                        RetrySchedule.DEFAULT,
                        Duration.ofHours(4),
                        clock,
                        () -> 0x1234_5678_9ABC_DEFL);
        return new QueueWorker(
                recorded,
                new AliasExpansion(directory, forwarded),
                couriers,
                reports,
                RetrySchedule.DEFAULT,
                clock,
                () -> 0,
                workers,
                underWay);
    }

    static Envelope envelope(MailAddress from, MailAddress... to) {
        return new Envelope(Optional.of(from), List.of(to).stream().map(Recipient::new).toList());
    }

    static Envelope envelope(MailAddress from, Map<String, String> parameters, MailAddress to) {
        return new Envelope(Optional.of(from), List.of(new Recipient(to, parameters)));
    }

    QueueId send(Envelope envelope, String text) throws IOException {
        try (Draft draft = queue.draft(envelope)) {
            draft.body().write(MemoryContent.of(text).octets());
            return draft.commit(List.of());
        }
    }

    /// Carries what is due now, and what comes of it; answers how many messages that were.
    int work() throws IOException {
        int count = 0;
        for (Optional<QueueEntry> entry = queue.lease(clock.instant(), Duration.ZERO);
                entry.isPresent();
                entry = queue.lease(clock.instant(), Duration.ZERO)) {
            worker.carry(entry.get());
            count++;
        }
        return count;
    }

    int waiting() {
        return (int) queue.entries().count();
    }

    QueueEntry only() {
        List<QueueEntry> entries = queue.entries().toList();
        assertEquals(1, entries.size(), entries::toString);
        return entries.getFirst();
    }

    List<String> inbox(MailAddress account) throws IOException {
        Mailbox inbox = mailboxes.open(account, "INBOX").orElseThrow();
        List<String> texts = new ArrayList<>();
        for (Message message : inbox.messages(UidSet.ALL)) {
            texts.add(MemoryContent.copyOf(inbox.content(message.uid()).orElseThrow()).toString());
        }
        return texts;
    }
}
