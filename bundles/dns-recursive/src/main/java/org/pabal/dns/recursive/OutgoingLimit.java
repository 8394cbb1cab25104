package org.pabal.dns.recursive;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/// How many questions may be out at one time: in all, and at one server, so that a slow one does
/// not take all places.
final class OutgoingLimit {

    /// What one server may take of all.
    private static final int SHARE = 4;

    private final int most;
    private final int mostEach;
    private final Semaphore places;
    private final ConcurrentHashMap<InetSocketAddress, Integer> each = new ConcurrentHashMap<>();

    OutgoingLimit(int most) {
        this.most = most;
        this.mostEach = Math.max(1, most / SHARE);
        this.places = new Semaphore(most);
    }

    /// Takes a place, which is to be left.
    ///
    /// @throws Full when there is none
    Place enter(InetSocketAddress server) throws Full {
        if (!places.tryAcquire()) {
            throw new Full(most + " questions are out, which is the limit (max-outgoing)");
        }
        int here = each.merge(server, 1, Integer::sum);
        Place place = new Place(server);
        if (here > mostEach) {
            place.leave();
            throw new Full(
                    mostEach
                            + " questions are out at this server, which is the limit (a quarter of"
                            + " max-outgoing)");
        }
        return place;
    }

    int out() {
        return most - places.availablePermits();
    }

    /// There is no place; it says nothing of the server.
    static final class Full extends IOException {
        private static final long serialVersionUID = 1L;

        Full(String message) {
            super(message);
        }
    }

    /// One question that is out.
    final class Place {

        private final InetSocketAddress server;

        private Place(InetSocketAddress server) {
            this.server = server;
        }

        void leave() {
            each.computeIfPresent(server, (key, count) -> count == 1 ? null : count - 1);
            places.release();
        }
    }
}
