package org.pabal.testkit;

import org.pabal.directory.Account;
import org.pabal.directory.Alias;
import org.pabal.directory.Destination;
import org.pabal.directory.Directory;
import org.pabal.directory.DirectoryEditor;
import org.pabal.directory.Domain;
import org.pabal.directory.Proof;
import org.pabal.directory.ScramKeys;
import org.pabal.mail.MailAddress;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Stream;

import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/// Domains, accounts and aliases in memory, passwords in the clear: for tests, never for mail of
/// anybody.
public final class MemoryDirectory implements Directory, DirectoryEditor {

    private static final byte[] SALT = "of every test xx".getBytes(StandardCharsets.US_ASCII);
    private static final int ITERATIONS = 4_096;

    private record Entry(Account account, char[] password) {}

    private final String ownDomain;
    private final ConcurrentSkipListSet<String> domains = new ConcurrentSkipListSet<>();
    private final ConcurrentSkipListMap<String, Entry> accounts = new ConcurrentSkipListMap<>();
    private final ConcurrentSkipListMap<String, Alias> aliases = new ConcurrentSkipListMap<>();
    private final Map<String, ScramKeys> keys = new ConcurrentHashMap<>();

    /// @param ownDomain the node's own domain; the directory begins with it and nobody in it
    public MemoryDirectory(String ownDomain) {
        this.ownDomain = ownDomain;
        domains.add(ownDomain);
    }

    /// The node of the house's examples: `example.test` with `alice` and `bob`, whose passwords are
    /// `pabal`.
    public static MemoryDirectory ofAliceAndBob() {
        MemoryDirectory directory = new MemoryDirectory("example.test");
        directory.addAccount(new MailAddress("alice", "example.test"), "pabal".toCharArray());
        directory.addAccount(new MailAddress("bob", "example.test"), "pabal".toCharArray());
        return directory;
    }

    @Override
    public Destination resolve(MailAddress address) {
        if (!domains.contains(address.domain())) {
            return new Destination.Elsewhere();
        }
        return named(address)
                .or(() -> catchAll(address.domain()))
                .orElseGet(Destination.Unknown::new);
    }

    @Override
    public boolean caught(MailAddress address) {
        return domains.contains(address.domain())
                && catchAll(address.domain()).isPresent()
                && named(address).isEmpty();
    }

    private Optional<Destination> named(MailAddress address) {
        Optional<Destination> named = exactly(address);
        if (named.isEmpty() && address.localPart().equalsIgnoreCase("postmaster")) {
            named =
                    accounts()
                            .filter(a -> a.address().domain().equals(address.domain()))
                            .findFirst()
                            .map(Destination.Local::new);
        }
        String local = address.localPart();
        for (int end = local.lastIndexOf('+');
                named.isEmpty() && end > 0;
                end = local.lastIndexOf('+', end - 1)) {
            named = exactly(new MailAddress(local.substring(0, end), address.domain()));
        }
        return named;
    }

    private Optional<Destination> exactly(MailAddress address) {
        String key = key(address);
        if (accounts.containsKey(key)) {
            return Optional.of(new Destination.Local(accounts.get(key).account));
        }
        return aliases.containsKey(key) && !address.localPart().equals("*")
                ? Optional.of(new Destination.Forward(aliases.get(key).to()))
                : Optional.empty();
    }

    private Optional<Destination> catchAll(String domain) {
        return Optional.ofNullable(aliases.get(key(new MailAddress("*", domain))))
                .map(alias -> new Destination.Forward(alias.to()));
    }

    @Override
    public Optional<Account> account(String login) {
        return entry(login).map(Entry::account);
    }

    @Override
    public Optional<Account> authenticate(String login, Proof proof) {
        return switch (proof) {
            case Proof.Password(char[] characters) ->
                    entry(login)
                            .filter(e -> Arrays.equals(e.password, characters))
                            .map(Entry::account);
            case Proof.Certificate _, Proof.Bearer _ -> Optional.empty();
        };
    }

    @Override
    public Optional<ScramKeys> scramKeys(String login, String hash) {
        if (!hash.equals("SHA-1") && !hash.equals("SHA-256")) {
            return Optional.empty();
        }
        return entry(login)
                .map(
                        e ->
                                keys.computeIfAbsent(
                                        hash + " " + key(e.account.address()),
                                        k -> scramKeys(e.password, hash)));
    }

    @Override
    public Stream<Account> accounts() {
        return accounts.values().stream().map(Entry::account);
    }

