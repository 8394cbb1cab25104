package org.pabal.transport;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import org.pabal.protocol.Datagram;
import org.pabal.protocol.Peer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.locks.ReentrantLock;

/// A UDP socket of Linux that takes up to [#BATCH] datagrams with one recvmmsg and sends their
/// answers with one sendmmsg.
///
/// The kernel's structures and all buffers are laid out once; after that a datagram costs no object
/// and no copy. On a wildcard address each answer leaves from the address that its question came to
/// (IP_PKTINFO, RFC 3542 §6.1), as clients take an answer from elsewhere for a forgery.
final class BatchUdpSocket implements UdpSocket {

    /// Measured: 32 to 64 is best; beyond that the caches suffer.
    static final int BATCH = 64;

    private static final Logger LOG = LoggerFactory.getLogger(BatchUdpSocket.class);
    private static final ValueLayout.OfShort NETWORK_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final int SOCKADDR = 28;
    private static final int PORT = 2;
    private static final int IPV4 = 4;
    private static final int IPV6 = 8;
    private static final int SCOPE = 24;
    private static final int CONTROL_ROOM = 64;
    private static final int CMSG_DATA = 16;

    /// A slot's room, with a cache line more than a page so that the slots' first lines do not
    /// fight for one place.
    private static final int STRIDE = PAYLOAD_LIMIT + 64;

    private static final boolean SUPPORTED = supportedHere();

    private final String listener;
    private final InetSocketAddress address;
    private final boolean wildcard;
    private final boolean ipv6;
    private final int socket;
    private final MemorySegment error;
    private final MemorySegment incoming;
    private final MemorySegment outgoing;
    private final MemorySegment outgoingPieces;
    private final Slot[] slots = new Slot[BATCH];
    private final ReentrantLock later = new ReentrantLock();
    private final LaterRoom laterRoom; // guarded by later
    private boolean closed; // guarded by later
    private volatile boolean stopped;
    private int received;

    static boolean supported() {
        return SUPPORTED && !"channel".equals(System.getProperty(CHOICE));
    }

    private static boolean supportedHere() {
        if (!System.getProperty("os.name").equals("Linux") || ADDRESS.byteSize() != 8) {
            return false;
        }
        try {
            Libc.errorRoom(Arena.ofAuto());
            return true;
        } catch (IllegalCallerException | LinkageError e) {
            LOG.info(
                    "datagrams are received one by one: no native access"
                            + " (--enable-native-access=ALL-UNNAMED): {}",
                    e.toString());
            return false;
        }
    }

