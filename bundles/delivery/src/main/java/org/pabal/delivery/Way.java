package org.pabal.delivery;

import org.pabal.delivery.AliasExpansion.Target;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Where a recipient's mail goes, and what comes of it together.
///
/// @param targets at least one
record Way(Recipient recipient, List<Target> targets) {

    boolean splits() {
        return targets.size() > 1;
    }

    /// Whether mail that came for us leaves us again.
    boolean forwards() {
        return targets.stream()
                .anyMatch(
                        target ->
                                target instanceof Target.Away(MailAddress to)
                                        && !to.equals(recipient.address()));
    }

    boolean leadsToAnyOf(Set<MailAddress> addresses) {
        return targets.stream()
                .anyMatch(
                        target ->
                                switch (target) {
                                    case Target.Here(MailAddress to) -> addresses.contains(to);
                                    case Target.Away(MailAddress to) -> addresses.contains(to);
                                    case Target.Nowhere _ -> false;
                                });
    }

    /// One outcome of those of all targets. While any may still come to a good end, the recipient
    /// waits: a mailbox that has the message already does not take it twice.
    Outcome together(Map<MailAddress, Outcome> byTarget) {
        Optional<Outcome> failed = Optional.empty();
        Optional<Outcome> delivered = Optional.empty();
        for (Target target : targets) {
            Outcome outcome =
                    switch (target) {
                        case Target.Here(MailAddress to) -> byTarget.get(to);
                        case Target.Away(MailAddress to) -> byTarget.get(to);
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
        if (failed.isEmpty() && splits()) {
            return new Outcome.Delivered(targets.size() + " mailboxes");
        }
        return failed.orElseGet(delivered::orElseThrow);
    }
}
