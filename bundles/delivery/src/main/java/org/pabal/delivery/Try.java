package org.pabal.delivery;

import org.pabal.delivery.DeliveryReport.Action;
import org.pabal.mail.Attempt;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.random.RandomGenerator;

/// What is known of a message while it is tried, and what follows from it: who is given up, when
/// the next try is, what the reports and the history are to say.
///
/// Couriers tell their part from threads of their own; all else is done by one.
final class Try {

    final QueueEntry entry;
    final Optional<DeliverBy> by;

    private final RetrySchedule schedule;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Map<MailAddress, Outcome> outcomes = new LinkedHashMap<>();
    private final Map<MailAddress, Action> ends = new HashMap<>();
    private final Map<MailAddress, Outcome> byTarget = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<Attempt> attempts = new ConcurrentLinkedQueue<>();

    /// What was said by us and by no courier, for the history.
    private final Map<MailAddress, Outcome> ours = new LinkedHashMap<>();

    private Optional<Instant> back = Optional.empty();
    private boolean left;

    Try(QueueEntry entry, RetrySchedule schedule, InstantSource clock, RandomGenerator random) {
        this.entry = entry;
        this.by = DeliverBy.of(entry);
        this.schedule = schedule;
        this.clock = clock;
        this.random = random;
    }

    // ---- what happens

    /// An outcome that we know without asking a courier.
    void decide(MailAddress recipient, Outcome outcome) {
        outcomes.put(recipient, outcome);
        ours.put(recipient, outcome);
    }

    void decideAll(Outcome outcome) {
        entry.envelope().addresses().forEach(recipient -> decide(recipient, outcome));
    }

    /// An outcome that couriers brought.
    void conclude(MailAddress recipient, Outcome outcome) {
        outcomes.put(recipient, outcome);
    }

    /// What we know of a target, or of a recipient who has none, without asking a courier.
    void knows(MailAddress target, Outcome outcome) {
        byTarget.put(target, outcome);
        ours.put(target, outcome);
    }

    /// How the journey of somebody's mail ended, as far as we see it.
    void end(MailAddress recipient, Action end) {
        ends.put(recipient, end);
    }

    /// What a courier said of its part.
    ///
    /// @param told what it has for the history; where that is nothing, its outcomes stand there
    void returned(Map<MailAddress, Outcome> said, Collection<Attempt> told) {
        byTarget.putAll(said);
        attempts.addAll(told.isEmpty() ? attempts(said) : told);
    }

    /// Something may leave this node, which must not be forgotten.
    void leaves() {
        left = true;
    }

    /// @param then when those may come again who found no room; empty when everybody did
    void turnedAway(Optional<Instant> then) {
        back = then;
    }

    /// RFC 2852 §4: no try after the deadline.
    boolean returnedUntried() {
        if (!returned(clock.instant())) {
            return false;
        }
        for (MailAddress recipient : entry.envelope().addresses()) {
            decide(recipient, tooLate(Optional.ofNullable(entry.reasons().get(recipient))));
        }
        return true;
    }

    /// Whoever waits is given up.
    void giveUp() {
        outcomes.replaceAll(
                (_, outcome) ->
                        outcome instanceof Outcome.Deferred(Status why) ? givenUp(why) : outcome);
    }

    /// After a fault of ours: a failure that could not be reported must not be forgotten either.
    void deferRest() {
        Outcome fault = deferred("4.3.0", "this server could not do it just now");
        for (MailAddress recipient : entry.envelope().addresses()) {
            if (!(outcomes.get(recipient) instanceof Outcome.Delivered)) {
                decide(recipient, fault);
            }
        }
    }

    // ---- what follows

    boolean nothingDecided() {
        return outcomes.isEmpty();
    }

    Map<MailAddress, Outcome> outcomes() {
        return outcomes;
    }

    Map<MailAddress, Outcome> byTarget() {
        return byTarget;
    }

    /// The next try, or empty when it is time to bounce; at the sender's deadline in any case.
    Optional<Instant> next() {
        Instant now = clock.instant();
        return returned(now)
                ? Optional.empty()
                : schedule.next(RetrySchedule.since(entry), entry.attempts() + 1, now, random)
                        .map(next -> notBeyondDeadline(next, now));
    }

    /// When what is left of the message is leased again.
    Instant retry(Optional<Instant> next) {
        Instant now = clock.instant();
        // What can neither be delivered nor reported stays until somebody mends what is wrong here.
        Instant then = next.orElseGet(() -> now.plus(schedule.last()));
        if (back.isEmpty()) {
            return then;
        }
        if (!anyDeferred()) {
            return notBeyondDeadline(back.get(), now);
        }
        Instant soon = now.plus(schedule.first());
        return then.isBefore(soon) ? then : soon;
    }

