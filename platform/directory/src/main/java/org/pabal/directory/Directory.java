package org.pabal.directory;

import org.osgi.annotation.versioning.ProviderType;
import org.pabal.mail.MailAddress;

import java.io.IOException;
import java.util.Optional;
import java.util.stream.Stream;

/// Who has mail here.
///
/// Logins are matched without regard to case; a login without `@` means the node's own domain.
/// Every method may be called by many threads at once and answers from memory, but for
/// [#authenticate], which is slow on purpose.
@ProviderType
public interface Directory {

    /// Where mail for an address goes. Accounts and aliases are matched without regard to case in
    /// the local part; `postmaster` of each of our domains always leads somewhere when that domain
    /// has any account (RFC 5321 §4.5.1).
    ///
    /// @throws IOException when the store cannot say now: defer, never refuse for good
    Destination resolve(MailAddress address) throws IOException;

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
