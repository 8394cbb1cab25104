package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pabal.testkit.Fuzz;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.TLSARecord;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

class DaneTest {

    private static final List<String> NAMES = List.of("mx.example.org", "example.org");

    private final Minted root = Minted.of("Root").authority().mint();
    private final Minted middle = Minted.of("Middle").authority().by(root).mint();
    private final Minted leaf = Minted.of("x").named("mx.example.org").by(middle).mint();

    static TLSARecord record(int usage, int selector, int matching, Minted of) {
        byte[] data = selector == 0 ? of.octets() : of.key();
        try {
            return record(
                    usage,
                    selector,
                    matching,
                    switch (matching) {
                        case 1 -> MessageDigest.getInstance("SHA-256").digest(data);
                        case 2 -> MessageDigest.getInstance("SHA-512").digest(data);
                        default -> data;
                    });
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    static TLSARecord record(int usage, int selector, int matching, byte[] data) {
        Name name = Name.fromConstantString("_25._tcp.mx.example.org.");
        return new TLSARecord(name, DClass.IN, 300, usage, selector, matching, data);
    }

    private static void verify(List<TLSARecord> records, Minted... chain) throws TlsFailure {
        Dane.verify(
                new TlsRule.Dane(records, NAMES),
                Arrays.stream(chain).map(Minted::certificate).toList());
    }

    private static void verify(TLSARecord record, Minted... chain) throws TlsFailure {
        verify(List.of(record), chain);
    }

    private static void assertRefused(TlsResult why, TLSARecord record, Minted... chain) {
        TlsFailure failure = assertThrows(TlsFailure.class, () -> verify(record, chain));
        assertEquals(why, failure.result(), failure::getMessage);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0, 1", "0, 2", "1, 0", "1, 1", "1, 2"})
    void takesTheServersOwnCertificateWhateverItsNameAndDates(int selector, int matching)
            throws TlsFailure {
        Minted old = Minted.of("elsewhere.example").expired().mint();
        TLSARecord record = record(3, selector, matching, old);
        assertTrue(Dane.usable(record));
        verify(record, old);
        verify(record, old, root);
        assertRefused(TlsResult.VALIDATION_FAILURE, record, leaf, middle, root, old);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0, 1", "0, 2", "1, 0", "1, 1", "1, 2"})
    void takesWhatAnAuthorityOfTheRecordsSigned(int selector, int matching) throws TlsFailure {
        verify(record(2, selector, matching, root), leaf, middle, root);
        verify(record(2, selector, matching, middle), leaf, middle, root);
        verify(record(2, selector, matching, middle), leaf, middle);
        verify(record(2, selector, matching, root), leaf, root, middle);
        Minted other = Minted.of("Root").authority().mint();
        assertRefused(
                TlsResult.CERTIFICATE_NOT_TRUSTED,
                record(2, selector, matching, other),
                leaf,
                middle,
                other);
    }

    @ParameterizedTest
    @CsvSource({"0", "1"})
    void needsNotBeSentAnAuthorityThatStandsInTheRecordWhole(int selector) throws TlsFailure {
        verify(record(2, selector, 0, root), leaf, middle);
        verify(record(2, selector, 0, middle), leaf);
        assertRefused(TlsResult.VALIDATION_FAILURE, record(2, selector, 1, root), leaf, middle);
        TlsFailure failure =
                assertThrows(TlsFailure.class, () -> verify(record(2, selector, 0, root), leaf));
        assertTrue(
                failure.result() == TlsResult.VALIDATION_FAILURE
                        || failure.result() == TlsResult.CERTIFICATE_NOT_TRUSTED);
    }

    @Test
    void wantsTheNameFromAnAuthority() throws TlsFailure {
        TLSARecord record = record(2, 0, 1, root);
        verify(record, Minted.of("x").named("Example.ORG").by(root).mint(), root);
        verify(record, Minted.of("x").named("a.example", "*.example.org").by(root).mint(), root);
        verify(record, Minted.of("mx.example.org").by(root).mint(), root);
        for (Minted other :
                List.of(
                        Minted.of("x").named("other.example.org").by(root).mint(),
                        Minted.of("mx.example.org").named("a.example").by(root).mint(),
                        Minted.of("a,CN=mx.example.org").by(root).mint(),
                        Minted.of("x").named("*.org", "*").by(root).mint())) {
            assertRefused(TlsResult.CERTIFICATE_HOST_MISMATCH, record, other, root);
        }
    }

    @Test
    void wantsTheDatesFromAnAuthority() {
        Minted old = Minted.of("x").named("mx.example.org").expired().by(root).mint();
        Minted early = Minted.of("x").named("mx.example.org").notYetValid().by(root).mint();
        Minted oldRoot = Minted.of("Old").authority().expired().mint();
        Minted below = Minted.of("x").named("mx.example.org").by(oldRoot).mint();
        assertRefused(TlsResult.CERTIFICATE_EXPIRED, record(2, 0, 1, root), old, root);
        assertRefused(TlsResult.CERTIFICATE_EXPIRED, record(2, 0, 1, root), early, root);
        assertRefused(TlsResult.CERTIFICATE_EXPIRED, record(2, 0, 1, oldRoot), below, oldRoot);
    }

    @Test
    void wantsEachToBeWhatItIsUsedFor() throws TlsFailure {
        TLSARecord record = record(2, 0, 1, root);
        Minted noAuthority = Minted.of("Middle").by(root).mint();
        assertRefused(
                TlsResult.CERTIFICATE_NOT_TRUSTED,
                record,
                Minted.of("x").named("mx.example.org").by(noAuthority).mint(),
                noAuthority,
                root);
        assertRefused(
                TlsResult.CERTIFICATE_NOT_TRUSTED,
                record,
                Minted.of("x").named("mx.example.org").onlyFor(2).by(root).mint(),
                root);
        verify(record, Minted.of("x").named("mx.example.org").onlyFor(1).by(root).mint(), root);
    }

    @Test
    void isNotFooledByACertificateThatIsOnlyShown() {
        Minted mallory = Minted.of("Root").authority().mint();
        Minted forged = Minted.of("x").named("mx.example.org").by(mallory).mint();
        assertRefused(
                TlsResult.CERTIFICATE_NOT_TRUSTED, record(2, 0, 1, root), forged, root, mallory);
        assertRefused(
                TlsResult.CERTIFICATE_NOT_TRUSTED, record(2, 0, 1, root), forged, mallory, root);
        assertRefused(TlsResult.VALIDATION_FAILURE, record(2, 0, 1, leaf), leaf, middle, root);
        assertRefused(TlsResult.VALIDATION_FAILURE, record(3, 0, 1, root), leaf, middle, root);
        assertRefused(TlsResult.VALIDATION_FAILURE, record(3, 0, 1, root));
    }

    @Test
    void endsWithChainsThatGoRoundOrOn() {
        Minted[] chain =
                Stream.generate(() -> Minted.of("Ring").authority().by(root).mint())
                        .limit(30)
                        .toArray(Minted[]::new);
        assertRefused(TlsResult.VALIDATION_FAILURE, record(2, 0, 1, leaf), chain);
        List<Minted> high = new ArrayList<>(List.of(root));
        for (int i = 0; i < 20; i++) {
            high.addFirst(Minted.of("a" + i).authority().by(high.getFirst()).mint());
        }
        assertRefused(
                TlsResult.VALIDATION_FAILURE, record(2, 0, 1, root), high.toArray(Minted[]::new));
    }

    @Test
    void takesAnyRecordThatFits() throws TlsFailure {
        verify(List.of(record(3, 1, 1, root), record(2, 0, 1, leaf), record(3, 1, 1, leaf)), leaf);
        verify(List.of(record(3, 1, 1, leaf), record(2, 1, 1, middle)), leaf, middle);
        verify(List.of(record(3, 1, 1, root), record(2, 1, 1, middle)), leaf, middle);
    }

    @Test
    void believesOnlyTheBetterDigest() throws TlsFailure {
        // RFC 7671 §9
        assertThrows(
                TlsFailure.class,
                () -> verify(List.of(record(3, 1, 1, leaf), record(3, 1, 2, root)), leaf));
        verify(List.of(record(3, 1, 1, leaf), record(3, 0, 2, root)), leaf);
        verify(List.of(record(3, 1, 1, leaf), record(3, 1, 1, root)), leaf);
    }

    @Test
    void knowsWhatIsOfNoUse() {
        byte[] digest = new byte[32];
        assertTrue(Dane.usable(record(2, 0, 1, digest)));
        assertTrue(Dane.usable(record(3, 1, 2, new byte[64])));
        assertTrue(Dane.usable(record(2, 0, 0, root)));
        assertTrue(Dane.usable(record(2, 1, 0, root)));
        for (TLSARecord record :
                List.of(
                        record(0, 1, 1, digest), // RFC 7672 §3.1.3
                        record(1, 1, 1, digest),
                        record(4, 1, 1, digest),
                        record(255, 1, 1, digest),
                        record(3, 2, 1, digest),
                        record(3, 1, 3, digest),
                        record(3, 1, 1, new byte[20]),
                        record(3, 1, 2, digest),
                        record(3, 0, 0, digest),
                        record(2, 1, 0, digest),
                        record(2, 0, 0, root.key()))) {
            assertFalse(Dane.usable(record), record::rdataToString);
        }
    }

    @Test
    void bearsAnyRecord() throws Exception {
        Fuzz.run(
                Path.of("src/test/resources/fuzz/tlsa"),
                input -> {
                    byte[] data = Arrays.copyOf(input, Math.clamp(input.length, 1, 65_535));
                    for (int usage = 2; usage <= 3; usage++) {
                        for (int selector = 0; selector <= 1; selector++) {
                            TLSARecord record = record(usage, selector, 0, data);
                            Dane.usable(record);
                            assertThrows(TlsFailure.class, () -> verify(record, leaf, middle));
                        }
                    }
                });
    }

    @ParameterizedTest
    @CsvSource({
        "mx.example.org, MX.example.org., true",
        "*.example.org, mx.example.org, true",
        "*.example.org, example.org, false",
        "*.example.org, a.mx.example.org, false",
        "m*.example.org, mx.example.org, false",
        "mx.*.org, mx.example.org, false",
        "*.org, example.org, false",
        "*., x., false",
        "*, mx, false",
        "'', mx, false",
    })
    void matchesNamesAsRfc9525Says(String pattern, String name, boolean matches) {
        assertEquals(matches, CertificateNames.matches(pattern, name));
    }
}
