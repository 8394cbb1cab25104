package org.pabal.dns.recursive;

import java.nio.ByteBuffer;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicIntegerArray;

/// Queries that wait for other servers: so many at one time, and only a part of them of one
/// network, so that a client which asks for what takes long leaves room for the others.
///
/// Networks (/24 and /56) are counted in a table of fixed size (security row D30): two that meet
/// there share their part.
final class WaitingRoom {

    /// There is no room.
    static final int FULL = -1;

    private static final int PLACES = 1 << 14;

    private final Semaphore seats;
    private final int ofOne;
    private final long seed;
    private final AtomicIntegerArray taken = new AtomicIntegerArray(PLACES);

    /// @param seed where networks stand is not for strangers to know
    WaitingRoom(int seats, int ofOne, long seed) {
        this.seats = new Semaphore(seats);
        this.ofOne = ofOne;
        this.seed = seed;
    }

    /// Takes a seat.
    ///
    /// @param address the client's, 4 or 16 octets in network order
    /// @return what to give back to [#leave], or [#FULL]
    int enter(ByteBuffer address) {
        int place = place(address);
        if (taken.incrementAndGet(place) > ofOne) {
            taken.decrementAndGet(place);
            return FULL;
        }
        if (!seats.tryAcquire()) {
            taken.decrementAndGet(place);
            return FULL;
        }
        return place;
    }

    void leave(int place) {
        taken.decrementAndGet(place);
        seats.release();
    }

    private int place(ByteBuffer address) {
        long network =
                address.limit() == 4 ? address.getInt(0) & ~0xFFL : address.getLong(0) & ~0xFFL;
        long z = (network ^ seed) * 0xd6e8feb86659fd93L;
        z = (z ^ z >>> 32) * 0xd6e8feb86659fd93L;
        return (int) (z >>> 40) & PLACES - 1;
    }
}
