package org.pabal.delivery;

import org.pabal.delivery.AliasExpansion.Target;
import org.pabal.delivery.DeliveryReport.Action;
import org.pabal.mail.Attempt;
import org.pabal.mail.Courier;
import org.pabal.mail.Envelope;
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
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/// Tries one message, from lease to settlement.
///
/// At the desk: is it its time, where does each recipient's mail go, does it loop; what is for
/// mailboxes here is put into them. Then it leaves the desk, and whoever waits there is next: what
/// is for others goes on, each courier with its part beside the others, and at the end the outcomes
/// are settled together.
final class Carrier {

    private static final Logger log = LoggerFactory.getLogger(Carrier.class);

    static final String NO_REMOTE_COURIER = "no remote courier yet";

    /// How many reports are written at once: when a host is given up, they come in crowds.
    private static final int WRITERS = 64;

    /// What a courier is to do: targets, and the recipients that they stand for.
    private record Errand(Courier courier, Map<MailAddress, Recipient> recipients) {

        Errand(Courier courier) {
            this(courier, new LinkedHashMap<>());
        }
    }

    private final MailQueue queue;
    private final AliasExpansion aliases;
    private final Forwarding forwarding;
    private final Couriers couriers;
    private final Reports reports;
    private final RetrySchedule schedule;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final UnderWay underWay;

    /// The threads that are with a courier now: those and no others are interrupted.
    private final Map<Thread, QueueId> away = new ConcurrentHashMap<>();

    private final Semaphore writing = new Semaphore(WRITERS);
    private volatile boolean recalled;

    Carrier(
            MailQueue queue,
            AliasExpansion aliases,
            Couriers couriers,
            Reports reports,
            RetrySchedule schedule,
            InstantSource clock,
            RandomGenerator random,
            UnderWay underWay) {
        this.queue = queue;
        this.aliases = aliases;
        this.forwarding = new Forwarding(queue, aliases, reports, clock);
        this.couriers = couriers;
        this.reports = reports;
        this.schedule = schedule;
        this.clock = clock;
        this.random = random;
        this.underWay = underWay;
    }

    /// One try, from lease to settlement.
    ///
    /// @param leaveDesk is run when the rest depends on other hosts, if ever
    void carry(QueueEntry entry, Runnable leaveDesk) {
        Instant now = clock.instant();
        Optional<Instant> release = entry.envelope().holdUntil().filter(now::isBefore);
        if (release.isPresent()) {
            // RFC 4865 §4: not before
            settle(entry, Map.of(), release.get(), List.of());
            return;
        }
        Try current = new Try(entry, schedule, clock, random);
        try (UnderWay.Passage passage = underWay.passage()) {
            Instant retry;
            try {
                attempt(current, passage, leaveDesk);
                if (current.nothingDecided()) {
                    settle(entry, Map.of(), current.retry(current.next()), List.of());
                    return;
                }
                Optional<Instant> next = current.next();
                if (next.isEmpty()) {
                    current.giveUp();
                }
                retry = current.retry(next);
                tell(current, retry);
            } catch (IOException e) {
                current.deferRest();
                retry = current.retry(current.next());
                log.error("q{} deferred: {}; retry {}", entry.id(), e.toString(), retry);
            } catch (RuntimeException | Error e) {
                current.deferRest();
                retry = current.retry(current.next());
                log.error("q{} deferred: a fault of this server; retry {}", entry.id(), retry, e);
            }
            note(entry, current.outcomes(), retry);
            settle(entry, current.outcomes(), retry, current.history());
        }
    }

    /// Interrupts whoever is with a courier, and whoever goes to one from now on.
    void recall() {
        recalled = true;
        for (Thread thread : away.keySet()) {
            away.computeIfPresent(
                    thread,
                    (t, id) -> {
                        t.interrupt();
                        return id;
                    });
        }
    }

    /// The messages that are with a courier.
    Collection<QueueId> away() {
        return away.values();
    }

    private void attempt(Try current, UnderWay.Passage passage, Runnable leaveDesk)
            throws IOException {
        if (current.returnedUntried()) {
            return;
        }
        List<Way> ways = new ArrayList<>();
        List<Way> anew = new ArrayList<>();
        resolve(current, ways, anew);
        Map<Courier, Errand> atHome = new LinkedHashMap<>();
        Map<Courier, Errand> abroad = new LinkedHashMap<>();
        errands(current, ways, atHome, abroad);
        List<Errand> here = List.copyOf(atHome.values());
        List<Errand> elsewhere = new ArrayList<>(abroad.values());
        current.turnedAway(passage.enter(domains(elsewhere)));
        Set<MailAddress> turnedAway = turnedAway(elsewhere, passage.open());
        ways.removeIf(way -> way.leadsToAnyOf(turnedAway));
        boolean nobodyMayGo = ways.isEmpty() && anew.isEmpty();
        if (nobodyMayGo || !atDesk(current, anew, here)) {
            return;
        }
        if (!elsewhere.isEmpty()) {
            leaveDesk.run();
            goElsewhere(current, elsewhere);
        }
        ways.forEach(way -> conclude(current, way));
    }

