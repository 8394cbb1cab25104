package org.pabal.dns.recursive;

import java.io.IOException;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// One question to one server by UDP, and the wait for its answer.
///
/// Each has a socket of its own at a random port, a random id and, where the server keeps it, a
/// random case of letters (security row D1). The socket is connected, so the system drops what does
/// not come from the server. What does not fit is ignored while the time runs (row D10), and so is
/// whatever ICMP says, which anybody can send (row D2). Queries are too small to be fragmented, so
/// DF would change nothing; that answers are not is what the announced payload is for (row D3).
final class DatagramExchange {

    /// What came of it, if it was not silence.
    sealed interface Outcome {

        /// @param took empty when it cannot be known, because the query was sent more than once
        record Heard(AnswerOctets answer, Optional<Duration> took) implements Outcome {}

        /// It has to be asked by a stream, where nobody can have guessed anything.
        record Doubtful(AnswerOctets.Fit fit, String why) implements Outcome {}
    }

    /// Of messages that do not fit: after more somebody seems to be guessing (security row D2).
    static final int MAX_STRANGE = 10;

    /// Below are the ports of services, and those of a node that does not run as root.
    private static final int LEAST_PORT = 2048;

    private static final int BIND_ATTEMPTS = 100;

    /// Octets by whose bits the letters of a name are turned around.
    private static final int LETTERS = 32;

    /// Some servers send more than they were told to; what is longer comes by TCP.
    private static final int LARGEST = 4096;

    private final SecureRandom chance = new SecureRandom();
    private final UpstreamSettings settings;
    private final UpstreamCookies cookies;
    private final OpenSockets sockets;

    DatagramExchange(UpstreamSettings settings, UpstreamCookies cookies, OpenSockets sockets) {
        this.settings = settings;
        this.cookies = cookies;
        this.sockets = sockets;
    }

    /// What is asked, and how.
    ///
    /// @param foldsCase the server does not keep the case of letters
    /// @param cookie what it gave us
    /// @param waits how long it is waited for after each sending
    record Asked(
            InetSocketAddress server,
            Question question,
            boolean recursive,
            Dialect dialect,
            boolean foldsCase,
            Optional<UpstreamCookies.Cookie> cookie,
            List<Duration> waits) {}

    /// @throws SocketTimeoutException when nothing came that fits
    /// @throws QuotaSpent when the request's time was over before the server's
    Outcome exchange(Asked asked, Quota quota) throws IOException {
        DatagramSocket socket = open(asked.server.getAddress());
        try {
            sockets.add(socket);
            bind(socket);
            connect(socket, asked.server);
            QueryOctets query = query(asked, socket.getLocalAddress());
            return exchange(asked, query, socket, quota);
        } finally {
            sockets.release(socket);
        }
    }

    private QueryOctets query(Asked asked, InetAddress local) {
        byte[] random = new byte[2 + LETTERS];
        chance.nextBytes(random);
        byte[] letters =
                settings.useCaps() && !asked.foldsCase
                        ? Arrays.copyOfRange(random, 2, random.length)
                        : new byte[0];
        byte[] cookie =
                asked.dialect == Dialect.OPTIONS
                        ? cookies.data(local, asked.server.getAddress(), asked.cookie)
                        : new byte[0];
        return QueryOctets.of(
                asked.question,
                new QueryOctets.Manner(
                        (random[0] & 0xFF) << 8 | random[1] & 0xFF,
                        asked.recursive,
                        letters,
                        asked.dialect,
                        settings.udpSize(),
                        cookie,
                        false));
    }

    private static Outcome exchange(
            Asked asked, QueryOctets query, DatagramSocket socket, Quota quota) throws IOException {
        long began = System.nanoTime();
        Ignored ignored = new Ignored();
        DatagramPacket packet = new DatagramPacket(new byte[LARGEST], LARGEST);
        for (int sent = 0; sent < asked.waits.size(); sent++) {
            QuotaSpent.fetch(quota);
            send(socket, query.octets(), ignored);
            long end = System.nanoTime() + asked.waits.get(sent).toNanos();
            while (receive(socket, packet, end, quota, ignored)) {
                AnswerOctets answer = read(asked, query, packet);
                switch (answer.fit()) {
                    case ANSWER, BARE_ERROR -> {
                        Duration took = Duration.ofNanos(System.nanoTime() - began);
                        return new Outcome.Heard(
                                answer, sent == 0 ? Optional.of(took) : Optional.empty());
                    }
                    case TRUNCATED, OTHER_CASE, NO_COOKIE -> {
                        return new Outcome.Doubtful(answer.fit(), answer.fault());
                    }
                    case STRANGE -> ignored.add(answer.fault());
                }
            }
            if (ignored.tooMany()) {
                return new Outcome.Doubtful(AnswerOctets.Fit.STRANGE, ignored.toString());
            }
        }
        Duration waited = Duration.ofNanos(System.nanoTime() - began);
        throw new SocketTimeoutException(
                "timed out after "
                        + waited.toMillis()
                        + " ms, UDP"
                        + (ignored.count == 0 ? "" : ", but for " + ignored));
    }

