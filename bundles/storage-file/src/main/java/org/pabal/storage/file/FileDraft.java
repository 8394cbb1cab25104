package org.pabal.storage.file;

import org.pabal.mail.Content;
import org.pabal.mail.Draft;
import org.pabal.mail.Envelope;
import org.pabal.mail.QueueId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// A message on its way into the queue: in memory while it is small, in a file from then on.
final class FileDraft implements Draft {

    private static final Logger LOG = LoggerFactory.getLogger(FileDraft.class);
    private static final int FIRST = 8 * 1024;
    private static final int PORTION = 64 * 1024;

    private final FileMailQueue queue;
    private final QueueId id;
    private final Envelope envelope;
    private final Body body = new Body();
    private byte[] memory = {};
    private int used;
    private int counted;
    private Optional<Spilled> spilled = Optional.empty();
    private boolean over;

    /// What did not fit into memory. The octets in `memory` come after those in the file.
    private record Spilled(Path file, FileChannel channel) {}

    FileDraft(FileMailQueue queue, QueueId id, Envelope envelope) {
        this.queue = queue;
        this.id = id;
        this.envelope = envelope;
    }

    @Override
    public QueueId id() {
        return id;
    }

    @Override
    public OutputStream body() {
        return body;
    }

    @Override
    public Content content() {
        byte[] here = memory;
        int length = used;
        if (spilled.isEmpty()) {
            return new Content() {
                @Override
                public long size() {
                    return length;
                }

                @Override
                public InputStream open() {
                    return new ByteArrayInputStream(here, 0, length);
                }
            };
        }
        Path file = spilled.get().file;
        FileChannel channel = spilled.get().channel;
        return new Content() {
            @Override
            public long size() {
                try {
                    body.flush();
                    return channel.size();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public InputStream open() throws IOException {
                body.flush();
                return Files.newInputStream(file);
            }
        };
    }

    @Override
    public QueueId commit(List<String> headerFields) throws IOException {
        if (over) {
            throw new IllegalStateException("draft " + id + " is over");
        }
        over = true;
        StringBuilder fields = new StringBuilder();
        for (String field : headerFields) {
            fields.append(field).append("\r\n");
        }
        try {
            if (spilled.isPresent()) {
                body.flush();
                FileChannel channel = spilled.get().channel;
                long size = channel.size();
                channel.close();
                queue.commit(id, envelope, spilled.get().file, size, fields.toString());
            } else {
                byte[] top = fields.toString().getBytes(StandardCharsets.UTF_8);
                byte[] whole = new byte[top.length + used];
                System.arraycopy(top, 0, whole, 0, top.length);
                System.arraycopy(memory, 0, whole, top.length, used);
                queue.commit(id, envelope, whole);
            }
            return id;
        } finally {
            forget();
        }
    }

    @Override
    public void close() {
        over = true;
        forget();
    }

    private void forget() {
        queue.takeMemory(-counted);
        counted = 0;
        memory = new byte[0];
        used = 0;
        if (spilled.isPresent()) {
            try {
                spilled.get().channel.close();
                Files.deleteIfExists(spilled.get().file);
            } catch (IOException e) {
                LOG.warn("queue {}: draft left behind until the next start: {}", id, e.toString());
            }
            spilled = Optional.empty();
        }
    }

    private final class Body extends OutputStream {

        @Override
        public void write(int octet) throws IOException {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, from.length);
            if (over) {
                throw new IOException("draft " + id + " is over");
            }
            if (!fits(length)) {
                spill(); // the memory is empty now
                if (length > memory.length) {
                    put(ByteBuffer.wrap(from, offset, length));
                    return;
                }
            }
            System.arraycopy(from, offset, memory, used, length);
            used += length;
        }

        @Override
        public void flush() throws IOException {
            if (spilled.isPresent() && used > 0) {
                put(ByteBuffer.wrap(memory, 0, used));
                used = 0;
            }
        }

        private boolean fits(int length) {
            if (length <= memory.length - used) {
                return true;
            }
            if (spilled.isPresent() || length > FileMailQueue.LARGEST_IN_JOURNAL - used) {
                return false;
            }
            int wanted = Math.max(FIRST, memory.length);
            while (wanted < used + length) {
                wanted *= 2;
            }
            if (!queue.takeMemory(wanted - memory.length)) {
                return false;
            }
            counted += wanted - memory.length;
            memory = Arrays.copyOf(memory, wanted);
            return true;
        }

        /// Empties the memory into the file and keeps a portion of it as a buffer.
        private void spill() throws IOException {
            if (spilled.isEmpty()) {
                Path file = queue.temporary(id);
                spilled = Optional.of(new Spilled(file, queue.disk().create(file)));
            }
            flush();
            if (memory.length != PORTION && memory.length != FIRST) {
                queue.takeMemory(-counted);
                counted = queue.takeMemory(PORTION) ? PORTION : 0;
                memory = new byte[counted > 0 ? PORTION : FIRST];
            }
        }

        private void put(ByteBuffer octets) throws IOException {
            queue.room().require(octets.remaining());
            queue.disk().writeAll(spilled.orElseThrow().channel, octets);
        }
    }
}
