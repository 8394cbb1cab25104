package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pabal.mail.MailAddress;
import org.pabal.testkit.Fuzz;
import org.pabal.testkit.MovableClock;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

class SenderRewritingTest {

    private static final byte[] SECRET = "nobody else knows these".getBytes(StandardCharsets.UTF_8);
    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    private final MovableClock clock = new MovableClock(NOON);
    private final SenderRewriting ours = new SenderRewriting("Example.Test", SECRET, clock);
    private final SenderRewriting theirs =
            new SenderRewriting("example.net", "another one's secret".getBytes(), clock);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "alice@example.org",
                "Alice.Liddell+news@example.org",
                "a=b=c@example.org",
                "\"a b\"@example.org",
                "alice@[192.0.2.1]",
                "파발@예.example",
                "srs@example.org",
                "SRS2=x@example.org",
                "SRS1=x@example.org"
            })
    void leadsBackToWhomItStandsFor(String text) {
        MailAddress sender = address(text);
        MailAddress forwarded = ours.rewritten(sender);
        assertEquals("example.test", forwarded.domain());
        assertTrue(ours.form(forwarded));
        assertEquals(Optional.of(sender), ours.original(forwarded));
        assertEquals(Optional.of(forwarded), MailAddress.parse(forwarded.toString()));
    }

    @Test
    void hasTheFormThatOthersKnow() {
        String local = ours.rewritten(address("alice@example.org")).localPart();
        assertTrue(local.matches("SRS0=[A-Z2-7]{8}=[A-Z2-7]{2}=example\\.org=alice"), local);
        // 20,779 days since 1970 are 299 beyond a multiple of 1,024: 9 and 11 in base32.
        assertEquals("JL", local.substring(14, 16));
    }

    @Test
    void ownSendersKeepTheirName() {
        for (String own : List.of("alice@example.test", "SRS0=x@EXAMPLE.test")) {
            assertEquals(address(own), ours.rewritten(address(own)));
        }
    }

    @Test
    void whatWasForwardedBeforeNamesTheFirstHostOnly() {
        MailAddress first = theirs.rewritten(address("bob@example.org"));
        MailAddress second = ours.rewritten(first);
        assertTrue(
                second.localPart()
                        .matches(
                                "SRS1=[A-Z2-7]{8}=example\\.net==[A-Z2-7]{8}=JL=example\\.org=bob"),
                second::toString);
        assertEquals(Optional.of(first), ours.original(second));

        SenderRewriting another = new SenderRewriting("example.com", new byte[16], clock);
        MailAddress third = another.rewritten(second);
        assertTrue(third.localPart().contains("=example.net=="), third::toString);
        assertFalse(third.localPart().contains("example.test"), third::toString);
        assertEquals(Optional.of(first), another.original(third));
    }

    @Test
    void separatorOfAnotherHostIsKept() {
        for (String sender : List.of("SRS0+AAAA=BB=a.test=b@example.net", "SRS0-x@example.net")) {
            assertEquals(
                    Optional.of(address(sender)), ours.original(ours.rewritten(address(sender))));
        }
    }

    @Test
    void whatComesByTwiceLeadsToTheSender() {
        SenderRewriting between = new SenderRewriting("b.test", new byte[16], clock);
        MailAddress sender = address("bob@example.org");
        MailAddress again = ours.rewritten(between.rewritten(ours.rewritten(sender)));
        assertTrue(again.localPart().contains("=example.test=="), again::toString);
        assertEquals(Optional.of(sender), ours.original(again));
    }

    @Test
    void mayBeFoldedOnTheWay() {
        MailAddress sender = address("alice@example.org");
        MailAddress forwarded = ours.rewritten(sender);
        for (String folded :
                List.of(
                        forwarded.localPart().toLowerCase(Locale.ROOT),
                        forwarded.localPart().toUpperCase(Locale.ROOT))) {
            MailAddress address = new MailAddress(folded, "EXAMPLE.TEST");
            assertTrue(ours.form(address));
            assertEquals(
                    Optional.of("alice@example.org"),
                    ours.original(address).map(a -> a.toString().toLowerCase(Locale.ROOT)));
        }
    }

    @Test
    void isGoodForTwentyOneDays() {
        MailAddress sender = address("alice@example.org");
        MailAddress forwarded = ours.rewritten(sender);
        clock.advance(Duration.ofDays(21));
        assertEquals(Optional.of(sender), ours.original(forwarded));
        clock.advance(Duration.ofDays(1));
        assertEquals(Optional.empty(), ours.original(forwarded));
    }

    @Test
    void dayCountsOnOverTheEndOfItsRange() {
        MailAddress sender = address("alice@example.org");
        for (int day = 0; day < 1_030; day++) {
            MailAddress forwarded = ours.rewritten(sender);
            clock.advance(Duration.ofDays(1));
            assertEquals(Optional.of(sender), ours.original(forwarded));
        }
    }

    @Test
    void dayBeforeItWasMadeIsRefused() {
        MailAddress forwarded = ours.rewritten(address("alice@example.org"));
        SenderRewriting before =
                new SenderRewriting(
                        "example.test", SECRET, new MovableClock(NOON.minus(Duration.ofDays(1))));
        assertEquals(Optional.empty(), before.original(forwarded));
    }

    @ParameterizedTest
    @ValueSource(strings = {"alice@example.org", "SRS0=AAAA=BB=example.com=alice@example.org"})
    void oneCharacterChangedMakesItNobodys(String sender) {
        MailAddress forwarded = ours.rewritten(address(sender));
        String local = forwarded.localPart();
        int tried = 0;
        for (int i = 0; i < local.length(); i++) {
            for (char c : "=+-.aZ27kK\u212A@ \"\0é".toCharArray()) {
                if (Character.toLowerCase(c) != Character.toLowerCase(local.charAt(i)) || c > 127) {
                    String changed = local.substring(0, i) + c + local.substring(i + 1);
                    assertEquals(
                            Optional.empty(),
                            ours.original(new MailAddress(changed, "example.test")),
                            changed);
                    tried++;
                }
            }
            assertEquals(
                    Optional.empty(),
                    ours.original(
                            new MailAddress(
                                    local.substring(0, i) + local.substring(i + 1),
                                    "example.test")));
        }
        assertTrue(tried > 300);
    }

    /// libsrs2 takes the second for the first.
    @Test
    void borderBetweenDomainAndNameCannotBeMoved() {
        String local = ours.rewritten(address("xbob@example.com")).localPart();
        String moved = local.replace("example.com=xbob", "example.comx=bob");
        assertNotEquals(local, moved);
        assertEquals(Optional.empty(), ours.original(new MailAddress(moved, "example.test")));
    }

    @Test
    void hashOfOneKindIsNoneOfTheOther() {
        String local = ours.rewritten(address("alice@example.org")).localPart();
        String hash = local.substring(5, 13);
        for (String forged :
                List.of(
                        "SRS1=" + hash + local.substring(13),
                        "SRS1=" + hash + "=example.org==alice",
                        "SRS0=" + hash + "=alice@example.org",
                        "SRS0==JL=example.org=alice",
                        "SRS0=AAAAAAAA=JL=example.org=alice")) {
            assertEquals(Optional.empty(), ours.original(new MailAddress(forged, "example.test")));
        }
    }

    @Test
    void whatOthersMadeIsRefused() {
        MailAddress sender = address("alice@example.org");
        SenderRewriting otherSecret = new SenderRewriting("example.test", new byte[16], clock);
        assertEquals(Optional.empty(), ours.original(otherSecret.rewritten(sender)));
        assertEquals(Optional.empty(), ours.original(theirs.rewritten(sender)));
    }

    @Test
    void formIsKnownWhoeverMadeIt() {
        for (String srs : List.of("SRS0=x", "srs0+x", "Srs1-x", "SRS1=", "SRS0=\n")) {
            assertTrue(ours.form(new MailAddress(srs, "EXAMPLE.test")), srs);
            assertFalse(ours.form(new MailAddress(srs, "example.net")), srs);
        }
        for (String other : List.of("SRS0", "SRS2=x", "SRS0x", "aSRS0=x", "srs", "alice")) {
            assertFalse(ours.form(new MailAddress(other, "example.test")), other);
        }
    }

    /// RFC 5321 §4.5.3.1.1.
    @Test
    void senderThatDoesNotFitKeepsItsName() {
        // SRS0=HHHHHHHH=TT=example.org= are 29 octets.
        MailAddress fits = new MailAddress("a".repeat(35), "example.org");
        MailAddress longer = new MailAddress("a".repeat(36), "example.org");
        MailAddress korean = new MailAddress("파".repeat(12), "example.org");
        assertEquals(64, ours.rewritten(fits).localPart().length());
        assertEquals(longer, ours.rewritten(longer));
        assertEquals(korean, ours.rewritten(korean));
    }

    @Test
    void shortSecretIsRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new SenderRewriting("example.test", new byte[15], clock));
    }

    @Test
    void secretIsMadeOnceAndForItsOwnerOnly(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("srs.secret");
        byte[] secret = SenderRewriting.secret(file);
        assertEquals(32, secret.length);
        assertArrayEquals(secret, SenderRewriting.secret(file));
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertEquals(List.of(file), Files.list(folder).toList());
        assertFalse(Arrays.equals(secret, SenderRewriting.secret(folder.resolve("other"))));
    }

    @Test
    void secretThatIsTooShortIsNotReplaced(@TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve("srs.secret"), new byte[3]);
        IOException e = assertThrows(IOException.class, () -> SenderRewriting.secret(file));
        assertTrue(e.getMessage().contains("delete it"), e.getMessage());
        assertEquals(3, Files.size(file));
    }

    @Test
    void bearsAnyName() throws Exception {
        Fuzz.run(
                Path.of("src/test/resources/fuzz/srs"),
                input -> {
                    String local = new String(input, StandardCharsets.UTF_8);
                    MailAddress at = new MailAddress(local, "example.test");
                    if (ours.original(at).isPresent()) {
                        throw new IllegalStateException("forged: " + local);
                    }
                    MailAddress sender = new MailAddress(local, "a.org");
                    MailAddress forwarded = ours.rewritten(sender);
                    if (MailAddress.parse(sender.toString()).isPresent()
                            && !forwarded.equals(sender)
                            && !ours.original(forwarded)
                                    .map(MailAddress::toString)
                                    .orElse("")
                                    .equalsIgnoreCase(sender.toString())
                            && !local.toUpperCase(Locale.ROOT).startsWith("SRS1")) {
                        throw new IllegalStateException("lost: " + local);
                    }
                });
    }

    private static MailAddress address(String text) {
        return MailAddress.parse(text).orElseThrow();
    }
}
