package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.dns.Authority;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class RebindingTest {

    private static final Authority OWN =
            new Authority() {
                @Override
                public Optional<Name> zone(Name name, int type) {
                    Name zone = FindingsByRoutes.name("own.example");
                    return name.subdomain(zone) ? Optional.of(zone) : Optional.of(Name.root);
                }

                @Override
                public Message answer(Message query) {
                    throw new AssertionError("nobody asks");
                }
            };

    private static Rebinding rebinding(String... keysAndValues) {
        Settings settings =
                Settings.of(
                        keysAndValues.length == 0
                                ? Map.of(
                                        "rebinding-protection",
                                        "yes",
                                        "private-names",
                                        "home.example.org, zen.example",
                                        "forward",
                                        ". 192.0.2.1, corp.example 10.0.0.53",
                                        "stub",
                                        "lab.example 10.0.0.54",
                                        "dns64",
                                        "2001:db8:64::/96")
                                : Map.of(keysAndValues[0], keysAndValues[1]));
        return new Rebinding(
                RebindingSettings.of(settings),
                RouteSettings.of(settings, Path.of(".")),
                () -> Optional.of(OWN));
    }

    private static Finding a(String name, Security security, String... data) {
        return FindingsByRoutes.records(name, Type.A, 300, security, data);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0",
                "0.1.2.3",
                "10.0.0.0",
                "10.255.255.255",
                "100.64.0.1",
                "100.127.255.255",
                "127.0.0.1",
                "127.255.255.254",
                "169.254.169.254",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.0.1",
                "255.255.255.255"
            })
    void privateAddressesAreToldInEveryDisguise(String address) {
        byte[] four = InetAddress.ofLiteral(address).getAddress();
        assertTrue(PrivateAddresses.contain(four));
        assertTrue(PrivateAddresses.contain(Nat64Prefix.WELL_KNOWN.embed(four)));
        byte[] six = new byte[16];
        System.arraycopy(four, 0, six, 12, 4);
        assertTrue(PrivateAddresses.contain(six), "IPv4-compatible");
        six[10] = -1;
        six[11] = -1;
        assertTrue(PrivateAddresses.contain(six), "IPv4-mapped");
        byte[] sixToFour = new byte[16];
        sixToFour[0] = 0x20;
        sixToFour[1] = 0x02;
        System.arraycopy(four, 0, sixToFour, 2, 4);
        assertTrue(PrivateAddresses.contain(sixToFour), "6to4");
        Nat64Prefix site = Nat64Prefix.parse("2001:db8:122:344::/64");
        assertTrue(PrivateAddresses.contain(site.embed(four), Optional.of(site)));
    }

    @ParameterizedTest
    @CsvSource({
        "::, true",
        "::1, true",
        "fc00::1, true",
        "fdff::1, true",
        "fe80::1, true",
        "febf::1, true",
        "fec0::1, true",
        "64:ff9b:1::1, true",
        "2001:db8::1, false",
        "2606:4700::1, false",
        "64:ff9b::808:808, false",
        "2002:808:808::1, false",
        "1.1.1.1, false",
        "11.0.0.0, false",
        "100.63.255.255, false",
        "100.128.0.0, false",
        "126.255.255.255, false",
        "128.0.0.1, false",
        "172.15.255.255, false",
        "172.32.0.0, false",
        "192.0.0.170, false",
        "192.169.0.0, false",
        "169.253.255.255, false"
    })
    void theRangesEndWhereTheyEnd(String address, boolean expected) {
        assertEquals(
                expected, PrivateAddresses.contain(InetAddress.ofLiteral(address).getAddress()));
    }

    @Test
    void aPrivateAddressFromOutsideIsWithheldWithTheReason() {
        Finding finding = rebinding().apply(a("www.evil.example", Security.SECURE, "192.168.1.1"));
        assertEquals(Finding.Kind.NO_RECORD, finding.kind());
        assertEquals(List.of(), finding.records());
        assertEquals(Security.INSECURE, finding.security());
        assertEquals(
                new Reason(ExtendedErrorCodeOption.BLOCKED, "www.evil.example. A: private address"),
                finding.reason().orElseThrow());
        assertEquals(300, finding.ttl());
    }

    @Test
    void oneAmongOthersIsEnough() {
        assertEquals(
                Finding.Kind.NO_RECORD,
                rebinding()
                        .apply(a("evil.example", Security.INSECURE, "203.0.113.1", "10.1.1.1"))
                        .kind());
    }

    @ParameterizedTest
    @CsvSource({
        "AAAA, fd00::1",
        "AAAA, ::ffff:10.0.0.1",
        "AAAA, 64:ff9b::10.0.0.1",
        "AAAA, 2001:db8:64::10.0.0.1",
        "HTTPS, '1 . ipv4hint=203.0.113.1,10.0.0.1'",
        "HTTPS, 1 . alpn=h2 ipv6hint=fe80::1",
        "SVCB, '1 svc.example.net. ipv6hint=2001:db8::1,::1'"
    })
    void addressesOfAllKindsAreLookedAt(String type, String data) {
        Finding finding =
                FindingsByRoutes.records(
                        "evil.example", Type.value(type), 300, Security.INSECURE, data);
        assertEquals(Finding.Kind.NO_RECORD, rebinding().apply(finding).kind());
    }

    @ParameterizedTest
    @CsvSource({
        "AAAA, 2001:db8::1",
        "AAAA, 2001:db8:64::203.0.113.1",
        "HTTPS, 1 . alpn=h2 ipv4hint=203.0.113.1",
        "HTTPS, 0 svc.example.net.",
        "TXT, 10.0.0.1",
        "MX, 10 mail.example.net."
    })
    void whatIsPublicPasses(String type, String data) {
        Finding finding =
                FindingsByRoutes.records(
                        "good.example", Type.value(type), 300, Security.SECURE, data);
        assertSame(finding, rebinding().apply(finding));
    }

    @ParameterizedTest
    @CsvSource({
        "home.example.org, true",
        "nas.HOME.example.org, true",
        "4.3.2.1.zen.example, true",
        "www.corp.example, true",
        "lab.example, true",
        "x.own.example, true",
        "example.org, false",
        "nothome.example.org, false",
        "corp.example.net, false",
        "www.example, false"
    })
    void namesThatWereGivenAwayAreExemptButNotByTheRoot(String name, boolean exempt) {
        assertEquals(
                exempt ? Finding.Kind.RECORDS : Finding.Kind.NO_RECORD,
                rebinding().apply(a(name, Security.INSECURE, "127.0.0.2")).kind());
    }

    /// Security row D12.
    @Test
    void whatIsBogusStaysBogus() {
        Finding finding = rebinding().apply(a("evil.example", Security.BOGUS, "127.0.0.1"));
        assertEquals(Security.BOGUS, finding.security());
        assertEquals("bogus", finding.reason().orElseThrow().text());
        assertEquals(List.of(), finding.records());
        assertEquals(Rcode.SERVFAIL, new Answer(finding.question(), List.of(finding)).rcode());
    }

    @Test
    void isOffUnlessItIsAskedFor() {
        Finding finding = a("mail.naver.test", Security.INSECURE, "127.0.0.3");
        assertSame(finding, rebinding("udp-size", "1232").apply(finding));
        assertSame(finding, rebinding("private-upstreams", "yes").apply(finding));
    }

    @Test
    void cannotBeHadBesidePrivateUpstreams() {
        Settings both =
                Settings.of(Map.of("rebinding-protection", "yes", "private-upstreams", "yes"));
        String message =
                assertThrows(BadSetting.class, () -> RebindingSettings.of(both)).getMessage();
        assertEquals(
                "settings.cfg: rebinding-protection = yes: expected no beside private-upstreams ="
                        + " yes, for example rebinding-protection = no",
                message);
    }
}
