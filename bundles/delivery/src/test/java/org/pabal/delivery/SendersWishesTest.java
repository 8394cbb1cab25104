package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.delivery.House.ALICE;
import static org.pabal.delivery.House.BOB;
import static org.pabal.delivery.House.FAR;
import static org.pabal.delivery.House.NOON;
import static org.pabal.delivery.House.TEXT;

import org.junit.jupiter.api.Test;
import org.pabal.mail.Attempt;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a sender may ask of the queue: not before, not after, tell me.
class SendersWishesTest {

    private static final Status BUSY = new Status(450, "4.2.0", "busy");

    private final House house = new House();
    private int tries;
    private Outcome elsewhere = new Outcome.Deferred(BUSY);

    {
        house.couriers.add(
                "remote",
                0,
                (entry, recipients) -> {
                    tries++;
                    return Map.of(FAR, elsewhere);
                });
    }

    // RFC 4865 §4
    @Test
    void mailIsHeldUntilItsSenderWantsItGone() throws IOException {
        Instant release = NOON.plus(Duration.ofHours(8));
        house.send(from(ALICE, Map.of("HOLDUNTIL", release.toString()), BOB), TEXT);
        house.work();
        assertEquals(Map.of(), house.recorded.last().outcomes());
        assertEquals(release, house.only().next());
        assertEquals(List.of(), house.inbox(BOB));
        house.clock.advance(Duration.ofHours(8));
        house.work();
        assertEquals(1, house.inbox(BOB).size());
    }

    // RFC 4865 §4
    @Test
    void timeToGiveUpCountsFromTheRelease() throws IOException {
        Instant release = NOON.plus(Duration.ofDays(6));
        house.send(from(ALICE, Map.of("HOLDUNTIL", release.toString()), FAR), TEXT);
        house.clock.advance(Duration.ofDays(6));
        house.work();
        assertEquals(release.plus(Duration.ofMinutes(2)), house.only().next());
        house.clock.advance(Duration.ofDays(5));
        house.work();
        assertTrue(house.inbox(ALICE).getFirst().contains("Status: 5.4.7"));
    }

    // RFC 4865 §4
    @Test
    void delayCountsFromTheRelease() throws IOException {
        Instant release = NOON.plus(Duration.ofHours(12));
        house.send(
                new Envelope(
                        Optional.of(ALICE),
                        Map.of("HOLDUNTIL", release.toString()),
                        List.of(new Recipient(FAR, Map.of("NOTIFY", "DELAY")))),
                TEXT);
        house.clock.advance(Duration.ofHours(12));
        house.work();
        assertEquals(1, tries);
        assertEquals(List.of(), house.inbox(ALICE));
    }

    // RFC 2852 §4
    @Test
    void mailGoesBackAtTheDeadlineWithoutAnotherTry() throws IOException {
        house.send(from(ALICE, Map.of("BY", "300;R"), FAR), TEXT);
        house.work();
        house.clock.advance(Duration.ofMinutes(2));
        house.work();
        assertEquals(2, tries);
        Instant deadline = NOON.plusSeconds(300);
        assertEquals(deadline, house.only().next(), "and not five minutes after the second try");
        house.clock.advance(Duration.ofMinutes(3));
        house.work();
        assertEquals(2, tries, "no try after the deadline");
        String report = house.inbox(ALICE).getFirst();
        assertTrue(report.contains("Action: failed\r\nStatus: 5.4.7\r\n"), report);
        assertTrue(
                report.contains(
                        "554 5.4.7 not delivered within the 5 m that its sender gave it; the last"
                                + " reason was: 450 4.2.0 busy"),
                report);
        assertEquals(0, house.waiting());
    }

    // RFC 2852 §4
    @Test
    void tryThatOutlastsTheDeadlineIsTheLast() throws IOException {
        house.couriers.add(
                "example.org",
                0,
                (entry, recipients) -> {
                    house.clock.advance(Duration.ofMinutes(10));
                    return Map.of(FAR, elsewhere);
                });
        house.send(from(ALICE, Map.of("BY", "300;R"), FAR), TEXT);
        house.work();
        assertTrue(house.inbox(ALICE).getFirst().contains("Status: 5.4.7"));
        assertEquals(0, house.waiting());
    }

    // RFC 2852 §4
    @Test
    void mailForAMailboxHereKeepsItsDeadlineToo() throws IOException {
        house.send(from(ALICE, Map.of("BY", "300;R"), BOB), TEXT);
        house.clock.advance(Duration.ofHours(1));
        house.work();
        assertEquals(List.of(), house.inbox(BOB));
        assertTrue(house.inbox(ALICE).getFirst().contains("Status: 5.4.7"));
    }

