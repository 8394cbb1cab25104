package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.dns.Resolution;
import org.pabal.dns.Resolver;
import org.pabal.smtp.client.Login;
import org.pabal.testkit.CannedResolver;
import org.xbill.DNS.Name;

import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

class TlsPoliciesTest {

    private static final String DIGEST = "00".repeat(32);
    private static final String MX =
            """
            example.org.    300 IN MX 10 mx.example.org.
            mx.example.org. 300 IN A  192.0.2.25
            """;
    private static final String TLSA =
            MX + "_25._tcp.mx.example.org. 300 IN TLSA 3 1 1 " + DIGEST + "\n";
    private static final String USELESS =
            MX + "_25._tcp.mx.example.org. 300 IN TLSA 1 1 1 " + DIGEST + "\n";
    private static final TlsRule VERIFIED = new TlsRule.Verified("mx.example.org", "mta-sts");
    private static final TlsRule REQUIRED = new TlsRule.Verified("mx.example.org", "requiretls");

    private final List<String> stsAsked = new ArrayList<>();
    private StsPolicies sts =
            domain -> {
                stsAsked.add(domain);
                return Optional.empty();
            };
    private boolean requireTls;

    private TlsChoice choose(Resolver resolver) {
        MailHosts.Found hosts =
                assertInstanceOf(
                        MailHosts.Found.class,
                        new MailHostLookup(
                                        resolver, Set.of(), address -> true, InstantSource.system())
                                .find(new NextHop.Exchangers("example.org", 25)));
        return new TlsPolicies(resolver, sts)
                .choose("example.org", hosts, hosts.hosts().getFirst(), requireTls);
    }

    private TlsChoice signed(String zone) {
        return choose(new CannedResolver(zone, true));
    }

    private TlsChoice unsigned(String zone) {
        return choose(new CannedResolver(zone));
    }

    private void policy(StsPolicy.Mode mode, String... hosts) {
        StsPolicy policy =
                new StsPolicy(
                        "1",
                        mode,
                        List.of(hosts),
                        Duration.ofDays(1),
                        List.of("version: STSv1", "mode: x"));
        sts = domain -> domain.equals("example.org") ? Optional.of(policy) : Optional.empty();
    }

    private static <R extends TlsRule> R used(Class<R> type, String policy, TlsChoice choice) {
        TlsChoice.Use use = assertInstanceOf(TlsChoice.Use.class, choice);
        assertEquals(policy, use.policy().type());
        assertEquals("example.org", use.policy().domain());
        return assertInstanceOf(type, use.rule());
    }

    private static void avoided(String status, TlsResult result, String policy, TlsChoice choice) {
        TlsChoice.Avoid avoid = assertInstanceOf(TlsChoice.Avoid.class, choice);
        assertTrue(avoid.why().toString().startsWith(status), avoid.why()::toString);
        assertEquals(result, avoid.result());
        assertEquals(policy, avoid.policy().type());
    }

    /// A resolver that says of some answers that DNSSEC proved them.
    private static Resolver proving(String zone, String... names) {
        CannedResolver canned = new CannedResolver(zone);
        List<Name> proved = List.of(names).stream().map(Name::fromConstantString).toList();
        return (name, type) ->
                canned.resolve(name, type) instanceof Resolution.Found(var records, var no)
                        ? new Resolution.Found(records, no || proved.contains(name))
                        : canned.resolve(name, type);
    }

    // RFC 7672 §3.2.2
    @Test
    void certificateMayNameTheDomainBeforeAndAfterItsAlias() {
        TlsChoice choice =
                signed(
                        """
                        example.org.    300 IN CNAME example.net.
                        example.net.    300 IN MX 10 mx.example.net.
                        mx.example.net. 300 IN A 192.0.2.25
                        _25._tcp.mx.example.net. 300 IN TLSA 2 1 1 %s
                        """
                                .formatted("ab".repeat(32)));
        assertEquals(
                List.of("mx.example.net", "example.org", "example.net"),
                used(TlsRule.Dane.class, "tlsa", choice).names());
    }

