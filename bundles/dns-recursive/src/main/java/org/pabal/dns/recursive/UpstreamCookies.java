package org.pabal.dns.recursive;

import org.pabal.dns.server.SipHash;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Optional;

/// Cookies as a client has them (RFC 7873, RFC 9018 §3): eight octets of ours that a forger who
/// does not see our packets cannot guess, and what the server gave us with them.
///
/// Ours are another for each server, each address of this machine and each day, so that nobody can
/// follow us by them.
final class UpstreamCookies {

    static final int CLIENT = 8;
    private static final int SERVER_LEAST = 8;
    private static final int SERVER_MOST = 32;

    private static final long DAY = 86_400;

    private final long k0;
    private final long k1;
    private final InstantSource clock;

    /// What a server gave.
    ///
    /// @param client what it was given for
    /// @param server 8 to 32 octets
    record Cookie(byte[] client, byte[] server) {

        /// The data of COOKIE.
        byte[] both() {
            byte[] both = Arrays.copyOf(client, CLIENT + server.length);
            System.arraycopy(server, 0, both, CLIENT, server.length);
            return both;
        }
    }

    UpstreamCookies(InstantSource clock) {
        SecureRandom chance = new SecureRandom();
        this.k0 = chance.nextLong();
        this.k1 = chance.nextLong();
        this.clock = clock;
    }

    /// The data of COOKIE for a query: ours, and the server's if it belongs to that.
    byte[] data(InetAddress local, InetAddress server, Optional<Cookie> remembered) {
        byte[] ours = ours(local, server);
        return remembered
                .filter(cookie -> Arrays.equals(cookie.client, ours))
                .map(Cookie::both)
                .orElse(ours);
    }

    private byte[] ours(InetAddress local, InetAddress server) {
        byte[] here = local.getAddress();
        byte[] there = server.getAddress();
        long day = Math.floorDiv(clock.instant().getEpochSecond(), DAY);
        byte[] hashed =
                ByteBuffer.allocate(here.length + there.length + 8)
                        .put(here)
                        .put(there)
                        .putLong(day)
                        .array();
        long hash = SipHash.hash(k0, k1, hashed, 0, hashed.length);
        return ByteBuffer.allocate(CLIENT).putLong(hash).array();
    }

    /// Whether an answer's cookie belongs to a query's: RFC 7873 §5.3.
    static boolean fits(byte[] sent, byte[] answered) {
        int server = answered.length - CLIENT;
        return (server == 0 || server >= SERVER_LEAST && server <= SERVER_MOST)
                && Arrays.equals(sent, 0, CLIENT, answered, 0, CLIENT);
    }

    /// What the server gave with an answer that fits; empty when it sent ours back alone.
    static Optional<Cookie> given(byte[] answered) {
        return answered.length == CLIENT
                ? Optional.empty()
                : Optional.of(
                        new Cookie(
                                Arrays.copyOf(answered, CLIENT),
                                Arrays.copyOfRange(answered, CLIENT, answered.length)));
    }
}
