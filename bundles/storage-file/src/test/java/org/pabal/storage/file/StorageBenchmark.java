package org.pabal.storage.file;

import org.junit.jupiter.api.Test;
import org.pabal.mail.Attempt;
import org.pabal.mail.Content;
import org.pabal.mail.Draft;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStore;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/// Measures what the storage costs a message: 50 sessions commit 4 KB each, 16 workers bring it
/// into eight mailboxes. The sessions' own work is in the figures; the first rounds are the
/// compiler's.
///
/// Not run by `mvn verify`: `mvn -o test -Dtest=StorageBenchmark`, with
/// `-Dpabal.benchmark.messages=N` a round, `-Dpabal.benchmark.rounds=N` and
/// `-Dpabal.benchmark.directory=DIR` on the disk in question.
class StorageBenchmark {

    private static final int SESSIONS = 50;
    private static final int WORKERS = 16;
    private static final int MAILBOXES = 8;
    private static final List<String> RECEIVED =
            List.of(
                    "Received: from client.example.org ([192.0.2.1])\r\n"
                            + "\tby host.example.org with ESMTP id 7F3K00000000\r\n"
                            + "\tfor <bob@example.test>; Sun, 22 Nov 2026 12:00:00 +0000");

    @Test
    void costOfAMessage() throws Exception {
        Path directory =
                Path.of(System.getProperty("pabal.benchmark.directory", "target/benchmark"));
        int messages = Integer.getInteger("pabal.benchmark.messages", 40_000);
        Disk.deleteTree(directory);
        MailFiles.Options options =
                new MailFiles.Options(
                        256_000_000, 0, 1_000_000, "host.example.org", 1_000_000_000L);
        try (MailFiles files =
                MailFiles.open(
                        directory, new Disk(), options, InstantSource.system(), new Random())) {
            for (int i = 0; i < Integer.getInteger("pabal.benchmark.rounds", 6); i++) {
                round(files, messages, MAILBOXES);
            }
        }
    }

    /// What the end of a lease costs: 64 workers settle messages for one recipient, without tries,
    /// with a try, putting them back, and deferring them with a try; the lease is in the figures,
    /// the commit is not.
    @Test
    void costOfASettlement() throws Exception {
        Path directory =
                Path.of(System.getProperty("pabal.benchmark.directory", "target/benchmark"));
        int messages = Integer.getInteger("pabal.benchmark.messages", 40_000);
        Disk.deleteTree(directory);
        MailFiles.Options options =
                new MailFiles.Options(
                        256_000_000, 0, 1_000_000, "host.example.org", 1_000_000_000L);
        try (MailFiles files =
                MailFiles.open(
                        directory, new Disk(), options, InstantSource.system(), new Random())) {
            for (int i = 0; i < Integer.getInteger("pabal.benchmark.rounds", 6); i++) {
                commit(files, messages);
                settle(files, messages, "put back", Map.of(), false);
                Outcome deferred =
                        new Outcome.Deferred(new Status(451, "4.4.1", "nobody answers there"));
                settle(files, messages, "deferred, with a try", outcomes(deferred), true);
                settle(files, messages, "deferred, without tries", outcomes(deferred), false);
                Outcome delivered = new Outcome.Delivered("mx.example.test 250 2.0.0 Ok");
                settle(files, messages, "delivered, with a try", outcomes(delivered), true);
                commit(files, messages);
                settle(files, messages, "delivered, without tries", outcomes(delivered), false);
            }
        }
    }

    private static Map<MailAddress, Outcome> outcomes(Outcome outcome) {
        return Map.of(recipient(0), outcome);
    }

