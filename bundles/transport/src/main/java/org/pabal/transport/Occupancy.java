package org.pabal.transport;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentHashMap;

/// Counts the connections of each client network, so that one client cannot take the room of all.
///
/// A client is one IPv4 address, or the /56 of an IPv6 address, which is what one household gets
/// (RFC 6177 §2).
final class Occupancy {

    private static final long IPV4 = 1L << 63;

    private final ConcurrentHashMap<Long, Integer> counts = new ConcurrentHashMap<>();

    /// Counts one more unless there are `most` of them already.
    boolean enter(InetAddress client, int most) {
        boolean[] entered = new boolean[1];
        counts.compute(
                network(client),
                (network, count) -> {
                    int now = count == null ? 0 : count;
                    entered[0] = now < most;
                    return entered[0] ? Integer.valueOf(now + 1) : count;
                });
        return entered[0];
    }

    void leave(InetAddress client) {
        counts.computeIfPresent(
                network(client),
                (network, count) -> count == 1 ? null : Integer.valueOf(count - 1));
    }

    private static long network(InetAddress client) {
        ByteBuffer octets = ByteBuffer.wrap(client.getAddress());
        return octets.remaining() == 4
                ? IPV4 | octets.getInt() & 0xffff_ffffL
                : octets.getLong() >>> 8;
    }
}
