package org.pabal.dns.authoritative;

import org.pabal.dns.Zone;
import org.pabal.dns.ZoneChange;
import org.pabal.dns.ZoneStore;
import org.xbill.DNS.Name;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;

/// The one way by which zones are edited here: updates, the shell, and what we change of our own
/// accord.
///
/// Edits of one zone are made one after the other, each on the version that the one before made.
/// Those that come while the disk is busy go to it together the next time: a thousand updates a
/// second need far fewer waits.
final class ZoneEditor {

    /// Makes the step from a version to the next.
    interface Edit {

        /// @return empty when there is nothing to do
        /// @throws IllegalArgumentException when it cannot be done; one line for an administrator
        Optional<ZoneChange> of(Zone current) throws IOException;
    }

    /// Steps that go to the disk together.
    private static final int MAX_TOGETHER = 256;

    /// How often somebody else may be faster, who edits the zone's file for instance.
    private static final int MAX_TRIES = 5;

    private final ZoneStore store;
    private final Map<Name, Lane> lanes = new ConcurrentHashMap<>();
    private volatile Transferred transferred = Transferred.NONE;

    private static final class Lane {
        final ReentrantLock turn = new ReentrantLock();
        final Queue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    }

    private static final class Waiting {
        final Edit edit;
        boolean done; // these are guarded by the lane's lock
        Optional<Zone> zone = Optional.empty();
        Optional<Exception> trouble = Optional.empty();

        Waiting(Edit edit) {
            this.edit = edit;
        }
    }

    ZoneEditor(ZoneStore store) {
        this.store = store;
    }

    /// Says which zones come from other servers.
    void transferred(Transferred zones) {
        transferred = zones;
    }

    Transferred transferred() {
        return transferred;
    }

    /// Refuses to change a zone that comes from another server.
    ///
    /// @throws IllegalArgumentException one line for an administrator
    void requireOurs(Name origin) {
        transferred
                .source(origin)
                .ifPresent(
                        source -> {
                            throw new IllegalArgumentException(
                                    "zone "
                                            + origin
                                            + ": is edited where it comes from, and not here ("
                                            + source
                                            + ")");
                        });
    }

    /// Edits a zone. On disk and served when it returns.
    ///
    /// @return the version that has the edit; the present one when there was nothing to do
    /// @throws NoSuchFileException when there is no such zone
    /// @throws IOException when it could not be kept
    /// @throws IllegalArgumentException when it cannot be done; one line for an administrator
    Zone edit(Name origin, Edit edit) throws IOException {
        requireOurs(origin);
        Lane lane = lanes.computeIfAbsent(origin, name -> new Lane());
        Waiting mine = new Waiting(edit);
        lane.waiting.add(mine);
        lane.turn.lock();
        try {
            while (!mine.done) {
                List<Waiting> turn = new ArrayList<>();
                while (turn.size() < MAX_TOGETHER && !lane.waiting.isEmpty()) {
                    turn.add(lane.waiting.remove());
                }
                make(origin, turn);
            }
        } finally {
            lane.turn.unlock();
        }
        if (mine.trouble.isPresent()) {
            switch (mine.trouble.get()) {
                case IOException e -> throw e;
                case RuntimeException e -> throw e;
                case Exception e -> throw new IOException(e);
            }
        }
        return mine.zone.orElseThrow();
    }

    private void make(Name origin, List<Waiting> turn) {
        try {
            for (int tries = 1; !tryToMake(origin, turn); tries++) {
                if (tries == MAX_TRIES) {
                    throw new IOException(
                            "zone " + origin + ": is changed by others all the time; try again");
                }
            }
        } catch (IOException | RuntimeException e) {
            turn.forEach(each -> each.trouble = each.trouble.or(() -> Optional.of(e)));
        } finally {
            turn.forEach(each -> each.done = true);
        }
    }

    private boolean tryToMake(Name origin, List<Waiting> turn) throws IOException {
        Zone zone =
                store.find(origin).orElseThrow(() -> new NoSuchFileException(origin.toString()));
        List<ZoneChange> steps = new ArrayList<>();
        for (Waiting each : turn) {
            each.trouble = Optional.empty();
            try {
                Optional<ZoneChange> step = each.edit.of(zone);
                if (step.isPresent()) {
                    zone = zone.with(step.get());
                    steps.add(step.get());
                }
                each.zone = Optional.of(zone);
            } catch (IOException | RuntimeException e) {
                each.trouble = Optional.of(e);
            }
        }
        return steps.isEmpty() || store.change(steps).isPresent();
    }
}