    @Test
    void isOpportunisticWhereNothingIsPublished() {
        used(TlsRule.Opportunistic.class, "no-policy-found", unsigned(MX));
        used(TlsRule.Opportunistic.class, "no-policy-found", signed(MX));
        assertEquals(List.of("example.org", "example.org"), stsAsked);
    }

    @Test
    void obeysTlsaRecordsBeforeAllElse() {
        policy(StsPolicy.Mode.ENFORCE, "other.example.org");
        for (boolean required : new boolean[] {false, true}) {
            requireTls = required;
            TlsRule.Dane rule = used(TlsRule.Dane.class, "tlsa", signed(TLSA));
            assertEquals(List.of("mx.example.org", "example.org"), rule.names());
            assertEquals(1, rule.records().size());
            assertTrue(rule.mandatory());
        }
        TlsChoice.Use use = assertInstanceOf(TlsChoice.Use.class, signed(TLSA));
        assertEquals(
                List.of("_25._tcp.mx.example.org. IN TLSA 3 1 1 " + DIGEST), use.policy().lines());
    }

    @Test
    void believesTlsaRecordsOnlyWhenAllIsProved() {
        String tlsa = "_25._tcp.mx.example.org.";
        used(TlsRule.Opportunistic.class, "no-policy-found", unsigned(TLSA));
        for (String[] proved :
                new String[][] {
                    {"mx.example.org.", tlsa},
                    {"example.org.", tlsa},
                    {"example.org.", "mx.example.org."},
                }) {
            used(TlsRule.Opportunistic.class, "no-policy-found", choose(proving(TLSA, proved)));
        }
        used(
                TlsRule.Dane.class,
                "tlsa",
                choose(proving(TLSA, "example.org.", "mx.example.org.", tlsa)));
    }

    @Test
    void obeysTlsaRecordsOfADomainThatIsItsOwnHost() {
        TlsRule.Dane rule =
                used(
                        TlsRule.Dane.class,
                        "tlsa",
                        signed(
                                """
                                example.org.          300 IN A    192.0.2.25
                                _25._tcp.example.org. 300 IN TLSA 3 1 1 %s
                                """
                                        .formatted(DIGEST)));
        assertEquals(List.of("example.org"), rule.names());
    }

    @Test
    void looksForTlsaRecordsWhereAnAliasLeadsThenWhereItBegins() {
        String zone =
                """
                example.org.    300 IN MX 10 mx.example.org.
                mx.example.org. 300 IN CNAME a.example.net.
                a.example.net.  300 IN A  192.0.2.25
                """;
        String begins = "_25._tcp.mx.example.org. 300 IN TLSA 3 1 1 " + DIGEST + "\n";
        String leads = "_25._tcp.a.example.net. 300 IN TLSA 3 1 1 " + DIGEST + "\n";
        assertEquals(
                List.of("mx.example.org", "example.org"),
                used(TlsRule.Dane.class, "tlsa", signed(zone + begins)).names());
        assertEquals(
                List.of("a.example.net", "mx.example.org", "example.org"),
                used(TlsRule.Dane.class, "tlsa", signed(zone + begins + leads)).names());
    }

    @Test
    void wantsEncryptionWhereNoTlsaRecordIsOfUse() {
        used(TlsRule.Encrypted.class, "tlsa", signed(USELESS));
        policy(StsPolicy.Mode.TESTING, "mx.example.org");
        used(TlsRule.Encrypted.class, "tlsa", signed(USELESS));
        // which is more than encryption
        policy(StsPolicy.Mode.ENFORCE, "mx.example.org");
        assertEquals(VERIFIED, used(TlsRule.Verified.class, "sts", signed(USELESS)));
    }

    @Test
    void usesOnlyTheTlsaRecordsThatAreOfUse() {
        TlsChoice choice =
                signed(USELESS + "_25._tcp.mx.example.org. 300 IN TLSA 2 0 1 " + DIGEST + "\n");
        assertEquals(1, used(TlsRule.Dane.class, "tlsa", choice).records().size());
        assertEquals(2, ((TlsChoice.Use) choice).policy().lines().size());
    }

