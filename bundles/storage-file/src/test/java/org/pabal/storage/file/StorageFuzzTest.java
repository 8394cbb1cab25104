package org.pabal.storage.file;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.mailbox.UidSet;
import org.pabal.testkit.Fuzz;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// What a broken disk may hand us instead of our files.
class StorageFuzzTest {

    private static final Path CORPUS = Path.of("src/test/resources/fuzz");

    @TempDir Path folder;

    @Test
    void journalReaderTakesWhatItCanRead() throws Exception {
        Path log = folder.resolve("00.log");
        Fuzz.run(
                CORPUS.resolve("journal"),
                input -> {
                    Files.write(log, input);
                    for (JournalSegment segment :
                            JournalSegment.list(folder, 1_000_000, new Disk())) {
                        segment.read((type, payload, position) -> payloads(payload));
                    }
                    payloads(
                            ByteBuffer.wrap(
                                    input)); // also without a sum that keeps out nearly everything
                });
    }

    private static void payloads(ByteBuffer payload) throws IOException {
        byte[] octets = new byte[payload.remaining()];
        payload.duplicate().get(octets);
        try {
            QueueState.read(octets);
        } catch (IllegalArgumentException e) {
            // it says so
        }
        try {
            FileMailQueue.queuedText(octets);
        } catch (IllegalArgumentException e) {
            // it says so
        }
        try {
            MailboxRecord.read(payload.duplicate());
        } catch (IllegalArgumentException e) {
            // it says so
        }
    }

    @Test
    void uidLogReaderTakesWhatItCanRead() throws Exception {
        Path file = Path.of("mailbox", UidLog.NAME);
        Fuzz.run(
                CORPUS.resolve("uids"),
                input -> {
                    MailboxIndex index = new MailboxIndex();
                    UidLog.read(input, file, line -> index.apply(line, false));
                    // also without the sums
                    for (String line : new String(input, StandardCharsets.UTF_8).split("\n")) {
                        try {
                            index.apply(
                                    line.length() > 9 ? line.substring(9) : line,
                                    line.hashCode() % 2 == 0);
                        } catch (IllegalArgumentException e) {
                            // it says so
                        }
                    }
                    index.status(1);
                    index.chosen(UidSet.ALL).forEach(MailboxIndex.Entry::message);
                    index.changedSince(0);
                    index.goneSince(0);
                    index.goneSince(Long.MAX_VALUE - 1);
                    MailboxIndex again = new MailboxIndex();
                    List<String> compacted = index.compacted();
                    compacted.forEach(line -> again.apply(line, false));
                    if (!compacted.equals(again.compacted())) {
                        throw new AssertionError(compacted + " is not " + again.compacted());
                    }
                });
    }
}
