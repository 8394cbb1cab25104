package org.pabal.dnssec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// How trust anchors follow their zone, RFC 5011.
class TrustPointTest {

    private static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");
    private static final Name ZONE = Name.fromConstantString("example.");

    /// Keys by one letter each; `a!` is the key `a` with the revoke bit.
    private static final Map<String, KeyPair> PAIRS = new TreeMap<>();

    static {
        try {
            for (String name : List.of("a", "b", "c")) {
                PAIRS.put(name, KeyPairGenerator.getInstance("Ed25519").generateKeyPair());
            }
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static DNSKEYRecord key(String name) {
        try {
            return new DNSKEYRecord(
                    ZONE,
                    DClass.IN,
                    3600,
                    name.endsWith("!") ? 257 | 128 : 257,
                    3,
                    15,
                    PAIRS.get(name.substring(0, 1)).getPublic());
        } catch (DNSSEC.DNSSECException e) {
            throw new AssertionError(e);
        }
    }

    /// @param keys that are shown, e.g. `a b!`
    /// @param signers of the set
    private static RRset shown(String keys, String signers, Instant now) {
        RRset set = new RRset();
        for (String name : keys.split(" ")) {
            set.addRR(key(name));
        }
        RRset signed = new RRset(set);
        for (String name : signers.split(" ")) {
            try {
                signed.addRR(
                        DNSSEC.sign(
                                set,
                                key(name),
                                PAIRS.get(name.substring(0, 1)).getPrivate(),
                                now.minus(Duration.ofDays(1)),
                                now.plus(Duration.ofDays(9))));
            } catch (DNSSEC.DNSSECException e) {
                throw new AssertionError(e);
            }
        }
        return signed;
    }

    private static TrustPoint believing(String... names) {
        return TrustPoint.of(
                ZONE, List.copyOf(Arrays.stream(names).map(TrustPointTest::key).toList()), NOW);
    }

    private static String states(TrustPoint point) {
        TreeMap<String, String> states = new TreeMap<>();
        for (TrustPoint.Anchor anchor : point.anchors()) {
            PAIRS.keySet().stream()
                    .filter(name -> key(name).equals(anchor.record()))
                    .forEach(name -> states.put(name, anchor.state().name().toLowerCase()));
        }
        return states.toString().replaceAll("[{},]", "");
    }

    private static TrustPoint after(TrustPoint point, Instant now, String keys, String signers) {
        return point.update(shown(keys, signers, now), now, Effort.UNBOUNDED).next();
    }

    /// Each row is a story that begins with key `a` believed: on a day, these keys by these
    /// signers; then what is thought of them.
    @ParameterizedTest
    @CsvSource({
        "'0 a/a', 'a=valid'",
        // a new key waits for thirty days
        "'0 a b/a', 'a=valid b=add_pending'",
        "'0 a b/a, 29 a b/a', 'a=valid b=add_pending'",
        "'0 a b/a, 31 a b/a', 'a=valid b=valid'",
        // and begins again when it was away
        "'0 a b/a, 10 a/a, 31 a b/a', 'a=valid b=add_pending'",
        // it has to be signed by one that is believed
        "'0 a b/b', 'a=valid'",
        // a key that is away is believed still
        "'0 a b/a, 31 a b/a, 32 b/b', 'a=missing b=valid'",
        "'0 a b/a, 31 a b/a, 32 b/b, 33 a b/b', 'a=valid b=valid'",
        // a key revokes itself, and only itself
        "'0 a b/a, 31 a b/a, 32 a! b/a! b', 'a=revoked b=valid'",
        "'0 a b/a, 31 a b/a, 32 a! b/b', 'a=missing b=valid'",
        "'0 a b/a, 31 a b/a, 32 a! b/a! b, 40 b/b', 'a=revoked b=valid'",
        "'0 a b/a, 31 a b/a, 32 a! b/a! b, 63 b/b', 'a=removed b=valid'",
        // and never comes back
        "'0 a b/a, 31 a b/a, 32 a! b/a! b, 33 a b/a b', 'a=revoked b=valid'",
        "'0 a b/a, 31 a b/a, 32 a! b/a! b, 63 b/b, 64 a b/a b', 'a=removed b=valid'",
        // what a revoked key signs is worth nothing
        "'0 a b/a, 31 a b/a, 32 a! b/a! b, 33 a b c/a', 'a=revoked b=valid'",
        // a key that waits and is revoked is forgotten
        "'0 a b/a, 5 a b!/a b!', 'a=valid'",
        // with the last key gone nothing is believed
        "'0 a!/a!', 'a=revoked'"
    })
    void keysGoFromStateToState(String story, String end) {
        TrustPoint point = believing("a");
        for (String day : story.split(", ")) {
            String[] parts = day.split(" ", 2);
            String[] set = parts[1].split("/");
            Instant then = NOW.plus(Duration.ofDays(Long.parseLong(parts[0])));
            point = after(point, then, set[0], set[1]);
        }
        assertEquals(end, states(point));
    }

    @Test
    void aDelegationSignerBecomesItsKeyWhenThatIsSeen() {
        DSRecord seed = new DSRecord(ZONE, DClass.IN, 0, 2, key("a"));
        DSRecord unseen = new DSRecord(ZONE, DClass.IN, 0, 2, key("c"));
        TrustPoint point = TrustPoint.of(ZONE, List.of(seed, unseen), NOW);
        point = after(point, NOW, "a b", "a");
        assertEquals(List.of(unseen, key("a")), point.believed());
        assertEquals("a=valid b=add_pending", states(point));
    }

    @Test
    void aDelegationSignerOfARevokedKeyIsRevokedToo() {
        DSRecord seed = new DSRecord(ZONE, DClass.IN, 0, 2, key("c"));
        TrustPoint point = TrustPoint.of(ZONE, List.of(key("a"), seed), NOW);
        point = after(point, NOW, "a c!", "a c!");
        assertEquals(List.of(key("a")), point.believed());
        assertEquals("a=valid c=revoked", states(point));
    }

    @Test
    void whatAnAdministratorNamesAgainDoesNotBringBackARevokedKey() {
        TrustPoint point = after(believing("a", "b"), NOW, "a! b", "a! b");
        DSRecord old = new DSRecord(ZONE, DClass.IN, 0, 2, key("a"));
        DSRecord fresh = new DSRecord(ZONE, DClass.IN, 0, 2, key("c"));
        assertEquals(List.of(key("b"), fresh), point.and(List.of(old, fresh), NOW).believed());
    }

    @Test
    void theNextLookComesInHalfOfTheTimeThatTheKeysLastAndSoonerAfterTrouble() {
        TrustPoint point = believing("a");
        RRset shown = shown("a", "a", NOW);
        TrustPoint.Update fine = point.update(shown, NOW, Effort.UNBOUNDED);
        assertTrue(fine.trusted());
        assertEquals(Duration.ofHours(1), fine.pause()); // never sooner than that
        assertFalse(point.update(shown("b", "b", NOW), NOW, Effort.UNBOUNDED).trusted());
    }

    @Test
    void changesAreTold() {
        TrustPoint.Update update =
                believing("a").update(shown("a b", "a", NOW), NOW, Effort.UNBOUNDED);
        assertEquals(
                List.of("trust anchor example. " + key("b").getFootprint() + ": ADD_PENDING"),
                update.news());
    }

    @Test
    void survivesBeingWrittenAndRead() throws IOException {
        TrustPoint point = after(believing("a", "b"), NOW, "a! b c", "a! b");
        TrustPoint read = TrustPoint.parse("; a comment\n\n" + point.text()).getFirst();
        assertEquals(point, read);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "example. 3600 IN DNSKEY 257 3 15 AAAA",
                "example. 3600 IN DNSKEY 257 3 15 AAAA ; VALID",
                "example. 3600 IN DNSKEY 257 3 15 AAAA ; GOOD 2026-11-23T12:00:00Z",
                "example. 3600 IN DNSKEY 257 3 15 AAAA ; VALID yesterday",
                "example. x IN DNSKEY 257 3 15 AAAA ; VALID 2026-11-23T12:00:00Z",
                "nonsense"
            })
    void aBrokenFileIsTroubleAndNotAnEmptyOne(String line) {
        assertThrows(IOException.class, () -> TrustPoint.parse(line));
    }
}