    @Test
    void readsNoMoreTlsaRecordsThanItMay() {
        StringBuilder zone = new StringBuilder(MX);
        for (int i = 0; i < 1000; i++) {
            zone.append("_25._tcp.mx.example.org. 300 IN TLSA 3 1 1 ")
                    .append("%064x".formatted(i))
                    .append('\n');
        }
        TlsRule.Dane rule = used(TlsRule.Dane.class, "tlsa", signed(zone.toString()));
        assertEquals(TlsPolicies.MAX_RECORDS, rule.records().size());
    }

    @Test
    void avoidsHostsWhoseTlsaRecordsSomebodyMayBeHiding() {
        policy(StsPolicy.Mode.ENFORCE, "mx.example.org");
        avoided(
                "451 4.7.5 the TLSA records _25._tcp.mx.example.org cannot be had (bogus)",
                TlsResult.DNSSEC_INVALID,
                "tlsa",
                choose(
                        new CannedResolver(MX, true)
                                .unavailable("_25._tcp.mx.example.org.", "bogus")));
        // but where the host is not proved nobody asks for them: RFC 7672 §2.2.2
        assertEquals(
                VERIFIED,
                used(
                        TlsRule.Verified.class,
                        "sts",
                        choose(
                                new CannedResolver(MX)
                                        .unavailable("_25._tcp.mx.example.org.", "bogus"))));
    }

    @Test
    void obeysAnEnforcedPolicy() {
        policy(StsPolicy.Mode.ENFORCE, "*.example.org");
        TlsChoice choice = unsigned(MX);
        assertEquals(VERIFIED, used(TlsRule.Verified.class, "sts", choice));
        assertEquals(
                new TlsPolicy(
                        "sts",
                        "example.org",
                        List.of("version: STSv1", "mode: x"),
                        List.of("*.example.org")),
                ((TlsChoice.Use) choice).policy());
        policy(StsPolicy.Mode.ENFORCE, "other.example.org");
        avoided(
                "451 4.7.5 the MTA-STS policy of example.org does not name mx.example.org",
                TlsResult.VALIDATION_FAILURE,
                "sts",
                unsigned(MX));
    }

    @Test
    void onlyWatchesAPolicyThatIsTested() {
        policy(StsPolicy.Mode.TESTING, "mx.example.org");
        TlsRule.Tested rule = used(TlsRule.Tested.class, "sts", unsigned(MX));
        assertEquals(new TlsRule.Tested("mx.example.org", true), rule);
        assertFalse(rule.mandatory());
        policy(StsPolicy.Mode.TESTING, "other.example.org");
        assertEquals(
                new TlsRule.Tested("mx.example.org", false),
                used(TlsRule.Tested.class, "sts", unsigned(MX)));
    }

    @Test
    void doesNothingForAPolicyThatWantsNothing() {
        policy(StsPolicy.Mode.NONE);
        used(TlsRule.Opportunistic.class, "no-policy-found", unsigned(MX));
    }

    @Test
    void provesWhoTakesAMessageThatRequiresTls() {
        requireTls = true;
        avoided("550 5.7.10 ", TlsResult.VALIDATION_FAILURE, "no-policy-found", unsigned(MX));
        assertEquals(REQUIRED, used(TlsRule.Verified.class, "no-policy-found", signed(MX)));
        assertEquals(REQUIRED, used(TlsRule.Verified.class, "no-policy-found", signed(USELESS)));
        assertEquals(
                new TlsRule.Verified("example.org", "requiretls"),
                used(
                        TlsRule.Verified.class,
                        "no-policy-found",
                        unsigned("example.org. 300 IN A 192.0.2.25")));
        policy(StsPolicy.Mode.ENFORCE, "mx.example.org");
        assertEquals(VERIFIED, used(TlsRule.Verified.class, "sts", unsigned(MX)));
        policy(StsPolicy.Mode.TESTING, "mx.example.org");
        assertEquals(REQUIRED, used(TlsRule.Verified.class, "sts", unsigned(MX)));
        for (StsPolicy.Mode mode : StsPolicy.Mode.values()) {
            policy(mode, "other.example.org");
            avoided(
                    "550 5.7.10 ",
                    TlsResult.VALIDATION_FAILURE,
                    mode == StsPolicy.Mode.NONE ? "no-policy-found" : "sts",
                    unsigned(MX));
        }
    }

