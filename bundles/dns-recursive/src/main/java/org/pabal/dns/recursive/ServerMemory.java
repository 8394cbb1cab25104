package org.pabal.dns.recursive;

import org.xbill.DNS.Name;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/// What is known of other name servers, by address: how fast they are, whether they live, what they
/// understand; and which zones they do not serve though they should.
///
/// Of fixed size (security row D30): what was used longest ago is forgotten.
final class ServerMemory {

    private static final int SERVERS = 10_000;

    /// Servers that take at most so much longer than the best are as good; who guesses must not
    /// know which one will be asked.
    private static final long BAND = TimeUnit.MILLISECONDS.toNanos(50);

    /// If nobody at all was heard for so long, it is our own line that is dead.
    private static final long LINE = TimeUnit.SECONDS.toNanos(5);

    private final FixedTable<Remembered> servers = new FixedTable<>(SERVERS, Remembered.NOTHING);
    private final FixedTable<Instant> lame = new FixedTable<>(SERVERS, Instant.MIN);

    /// When a server was silent when it was asked of a zone, if it has not spoken of that since.
    private final FixedTable<Instant> missed = new FixedTable<>(SERVERS, Instant.MIN);

    private final InstantSource clock;
    private final Predicate<InetAddress> reachable;
    private final Random random;
    private volatile long heardAny = System.nanoTime() - 2 * LINE;

    /// @param reachable whether there is a route to an address
    /// @param random by which servers that are equally good are shuffled
    ServerMemory(InstantSource clock, Predicate<InetAddress> reachable, Random random) {
        this.clock = clock;
        this.reachable = reachable;
        this.random = random;
    }

    Remembered of(InetSocketAddress address) {
        return servers.find(key(address));
    }

    /// For the shell.
    String line(InetSocketAddress address) {
        return of(address).line(address, clock.instant());
    }

    /// How many servers are remembered.
    int size() {
        return servers.size();
    }

    /// Whether a server may be asked now. One that is dead may, now and then, by one question; and
    /// also of a zone of which it was not silent: many servers say nothing when they are asked of
    /// what they do not serve, and anybody can have a zone that is delegated to them.
    boolean admits(InetSocketAddress address, Name zone) {
        Instant now = clock.instant();
        if (missed.find(key(address, zone)).plus(Remembered.MEMORY).isBefore(now)) {
            return true;
        }
        if (!of(address).pace().toBeProbed(now)) {
            return !of(address).pace().dead(now);
        }
        boolean[] first = {false};
        update(
                address,
                known -> {
                    first[0] = known.pace().toBeProbed(now);
                    return first[0] ? known.with(known.pace().probed(now)) : known;
                });
        return first[0];
    }

    /// @param sample how long it took; empty when that was not the server's fault
    void heard(InetSocketAddress address, Optional<Duration> sample) {
        heardAny = System.nanoTime();
        update(address, known -> known.with(known.pace().heard(sample, clock.instant())));
    }

    /// It has said something when it was asked of a zone.
    void spoke(InetSocketAddress address, Name zone) {
        byte[] key = key(address, zone);
        if (!missed.find(key).equals(Instant.MIN)) {
            missed.update(key, at -> Instant.MIN);
        }
    }

    /// @param zone of which it was asked
    /// @param began when it was asked, by [System#nanoTime()]
    void silent(InetSocketAddress address, Name zone, long began) {
        missed.update(key(address, zone), at -> clock.instant());
        boolean othersHeard = System.nanoTime() - heardAny < LINE || heardAny - began > 0;
        update(
                address,
                known -> known.with(known.pace().silent(began, othersHeard, clock.instant())));
    }

    void speaks(InetSocketAddress address, Dialect dialect) {
        update(address, known -> known.with(known.manners().speaking(dialect, clock.instant())));
    }

    /// It has answered a query with EDNS in kind.
    void answersEdns(InetSocketAddress address) {
        if (!of(address).manners().edns()) {
            update(address, known -> known.with(known.manners().answeringEdns()));
        }
    }

    void foldsCase(InetSocketAddress address) {
        update(address, known -> known.with(known.manners().foldingCase(clock.instant())));
    }

    /// @param given empty when it gives none
    void cookie(InetSocketAddress address, Optional<UpstreamCookies.Cookie> given) {
        update(address, known -> known.with(known.manners().with(given)));
    }

    void lame(InetSocketAddress address, Name zone, Duration howLong) {
        lame.update(key(address, zone), until -> clock.instant().plus(howLong));
    }

    boolean lame(InetSocketAddress address, Name zone) {
        return clock.instant().isBefore(lame.find(key(address, zone)));
    }

    /// A server and how good it is: less is better.
    private record Rated(Server server, int rank, long cost) {
        static final int FAST = 0;
        static final int SLOW = 1;
        static final int SILENT = 2;
        static final int DEAD = 3;
        static final int LAME = 4;
    }

    /// Those to which there is a route; first fast ones in random order, and those of which nothing
    /// is known, then slow ones, silent ones, dead ones, lame ones.
    List<Server> order(Name zone, List<Server> all) {
        Instant now = clock.instant();
        List<Rated> rated = new ArrayList<>(all.size());
        long best = Long.MAX_VALUE;
        for (Server server : all) {
            if (reachable.test(server.address().getAddress())) {
                Rated one = rated(server, zone, now);
                rated.add(one);
                if (one.rank == Rated.SLOW) {
                    best = Math.min(best, one.cost);
                }
            }
        }
        Collections.shuffle(rated, random);
        long fast = best == Long.MAX_VALUE ? 0 : best + BAND;
        rated.replaceAll(
                one ->
                        one.rank == Rated.SLOW && one.cost <= fast
                                ? new Rated(one.server, Rated.FAST, 0)
                                : one);
        rated.sort(Comparator.comparingInt(Rated::rank).thenComparingLong(Rated::cost));
        return rated.stream().map(Rated::server).toList();
    }

    /// All that were measured count as slow; the best of them is known later.
    private Rated rated(Server server, Name zone, Instant now) {
        Remembered.Pace pace = of(server.address()).pace();
        if (lame(server.address(), zone)) {
            return new Rated(server, Rated.LAME, pace.failures());
        }
        if (pace.dead(now)) {
            return new Rated(server, Rated.DEAD, pace.failures());
        }
        if (pace.forgotten(now)) {
            return new Rated(server, Rated.FAST, 0);
        }
        if (pace.failures() > 0) {
            return new Rated(server, Rated.SILENT, pace.failures());
        }
        return pace.roundTrip().known()
                ? new Rated(server, Rated.SLOW, pace.roundTrip().smoothedNanos())
                : new Rated(server, Rated.FAST, 0);
    }

    private void update(InetSocketAddress address, UnaryOperator<Remembered> change) {
        servers.update(key(address), change);
    }

    private static byte[] key(InetSocketAddress address) {
        byte[] octets = address.getAddress().getAddress();
        return ByteBuffer.allocate(octets.length + 2)
                .put(octets)
                .putShort((short) address.getPort())
                .array();
    }

    private static byte[] key(InetSocketAddress address, Name zone) {
        byte[] server = key(address);
        byte[] name = zone.toWireCanonical();
        return ByteBuffer.allocate(server.length + name.length).put(server).put(name).array();
    }
}
