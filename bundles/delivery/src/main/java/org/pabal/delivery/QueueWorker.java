package org.pabal.delivery;

import org.pabal.delivery.AliasExpansion.Target;
import org.pabal.delivery.DeliveryReport.Action;
import org.pabal.mail.Courier;
import org.pabal.mail.Draft;
import org.pabal.mail.MailAddress;
import org.pabal.mail.MailQueue;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Carries what is in the queue to where it belongs.
///
/// ```
///   queue ── lease ──▶ where does each recipient's mail go?     AliasExpansion, asking the Directory
///     ▲                      │
///     │                 who carries it there?                   Couriers: LocalCourier or a bundle's
///     │                      │
///     └── settle ◀── what became of it? ── a report, if due     Reports, into the same queue
/// ```
///
/// One thread leases and gives each message a virtual thread of its own, of which only so many run
/// at once: a commit wakes one thread however many messages may be under way.
final class QueueWorker {

    private static final Logger log = LoggerFactory.getLogger(QueueWorker.class);

    static final String NO_REMOTE_COURIER = "no remote courier yet";

    /// How stale the idea of what is due may become while nothing is committed.
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /// How long a courier may take to come back once it is interrupted.
    private static final Duration COMING_BACK = Duration.ofSeconds(5);

    /// Where a recipient's mail goes.
    private record Way(Recipient recipient, List<Target> targets) {

        /// How its journey ends when all goes well, as far as we see it: beyond another host's door
        /// that host tells.
        Optional<Action> end() {
            if (targets.size() > 1) {
                return Optional.of(Action.EXPANDED);
            }
            return targets.getFirst() instanceof Target.Away
                    ? Optional.empty()
                    : Optional.of(Action.DELIVERED);
        }
    }

    private final MailQueue queue;
    private final AliasExpansion aliases;
    private final Couriers couriers;
    private final Reports reports;
    private final RetrySchedule schedule;
    private final InstantSource clock;
    private final int workers;
    private final Semaphore free;
    private final Set<Thread> busy = ConcurrentHashMap.newKeySet();
    private final Thread leasing = Thread.ofVirtual().name("delivery").unstarted(this::lease);
    private volatile boolean stopping;
    private volatile boolean courierCame;

    /// @param workers how many messages may be under way at once
    QueueWorker(
            MailQueue queue,
            AliasExpansion aliases,
            Couriers couriers,
            Reports reports,
            RetrySchedule schedule,
            InstantSource clock,
            int workers) {
        this.queue = queue;
        this.aliases = aliases;
        this.couriers = couriers;
        this.reports = reports;
        this.schedule = schedule;
        this.clock = clock;
        this.workers = workers;
        this.free = new Semaphore(workers);
    }

    void start() {
        leasing.start();
    }

    /// Leases no more, lets what is under way finish, and returns when no thread is left; what
    /// takes longer than the grace is interrupted and stays in the queue.
    void stop(Duration grace) throws InterruptedException {
        stopping = true;
        leasing.interrupt();
        leasing.join();
        if (!free.tryAcquire(workers, grace.toMillis(), TimeUnit.MILLISECONDS)) {
            busy.forEach(Thread::interrupt);
            if (!free.tryAcquire(workers, COMING_BACK.toMillis(), TimeUnit.MILLISECONDS)) {
                log.error("delivery: stopped while couriers would not come back: {}", busy);
            }
        }
    }

    /// Mail that had nobody to carry it is tried again soon.
    void courierCame() {
        courierCame = true;
    }

    private void lease() {
        try {
            while (!stopping) {
                free.acquire();
                boolean given = false;
                try {
                    retryWhatHadNoCourier();
                    Optional<QueueEntry> entry = queue.lease(clock.instant(), PATIENCE);
                    if (entry.isPresent()) {
                        given = true;
                        give(entry.get());
                    }
                } catch (InterruptedIOException e) {
                    return;
                } catch (IOException | RuntimeException e) {
                    log.error(
                            "queue: cannot lease: {}; tried again in {} s",
                            e.toString(),
                            PATIENCE.toSeconds(),
                            e);
                    Thread.sleep(PATIENCE);
                } finally {
                    if (!given) {
                        free.release();
                    }
                }
            }
        } catch (InterruptedException e) {
            log.debug("delivery: told to stop");
        }
    }

