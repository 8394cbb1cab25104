package org.pabal.directory;

import org.pabal.mail.MailAddress;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/// Accounts of `example.org` with their passwords, in a map, counting the checks it is asked for.
final class SmallDirectory implements Directory {

    final Map<String, String> passwords = new TreeMap<>();
    final AtomicInteger checks = new AtomicInteger();
    byte[] salt = new byte[16];
    int iterations = 4_096;

    @Override
    public Destination resolve(MailAddress address) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Optional<Account> account(String login) {
        String name = login.toLowerCase(java.util.Locale.ROOT).replace("@example.org", "");
        return passwords.containsKey(name)
                ? Optional.of(new Account(new MailAddress(name, "example.org")))
                : Optional.empty();
    }

    @Override
    public Optional<Account> authenticate(String login, Proof proof) {
        checks.incrementAndGet();
        return account(login)
                .filter(
                        a ->
                                proof instanceof Proof.Password(char[] said)
                                        && Arrays.equals(
                                                said,
                                                passwords
                                                        .get(a.address().localPart())
                                                        .toCharArray()));
    }

    @Override
    public Optional<ScramKeys> scramKeys(String login, String hash) {
        return account(login)
                .map(
                        a ->
                                ScramKeys.of(
                                        passwords.get(a.address().localPart()).toCharArray(),
                                        hash,
                                        salt,
                                        iterations));
    }

    @Override
    public Stream<Account> accounts() {
        return passwords.keySet().stream().map(n -> new Account(new MailAddress(n, "example.org")));
    }

    @Override
    public Stream<Domain> domains() {
        return Stream.of(new Domain("example.org"));
    }
}
