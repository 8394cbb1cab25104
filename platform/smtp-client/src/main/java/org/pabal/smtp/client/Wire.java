package org.pabal.smtp.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.SSLSocket;

/// The two directions of a connection: commands and messages go into one buffer that leaves when it
/// is full or the flight is complete; replies come back one by one.
///
/// A write to one who does not read would last for ever, for sockets have no time-out for writing:
/// the timer of the Java runtime closes the connection then (security row S8). What fits into any
/// socket's own buffer is spared the timer.
final class Wire extends OutputStream {

    /// The connection failed while we were writing: there may be a last reply to read.
    static final class Lost extends IOException {

        private static final long serialVersionUID = 1;

        Lost(String message, IOException cause) {
            super(message, cause);
        }
    }

    /// The other side said 421 (RFC 5321 §3.8) and is about to close.
    static final class Leaving extends IOException {

        private static final long serialVersionUID = 1;
        private final transient Reply reply;

        Leaving(Reply reply) {
            super(reply.status().toString());
            this.reply = reply;
        }

        Reply reply() {
            return reply;
        }

        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    }

    private static final int BUFFER = 16_384;
    private static final int NEVER_BLOCKS = 8_192;
    private static final int BLOCK = 65_536;
    private static final Duration LAST_WORDS = Duration.ofSeconds(5);

    private final Socket plain;
    private final Duration blockPatience;
    private final byte[] buffer = new byte[BUFFER];
    private OutputStream out;
    private ReplyReader replies;
    private int filled;
    private long unanswered;
    private Optional<Lost> lost = Optional.empty();

    /// @param plain the TCP connection, below TLS if there is any
    Wire(Socket plain, Duration blockPatience) throws IOException {
        this.plain = plain;
        this.blockPatience = blockPatience;
        over(plain);
    }

    /// Goes on over another layer.
    void over(Socket layer) throws IOException {
        out = layer.getOutputStream();
        if (layer instanceof SSLSocket) {
            TimedReads reads = new TimedReads(layer, plain);
            replies = new ReplyReader(reads, reads::within);
        } else {
            replies = new ReplyReader(layer.getInputStream(), layer::setSoTimeout);
        }
        filled = 0;
    }

    /// Puts text into the buffer: UTF-8, which for commands is mostly ASCII.
    Wire put(String text) throws IOException {
        int length = text.length();
        if (length > buffer.length - filled) {
            return octets(text);
        }
        int at = filled;
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (c >= 128) {
                return octets(text);
            }
            buffer[at++] = (byte) c;
        }
        filled = at;
        return this;
    }

    Wire put(long number) throws IOException {
        return put(Long.toString(number));
    }

    /// Ends a command.
    void line() throws IOException {
        put("\r\n");
    }

    private Wire octets(String text) throws IOException {
        byte[] octets = text.getBytes(UTF_8);
        write(octets, 0, octets.length);
        return this;
    }

    @Override
    public void write(int octet) throws IOException {
        if (filled == buffer.length) {
            drain();
        }
        buffer[filled++] = (byte) octet;
    }

    @Override
    public void write(byte[] octets, int offset, int length) throws IOException {
        if (length <= buffer.length - filled) {
            System.arraycopy(octets, offset, buffer, filled, length);
            filled += length;
            return;
        }
        drain();
        if (length <= buffer.length) {
            System.arraycopy(octets, offset, buffer, 0, length);
            filled = length;
            return;
        }
        for (int at = 0; at < length; at += BLOCK) {
            send(octets, offset + at, Math.min(BLOCK, length - at));
        }
    }

    /// Sends what is in the buffer.
    @Override
    public void flush() throws IOException {
        drain();
    }

    private void drain() throws IOException {
        int length = filled;
        filled = 0;
        if (length > 0) {
            send(buffer, 0, length);
        }
    }

    private void send(byte[] octets, int offset, int length) throws IOException {
        if (lost.isPresent()) {
            throw lost.get();
        }
        unanswered += length;
        try {
            if (unanswered <= NEVER_BLOCKS) {
                out.write(octets, offset, length);
            } else {
                sendInTime(octets, offset, length);
            }
        } catch (IOException e) {
            Lost failure = new Lost("the connection was lost in sending: " + e.getMessage(), e);
            lost = Optional.of(failure);
            throw failure;
        }
    }

    private void sendInTime(byte[] octets, int offset, int length) throws IOException {
        Future<?> alarm =
                ForkJoinPool.commonPool()
                        .schedule(this::cut, blockPatience.toMillis(), TimeUnit.MILLISECONDS);
        try {
            out.write(octets, offset, length);
        } catch (IOException e) {
            if (!alarm.cancel(false)) {
                throw new InterruptedIOException(
                        "they took no more for " + blockPatience.toSeconds() + " s");
            }
            throw e;
        } finally {
            alarm.cancel(false);
        }
    }

    private void cut() {
        try {
            // else TLS would want to say goodbye to one who takes nothing
            plain.setSoLinger(true, 0);
            plain.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Sends what is in the buffer and waits for a reply. Where sending failed, the last thing that
    /// the other side said may still be there, and tells more than a broken connection does.
    ///
    /// @throws Leaving when it was 421
    Reply reply(Duration patience, String about) throws IOException {
        try {
            drain();
        } catch (Lost e) {
            // it is kept in lost
        }
        Reply reply;
        try {
            reply = replies.read(lost.isPresent() ? LAST_WORDS : patience, about);
        } catch (IOException e) {
            throw lost.isPresent() ? lost.get() : e;
        }
        unanswered = 0;
        if (reply.code() == 421) {
            throw new Leaving(reply);
        }
        return reply;
    }

    /// Makes sure that the next reply will answer what is sent next (security row S3).
    void expectSilence(Duration patience) throws IOException {
        if (replies.pending()) {
            Reply unasked = reply(patience, "nothing");
            throw new IOException("said unasked: " + unasked.status());
        }
    }

    /// Whether a write failed, after which nothing more can be sent.
    boolean lost() {
        return lost.isPresent();
    }

    /// Whether the other side has said something that nobody asked for.
    boolean pending() throws IOException {
        return replies.pending();
    }

    /// Whether the other side is still there and silent.
    boolean quiet() throws IOException {
        return replies.quiet();
    }
}
