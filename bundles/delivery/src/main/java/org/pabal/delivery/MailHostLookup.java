package org.pabal.delivery;

import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.pabal.mail.Status;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// Finds the hosts that take mail for a next hop: MX by preference, addresses by RFC 6724 (RFC 5321
/// §5.1), and none to which mail must not go (security row S24).
///
/// An MX that leads to a CNAME is followed, although RFC 2181 §10.3 forbids to publish one: many
/// do, and Postfix and Exim deliver to them.
final class MailHostLookup {

    /// MX records that are looked at. The largest sites have about twenty.
    static final int MAX_EXCHANGERS = 50;

    /// Addresses of all hosts together: more would be more connections than a try has time for.
    static final int MAX_ADDRESSES = 20;

    /// Addresses of one host, so that others behind it have their turn.
    static final int MAX_ADDRESSES_OF_HOST = 8;

    /// Hosts that are looked up at once.
    private static final int AT_ONCE = 4;

    /// After this time no further host is looked up.
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Resolver resolver;
    private final Set<String> ownNames;
    private final Predicate<InetAddress> ownAddresses;
    private final Predicate<InetAddress> allowed;
    private final Predicate<InetAddress> routed;
    private final Random random;
    private final InstantSource clock;

    /// @param ownNames what this node calls itself: at these a message would come back to us
    /// @param allowed which addresses may be connected to
    MailHostLookup(
            Resolver resolver,
            Set<String> ownNames,
            Predicate<InetAddress> allowed,
            InstantSource clock) {
        this(
                resolver,
                ownNames,
                address -> false,
                allowed,
                HostAddresses::routed,
                new Random(),
                clock);
    }

    /// @param ownAddresses where a message would come back to us
    /// @param routed which addresses this machine has a way to; the others are tried last
    /// @param random for hosts of the same preference
    MailHostLookup(
            Resolver resolver,
            Set<String> ownNames,
            Predicate<InetAddress> ownAddresses,
            Predicate<InetAddress> allowed,
            Predicate<InetAddress> routed,
            Random random,
            InstantSource clock) {
        this.resolver = resolver;
        this.ownNames = ownNames.stream().map(HostNames::plain).collect(Collectors.toSet());
        this.ownAddresses = ownAddresses;
        this.allowed = allowed;
        this.routed = routed;
        this.random = random;
        this.clock = clock;
    }

    MailHosts find(NextHop hop) {
        return switch (hop) {
            case NextHop.Exchangers exchangers ->
                    exchangers(exchangers.domain(), exchangers.port());
            case NextHop.Server server -> server(server.host(), server.port());
        };
    }

    private MailHosts exchangers(String domain, int port) {
        if (domain.startsWith("[")) {
            return literal(domain, port);
        }
        Optional<Name> name = HostNames.name(domain);
        if (name.isEmpty()) {
            return nobody(550, "5.1.2", domain + " is not a domain name");
        }
        return switch (resolver.resolve(name.get(), Type.MX)) {
            case Resolution.NoSuchName none ->
                    nobody(550, "5.1.2", "the domain " + domain + " does not exist");
            case Resolution.Unavailable trouble ->
                    unknown(
                            "4.4.3",
                            "DNS cannot say who takes mail for "
                                    + domain
                                    + " ("
                                    + trouble.why()
                                    + ")");
            // RFC 5321 §5.1: a domain without MX is its own, with preference 0
            case Resolution.NoSuchRecord none ->
                    new Search(domain, port, none.secure())
                            .run(
                                    List.of(
                                            new Exchanger(
                                                    0, HostNames.plain(name.get()), name.get())));
            case Resolution.Found found -> exchangers(domain, port, found);
        };
    }