    private void give(QueueEntry entry) {
        Thread thread =
                Thread.ofVirtual()
                        .name("delivery of q" + entry.id())
                        .unstarted(
                                () -> {
                                    try {
                                        carry(entry);
                                    } finally {
                                        busy.remove(Thread.currentThread());
                                        free.release();
                                    }
                                });
        busy.add(thread);
        thread.start();
    }

    private void retryWhatHadNoCourier() throws IOException {
        if (courierCame) {
            courierCame = false;
            List<QueueId> waiting;
            try (var entries = queue.entries()) {
                waiting =
                        entries.filter(
                                        e ->
                                                e.reasons().values().stream()
                                                        .anyMatch(
                                                                why ->
                                                                        why.text()
                                                                                .contains(
                                                                                        NO_REMOTE_COURIER)))
                                .map(QueueEntry::id)
                                .toList();
            }
            for (QueueId id : waiting) {
                queue.retry(id);
            }
        }
    }

    /// One attempt at one message, from lease to settlement.
    void carry(QueueEntry entry) {
        Map<MailAddress, Outcome> outcomes = new LinkedHashMap<>();
        Map<MailAddress, Action> ends = new HashMap<>();
        Instant retry = orLater(next(entry));
        try {
            attempt(entry, outcomes, ends);
            Optional<Instant> next = next(entry);
            retry = orLater(next);
            if (next.isEmpty()) {
                outcomes.replaceAll((recipient, outcome) -> givenUp(outcome));
            }
            reports.tell(entry, outcomes, ends, retry);
        } catch (IOException e) {
            log.error("q{} deferred: {}; retry {}", entry.id(), e.toString(), retry);
            deferRest(entry, outcomes);
        } catch (RuntimeException | Error e) {
            log.error("q{} deferred: a fault of this server; retry {}", entry.id(), retry, e);
            deferRest(entry, outcomes);
        }
        note(entry, outcomes, retry);
        try {
            queue.settle(entry, outcomes, retry);
        } catch (IOException | RuntimeException e) {
            log.error(
                    "q{} cannot be settled, is tried again after a restart: {}",
                    entry.id(),
                    e.toString(),
                    e);
        }
    }

    private Optional<Instant> next(QueueEntry entry) {
        return schedule.next(entry.accepted(), entry.attempts() + 1, clock.instant());
    }

    /// For what can neither be delivered nor reported any more: it stays until somebody mends what
    /// is wrong here.
    private Instant orLater(Optional<Instant> next) {
        return next.orElseGet(() -> clock.instant().plus(schedule.longest()));
    }

    private void attempt(
            QueueEntry leased, Map<MailAddress, Outcome> outcomes, Map<MailAddress, Action> ends)
            throws IOException {
        MessageStart start = MessageStart.of(leased.content());
        if (start.loops()) {
            // RFC 3463 §3.5 X.4.6, security row S17
            Outcome loop =
                    new Outcome.Failed(
                            new Status(
                                    554,
                                    "5.4.6",
                                    "mail loop: the message has more than "
                                            + MessageStart.MAX_RECEIVED
                                            + " Received fields"));
            leased.envelope().addresses().forEach(recipient -> outcomes.put(recipient, loop));
            return;
        }
        QueueEntry entry = leased.with(start.content());
        List<Way> ways = ways(entry, outcomes, ends);
        Map<MailAddress, Outcome> byTarget = carried(entry, ways);
        for (Way way : ways) {
            outcomes.put(way.recipient.address(), together(way, byTarget));
            way.end().ifPresent(end -> ends.put(way.recipient.address(), end));
        }
    }

