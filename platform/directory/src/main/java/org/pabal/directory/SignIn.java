package org.pabal.directory;

import org.pabal.directory.SaslExchange.Reason;
import org.pabal.directory.SaslExchange.Step;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// One try to sign in from one address: the part that is the same for every mechanism.
final class SignIn {

    private final Directory directory;
    private final SignInLimits limits;
    private final InetAddress from;

    SignIn(Directory directory, SignInLimits limits, InetAddress from) {
        this.directory = directory;
        this.limits = limits;
        this.from = from;
    }

    /// Checks a password that came in the clear.
    ///
    /// @param authorize whose account to open; empty for the login's own
    /// @param password wiped when this returns
    Step withPassword(String authorize, String login, char[] password) throws IOException {
        Optional<char[]> prepared = Precis.password(password);
        Arrays.fill(password, '\0');
        Optional<String> name = Precis.login(login);
        if (name.isEmpty()
                || prepared.isEmpty()
                || !authorize.isEmpty() && Precis.login(authorize).isEmpty()) {
            prepared.ifPresent(characters -> Arrays.fill(characters, '\0'));
            return malformed();
        }
        try {
            if (!allowed(name.get())) {
                return later();
            }
            Optional<Account> account =
                    directory.authenticate(name.get(), new Proof.Password(prepared.get()));
            return account.isPresent() && mayOpen(account.get(), authorize)
                    ? succeeded(account.get(), name.get())
                    : rejected(name.get());
        } finally {
            Arrays.fill(prepared.get(), '\0');
        }
    }

    /// Nobody opens the account of another (security row S20): an authorization identity may only
    /// repeat who signs in.
    boolean mayOpen(Account account, String authorize) throws IOException {
        return authorize.isEmpty()
                || Precis.login(authorize).isPresent()
                        && directory
                                .account(Precis.login(authorize).get())
                                .equals(Optional.of(account));
    }

    boolean allowed(String login) throws IOException {
        return limits.allowed(from, counted(login));
    }

    Optional<Account> account(String login) throws IOException {
        return directory.account(login);
    }

    Step succeeded(Account account, String login) throws IOException {
        limits.succeeded(from, counted(login));
        return new Step.Success(account);
    }

    Step rejected(String login) throws IOException {
        return new Step.Failure(Reason.REJECTED, limits.failed(from, counted(login)));
    }

    static Step malformed() {
        return new Step.Failure(Reason.MALFORMED, Duration.ZERO);
    }

    static Step later() {
        return new Step.Failure(Reason.LATER, Duration.ZERO);
    }

    /// The keys of a login, or for want of them keys that no password fits: of the same shape as
    /// those of the others here, and the same each time the login is asked for, or a stranger could
    /// tell by the salt (security row S19).
    ScramKeys keys(String login, String hash) throws IOException {
        Optional<ScramKeys> keys = directory.scramKeys(login, hash);
        ScramKeys like = anybodys(hash);
        byte[] first = limits.pseudonym("salt " + hash + " " + login.toLowerCase(Locale.ROOT));
        byte[] second = limits.pseudonym("key " + hash + " " + login.toLowerCase(Locale.ROOT));
        ScramKeys nobodys =
                new ScramKeys(
                        Arrays.copyOf(first, like.salt().length),
                        like.iterations(),
                        ScramKeys.digest(hash, second),
                        ScramKeys.digest(hash, first));
        return keys.orElse(nobodys);
    }

    private ScramKeys anybodys(String hash) throws IOException {
        try (var accounts = directory.accounts()) {
            Optional<Account> first = accounts.findFirst();
            Optional<ScramKeys> keys =
                    first.isEmpty()
                            ? Optional.empty()
                            : directory.scramKeys(first.get().toString(), hash);
            return keys.orElseGet(
                    () ->
                            new ScramKeys(
                                    new byte[16], ScramKeys.ITERATIONS, new byte[0], new byte[0]));
        }
    }

    /// All spellings of a login count together.
    private String counted(String login) throws IOException {
        return directory.account(login).map(Account::toString).orElse(login);
    }
}