    @Override
    public Stream<Domain> domains() {
        return domains.stream().map(Domain::new);
    }

    @Override
    public void addDomain(String name) {
        String domain = name.toLowerCase(Locale.ROOT);
        if (MailAddress.parse("x@" + domain).isEmpty()) {
            throw new IllegalArgumentException("domain " + name + ": not a domain name");
        }
        if (!domains.add(domain)) {
            throw new IllegalArgumentException("domain " + name + ": exists already");
        }
    }

    @Override
    public void removeDomain(String name) {
        String domain = name.toLowerCase(Locale.ROOT);
        refuseUnknown(domain);
        boolean used =
                Stream.concat(accounts().map(Account::address), aliases().map(Alias::from))
                        .anyMatch(a -> a.domain().equals(domain));
        if (used) {
            throw new IllegalArgumentException("domain " + name + ": has accounts or aliases");
        }
        domains.remove(domain);
    }

    @Override
    public void addAccount(MailAddress address, char[] password) {
        refuseUnknown(address.domain());
        if (address.localPart().equals("*")) {
            throw new IllegalArgumentException(
                    "account " + address + ": only an alias catches all");
        }
        if (aliases.containsKey(key(address))) {
            throw new IllegalArgumentException("account " + address + ": is an alias");
        }
        Entry added = new Entry(new Account(address), password.clone());
        if (accounts.putIfAbsent(key(address), added) != null) {
            throw new IllegalArgumentException("account " + address + ": exists already");
        }
    }

    @Override
    public void removeAccount(MailAddress address) {
        if (accounts.remove(key(address)) == null) {
            throw new IllegalArgumentException("account " + address + ": does not exist");
        }
        forgetKeys(address);
    }

    @Override
    public void password(MailAddress address, char[] password) {
        Entry changed =
                accounts.computeIfPresent(
                        key(address), (k, e) -> new Entry(e.account, password.clone()));
        if (changed == null) {
            throw new IllegalArgumentException("account " + address + ": does not exist");
        }
        forgetKeys(address);
    }

    @Override
    public void addAlias(MailAddress from, List<MailAddress> to) {
        refuseUnknown(from.domain());
        if (to.isEmpty()) {
            throw new IllegalArgumentException("alias " + from + ": leads nowhere");
        }
        if (accounts.containsKey(key(from))) {
            throw new IllegalArgumentException("alias " + from + ": is an account");
        }
        aliases.put(key(from), new Alias(from, to));
    }

    @Override
    public void removeAlias(MailAddress from) {
        if (aliases.remove(key(from)) == null) {
            throw new IllegalArgumentException("alias " + from + ": does not exist");
        }
    }

    @Override
    public Stream<Alias> aliases() {
        return aliases.values().stream();
    }

    private Optional<Entry> entry(String login) {
        String address = login.contains("@") ? login : login + "@" + ownDomain;
        return MailAddress.parse(address).map(a -> accounts.get(key(a)));
    }

    private void refuseUnknown(String domain) {
        if (!domains.contains(domain)) {
            throw new IllegalArgumentException("domain " + domain + ": does not exist");
        }
    }

    private void forgetKeys(MailAddress address) {
        keys.remove("SHA-1 " + key(address));
        keys.remove("SHA-256 " + key(address));
    }

    private static String key(MailAddress address) {
        return address.toString().toLowerCase(Locale.ROOT);
    }

    // RFC 5802 §3
    private static ScramKeys scramKeys(char[] password, String hash) {
        try {
            String mac = "Hmac" + hash.replace("-", "");
            int bits = hash.equals("SHA-1") ? 160 : 256;
            byte[] salted =
                    SecretKeyFactory.getInstance("PBKDF2With" + mac)
                            .generateSecret(new PBEKeySpec(password, SALT, ITERATIONS, bits))
                            .getEncoded();
            byte[] clientKey = mac(mac, salted, "Client Key");
            byte[] storedKey = MessageDigest.getInstance(hash).digest(clientKey);
            return new ScramKeys(
                    SALT.clone(), ITERATIONS, storedKey, mac(mac, salted, "Server Key"));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no " + hash, e);
        }
    }

    private static byte[] mac(String algorithm, byte[] key, String text)
            throws GeneralSecurityException {
        Mac mac = Mac.getInstance(algorithm);
        mac.init(new SecretKeySpec(key, algorithm));
        return mac.doFinal(text.getBytes(StandardCharsets.US_ASCII));
    }
}
