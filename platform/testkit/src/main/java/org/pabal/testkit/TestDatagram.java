package org.pabal.testkit;

import org.pabal.protocol.Datagram;
import org.pabal.protocol.Peer;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/// A datagram that came from no socket; keeps what is sent in answer.
public final class TestDatagram implements Datagram {

    private final Peer peer;
    private final ByteBuffer address;
    private final ByteBuffer payload;
    private final ByteBuffer answer = ByteBuffer.allocate(ANSWER_LIMIT);
    private final BlockingQueue<byte[]> sent;

    private TestDatagram(Peer peer, byte[] payload, BlockingQueue<byte[]> sent) {
        this.peer = peer;
        this.address = ByteBuffer.wrap(peer.address().getAddress().getAddress());
        this.payload = ByteBuffer.wrap(payload);
        this.sent = sent;
    }

    public TestDatagram(Peer peer, byte[] payload) {
        this(peer, payload, new ArrayBlockingQueue<>(1));
    }

    /// From 192.0.2.53, port 5353, by a listener named `test`.
    public TestDatagram(byte[] payload) {
        this(new Peer(new InetSocketAddress("192.0.2.53", 5353), "test"), payload);
    }

    /// What was sent in answer, also by a detached copy; empty when nothing was yet.
    public Optional<byte[]> sent() {
        return Optional.ofNullable(sent.peek());
    }

    /// The same for an answer that comes later; empty when none came within the patience.
    public Optional<byte[]> sent(Duration patience) {
        try {
            return Optional.ofNullable(sent.poll(patience.toNanos(), TimeUnit.NANOSECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    @Override
    public Peer peer() {
        return peer;
    }

    @Override
    public ByteBuffer address() {
        return address;
    }

    @Override
    public int port() {
        return peer.address().getPort();
    }

    @Override
    public ByteBuffer payload() {
        return payload;
    }

    @Override
    public ByteBuffer answer() {
        return answer;
    }

    @Override
    public void send() {
        byte[] octets = new byte[answer.position()];
        answer.get(0, octets);
        if (!sent.offer(octets)) {
            throw new IllegalStateException("a datagram was answered twice");
        }
    }

    @Override
    public Datagram detach() {
        byte[] copy = new byte[payload.limit()];
        payload.get(0, copy);
        return new TestDatagram(peer, copy, sent);
    }
}
