package org.pabal.delivery;

import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.pabal.mail.Status;
import org.xbill.DNS.Name;
import org.xbill.DNS.TLSARecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// Decides what a connection has to be, from what the other domain published: DANE (RFC 7672) where
/// there are TLSA records that DNSSEC proves, else MTA-STS (RFC 8461), else opportunistic TLS. DANE
/// that fails is never mended by MTA-STS (RFC 8461 §2).
final class TlsPolicies {

    /// TLSA records of one host that are looked at; a key that is being replaced needs four.
    static final int MAX_RECORDS = 50;

    private static final String REQUIRETLS = "requiretls";

    private final Resolver resolver;
    private final StsPolicies sts;

    TlsPolicies(Resolver resolver, StsPolicies sts) {
        this.resolver = resolver;
        this.sts = sts;
    }

    /// For a host that MX records named.
    ///
    /// @param domain the recipients'
    /// @param requireTls whether the message says REQUIRETLS, RFC 8689 §4.2.1
    TlsChoice choose(String domain, MailHosts.Found hosts, MailHost host, boolean requireTls) {
        return chooseFor(HostNames.ascii(domain), hosts, host, requireTls);
    }

    private TlsChoice chooseFor(
            String domain, MailHosts.Found hosts, MailHost host, boolean requireTls) {
        // RFC 7672 §2.2.1: whoever can forge the MX can name a host of his own
        Tlsa tlsa = hosts.secure() ? tlsa(host) : new Tlsa.None();
        switch (tlsa) {
            case Tlsa.Lost lost -> {
                return lost(lost, domain);
            }
            case Tlsa.Proved(String base, List<TLSARecord> all) -> {
                List<TLSARecord> usable = all.stream().filter(Dane::usable).toList();
                if (!usable.isEmpty()) {
                    return new TlsChoice.Use(
                            new TlsRule.Dane(
                                    usable,
                                    names(base, host.name(), domain, hosts.owner().orElse(domain))),
                            published(all, domain));
                }
            }
            case Tlsa.None none -> {}
        }
        Optional<StsPolicy> policy = domain.startsWith("[") ? Optional.empty() : sts.find(domain);
        return policy.filter(each -> each.mode() != StsPolicy.Mode.NONE)
                .map(each -> byPolicy(each, domain, host, tlsa, requireTls))
                .orElseGet(() -> withoutPolicy(domain, hosts, host, tlsa, requireTls));
    }

    /// For a host that the administrator named. Who signs in there with a password makes sure that
    /// it is that host, but on the way to oneself, where nobody listens.
    TlsChoice choose(NextHop.Server server, MailHost host, boolean requireTls) {
        TlsPolicy none = TlsPolicy.none(server.host());
        if (host.addresses().stream().allMatch(InetAddress::isLoopbackAddress)) {
            return new TlsChoice.Use(new TlsRule.Opportunistic(), none);
        }
        Tlsa tlsa = tlsa(host); // RFC 7672 §2.2.2: hosts that are no MX may have them too
        if (tlsa instanceof Tlsa.Lost lost) {
            return lost(lost, server.host());
        }
        if (tlsa instanceof Tlsa.Proved(String base, List<TLSARecord> all)
                && all.stream().anyMatch(Dane::usable)) {
            return new TlsChoice.Use(
                    new TlsRule.Dane(
                            all.stream().filter(Dane::usable).toList(), names(base, host.name())),
                    published(all, server.host()));
        }
        if (server.login().isPresent()) {
            return new TlsChoice.Use(new TlsRule.Verified(host.name(), "smart host"), none);
        }
        if (requireTls) {
            return new TlsChoice.Use(new TlsRule.Verified(host.name(), REQUIRETLS), none);
        }
        return tlsa instanceof Tlsa.Proved(String base, List<TLSARecord> all)
                ? new TlsChoice.Use(new TlsRule.Encrypted(), published(all, server.host()))
                : new TlsChoice.Use(new TlsRule.Opportunistic(), none);
    }

    /// RFC 8461 §5: enforced, or only watched.
    private static TlsChoice byPolicy(
            StsPolicy policy, String domain, MailHost host, Tlsa tlsa, boolean requireTls) {
        var quoted = new TlsPolicy("sts", domain, policy.lines(), policy.hosts());
        boolean named = policy.names(host.name());
        if (policy.mode() == StsPolicy.Mode.ENFORCE) {
            return named
                    ? new TlsChoice.Use(new TlsRule.Verified(host.name(), "mta-sts"), quoted)
                    : notNamed(host, domain, requireTls, quoted);
        }
        // RFC 8689 §4.2.1: a policy that names the host proves the name, whatever else it asks for
        if (requireTls) {
            return named
                    ? new TlsChoice.Use(new TlsRule.Verified(host.name(), REQUIRETLS), quoted)
                    : notNamed(host, domain, true, quoted);
        }
        if (tlsa instanceof Tlsa.Proved(String base, List<TLSARecord> all)) {
            return new TlsChoice.Use(new TlsRule.Encrypted(), published(all, domain));
        }
        return new TlsChoice.Use(new TlsRule.Tested(host.name(), named), quoted);
    }

