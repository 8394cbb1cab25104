package org.pabal.storage.file;

import org.pabal.mail.Attempt;
import org.pabal.mail.Content;
import org.pabal.mail.Draft;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.mailbox.FlagEdit;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStore;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/// The process that [CrashTest] kills: commits, delivers, appends, flags, moves and expunges until
/// it is dead, and says on its standard output what was acknowledged.
///
/// ```
///  OK token      the message was committed or appended
///  TRY token     it is about to be expunged
///  GONE token    it was expunged
///  SENT id n     of the message with that id, the settlement of recipient n and its try has returned
/// ```
final class CrashChild {

    static final MailAddress BOB = new MailAddress("bob", "example.test");
    /// Messages for two recipients each.
    static final int TO_SEND = 100;

    static final MailAddress CAROL = new MailAddress("carol", "example.test");
    private static final PrintStream OUT =
            new PrintStream(System.out, false, StandardCharsets.US_ASCII);

    private CrashChild() {}

    public static void main(String[] arguments) throws Exception {
        String prefix = arguments[1];
        MailFiles files =
                MailFiles.open(
                        Path.of(arguments[0]),
                        new Disk(),
                        MailFilesFixture.SMALL,
                        InstantSource.system(),
                        new Random());
        if (arguments.length > 2) {
            sendAndDie(files, Integer.parseInt(arguments[2]));
            return;
        }
        files.mailboxes()
                .open(BOB, "Archive")
                .or(
                        () -> {
                            try {
                                return Optional.of(files.mailboxes().create(BOB, "Archive"));
                            } catch (IOException e) {
                                throw new java.io.UncheckedIOException(e);
                            }
                        });
        for (int i = 0; i < 10; i++) {
            String name = prefix + "c" + i;
            start(() -> commit(files, name));
        }
        for (int i = 0; i < 4; i++) {
            start(() -> deliver(files));
        }
        start(() -> append(files, prefix + "a"));
        start(() -> change(files));
        Thread.sleep(Duration.ofMinutes(2)); // the end of it, should nobody kill us
    }

    private interface Work {
        void run() throws Exception;
    }

    private static void start(Work work) {
        Thread.startVirtualThread(
                () -> {
                    try {
                        work.run();
                    } catch (Exception e) {
                        e.printStackTrace();
                        System.exit(3);
                    }
                });
    }

    private static void say(String line) {
        synchronized (OUT) {
            OUT.print(line + "\n");
            OUT.flush();
        }
    }

