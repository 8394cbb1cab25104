package org.pabal.delivery;

import org.pabal.delivery.DeliveryReport.Action;
import org.pabal.delivery.DeliveryReport.Notice;
import org.pabal.mail.Attempt;
import org.pabal.mail.Draft;
import org.pabal.mail.MailAddress;
import org.pabal.mail.MailQueue;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Decides who hears what (RFC 3461 §5.2) and puts the reports into the queue.
///
/// A report goes to the envelope's sender and nobody else. A message without one is never answered
/// (RFC 5321 §4.5.5): a report that cannot be delivered ends here, with a line in the log.
final class Reports {

    private static final Logger log = LoggerFactory.getLogger(Reports.class);

    private final MailQueue queue;
    private final DeliveryReport.Writer writer;
    private final RetrySchedule schedule;
    private final Duration delayNotice;
    private final InstantSource clock;
    private final RandomGenerator random;

    /// @param delayNotice after which time a sender hears of a delay who asked for it, or asked for
    ///     nothing; zero for never
    Reports(
            MailQueue queue,
            DeliveryReport.Writer writer,
            RetrySchedule schedule,
            Duration delayNotice,
            InstantSource clock,
            RandomGenerator random) {
        this.queue = queue;
        this.writer = writer;
        this.schedule = schedule;
        this.delayNotice = delayNotice;
        this.clock = clock;
        this.random = random;
    }

    /// The same when nothing is known of the steps of the attempt.
    void tell(
            QueueEntry entry,
            Map<MailAddress, Outcome> outcomes,
            Map<MailAddress, Action> ends,
            Instant retry)
            throws IOException {
        tell(entry, outcomes, ends, retry, List.of());
    }

    /// Sends what is due after an attempt, before it is settled: after a crash between the two a
    /// sender hears twice rather than never.
    ///
    /// @param ends for those who may hear of a success from us: what to call it; `DELAYED` for
    ///     those who are to hear of a delay now, because the sender set a time; mail for others
    ///     that was delivered was handed on
    /// @param retry when the deferred are tried again
    /// @param attempts what was tried this time; not yet in the history of the entry
    /// @throws IOException when the report could not be put into the queue, or the message not be
    ///     read
    void tell(
            QueueEntry entry,
            Map<MailAddress, Outcome> outcomes,
            Map<MailAddress, Action> ends,
            Instant retry,
            List<Attempt> attempts)
            throws IOException {
        if (entry.envelope().sender().isEmpty()) {
            lost(entry, outcomes).ifPresent(log::warn);
            return;
        }
        List<Notice> notices = notices(entry, outcomes, ends, retry, attempts);
        for (int from = 0; from < notices.size(); from += DeliveryReport.MAX_RECIPIENTS) {
            int to = Math.min(notices.size(), from + DeliveryReport.MAX_RECIPIENTS);
            send(entry, notices.subList(from, to));
        }
    }

    private void send(QueueEntry entry, List<Notice> notices) throws IOException {
        DeliveryReport report = DeliveryReport.on(entry, notices);
        try (Draft draft = queue.draft(report.envelope())) {
            report.write(draft.body(), writer, draft.id(), clock.instant(), boundary());
            draft.commit(List.of());
            log.info(
                    "q{} is a report on q{} to=<{}>",
                    draft.id(),
                    entry.id(),
                    entry.envelope().sender().get());
        }
    }

