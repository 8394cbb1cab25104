package org.pabal.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pabal.testkit.MailQueueContract;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

class JournalTest {

    private static final byte TYPE = 9;

    @TempDir Path folder;

    @Test
    void recordsComeBackInOrderAfterACrash() throws Exception {
        Journal journal = opened(new ArrayList<>());
        journal.append(TYPE, octets("one"));
        journal.await(journal.append(TYPE, octets("tw"), octets("o")));
        journal.append(TYPE, octets("nobody waited for it"));
        journal.awaitAll();
        journal.crash();
        assertEquals(List.of("one", "two", "nobody waited for it"), replayed());
    }

    @Test
    void recordThatNobodyWaitsForIsWrittenSoon() throws Exception {
        Journal journal = opened(new ArrayList<>());
        Journal.Position position = journal.append(TYPE, octets("lazy"));
        long end = System.nanoTime() + 30_000_000_000L;
        while (position.segment() == null && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertTrue(position.segment() != null);
        journal.crash();
        assertEquals(List.of("lazy"), replayed());
    }

    /// Security row S30: a batch counts as a whole or not at all, wherever the disk stopped
    /// writing.
    @Test
    void tornBatchIsCutAtEveryOctet() throws Exception {
        JournalSegment segment = JournalSegment.create(folder, 0, 1_000_000, new Disk());
        segment.begin(7);
        segment.write(batch("whole"));
        Path log = folder.resolve("00.log");
        long before = Files.size(log);
        segment.write(batch("torn in two"));
        segment.close();
        byte[] all = Files.readAllBytes(log);
        assertEquals(
                before + JournalSegment.BATCH_HEADER + JournalSegment.RECORD_HEADER + 11,
                all.length);
        for (int at = (int) before; at < all.length; at++) {
            byte[] cut = Arrays.copyOf(all, at);
            assertEquals(List.of("whole"), read(cut), "ends at " + at);
            byte[] zeros = Arrays.copyOf(cut, all.length + 100);
            List<String> expected =
                    Arrays.equals(zeros, 0, all.length, all, 0, all.length)
                            ? List.of("whole", "torn in two")
                            : List.of("whole");
            assertEquals(expected, read(zeros), "zeros from " + at);
            byte[] flipped = all.clone();
            flipped[at] ^= 1;
            assertEquals(List.of("whole"), read(flipped), "other bit at " + at);
        }
    }

    @Test
    void whatAnOlderUseLeftBehindIsNotRead() throws Exception {
        Journal journal = opened(new ArrayList<>());
        for (int i = 0; i < 20; i++) {
            journal.await(journal.append(TYPE, octets("old " + i)));
        }
        journal.close();
        List<String> none = new ArrayList<>();
        journal = opened(none);
        assertEquals(List.of(), none, "a clean stop leaves nothing to replay");
        journal.await(journal.append(TYPE, octets("new")));
        journal.crash();
        assertEquals(List.of("new"), replayed());
    }

    @Test
    void segmentsAreUsedAgain() throws Exception {
        Journal journal = opened(new ArrayList<>());
        byte[] large = new byte[500_000];
        for (int i = 0; i < 200; i++) {
            journal.awaitRoom();
            journal.await(journal.append(TYPE, large));
        }
        journal.close();
        try (Stream<Path> files = Files.list(folder)) {
            assertTrue(files.count() <= 13, "100 MB went through 16");
        }
    }

    @Test
    void manyWhoWaitAreAllWoken() throws Exception {
        Journal journal = opened(new ArrayList<>());
        Set<String> done = ConcurrentHashMap.newKeySet();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            String name = "thread " + i;
            threads.add(
                    Thread.startVirtualThread(
                            () -> {
                                try {
                                    for (int j = 0; j < 20; j++) {
                                        journal.await(journal.append(TYPE, octets(name + " " + j)));
                                    }
                                    done.add(name);
                                } catch (IOException e) {
                                    throw new java.io.UncheckedIOException(e);
                                }
                            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(100, done.size());
        journal.crash();
        assertEquals(2000, replayed().size());
    }

    /// A commit whose record is durable but which nobody finds in the queue yet: killed then, its
    /// message was lost.
    @Test
    void checkpointWaitsForThoseThatItWouldNotFind() throws Exception {
        AtomicBoolean laidOut = new AtomicBoolean();
        Journal journal = new Journal(folder, 16_000_000, new Disk(), closing -> laidOut.set(true));
        journal.replay((type, payload, position) -> {});
        Journal.Position position = journal.appendPinned(TYPE, octets("being committed"));
        journal.await(position);
        var closing =
                MailQueueContract.waiting(
                        () -> {
                            journal.close();
                            return laidOut.get();
                        });
        assertFalse(laidOut.get());
        journal.unpin(position);
        assertTrue(closing.task().get());
    }

    /// Killed after [Journal#awaitWritten], the process has lost nothing; the disk need not have
    /// done anything yet.
    @Test
    void whatIsWrittenOutlivesTheProcessBeforeItIsSynced() throws Exception {
        CountDownLatch released = new CountDownLatch(1);
        Disk slow =
                new Disk() {
                    @Override
                    void force(FileChannel channel, boolean metadata) throws IOException {
                        try {
                            released.await();
                        } catch (InterruptedException e) {
                            throw new IOException(e);
                        }
                        super.force(channel, metadata);
                    }
                };
        Journal journal = opened(new ArrayList<>(), slow);
        journal.append(TYPE, octets("before"));
        journal.awaitWritten(journal.appendSoon(TYPE, octets("sent")));
        List<String> onDisk = read(Files.readAllBytes(folder.resolve("00.log")));
        released.countDown();
        assertEquals(List.of("before", "sent"), onDisk);
        journal.crash();
        assertEquals(onDisk, replayed());
    }

    @Test
    void whatIsWrittenIsSyncedForTheOneWhoWaitsForThat() throws Exception {
        AtomicInteger syncs = new AtomicInteger();
        Disk counting =
                new Disk() {
                    @Override
                    void force(FileChannel channel, boolean metadata) throws IOException {
                        super.force(channel, metadata);
                        syncs.incrementAndGet();
                    }
                };
        Journal journal = opened(new ArrayList<>(), counting);
        Journal.Position position = journal.appendSoon(TYPE, octets("sent"));
        journal.awaitWritten(position);
        journal.await(position);
        assertTrue(syncs.get() > 0);
        journal.crash();
        assertEquals(List.of("sent"), replayed());
    }

    /// What a failed sync may have lost is written again elsewhere, whoever waits for it.
    @Test
    void whatWasWrittenIsWrittenAgainWhenItsSyncFails() throws Exception {
        AtomicReference<FileChannel> written = new AtomicReference<>();
        Disk failing =
                new Disk() {
                    @Override
                    void writeAll(FileChannel channel, ByteBuffer octets, long at)
                            throws IOException {
                        if (octets.remaining() < 100) {
                            written.compareAndSet(null, channel); // no zeros of the keeper's
                        }
                        super.writeAll(channel, octets, at);
                    }

                    @Override
                    void force(FileChannel channel, boolean metadata) throws IOException {
                        if (channel == written.get()) {
                            throw new IOException("input/output error");
                        }
                        super.force(channel, metadata);
                    }
                };
        Journal journal = opened(new ArrayList<>(), failing);
        Journal.Position first = journal.appendSoon(TYPE, octets("one"));
        journal.awaitWritten(first);
        JournalSegment broken = first.segment();
        long end = System.nanoTime() + 60_000_000_000L;
        while (first.segment() == broken && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertTrue(first.segment() != broken, "written into another segment");
        boolean accepted = false;
        while (!accepted && System.nanoTime() < end) {
            try {
                journal.await(journal.append(TYPE, octets("two")));
                accepted = true;
            } catch (IOException e) {
                Thread.onSpinWait(); // the disk is failing still
            }
        }
        journal.crash();
        Files.delete(folder.resolve("00.log"));
        List<String> left = replayed();
        assertEquals("one", left.getFirst());
        assertEquals("two", left.getLast());
    }

    @Test
    void manyWhoWantTheirRecordsWrittenShareTheWrites() throws Exception {
        AtomicInteger writes = new AtomicInteger();
        Disk counting =
                new Disk() {
                    @Override
                    void writeAll(FileChannel channel, ByteBuffer octets, long at)
                            throws IOException {
                        writes.incrementAndGet();
                        super.writeAll(channel, octets, at);
                    }
                };
        Journal journal = opened(new ArrayList<>(), counting);
        writes.set(0);
        List<Thread> threads = new ArrayList<>();
        AtomicInteger written = new AtomicInteger();
        for (int i = 0; i < 64; i++) {
            String name = "thread " + i;
            threads.add(
                    Thread.startVirtualThread(
                            () -> {
                                try {
                                    for (int j = 0; j < 50; j++) {
                                        journal.awaitWritten(
                                                journal.appendSoon(TYPE, octets(name + " " + j)));
                                        written.incrementAndGet();
                                    }
                                } catch (IOException e) {
                                    throw new java.io.UncheckedIOException(e);
                                }
                            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        int shared = writes.get();
        journal.crash();
        assertEquals(64 * 50, written.get());
        assertEquals(64 * 50, replayed().size());
        assertTrue(shared < 64 * 50 / 2, shared + " writes");
    }

    @Test
    void closedJournalLeavesNoThread() throws Exception {
        Journal journal = opened(new ArrayList<>());
        journal.close();
        assertTrue(
                Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(t -> t.getName().startsWith("pabal-journal") && t.isAlive()));
    }

    private Journal opened(List<String> into) throws IOException {
        return opened(into, new Disk());
    }

    private Journal opened(List<String> into, Disk disk) throws IOException {
        Journal journal = new Journal(folder, 16_000_000, disk, closing -> {});
        journal.replay(
                (type, payload, position) -> {
                    if (type == TYPE) {
                        into.add(StandardCharsets.UTF_8.decode(payload).toString());
                    }
                });
        return journal;
    }

    private List<String> replayed() throws IOException {
        List<String> records = new ArrayList<>();
        opened(records).crash();
        return records;
    }

    private List<String> read(byte[] octets) throws IOException {
        Path copy = folder.resolve("copy");
        Files.createDirectories(copy);
        Files.write(copy.resolve("00.log"), octets);
        List<String> records = new ArrayList<>();
        for (JournalSegment segment : JournalSegment.list(copy, 1_000_000, new Disk())) {
            segment.read(
                    (type, payload, position) ->
                            records.add(StandardCharsets.UTF_8.decode(payload).toString()));
        }
        return records;
    }

    private static ByteBuffer batch(String text) {
        ByteBuffer batch = ByteBuffer.allocate(100).position(JournalSegment.BATCH_HEADER);
        return batch.putInt(text.length()).put(TYPE).put(octets(text)).flip();
    }

    private static byte[] octets(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