    private static TlsChoice notNamed(
            MailHost host, String domain, boolean requireTls, TlsPolicy quoted) {
        String text = "the MTA-STS policy of " + domain + " does not name " + host.name();
        return new TlsChoice.Avoid(
                requireTls ? new Status(550, "5.7.10", text) : new Status(451, "4.7.5", text),
                TlsResult.VALIDATION_FAILURE,
                quoted);
    }

    private static TlsChoice withoutPolicy(
            String domain, MailHosts.Found hosts, MailHost host, Tlsa tlsa, boolean requireTls) {
        if (requireTls) {
            // RFC 8689 §4.2.1: the MX record proved, or none used: then it is the domain's own name
            return hosts.secure() || host.name().equals(domain)
                    ? new TlsChoice.Use(
                            new TlsRule.Verified(host.name(), REQUIRETLS), TlsPolicy.none(domain))
                    : new TlsChoice.Avoid(
                            new Status(
                                    550,
                                    "5.7.10",
                                    "the sender requires TLS, and neither DNSSEC nor MTA-STS proves"
                                            + " that "
                                            + host.name()
                                            + " takes mail for "
                                            + domain),
                            TlsResult.VALIDATION_FAILURE,
                            TlsPolicy.none(domain));
        }
        return tlsa instanceof Tlsa.Proved(String base, List<TLSARecord> all)
                ? new TlsChoice.Use(new TlsRule.Encrypted(), published(all, domain))
                : new TlsChoice.Use(new TlsRule.Opportunistic(), TlsPolicy.none(domain));
    }

    /// What DNS has on a host's keys.
    private sealed interface Tlsa {

        /// @param base where they were found, RFC 7672 §2.2.3
        record Proved(String base, List<TLSARecord> records) implements Tlsa {}

        /// There are none that count.
        record None() implements Tlsa {}

        /// Somebody may be hiding them.
        record Lost(String name, String why) implements Tlsa {}
    }

    private Tlsa tlsa(MailHost host) {
        for (String base : host.tlsaNames()) {
            Name name;
            try {
                name = Name.fromString("_" + host.port() + "._tcp." + base, Name.root);
            } catch (TextParseException e) { // too long for such a record to be
                continue;
            }
            switch (resolver.resolve(name, Type.TLSA)) {
                case Resolution.Unavailable(String why) -> {
                    return new Tlsa.Lost(name.toString(true), why);
                }
                case Resolution.Found found when found.secure() -> {
                    List<TLSARecord> records = records(found);
                    if (!records.isEmpty()) {
                        return new Tlsa.Proved(base, records);
                    }
                }
                default -> {} // RFC 7672 §2.1.1: what is not proved is as good as nothing
            }
        }
        return new Tlsa.None();
    }

    private static List<TLSARecord> records(Resolution.Found found) {
        return found.records().stream()
                .flatMap(set -> set.rrs().stream())
                .filter(TLSARecord.class::isInstance)
                .map(TLSARecord.class::cast)
                .limit(MAX_RECORDS)
                .toList();
    }

    /// RFC 7672 §2.1.2: an attacker who can break DNS must not get us to send in the clear.
    private static TlsChoice lost(Tlsa.Lost lost, String domain) {
        return new TlsChoice.Avoid(
                new Status(
                        451,
                        "4.7.5",
                        "the TLSA records " + lost.name() + " cannot be had (" + lost.why() + ")"),
                TlsResult.DNSSEC_INVALID,
                new TlsPolicy("tlsa", domain, List.of(), List.of()));
    }

    /// RFC 7672 §3.2.2: the name of the TLSA records, of the host, and of the domain whose MX was
    /// proved, before and after its aliases.
    private static List<String> names(String... names) {
        return Stream.of(names).distinct().toList();
    }

    /// As RFC 6698 §2.3 writes them.
    private static TlsPolicy published(List<TLSARecord> records, String domain) {
        return new TlsPolicy(
                "tlsa",
                domain,
                records.stream()
                        .map(
                                each ->
                                        each.getName()
                                                + " IN TLSA "
                                                + each.rdataToString().toLowerCase(Locale.ROOT))
                        .toList(),
                List.of());
    }
}
