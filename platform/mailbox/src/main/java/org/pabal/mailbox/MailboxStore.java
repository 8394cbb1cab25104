package org.pabal.mailbox;

import org.osgi.annotation.versioning.ProviderType;
import org.pabal.mail.MailAddress;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// The mailboxes of all accounts.
///
/// A mailbox is named by its owner (the account's own address) and a path whose levels are parted
/// by `/`. `INBOX`, in any case, exists for every account from the first time that it is asked for.
/// A path has at most 32 levels and 1,000 characters; no level is empty, `.` or `..`, or has
/// control characters: such a path throws [IllegalArgumentException] whose message may be shown to
/// the client. Names never become file names unescaped (security row S13).
@ProviderType
public interface MailboxStore {

    String INBOX = "INBOX";

    /// The paths of all mailboxes of an owner, `INBOX` first, then sorted.
    List<String> list(MailAddress owner) throws IOException;

    /// The mailbox, or empty when there is none of this name. Every call for one mailbox leads to
    /// the same state.
    Optional<Mailbox> open(MailAddress owner, String path) throws IOException;

    /// Makes a mailbox, and those above it.
    ///
    /// @throws java.nio.file.FileAlreadyExistsException when there is one
    Mailbox create(MailAddress owner, String path) throws IOException;

    /// Renames a mailbox and those below it. Renaming `INBOX` moves its messages into a new mailbox
    /// and leaves it empty (RFC 9051 §6.3.6).
    ///
    /// @throws java.nio.file.NoSuchFileException when there is none of the old name
    /// @throws java.nio.file.FileAlreadyExistsException when there is one of the new name
    void rename(MailAddress owner, String from, String to) throws IOException;

    /// Deletes a mailbox and its messages, not those below it. `INBOX` cannot be deleted.
    ///
    /// @throws java.nio.file.NoSuchFileException when there is none
    void delete(MailAddress owner, String path) throws IOException;
}