    /// The message as the reports are to see it. A sender who traces hears of every relay, and one
    /// who wants to know of a delay of a relay that will not tell, whatever else was asked; only
    /// NEVER is never (RFC 2852 §4.1.4).
    QueueEntry forReports() {
        if (by.filter(b -> b.trace() || b.mode() == DeliverBy.Mode.NOTIFY).isEmpty()) {
            return entry;
        }
        return entry.with(
                entry.envelope().recipients().stream()
                        .map(r -> ends.get(r.address()) == Action.RELAYED ? traced(r) : r)
                        .toList());
    }

    /// What the reports are to call the ends, and whose delay they are to tell: once, after the
    /// deadline of a sender who wants to know.
    Map<MailAddress, Action> ends() {
        Instant now = clock.instant();
        Optional<DeliverBy> late =
                by.filter(b -> b.mode() == DeliverBy.Mode.NOTIFY && b.passed(now))
                        .filter(b -> entry.history().stream().noneMatch(a -> b.passed(a.at())));
        if (late.isPresent()) {
            outcomes.forEach(
                    (recipient, outcome) -> {
                        if (outcome instanceof Outcome.Deferred) {
                            ends.put(recipient, Action.DELAYED);
                        }
                    });
        }
        return ends;
    }

    /// What stands in the history: nothing, when all of it ended here and nothing waits.
    List<Attempt> history() {
        if (!left && !anyDeferred()) {
            return List.of();
        }
        List<Attempt> history = new ArrayList<>(attempts);
        history.addAll(attempts(ours));
        return history.subList(
                Math.max(0, history.size() - QueueEntry.MAX_HISTORY), history.size());
    }

    static Outcome deferred(String enhanced, String text) {
        return new Outcome.Deferred(new Status(451, enhanced, text));
    }

    static Outcome failed(String enhanced, String text) {
        return new Outcome.Failed(new Status(554, enhanced, text));
    }

    private boolean returned(Instant now) {
        return by.filter(b -> b.returned(now)).isPresent();
    }

    private boolean anyDeferred() {
        return outcomes.values().stream().anyMatch(Outcome.Deferred.class::isInstance);
    }

    private Instant notBeyondDeadline(Instant next, Instant now) {
        return by.map(DeliverBy::deadline)
                .filter(deadline -> deadline.isAfter(now) && deadline.isBefore(next))
                .orElse(next);
    }

    // RFC 3463 §3.5 X.4.7
    private Outcome givenUp(Status why) {
        return returned(clock.instant())
                ? tooLate(Optional.of(why))
                : failed(
                        "5.4.7",
                        "not delivered within "
                                + Words.duration(schedule.giveUp())
                                + "; the last reason was: "
                                + why);
    }

    // RFC 3463 §3.5 X.4.7
    private Outcome tooLate(Optional<Status> why) {
        Instant deadline = by.map(DeliverBy::deadline).orElseThrow();
        return failed(
                "5.4.7",
                "not delivered within the "
                        + Words.duration(Duration.between(entry.accepted(), deadline))
                        + " that its sender gave it"
                        + why.map(last -> "; the last reason was: " + last).orElse(""));
    }

    private static Recipient traced(Recipient recipient) {
        if (recipient.notify("NEVER") || recipient.notify("SUCCESS")) {
            return recipient;
        }
        Map<String, String> parameters = new HashMap<>(recipient.parameters());
        parameters.merge("NOTIFY", "SUCCESS,FAILURE", (asked, _) -> asked + ",SUCCESS");
        return new Recipient(recipient.address(), parameters);
    }

    /// One for all who have the same outcome.
    private List<Attempt> attempts(Map<MailAddress, Outcome> said) {
        Map<Outcome, List<MailAddress>> same = new LinkedHashMap<>();
        said.forEach(
                (address, outcome) ->
                        same.computeIfAbsent(outcome, o -> new ArrayList<>()).add(address));
        Instant now = clock.instant();
        List<Attempt> attempts = new ArrayList<>();
        same.forEach((outcome, addresses) -> attempts.add(attempt(now, outcome, addresses)));
        return attempts;
    }

    private static Attempt attempt(Instant now, Outcome outcome, List<MailAddress> addresses) {
        return switch (outcome) {
            case Outcome.Delivered(String where, _) ->
                    new Attempt(now, where, "", addresses, new Status(250, "2.0.0", "delivered"));
            case Outcome.Deferred(Status why) -> new Attempt(now, "", "", addresses, why);
            case Outcome.Failed(Status why) -> new Attempt(now, "", "", addresses, why);
        };
    }
}