    BatchUdpSocket(String listener, InetSocketAddress wanted, int receiveBuffer)
            throws IOException {
        this.listener = listener;
        // The memory lives as long as somebody holds a view of it, so a forgotten buffer can do no
        // harm.
        Arena arena = Arena.ofAuto();
        error = Libc.errorRoom(arena);
        ipv6 = wanted.getAddress() instanceof Inet6Address;
        wildcard = wanted.getAddress().isAnyLocalAddress();
        socket = Libc.socket(error, ipv6 ? Libc.AF_INET6 : Libc.AF_INET, Libc.SOCK_DGRAM_CLOEXEC);
        try {
            Libc.option(error, socket, Libc.SOL_SOCKET, Libc.SO_REUSEPORT, 1);
            Libc.option(error, socket, Libc.SOL_SOCKET, Libc.SO_RCVBUF, receiveBuffer);
            Libc.option(error, socket, Libc.SOL_SOCKET, Libc.SO_SNDBUF, receiveBuffer);
            if (ipv6) {
                Libc.option(error, socket, Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 0);
            }
            if (wildcard && ipv6) {
                Libc.option(error, socket, Libc.IPPROTO_IPV6, Libc.IPV6_RECVPKTINFO, 1);
            } else if (wildcard) {
                Libc.option(error, socket, Libc.IPPROTO_IP, Libc.IP_PKTINFO, 1);
            }
            MemorySegment name = sockaddr(arena, wanted);
            Libc.bind(error, socket, name);
            Libc.ownAddress(error, socket, name);
            address =
                    new InetSocketAddress(
                            wanted.getAddress(), name.get(NETWORK_SHORT, PORT) & 0xffff);
        } catch (IOException | RuntimeException e) {
            Libc.close(error, socket);
            throw e;
        }
        incoming = arena.allocate((long) Libc.MMSGHDR * BATCH, 64);
        outgoing = arena.allocate((long) Libc.MMSGHDR * BATCH, 64);
        outgoingPieces = arena.allocate((long) Libc.IOVEC * BATCH, 64);
        MemorySegment incomingPieces = arena.allocate((long) Libc.IOVEC * BATCH, 64);
        MemorySegment names = arena.allocate(64L * BATCH, 64);
        MemorySegment controls = arena.allocate((long) CONTROL_ROOM * BATCH, 64);
        MemorySegment payloads = arena.allocate((long) STRIDE * BATCH, 4096);
        MemorySegment answers = arena.allocate((long) STRIDE * BATCH, 4096);
        for (int i = 0; i < BATCH; i++) {
            slots[i] =
                    new Slot(
                            incoming.asSlice((long) Libc.MMSGHDR * i, Libc.MMSGHDR),
                            names.asSlice(64L * i, SOCKADDR),
                            controls.asSlice((long) CONTROL_ROOM * i, CONTROL_ROOM),
                            payloads.asSlice((long) STRIDE * i, PAYLOAD_LIMIT),
                            answers.asSlice((long) STRIDE * i, Datagram.ANSWER_LIMIT));
            slots[i].layOut(incomingPieces.asSlice((long) Libc.IOVEC * i, Libc.IOVEC));
            MemorySegment piece = outgoingPieces.asSlice((long) Libc.IOVEC * i, Libc.IOVEC);
            outgoing.set(ADDRESS, (long) Libc.MMSGHDR * i + Libc.IOV, piece);
            outgoing.set(JAVA_LONG, (long) Libc.MMSGHDR * i + Libc.IOVLEN, 1);
        }
        laterRoom = new LaterRoom(arena);
    }

    private static MemorySegment sockaddr(Arena arena, InetSocketAddress address) {
        byte[] octets = address.getAddress().getAddress();
        boolean ipv6 = octets.length == 16;
        MemorySegment name = arena.allocate(ipv6 ? SOCKADDR : 16, 8);
        name.set(JAVA_SHORT, 0, (short) (ipv6 ? Libc.AF_INET6 : Libc.AF_INET));
        name.set(NETWORK_SHORT, PORT, (short) address.getPort());
        MemorySegment.copy(octets, 0, name, JAVA_BYTE, ipv6 ? IPV6 : IPV4, octets.length);
        if (address.getAddress() instanceof Inet6Address scoped) {
            name.set(JAVA_INT, SCOPE, scoped.getScopeId());
        }
        return name;
    }

    @Override
    public InetSocketAddress address() {
        return address;
    }

    @Override
    public int receive() throws IOException {
        for (int i = 0; i < received; i++) {
            slots[i].makeReady();
        }
        received = 0;
        while (!stopped) {
            int n = Libc.receive(error, socket, incoming, BATCH, Libc.MSG_WAITFORONE);
            if (n > 0 && !stopped) {
                received = n;
                for (int i = 0; i < n; i++) {
                    slots[i].arrived();
                }
                return n;
            }
            if (n < 0
                    && !stopped
                    && Libc.errno(error) != Libc.EINTR
                    && Libc.errno(error) != Libc.EAGAIN) {
                throw Libc.failure(error);
            }
        }
        return -1;
    }

    @Override
    public Datagram datagram(int index) {
        return slots[index];
    }

    @Override
    public boolean cut(int index) {
        return slots[index].cut;
    }

    @Override
    public void send() throws IOException {
        int answers = 0;
        for (int i = 0; i < received; i++) {
            if (slots[i].answerSize >= 0) {
                slots[i].putInto(answers++);
            }
        }
        int sent = 0;
        while (sent < answers) {
            int n =
                    Libc.send(
                            error,
                            socket,
                            outgoing.asSlice((long) Libc.MMSGHDR * sent),
                            answers - sent,
                            0);
            if (n < 0 && Libc.errno(error) == Libc.EINTR) {
                continue;
            }
            sent +=
                    Math.max(
                            n,
                            1); // one that cannot be sent, e.g. for want of a route, must not hold
            // up the others
        }
    }

