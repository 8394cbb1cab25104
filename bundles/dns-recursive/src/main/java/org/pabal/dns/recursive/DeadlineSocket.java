package org.pabal.dns.recursive;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;

/// A TCP socket from which is read until a moment and no longer, also when an octet comes now and
/// then (security row D18), and also by a TLS handshake.
final class DeadlineSocket extends Socket {

    private volatile long deadline;
    private volatile boolean heard;

    /// @param deadline by [System#nanoTime()]
    DeadlineSocket(long deadline) {
        this.deadline = deadline;
    }

    void deadline(long next) {
        deadline = next;
        heard = false;
    }

    /// Whether anything came since the deadline was set.
    boolean heard() {
        return heard;
    }

    /// How many milliseconds there are left.
    int left() throws SocketTimeoutException {
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (left <= 0) {
            throw new SocketTimeoutException("timed out");
        }
        return (int) Math.min(left, Integer.MAX_VALUE);
    }

    @Override
    public InputStream getInputStream() throws IOException {
        return new Limited(super.getInputStream());
    }

    private final class Limited extends InputStream {

        private final InputStream in;

        Limited(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            setSoTimeout(left());
            int octets = in.read(buffer, from, length);
            heard |= octets > 0;
            return octets;
        }

        @Override
        public int available() throws IOException {
            return in.available();
        }
    }
}