    @Test
    void asksForTheAsciiFormOfADomain() {
        MailHosts.Found hosts =
                new MailHosts.Found(
                        List.of(
                                new MailHost(
                                        "mx.example.org",
                                        25,
                                        List.of(InetAddress.ofLiteral("192.0.2.25")),
                                        false,
                                        List.of())),
                        false);
        TlsPolicies policies = new TlsPolicies(new CannedResolver(""), sts);
        policies.choose("bücher.example", hosts, hosts.hosts().getFirst(), false);
        policies.choose("[192.0.2.25]", hosts, hosts.hosts().getFirst(), false);
        assertEquals(List.of("xn--bcher-kva.example"), stsAsked);
    }

    private TlsChoice smartHost(String host, Optional<Login> login, CannedResolver dns) {
        NextHop.Server server = new NextHop.Server(host, 587, false, login);
        MailHosts.Found hosts =
                assertInstanceOf(
                        MailHosts.Found.class,
                        new MailHostLookup(dns, Set.of(), address -> true, InstantSource.system())
                                .find(server));
        return new TlsPolicies(dns, sts).choose(server, hosts.hosts().getFirst(), requireTls);
    }

    private static TlsRule rule(TlsChoice choice) {
        return assertInstanceOf(TlsChoice.Use.class, choice).rule();
    }

    @Test
    void givesAPasswordOnlyToTheSmartHostItIsFor() {
        Optional<Login> login = Optional.of(new Login("node", "secret"));
        CannedResolver dns = new CannedResolver("out.example.net. 300 IN A 10.0.0.1", true);
        TlsRule verified = new TlsRule.Verified("out.example.net", "smart host");
        assertEquals(verified, rule(smartHost("out.example.net", login, dns)));
        assertEquals(
                new TlsRule.Opportunistic(),
                rule(smartHost("out.example.net", Optional.empty(), dns)));
        assertEquals(
                new TlsRule.Verified("[10.0.0.1]", "smart host"),
                rule(smartHost("10.0.0.1", login, dns)));
        requireTls = true;
        assertEquals(
                new TlsRule.Verified("out.example.net", "requiretls"),
                rule(smartHost("out.example.net", Optional.empty(), dns)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.0.0.2", "::1", "localhost"})
    void needsNoProofOnTheWayToItself(String host) {
        Optional<Login> login = Optional.of(new Login("node", "secret"));
        requireTls = true;
        assertEquals(
                new TlsRule.Opportunistic(), rule(smartHost(host, login, new CannedResolver(""))));
    }

    @Test
    void obeysTheTlsaRecordsOfASmartHost() {
        String zone =
                """
                out.example.net.           300 IN A    10.0.0.1
                _587._tcp.out.example.net. 300 IN TLSA %d 1 1 %s
                """;
        Optional<Login> login = Optional.of(new Login("node", "secret"));
        CannedResolver usable = new CannedResolver(zone.formatted(3, DIGEST), true);
        CannedResolver useless = new CannedResolver(zone.formatted(1, DIGEST), true);
        assertInstanceOf(TlsRule.Dane.class, rule(smartHost("out.example.net", login, usable)));
        assertInstanceOf(
                TlsRule.Verified.class, rule(smartHost("out.example.net", login, useless)));
        assertInstanceOf(
                TlsRule.Encrypted.class,
                rule(smartHost("out.example.net", Optional.empty(), useless)));
        avoided(
                "451 4.7.5",
                TlsResult.DNSSEC_INVALID,
                "tlsa",
                smartHost(
                        "out.example.net",
                        login,
                        usable.unavailable("_587._tcp.out.example.net.", "bogus")));
    }
}
