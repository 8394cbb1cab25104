package org.pabal.mailbox;

import org.osgi.annotation.versioning.ProviderType;
import org.pabal.mail.Content;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// One mailbox. Many sessions may have it at once; each call sees and makes a whole state, never
/// half of one.
///
/// A uid is given to one message and never to another, in growing order, as long as
/// [MailboxStatus#uidValidity()] stays the same. Every change gives what it changes the next
/// mod-sequence. A change is on disk when the method returns.
@ProviderType
public interface Mailbox {

    MailboxStatus status() throws IOException;

    /// The messages of a set, in uid order; those that are not there are left out.
    List<Message> messages(UidSet which) throws IOException;

    /// The octets of a message, or empty when it is not there any more. What was opened can be read
    /// to its end even when the message is expunged meanwhile.
    Optional<Content> content(long uid) throws IOException;

    /// Adds a message.
    ///
    /// @param flags system flags as `\Seen` and keywords, RFC 9051 §2.3.2
    /// @param received its internal date
    /// @param deliveryId empty, or a name (letters, digits, `.`, `-`; at most 100) of this one
    ///     delivery: a second append with a name that this mailbox has had lately adds nothing and
    ///     answers the message of the first, so that a courier may repeat itself after a crash.
    ///     Empty is answered when that message has been expunged since
    /// @throws IOException when there is no room or the content could not be read; nothing was
    ///     added
    Optional<Message> append(
            Content content, Set<String> flags, Instant received, String deliveryId)
            throws IOException;

    /// Changes flags.
    ///
    /// @param ifUnchangedSince messages changed after this mod-sequence are left alone and stand in
    ///     [Changes#refused()]; [Long#MAX_VALUE] for all
    Changes flag(UidSet which, FlagEdit edit, long ifUnchangedSince) throws IOException;

    /// Removes messages for good.
    Changes expunge(UidSet which) throws IOException;

    /// Copies messages with flags and internal date: all or none.
    ///
    /// @return the new messages, in the order of the old ones
    List<Message> copy(UidSet which, Mailbox target) throws IOException;

    /// Moves messages (RFC 6851): all or none, and at no moment in neither.
    ///
    /// @return the new messages, in the order of the old ones
    List<Message> move(UidSet which, Mailbox target) throws IOException;

    /// What has changed after a mod-sequence. With nothing to tell it waits up to `patience` for a
    /// change. IDLE, CONDSTORE, QRESYNC and JMAP /changes all stand on this.
    ///
    /// @throws java.io.InterruptedIOException when the waiting thread was interrupted
    Changes changes(long since, Duration patience) throws IOException;
}
