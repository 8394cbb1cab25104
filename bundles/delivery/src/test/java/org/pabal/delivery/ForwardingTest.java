package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.delivery.House.ALICE;
import static org.pabal.delivery.House.BOB;
import static org.pabal.delivery.House.FAR;
import static org.pabal.delivery.House.TEXT;
import static org.pabal.delivery.House.envelope;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.testkit.MemoryContent;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Mail that comes for us and leaves us again.
class ForwardingTest {

    private static final MailAddress STRANGER = new MailAddress("stranger", "example.com");
    private static final MailAddress IN_OUR_NAME =
            new MailAddress("SRS0=example.com=stranger", "example.test");
    private static final MailAddress BOSS = new MailAddress("boss", "example.test");
    private static final MailAddress STAFF = new MailAddress("staff", "example.test");

    private final House house = new House();
    private final List<QueueEntry> left = new ArrayList<>();

    @BeforeEach
    void boss() {
        house.directory.addAlias(BOSS, List.of(FAR));
        house.directory.addAlias(STAFF, List.of(BOB, FAR));
        house.couriers.add(
                "remote",
                0,
                (entry, recipients) -> {
                    left.add(entry);
                    Map<MailAddress, Outcome> outcomes = new HashMap<>();
                    recipients.forEach(
                            r -> outcomes.put(r.address(), new Outcome.Delivered("there")));
                    return outcomes;
                });
    }

    @Test
    void mailOfAStrangerIsForwardedInOurName() throws IOException {
        house.send(envelope(STRANGER, BOSS), TEXT);
        house.work();
        assertEquals(List.of(new Sent(Optional.of(IN_OUR_NAME), List.of(FAR))), sent());
        assertEquals(0, house.waiting());
    }

    @Test
    void mailOfOursAndOfNobodyIsForwardedAsItIs() throws IOException {
        house.send(envelope(ALICE, BOSS), TEXT);
        house.send(new Envelope(Optional.empty(), List.of(new Recipient(BOSS))), TEXT);
        house.work();
        assertEquals(
                List.of(
                        new Sent(Optional.of(ALICE), List.of(FAR)),
                        new Sent(Optional.empty(), List.of(FAR))),
                sent());
    }

    @Test
    void mailThatIsNotForwardedKeepsItsSender() throws IOException {
        house.send(envelope(STRANGER, BOSS, STAFF, ALICE), TEXT);
        house.work();
        assertEquals(2, left.size());
        left.forEach(e -> assertEquals(Optional.of(IN_OUR_NAME), e.envelope().sender()));
        for (MailAddress here : List.of(ALICE, BOB)) {
            assertTrue(
                    house.inbox(here)
                            .getFirst()
                            .startsWith("Return-Path: <stranger@example.com>\r\n"));
        }
    }

    @Test
    void mailToTheAddressThatStandsForAStrangerLeadsBack() throws IOException {
        house.send(new Envelope(Optional.empty(), List.of(new Recipient(IN_OUR_NAME))), TEXT);
        house.work();
        assertEquals(List.of(new Sent(Optional.empty(), List.of(STRANGER))), sent());
    }

    @Test
    void forgedAddressIsNobodys() throws IOException {
        MailAddress forged = new MailAddress("SRS0=nonsense", "example.test");
        house.send(envelope(ALICE, forged), TEXT);
        house.work();
        assertEquals(List.of(), sent());
        assertTrue(
                house.inbox(ALICE)
                        .getFirst()
                        .contains("550 5.1.1 <SRS0=nonsense@example.test>: no such mailbox here"));
    }

    /// RFC 3461 §5.2.7: one target stands in the place of the alias, and is told of as it.
    @Test
    void onlyTargetOfAnAliasInheritsWhatItsSenderWantsToKnow() throws IOException {
        house.send(envelope(STRANGER, Map.of("NOTIFY", "SUCCESS"), BOSS), TEXT);
        house.work();
        assertEquals(
                List.of(
                        new Recipient(
                                FAR,
                                Map.of("NOTIFY", "SUCCESS", "ORCPT", "rfc822;boss@example.test"))),
                left.getFirst().envelope().recipients());
        QueueEntry report = left.get(1);
        assertEquals(Optional.empty(), report.envelope().sender());
        assertEquals(List.of(STRANGER), report.envelope().addresses(), "by way of the SRS address");
        assertEquals(2, left.size(), "relayed, and not expanded before");
    }

    @Test
    void deadlineIsCountedOnInTheNewMessage() throws IOException {
        house.send(
                new Envelope(
                        Optional.of(STRANGER), Map.of("BY", "600;R"), List.of(new Recipient(BOSS))),
                TEXT);
        house.clock.advance(Duration.ofMinutes(4));
        house.work();
        assertEquals("360;R", left.getFirst().envelope().parameters().get("BY"));
    }

    @Test
    void whatCannotBeForwardedNowWaitsAloneAndKeepsNoMailbox() throws IOException {
        house.send(envelope(STRANGER, BOSS, ALICE), TEXT);
        QueueEntry entry = house.queue.lease(House.NOON, Duration.ZERO).orElseThrow();
        house.queue.full(true);
        house.worker.carry(entry);
        house.queue.full(false);
        assertEquals(1, house.inbox(ALICE).size());
        assertEquals(List.of(BOSS), house.only().envelope().addresses());
        house.clock.advance(Duration.ofMinutes(2));
        house.work();
        assertEquals(List.of(new Sent(Optional.of(IN_OUR_NAME), List.of(FAR))), sent());
    }

    /// Security row S17.
    @Test
    void forwardedMailThatComesBackForeverIsALoop() throws IOException {
        String field = "Received: from a by b; Sun, 22 Nov 2026 12:00:00 +0000\n";
        house.send(envelope(STRANGER, BOSS), field.repeat(51) + TEXT);
        house.work();
        assertEquals(1, left.size(), "the report and not the message");
        assertEquals(Optional.empty(), left.getFirst().envelope().sender());
    }

    /// Security row S17.
    @Test
    void forwardedMailSaysByWhichAliasItLeft() throws IOException {
        house.send(envelope(STRANGER, STAFF), TEXT);
        house.work();
        String sentOn = MemoryContent.copyOf(left.getFirst().content()).toString();
        assertTrue(sentOn.startsWith("Delivered-To: staff@example.test\r\n"), sentOn);
        assertTrue(sentOn.endsWith(MemoryContent.of(TEXT).toString()), sentOn);
    }

    private record Sent(Optional<MailAddress> sender, List<MailAddress> to) {}

    private List<Sent> sent() {
        return left.stream()
                .map(e -> new Sent(e.envelope().sender(), e.envelope().addresses()))
                .toList();
    }
}
