package org.pabal.delivery;

import org.pabal.directory.Destination;
import org.pabal.directory.Directory;
import org.pabal.mail.ForwardedSenders;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Status;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Follows aliases to where mail really goes.
///
/// It ends whatever the aliases say (security row S17): an address is followed once, ten steps deep
/// at most, and to a thousand targets at most. An address that only leads back to itself is a
/// failure that says so; one that also leads somewhere, as in `staff → alice, staff`, goes there.
final class AliasExpansion {

    private static final int MAX_DEPTH = 10;
    private static final int MAX_TARGETS = 1_000;

    /// Where a message goes for one recipient.
    sealed interface Target {

        /// An account of this node.
        record Here(MailAddress account) implements Target {}

        /// Another host.
        record Away(MailAddress address) implements Target {}

        /// It cannot get anywhere.
        record Nowhere(Status why) implements Target {}
    }

    /// For a node that forwards mail in the name of whoever sent it.
    static final ForwardedSenders AS_THEY_ARE =
            new ForwardedSenders() {
                @Override
                public MailAddress rewritten(MailAddress sender) {
                    return sender;
                }

                @Override
                public boolean form(MailAddress address) {
                    return false;
                }

                @Override
                public Optional<MailAddress> original(MailAddress address) {
                    return Optional.empty();
                }
            };

    private record Step(MailAddress address, int depth) {}

    private final Directory directory;
    private final ForwardedSenders forwarded;

    AliasExpansion(Directory directory, ForwardedSenders forwarded) {
        this.directory = directory;
        this.forwarded = forwarded;
    }

    /// Where mail for an address goes: at least one target, none twice.
    ///
    /// @throws IOException when the directory cannot say now
    List<Target> targets(MailAddress recipient) throws IOException {
        Destination direct = resolve(recipient);
        return direct instanceof Destination.Forward(List<MailAddress> to)
                ? followed(recipient, to)
                : List.of(target(recipient, direct));
    }

    /// Who stands as the sender of mail that we forward to another domain: whoever has an address
    /// of ours, and nobody, stay as they are; anybody else gets an address of ours, because the
    /// other host asks whether we may send in that name.
    ///
    /// @throws IOException when the directory cannot say now
    Optional<MailAddress> senderOfForwarded(Optional<MailAddress> sender) throws IOException {
        if (sender.isEmpty() || !(resolve(sender.get()) instanceof Destination.Elsewhere)) {
            return sender;
        }
        return sender.map(forwarded::rewritten);
    }

    /// What the directory says, but for the addresses that stand for a sender elsewhere: mail to
    /// one of these leads back to that sender.
    private Destination resolve(MailAddress address) throws IOException {
        if (!forwarded.form(address)) {
            return directory.resolve(address);
        }
        return forwarded
                .original(address)
                .<Destination>map(original -> new Destination.Forward(List.of(original)))
                .orElseGet(Destination.Unknown::new);
    }

    private List<Target> followed(MailAddress recipient, List<MailAddress> to) throws IOException {
        Set<Target> targets = new LinkedHashSet<>();
        Set<MailAddress> seen = new HashSet<>(Set.of(recipient));
        Deque<Step> steps = new ArrayDeque<>();
        to.forEach(next -> steps.add(new Step(next, 1)));
        while (!steps.isEmpty()) {
            Step step = steps.remove();
            if (!seen.add(step.address)) {
                continue;
            }
            if (seen.size() > MAX_TARGETS) {
                // RFC 3463 §3.3 X.2.4
                return List.of(
                        new Target.Nowhere(
                                new Status(
                                        550,
                                        "5.2.4",
                                        "<"
                                                + recipient
                                                + ">: leads to more than "
                                                + MAX_TARGETS
                                                + " addresses")));
            }
            switch (resolve(step.address)) {
                case Destination.Forward _ when step.depth >= MAX_DEPTH ->
                        targets.add(loop(recipient, "aliases more than " + MAX_DEPTH + " deep"));
                case Destination.Forward(List<MailAddress> further) ->
                        further.forEach(next -> steps.add(new Step(next, step.depth + 1)));
                case Destination end -> targets.add(target(step.address, end));
            }
        }
        return targets.isEmpty()
                ? List.of(loop(recipient, "its aliases lead back to itself"))
                : new ArrayList<>(targets);
    }

    private static Target target(MailAddress address, Destination destination) {
        return switch (destination) {
            case Destination.Local(var account) -> new Target.Here(account.address());
            case Destination.Elsewhere _ -> new Target.Away(address);
            case Destination.Unknown _, Destination.Forward _ ->
                    new Target.Nowhere(
                            new Status(550, "5.1.1", "<" + address + ">: no such mailbox here"));
        };
    }

    // RFC 3463 §3.5 X.4.6
    private static Target loop(MailAddress recipient, String why) {
        return new Target.Nowhere(
                new Status(554, "5.4.6", "<" + recipient + ">: mail loop: " + why));
    }
}
