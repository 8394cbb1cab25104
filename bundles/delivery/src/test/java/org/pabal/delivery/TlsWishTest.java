package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.QueueId;
import org.pabal.mail.Recipient;
import org.pabal.smtp.client.Login;
import org.pabal.testkit.MemoryContent;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class TlsWishTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final Optional<MailAddress> ALICE =
            Optional.of(new MailAddress("alice", "example.org"));

    // RFC 8689 §4.1
    @Test
    void fieldCountsOnlyWhereTheParameterIsMissing() throws IOException {
        Map<String, String> required = Map.of("REQUIRETLS", "");
        assertEquals(TlsWish.USUAL, of(ALICE, Map.of(), ""));
        assertEquals(TlsWish.RATHER_ARRIVE, of(ALICE, Map.of(), "TLS-Required: No\n"));
        assertEquals(TlsWish.USUAL, of(ALICE, Map.of(), "TLS-Required: Yes\n"));
        assertEquals(TlsWish.REQUIRED, of(ALICE, required, ""));
        assertEquals(TlsWish.REQUIRED, of(ALICE, required, "TLS-Required: No\n"));
    }

    // RFC 8689 §5
    @Test
    void reportIsNotLostForWantOfTls() throws IOException {
        assertEquals(TlsWish.USUAL, of(Optional.empty(), Map.of("REQUIRETLS", ""), ""));
        assertEquals(
                TlsWish.USUAL,
                of(Optional.empty(), Map.of("REQUIRETLS", ""), "TLS-Required: No\n"));
    }

    @Test
    void nobodyWaivesWhatProtectsOurPassword() {
        NextHop smartHost =
                new NextHop.Server(
                        "mail.example.net", 587, false, Optional.of(new Login("alice", "secret")));
        NextHop server = new NextHop.Server("mail.example.net", 25, false, Optional.empty());
        assertFalse(TlsWish.RATHER_ARRIVE.waivesPoliciesOf(smartHost));
        assertTrue(TlsWish.RATHER_ARRIVE.waivesPoliciesOf(server));
        assertTrue(
                TlsWish.RATHER_ARRIVE.waivesPoliciesOf(new NextHop.Exchangers("example.org", 25)));
        assertFalse(TlsWish.USUAL.waivesPoliciesOf(server));
    }

    private static TlsWish of(
            Optional<MailAddress> sender, Map<String, String> parameters, String field)
            throws IOException {
        return TlsWish.of(
                new QueueEntry(
                        new QueueId("7F3K"),
                        new Envelope(
                                sender,
                                parameters,
                                List.of(new Recipient(new MailAddress("bob", "example.test")))),
                        MemoryContent.of(field + "Subject: hello\n\nGood day.\n"),
                        NOON,
                        0,
                        NOON,
                        false,
                        Map.of()));
    }
}
