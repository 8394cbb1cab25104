package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.dns.recursive.FindingsByRoutes.alias;
import static org.pabal.dns.recursive.FindingsByRoutes.failure;
import static org.pabal.dns.recursive.FindingsByRoutes.negative;
import static org.pabal.dns.recursive.FindingsByRoutes.records;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// RFC 6147.
class Dns64Test {

    private static final String H = "h2.example.org.";

    private final FindingsByRoutes inner = new FindingsByRoutes();
    private Dns64 dns64 = with("2001:db8::/96");

    private Dns64 with(String prefix) {
        return new Dns64(inner, new Dns64Settings(Optional.of(Nat64Prefix.parse(prefix))));
    }

    private Answer ask(String name, int type, Request.Wish wish) {
        return dns64.answer(
                new Question(FindingsByRoutes.name(name), type),
                Request.of(wish, Request.Trace.NONE));
    }

    private Answer ask(String name) {
        return ask(name, Type.AAAA, Request.Wish.NOTHING);
    }

    private static String text(Answer answer) {
        return Rcode.string(answer.rcode())
                + answer.records().stream()
                        .flatMap((RRset set) -> set.rrs(false).stream())
                        .map(
                                record ->
                                        "; "
                                                + record.getName()
                                                + " "
                                                + record.getTTL()
                                                + " "
                                                + Type.string(record.getType())
                                                + " "
                                                + record.rdataToString())
                        .collect(Collectors.joining());
    }

    private static Finding none(String name, int type, Security security) {
        return negative(name, type, Finding.Kind.NO_RECORD, 100, security);
    }

    /// The example of §7.1: H2 has 192.0.2.1 and no IPv6 address.
    @Test
    void makesAnAddressWhereThereIsOnlyTheOther() {
        inner.has(H, Type.AAAA, none(H, Type.AAAA, Security.INSECURE));
        inner.has(H, Type.A, records(H, Type.A, 60, Security.INSECURE, "192.0.2.1"));
        Answer answer = ask(H);
        assertEquals("NOERROR; h2.example.org. 60 AAAA 2001:db8:0:0:0:0:c000:201", text(answer));
        assertEquals(new Question(FindingsByRoutes.name(H), Type.AAAA), answer.question());
        assertEquals(answer.question(), answer.last().question());
        assertEquals(Security.INSECURE, answer.security());
        assertTrue(answer.authority().isEmpty());
    }

    @Test
    void leavesAnAddressThatIsThereAlone() {
        inner.has(H, Type.AAAA, records(H, Type.AAAA, 60, Security.SECURE, "2001:db8:1::1"));
        assertSame(inner.answers.values().iterator().next(), ask(H));
        assertEquals(1, inner.asked);
    }

    @Test
    void leavesANameThatDoesNotExistAlone() {
        inner.has(H, Type.AAAA, negative(H, Type.AAAA, Finding.Kind.NO_NAME, 9, Security.SECURE));
        assertEquals("NXDOMAIN", text(ask(H)));
        assertEquals(1, inner.asked);
    }

    @Test
    void makesOneForEachAndNoneLivesLongerThanTheDenial() {
        inner.has(H, Type.AAAA, none(H, Type.AAAA, Security.INSECURE));
        inner.has(H, Type.A, records(H, Type.A, 900, Security.INSECURE, "192.0.2.1", "192.0.2.2"));
        assertEquals(
                "NOERROR; h2.example.org. 100 AAAA 2001:db8:0:0:0:0:c000:201; h2.example.org. 100"
                        + " AAAA 2001:db8:0:0:0:0:c000:202",
                text(ask(H)));
    }

    @Test
    void livesTenMinutesWhenNothingSaysForHowLongThereIsNoOther() {
        inner.has(H, Type.AAAA, failure(H, Type.AAAA));
        inner.has(H, Type.A, records(H, Type.A, 900, Security.INSECURE, "192.0.2.1"));
        assertEquals("NOERROR; h2.example.org. 600 AAAA 2001:db8:0:0:0:0:c000:201", text(ask(H)));
    }

    @Test
    void followsAliases() {
        Finding hop = alias("www.example.org.", Type.AAAA, 50, H);
        inner.has("www.example.org.", Type.AAAA, hop, none(H, Type.AAAA, Security.SECURE));
        inner.has(
                "www.example.org.",
                Type.A,
                alias("www.example.org.", Type.A, 50, H),
                records(H, Type.A, 60, Security.SECURE, "192.0.2.1"));
        Answer answer = ask("www.example.org.");
        assertEquals(
                "NOERROR; www.example.org. 50 CNAME h2.example.org.; h2.example.org. 60 AAAA"
                        + " 2001:db8:0:0:0:0:c000:201",
                text(answer));
        assertEquals("www.example.org.", answer.question().name().toString());
        assertEquals(Security.SECURE, answer.security());
    }

    @Test
    void tellsWhatCameOfAskingForTheOther() {
        inner.has(H, Type.AAAA, none(H, Type.AAAA, Security.INSECURE));
        inner.has(H, Type.A, none(H, Type.A, Security.INSECURE));
        assertSame(inner.answers.get(new Question(FindingsByRoutes.name(H), Type.AAAA)), ask(H));
        inner.has(H, Type.A, failure(H, Type.A));
        assertEquals("SERVFAIL", text(ask(H)));
        assertEquals("nobody answers", ask(H).reason().orElseThrow().text());
        inner.has(H, Type.AAAA, failure(H, Type.AAAA));
        inner.has(H, Type.A, none(H, Type.A, Security.INSECURE));
        Answer answer = ask(H);
        assertEquals("NOERROR", text(answer));
        assertEquals(Type.AAAA, answer.last().question().type());
    }