    // RFC 2852 §4
    @Test
    void senderWhoWantsToKnowIsToldAtTheDeadlineAndTheMailIsTriedOn() throws IOException {
        house.send(from(ALICE, Map.of("BY", "60;N"), FAR), TEXT);
        house.work();
        assertEquals(NOON.plusSeconds(60), house.only().next());
        house.clock.advance(Duration.ofMinutes(1));
        house.work();
        assertEquals(2, tries);
        assertTrue(house.inbox(ALICE).getFirst().contains("Action: delayed\r\nStatus: 4.2.0\r\n"));
        assertEquals(List.of(FAR), house.only().envelope().addresses());
    }

    // RFC 2852 §4
    @Test
    void senderIsToldOfTheDeadlineOnce() throws IOException {
        house.send(from(ALICE, Map.of("BY", "60;N"), FAR), TEXT);
        house.clock.advance(Duration.ofMinutes(10));
        QueueEntry entry = house.queue.lease(house.clock.instant(), Duration.ZERO).orElseThrow();
        house.worker.carry(with(entry, NOON.plusSeconds(61)));
        assertEquals(1, tries);
        assertEquals(1, house.waiting(), "the message and no report");
        house.worker.carry(with(entry, NOON.plusSeconds(59)));
        assertEquals(2, house.waiting(), "a try before the deadline told nobody");
    }

    // RFC 3461 §4.1: no DELAY under any circumstances without the word
    @Test
    void whoWantsNoReportOfADelayGetsNoneAtTheDeadline() throws IOException {
        house.send(
                new Envelope(
                        Optional.of(ALICE),
                        Map.of("BY", "60;N"),
                        List.of(new Recipient(FAR, Map.of("NOTIFY", "FAILURE")))),
                TEXT);
        house.clock.advance(Duration.ofMinutes(2));
        house.work();
        assertEquals(List.of(), house.inbox(ALICE));
    }

    // RFC 2852 §4.1.4, by-trace
    @Test
    void senderWhoTracesHearsOfEveryRelay() throws IOException {
        elsewhere = new Outcome.Delivered("mx.example.org 250 2.0.0 Ok", true);
        house.send(from(ALICE, Map.of("BY", "600;R"), FAR), TEXT);
        house.work();
        assertEquals(List.of(), house.inbox(ALICE));
        house.send(from(ALICE, Map.of("BY", "600;RT"), FAR), TEXT);
        house.work();
        assertTrue(house.inbox(ALICE).getFirst().contains("Action: relayed\r\n"));
        house.send(
                new Envelope(
                        Optional.of(ALICE),
                        Map.of("BY", "600;RT"),
                        List.of(new Recipient(FAR, Map.of("NOTIFY", "NEVER")))),
                TEXT);
        house.work();
        assertEquals(1, house.inbox(ALICE).size());
    }

    // RFC 2852 §4.1.4.2
    @Test
    void senderWhoWantsToKnowOfADelayHearsOfARelayThatWillNotTell() throws IOException {
        for (boolean reportsFollow : List.of(true, false)) {
            elsewhere = new Outcome.Delivered("mx.example.org 250 2.0.0 Ok", reportsFollow);
            house.send(from(ALICE, Map.of("BY", "600;R"), FAR), TEXT);
            house.work();
            assertEquals(List.of(), house.inbox(ALICE));
            house.send(from(ALICE, Map.of("BY", "600;N"), FAR), TEXT);
            house.work();
            assertEquals(reportsFollow ? 0 : 1, house.inbox(ALICE).size());
        }
        assertTrue(house.inbox(ALICE).getFirst().contains("Action: relayed\r\n"));
    }

    // RFC 3461 §5.2.2
    @Test
    void relayIsToldByUsWhenTheNextHostTellsNothing() throws IOException {
        for (boolean reportsFollow : List.of(true, false)) {
            elsewhere = new Outcome.Delivered("mx.example.org 250 2.0.0 Ok", reportsFollow);
            house.send(House.envelope(ALICE, Map.of("NOTIFY", "SUCCESS"), FAR), TEXT);
            house.work();
            assertEquals(reportsFollow ? 0 : 1, house.inbox(ALICE).size());
        }
        assertTrue(house.inbox(ALICE).getFirst().contains("Action: relayed\r\n"));
        assertFalse(house.inbox(ALICE).getFirst().contains("Action: delivered\r\n"));
    }

    private static QueueEntry with(QueueEntry entry, Instant tried) {
        return new QueueEntry(
                entry.id(),
                entry.envelope(),
                entry.content(),
                entry.accepted(),
                1,
                entry.next(),
                false,
                Map.of(),
                List.of(new Attempt(tried, "", "", List.of(FAR), BUSY)));
    }

    private static Envelope from(
            MailAddress sender, Map<String, String> parameters, MailAddress to) {
        return new Envelope(Optional.of(sender), parameters, List.of(new Recipient(to)));
    }
}
