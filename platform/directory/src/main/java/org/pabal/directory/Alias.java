package org.pabal.directory;

import org.pabal.mail.MailAddress;

import java.util.List;

/// An address whose mail goes to others, here or elsewhere.
///
/// @param from an address of one of our domains; with the local part `*` it is the catch-all of its
///     domain, for all that nobody else has
/// @param to at least one; may be aliases themselves
public record Alias(MailAddress from, List<MailAddress> to) {

    public Alias {
        to = List.copyOf(to);
    }
}
