package org.pabal.transport;

import org.pabal.protocol.Datagram;
import org.pabal.protocol.Peer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;

/// A datagram that is answered after its batch has gone.
final class DetachedDatagram implements Datagram {

    private static final Logger LOG = LoggerFactory.getLogger(DetachedDatagram.class);

    /// How the answer goes out.
    interface Way {
        void send(ByteBuffer answer) throws IOException;
    }

    private final Peer peer;
    private final ByteBuffer address;
    private final ByteBuffer payload;
    private final ByteBuffer answer = ByteBuffer.allocate(ANSWER_LIMIT);
    private final Way way;
    private final AtomicBoolean sent = new AtomicBoolean();

    /// @param payload copied from its position to its limit
    DetachedDatagram(Peer peer, ByteBuffer payload, Way way) {
        this.peer = peer;
        this.way = way;
        address = ByteBuffer.wrap(peer.address().getAddress().getAddress());
        this.payload = ByteBuffer.allocate(payload.limit());
        this.payload.put(0, payload, 0, payload.limit());
        this.payload.position(payload.position());
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
        if (sent.compareAndSet(false, true)) {
            try {
                way.send(answer.duplicate().flip());
            } catch (IOException e) {
                // As when a packet is lost under way: the client asks again.
                LOG.debug("no answer to {}: {}", peer, e.toString());
            }
        }
    }

    @Override
    public Datagram detach() {
        return this;
    }
}