    @Override
    public void stop() throws IOException {
        stopped = true;
        Libc.wakeReceivers(Libc.errorRoom(Arena.ofAuto()), socket);
    }

    @Override
    public void close() throws IOException {
        later.lock();
        try {
            if (!closed) {
                closed = true;
                Libc.close(laterRoom.error, socket);
            }
        } finally {
            later.unlock();
        }
    }

    /// One place of the batch.
    private final class Slot implements Datagram {

        private final MemorySegment header;
        private final MemorySegment name;
        private final MemorySegment control;
        private final MemorySegment payloadRoom;
        private final ByteBuffer payload;
        private final ByteBuffer answer;
        private final ByteBuffer ipv4Address;
        private final ByteBuffer ipv6Address;
        private final ByteBuffer mappedAddress;
        private final long nameAt;
        private final long controlAt;
        private final long answerAt;
        private ByteBuffer sender;
        private int answerSize = -1;
        private boolean cut;

        Slot(
                MemorySegment header,
                MemorySegment name,
                MemorySegment control,
                MemorySegment payloadRoom,
                MemorySegment answerRoom) {
            this.header = header;
            this.name = name;
            this.control = control;
            this.payloadRoom = payloadRoom;
            payload = payloadRoom.asByteBuffer();
            answer = answerRoom.asByteBuffer();
            ipv4Address = name.asSlice(IPV4, 4).asByteBuffer();
            ipv6Address = name.asSlice(IPV6, 16).asByteBuffer();
            mappedAddress = name.asSlice(IPV6 + 12, 4).asByteBuffer();
            nameAt = name.address();
            controlAt = control.address();
            answerAt = answerRoom.address();
            sender = ipv4Address;
        }

        void layOut(MemorySegment piece) {
            piece.set(ADDRESS, 0, payloadRoom);
            piece.set(JAVA_LONG, 8, PAYLOAD_LIMIT);
            header.set(ADDRESS, Libc.NAME, name);
            header.set(ADDRESS, Libc.IOV, piece);
            header.set(JAVA_LONG, Libc.IOVLEN, 1);
            if (wildcard) {
                header.set(ADDRESS, Libc.CONTROL, control);
            }
            makeReady();
        }

        void makeReady() {
            header.set(JAVA_INT, Libc.NAMELEN, SOCKADDR);
            header.set(JAVA_INT, Libc.FLAGS, 0);
            if (wildcard) {
                header.set(JAVA_LONG, Libc.CONTROLLEN, CONTROL_ROOM);
            }
        }

        void arrived() {
            payload.clear().limit(header.get(JAVA_INT, Libc.LEN));
            answer.clear();
            answerSize = -1;
            cut = (header.get(JAVA_INT, Libc.FLAGS) & Libc.MSG_TRUNC) != 0;
            // An IPv4 client of an IPv6 socket comes as ::ffff:192.0.2.1 (RFC 4291 §2.5.5.2) and is
            // told as what it is.
            sender =
                    !ipv6
                            ? ipv4Address
                            : ipv6Address.getLong(0) == 0 && ipv6Address.getInt(8) == 0xffff
                                    ? mappedAddress
                                    : ipv6Address;
            sender.clear();
        }

        void putInto(int index) {
            long at = (long) Libc.MMSGHDR * index;
            outgoing.set(JAVA_LONG, at + Libc.NAME, nameAt);
            outgoing.set(JAVA_INT, at + Libc.NAMELEN, header.get(JAVA_INT, Libc.NAMELEN));
            outgoingPieces.set(JAVA_LONG, (long) Libc.IOVEC * index, answerAt);
            outgoingPieces.set(JAVA_LONG, (long) Libc.IOVEC * index + 8, answerSize);
            if (wildcard) {
                leaveToRouting();
                outgoing.set(JAVA_LONG, at + Libc.CONTROL, controlAt);
                outgoing.set(
                        JAVA_LONG, at + Libc.CONTROLLEN, header.get(JAVA_LONG, Libc.CONTROLLEN));
            }
        }

