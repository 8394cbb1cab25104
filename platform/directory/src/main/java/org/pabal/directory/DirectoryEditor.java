package org.pabal.directory;

import org.osgi.annotation.versioning.ProviderType;
import org.pabal.mail.MailAddress;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

/// Changes what a [Directory] says; a store that can be edited registers this as its second
/// service.
///
/// A change is on disk when the method returns. What cannot be done throws
/// [IllegalArgumentException] whose message is one line for an administrator, and changes nothing.
@ProviderType
public interface DirectoryEditor {

    void addDomain(String name) throws IOException;

    /// Refused while accounts or aliases of the domain exist.
    void removeDomain(String name) throws IOException;

    /// @param password in the clear; what is kept are a hash and SCRAM keys
    void addAccount(MailAddress address, char[] password) throws IOException;

    /// The account's mailboxes stay where they are.
    void removeAccount(MailAddress address) throws IOException;

    /// Sets a new password. Every sign-in from then on needs it.
    void password(MailAddress address, char[] password) throws IOException;

    /// Replaces an alias of the same address.
    void addAlias(MailAddress from, List<MailAddress> to) throws IOException;

    void removeAlias(MailAddress from) throws IOException;

    /// All aliases, sorted by address.
    Stream<Alias> aliases() throws IOException;
}
