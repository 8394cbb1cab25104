package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.mail.QueueEntry;
import org.pabal.mailbox.Mailbox;
import org.pabal.mailbox.MailboxStore;
import org.pabal.mailbox.Message;
import org.pabal.mailbox.UidSet;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/// Kills a process at random moments, security row S30: what was acknowledged is there exactly
/// once, what was expunged stays away, and no message is half.
///
/// `-Dpabal.crashes=50` for more than the usual ten.
class CrashTest {

    private static final int CRASHES = Integer.getInteger("pabal.crashes", 10);

    @TempDir Path folder;

    /// What the killed processes have said, over all rounds.
    private final Set<String> acknowledged = new HashSet<>();

    /// The highest number of a recipient that each message was settled for.
    private final Map<String, Integer> sent = new HashMap<>();

    private final Set<String> tried = new HashSet<>();
    private final Set<String> gone = new HashSet<>();

    @Test
    void everyAcknowledgedMessageIsThereExactlyOnce() throws Exception {
        Random random = new Random();
        for (int i = 0; i < CRASHES; i++) {
            boolean whileStarting = i % 4 == 3; // in the middle of a replay, perhaps
            runAndKill("r" + i, whileStarting, (whileStarting ? 200 : 50) + random.nextInt(1_200));
            check("crash " + i);
        }
        assertTrue(acknowledged.size() > 10 * CRASHES, "work was done: " + acknowledged.size());
        System.out.println(
                CRASHES
                        + " crashes, "
                        + acknowledged.size()
                        + " messages acknowledged, "
                        + gone.size()
                        + " expunged");
    }

    /// What went to another server is not to go there again because of a settlement that was lost.
    @Test
    void everySettlementWithATryIsKnownAfterwards() throws Exception {
        Random random = new Random();
        for (int i = 0; i < Math.max(2, CRASHES / 5); i++) {
            sent.clear();
            int settlements = 20 + random.nextInt(2 * CrashChild.TO_SEND - 40);
            runAndKill("s" + i, false, 60_000, Integer.toString(settlements));
            assertTrue(sent.size() >= 20, "work was done: " + sent.size());
            try (MailFiles files = MailFilesFixture.open(folder, InstantSource.system())) {
                for (QueueEntry entry : files.queue().entries().toList()) {
                    int settled = sent.getOrDefault(entry.id().text(), 0);
                    int left = entry.envelope().recipients().size();
                    assertTrue(left <= 2 - settled, entry.id() + " after SENT " + settled);
                    assertEquals(2 - left, entry.history().size());
                    files.queue().remove(entry.id());
                }
            }
        }
    }

    private void runAndKill(String prefix, boolean whileStarting, int millis, String... more)
            throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx256m",
                                "-XX:TieredStopAtLevel=1",
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                classPath(),
                                CrashChild.class.getName(),
                                folder.toString(),
                                prefix));
        command.addAll(List.of(more));
        Process child =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        Thread killer =
                Thread.ofVirtual()
                        .unstarted(
                                () -> {
                                    try {
                                        if (!child.waitFor(millis, TimeUnit.MILLISECONDS)) {
                                            child.toHandle()
                                                    .destroyForcibly(); // which leaves what it has
                                            // said to be read
                                        }
                                    } catch (InterruptedException e) {
                                        child.toHandle().destroyForcibly();
                                    }
                                });
        if (whileStarting) {
            killer.start();
        }
        try (BufferedReader lines = child.inputReader()) {
            String open = "";
            for (int c = lines.read(); c >= 0; c = lines.read()) {
                if (c != '\n') {
                    open += (char) c;
                    continue;
                }
                if (killer.getState() == Thread.State.NEW) {
                    killer.start(); // the time runs from the first acknowledgement on
                }
                heard(open);
                open = "";
            }
        }
        assertTrue(killer.getState() != Thread.State.NEW, "it came to work");
        killer.join(Duration.ofMinutes(3));
        assertEquals(137, child.waitFor(), "was killed, did not fail");
    }

    private static String classPath() {
        String path = System.getProperty("java.class.path", "");
        String modules = System.getProperty("jdk.module.path", "");
        return classes(MailFiles.class)
                + ":"
                + classes(CrashChild.class)
                + ":"
                + path
                + ":"
                + modules;
    }

    private static String classes(Class<?> type) {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath())
                .toString();
    }

    private void heard(String line) {
        String[] words = line.split(" ");
        switch (words[0]) {
            case "OK" -> acknowledged.add(words[1]);
            case "TRY" -> tried.add(words[1]);
            case "SENT" -> sent.merge(words[1], Integer.parseInt(words[2]), Math::max);
            case "GONE" -> gone.add(words[1]);
            default -> throw new AssertionError(line);
        }
    }

    private void check(String when) throws Exception {
        try (MailFiles files = MailFilesFixture.open(folder, InstantSource.system())) {
            for (Optional<QueueEntry> entry =
                            files.queue().lease(InstantSource.system().instant(), Duration.ZERO);
                    entry.isPresent();
                    entry = files.queue().lease(InstantSource.system().instant(), Duration.ZERO)) {
                CrashChild.deliver(files, entry.get());
            }
            Map<String, Integer> seen = new HashMap<>();
            for (String path : List.of(MailboxStore.INBOX, "Archive")) {
                Optional<Mailbox> mailbox = files.mailboxes().open(CrashChild.BOB, path);
                for (Message message :
                        mailbox.isPresent()
                                ? mailbox.get().messages(UidSet.ALL)
                                : List.<Message>of()) {
                    String token =
                            CrashChild.token(
                                    mailbox.orElseThrow().content(message.uid()).orElseThrow());
                    seen.merge(token, 1, Integer::sum);
                }
            }
            List<String> twice =
                    seen.entrySet().stream()
                            .filter(e -> e.getValue() > 1)
                            .map(Map.Entry::getKey)
                            .toList();
            Set<String> lost = new TreeSet<>(acknowledged);
            lost.removeAll(tried);
            lost.removeAll(seen.keySet());
            List<String> back = new ArrayList<>(gone);
            back.retainAll(seen.keySet());
            assertEquals(List.of(), twice, when + ": twice");
            assertEquals(Set.of(), lost, when + ": lost");
            assertEquals(List.of(), back, when + ": expunged and back");
        }
    }
}
