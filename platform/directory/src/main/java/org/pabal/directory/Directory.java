package org.pabal.directory;

import org.osgi.annotation.versioning.ProviderType;
import org.pabal.mail.MailAddress;

import java.io.IOException;
import java.util.Optional;
import java.util.stream.Stream;

/// Who has mail here.
///
/// Logins are matched without regard to case; a login without `@` means the node's own domain. A
/// login is an account's address and nothing else: no alias, no subaddress, no catch-all signs in.
/// Every method may be called by many threads at once and answers from memory, but for
/// [#authenticate], which is slow on purpose.
@ProviderType
public interface Directory {

    /// Where mail for an address goes. Accounts and aliases are matched without regard to case in
    /// the local part. What none of them matches to the letter goes, in this order
    ///
    /// - for `postmaster` to the domain's first account, so that it always leads somewhere when the
    ///   domain has any (RFC 5321 §4.5.1),
    /// - for a subaddress `user+detail` (RFC 5233 §1) to the account or alias `user`,
    /// - to where the domain's catch-all leads, the alias whose local part is `*`.
    ///
    /// @throws IOException when the store cannot say now: defer, never refuse for good
    Destination resolve(MailAddress address) throws IOException;

    /// Whether an address leads somewhere only because its domain has a catch-all. Such an address
    /// belongs to nobody: whoever reads its mail may not write in its name for that (security row
    /// S15).
    ///
    /// @throws IOException when the store cannot say now
    default boolean caught(MailAddress address) throws IOException {
        return false;
    }

    /// The account behind a login, or empty when nobody has it.
    Optional<Account> account(String login) throws IOException;

    /// The account, when the proof holds. Takes the same time and work for a login that does not
    /// exist (security row S19), and waits its turn, since only few checks run at once.
    ///
    /// @return empty when the proof does not hold, the login is unknown, or this store knows no
    ///     proof of this kind
    Optional<Account> authenticate(String login, Proof proof) throws IOException;

    /// The keys for a SCRAM exchange.
    ///
    /// @param hash `SHA-1` or `SHA-256`
    /// @return empty when the login is unknown or has no keys for this hash; [Sasl] then plays the
    ///     exchange to its end with keys that nobody has
    Optional<ScramKeys> scramKeys(String login, String hash) throws IOException;

    /// All accounts, sorted by address.
    Stream<Account> accounts() throws IOException;

    /// All domains, sorted.
    Stream<Domain> domains() throws IOException;
}