    private MailHosts exchangers(String domain, int port, Resolution.Found found) {
        List<MXRecord> records =
                HostAddresses.records(found, MXRecord.class)
                        .collect(Collectors.toCollection(ArrayList::new));
        // RFC 7505 §3: nobody takes mail; beside others the root is only a mistake
        if (records.stream().allMatch(mx -> mx.getTarget().equals(Name.root))) {
            return nobody(556, "5.1.10", "the domain " + domain + " takes no mail (null MX)");
        }
        // RFC 5321 §5.1: hosts of the same preference in random order, to spread the load
        Collections.shuffle(records, random);
        Map<String, Exchanger> byName = new LinkedHashMap<>();
        records.stream()
                .sorted(Comparator.comparingInt(MXRecord::getPriority))
                .map(
                        mx ->
                                new Exchanger(
                                        mx.getPriority(),
                                        HostNames.plain(mx.getTarget()),
                                        mx.getTarget()))
                .filter(each -> HostNames.host(each.host()))
                .limit(MAX_EXCHANGERS)
                .forEach(each -> byName.putIfAbsent(each.host(), each));
        if (byName.isEmpty()) {
            return nobody(550, "5.4.4", "no MX record of " + domain + " names a host");
        }
        MailHosts hosts =
                new Search(domain, port, found.secure()).run(List.copyOf(byName.values()));
        boolean alias = found.records().size() > 1;
        return alias && hosts instanceof MailHosts.Found known
                ? new MailHosts.Found(
                        known.hosts(),
                        known.secure(),
                        Optional.of(HostNames.plain(found.records().getLast().getName())))
                : hosts;
    }

    private record Exchanger(int preference, String host, Name name) {}

    /// Looks up the hosts of one domain, a few at once, as long as more are of use.
    private final class Search {

        private final String domain;
        private final int port;
        private final boolean secure;
        private final List<MailHost> hosts = new ArrayList<>();
        private final List<InetAddress> refused = new ArrayList<>();
        private final List<String> troubles = new ArrayList<>();
        private int addresses;
        private int lastPreference;
        private int firstOfLastPreference;
        private boolean own;

        Search(String domain, int port, boolean secure) {
            this.domain = domain;
            this.port = port;
            this.secure = secure;
        }

        MailHosts run(List<Exchanger> exchangers) {
            List<Exchanger> wanted = beforeUs(exchangers);
            var end = clock.instant().plus(PATIENCE);
            int next = 0;
            while (next < wanted.size() && !own && addresses < MAX_ADDRESSES) {
                if (next > 0 && clock.instant().isAfter(end)) {
                    troubles.add("looking up its mail exchangers took too long");
                    break;
                }
                int to = Math.min(wanted.size(), next + AT_ONCE);
                List<Exchanger> some = wanted.subList(next, to);
                List<CompletableFuture<HostAddresses>> answers =
                        some.stream().map(each -> later(each.name())).toList();
                for (int i = 0; i < some.size() && !own; i++) {
                    take(some.get(i), answers.get(i).join());
                }
                next = to;
            }
            return hosts.isEmpty() ? nowhere() : new MailHosts.Found(hosts, secure);
        }

        /// RFC 5321 §5.1: where we are an exchanger ourselves, only those that are preferred to us
        /// count. All others would bring the message back.
        private List<Exchanger> beforeUs(List<Exchanger> exchangers) {
            Optional<Exchanger> us =
                    exchangers.stream().filter(each -> ownNames.contains(each.host())).findFirst();
            own = us.isPresent() && exchangers.getFirst().preference() == us.get().preference();
            return us.map(
                            self ->
                                    exchangers.stream()
                                            .filter(each -> each.preference() < self.preference())
                                            .toList())
                    .orElse(exchangers);
        }

        private void take(Exchanger exchanger, HostAddresses found) {
            if (found.all().stream().anyMatch(ownAddresses)) {
                own = true;
                // hosts of the same preference that came before are no better
                if (!hosts.isEmpty() && lastPreference == exchanger.preference()) {
                    hosts.subList(firstOfLastPreference, hosts.size()).clear();
                }
                return;
            }
            found.trouble().ifPresent(troubles::add);
            List<InetAddress> usable = found.all().stream().filter(allowed).toList();
            found.all().stream().filter(allowed.negate()).forEach(refused::add);
            if (usable.isEmpty() || addresses >= MAX_ADDRESSES) {
                return;
            }
            if (hosts.isEmpty() || lastPreference != exchanger.preference()) {
                lastPreference = exchanger.preference();
                firstOfLastPreference = hosts.size();
            }
            MailHost host =
                    host(exchanger.host(), port, usable, secure, found, MAX_ADDRESSES - addresses);
            addresses += host.addresses().size();
            hosts.add(host);
        }

