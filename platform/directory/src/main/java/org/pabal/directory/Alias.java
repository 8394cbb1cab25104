package org.pabal.directory;

import org.pabal.mail.MailAddress;

import java.util.List;

/// An address whose mail goes to others, here or elsewhere.
///
/// @param from an address of one of our domains
/// @param to at least one; may be aliases themselves
public record Alias(MailAddress from, List<MailAddress> to) {

    public Alias {
        to = List.copyOf(to);
    }
}
