package org.pabal.smtp;

import org.pabal.directory.Account;
import org.pabal.directory.Destination;
import org.pabal.directory.Directory;
import org.pabal.mail.MailAddress;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// In whose name somebody may write (security row S15). It holds for the envelope and for the From
/// fields, since people see the latter.
///
/// Who signed in writes in the name of their account, its subaddresses, and of aliases whose mail
/// reaches that account. Addresses that only a catch-all brings to it belong to nobody: a catch-all
/// for all of a domain's mail must not let its reader write as everybody there. Who did not sign
/// in, writes in the name of none of our people.
final class SenderRule {

    /// How many addresses an alias is followed through.
    private static final int MOST_ADDRESSES = 1_000;

    private SenderRule() {}

    /// Why the sender of an envelope is refused, if so.
    static Optional<SmtpReply> sender(
            Directory directory, Optional<Account> account, MailAddress sender) throws IOException {
        return may(directory, account, sender)
                ? Optional.empty()
                : Optional.of(refusal(account, sender));
    }

    /// Why the From fields of a header are refused, if so.
    static Optional<SmtpReply> from(
            Directory directory, Optional<Account> account, List<String> fields)
            throws IOException {
        for (String field : fields) {
            Optional<List<MailAddress>> addresses = FromField.addresses(field);
            if (addresses.isEmpty() && account.isPresent()) {
                return Optional.of(new SmtpReply(550, "5.6.0", "the From field is not understood"));
            }
            for (MailAddress address : addresses.orElse(List.of())) {
                if (!may(directory, account, address)) {
                    return Optional.of(refusal(account, address));
                }
            }
        }
        return Optional.empty();
    }

    private static SmtpReply refusal(Optional<Account> account, MailAddress address) {
        String why =
                account.isPresent()
                        ? ">: this address is not yours"
                        : ">: sign in to write in this name";
        return new SmtpReply(550, "5.7.1", "<" + address + why);
    }

    private static boolean may(Directory directory, Optional<Account> account, MailAddress address)
            throws IOException {
        if (account.isEmpty()) {
            return directory.resolve(address) instanceof Destination.Elsewhere;
        }
        MailAddress own = account.get().address();
        return address.equals(own) || leadsTo(directory, own, address);
    }

    private static boolean leadsTo(Directory directory, MailAddress own, MailAddress first)
            throws IOException {
        Set<MailAddress> seen = new HashSet<>(Set.of(first));
        Deque<MailAddress> ahead = new ArrayDeque<>(seen);
        while (!ahead.isEmpty() && seen.size() <= MOST_ADDRESSES) {
            MailAddress address = ahead.poll();
            switch (directory.resolve(address)) {
                case Destination.Local local when local.account().address().equals(own) -> {
                    return true;
                }
                case Destination.Forward _ when directory.caught(address) -> {}
                case Destination.Forward forward -> {
                    for (MailAddress next : forward.to()) {
                        if (seen.add(next)) {
                            ahead.add(next);
                        }
                    }
                }
                case Destination.Local _, Destination.Unknown _, Destination.Elsewhere _ -> {}
            }
        }
        return false;
    }
}
