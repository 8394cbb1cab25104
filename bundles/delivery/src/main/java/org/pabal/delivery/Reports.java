package org.pabal.delivery;

import org.pabal.delivery.DeliveryReport.Action;
import org.pabal.delivery.DeliveryReport.Notice;
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
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

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

    /// @param delayNotice after which time those hear of a delay who asked for it
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

    /// Sends what is due after an attempt, before it is settled: after a crash between the two a
    /// sender hears twice rather than never.
    ///
    /// @param ends for those who may hear of a success from us: what to call it
    /// @param retry when the deferred are tried again
    /// @throws IOException when the report could not be put into the queue
    void tell(
            QueueEntry entry,
            Map<MailAddress, Outcome> outcomes,
            Map<MailAddress, Action> ends,
            Instant retry)
            throws IOException {
        List<Notice> notices = new ArrayList<>();
        for (Recipient recipient : entry.envelope().recipients()) {
            Optional.ofNullable(outcomes.get(recipient.address()))
                    .flatMap(outcome -> notice(entry, recipient, outcome, ends, retry))
                    .ifPresent(notices::add);
        }
        if (notices.isEmpty()) {
            return;
        }
        if (entry.envelope().sender().isEmpty()) {
            if (notices.stream().anyMatch(notice -> notice.action() == Action.FAILED)) {
                log.warn(
                        "q{} failed and is dropped: nobody is to be told, its sender is <>",
                        entry.id());
            }
            return;
        }
        DeliveryReport report = new DeliveryReport(entry, notices);
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

    /// What the members of an alias inherit when they become recipients, RFC 3461 §5.2: the name
    /// that the sender knows, and that failures are told. Success was told of the alias.
    Map<String, String> parametersOfMembers(Recipient alias) {
        Map<String, String> parameters = new HashMap<>(alias.parameters());
        parameters.computeIfAbsent("ORCPT", k -> "rfc822;" + xtext(alias.address().toString()));
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

    private Optional<Notice> notice(
            QueueEntry entry,
            Recipient recipient,
            Outcome outcome,
            Map<MailAddress, Action> ends,
            Instant retry) {
        boolean asked = recipient.parameters().containsKey("NOTIFY");
        return switch (outcome) {
            case Outcome.Failed(Status why) when recipient.notify("FAILURE") ->
                    Optional.of(new Notice(recipient, Action.FAILED, why, Optional.empty()));
            case Outcome.Deferred(Status why)
                    when asked && recipient.notify("DELAY") && late(entry, retry) ->
                    Optional.of(
                            new Notice(
                                    recipient,
                                    Action.DELAYED,
                                    why,
                                    Optional.of(entry.accepted().plus(schedule.giveUp()))));
            // RFC 3461 §5.2.2
            case Outcome.Delivered _ when asked && recipient.notify("SUCCESS") ->
                    Optional.ofNullable(ends.get(recipient.address()))
                            .map(
                                    end ->
                                            new Notice(
                                                    recipient,
                                                    end,
                                                    new Status(250, "2.1.5", "delivered"),
                                                    Optional.empty()));
            default -> Optional.empty();
        };
    }

    /// True at one attempt in the life of a message: the last one before the notice would be
    /// overdue.
    private boolean late(QueueEntry entry, Instant retry) {
        Instant due = entry.accepted().plus(delayNotice);
        return entry.next().isBefore(due) && !retry.isBefore(due);
    }

    private String boundary() {
        return "=_"
                + Long.toUnsignedString(random.nextLong(), 36)
                + Long.toUnsignedString(random.nextLong(), 36);
    }

    // RFC 3461 §4
    private static String xtext(String text) {
        StringBuilder xtext = new StringBuilder();
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
            if (octet > ' ' && octet < 127 && octet != '+' && octet != '=') {
                xtext.append((char) octet);
            } else {
                xtext.append(String.format(Locale.ROOT, "+%02X", octet & 0xFF));
            }
        }
        return xtext.toString();
    }
}
