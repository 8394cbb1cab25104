package org.pabal.storage.file;

import org.pabal.directory.Account;
import org.pabal.directory.Alias;
import org.pabal.directory.Domain;
import org.pabal.mail.MailAddress;

import java.net.IDN;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/// What the three files of accounts say, read once and never changed. A line that cannot be used is
/// left out and told of.
final class AccountsVersion {

    static final String DOMAINS = "domains.txt";
    static final String ACCOUNTS = "accounts.txt";
    static final String ALIASES = "aliases.txt";

    /// The local part of the alias that has what nobody else of its domain has.
    static final String CATCH_ALL = "*";

    private final NavigableMap<String, Domain> domains = new TreeMap<>();
    private final NavigableMap<String, AccountLine> accounts = new TreeMap<>();
    private final NavigableMap<String, Alias> aliases = new TreeMap<>();
    private final Map<String, Account> firstOfDomain = new HashMap<>();
    private final Map<String, AccountLine> lines = new HashMap<>();
    private final List<String> troubles = new ArrayList<>();

    AccountsVersion(TextLines domainLines, TextLines accountLines, TextLines aliasLines) {
        this(domainLines, accountLines, aliasLines, Optional.empty());
    }

    /// @param before what has not changed since is not parsed again
    AccountsVersion(
            TextLines domainLines,
            TextLines accountLines,
            TextLines aliasLines,
            Optional<AccountsVersion> before) {
        readDomains(domainLines);
        readAccounts(accountLines, before.map(version -> version.lines).orElse(Map.of()));
        readAliases(aliasLines);
        for (AccountLine line : accounts.values()) {
            firstOfDomain.putIfAbsent(key(line.address().domain()), new Account(line.address()));
        }
    }

    boolean serves(String domain) {
        return domains.containsKey(key(domain));
    }

    Optional<AccountLine> account(MailAddress address) {
        return Optional.ofNullable(accounts.get(key(address)));
    }

    Optional<Alias> alias(MailAddress from) {
        return Optional.ofNullable(aliases.get(key(from)));
    }

    Optional<Alias> catchAll(String domain) {
        return alias(new MailAddress(CATCH_ALL, domain));
    }

    Optional<Account> firstOf(String domain) {
        return Optional.ofNullable(firstOfDomain.get(key(domain)));
    }

    NavigableMap<String, Domain> domains() {
        return domains;
    }

    NavigableMap<String, AccountLine> accounts() {
        return accounts;
    }

    NavigableMap<String, Alias> aliases() {
        return aliases;
    }

    /// A sentence for each line that was left out. They say nothing of what is in the line, which
    /// may be a secret.
    List<String> troubles() {
        return troubles;
    }

    /// By what addresses are compared: in lower case, composed, and a domain in whichever of its
    /// two spellings (RFC 5890).
    static String key(MailAddress address) {
        String local = new MailAddress(normal(address.localPart()), "x").toString();
        return local.substring(0, local.length() - 1) + key(address.domain());
    }

    static String key(String domain) {
        String lower = normal(domain);
        if (lower.chars().allMatch(c -> c < 128)) {
            return lower;
        }
        try {
            return IDN.toASCII(lower, IDN.ALLOW_UNASSIGNED).toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException e) {
            return lower;
        }
    }

    static Optional<MailAddress> address(List<String> words) {
        return words.isEmpty() ? Optional.empty() : MailAddress.parse(words.getFirst());
    }

    private static String normal(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFC).toLowerCase(Locale.ROOT);
    }

    private void readDomains(TextLines lines) {
        for (int i = 0; i < lines.raw().size(); i++) {
            Optional<List<String>> words = lines.words(i);
            if (words.isPresent() && words.get().isEmpty()) {
                continue;
            }
            String name = words.filter(w -> w.size() == 1).map(List::getFirst).orElse("");
            if (!isDomain(name)) {
                trouble(DOMAINS, i, "expected one domain, for example example.org");
            } else if (domains.putIfAbsent(key(name), new Domain(name)) != null) {
                trouble(DOMAINS, i, "the domain is there already");
            }
        }
    }

    static boolean isDomain(String name) {
        return !name.startsWith("[") && MailAddress.parse("x@" + name).isPresent();
    }

    private void readAccounts(TextLines text, Map<String, AccountLine> before) {
        for (int i = 0; i < text.raw().size(); i++) {
            String raw = text.raw().get(i);
            Optional<AccountLine> line = Optional.ofNullable(before.get(raw));
            if (line.isEmpty()) {
                Optional<List<String>> words = text.words(i);
                if (words.isPresent() && words.get().isEmpty()) {
                    continue;
                }
                line = words.flatMap(AccountLine::parse);
            }
            line.ifPresent(parsed -> lines.put(raw, parsed));
            if (line.isEmpty()) {
                trouble(ACCOUNTS, i, AccountLine.EXPECTED);
            } else if (!serves(line.get().address().domain())) {
                trouble(ACCOUNTS, i, "its domain is not in " + DOMAINS);
            } else if (accounts.putIfAbsent(key(line.get().address()), line.get()) != null) {
                trouble(ACCOUNTS, i, "the account is there already");
            }
        }
    }

    private void readAliases(TextLines lines) {
        for (int i = 0; i < lines.raw().size(); i++) {
            Optional<List<String>> words = lines.words(i);
            if (words.isPresent() && words.get().isEmpty()) {
                continue;
            }
            List<MailAddress> addresses =
                    words.orElse(List.of()).stream()
                            .flatMap(w -> MailAddress.parse(w).stream())
                            .toList();
            if (words.isEmpty() || addresses.size() != words.get().size() || addresses.size() < 2) {
                trouble(
                        ALIASES,
                        i,
                        "expected FROM TO…, for example staff@example.org alice@example.org"
                                + " bob@example.org");
                continue;
            }
            MailAddress from = addresses.getFirst();
            if (!serves(from.domain())) {
                trouble(ALIASES, i, "its domain is not in " + DOMAINS);
            } else if (accounts.containsKey(key(from))) {
                trouble(ALIASES, i, "the address is an account");
            } else if (aliases.putIfAbsent(
                            key(from), new Alias(from, addresses.subList(1, addresses.size())))
                    != null) {
                trouble(ALIASES, i, "the alias is there already");
            }
        }
    }

    private void trouble(String file, int index, String what) {
        troubles.add(file + ":" + (index + 1) + ": " + what + "; the line is passed over");
    }
}
