package org.pabal.mail;

import org.osgi.annotation.versioning.ConsumerType;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// The last mile: brings a message into a mailbox, to another server, into a vendor's system.
@ConsumerType
public interface Courier {

    /// Service property, required, `String`: whose mail this courier carries. `local` for accounts
    /// of this node, `remote` for all other domains, or one domain in lower case, which wins over
    /// both.
    String ROUTE = "pabal.route";

    /// Tries to bring one message to some of its recipients, and says of each what became of it.
    /// May block. May be called again for a recipient that it served, after a crash: use the
    /// entry's id to notice.
    ///
    /// @param entry what to carry
    /// @param recipients those of the entry's that this courier is to serve now
    /// @return an outcome for each of `recipients`; one that is missing counts as deferred
    /// @throws IOException when nothing can be said of any of them: all are deferred
    Map<MailAddress, Outcome> deliver(QueueEntry entry, List<Recipient> recipients)
            throws IOException;

    /// The same, for a courier that can tell each step of its errand. This is what the queue's
    /// worker calls; a courier that has nothing to add leaves it alone.
    ///
    /// @param told takes what the message's history is to have, before this method returns; may be
    ///     called by several threads
    default Map<MailAddress, Outcome> deliver(
            QueueEntry entry, List<Recipient> recipients, Consumer<Attempt> told)
            throws IOException {
        return deliver(entry, recipients);
    }
}