        /// The question's address is the answer's, but the way back is for routing to choose: no
        /// interface index, save for a link-local address, which has no meaning without.
        private void leaveToRouting() {
            if (header.get(JAVA_LONG, Libc.CONTROLLEN) < CMSG_DATA + 12) {
                return;
            }
            if (!ipv6) {
                control.set(JAVA_INT, CMSG_DATA, 0);
            } else if (!(ipv6Address.get(0) == (byte) 0xfe
                    && (ipv6Address.get(1) & 0xc0) == 0x80)) {
                control.set(JAVA_INT, CMSG_DATA + 16, 0);
            }
        }

        @Override
        public Peer peer() {
            try {
                byte[] octets = new byte[sender.capacity()];
                sender.get(0, octets);
                InetAddress client =
                        octets.length == 16
                                ? Inet6Address.getByAddress(null, octets, name.get(JAVA_INT, SCOPE))
                                : Inet4Address.getByAddress(octets);
                return new Peer(new InetSocketAddress(client, port()), listener);
            } catch (UnknownHostException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public ByteBuffer address() {
            return sender;
        }

        @Override
        public int port() {
            return name.get(NETWORK_SHORT, PORT) & 0xffff;
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
            byte[] way = name.asSlice(0, header.get(JAVA_INT, Libc.NAMELEN)).toArray(JAVA_BYTE);
            byte[] from = new byte[0];
            if (wildcard) {
                leaveToRouting();
                from =
                        control.asSlice(0, header.get(JAVA_LONG, Libc.CONTROLLEN))
                                .toArray(JAVA_BYTE);
            }
            byte[] to = from;
            return new DetachedDatagram(peer(), payload, answered -> sendLater(way, to, answered));
        }
    }

    /// What one answer outside of a batch is laid out in.
    private static final class LaterRoom {

        final MemorySegment error;
        final MemorySegment header;
        final MemorySegment piece;
        final MemorySegment name;
        final MemorySegment control;
        final MemorySegment answer;

        LaterRoom(Arena arena) {
            error = Libc.errorRoom(arena);
            header = arena.allocate(Libc.MMSGHDR, 8);
            piece = arena.allocate(Libc.IOVEC, 8);
            name = arena.allocate(SOCKADDR, 8);
            control = arena.allocate(CONTROL_ROOM, 8);
            answer = arena.allocate(Datagram.ANSWER_LIMIT, 8);
            header.set(ADDRESS, Libc.NAME, name);
            header.set(ADDRESS, Libc.IOV, piece);
            header.set(JAVA_LONG, Libc.IOVLEN, 1);
            piece.set(ADDRESS, 0, answer);
        }
    }

    private void sendLater(byte[] way, byte[] from, ByteBuffer answered) throws IOException {
        later.lock();
        try {
            if (closed) {
                return;
            }
            MemorySegment.copy(way, 0, laterRoom.name, JAVA_BYTE, 0, way.length);
            laterRoom.header.set(JAVA_INT, Libc.NAMELEN, way.length);
            laterRoom.header.set(
                    ADDRESS,
                    Libc.CONTROL,
                    from.length == 0 ? MemorySegment.NULL : laterRoom.control);
            laterRoom.header.set(JAVA_LONG, Libc.CONTROLLEN, from.length);
            MemorySegment.copy(from, 0, laterRoom.control, JAVA_BYTE, 0, from.length);
            laterRoom.piece.set(JAVA_LONG, 8, answered.remaining());
            laterRoom.answer.copyFrom(MemorySegment.ofBuffer(answered));
            if (Libc.send(laterRoom.error, socket, laterRoom.header, 1, Libc.MSG_DONTWAIT) < 0) {
                throw Libc.failure(laterRoom.error);
            }
        } finally {
            later.unlock();
        }
    }
}