    private static void commit(MailFiles files, int messages) throws Exception {
        AtomicInteger left = new AtomicInteger(messages);
        CountDownLatch done = new CountDownLatch(SESSIONS);
        byte[] body = "Subject: benchmark\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < SESSIONS; i++) {
            Thread.startVirtualThread(() -> send(files, body, left, done, 1));
        }
        done.await();
        files.journal().awaitAll();
    }

    private static void settle(
            MailFiles files,
            int messages,
            String how,
            Map<MailAddress, Outcome> outcomes,
            boolean tried)
            throws Exception {
        int workers = Integer.getInteger("pabal.benchmark.workers", 64);
        long pause = Long.getLong("pabal.benchmark.pause", 0) * 1_000_000;
        AtomicInteger left = new AtomicInteger(messages);
        CountDownLatch done = new CountDownLatch(workers);
        Instant now = InstantSource.system().instant();
        Attempt attempt =
                new Attempt(
                        now,
                        "mx.example.test [192.0.2.25]:25",
                        "TLSv1.3, dane",
                        List.of(recipient(0)),
                        new Status(250, "2.0.0", "Ok"));
        List<Attempt> attempts = tried ? List.of(attempt) : List.of();
        Duration cpu = cpu();
        long start = System.nanoTime();
        for (int i = 0; i < workers; i++) {
            Thread.startVirtualThread(
                    () -> {
                        try {
                            while (left.getAndDecrement() > 0) {
                                QueueEntry entry =
                                        files.queue().lease(now, Duration.ZERO).orElseThrow();
                                files.queue().settle(entry, outcomes, now, attempts);
                                if (pause > 0) {
                                    LockSupport.parkNanos(pause);
                                }
                            }
                        } catch (IOException e) {
                            e.printStackTrace();
                        } finally {
                            done.countDown();
                        }
                    });
        }
        done.await();
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                "%s: %.0f/s, CPU of the process %.1f us/settlement%n",
                how, messages / seconds, cpu().minus(cpu).toNanos() / 1e3 / messages);
    }

    private static void round(MailFiles files, int messages, int mailboxes) throws Exception {
        byte[] body =
                ("Subject: benchmark\r\n\r\n" + ("x".repeat(78) + "\r\n").repeat(51))
                        .getBytes(StandardCharsets.US_ASCII);
        AtomicInteger toSend = new AtomicInteger(messages);
        AtomicInteger toBring = new AtomicInteger(messages);
        CountDownLatch sent = new CountDownLatch(SESSIONS);
        CountDownLatch brought = new CountDownLatch(WORKERS);
        Duration cpu = cpu();
        long system = systemTicks();
        long start = System.nanoTime();
        for (int i = 0; i < WORKERS; i++) {
            Thread.startVirtualThread(() -> bring(files, toBring, brought));
        }
        for (int i = 0; i < SESSIONS; i++) {
            Thread.startVirtualThread(() -> send(files, body, toSend, sent, mailboxes));
        }
        sent.await();
        double accepted = (System.nanoTime() - start) / 1e9;
        brought.await();
        double delivered = (System.nanoTime() - start) / 1e9;
        double micros = cpu().minus(cpu).toNanos() / 1e3 / messages;
        System.out.printf(
                "accepted %.0f/s, in mailboxes %.0f/s, CPU of the process %.1f us/message, of the"
                        + " machine %.1f%n",
                messages / accepted,
                messages / delivered,
                micros,
                (systemTicks() - system) * 1e4 / messages);
    }

    private static void send(
            MailFiles files, byte[] body, AtomicInteger left, CountDownLatch done, int mailboxes) {
        try {
            for (int n = left.getAndDecrement(); n > 0; n = left.getAndDecrement()) {
                Envelope envelope =
                        new Envelope(
                                Optional.of(new MailAddress("a", "example.org")),
                                List.of(new Recipient(recipient(n % mailboxes))));
                try (Draft draft = files.queue().draft(envelope)) {
                    draft.body().write(body);
                    draft.commit(RECEIVED);
                }
            }
        } catch (IOException e) {
            e.printStackTrace();
        } finally {
            done.countDown();
        }
    }

    private static void bring(MailFiles files, AtomicInteger left, CountDownLatch done) {
        try {
            while (left.get() > 0) {
                Optional<QueueEntry> leased =
                        files.queue()
                                .lease(InstantSource.system().instant(), Duration.ofMillis(100));
                if (leased.isPresent()) {
                    QueueEntry entry = leased.get();
                    MailAddress to = entry.envelope().recipients().getFirst().address();
                    Mailbox inbox = files.mailboxes().open(to, MailboxStore.INBOX).orElseThrow();
                    inbox.append(
                            new Prefixed(entry.content()),
                            Set.of(),
                            entry.accepted(),
                            entry.id() + ".1");
                    files.queue()
                            .settle(
                                    entry,
                                    Map.of(to, new Outcome.Delivered("mailbox")),
                                    Instant.MAX);
                    left.decrementAndGet();
                }
            }
        } catch (IOException e) {
            e.printStackTrace();
        } finally {
            done.countDown();
        }
    }

    private static MailAddress recipient(int number) {
        return new MailAddress("u" + number, "example.test");
    }

    private static Duration cpu() {
        return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
    }

    /// Hundredths of a second that the processors were busy, kernel threads included.
    private static long systemTicks() throws IOException {
        String[] words = Files.readAllLines(Path.of("/proc/stat")).getFirst().split(" +");
        return Long.parseLong(words[1])
                + Long.parseLong(words[2])
                + Long.parseLong(words[3])
                + Long.parseLong(words[6])
                + Long.parseLong(words[7]);
    }

    /// As the courier does it.
    record Prefixed(Content content) implements Content {

        private static final byte[] TOP =
                "Return-Path: <a@example.org>\r\nDelivered-To: bob@example.test\r\n"
                        .getBytes(StandardCharsets.US_ASCII);

        @Override
        public long size() {
            return TOP.length + content.size();
        }

        @Override
        public InputStream open() throws IOException {
            return new SequenceInputStream(new ByteArrayInputStream(TOP), content.open());
        }
    }
}
