package org.pabal.dns.recursive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.settings.BadSetting;
import org.pabal.settings.Settings;
import org.pabal.testkit.MovableClock;
import org.xbill.DNS.DClass;
import org.xbill.DNS.DNSKEYRecord;
import org.xbill.DNS.DNSSEC;
import org.xbill.DNS.DSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Trust anchors: where they come from, and how they follow their zones.
class AnchorKeeperTest {

    private static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");

    @TempDir Path home;

    private final MovableClock clock = new MovableClock(NOW);
    private final KeyPair oldPair = pair();
    private final KeyPair newPair = pair();
    private final DNSKEYRecord oldKey = key(oldPair);
    private final DNSKEYRecord newKey = key(newPair);
    private final CountDownLatch asked = new CountDownLatch(1);
    private boolean silent;

    private static KeyPair pair() {
        try {
            return KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static DNSKEYRecord key(KeyPair pair) {
        try {
            return new DNSKEYRecord(Name.root, DClass.IN, 86_400, 257, 3, 15, pair.getPublic());
        } catch (DNSSEC.DNSSECException e) {
            throw new AssertionError(e);
        }
    }

    /// The root shows the old and the new key, signed by the old one.
    private Answer answer(Question question, Request request) {
        asked.countDown();
        assertEquals(new Question(Name.root, Type.DNSKEY), question);
        if (silent) {
            return new Answer(
                    question,
                    List.of(Finding.failure(question, Name.root, 5, new Reason(22, "timed out"))));
        }
        RRset set = new RRset(oldKey);
        set.addRR(newKey);
        RRset signed = new RRset(set);
        try {
            signed.addRR(
                    DNSSEC.sign(
                            set,
                            oldKey,
                            oldPair.getPrivate(),
                            clock.instant().minus(Duration.ofDays(1)),
                            clock.instant().plus(Duration.ofDays(10))));
        } catch (DNSSEC.DNSSECException e) {
            throw new AssertionError(e);
        }
        return new Answer(
                question,
                List.of(
                        new Finding(
                                question,
                                Finding.Kind.RECORDS,
                                List.of(signed),
                                List.of(),
                                Name.root,
                                Security.UNCHECKED,
                                Optional.empty(),
                                3600,
                                false)));
    }

    private ValidationSettings settings(Map<String, String> values) {
        return ValidationSettings.of(Settings.of(values), home);
    }

    private AnchorKeeper keeper(TrustAnchors anchors) throws IOException {
        return new AnchorKeeper(anchors, settings(Map.of()), this::answer, clock);
    }

    private TrustAnchors anchors() {
        return new TrustAnchors(List.of(new DSRecord(Name.root, DClass.IN, 0, 2, oldKey)));
    }

    // ---- following

    @Test
    void aNewKeyIsBelievedAfterThirtyDaysAndARestartDoesNotBeginThemAgain() throws IOException {
        TrustAnchors anchors = anchors();
        keeper(anchors).look();
        assertEquals(List.of(oldKey), anchors.of(Name.root));
        clock.advance(Duration.ofDays(20));
        anchors = anchors();
        AnchorKeeper again = keeper(anchors);
        again.look();
        assertEquals(List.of(oldKey), anchors.of(Name.root));
        clock.advance(Duration.ofDays(11));
        again.look();
        assertEquals(List.of(oldKey, newKey), anchors.of(Name.root));
        assertEquals(List.of(oldKey, newKey), reread());
    }

    private List<Record> reread() throws IOException {
        TrustAnchors anchors = anchors();
        keeper(anchors);
        return anchors.of(Name.root);
    }

    @Test
    void whatItRemembersIsAFileThatAPersonCanRead() throws IOException {
        keeper(anchors()).look();
        Path file = home.resolve("data/resolver/trust-anchors");
        List<String> lines = Files.readAllLines(file);
        assertEquals(3, lines.size(), lines.toString());
        assertTrue(lines.get(1).endsWith(" ; VALID 2026-11-23T12:00:00Z"), lines.get(1));
        assertTrue(lines.get(2).endsWith(" ; ADD_PENDING 2026-11-23T12:00:00Z"), lines.get(2));
        assertFalse(Files.exists(file.resolveSibling("trust-anchors.new")));
    }

    @Test
    void aBrokenFileIsTroubleAndNotAnEmptyOne() throws IOException {
        Path file = home.resolve("data/resolver/trust-anchors");
        Files.createDirectories(file.getParent());
        Files.writeString(file, "half a li");
        assertThrows(IOException.class, () -> keeper(anchors()));
    }

    @Test
    void itLooksAgainAfterHalfTheTtlAndAfterAnHourOfSilence() throws IOException {
        AnchorKeeper keeper = keeper(anchors());
        assertEquals(NOW.plus(Duration.ofHours(12)), keeper.look());
        clock.advance(Duration.ofHours(12));
        silent = true;
        assertEquals(NOW.plus(Duration.ofHours(13)), keeper.look());
    }

    @Test
    void keysThatNobodyBelievedSignedChangeNothing() throws IOException {
        TrustAnchors anchors =
                new TrustAnchors(List.of(new DSRecord(Name.root, DClass.IN, 0, 2, key(pair()))));
        List<Record> before = anchors.of(Name.root);
        keeper(anchors).look();
        assertEquals(before, anchors.of(Name.root));
        assertFalse(Files.exists(home.resolve("data/resolver/trust-anchors")));
    }

    @Test
    void itsThreadLooksWhenStartedAndEndsWhenClosed() throws Exception {
        AnchorKeeper keeper = keeper(anchors()).start();
        assertTrue(asked.await(10, TimeUnit.SECONDS));
        keeper.wake();
        keeper.close();
        keeper.close();
    }

    // ---- where they come from

    private TrustAnchors read(String text) throws IOException {
        return TrustAnchors.read(Files.writeString(home.resolve("anchors"), text));
    }

    @Test
    void theRootIsKnownByTheTwoKeysOfIana() {
        TrustAnchors anchors = settings(Map.of()).anchors(Settings.of(Map.of()));
        assertEquals(Set.of(Name.root), anchors.zones());
        assertTrue(anchors.ofTheRoot(20326));
        assertTrue(anchors.ofTheRoot(38696));
        assertFalse(anchors.ofTheRoot(19036));
    }

    @Test
    void aFileMayHaveDelegationSignersAndKeysInTheManyWaysOfMasterFiles() throws IOException {
        TrustAnchors anchors =
                read(
                        """
                        ; a comment
                        . 3600 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D084 58E880409BBC683457104237C7F8EC8D
                        example.org. IN 60 DS 1 ECDSAP256SHA256 2 (
                            0000000000000000000000000000000000000000000000000000000000000000 ) ; tail
                        example.com DNSKEY 257 3 13 AAAA
                        """);
        assertEquals(
                Set.of(
                        Name.root,
                        Name.fromConstantString("example.org."),
                        Name.fromConstantString("example.com.")),
                anchors.zones());
        assertEquals(
                Optional.of(Name.fromConstantString("example.org.")),
                anchors.nearest(Name.fromConstantString("a.b.example.org.")));
        assertEquals(
                Optional.of(Name.root), anchors.nearest(Name.fromConstantString("example.net.")));
    }

    @Test
    void anEmptyFileTurnsValidationOff() throws IOException {
        assertEquals(Set.of(), read("\n; nothing\n").zones());
        assertEquals(Optional.empty(), read("").nearest(Name.fromConstantString("example.org.")));
    }

    @Test
    void aDigestOfTheWrongLengthIsAnAnchorThatNothingMatches() throws IOException {
        assertEquals(1, read(". IN DS 20326 8 1 E06D44B80B8F1D39\n").of(Name.root).size());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ". IN A 192.0.2.1",
                ". IN DS 20326 8",
                ". IN DS 20326 8 2 xyz",
                ". IN DS 70000 8 2 00",
                "nonsense"
            })
    void whatIsNoTrustAnchorIsRefused(String line) {
        assertThrows(IOException.class, () -> read(line + "\n"));
    }

    // ---- settings

    @Test
    void settingsHaveDefaultsThatWork() {
        ValidationSettings settings = settings(Map.of());
        assertEquals(
                new ValidationSettings(
                        Optional.empty(),
                        true,
                        home.resolve("data/resolver/trust-anchors"),
                        Set.of(),
                        true,
                        150),
                settings);
    }

    @Test
    void whoNamesAFileKeepsItHimself() {
        ValidationSettings settings =
                settings(
                        Map.of(
                                "trust-anchors", "etc/anchors",
                                "negative-anchors", "corp.example.org, example.net.",
                                "aggressive-nsec", "no",
                                "max-nsec3-iterations", "0"));
        assertEquals(Optional.of(home.resolve("etc/anchors")), settings.anchorFile());
        assertFalse(settings.updates());
        assertFalse(settings.aggressive());
        assertEquals(0, settings.maxIterations());
        assertEquals(
                Set.of(
                        Name.fromConstantString("corp.example.org."),
                        Name.fromConstantString("example.net.")),
                settings.negativeAnchors());
    }

    @Test
    void aFileThatIsNotThereAndANameThatIsNoneAreBadSettings() {
        assertThrows(
                BadSetting.class,
                () -> settings(Map.of("trust-anchors", "nowhere")).anchors(Settings.of(Map.of())));
        assertThrows(BadSetting.class, () -> settings(Map.of("negative-anchors", "a..b")));
    }
}