    /// What the log has of a message that fails and has nobody who could be told, such as a report
    /// of ours: RFC 5321 §4.5.5, security row S16.
    static Optional<String> lost(QueueEntry entry, Map<MailAddress, Outcome> outcomes) {
        List<String> failed =
                entry.envelope().addresses().stream()
                        .flatMap(
                                recipient ->
                                        outcomes.get(recipient)
                                                        instanceof Outcome.Failed(Status why)
                                                ? Stream.of("to=<" + recipient + "> failed: " + why)
                                                : Stream.empty())
                        .toList();
        return failed.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "q%s from=<> %s%s; dropped, for nobody is to be told"
                                .formatted(
                                        entry.id(),
                                        failed.getFirst(),
                                        failed.size() == 1
                                                ? ""
                                                : " (and " + (failed.size() - 1) + " more)"));
    }

    /// What the members of an alias inherit when they become recipients, RFC 3461 §5.2.7.3: the
    /// name that the sender knows, and that failures are told. Success was told of the alias.
    Map<String, String> parametersOfMembers(Recipient alias) {
        Map<String, String> parameters = new HashMap<>(alias.parameters());
        parameters.computeIfAbsent("ORCPT", k -> TypedAddress.of(alias.address()).parameter());
        parameters.computeIfPresent(
                "NOTIFY",
                (k, events) -> {
                    String left =
                            Arrays.stream(events.split(","))
                                    .map(String::strip)
                                    .filter(event -> !event.equalsIgnoreCase("SUCCESS"))
                                    .collect(Collectors.joining(","));
                    return left.isEmpty() ? "NEVER" : left;
                });
        return parameters;
    }

    private List<Notice> notices(
            QueueEntry entry,
            Map<MailAddress, Outcome> outcomes,
            Map<MailAddress, Action> ends,
            Instant retry,
            List<Attempt> attempts)
            throws IOException {
        boolean late = late(entry, retry, attempts);
        Optional<Boolean> automatic = Optional.empty();
        List<Notice> notices = new ArrayList<>();
        for (Recipient recipient : entry.envelope().recipients()) {
            boolean asked = recipient.parameters().containsKey("NOTIFY");
            switch (outcomes.get(recipient.address())) {
                case Outcome.Failed(Status why) when recipient.notify("FAILURE") ->
                        notices.add(notice(entry, recipient, Action.FAILED, why, attempts));
                case Outcome.Deferred(Status why)
                        when (late || ends.get(recipient.address()) == Action.DELAYED)
                                && recipient.notify("DELAY") -> {
                    if (!asked && automatic.isEmpty()) {
                        automatic = Optional.of(HeaderFields.of(entry.content()).automatic());
                    }
                    // RFC 3461 §4.1: where nothing was asked for we may choose.
                    if (asked || !automatic.orElse(true)) {
                        notices.add(notice(entry, recipient, Action.DELAYED, why, attempts));
                    }
                }
                // RFC 3461 §5.2.2: where the next server takes our promise, it tells.
                case Outcome.Delivered(String where, boolean reportsFollow)
                        when asked
                                && recipient.notify("SUCCESS")
                                && (ends.containsKey(recipient.address()) || !reportsFollow) ->
                        notices.add(
                                arrived(
                                        recipient,
                                        ends.getOrDefault(recipient.address(), Action.RELAYED),
                                        where,
                                        attempted(recipient, attempts)));
                case null, default -> {}
            }
        }
        return notices;
    }

    private Notice notice(
            QueueEntry entry,
            Recipient recipient,
            Action action,
            Status why,
            List<Attempt> attempts) {
        Optional<RemoteReply> said = RemoteReply.in(why);
        return new Notice(
                recipient,
                action,
                why,
                said.map(RemoteReply::host)
                        .or(() -> met(recipient.address(), why, entry.history(), attempts)),
                said.map(RemoteReply::reply),
                attempted(recipient, attempts),
                action == Action.DELAYED
                        ? Optional.of(begun(entry).plus(schedule.giveUp()))
                        : Optional.empty());
    }

    private static Notice arrived(
            Recipient recipient, Action action, String where, Instant attempted) {
        Optional<RemoteReply> said =
                action == Action.RELAYED ? RemoteReply.in(where) : Optional.empty();
        Status delivered =
                action == Action.RELAYED
                        ? new Status(250, "2.0.0", "handed on")
                        : new Status(250, "2.1.5", "delivered");
        return new Notice(
                recipient,
                action,
                said.map(RemoteReply::reply)
                        .filter(reply -> !reply.enhanced().isEmpty())
                        .orElse(delivered),
                said.map(RemoteReply::host),
                said.map(RemoteReply::reply),
                attempted,
                Optional.empty());
    }

    /// The host where we found something out ourselves, that its certificate is not the right one
    /// for instance: the last one of whose attempt the status tells.
    private static Optional<String> met(
            MailAddress recipient, Status why, List<Attempt> history, List<Attempt> attempts) {
        return Stream.concat(history.stream(), attempts.stream())
                .filter(attempt -> attempt.recipients().contains(recipient))
                .filter(attempt -> !attempt.reply().text().isEmpty())
                .filter(attempt -> why.text().endsWith(attempt.reply().text()))
                .reduce((earlier, later) -> later)
                .flatMap(attempt -> RemoteReply.host(attempt.where()));
    }

    private Instant attempted(Recipient recipient, List<Attempt> attempts) {
        return attempts.stream()
                .filter(attempt -> attempt.recipients().contains(recipient.address()))
                .map(Attempt::at)
                .max(Instant::compareTo)
                .orElseGet(clock::instant);
    }

    /// True at one try in the life of a message: the first that ends when the notice is due. The
    /// history says when the one before it ended, so that neither a restart nor an administrator
    /// who tries at once makes it two.
    ///
    /// Where nobody tells of attempts, the time for which this try was planned has to do: the last
    /// one before the notice would be overdue tells then.
    private boolean late(QueueEntry entry, Instant retry, List<Attempt> attempts) {
        if (delayNotice.isZero()) {
            return false;
        }
        Instant due = begun(entry).plus(delayNotice);
        if (attempts.isEmpty()) {
            return entry.next().isBefore(due) && !retry.isBefore(due);
        }
        Instant before =
                latest(entry.history())
                        .orElseGet(() -> entry.attempts() == 0 ? entry.accepted() : entry.next());
        return before.isBefore(due) && !latest(attempts).orElseThrow().isBefore(due);
    }

    private static Optional<Instant> latest(List<Attempt> attempts) {
        return attempts.stream().map(Attempt::at).max(Instant::compareTo);
    }

    /// From when on it could have been delivered, RFC 4865 §4.
    private static Instant begun(QueueEntry entry) {
        return entry.envelope()
                .holdUntil()
                .filter(until -> until.isAfter(entry.accepted()))
                .orElse(entry.accepted());
    }

    private String boundary() {
        return "=_"
                + Long.toUnsignedString(random.nextLong(), 36)
                + Long.toUnsignedString(random.nextLong(), 36);
    }
}
