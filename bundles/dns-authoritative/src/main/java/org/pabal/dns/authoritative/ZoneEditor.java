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

    /// Adds to edits what follows from them: in a zone that we sign, signatures.
    interface Completion {

        /// For zones that are as they are edited.
        Completion NONE =
                new Completion() {
                    @Override
                    public Optional<ZoneChange> outstanding(Zone current) {
                        return Optional.empty();
                    }

                    @Override
                    public ZoneChange completed(Zone current, ZoneChange edit) {
                        return edit;
                    }

                    @Override
                    public void made(Zone zone) {}
                };

        /// The step that has to come before any edit, because a version is not whole.
        Optional<ZoneChange> outstanding(Zone current);

        /// An edit of a whole version, with all that follows from it.
        ZoneChange completed(Zone current, ZoneChange edit);

        /// A version that came of such steps is current.
        void made(Zone zone);
    }

    /// Steps that go to the disk together.
    private static final int MAX_TOGETHER = 256;

    /// How often somebody else may be faster, who edits the zone's file for instance.
    private static final int MAX_TRIES = 5;

    private final ZoneStore store;
    private final Completion completion;
    private final Map<Name, Lane> lanes = new ConcurrentHashMap<>();
    private volatile Transferred transferred = Transferred.NONE;

    private static final class Lane {
        final ReentrantLock turn = new ReentrantLock();
        final Queue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    }

    private static final class Waiting {
        final Edit edit;
        final boolean whole;
        boolean done; // these are guarded by the lane's lock
        Optional<Zone> zone = Optional.empty();
        Optional<Exception> trouble = Optional.empty();

        Waiting(Edit edit, boolean whole) {
            this.edit = edit;
            this.whole = whole;
        }
    }

    ZoneEditor(ZoneStore store) {
        this(store, Completion.NONE);
    }

    ZoneEditor(ZoneStore store, Completion completion) {
        this.store = store;
        this.completion = completion;
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
        return edit(origin, new Waiting(edit, false));
    }

    /// The same with an edit to which nothing is to be added.
    Zone editWhole(Name origin, Edit edit) throws IOException {
        return edit(origin, new Waiting(edit, true));
    }

    /// Whether the thread that asks is publishing a version that came of edits here.
    boolean makes(Name origin) {
        Lane lane = lanes.get(origin);
        return lane != null && lane.turn.isHeldByCurrentThread();
    }

    private Zone edit(Name origin, Waiting mine) throws IOException {
        Lane lane = lanes.computeIfAbsent(origin, name -> new Lane());
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
        Optional<ZoneChange> outstanding = completion.outstanding(zone);
        if (outstanding.isPresent()) {
            zone = zone.with(outstanding.get());
            steps.add(outstanding.get());
        }
        for (Waiting each : turn) {
            each.trouble = Optional.empty();
            try {
                Optional<ZoneChange> step = each.edit.of(zone);
                if (step.isPresent() && !each.whole) {
                    step = Optional.of(completion.completed(zone, step.get()));
                }
                if (step.isPresent()) {
                    zone = zone.with(step.get());
                    steps.add(step.get());
                }
                each.zone = Optional.of(zone);
            } catch (IOException | RuntimeException e) {
                each.trouble = Optional.of(e);
            }
        }
        if (steps.isEmpty()) {
            completion.made(zone);
            return true;
        }
        Optional<Zone> made = store.change(steps);
        made.ifPresent(completion::made);
        return made.isPresent();
    }
}
