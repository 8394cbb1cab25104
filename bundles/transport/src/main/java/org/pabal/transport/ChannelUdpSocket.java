package org.pabal.transport;

import org.pabal.protocol.Datagram;
import org.pabal.protocol.Peer;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;

/// A UDP socket with what the JDK offers everywhere: one datagram at a time, and an address object
/// for each.
final class ChannelUdpSocket implements UdpSocket {

    private final String listener;
    private final DatagramChannel channel;
    private final InetSocketAddress address;
    private final ByteBuffer payload = ByteBuffer.allocateDirect(PAYLOAD_LIMIT + 1);
    private final ByteBuffer answer = ByteBuffer.allocateDirect(Datagram.ANSWER_LIMIT);
    private final One one = new One();
    private InetSocketAddress sender = InetSocketAddress.createUnresolved("nobody", 0);
    private ByteBuffer senderAddress = ByteBuffer.allocate(0);
    private int answerSize = -1;

    ChannelUdpSocket(String listener, InetSocketAddress wanted, int receiveBuffer)
            throws IOException {
        this.listener = listener;
        channel =
                DatagramChannel.open(
                        wanted.getAddress().getAddress().length == 4
                                ? StandardProtocolFamily.INET
                                : StandardProtocolFamily.INET6);
        try {
            if (channel.supportedOptions().contains(StandardSocketOptions.SO_REUSEPORT)) {
                channel.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            }
            channel.setOption(StandardSocketOptions.SO_RCVBUF, receiveBuffer);
            channel.setOption(StandardSocketOptions.SO_SNDBUF, receiveBuffer);
            channel.bind(wanted);
            int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
            address = new InetSocketAddress(wanted.getAddress(), port);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public InetSocketAddress address() {
        return address;
    }

    @Override
    public int receive() throws IOException {
        try {
            payload.clear();
            sender = (InetSocketAddress) channel.receive(payload);
            payload.flip();
            answer.clear();
            answerSize = -1;
            senderAddress = ByteBuffer.wrap(sender.getAddress().getAddress());
            return 1;
        } catch (ClosedChannelException e) {
            return -1;
        }
    }

    @Override
    public Datagram datagram(int index) {
        return one;
    }

    @Override
    public boolean cut(int index) {
        return payload.limit() > PAYLOAD_LIMIT;
    }

    @Override
    public void send() throws IOException {
        if (answerSize >= 0) {
            sendTo(sender, answer.duplicate().limit(answerSize).position(0));
        }
    }

    @Override
    public void stop() throws IOException {
        channel.close();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private void sendTo(InetSocketAddress client, ByteBuffer octets) throws IOException {
        try {
            channel.send(octets, client);
        } catch (ClosedChannelException e) {
            // A detached answer may come after the listener was closed; it goes nowhere.
            answerSize = -1;
        }
    }

    private final class One implements Datagram {

        @Override
        public Peer peer() {
            return new Peer(sender, listener);
        }

        @Override
        public ByteBuffer address() {
            return senderAddress;
        }

        @Override
        public int port() {
            return sender.getPort();
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
            answerSize = answer.position();
        }

        @Override
        public Datagram detach() {
            InetSocketAddress client = sender;
            return new DetachedDatagram(peer(), payload, octets -> sendTo(client, octets));
        }
    }
}
