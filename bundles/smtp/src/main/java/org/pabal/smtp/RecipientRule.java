package org.pabal.smtp;

import org.pabal.directory.Destination;
import org.pabal.directory.Directory;
import org.pabal.mail.ForwardedSenders;
import org.pabal.mail.MailAddress;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Whose mail we take. Mail for our own people comes in from everywhere; other mail only from them.
/// No network is trusted, and no way to spell an address leads around that (security row S14).
///
/// What can never be delivered is refused here, where the client still listens (security row S16):
/// an address that nobody has, a forged address of a forwarded sender, an alias that leads nowhere.
final class RecipientRule {

    // As far as delivery follows aliases; what is further is nowhere to it.
    private static final int MOST_STEPS = 10;
    private static final int MOST_ADDRESSES = 1_000;

    private record Step(MailAddress address, int depth) {}

    private RecipientRule() {}

    /// Why a recipient is refused, if so.
    ///
    /// @param bounce whether the message has no sender
    /// @param forwarded who knows the addresses of forwarded senders, if anybody
    /// @throws IOException when the directory cannot say now
    static Optional<SmtpReply> refusal(
            Directory directory,
            Optional<ForwardedSenders> forwarded,
            boolean signedIn,
            boolean bounce,
            MailAddress address)
            throws IOException {
        if (forwarded.isPresent() && forwarded.get().form(address)) {
            // A bounce on its way back comes from anywhere, and nobody else can make such an
            // address.
            // But whoever gets mail that we forwarded has one: with a sender of their own they
            // would
            // have us relay for them. Exim's own rules ask for the null sender too.
            if (forwarded.get().original(address).isEmpty()) {
                return Optional.of(noSuchMailbox(address));
            }
            return bounce || signedIn ? Optional.empty() : Optional.of(relayDenied(address));
        }
        return switch (directory.resolve(address)) {
            case Destination.Local _ -> Optional.empty();
            case Destination.Forward _ when routed(address) && directory.caught(address) ->
                    Optional.of(relayDenied(address));
            case Destination.Forward forward -> deadEnd(directory, address, forward.to());
            case Destination.Elsewhere _ when signedIn -> Optional.empty();
            case Destination.Elsewhere _ -> Optional.of(relayDenied(address));
            case Destination.Unknown _ when routed(address) -> Optional.of(relayDenied(address));
            case Destination.Unknown _ -> Optional.of(noSuchMailbox(address));
        };
    }

    /// Why nobody would get mail for an alias, if so.
    private static Optional<SmtpReply> deadEnd(
            Directory directory, MailAddress alias, List<MailAddress> to) throws IOException {
        boolean somewhere = false;
        boolean unknown = false;
        Set<MailAddress> seen = new HashSet<>(Set.of(alias));
        Deque<Step> ahead = new ArrayDeque<>();
        to.forEach(next -> ahead.add(new Step(next, 1)));
        while (!ahead.isEmpty()) {
            Step step = ahead.remove();
            if (!seen.add(step.address)) {
                continue;
            }
            if (seen.size() > MOST_ADDRESSES) {
                return Optional.of(
                        new SmtpReply(
                                550, "5.2.4", "<" + alias + ">: leads to too many addresses"));
            }
            switch (directory.resolve(step.address)) {
                case Destination.Local _, Destination.Elsewhere _ -> somewhere = true;
                case Destination.Unknown _ -> unknown = true;
                case Destination.Forward _ when step.depth >= MOST_STEPS -> {}
                case Destination.Forward forward ->
                        forward.to().forEach(next -> ahead.add(new Step(next, step.depth + 1)));
            }
        }
        if (somewhere) {
            return Optional.empty();
        }
        return Optional.of(
                unknown
                        ? noSuchMailbox(alias)
                        : new SmtpReply(554, "5.4.6", "<" + alias + ">: leads in a circle"));
    }

    /// `user%elsewhere@here` and its like once asked a host to relay.
    private static boolean routed(MailAddress address) {
        return address.localPart().chars().anyMatch(c -> c == '%' || c == '!' || c == '@');
    }

    private static SmtpReply relayDenied(MailAddress address) {
        return new SmtpReply(550, "5.7.1", "<" + address + ">: relaying denied");
    }

    private static SmtpReply noSuchMailbox(MailAddress address) {
        return new SmtpReply(550, "5.1.1", "<" + address + ">: no such mailbox here");
    }
}
