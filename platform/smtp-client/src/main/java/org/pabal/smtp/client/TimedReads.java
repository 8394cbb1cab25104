package org.pabal.smtp.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// Reads from TLS for as long as is said and no longer.
///
/// The time-out of a socket is for each piece of a record, and for each record that brings nothing:
/// who drips octets of one that never ends, or sends empty ones, would never be timed out (security
/// row S8). The connection is closed then; where nothing comes at all the socket's own time-out,
/// which leaves it open, is a little earlier.
final class TimedReads extends InputStream {

    private static final int LATER_MILLIS = 500;

    private final Socket layer;
    private final Socket plain;
    private final InputStream in;
    private int millis;
    private volatile boolean late;

    /// @param plain the connection below
    TimedReads(Socket layer, Socket plain) throws IOException {
        this.layer = layer;
        this.plain = plain;
        this.in = layer.getInputStream();
    }

    /// How long each read from now on may take.
    void within(int limitMillis) throws IOException {
        millis = limitMillis;
        layer.setSoTimeout(limitMillis);
    }

    @Override
    public int read(byte[] octets, int offset, int length) throws IOException {
        Future<?> alarm =
                ForkJoinPool.commonPool()
                        .schedule(this::cut, (long) millis + LATER_MILLIS, TimeUnit.MILLISECONDS);
        try {
            int read = in.read(octets, offset, length);
            if (read < 0 && late) {
                throw new SocketTimeoutException("too slow within TLS");
            }
            return read;
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException e) {
            if (late) {
                SocketTimeoutException slow = new SocketTimeoutException("too slow within TLS");
                slow.initCause(e);
                throw slow;
            }
            throw e;
        } finally {
            alarm.cancel(false);
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int available() throws IOException {
        return in.available();
    }

    private void cut() {
        late = true;
        try {
            // else TLS would want to say goodbye
            plain.setSoLinger(true, 0);
            plain.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