        private MailHosts nowhere() {
            if (!troubles.isEmpty()) {
                return unknown(
                        "4.4.3",
                        "no mail exchanger of "
                                + domain
                                + " can be found just now ("
                                + troubles.getFirst()
                                + ")");
            }
            if (own) {
                return nobody(554, "5.4.6", "mail for " + domain + " loops back to this server");
            }
            if (!refused.isEmpty()) {
                return nobody(
                        550,
                        "5.4.4",
                        "the mail exchangers of "
                                + domain
                                + " have no public address, only "
                                + refused.getFirst().getHostAddress()
                                + " (private-destinations = true allows private ones)");
            }
            return nobody(550, "5.4.4", "no mail exchanger of " + domain + " has an address");
        }
    }

    /// RFC 5321 §4.1.3
    private MailHosts literal(String domain, int port) {
        String text = domain.toLowerCase(Locale.ROOT);
        Optional<InetAddress> address =
                text.endsWith("]")
                        ? HostNames.address(
                                text.substring(1, text.length() - 1).replaceFirst("^ipv6:", ""))
                        : Optional.empty();
        if (address.isEmpty()) {
            return nobody(550, "5.1.2", domain + " is not an address literal");
        }
        if (ownAddresses.test(address.get())) {
            return nobody(554, "5.4.6", "mail for " + domain + " loops back to this server");
        }
        if (!allowed.test(address.get())) {
            return nobody(
                    550,
                    "5.4.4",
                    domain
                            + " is no public address"
                            + " (private-destinations = true allows private ones)");
        }
        return new MailHosts.Found(List.of(host(address.get(), port)), false);
    }

    /// A host that the administrator named may be anywhere, and when it cannot be found that is to
    /// be mended: mail waits.
    private MailHosts server(String text, int port) {
        String host = HostNames.plain(text);
        Optional<InetAddress> address = HostNames.address(host);
        if (address.isPresent()) {
            return new MailHosts.Found(List.of(host(address.get(), port)), false);
        }
        if (host.equals("localhost")) { // RFC 6761 §6.3: not a question for DNS
            List<InetAddress> both =
                    List.of(InetAddress.ofLiteral("127.0.0.1"), InetAddress.ofLiteral("::1"));
            return new MailHosts.Found(
                    List.of(new MailHost(host, port, both, false, List.of())), false);
        }
        Optional<Name> name = HostNames.name(host);
        if (name.isEmpty()) {
            return unknown("4.4.4", "the server " + host + " has no valid name");
        }
        HostAddresses found = HostAddresses.of(name.get(), resolver);
        if (found.all().isEmpty()) {
            return unknown(
                    found.trouble().isPresent() ? "4.4.3" : "4.4.4",
                    "the server "
                            + host
                            + " has no address"
                            + found.trouble().map(why -> " (" + why + ")").orElse(""));
        }
        MailHost made = host(host, port, found.all(), true, found, MAX_ADDRESSES_OF_HOST);
        return new MailHosts.Found(List.of(made), made.secure());
    }

    private CompletableFuture<HostAddresses> later(Name name) {
        return CompletableFuture.supplyAsync(
                () -> HostAddresses.of(name, resolver), HostAddresses.THREADS);
    }

    private MailHost host(
            String host,
            int port,
            List<InetAddress> usable,
            boolean proved,
            HostAddresses found,
            int limit) {
        List<InetAddress> ordered =
                HostAddresses.ordered(usable, routed).stream()
                        .limit(Math.min(limit, MAX_ADDRESSES_OF_HOST))
                        .toList();
        return new MailHost(
                host,
                port,
                ordered,
                proved && found.secure(),
                proved ? found.tlsaNames() : List.of());
    }

    private static MailHost host(InetAddress address, int port) {
        return new MailHost(
                "[" + address.getHostAddress() + "]", port, List.of(address), false, List.of());
    }

    private static MailHosts.Nobody nobody(int code, String enhanced, String text) {
        return new MailHosts.Nobody(new Status(code, enhanced, text));
    }

    private static MailHosts.Unknown unknown(String enhanced, String text) {
        return new MailHosts.Unknown(new Status(451, enhanced, text));
    }
}
