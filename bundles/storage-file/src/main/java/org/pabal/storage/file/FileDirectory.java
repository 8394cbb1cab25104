package org.pabal.storage.file;

import org.pabal.directory.Account;
import org.pabal.directory.Alias;
import org.pabal.directory.Destination;
import org.pabal.directory.Directory;
import org.pabal.directory.DirectoryEditor;
import org.pabal.directory.Domain;
import org.pabal.directory.Precis;
import org.pabal.directory.Proof;
import org.pabal.directory.ScramKeys;
import org.pabal.mail.MailAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Domains, accounts and aliases in three text files that a person may edit while the node runs.
///
/// All questions are answered from the version in memory. At most once a second somebody who asks
/// looks whether a file has changed, and takes the change over when the file has been left alone
/// since: a file that an editor is still writing would lose us half of the accounts, and their
/// mail. A file that has gone is an accident, and the version in memory stays.
public final class FileDirectory implements Directory, DirectoryEditor, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(FileDirectory.class);

    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);
    private static final Duration REMEMBERED = Duration.ofMinutes(5);
    private static final int MOST_REMEMBERED = 10_000;
    private static final int MOST_TROUBLES_LOGGED = 20;
    private static final List<String> FILES =
            List.of(AccountsVersion.DOMAINS, AccountsVersion.ACCOUNTS, AccountsVersion.ALIASES);

    private final Path directory;
    private final String ownDomain;
    private final InstantSource clock;
    private final String separator;
    private final PasswordCost cost;
    private final Disk disk;
    private final SecureRandom random = new SecureRandom();
    private final PasswordChecks checks =
            new PasswordChecks(Runtime.getRuntime().availableProcessors());
    private final RememberedSignIns remembered;
    private final PasswordHash nobodys;
    private final AtomicLong work = new AtomicLong();

    /// Held by whoever reads or writes the files.
    private final ReentrantLock files = new ReentrantLock();

    private volatile Loaded loaded;

    /// @param pending stamps that were new at the last look, and not yet taken over
    private record Loaded(
            AccountsVersion version,
            Map<String, TextLines> lines,
            Map<String, Optional<FileStamp>> stamps,
            Map<String, Optional<FileStamp>> pending,
            Instant looked) {

        Loaded lookedAt(Instant now, Map<String, Optional<FileStamp>> next) {
            return new Loaded(version, lines, stamps, next, now);
        }
    }

    /// @param directory the three files' own; made when it is not there
    /// @param ownDomain what a login without a domain means. The files are made with this domain in
    ///     them
    /// @param separator parts the user from the detail of a subaddress (RFC 5233 §1); empty when
    ///     there are none
    public FileDirectory(Path directory, String ownDomain, InstantSource clock, String separator)
            throws IOException {
        this(directory, ownDomain, clock, separator, PasswordCost.DEFAULT, new Disk());
    }

    FileDirectory(
            Path directory,
            String ownDomain,
            InstantSource clock,
            String separator,
            PasswordCost cost,
            Disk disk)
            throws IOException {
        this.directory = directory;
        this.ownDomain = ownDomain.toLowerCase(Locale.ROOT);
        this.clock = clock;
        this.separator = separator;
        this.cost = cost;
        this.disk = disk;
        this.remembered = new RememberedSignIns(MOST_REMEMBERED, REMEMBERED, clock);
        this.nobodys =
                new PasswordHash(
                        cost.kibibytes(), cost.passes(), cost.lanes(), salt(), new byte[32]);
        disk.makeDirectories(directory);
        make(
                AccountsVersion.DOMAINS,
                "# The domains whose mail we take, one a line.",
                this.ownDomain);
        make(
                AccountsVersion.ACCOUNTS,
                "# Accounts: ADDRESS, then hashes of the password. account:add writes such a"
                        + " line.");
        make(
                AccountsVersion.ALIASES,
                "# Aliases: FROM TO…, for example staff@example.org alice@example.org"
                        + " bob@example.org");
        load();
    }

    @Override
    public Destination resolve(MailAddress address) throws IOException {
        AccountsVersion version = current();
        if (!version.serves(address.domain())) {
            return new Destination.Elsewhere();
        }
        return named(version, address)
                .or(() -> version.catchAll(address.domain()).map(FileDirectory::onward))
                .orElseGet(Destination.Unknown::new);
    }

    @Override
    public boolean caught(MailAddress address) {
        AccountsVersion version = current();
        return version.serves(address.domain())
                && version.catchAll(address.domain()).isPresent()
                && named(version, address).isEmpty();
    }

    /// Where an address leads that somebody has.
    private Optional<Destination> named(AccountsVersion version, MailAddress address) {
        return exactly(version, address)
                .or(() -> postmaster(version, address))
                .or(() -> subaddress(version, address));
    }

    private static Optional<Destination> exactly(AccountsVersion version, MailAddress address) {
        return version.account(address)
                .<Destination>map(line -> new Destination.Local(new Account(line.address())))
                .or(
                        () ->
                                address.localPart().equals(AccountsVersion.CATCH_ALL)
                                        ? Optional.empty()
                                        : version.alias(address).map(FileDirectory::onward));
    }

    // RFC 5321 §4.5.1: somebody reads what is sent to postmaster
    private static Optional<Destination> postmaster(AccountsVersion version, MailAddress address) {
        return address.localPart().equalsIgnoreCase("postmaster")
                ? version.firstOf(address.domain()).map(Destination.Local::new)
                : Optional.empty();
    }

    /// RFC 5233 §1 leaves to the site where the detail begins: here the longest user that is there
    /// has it.
    private Optional<Destination> subaddress(AccountsVersion version, MailAddress address) {
        String local = address.localPart();
        int end = separator.isEmpty() ? -1 : local.lastIndexOf(separator);
        for (; end > 0; end = local.lastIndexOf(separator, end - 1)) {
            MailAddress user = new MailAddress(local.substring(0, end), address.domain());
            Optional<Destination> destination = exactly(version, user);
            if (destination.isPresent()) {
                return destination;
            }
        }
        return Optional.empty();
    }

    private static Destination onward(Alias alias) {
        return new Destination.Forward(alias.to());
    }

    @Override
    public Optional<Account> account(String login) {
        return line(login).map(line -> new Account(line.address()));
    }

    @Override
    public Optional<Account> authenticate(String login, Proof proof) throws IOException {
        if (!(proof instanceof Proof.Password(char[] password))) {
            return Optional.empty();
        }
        Optional<AccountLine> line = line(login).filter(l -> l.password().isPresent());
        Optional<Account> account = line.map(l -> new Account(l.address()));
        PasswordHash hash = line.flatMap(AccountLine::password).orElse(nobodys);
        if (account.isPresent() && remembered.knows(account.get(), hash, password)) {
            return account;
        }
        // Security row S19: whoever is not there is checked as hard.
        return checks.run(() -> fits(account, hash, password)) ? account : Optional.empty();
    }

    @Override
    public Optional<ScramKeys> scramKeys(String login, String hash) {
        return line(login).map(line -> line.scram().get(hash));
    }

    @Override
    public Stream<Account> accounts() {
        return current().accounts().values().stream().map(line -> new Account(line.address()));
    }

    @Override
    public Stream<Domain> domains() {
        return current().domains().values().stream();
    }

    @Override
    public Stream<Alias> aliases() {
        return current().aliases().values().stream();
    }

    @Override
    public void addDomain(String name) throws IOException {
        String domain = name.toLowerCase(Locale.ROOT);
        require(AccountsVersion.isDomain(domain), "domain " + name + ": not a domain name");
        edit(
                AccountsVersion.DOMAINS,
                (version, lines) -> {
                    require(!version.serves(domain), "domain " + name + ": exists already");
                    return lines.and(domain);
                });
    }

    @Override
    public void removeDomain(String name) throws IOException {
        String key = AccountsVersion.key(name);
        edit(
                AccountsVersion.DOMAINS,
                (version, lines) -> {
                    require(version.serves(name), "domain " + name + ": does not exist");
                    require(version.firstOf(name).isEmpty(), "domain " + name + ": has accounts");
                    require(
                            version.aliases().values().stream()
                                    .noneMatch(
                                            a ->
                                                    AccountsVersion.key(a.from().domain())
                                                            .equals(key)),
                            "domain " + name + ": has aliases");
                    return without(
                            lines,
                            words ->
                                    words.size() == 1
                                            && AccountsVersion.key(words.getFirst()).equals(key));
                });
    }

    @Override
    public void addAccount(MailAddress address, char[] password) throws IOException {
        requireAddress("account ", address);
        require(
                !address.localPart().equals(AccountsVersion.CATCH_ALL),
                "account " + address + ": the name of a catch-all, for an alias only");
        requireAbsent(current(), address);
        AccountLine added = line(address, password); // takes a while: not with the files in hand
        edit(
                AccountsVersion.ACCOUNTS,
                (version, lines) -> {
                    requireAbsent(version, address);
                    return lines.and(added.toString());
                });
    }

    @Override
    public void removeAccount(MailAddress address) throws IOException {
        edit(
                AccountsVersion.ACCOUNTS,
                (version, lines) -> {
                    require(
                            version.account(address).isPresent(),
                            "account " + address + ": does not exist");
                    return without(lines, words -> is(words, address));
                });
    }

    @Override
    public void password(MailAddress address, char[] password) throws IOException {
        AccountLine before =
                current()
                        .account(address)
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                "account " + address + ": does not exist"));
        AccountLine after = line(before.address(), password);
        edit(
                AccountsVersion.ACCOUNTS,
                (version, lines) -> {
                    int index =
                            find(
                                            lines,
                                            words ->
                                                    is(words, address)
                                                            && AccountLine.parse(words).isPresent())
                                    .orElseThrow(
                                            () ->
                                                    new IllegalArgumentException(
                                                            "account "
                                                                    + address
                                                                    + ": does not exist"));
                    return lines.with(index, after.toString());
                });
    }

    @Override
    public void addAlias(MailAddress from, List<MailAddress> to) throws IOException {
        requireAddress("alias ", from);
        to.forEach(address -> requireAddress("alias " + from + ": ", address));
        require(!to.isEmpty(), "alias " + from + ": leads nowhere");
        String line =
                Stream.concat(Stream.of(from), to.stream())
                        .map(AccountLine::written)
                        .collect(Collectors.joining(" "));
        edit(
                AccountsVersion.ALIASES,
                (version, lines) -> {
                    require(
                            version.serves(from.domain()),
                            "domain " + from.domain() + ": does not exist");
                    require(version.account(from).isEmpty(), "alias " + from + ": is an account");
                    OptionalInt old =
                            version.alias(from).isPresent()
                                    ? find(lines, words -> is(words, from))
                                    : OptionalInt.empty();
                    return old.isPresent() ? lines.with(old.getAsInt(), line) : lines.and(line);
                });
    }

    @Override
    public void removeAlias(MailAddress from) throws IOException {
        edit(
                AccountsVersion.ALIASES,
                (version, lines) -> {
                    require(version.alias(from).isPresent(), "alias " + from + ": does not exist");
                    return without(lines, words -> is(words, from));
                });
    }

    /// Stops the checks that wait; whoever waits for one hears that the store is closed.
    @Override
    public void close() {
        checks.close();
        remembered.clear();
    }

    /// What has been spent on checks so far, in KiB written.
    long work() {
        return work.get();
    }

    private boolean fits(Optional<Account> account, PasswordHash hash, char[] password) {
        if (account.isPresent() && remembered.knows(account.get(), hash, password)) {
            return true; // checked for another session while this one waited
        }
        work.addAndGet(hash.work());
        boolean fits = hash.fits(password);
        if (fits && account.isPresent()) {
            remembered.remember(account.get(), hash, password);
        }
        return fits;
    }

    private Optional<AccountLine> line(String login) {
        String text = login.contains("@") ? login : login + "@" + ownDomain;
        return MailAddress.parse(text).flatMap(address -> current().account(address));
    }

    private AccountLine line(MailAddress address, char[] password) {
        char[] prepared =
                Precis.password(password)
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                "account "
                                                        + address
                                                        + ": password: expected 1 to "
                                                        + Precis.MAX_PASSWORD_OCTETS
                                                        + " octets without control characters"));
        Map<String, ScramKeys> scram = new HashMap<>();
        ScramKeys.HASHES.forEach(
                hash -> scram.put(hash, ScramKeys.of(prepared, hash, salt(), cost.iterations())));
        AccountLine line =
                new AccountLine(
                        address, Optional.of(PasswordHash.of(prepared, cost, salt())), scram);
        Arrays.fill(prepared, '\0');
        return line;
    }

    private byte[] salt() {
        byte[] salt = new byte[16];
        random.nextBytes(salt);
        return salt;
    }

    private static void requireAbsent(AccountsVersion version, MailAddress address) {
        require(
                version.serves(address.domain()),
                "domain " + address.domain() + ": does not exist");
        require(version.account(address).isEmpty(), "account " + address + ": exists already");
        require(version.alias(address).isEmpty(), "account " + address + ": is an alias");
    }

    private static void requireAddress(String what, MailAddress address) {
        require(
                MailAddress.parse(address.toString()).equals(Optional.of(address)),
                what + address + ": not an address");
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    // The files

    @FunctionalInterface
    private interface Edit {
        TextLines apply(AccountsVersion version, TextLines lines);
    }

    @FunctionalInterface
    private interface Which {
        boolean matches(List<String> words);
    }

    /// Changes one file. What somebody has changed by hand until now is taken over first, so that
    /// it is not overwritten.
    private void edit(String file, Edit edit) throws IOException {
        files.lock();
        try {
            if (!loaded.stamps.equals(stamps())) {
                load();
            }
            TextLines before = loaded.lines.get(file);
            TextLines after = edit.apply(loaded.version, before);
            disk.replace(directory.resolve(file), after.octets());
            load();
        } finally {
            files.unlock();
        }
    }

    private AccountsVersion current() {
        Loaded seen = loaded;
        Instant now = clock.instant();
        boolean fresh = !now.isBefore(seen.looked) && now.isBefore(seen.looked.plus(BETWEEN_LOOKS));
        if (!fresh && files.tryLock()) {
            try {
                look(now);
            } catch (IOException e) {
                LOG.warn(
                        "accounts in {}: cannot be read ({}); the version in memory stays",
                        directory,
                        e.toString());
                loaded = loaded.lookedAt(now, loaded.pending);
            } finally {
                files.unlock();
            }
        }
        return loaded.version;
    }

    private void look(Instant now) throws IOException {
        Map<String, Optional<FileStamp>> stamps = stamps();
        if (stamps.containsValue(Optional.<FileStamp>empty())) {
            if (!stamps.equals(loaded.pending)) {
                List<String> gone =
                        FILES.stream().filter(file -> stamps.get(file).isEmpty()).toList();
                LOG.warn(
                        "accounts in {}: {} has gone; the version in memory stays",
                        directory,
                        gone);
            }
            loaded = loaded.lookedAt(now, stamps);
        } else if (stamps.equals(loaded.stamps)) {
            loaded = loaded.lookedAt(now, stamps);
        } else if (stamps.equals(loaded.pending)
                || stamps.values().stream().allMatch(stamp -> stamp.orElseThrow().settled(now))) {
            load();
            LOG.info(
                    "accounts in {}: read again, {} domains, {} accounts, {} aliases",
                    directory,
                    loaded.version.domains().size(),
                    loaded.version.accounts().size(),
                    loaded.version.aliases().size());
        } else {
            loaded = loaded.lookedAt(now, stamps);
        }
    }

    private void load() throws IOException {
        Map<String, Optional<FileStamp>> stamps =
                stamps(); // before reading: what changes meanwhile is noticed next time
        Map<String, TextLines> lines = new HashMap<>();
        for (String file : FILES) {
            lines.put(file, TextLines.read(directory.resolve(file)));
        }
        AccountsVersion version =
                new AccountsVersion(
                        lines.get(AccountsVersion.DOMAINS),
                        lines.get(AccountsVersion.ACCOUNTS),
                        lines.get(AccountsVersion.ALIASES),
                        Optional.ofNullable(loaded).map(Loaded::version));
        Set<String> known = loaded == null ? Set.of() : Set.copyOf(loaded.version.troubles());
        List<String> troubles =
                version.troubles().stream().filter(trouble -> !known.contains(trouble)).toList();
        troubles.stream()
                .limit(MOST_TROUBLES_LOGGED)
                .forEach(trouble -> LOG.warn("{}/{}", directory, trouble));
        if (troubles.size() > MOST_TROUBLES_LOGGED) {
            LOG.warn(
                    "{}: {} more lines are passed over",
                    directory,
                    troubles.size() - MOST_TROUBLES_LOGGED);
        }
        loaded = new Loaded(version, lines, stamps, stamps, clock.instant());
    }

    private Map<String, Optional<FileStamp>> stamps() throws IOException {
        Map<String, Optional<FileStamp>> stamps = new HashMap<>();
        for (String file : FILES) {
            stamps.put(file, FileStamp.of(directory.resolve(file)));
        }
        return stamps;
    }

    private void make(String file, String... lines) throws IOException {
        if (!Files.exists(directory.resolve(file))) {
            disk.replace(
                    directory.resolve(file),
                    (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
        }
    }

    private static boolean is(List<String> words, MailAddress address) {
        return AccountsVersion.address(words)
                .filter(found -> AccountsVersion.key(found).equals(AccountsVersion.key(address)))
                .isPresent();
    }

    private static OptionalInt find(TextLines lines, Which which) {
        for (int i = 0; i < lines.raw().size(); i++) {
            if (lines.words(i).filter(which::matches).isPresent()) {
                return OptionalInt.of(i);
            }
        }
        return OptionalInt.empty();
    }

    /// Without every line that matches: a second one, passed over so far, must not take the place
    /// of the first.
    private static TextLines without(TextLines lines, Which which) {
        TextLines left = lines;
        for (OptionalInt i = find(left, which); i.isPresent(); i = find(left, which)) {
            left = left.without(i.getAsInt());
        }
        return left;
    }
}