    private void tell(Try current, Instant retry) throws IOException {
        writing.acquireUninterruptibly();
        try {
            reports.tell(
                    current.forReports(),
                    current.outcomes(),
                    current.ends(),
                    retry,
                    current.history());
        } finally {
            writing.release();
        }
    }

    /// Finds out where each recipient's mail goes. Who can be told an outcome at once has no way.
    private void resolve(Try current, List<Way> ways, List<Way> anew) {
        Envelope envelope = current.entry.envelope();
        for (Recipient recipient : envelope.recipients()) {
            try {
                Way way = new Way(recipient, aliases.targets(recipient.address()));
                (forwarding.needed(envelope.sender(), way) ? anew : ways).add(way);
            } catch (IOException e) {
                log.warn(
                        "q{} to=<{}>: cannot be resolved: {}",
                        current.entry.id(),
                        recipient.address(),
                        e.toString());
                String text = "<" + recipient.address() + ">: cannot be looked up just now";
                current.decide(recipient.address(), Try.deferred("4.3.0", text));
            }
        }
    }

    /// Who carries what. For whom there is nobody that is said at once.
    ///
    /// @param here what our own courier brings into mailboxes
    /// @param elsewhere what depends on others: a courier that somebody registered may wait as long
    ///     as one for other hosts
    private void errands(
            Try current,
            List<Way> ways,
            Map<Courier, Errand> here,
            Map<Courier, Errand> elsewhere) {
        for (Way way : ways) {
            for (Target target : way.targets()) {
                switch (target) {
                    case Target.Here(MailAddress to) -> {
                        Courier courier = couriers.here(to.domain());
                        put(
                                courier instanceof Couriers.Post ? elsewhere : here,
                                courier,
                                way.recipient(),
                                to);
                    }
                    case Target.Away(MailAddress to) ->
                            couriers.away(to.domain())
                                    .ifPresentOrElse(
                                            courier -> put(elsewhere, courier, way.recipient(), to),
                                            // RFC 3463 §3.5 X.4.0
                                            () ->
                                                    current.knows(
                                                            to,
                                                            Try.deferred(
                                                                    "4.4.0", NO_REMOTE_COURIER)));
                    case Target.Nowhere(Status why) ->
                            current.knows(way.recipient().address(), new Outcome.Failed(why));
                }
            }
        }
    }

    private static void put(
            Map<Courier, Errand> errands,
            Courier courier,
            Recipient recipient,
            MailAddress target) {
        errands.computeIfAbsent(courier, Errand::new)
                .recipients
                .putIfAbsent(
                        target,
                        target.equals(recipient.address())
                                ? recipient
                                : new Recipient(target, recipient.parameters()));
    }

    private static Set<String> domains(List<Errand> errands) {
        return errands.stream()
                .flatMap(errand -> errand.recipients.keySet().stream())
                .map(MailAddress::domain)
                .collect(Collectors.toSet());
    }

    /// Takes out of the errands what may not go now.
    private static Set<MailAddress> turnedAway(List<Errand> errands, Set<String> open) {
        Set<MailAddress> turnedAway =
                errands.stream()
                        .flatMap(errand -> errand.recipients.keySet().stream())
                        .filter(target -> !open.contains(target.domain()))
                        .collect(Collectors.toSet());
        errands.forEach(errand -> errand.recipients.keySet().removeAll(turnedAway));
        errands.removeIf(errand -> errand.recipients.isEmpty());
        return turnedAway;
    }

    /// What needs nobody else. What was read of the message for it is let go when this returns: ten
    /// thousand messages on the way must not hold their beginnings in memory.
    ///
    /// @return false when the message loops, so that nothing more is to be done
    private boolean atDesk(Try current, List<Way> anew, List<Errand> here) throws IOException {
        MessageStart start = MessageStart.of(current.entry.content());
        if (start.loops()) {
            // RFC 3463 §3.5 X.4.6, security row S17
            current.decideAll(
                    Try.failed(
                            "5.4.6",
                            "mail loop: the message has more than "
                                    + MessageStart.MAX_RECEIVED
                                    + " Received fields"));
            return false;
        }
        QueueEntry entry = current.entry.with(start.content());
        anew.forEach(way -> forward(current, entry, way));
        here.forEach(errand -> run(current, entry, errand));
        return true;
    }

    private void forward(Try current, QueueEntry entry, Way way) {
        MailAddress alias = way.recipient().address();
        try {
            current.leaves();
            current.decide(alias, forwarding.putAnew(entry, way));
            if (way.splits()) {
                current.end(alias, Action.EXPANDED);
            }
        } catch (IOException e) {
            log.warn("q{} to=<{}>: cannot be forwarded: {}", entry.id(), alias, e.toString());
            String text = "<" + alias + ">: cannot be forwarded just now";
            current.decide(alias, Try.deferred("4.3.0", text));
        }
    }

