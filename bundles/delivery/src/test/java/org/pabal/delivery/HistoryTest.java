package org.pabal.delivery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.pabal.delivery.House.ALICE;
import static org.pabal.delivery.House.BOB;
import static org.pabal.delivery.House.FAR;
import static org.pabal.delivery.House.NOBODY;
import static org.pabal.delivery.House.NOON;
import static org.pabal.delivery.House.TEXT;
import static org.pabal.delivery.House.envelope;

import org.junit.jupiter.api.Test;
import org.pabal.mail.Attempt;
import org.pabal.mail.Courier;
import org.pabal.mail.MailAddress;
import org.pabal.mail.Outcome;
import org.pabal.mail.QueueEntry;
import org.pabal.mail.Recipient;
import org.pabal.mail.Status;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// What is written down of each try.
class HistoryTest {

    private static final Status GREY = new Status(450, "4.7.1", "come again");
    private static final Status DONE = new Status(250, "2.0.0", "delivered");

    private final House house = new House();

    @Test
    void courierTellsItsStepsItself() throws IOException {
        Attempt first = new Attempt(NOON, "mx1 [192.0.2.1]:25", "", List.of(FAR), GREY);
        Attempt second = new Attempt(NOON, "mx2 [192.0.2.2]:25", "TLSv1.3", List.of(FAR), GREY);
        house.couriers.add(
                "remote",
                0,
                new Courier() {
                    @Override
                    public Map<MailAddress, Outcome> deliver(
                            QueueEntry entry, List<Recipient> recipients) {
                        throw new IllegalStateException("the worker listens");
                    }

                    @Override
                    public Map<MailAddress, Outcome> deliver(
                            QueueEntry entry, List<Recipient> recipients, Consumer<Attempt> told) {
                        told.accept(first);
                        told.accept(second);
                        return Map.of(FAR, new Outcome.Deferred(GREY));
                    }
                });
        house.send(envelope(ALICE, FAR), TEXT);
        house.work();
        assertEquals(List.of(first, second), house.recorded.last().attempts());
    }

    @Test
    void whatCouriersDoNotTellIsTakenFromTheirOutcomes() throws IOException {
        MailAddress further = new MailAddress("further", "example.org");
        house.couriers.add(
                "remote",
                0,
                (entry, recipients) ->
                        Map.of(
                                FAR, new Outcome.Deferred(GREY),
                                further, new Outcome.Deferred(GREY)));
        house.send(envelope(ALICE, FAR, BOB, further, NOBODY), TEXT);
        house.work();
        assertEquals(
                List.of(
                        new Attempt(NOON, "mailbox " + BOB, "", List.of(BOB), DONE),
                        new Attempt(NOON, "", "", List.of(FAR, further), GREY),
                        new Attempt(
                                NOON,
                                "",
                                "",
                                List.of(NOBODY),
                                new Status(
                                        550,
                                        "5.1.1",
                                        "<nobody@example.test>: no such mailbox here"))),
                house.recorded.settlements().getFirst().attempts());
    }

    @Test
    void whatLeftThisNodeIsWrittenDownEvenWhenNothingWaits() throws IOException {
        house.couriers.add(
                "remote", 0, (entry, recipients) -> Map.of(FAR, new Outcome.Delivered("there")));
        house.send(envelope(ALICE, FAR), TEXT);
        house.work();
        assertEquals(
                List.of(new Attempt(NOON, "there", "", List.of(FAR), DONE)),
                house.recorded.last().attempts());
    }

    @Test
    void whatEndedHereNeedsNoHistory() throws IOException {
        house.send(envelope(FAR, BOB, ALICE), TEXT);
        house.work();
        assertEquals(List.of(), house.recorded.last().attempts());
    }

    @Test
    void waitForACourierStandsInTheHistory() throws IOException {
        house.send(envelope(ALICE, FAR), TEXT);
        house.work();
        assertEquals(
                List.of(
                        new Attempt(
                                NOON,
                                "",
                                "",
                                List.of(FAR),
                                new Status(451, "4.4.0", "no remote courier yet"))),
                house.recorded.last().attempts());
    }

    @Test
    void talkativeCourierDoesNotFillTheQueue() throws IOException {
        house.couriers.add(
                "remote",
                0,
                new Courier() {
                    @Override
                    public Map<MailAddress, Outcome> deliver(
                            QueueEntry entry, List<Recipient> recipients) {
                        return Map.of();
                    }

                    @Override
                    public Map<MailAddress, Outcome> deliver(
                            QueueEntry entry, List<Recipient> recipients, Consumer<Attempt> told) {
                        for (int i = 0; i < 1_000; i++) {
                            told.accept(new Attempt(NOON, "mx" + i, "", List.of(FAR), GREY));
                        }
                        return Map.of(FAR, new Outcome.Deferred(GREY));
                    }
                });
        house.send(envelope(ALICE, FAR), TEXT);
        house.work();
        assertEquals(QueueEntry.MAX_HISTORY, house.recorded.last().attempts().size());
        assertEquals("mx999", house.recorded.last().attempts().getLast().where());
    }
}
