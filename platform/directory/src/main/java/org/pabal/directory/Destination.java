package org.pabal.directory;

import org.pabal.mail.MailAddress;

import java.util.List;

/// Where mail for an address goes. The difference between the last two decides between a refusal
/// and a relay.
public sealed interface Destination {

    /// Into a mailbox of this account.
    record Local(Account account) implements Destination {}

    /// On to these, each to be resolved again. Whoever follows them stops at a depth and at an
    /// address seen before.
    record Forward(List<MailAddress> to) implements Destination {
        public Forward {
            to = List.copyOf(to);
        }
    }

    /// Nowhere: the domain is ours and nobody has that address. 550 5.1.1.
    record Unknown() implements Destination {}

    /// The domain is not ours.
    record Elsewhere() implements Destination {}
}