    /// Finds out where each recipient's mail goes. Who can be told an outcome at once is not among
    /// the ways.
    private List<Way> ways(
            QueueEntry entry, Map<MailAddress, Outcome> outcomes, Map<MailAddress, Action> ends) {
        List<Way> ways = new ArrayList<>(entry.envelope().recipients().size());
        for (Recipient recipient : entry.envelope().recipients()) {
            try {
                List<Target> targets = aliases.targets(recipient.address());
                if (targets.size() > 1
                        && targets.stream().anyMatch(Target.Away.class::isInstance)) {
                    outcomes.put(recipient.address(), expanded(entry, recipient, targets));
                    ends.put(recipient.address(), Action.EXPANDED);
                } else {
                    ways.add(new Way(recipient, targets));
                }
            } catch (IOException e) {
                log.warn(
                        "q{} to=<{}>: cannot be resolved: {}",
                        entry.id(),
                        recipient.address(),
                        e.toString());
                outcomes.put(
                        recipient.address(),
                        new Outcome.Deferred(
                                new Status(
                                        451,
                                        "4.3.0",
                                        "<"
                                                + recipient.address()
                                                + ">: cannot be looked up just now")));
            }
        }
        return ways;
    }

    private Map<MailAddress, Outcome> carried(QueueEntry entry, List<Way> ways) {
        Map<Courier, Map<MailAddress, Recipient>> errands = new LinkedHashMap<>();
        Map<MailAddress, Outcome> outcomes = new HashMap<>();
        for (Way way : ways) {
            for (Target target : way.targets) {
                switch (target) {
                    case Target.Here(MailAddress account) ->
                            errand(
                                    errands,
                                    couriers.here(account.domain()),
                                    way.recipient,
                                    account);
                    case Target.Away(MailAddress address) ->
                            couriers.away(address.domain())
                                    .ifPresentOrElse(
                                            courier ->
                                                    errand(
                                                            errands,
                                                            courier,
                                                            way.recipient,
                                                            address),
                                            // RFC 3463 §3.5 X.4.0
                                            () ->
                                                    outcomes.put(
                                                            address,
                                                            new Outcome.Deferred(
                                                                    new Status(
                                                                            451,
                                                                            "4.4.0",
                                                                            NO_REMOTE_COURIER))));
                    case Target.Nowhere _ -> {}
                }
            }
        }
        errands.forEach(
                (courier, recipients) ->
                        outcomes.putAll(
                                delivered(entry, courier, List.copyOf(recipients.values()))));
        return outcomes;
    }

    private static void errand(
            Map<Courier, Map<MailAddress, Recipient>> errands,
            Courier courier,
            Recipient recipient,
            MailAddress target) {
        errands.computeIfAbsent(courier, c -> new LinkedHashMap<>())
                .putIfAbsent(
                        target,
                        target.equals(recipient.address())
                                ? recipient
                                : new Recipient(target, recipient.parameters()));
    }

    private Map<MailAddress, Outcome> delivered(
            QueueEntry entry, Courier courier, List<Recipient> recipients) {
        try {
            QueueEntry forThem =
                    entry.envelope().recipients().equals(recipients)
                            ? entry
                            : entry.with(recipients);
            return courier.deliver(forThem, recipients);
        } catch (IOException e) {
            log.warn(
                    "q{} to={}: the courier failed: {}",
                    entry.id(),
                    addresses(recipients),
                    e.toString());
        } catch (RuntimeException e) {
            log.error("q{} to={}: a fault of the courier", entry.id(), addresses(recipients), e);
        }
        Outcome deferred =
                new Outcome.Deferred(new Status(451, "4.3.0", "could not be carried on just now"));
        Map<MailAddress, Outcome> outcomes = new HashMap<>();
        recipients.forEach(recipient -> outcomes.put(recipient.address(), deferred));
        return outcomes;
    }