    /// §5.1.4
    @Test
    void mappedAddressesCountAsNone() {
        inner.has(H, Type.AAAA, records(H, Type.AAAA, 60, Security.INSECURE, "::ffff:192.0.2.9"));
        inner.has(H, Type.A, records(H, Type.A, 60, Security.INSECURE, "192.0.2.1"));
        assertEquals("NOERROR; h2.example.org. 60 AAAA 2001:db8:0:0:0:0:c000:201", text(ask(H)));
        inner.has(
                H,
                Type.AAAA,
                records(H, Type.AAAA, 60, Security.INSECURE, "::ffff:192.0.2.9", "2001:db8:1::1"));
        assertEquals("NOERROR; h2.example.org. 60 AAAA 2001:db8:1:0:0:0:0:1", text(ask(H)));
    }

    /// §5.5, case 3
    @Test
    void whoChecksHimselfGetsWhatThereIs() {
        inner.has(H, Type.AAAA, none(H, Type.AAAA, Security.UNCHECKED));
        assertEquals("NOERROR", text(ask(H, Type.AAAA, Request.Wish.CHECKING_DISABLED)));
        assertEquals(1, inner.asked);
        String pointer = "1.2.0.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        inner.has(pointer, Type.PTR, none(pointer, Type.PTR, Security.UNCHECKED));
        assertEquals("NOERROR", text(ask(pointer, Type.PTR, Request.Wish.CHECKING_DISABLED)));
    }

    /// §5.5, case 2: AD only when both validate.
    @Test
    void isAsSecureAsTheWeakerOfBoth() {
        for (Security denied : List.of(Security.SECURE, Security.INSECURE)) {
            for (Security found : List.of(Security.SECURE, Security.INSECURE)) {
                inner.has(H, Type.AAAA, none(H, Type.AAAA, denied));
                inner.has(H, Type.A, records(H, Type.A, 60, found, "192.0.2.1"));
                assertEquals(denied.and(found), ask(H).security());
            }
        }
    }

    @Test
    void isNoWayAroundDnssec() {
        inner.has(H, Type.AAAA, none(H, Type.AAAA, Security.BOGUS));
        assertEquals("SERVFAIL", text(ask(H)));
        assertEquals(1, inner.asked);
        inner.has(H, Type.AAAA, none(H, Type.AAAA, Security.SECURE));
        inner.has(H, Type.A, records(H, Type.A, 60, Security.BOGUS, "192.0.2.1"));
        assertEquals("SERVFAIL", text(ask(H)));
        assertEquals("bogus", ask(H).reason().orElseThrow().text());
    }

    /// RFC 6052 §3.1
    @Test
    void theWellKnownPrefixIsNotForPrivateAddresses() {
        dns64 = with("64:ff9b::/96");
        inner.has(H, Type.AAAA, none(H, Type.AAAA, Security.INSECURE));
        inner.has(H, Type.A, records(H, Type.A, 60, Security.INSECURE, "10.0.0.1", "192.0.2.1"));
        assertEquals("NOERROR; h2.example.org. 60 AAAA 64:ff9b:0:0:0:0:c000:201", text(ask(H)));
        inner.has(H, Type.A, records(H, Type.A, 60, Security.INSECURE, "10.0.0.1"));
        assertEquals("NOERROR", text(ask(H)));
        assertEquals(Finding.Kind.NO_RECORD, ask(H).last().kind());
    }

    @Test
    void anAddressThatWasMadeHasTheNameOfTheOther() {
        String four = "1.2.0.192.in-addr.arpa.";
        inner.has(four, Type.PTR, records(four, Type.PTR, 70, Security.SECURE, H));
        String six = "1.0.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.";
        Answer answer = ask(six, Type.PTR, Request.Wish.NOTHING);
        assertEquals(
                "NOERROR; " + six + " 70 CNAME " + four + "; " + four + " 70 PTR " + H,
                text(answer));
        assertEquals(Security.INSECURE, answer.security());
        assertEquals(Finding.Kind.ALIAS, answer.chain().getFirst().kind());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1.0.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.3.ip6.arpa",
                "0.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "1.1.0.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "x.0.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "11.0.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "\\255.0.2.0.0.0.0.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "1.2.0.192.in-addr.arpa",
                "ip6.arpa",
                "."
            })
    void otherPointersAreLeftAlone(String name) {
        inner.has(name, Type.PTR, none("example.org", Type.PTR, Security.SECURE));
        assertSame(
                inner.answers.values().iterator().next(),
                ask(name, Type.PTR, Request.Wish.NOTHING));
    }

    @ParameterizedTest
    @ValueSource(ints = {Type.A, Type.ANY, Type.MX, Type.HTTPS})
    void otherTypesAreLeftAlone(int type) {
        inner.has(H, type, none(H, type, Security.SECURE));
        assertSame(inner.answers.values().iterator().next(), ask(H, type, Request.Wish.NOTHING));
    }

    @Test
    void concernsNobodyWhoHasNoPrefix() {
        assertFalse(Dns64.concerns(Dns64Settings.OFF, Type.AAAA));
        dns64 = new Dns64(inner, Dns64Settings.OFF);
        inner.has(H, Type.AAAA, none(H, Type.AAAA, Security.SECURE));
        assertSame(inner.answers.values().iterator().next(), ask(H));
        assertEquals(1, inner.asked);
    }
}
