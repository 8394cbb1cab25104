package org.pabal.mail;

import java.time.Instant;
import java.util.List;

/// One try to bring a message on, in the words in which an administrator reads it with
/// `queue:show`.
///
/// @param at when it ended
/// @param where with whom we spoke: `mx.example.org [192.0.2.25]:25`, `mailbox bob@example.org`;
///     empty when nobody was reached
/// @param tls how the way was protected: `TLSv1.3, dane`, `TLSv1.3, not verified`; empty when it
///     was not, or there was none
/// @param recipients for whom
/// @param reply what came of it; what we found ourselves has the code that an SMTP server would use
public record Attempt(
        Instant at, String where, String tls, List<MailAddress> recipients, Status reply) {

    public Attempt {
        where = Status.oneLine(where);
        tls = Status.oneLine(tls);
        recipients = List.copyOf(recipients);
    }
}
