package org.pabal.delivery;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.pabal.mail.Attempt;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.MailQueue;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The commands about mail that waits: `queue:list`, `show`, `retry`, `hold`, `release`, `remove`.
@Component(
        service = DeliveryShell.class,
        property = {
            "osgi.command.scope=queue",
            "osgi.command.function=list",
            "osgi.command.function=show",
            "osgi.command.function=retry",
            "osgi.command.function=hold",
            "osgi.command.function=release",
            "osgi.command.function=remove"
        })
public final class DeliveryShell {

    /// Of a list of recipients as many are shown.
    private static final int MANY = 3;

    private final MailQueue queue;
    private final InstantSource clock;

    @Activate
    public DeliveryShell(@Reference MailQueue queue, @Reference InstantSource clock) {
        this.queue = queue;
        this.clock = clock;
    }

    @Descriptor(
            "lists the messages that wait, oldest first: id, age, size, state, from whom, for whom."
                    + " Example: queue:list")
    public List<String> list() throws IOException {
        try (Stream<QueueEntry> entries = queue.entries()) {
            List<String> lines = new ArrayList<>(entries.map(this::line).toList());
            lines.add(
                    switch (lines.size()) {
                        case 0 -> "the queue is empty";
                        case 1 -> "1 message";
                        default -> lines.size() + " messages";
                    });
            return lines;
        }
    }

    @Descriptor(
            "shows one message that waits: envelope, recipients, why it waits and until when, and"
                    + " every try with its time, host, TLS and reply. Example: queue:show 7F3K")
    public List<String> show(@Descriptor("the message's id, as queue:list shows it") String id)
            throws IOException {
        QueueEntry entry = find(id);
        Envelope envelope = entry.envelope();
        List<String> lines = new ArrayList<>();
        lines.add("message    " + entry.id() + ", " + Words.octets(entry.content().size()));
        lines.add("from       " + sender(envelope));
        parameters(envelope.parameters()).ifPresent(p -> lines.add("           " + p));
        for (Recipient recipient : envelope.recipients()) {
            lines.add("to         <" + recipient.address() + ">");
            parameters(recipient.parameters()).ifPresent(p -> lines.add("           " + p));
            Optional<Status> reason = Optional.ofNullable(entry.reasons().get(recipient.address()));
            lines.add(
                    "           " + reason.map(why -> "deferred: " + why).orElse("not tried yet"));
        }
        lines.add(
                "accepted   " + seconds(entry.accepted()) + ", " + age(entry.accepted()) + " ago");
        wishes(entry, lines);
        lines.add("state      " + state(entry));
        history(entry, lines);
        return lines;
    }

    @Descriptor(
            "tries a message again at once, or all of them. Example: queue:retry 7F3K, queue:retry"
                    + " all")
    public String retry(@Descriptor("the message's id, or all") String id) throws IOException {
        if (!id.equals("all")) {
            QueueEntry entry = find(id);
            queue.retry(entry.id());
            if (entry.held()) {
                return entry.id() + " is held: it is tried when you release it";
            }
            return release(entry)
                    .map(then -> entry.id() + " waits: its sender wants it held until " + then)
                    .orElse(entry.id() + " is tried now");
        }
        List<QueueEntry> all;
        try (Stream<QueueEntry> entries = queue.entries()) {
            all = entries.filter(entry -> !entry.held() && release(entry).isEmpty()).toList();
        }
        for (QueueEntry entry : all) {
            queue.retry(entry.id());
        }
        return all.size() + (all.size() == 1 ? " message is tried now" : " messages are tried now");
    }

    @Descriptor(
            "keeps a message back until it is released; it is never given up meanwhile."
                    + " Example: queue:hold 7F3K")
    public String hold(@Descriptor("the message's id") String id) throws IOException {
        QueueEntry entry = find(id);
        queue.hold(entry.id(), true);
        return entry.id() + " is held";
    }

    @Descriptor("lets a message that was held go on. Example: queue:release 7F3K")
    public String release(@Descriptor("the message's id") String id) throws IOException {
        QueueEntry entry = find(id);
        queue.hold(entry.id(), false);
        return entry.id() + " is released";
    }

    @Descriptor(
            "takes a message out of the queue for good; its sender is not told. Example:"
                    + " queue:remove 7F3K")
    public String remove(@Descriptor("the message's id") String id) throws IOException {
        QueueEntry entry = find(id);
        queue.remove(entry.id());
        return entry.id() + " from " + sender(entry.envelope()) + " is removed";
    }

    private QueueEntry find(String id) throws IOException {
        // In the log an id has a q before it.
        String bare = id.startsWith("q") ? id.substring(1) : id;
        try (Stream<QueueEntry> entries = queue.entries()) {
            List<QueueEntry> found =
                    entries.filter(e -> e.id().text().equals(id) || e.id().text().equals(bare))
                            .toList();
            return found.stream()
                    .filter(e -> e.id().text().equals(id))
                    .findFirst()
                    .or(() -> found.stream().findFirst())
                    .orElseThrow(
                            () ->
                                    new IllegalArgumentException(
                                            "queue: no message "
                                                    + id
                                                    + "; queue:list shows those there are"));
        }
    }

