package org.pabal.launcher;

import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/// Knows when every listener that the settings name accepts, and what is missing until then.
///
/// Reads only the service properties of `org.pabal.protocol.Listener`, whose class belongs to a
/// bundle.
final class Readiness {

    /// What came of waiting.
    sealed interface State {
        /// Everything is there.
        record Ready() implements State {}

        /// A listener has no socket: the node cannot do what it was started for.
        record CannotServe(String why) implements State {}

        /// Something is missing; the rest works.
        record NotReady(String missing) implements State {}
    }

    private static final String LISTENER = "org.pabal.protocol.Listener";
    private static final Pattern NO_SOCKET =
            Pattern.compile("(?i)cannot (listen|bind|assign)|address already in use");

    /// How long after the last event nothing more is expected when a setting was refused. A busy
    /// disk may hold a bundle up between a complaint and what follows from it.
    private static final Duration QUIET = Duration.ofSeconds(3);

    private final BundleContext context;
    private final Supplier<Set<String>> wanted;
    private final ServiceListener changes = event -> changed();
    private final Set<String> complaints = new LinkedHashSet<>(); // guarded by this, as the rest
    private long events;
    private long lastChange = System.nanoTime();

    /// @param wanted the names of the listeners that the settings ask for
    Readiness(BundleContext context, Supplier<Set<String>> wanted) {
        this.context = context;
        this.wanted = wanted;
    }

    void open() {
        try {
            context.addServiceListener(
                    changes,
                    "(|(objectClass=" + LISTENER + ")(osgi.command.scope=*)(pabal.shell=*))");
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Something that is wrong and that an administrator should read beside what is missing.
    synchronized void complain(String what) {
        if (complaints.size() < 16) {
            complaints.add(what);
        }
        changed();
    }

    private synchronized void changed() {
        events++;
        lastChange = System.nanoTime();
        notifyAll();
    }

    /// Waits until all is there, or a socket is not to be had, or nothing more is to be expected.
    State await(Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            long seen = events();
            State state = look();
            if (!(state instanceof State.NotReady) || !awaitEvent(seen, quietAfter(end))) {
                return state;
            }
        }
    }

    /// Waits until all is there, however long that takes, whatever was wrong before.
    State awaitMended(Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        synchronized (this) {
            complaints.clear();
        }
        while (true) {
            long seen = events();
            State state = look();
            if (state instanceof State.Ready || !awaitEvent(seen, end)) {
                return state;
            }
        }
    }

    /// Waits for the shell commands of a scope, and for the door that leads to them.
    boolean awaitCommands(String scope, Duration patience) throws InterruptedException {
        return awaitService("(osgi.command.scope=" + scope + ")", patience)
                && awaitService("(pabal.shell=open)", patience);
    }

    private boolean awaitService(String filter, Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            long seen = events();
            if (references(filter, null).length > 0) {
                return true;
            }
            if (!awaitEvent(seen, quietAfter(end))) {
                return false;
            }
        }
    }

    private synchronized long events() {
        return events;
    }

    /// When nothing more is to be expected.
    private synchronized long quietAfter(long end) {
        return complaints.isEmpty() ? end : Math.min(end, lastChange + QUIET.toNanos());
    }

    /// Waits for an event later than one that was seen. The framework is never asked in here: who
    /// holds one of its locks may have something to complain of.
    ///
    /// @return whether there was one before the end
    private synchronized boolean awaitEvent(long seen, long end) throws InterruptedException {
        while (events == seen) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            wait(Math.max(1, left / 1_000_000));
        }
        return true;
    }

    private State look() {
        Map<String, ServiceReference<?>> there = new TreeMap<>();
        for (ServiceReference<?> reference : references(null, LISTENER)) {
            there.put(String.valueOf(reference.getProperty("pabal.listener")), reference);
        }
        List<String> missing = new ArrayList<>();
        for (String name : wanted.get()) {
            ServiceReference<?> listener = there.get(name);
            Object failure =
                    listener == null ? null : listener.getProperty("pabal.listener.failure");
            if (listener == null) {
                missing.add(
                        "listener "
                                + name
                                + " is not open ("
                                + NodeDirectory.listenerFile(name)
                                + ")");
            } else if (failure != null && NO_SOCKET.matcher(failure.toString()).find()) {
                return new State.CannotServe(Lines.single(failure.toString()));
            } else if (failure != null) {
                missing.add("listener " + name + ": " + Lines.single(failure.toString()));
            } else if (!Boolean.TRUE.equals(listener.getProperty("pabal.listener.accepting"))) {
                missing.add("listener " + name + " waits for its protocol");
            }
        }
        if (missing.isEmpty()) {
            return new State.Ready();
        }
        synchronized (this) {
            missing.addAll(complaints);
        }
        return new State.NotReady(String.join("; ", missing));
    }

    private ServiceReference<?>[] references(String filter, String type) {
        try {
            ServiceReference<?>[] found = context.getAllServiceReferences(type, filter);
            return found == null ? new ServiceReference<?>[0] : found;
        } catch (InvalidSyntaxException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