    /// Each courier beside the others.
    private void goElsewhere(Try current, List<Errand> errands) {
        current.leaves();
        List<Thread> others =
                errands.stream()
                        .skip(1)
                        .map(
                                errand ->
                                        Thread.ofVirtual()
                                                .name("delivery of q" + current.entry.id())
                                                .start(() -> runAway(current, errand)))
                        .toList();
        runAway(current, errands.getFirst());
        for (Thread other : others) {
            try {
                other.join();
            } catch (InterruptedException e) {
                // Nobody interrupts this thread any more; the other one is told itself.
                throw new IllegalStateException(e);
            }
        }
    }

    private void runAway(Try current, Errand errand) {
        Thread self = Thread.currentThread();
        away.put(self, current.entry.id());
        try {
            if (recalled) {
                self.interrupt();
            }
            run(current, current.entry, errand);
        } finally {
            away.remove(self);
            // What came of it is settled in peace.
            Thread.interrupted();
        }
    }

    private void run(Try current, QueueEntry entry, Errand errand) {
        List<Recipient> recipients = List.copyOf(errand.recipients.values());
        ConcurrentLinkedQueue<Attempt> told = new ConcurrentLinkedQueue<>();
        Map<MailAddress, Outcome> said = said(entry, errand.courier, recipients, told::add);
        Map<MailAddress, Outcome> outcomes = new LinkedHashMap<>();
        for (MailAddress target : errand.recipients.keySet()) {
            String nothing = "<" + target + ">: the courier said nothing of it";
            outcomes.put(target, said.getOrDefault(target, Try.deferred("4.3.0", nothing)));
        }
        current.returned(outcomes, List.copyOf(told));
    }

    private static Map<MailAddress, Outcome> said(
            QueueEntry entry, Courier courier, List<Recipient> recipients, Consumer<Attempt> told) {
        try {
            QueueEntry forThem =
                    entry.envelope().recipients().equals(recipients)
                            ? entry
                            : entry.with(recipients);
            return courier.deliver(forThem, recipients, told);
        } catch (IOException e) {
            log.warn(
                    "q{} to={}: the courier failed: {}",
                    entry.id(),
                    addresses(recipients),
                    e.toString());
        } catch (RuntimeException | Error e) {
            log.error("q{} to={}: a fault of the courier", entry.id(), addresses(recipients), e);
        }
        Outcome deferred = Try.deferred("4.3.0", "could not be carried on just now");
        Map<MailAddress, Outcome> outcomes = new HashMap<>();
        recipients.forEach(recipient -> outcomes.put(recipient.address(), deferred));
        return outcomes;
    }

    private static void conclude(Try current, Way way) {
        MailAddress recipient = way.recipient().address();
        Outcome outcome = way.together(current.byTarget());
        current.conclude(recipient, outcome);
        if (outcome instanceof Outcome.Delivered(_, boolean reportsFollow)) {
            end(current, way, reportsFollow).ifPresent(end -> current.end(recipient, end));
        }
    }

    /// How its journey ended, as far as we see it: beyond another host's door that host tells, when
    /// it said that it would (RFC 3461 §5.2.1, §5.2.2).
    private static Optional<Action> end(Try current, Way way, boolean reportsFollow) {
        if (way.splits()) {
            return Optional.of(Action.EXPANDED);
        }
        if (way.targets().getFirst() instanceof Target.Away) {
            boolean traced = current.by.filter(DeliverBy::trace).isPresent();
            return reportsFollow && !traced ? Optional.empty() : Optional.of(Action.RELAYED);
        }
        return Optional.of(Action.DELIVERED);
    }

    private void settle(
            QueueEntry entry,
            Map<MailAddress, Outcome> outcomes,
            Instant retry,
            List<Attempt> attempts) {
        try {
            queue.settle(entry, outcomes, retry, attempts);
        } catch (IOException | RuntimeException e) {
            log.error(
                    "q{} cannot be settled, is tried again after a restart: {}",
                    entry.id(),
                    e.toString(),
                    e);
        }
    }

    private static void note(QueueEntry entry, Map<MailAddress, Outcome> outcomes, Instant retry) {
        if (!log.isInfoEnabled()) {
            return;
        }
        String sender = entry.envelope().sender().map(MailAddress::toString).orElse("");
        outcomes.forEach(
                (recipient, outcome) -> {
                    String what =
                            switch (outcome) {
                                case Outcome.Delivered(String where, _) -> "delivered: " + where;
                                case Outcome.Deferred(Status why) ->
                                        "deferred: " + why + "; retry " + retry;
                                case Outcome.Failed(Status why) -> "failed: " + why;
                            };
                    log.info("q{} from=<{}> to=<{}> {}", entry.id(), sender, recipient, what);
                });
    }

    private static List<MailAddress> addresses(List<Recipient> recipients) {
        return recipients.stream().map(Recipient::address).toList();
    }
}
