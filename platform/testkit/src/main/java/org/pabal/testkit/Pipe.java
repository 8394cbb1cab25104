package org.pabal.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/// Octets from one thread to another, without bound, with a deadline for the reader.
///
/// Not the pipe of `java.io`, which polls every second and minds which thread wrote last.
final class Pipe {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private byte[] octets = new byte[8192];
    private int start;
    private int end;
    private boolean closed;
    private boolean expired;
    private long deadline = System.nanoTime() + TestConnection.PATIENCE.toNanos();

    /// What was written last is the last there will be.
    void close() {
        change(() -> closed = true);
    }

    /// The reader's time is up, whatever the deadline says or will say: the next wait for octets
    /// ends in a time-out.
    void expire() {
        change(() -> expired = true);
    }

    boolean isExpiring() {
        lock.lock();
        try {
            return expired;
        } finally {
            lock.unlock();
        }
    }

    /// How long the reader may wait from now on, in sum.
    void patience(long nanos) {
        change(() -> deadline = System.nanoTime() + nanos);
    }

    void wake() {
        change(() -> {});
    }

    /// Throws away what was not read.
    void discard() {
        change(() -> start = end);
    }

    /// Whether there is something to read; waits for it. False at the end and when `enough` says
    /// so.
    boolean await(BooleanSupplier enough) throws IOException {
        lock.lock();
        try {
            while (!enough.getAsBoolean()) {
                if (start < end) {
                    return true;
                }
                if (closed) {
                    return false;
                }
                long left = deadline - System.nanoTime();
                if (left <= 0 || expired) {
                    expired = false;
                    throw new SocketTimeoutException("nothing came within the patience");
                }
                changed.awaitNanos(left);
            }
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("reading was interrupted");
        } finally {
            lock.unlock();
        }
    }

    boolean isEmpty() {
        lock.lock();
        try {
            return start == end;
        } finally {
            lock.unlock();
        }
    }

    /// @param beforeWaiting run each time a read finds nothing
    InputStream input(Flush beforeWaiting) {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] to, int offset, int length) throws IOException {
                if (length == 0) {
                    return 0;
                }
                if (isEmpty()) {
                    beforeWaiting.flush();
                }
                return await(() -> false) ? take(to, offset, length) : -1;
            }

            @Override
            public int available() {
                lock.lock();
                try {
                    return end - start;
                } finally {
                    lock.unlock();
                }
            }
        };
    }

    OutputStream output() {
        return new OutputStream() {
            @Override
            public void write(int octet) throws IOException {
                write(new byte[] {(byte) octet}, 0, 1);
            }

            @Override
            public void write(byte[] from, int offset, int length) throws IOException {
                put(from, offset, length);
            }

            @Override
            public void close() {
                Pipe.this.close();
            }
        };
    }

    /// May throw, as writing to somebody who has gone does.
    interface Flush {
        void flush() throws IOException;
    }

    private int take(byte[] to, int offset, int length) {
        lock.lock();
        try {
            int taken = Math.min(length, end - start);
            System.arraycopy(octets, start, to, offset, taken);
            start += taken;
            return taken;
        } finally {
            lock.unlock();
        }
    }

    private void put(byte[] from, int offset, int length) throws IOException {
        lock.lock();
        try {
            if (closed) {
                throw new IOException("the other end has gone");
            }
            if (end + length > octets.length) {
                byte[] room = new byte[Math.max(octets.length, 2 * (end - start + length))];
                System.arraycopy(octets, start, room, 0, end - start);
                octets = room;
                end -= start;
                start = 0;
            }
            System.arraycopy(from, offset, octets, end, length);
            end += length;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void change(Runnable change) {
        lock.lock();
        try {
            change.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