    /// What came, by RFC 7873 §5.3: not without our cookie, if that server speaks of cookies.
    private static AnswerOctets read(Asked asked, QueryOctets query, DatagramPacket packet) {
        byte[] octets = Arrays.copyOf(packet.getData(), packet.getLength());
        if (octets.length == LARGEST) {
            octets[2] |= AnswerOctets.TC; // there may be more that did not fit
        }
        AnswerOctets answer = AnswerOctets.read(query, octets);
        if (query.cookie().length == 0
                || answer.fit() != AnswerOctets.Fit.ANSWER
                        && answer.fit() != AnswerOctets.Fit.BARE_ERROR) {
            return answer;
        }
        if (answer.cookie().isPresent()) {
            return UpstreamCookies.fits(query.cookie(), answer.cookie().get())
                    ? answer
                    : answer.but(AnswerOctets.Fit.STRANGE, "a cookie that is not ours");
        }
        return asked.cookie.isPresent()
                ? answer.but(AnswerOctets.Fit.NO_COOKIE, "an answer without the cookie")
                : answer;
    }

    /// What did not fit.
    private static final class Ignored {

        private int count;
        private String last = "";

        void add(String fault) {
            count++;
            last = fault;
        }

        boolean tooMany() {
            return count > MAX_STRANGE;
        }

        @Override
        public String toString() {
            return count + " ignored, the last: " + last;
        }
    }

    private static DatagramSocket open(InetAddress server) throws IOException {
        try {
            return DatagramChannel.open(
                            server instanceof Inet4Address
                                    ? StandardProtocolFamily.INET
                                    : StandardProtocolFamily.INET6)
                    .socket();
        } catch (UnsupportedOperationException e) {
            throw new IOException("cannot be reached: this machine has no IPv6", e);
        } catch (IOException e) {
            // e.g. too many open files: no server is to blame
            throw new OutgoingLimit.Full("no socket can be opened: " + e.getMessage());
        }
    }

    /// At a random port, or another where that is taken.
    private void bind(DatagramSocket socket) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                socket.bind(new InetSocketAddress(chance.nextInt(LEAST_PORT, 0x10000)));
                return;
            } catch (BindException e) {
                if (attempt == BIND_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private static void connect(DatagramSocket socket, InetSocketAddress server)
            throws IOException {
        try {
            socket.connect(server);
        } catch (SocketException e) {
            throw new IOException("cannot be reached: " + e.getMessage(), e);
        }
    }

    private static void send(DatagramSocket socket, byte[] query, Ignored ignored)
            throws IOException {
        try {
            socket.send(new DatagramPacket(query, query.length));
        } catch (IOException e) {
            heardOfTrouble(socket, e, ignored);
        }
    }

    /// Waits for the next message; false when the time is over, or too much trouble came.
    private static boolean receive(
            DatagramSocket socket, DatagramPacket packet, long end, Quota quota, Ignored ignored)
            throws IOException {
        while (!ignored.tooMany()) {
            long left = end - System.nanoTime();
            long ours = quota.left().toNanos();
            if (ours == 0) {
                throw new QuotaSpent(quota);
            }
            if (left <= 0) {
                return false;
            }
            try {
                socket.setSoTimeout(
                        (int) Math.max(1, TimeUnit.NANOSECONDS.toMillis(Math.min(left, ours))));
                packet.setLength(LARGEST);
                socket.receive(packet);
                return true;
            } catch (SocketTimeoutException e) {
                // the time is looked at again
            } catch (IOException e) {
                heardOfTrouble(socket, e, ignored);
            }
        }
        return false;
    }

    /// Most trouble at such a socket comes from ICMP: port or host unreachable. It counts as one
    /// more message that does not fit, and the answer may still come.
    private static void heardOfTrouble(DatagramSocket socket, IOException e, Ignored ignored)
            throws IOException {
        if (socket.isClosed()) {
            throw e;
        }
        ignored.add(
                e instanceof PortUnreachableException
                        ? "nobody is at that port"
                        : String.valueOf(e.getMessage()));
    }
}
