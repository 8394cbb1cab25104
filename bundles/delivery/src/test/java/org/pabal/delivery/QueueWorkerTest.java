package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.pabal.delivery.House.ALICE;
import static org.pabal.delivery.House.BOB;
import static org.pabal.delivery.House.FAR;
import static org.pabal.delivery.House.NOBODY;
import static org.pabal.delivery.House.NOON;
import static org.pabal.delivery.House.TEXT;
import static org.pabal.delivery.House.envelope;

import org.junit.jupiter.api.Test;
import org.pabal.mail.Content;
import org.pabal.mail.Courier;
import org.pabal.mail.Envelope;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;
import org.pabal.mailbox.UidSet;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class QueueWorkerTest {

    private final House house = new House();

    @Test
    void bringsMailIntoTheMailboxUnchangedBelowItsReturnPath() throws IOException {
        house.send(envelope(FAR, BOB), TEXT);
        house.work();
        assertEquals(
                List.of("Return-Path: <far@example.org>\r\n" + TEXT.replace("\n", "\r\n")),
                house.inbox(BOB));
        assertEquals(0, house.waiting());
    }

    @Test
    void bringsMailOfNobodyWithAnEmptyReturnPath() throws IOException {
        house.send(new Envelope(Optional.empty(), List.of(new Recipient(BOB))), TEXT);
        house.work();
        assertTrue(house.inbox(BOB).getFirst().startsWith("Return-Path: <>\r\nFrom: "));
    }

    @Test
    void bringsMailThatDoesNotFitIntoOneRead() throws IOException {
        String large = TEXT + "0123456789\n".repeat(30_000);
        house.send(envelope(FAR, BOB), large);
        house.work();
        assertEquals(
                "Return-Path: <far@example.org>\r\n" + large.replace("\n", "\r\n"),
                house.inbox(BOB).getFirst());
    }

    @Test
    void keepsTheTimeOfAcceptance() throws IOException {
        house.send(envelope(FAR, BOB), TEXT);
        house.clock.advance(Duration.ofHours(1));
        house.work();
        assertEquals(
                NOON,
                house.mailboxes
                        .open(BOB, "INBOX")
                        .orElseThrow()
                        .messages(UidSet.ALL)
                        .getFirst()
                        .received());
    }

    @Test
    void repeatAfterACrashAddsNothing() throws IOException {
        house.send(envelope(FAR, BOB, ALICE), TEXT);
        QueueEntry entry = house.queue.lease(NOON, Duration.ZERO).orElseThrow();
        house.worker.carry(entry);
        house.worker.carry(entry);
        assertEquals(1, house.inbox(BOB).size());
        assertEquals(1, house.inbox(ALICE).size());
    }

    @Test
    void nameOfADeliveryBeginsWithTheQueueIdAndFitsTheContract() throws IOException {
        house.send(envelope(FAR, BOB), TEXT);
        String name = LocalCourier.deliveryId(house.only());
        assertTrue(name.startsWith("Q1."), name);
        assertTrue(name.matches("[A-Za-z0-9.-]{1,100}"), name);
    }

    @Test
    void messageThatCannotBeReadStaysAndIsTriedAgain() throws IOException {
        house.send(envelope(ALICE, BOB), TEXT);
        QueueEntry entry = house.queue.lease(NOON, Duration.ZERO).orElseThrow();
        Content broken =
                new Content() {
                    @Override
                    public long size() {
                        return 10;
                    }

                    @Override
                    public InputStream open() throws IOException {
                        throw new IOException("disk on fire");
                    }
                };
        house.clock.advance(Duration.ofDays(6));
        house.worker.carry(
                new QueueEntry(
                        entry.id(), entry.envelope(), broken, NOON, 0, NOON, false, Map.of()));
        assertEquals(NOON.plus(Duration.ofDays(6)).plus(Duration.ofHours(4)), house.only().next());
    }

    @Test
    void fullStoreDefersAndTheMessageArrivesLater() throws IOException {
        house.send(envelope(FAR, BOB), TEXT);
        house.mailboxes.full(true);
        house.work();
        QueueEntry entry = house.only();
        assertEquals(1, entry.attempts());
        assertEquals(NOON.plus(Duration.ofMinutes(2)), entry.next());
        assertEquals("4.3.0", entry.reasons().get(BOB).enhanced());
        house.mailboxes.full(false);
        house.clock.advance(Duration.ofMinutes(5));
        house.work();
        assertEquals(1, house.inbox(BOB).size());
        assertEquals(0, house.waiting());
    }

    @Test
    void aliasLeadsToItsMembersOnceEach() throws IOException {
        MailAddress staff = new MailAddress("staff", "example.test");
        MailAddress all = new MailAddress("all", "example.test");
        house.directory.addAlias(staff, List.of(ALICE, BOB));
        house.directory.addAlias(
                all, List.of(staff, ALICE, new MailAddress("BOB", "example.test")));
        house.send(envelope(FAR, all, BOB, staff), TEXT);
        house.work();
        assertEquals(1, house.inbox(ALICE).size());
        assertEquals(1, house.inbox(BOB).size());
        assertEquals(0, house.waiting());
    }

    /// Security row S17.
    @Test
    void aliasesThatLeadInACircleEndInAFailureThatSaysSo() throws IOException {
        MailAddress a = new MailAddress("a", "example.test");
        MailAddress b = new MailAddress("b", "example.test");
        MailAddress self = new MailAddress("self", "example.test");
        house.directory.addAlias(a, List.of(b));
        house.directory.addAlias(b, List.of(a));
        house.directory.addAlias(self, List.of(self));
        house.send(envelope(ALICE, a, self), TEXT);
        assertEquals(2, house.work(), "the message and the report");
        String report = house.inbox(ALICE).getFirst();
        assertTrue(
                report.contains(
                        "Final-Recipient: rfc822; a@example.test\r\n"
                                + "Action: failed\r\n"
                                + "Status: 5.4.6\r\n"));
        assertTrue(
                report.contains(
                        "Final-Recipient: rfc822; self@example.test\r\n"
                                + "Action: failed\r\n"
                                + "Status: 5.4.6\r\n"));
        assertTrue(
                report.contains(
                        "554 5.4.6 <a@example.test>: mail loop: its aliases lead back to itself"));
        assertEquals(0, house.waiting());
    }

    /// Security row S17: a copy to oneself and to somebody else is no loop.
    @Test
    void aliasThatAlsoLeadsToItselfLeadsToTheOthers() throws IOException {
        MailAddress staff = new MailAddress("staff", "example.test");
        house.directory.addAlias(staff, List.of(staff, BOB));
        house.send(envelope(FAR, staff), TEXT);
        house.work();
        assertEquals(1, house.inbox(BOB).size());
        assertEquals(0, house.waiting());
    }

    /// Security row S17.
    @Test
    void aliasesAreFollowedTenDeepAndNoDeeper() throws IOException {
        for (int i = 0; i < 11; i++) {
            house.directory.addAlias(step(i), List.of(i == 10 ? BOB : step(i + 1)));
        }
        house.send(envelope(ALICE, step(1)), TEXT);
        house.work();
        assertEquals(1, house.inbox(BOB).size());
        house.send(envelope(ALICE, step(0)), TEXT);
        house.work();
        assertEquals(1, house.inbox(BOB).size());
        assertTrue(house.inbox(ALICE).getFirst().contains("Status: 5.4.6"));
    }

    private static MailAddress step(int i) {
        return new MailAddress("step" + i, "example.test");
    }

    /// Security row S17.
    @Test
    void messageWithMoreThanFiftyReceivedFieldsIsALoop() throws IOException {
        String field = "Received: from a by b;\n\tReceived: Sun, 22 Nov 2026 12:00:00 +0000\n";
        house.send(envelope(ALICE, BOB), field.repeat(49) + "RECEIVED : x\n" + TEXT + field);
        house.work();
        assertEquals(1, house.inbox(BOB).size());
        house.send(envelope(ALICE, BOB), "Subject: x\n" + field.repeat(51) + TEXT);
        house.work();
        assertEquals(1, house.inbox(BOB).size());
        assertTrue(house.inbox(ALICE).getFirst().contains("Status: 5.4.6"));
    }

    @Test
    void mailForOtherHostsWaitsForACourier() throws IOException {
        house.send(envelope(ALICE, FAR, BOB), TEXT);
        house.work();
        QueueEntry entry = house.only();
        assertEquals(List.of(FAR), entry.envelope().addresses());
        assertTrue(entry.reasons().get(FAR).text().contains("no remote courier yet"));
        assertEquals(1, house.inbox(BOB).size());
    }

    @Test
    void mailIsGivenUpAfterFiveDaysAndItsSenderIsTold() throws IOException {
        house.send(envelope(ALICE, FAR), TEXT);
        int attempts = 0;
        while (house.waiting() > 0 && attempts++ < 100) {
            house.work();
            if (house.waiting() > 0) {
                house.clock.advance(Duration.between(house.clock.instant(), house.only().next()));
            }
        }
        assertEquals(NOON.plus(Duration.ofDays(5)), house.clock.instant());
        assertTrue(
                house.inbox(ALICE)
                        .getLast()
                        .contains(
                                "554 5.4.7 not delivered within 5 d; the last reason"
                                        + " was: 451 4.4.0 no remote courier yet"));
        assertEquals(0, house.waiting());
    }

    @Test
    void remoteCourierCarriesWhatIsForOtherHosts() throws IOException {
        List<QueueEntry> carried = new ArrayList<>();
        house.couriers.add(
                "remote",
                0,
                (entry, recipients) -> {
                    carried.add(entry);
                    assertEquals(entry.envelope().recipients(), recipients);
                    return Map.of(FAR, new Outcome.Delivered("mx.example.org 250 2.0.0 Ok"));
                });
        house.send(envelope(ALICE, BOB, FAR), TEXT);
        house.work();
        assertEquals(List.of(FAR), carried.getFirst().envelope().addresses());
        assertEquals(1, house.inbox(BOB).size());
        assertEquals(0, house.waiting());
    }

    @Test
    void courierOfADomainWinsOverTheOthers() throws IOException {
        List<MailAddress> seen = new ArrayList<>();
        Courier courier =
                (entry, recipients) -> {
                    recipients.forEach(recipient -> seen.add(recipient.address()));
                    return Map.of(recipients.getFirst().address(), new Outcome.Delivered("there"));
                };
        house.couriers.add("Example.ORG", 0, courier);
        Couriers.Post ours = house.couriers.add("example.test", 0, courier);
        house.send(envelope(ALICE, FAR), TEXT);
        house.send(envelope(ALICE, BOB), TEXT);
        house.work();
        assertEquals(List.of(FAR, BOB), seen);
        house.couriers.remove(ours);
        house.send(envelope(ALICE, BOB), TEXT);
        house.work();
        assertEquals(1, house.inbox(BOB).size());
    }

    @Test
    void courierThatThrowsOrSaysNothingDefers() throws IOException {
        List<Courier> bad =
                List.of(
                        (entry, recipients) -> {
                            throw new IOException("broken");
                        },
                        (entry, recipients) -> {
                            throw new IllegalStateException("very broken");
                        },
                        (entry, recipients) -> Map.of());
        for (Courier courier : bad) {
            Couriers.Post post = house.couriers.add("remote", 0, courier);
            house.send(envelope(ALICE, FAR), TEXT);
            house.work();
            assertEquals(1, house.only().attempts());
            house.queue.remove(house.only().id());
            house.couriers.remove(post);
        }
    }

    @Test
    void aliasThatAlsoLeadsToOtherHostsBecomesAMessageOfItsOwn() throws IOException {
        MailAddress staff = new MailAddress("staff", "example.test");
        house.directory.addAlias(staff, List.of(BOB, FAR));
        house.send(envelope(ALICE, Map.of("NOTIFY", "SUCCESS,FAILURE"), staff), TEXT);
        house.work();
        assertEquals(1, house.inbox(BOB).size());
        QueueEntry rest = house.only();
        assertEquals(
                List.of(
                        new Recipient(
                                FAR,
                                Map.of("NOTIFY", "FAILURE", "ORCPT", "rfc822;staff@example.test"))),
                rest.envelope().recipients());
        assertTrue(house.inbox(ALICE).getFirst().contains("Action: expanded"));
        house.clock.advance(Duration.ofHours(1));
        house.work();
        assertEquals(1, house.inbox(BOB).size());
    }

    /// Security row S16.
    @Test
    void reportComesFromNobodyAndIsNeverAnsweredItself() throws IOException {
        house.send(envelope(NOBODY, NOBODY), TEXT);
        QueueEntry entry = house.queue.lease(NOON, Duration.ZERO).orElseThrow();
        house.worker.carry(entry);
        QueueEntry report = house.only();
        assertEquals(Optional.empty(), report.envelope().sender());
        assertEquals(List.of(NOBODY), report.envelope().addresses());
        house.work();
        assertEquals(0, house.waiting(), "the report fails too, and ends here");
    }

    /// Security row S16.
    @Test
    void noReportWhenTheSenderWantsNone() throws IOException {
        house.send(envelope(ALICE, Map.of("NOTIFY", "NEVER"), NOBODY), TEXT);
        house.send(envelope(ALICE, Map.of("NOTIFY", "SUCCESS"), NOBODY), TEXT);
        house.send(
                new Envelope(
                        Optional.empty(),
                        List.of(new Recipient(NOBODY, Map.of("NOTIFY", "FAILURE")))),
                TEXT);
        house.work();
        assertEquals(0, house.waiting());
        assertEquals(List.of(), house.inbox(ALICE));
    }

    @Test
    void successIsToldToThoseWhoAsk() throws IOException {
        house.send(envelope(ALICE, Map.of("NOTIFY", "SUCCESS"), BOB), TEXT);
        house.send(envelope(ALICE, BOB), TEXT);
        house.work();
        assertEquals(1, house.inbox(ALICE).size());
        String report = house.inbox(ALICE).getFirst();
        assertTrue(report.contains("Action: delivered\r\nStatus: 2.1.5\r\n"));
        assertFalse(report.contains("Good day."));
    }

    @Test
    void delayIsToldOnceToThoseWhoAsk() throws IOException {
        house.send(envelope(ALICE, Map.of("NOTIFY", "DELAY"), FAR), TEXT);
        for (int i = 0; i < 10; i++) {
            house.work();
            house.clock.advance(
                    Duration.between(
                            house.clock.instant(),
                            house.queue.entries().findFirst().orElseThrow().next()));
        }
        assertEquals(1, house.inbox(ALICE).size());
        String report = house.inbox(ALICE).getFirst();
        assertTrue(report.contains("Action: delayed\r\nStatus: 4.4.0\r\n"));
        assertTrue(report.contains("Will-Retry-Until: Fri, 27 Nov 2026 12:00:00 +0000\r\n"));
    }

    @Test
    void failureThatCannotBeReportedWaits() throws IOException {
        house.send(envelope(ALICE, NOBODY, BOB), TEXT);
        QueueEntry entry = house.queue.lease(NOON, Duration.ZERO).orElseThrow();
        house.queue.full(true);
        house.worker.carry(entry);
        assertEquals(List.of(NOBODY), house.only().envelope().addresses());
        assertEquals(1, house.inbox(BOB).size());
        house.queue.full(false);
        house.clock.advance(Duration.ofMinutes(5));
        house.work();
        assertEquals(1, house.inbox(ALICE).size());
        assertEquals(0, house.waiting());
    }

    @Test
    void someFailSomeWaitSomeArrive() throws IOException {
        house.couriers.add(
                "remote",
                0,
                (entry, recipients) ->
                        Map.of(FAR, new Outcome.Failed(new Status(550, "5.1.1", "who?"))));
        MailAddress further = new MailAddress("further", "example.net");
        house.send(envelope(ALICE, BOB, FAR, further, NOBODY), TEXT);
        house.work();
        assertEquals(1, house.inbox(BOB).size());
        assertEquals(List.of(further), house.only().envelope().addresses());
        String report = house.inbox(ALICE).getFirst();
        assertTrue(report.contains("Final-Recipient: rfc822; far@example.org"));
        assertTrue(report.contains("Final-Recipient: rfc822; nobody@example.test"));
        assertFalse(report.contains("further@"));
    }
}