    private String line(QueueEntry entry) {
        List<MailAddress> to = entry.envelope().addresses();
        return "%-12s %5s %8s  %-22s from %s to <%s>%s"
                .formatted(
                        entry.id(),
                        age(entry.accepted()),
                        Words.octets(entry.content().size()),
                        next(entry),
                        sender(entry.envelope()),
                        to.getFirst(),
                        to.size() > 1 ? " and " + (to.size() - 1) + " more" : "");
    }

    private String next(QueueEntry entry) {
        if (entry.held()) {
            return "held";
        }
        Optional<Instant> release = release(entry);
        if (release.isPresent()) {
            return "released " + in(release.get());
        }
        if (entry.next().isAfter(clock.instant())) {
            return "waits, next " + in(entry.next());
        }
        return entry.attempts() == 0 ? "new" : "due";
    }

    /// What it waits for, in a sentence, so that nobody has to ask why it is stuck.
    private String state(QueueEntry entry) {
        String tried =
                switch (entry.attempts()) {
                    case 0 -> "not tried yet";
                    case 1 -> "tried once";
                    default -> "tried " + entry.attempts() + " times";
                };
        if (entry.held()) {
            return "held by an administrator until queue:release " + entry.id() + "; " + tried;
        }
        Optional<Instant> release = release(entry);
        if (release.isPresent()) {
            return "waits, released at " + release.get() + " as its sender wants; " + tried;
        }
        if (!entry.next().isAfter(clock.instant())) {
            return "is tried now, or waits its turn; " + tried;
        }
        return entry.attempts() == 0
                ? "waits for room: much is under way to its domain; next try "
                        + in(entry.next())
                        + "; "
                        + tried
                : "waits, next try " + in(entry.next()) + "; " + tried;
    }

    private void wishes(QueueEntry entry, List<String> lines) {
        Envelope envelope = entry.envelope();
        envelope.holdUntil()
                .ifPresent(
                        then -> lines.add("hold until " + seconds(then) + ", " + distance(then)));
        DeliverBy.of(entry)
                .ifPresent(
                        by ->
                                lines.add(
                                        "deliver by "
                                                + seconds(by.deadline())
                                                + ", "
                                                + distance(by.deadline())
                                                + (by.mode() == DeliverBy.Mode.RETURN
                                                        ? "; it goes back then"
                                                        : "; its sender is told then")));
        if (envelope.priority() != 0) {
            lines.add("priority   " + envelope.priority() + ", of -9 to 9");
        }
        if (envelope.requiresTls()) {
            lines.add("tls        only where it is verified and promised onward (REQUIRETLS)");
        }
    }

    private static void history(QueueEntry entry, List<String> lines) {
        for (Attempt attempt : entry.history()) {
            List<String> with = new ArrayList<>();
            if (!attempt.where().isEmpty()) {
                with.add(attempt.where());
            }
            if (!attempt.tls().isEmpty()) {
                with.add(attempt.tls());
            }
            if (!attempt.recipients().containsAll(entry.envelope().addresses())) {
                with.add("for " + some(attempt.recipients()));
            }
            with.add(attempt.reply().toString());
            lines.add("tried      " + seconds(attempt.at()) + "  " + with.getFirst());
            with.stream().skip(1).forEach(line -> lines.add(" ".repeat(33) + line));
        }
    }

    private static String some(List<MailAddress> addresses) {
        String first =
                addresses.stream()
                        .limit(MANY)
                        .map(address -> "<" + address + ">")
                        .collect(Collectors.joining(", "));
        int more = addresses.size() - MANY;
        return more > 0 ? first + " and " + more + " more" : first;
    }

    /// When the sender lets it go, as long as that is ahead: RFC 4865.
    private Optional<Instant> release(QueueEntry entry) {
        return entry.envelope()
                .holdUntil()
                .filter(clock.instant()::isBefore)
                .map(DeliveryShell::seconds);
    }

    private String distance(Instant time) {
        return time.isAfter(clock.instant()) ? in(time) : age(time) + " ago";
    }

    private String in(Instant time) {
        return "in " + Words.duration(Duration.between(clock.instant(), time));
    }

    private String age(Instant since) {
        return Words.duration(Duration.between(since, clock.instant()));
    }

    private static String sender(Envelope envelope) {
        return "<" + envelope.sender().map(MailAddress::toString).orElse("") + ">";
    }

    private static Optional<String> parameters(Map<String, String> parameters) {
        List<String> words =
                parameters.entrySet().stream()
                        .map(
                                p ->
                                        p.getValue().isEmpty()
                                                ? p.getKey()
                                                : p.getKey() + "=" + p.getValue())
                        .sorted()
                        .toList();
        return words.isEmpty() ? Optional.empty() : Optional.of(String.join(" ", words));
    }

    private static Instant seconds(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS);
    }
}