    /// A message whose first line is its token; some are too large for the journal.
    static byte[] message(String token, Random random) {
        int size = random.nextInt(40) == 0 ? 300_000 : random.nextInt(8_000);
        return ("X-Token: " + token + "\r\n\r\n" + "x".repeat(size) + "\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static void commit(MailFiles files, String name) throws Exception {
        Random random = new Random();
        for (int i = 0; ; i++) {
            String token = name + "-" + i;
            Envelope envelope = new Envelope(Optional.empty(), List.of(new Recipient(BOB)));
            try (Draft draft = files.queue().draft(envelope)) {
                draft.body().write(message(token, random));
                draft.commit(List.of());
            }
            say("OK " + token);
        }
    }

    /// Settles mail for others, and is gone right after a settlement: nothing but the settlements
    /// gives the journal a reason to write.
    private static void sendAndDie(MailFiles files, int settlements) throws Exception {
        Envelope envelope =
                new Envelope(Optional.empty(), List.of(new Recipient(BOB), new Recipient(CAROL)));
        for (int i = 0; i < TO_SEND; i++) {
            try (Draft draft = files.queue().draft(envelope)) {
                draft.body().write("\r\n".getBytes(StandardCharsets.US_ASCII));
                draft.commit(List.of());
            }
        }
        AtomicInteger left = new AtomicInteger(settlements);
        for (int i = 0; i < 8; i++) {
            start(() -> send(files, left));
        }
        Thread.sleep(Duration.ofMinutes(2));
    }

    private static void send(MailFiles files, AtomicInteger left) throws Exception {
        while (true) {
            Instant now = InstantSource.system().instant();
            Optional<QueueEntry> leased = files.queue().lease(now, Duration.ofSeconds(1));
            if (leased.isPresent()) {
                QueueEntry entry = leased.get();
                MailAddress to = entry.envelope().addresses().getFirst();
                Status reply = new Status(250, "2.0.0", "Ok");
                files.queue()
                        .settle(
                                entry,
                                Map.of(to, new Outcome.Delivered("mx.example.test")),
                                Instant.EPOCH,
                                List.of(
                                        new Attempt(
                                                now,
                                                "mx.example.test [192.0.2.25]:25",
                                                "TLSv1.3, dane",
                                                List.of(to),
                                                reply)));
                say("SENT " + entry.id() + " " + (to.equals(BOB) ? 1 : 2));
                if (left.decrementAndGet() == 0) {
                    Runtime.getRuntime().halt(137);
                }
            }
        }
    }

    private static void deliver(MailFiles files) throws Exception {
        while (true) {
            Optional<QueueEntry> leased =
                    files.queue().lease(InstantSource.system().instant(), Duration.ofSeconds(1));
            if (leased.isPresent()) {
                deliver(files, leased.get());
            }
        }
    }

    static void deliver(MailFiles files, QueueEntry entry) throws IOException {
        Mailbox inbox = files.mailboxes().open(BOB, MailboxStore.INBOX).orElseThrow();
        inbox.append(
                new Prefixed(entry.content()), Set.of(), entry.accepted(), entry.id() + ".bob");
        files.queue().settle(entry, Map.of(BOB, new Outcome.Delivered("mailbox")), Instant.MAX);
    }

    private static void append(MailFiles files, String name) throws Exception {
        Random random = new Random();
        for (int i = 0; ; i++) {
            String token = name + "-" + i;
            Mailbox inbox = files.mailboxes().open(BOB, MailboxStore.INBOX).orElseThrow();
            Content content =
                    content(
                            ("X: y\r\n"
                                            + new String(
                                                    message(token, random),
                                                    StandardCharsets.US_ASCII))
                                    .getBytes(StandardCharsets.US_ASCII));
            inbox.append(content, Set.of("\\Seen", "$Work"), InstantSource.system().instant(), "");
            say("OK " + token);
        }
    }

    private static void change(MailFiles files) throws Exception {
        Random random = new Random();
        Mailbox inbox = files.mailboxes().open(BOB, MailboxStore.INBOX).orElseThrow();
        Mailbox archive = files.mailboxes().open(BOB, "Archive").orElseThrow();
        while (true) {
            Mailbox from = random.nextBoolean() ? inbox : archive;
            List<Message> messages = from.messages(UidSet.ALL);
            if (messages.isEmpty()) {
                continue;
            }
            Message chosen = messages.get(random.nextInt(messages.size()));
            UidSet uid = UidSet.of(chosen.uid());
            switch (random.nextInt(3)) {
                case 0 ->
                        from.flag(
                                uid,
                                new FlagEdit.Add(Set.of("\\Flagged", "$Label" + random.nextInt(5))),
                                Long.MAX_VALUE);
                case 1 -> from.move(uid, from == inbox ? archive : inbox);
                default -> {
                    String token = token(from.content(chosen.uid()).orElseThrow());
                    say("TRY " + token);
                    from.expunge(uid);
                    say("GONE " + token);
                }
            }
        }
    }

    static String token(Content content) throws IOException {
        try (InputStream in = content.open()) {
            String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
            if (text.length() != content.size() || !text.endsWith("\r\n")) {
                throw new IOException("half a message: " + text.length() + " of " + content.size());
            }
            int at = text.indexOf("X-Token: ") + 9;
            return text.substring(at, text.indexOf('\r', at));
        }
    }

    private static Content content(byte[] octets) {
        return new Content() {
            @Override
            public long size() {
                return octets.length;
            }

            @Override
            public InputStream open() {
                return new ByteArrayInputStream(octets);
            }
        };
    }

    /// What a courier puts above a message.
    record Prefixed(Content content) implements Content {

        private static final byte[] TOP =
                "Delivered-To: bob@example.test\r\n".getBytes(StandardCharsets.US_ASCII);

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
