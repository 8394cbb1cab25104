package org.pabal.delivery;

import org.pabal.delivery.AliasExpansion.Target;
import org.pabal.mail.Draft;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.MailQueue;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Puts a message for an alias that leads to other hosts into the queue anew, with each of its
/// targets as a recipient.
///
/// One that is slow must not make the others get the message at every try, and what leaves in the
/// name of a stranger gets a sender of ours, which it keeps however often it is tried.
final class Forwarding {

    /// A message of its own for some of the targets.
    private record Copy(Optional<MailAddress> sender, List<Recipient> recipients) {}

    private final MailQueue queue;
    private final AliasExpansion aliases;
    private final Reports reports;
    private final InstantSource clock;

    Forwarding(MailQueue queue, AliasExpansion aliases, Reports reports, InstantSource clock) {
        this.queue = queue;
        this.aliases = aliases;
        this.reports = reports;
        this.clock = clock;
    }

    /// Whether mail that goes this way has to be put into the queue anew.
    ///
    /// @throws IOException when the directory cannot say now
    boolean needed(Optional<MailAddress> sender, Way way) throws IOException {
        return way.forwards()
                && (way.splits() || !aliases.senderOfForwarded(sender).equals(sender));
    }

    /// What became of the alias. A crash between two messages, or before the settlement, has the
    /// first of them sent twice.
    Outcome putAnew(QueueEntry entry, Way way) throws IOException {
        Map<String, String> parameters = parametersOfTargets(way);
        Optional<MailAddress> sender = entry.envelope().sender();
        List<Recipient> here = new ArrayList<>();
        List<Recipient> away = new ArrayList<>();
        Optional<Outcome> failed = Optional.empty();
        for (Target target : way.targets()) {
            switch (target) {
                case Target.Here(MailAddress to) -> here.add(new Recipient(to, parameters));
                case Target.Away(MailAddress to) -> away.add(new Recipient(to, parameters));
                case Target.Nowhere(Status why) -> failed = Optional.of(new Outcome.Failed(why));
            }
        }
        Optional<MailAddress> ofAway = aliases.senderOfForwarded(sender);
        List<String> ids = new ArrayList<>();
        for (Copy copy :
                ofAway.equals(sender)
                        ? List.of(new Copy(sender, joined(here, away)))
                        : List.of(new Copy(sender, here), new Copy(ofAway, away))) {
            if (!copy.recipients.isEmpty()) {
                ids.add(put(entry, copy, way.recipient().address()));
            }
        }
        int members = here.size() + away.size();
        String where =
                (members == 1 ? "1 address" : members + " addresses")
                        + " as "
                        + String.join(" and ", ids);
        return failed.orElseGet(() -> new Outcome.Delivered(where, true));
    }

    private String put(QueueEntry entry, Copy copy, MailAddress alias) throws IOException {
        Map<String, String> parameters = new HashMap<>(entry.envelope().parameters());
        // Its seconds are counted from the acceptance, which for the new message is now.
        DeliverBy.of(entry)
                .flatMap(by -> by.remaining(clock.instant()))
                .ifPresent(left -> parameters.put("BY", left));
        Envelope envelope = new Envelope(copy.sender, parameters, copy.recipients);
        try (Draft draft = queue.draft(envelope);
                InputStream in = entry.content().open()) {
            draft.body().write(mark(alias));
            in.transferTo(draft.body());
            return "q" + draft.commit(List.of());
        }
    }

    /// By this field a message that comes back to the alias is known (security row S17), here and
    /// by Postfix and qmail, which write it too. One with UTF-8 could not go to every host.
    private static byte[] mark(MailAddress alias) {
        return alias.internationalized()
                ? new byte[0]
                : ("Delivered-To: " + alias + "\r\n").getBytes(StandardCharsets.US_ASCII);
    }

    /// RFC 3461 §5.2.7.2: the only target of an alias stands in its place, and success is told of
    /// it when it comes; that of several was told of the alias.
    private Map<String, String> parametersOfTargets(Way way) {
        Map<String, String> ofMembers = reports.parametersOfMembers(way.recipient());
        if (way.splits()) {
            return ofMembers;
        }
        Map<String, String> parameters = new LinkedHashMap<>(way.recipient().parameters());
        parameters.put("ORCPT", ofMembers.get("ORCPT"));
        return parameters;
    }

    private static List<Recipient> joined(List<Recipient> here, List<Recipient> away) {
        return Stream.concat(here.stream(), away.stream()).toList();
    }
}