    /// One outcome of those of all targets. While any may still come to a good end, the recipient
    /// waits: a mailbox that has the message already does not take it twice.
    private static Outcome together(Way way, Map<MailAddress, Outcome> byTarget) {
        Optional<Outcome> failed = Optional.empty();
        Optional<Outcome> delivered = Optional.empty();
        for (Target target : way.targets) {
            Outcome outcome =
                    switch (target) {
                        case Target.Here(MailAddress account) -> of(account, byTarget);
                        case Target.Away(MailAddress address) -> of(address, byTarget);
                        case Target.Nowhere(Status why) -> new Outcome.Failed(why);
                    };
            switch (outcome) {
                case Outcome.Deferred _ -> {
                    return outcome;
                }
                case Outcome.Failed _ -> failed = failed.or(() -> Optional.of(outcome));
                case Outcome.Delivered _ -> delivered = Optional.of(outcome);
            }
        }
        if (failed.isEmpty() && way.targets.size() > 1) {
            return new Outcome.Delivered(way.targets.size() + " mailboxes");
        }
        return failed.orElseGet(delivered::orElseThrow);
    }

    private static Outcome of(MailAddress target, Map<MailAddress, Outcome> byTarget) {
        return byTarget.getOrDefault(
                target,
                new Outcome.Deferred(
                        new Status(
                                451, "4.3.0", "<" + target + ">: the courier said nothing of it")));
    }

    /// Puts a message for an alias that also leads to other hosts into the queue anew, with each of
    /// its targets as a recipient: one that is slow must not make the others get the message at
    /// every try.
    private Outcome expanded(QueueEntry entry, Recipient recipient, List<Target> targets)
            throws IOException {
        Map<String, String> parameters = reports.parametersOfMembers(recipient);
        List<Recipient> members = new ArrayList<>();
        Optional<Status> failed = Optional.empty();
        for (Target target : targets) {
            switch (target) {
                case Target.Here(MailAddress account) ->
                        members.add(new Recipient(account, parameters));
                case Target.Away(MailAddress address) ->
                        members.add(new Recipient(address, parameters));
                case Target.Nowhere(Status why) -> failed = Optional.of(why);
            }
        }
        QueueId id;
        try (Draft draft = queue.draft(entry.envelope().with(members));
                InputStream in = entry.content().open()) {
            in.transferTo(draft.body());
            id = draft.commit(List.of());
        }
        return failed.<Outcome>map(Outcome.Failed::new)
                .orElseGet(() -> new Outcome.Delivered(members.size() + " addresses as q" + id));
    }

    private Outcome givenUp(Outcome outcome) {
        return outcome instanceof Outcome.Deferred(Status why)
                // RFC 3463 §3.5 X.4.7
                ? new Outcome.Failed(
                        new Status(
                                554,
                                "5.4.7",
                                "not delivered within "
                                        + Words.duration(schedule.giveUp())
                                        + "; the last reason was: "
                                        + why))
                : outcome;
    }

    private static void deferRest(QueueEntry entry, Map<MailAddress, Outcome> outcomes) {
        Outcome fault =
                new Outcome.Deferred(
                        new Status(451, "4.3.0", "this server could not do it just now"));
        for (MailAddress recipient : entry.envelope().addresses()) {
            // A failure that could not be reported must not be forgotten either.
            outcomes.compute(
                    recipient,
                    (r, outcome) -> outcome instanceof Outcome.Delivered ? outcome : fault);
        }
    }

    private static void note(QueueEntry entry, Map<MailAddress, Outcome> outcomes, Instant retry) {
        if (!log.isInfoEnabled()) {
            return;
        }
        String sender = entry.envelope().sender().map(MailAddress::toString).orElse("");
        outcomes.forEach(
                (recipient, outcome) -> {
                    switch (outcome) {
                        case Outcome.Delivered(String where, _) ->
                                log.info(
                                        "q{} from=<{}> to=<{}> delivered: {}",
                                        entry.id(),
                                        sender,
                                        recipient,
                                        where);
                        case Outcome.Deferred(Status why) ->
                                log.info(
                                        "q{} from=<{}> to=<{}> deferred: {}; retry {}",
                                        entry.id(),
                                        sender,
                                        recipient,
                                        why,
                                        retry);
                        case Outcome.Failed(Status why) ->
                                log.info(
                                        "q{} from=<{}> to=<{}> failed: {}",
                                        entry.id(),
                                        sender,
                                        recipient,
                                        why);
                    }
                });
    }

    private static List<MailAddress> addresses(List<Recipient> recipients) {
        return recipients.stream().map(Recipient::address).toList();
    }
}
